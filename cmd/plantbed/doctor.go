package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/virtual"
)

// trouble is what a check found; optional trouble only costs a feature.
type trouble struct {
	err      error
	optional bool
}

func newDoctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check that this machine can run the gears truthfully",
		Long: `Doctor checks what the gears rest on: that the worker of the virtual gear is
there, that bytes over loopback take no virtual time, that sockets and files
can be had. What only some tests need is named, and is no failure.`,
		Example: "  plantbed doctor",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			bad := false
			say := func(name, ok string, t trouble) {
				switch {
				case t.err == nil:
					fmt.Fprintf(out, "ok    %s: %s\n", name, ok)
				case t.optional:
					fmt.Fprintf(out, "none  %s: %v\n", name, t.err)
				default:
					bad = true
					fmt.Fprintf(out, "BAD   %s: %v\n", name, t.err)
				}
			}
			say("machine", fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), trouble{})
			ok, err := checkSocket()
			say("sockets", ok, trouble{err: err})
			exe, err := workerExe()
			say("virtual worker", exe, trouble{err: err})
			if err == nil {
				ok, err := checkLoopback(cmd.Context(), exe)
				say("virtual clock", ok, trouble{err: err})
			}
			for _, tool := range []string{"mosquitto_sub", "mbpoll", "chromium", "docker", "node"} {
				path, err := exec.LookPath(tool)
				say(tool, path, trouble{err: err, optional: true})
			}
			if bad {
				return &exit{codeInternal, errors.New("this machine cannot run every gear truthfully; see the lines marked BAD")}
			}
			return nil
		},
	}
	cmd.AddCommand(&cobra.Command{Use: "loopback", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		_, report := virtual.Attach(context.Background())
		worst, err := virtual.Loopback(5000)
		if err != nil {
			return internal(err)
		}
		report(worst.String())
		return nil
	}})
	return cmd
}

func checkSocket() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return "can listen on loopback", l.Close()
}

// checkLoopback has the worker measure what virtual time loopback takes.
func checkLoopback(ctx context.Context, exe string) (string, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	worst := ""
	w := virtual.Worker{Exe: exe, Args: []string{"doctor", "loopback"}, Log: io.Discard, Silence: 30 * time.Second,
		Progress: func(s string) { worst = strings.TrimSpace(s) }}
	if err := w.Run(ctx); err != nil {
		return "", err
	}
	if worst != "0s" {
		return "", fmt.Errorf("loopback took up to %s of virtual time: results would depend on the machine", worst)
	}
	return "5000 loopback round trips took no virtual time", nil
}
