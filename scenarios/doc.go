// Package scenarios holds the format of a scenario, the strict loading of it,
// and the scenarios that Plantbed is shipped with.
//
//	s, problems := scenarios.Load("first-light", []string{"gateway.buffer.max_bytes=64KiB"})
//	problems = append(problems, s.Validate(score.MetricNames())...)
//	if len(problems) > 0 {
//		return problems.Err() // first-light.toml:31: plc[0].scna: unknown key (did you mean "scan"?)
//	}
//	resolved, err := s.Encode() // every default spelled out
//
// A scenario says what is built (machines, lines, PLCs), what goes wrong and
// when (faults), how the edge stack is set up and what it owes (gateway and its
// contract), and what has to come out (expectations). One scenario may extend
// another; see Load for what that means.
package scenarios
