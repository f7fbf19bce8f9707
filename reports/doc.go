// Package reports turns the score of a run into what people and machines read:
// a table on the terminal, card.json, JUnit, Markdown and a page.
//
//	err := reports.Write("runs/first-light-42", result, scenarioTOML)
//	err = reports.Table(os.Stdout, result, true)
//
// Every format is a function of the result alone, byte for byte, and all of
// them are drawn from one view of it (view.go) in one set of words (words.go),
// so that they say the same things.
package reports
