// Package hunt looks for failures that nobody has thought of: it breaks a
// scenario in many seeded random ways, holds every run against the invariants
// of a correct stack, and shrinks what broke one to a scenario that is as small
// as it can be made and still breaks it.
//
//	sc, _ := scenarios.Load("ten-tags", nil)
//	h := hunt.Hunt{Base: sc, Seed: 1, Plans: 200, MaxFaults: 4, Workers: 2,
//		Run: hunt.Lab{Exe: "bin/plantbed-virtual", Args: worker, Dir: scratch}.Run}
//	report, err := h.Do(ctx)
//	for _, f := range report.Findings {
//		fmt.Println(f.Invariant, f.Kinds, f.Scenario.Faults)
//	}
//
// A plan has two phases. In the first two thirds of a run faults happen; then
// it is quiet, and the stack must recover. What of a scenario can be broken is
// found from the scenario and the table of fault kinds (space.go), so that a new
// kind of fault takes part by itself. What must hold is one table
// (invariants.go), judged by package score against the same contract as every
// other run.
//
// Plan i of a seed is always the same, and so is what becomes of it, whatever
// the number of workers.
package hunt
