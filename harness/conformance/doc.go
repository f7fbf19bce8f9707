// Package conformance asks one question of a stack: does it survive what others
// did not? Each entry is a failure that was reported in public, brought about
// on real protocols by a scenario, with a check of what a correct stack does.
//
//	for _, e := range conformance.Entries() {
//		evidence := ... // run scenarios conformance/<name>, load record and score
//		fmt.Println(e.ID, e.Judge(evidence).Verdict)
//	}
//
// The package is pure: it runs nothing. A scenario's own expectations are most
// of the check; the rest is in checks.go.
package conformance
