package main

import (
	"fmt"
	"os"

	"github.com/plantbed/plantbed/internal/strict"
)

// config is a program's configuration, with C its struct.
type config[C any] interface {
	*C
	Defaults()
	Validate() strict.Problems
}

// loadConfig reads a TOML file, fills in the defaults and says everything that
// is wrong with it, and where.
func loadConfig[C any, P config[C]](file string) (P, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, invalid(fmt.Errorf("cannot read the configuration: %w", err))
	}
	cfg := P(new(C))
	src, ps := strict.Decode(file, text, cfg)
	if len(ps) == 0 {
		cfg.Defaults()
		ps = src.Locate(cfg.Validate())
	}
	if len(ps) > 0 {
		ps.Sort()
		return nil, invalid(fmt.Errorf("%s is not valid\n%w", file, ps.Err()))
	}
	return cfg, nil
}
