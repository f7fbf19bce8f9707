// Command plantbed is a factory that runs in CI: simulated PLCs on real OPC UA
// and Modbus TCP, a real edge gateway, broker and twin behind faulty links,
// and a card that accounts for every sample.
//
//	plantbed run first-light          # two simulated hours in seconds, then a verdict
//	plantbed check my-line.toml       # is the scenario valid, what will happen when
//	plantbed gateway -c gateway.toml  # the gateway alone
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program as a function, so that scripts can test it.
func run(args []string, out, errw io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.Execute()
	var coded *exit
	switch {
	case err == nil:
		return codePass
	case errors.As(err, &coded):
		if msg := coded.Error(); msg != "" {
			fmt.Fprintln(errw, "plantbed: "+strings.TrimRight(msg, "\n"))
		}
		return coded.code
	default:
		// What cobra itself complains of is how it was called.
		fmt.Fprintf(errw, "plantbed: %v\nRun 'plantbed help' for usage.\n", err)
		return codeUsage
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "plantbed",
		Short: "A factory that runs in CI: did the edge stack lose anything?",
		Long: `Plantbed simulates machines and PLCs on real OPC UA and Modbus TCP, runs a real
edge gateway, MQTT broker and twin behind links that it breaks on a schedule,
and says, sample by sample, what was lost, repeated, delayed or mislabelled.

Exit codes: 0 all expectations met, 10 an expectation failed, 11 unknown,
12 the scenario or config is invalid, 2 wrong usage, 1 an internal error,
130 interrupted (what was recorded so far is kept and scored).`,
		Example: `  plantbed run first-light
  plantbed run my-line.toml --set fault[0].for=90s
  plantbed list faults`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(), newCheck(), newList(), newServe(), newScore(), newReport(), newDiff(), newGateway(), newTwin(), newDataset(), newFlow(), newSweep(), newTrain(), newEval(), newConformance(), newHunt(), newDoctor(), newVersion(), newWorker())
	return root
}
