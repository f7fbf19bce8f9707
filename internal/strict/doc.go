// Package strict reads TOML configuration and forgives nothing: an unknown key,
// a value of the wrong type, a duration without a unit, each is a Problem with
// file, line and, where a name is nearly right, the name that was meant. All
// problems are reported at once.
//
//	cfg := Config{Scan: strict.Duration(time.Second)} // the defaults
//	src, problems := strict.Decode("plant.toml", text, &cfg)
//	problems = append(problems, src.Locate(cfg.Validate())...)
//	if len(problems) > 0 {
//		return problems.Err() // plant.toml:7: plc[1].scna: unknown key (did you mean "scan"?)
//	}
//
// A Validate method knows paths but not lines: it returns Problems with
// Path set, and Source.Locate adds where that path stands in the text.
//
// Keys are the fields' toml tags, upper and lower case told apart. What a file
// leaves out keeps the value that the struct had before.
package strict
