package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/twin"
	"github.com/plantbed/plantbed/twin/predict"
)

func newTwin() *cobra.Command {
	var file, models string
	var check bool
	cmd := &cobra.Command{
		Use:   "twin -c FILE",
		Short: "Run the twin alone",
		Long: `Twin listens at an MQTT broker to what gateways publish, mirrors the assets of
its configuration, and raises alarms with calibrated models, until it is told
to stop. Alarms are log lines of level WARN.`,
		Example: `  plantbed twin -c twin.toml
  plantbed twin -c twin.toml --models models.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig[twin.Config](file)
			if err != nil {
				return err
			}
			opts := twin.Options{Log: slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))}
			if opts.Models, err = loadModels(models); err != nil || check {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if err := twin.Run(ctx, *cfg, opts); err != nil {
				return internal(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (TOML)")
	cmd.Flags().StringVar(&models, "models", "", "models that plantbed train has written")
	cmd.Flags().BoolVar(&check, "check", false, "validate the configuration and stop")
	cmd.MarkFlagRequired("config")
	return cmd
}

func loadModels(file string) ([]predict.Calibrated, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, invalid(fmt.Errorf("cannot read the models: %w", err))
	}
	var models []predict.Calibrated
	if err := json.Unmarshal(b, &models); err != nil {
		return nil, invalid(fmt.Errorf("%s: %w", file, err))
	}
	for i := range models {
		if err := models[i].Check(); err != nil {
			return nil, invalid(fmt.Errorf("%s: %w", file, err))
		}
	}
	return models, nil
}
