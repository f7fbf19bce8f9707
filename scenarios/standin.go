package scenarios

import "github.com/plantbed/plantbed/internal/strict"

type machineConfig struct {
	Name   string            `toml:"name"`
	Kind   string            `toml:"kind"`
	Params map[string]string `toml:"params,omitempty"`
}

type lineConfig struct {
	Name     string   `toml:"name"`
	Stations []string `toml:"stations"`
	Buffers  []int    `toml:"buffers"`
	Crew     int      `toml:"crew"`
}

type faultConfig struct {
	Kind   string          `toml:"kind"`
	Target string          `toml:"target"`
	At     strict.Duration `toml:"at"`
	For    strict.Duration `toml:"for,omitempty"`
	Life   strict.Duration `toml:"life,omitempty"`
}
