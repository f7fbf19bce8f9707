// Package dataset writes labelled histories of a scenario's plant: thousands
// of runs, each with another seed, on one of several physical plants, with
// faults that are drawn for it.
//
//	sc, problems := scenarios.Load("bottling-failures", nil)
//	sum, err := dataset.Write(ctx, sc, dataset.Options{Dir: "data", Runs: 1000, Seed: sc.Seed})
//	err = dataset.FromRun(ctx, "runs/first-light-42", dataset.Options{Dir: "seen"})
//
// The way of a run:
//
//	plan ── draw ──► world (plant, PLCs) ── 1 Hz, through the instruments ──► Table
//	                    │ events, damage                                        │
//	                    └──────────────── labels ──────────────────────────────►┤
//	                                                                            ▼
//	                     shard: data-00007.parquet, one row group per run; its SHA-256
//
// Every shard holds a fixed number of runs and is written by one worker from
// its first byte to its last, so that the bytes depend on the seed and not on
// the number of workers. A shard appears under its name only when it is whole;
// an interrupted data set goes on with the shards that are missing.
package dataset
