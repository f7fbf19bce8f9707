package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/internal/disk"
)

func newGateway() *cobra.Command {
	var file, trace, profile, trouble string
	var check bool
	cmd := &cobra.Command{
		Use:   "gateway -c FILE",
		Short: "Run the edge gateway alone",
		Long: `Gateway reads OPC UA and Modbus TCP devices, keeps every sample in a durable
buffer, and publishes over MQTT 5 until it is told to stop. It knows no
simulator: this is the program for a small industrial PC. On SIGHUP it reads its
configuration again; sources that are the same keep their sessions, and one
that does not start is rolled back.`,
		Example: `  plantbed gateway -c gateway.toml
  plantbed gateway -c gateway.toml --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig[gateway.Config](file)
			if err != nil || check {
				return err
			}
			if trace != "" {
				flush, err := startTrace(trace)
				if err != nil {
					return internal(err)
				}
				defer flush()
			}
			if profile != "" {
				stop, err := startProfile(profile)
				if err != nil {
					return internal(err)
				}
				defer stop()
			}
			collectAbove(gatewayHeap)
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			opts := gateway.Options{Log: log, Reload: reloads(ctx, file, log)}
			if trouble != "" && cfg.Buffer.Kind == buffer.KindDisk {
				if opts.FS, err = disk.Troubled(cfg.Buffer.Dir, trouble, disk.Die); err != nil {
					return internal(err)
				}
			}
			err = gateway.Run(ctx, *cfg, opts)
			if err != nil && ctx.Err() == nil {
				return internal(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (TOML)")
	cmd.Flags().BoolVar(&check, "check", false, "validate the configuration and stop")
	cmd.Flags().StringVar(&trace, "trace", "", "write OpenTelemetry spans to this file")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile to this file, for go tool pprof")
	cmd.Flags().StringVar(&trouble, "disk-trouble", "", "suffer from the disk as this file says, which a run writes that breaks it")
	cmd.MarkFlagRequired("config")
	return cmd
}

// startProfile profiles until stop is called.
func startProfile(file string) (stop func(), err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("cannot write the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot write the profile: %w", err)
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// reloads reads the configuration again at each SIGHUP.
func reloads(ctx context.Context, file string, log *slog.Logger) <-chan gateway.Reload {
	out, hup := make(chan gateway.Reload), make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			}
			cfg, err := loadConfig[gateway.Config](file)
			if err != nil {
				log.Error("config not taken, the one before runs on", "err", err)
				continue
			}
			select {
			case out <- gateway.Reload{Config: *cfg}:
			case <-ctx.Done():
			}
		}
	}()
	return out
}
