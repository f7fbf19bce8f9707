package buffer

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Kinds and policies.
const (
	KindDisk   = "disk"
	KindMemory = "memory"
	KindNone   = "none"

	RejectNew  = "reject-new"
	DropOldest = "drop-oldest"
	ByPriority = "by-priority"
)

// Config is the table [buffer].
type Config struct {
	// Kind is "disk" (default), "memory" or "none".
	Kind string `toml:"kind"`
	// Dir is the folder of kind disk, default "buffer".
	Dir string `toml:"dir"`
	// MaxBytes bounds what is stored, default 256 MiB.
	MaxBytes strict.Bytes `toml:"max_bytes"`
	// Policy says who gives way when MaxBytes is reached: "reject-new"
	// (default), "drop-oldest", which drops a whole segment at a time, or
	// "by-priority": to the buffer that is reject-new, and the gateway brings it
	// less of what has less weight the fuller it is.
	Policy string `toml:"policy"`
	// Commit is how long the first sample of a group waits for others before
	// the group is synced, and so bounds what a kill can cost; default
	// 70.013717 ms, which meets no round period.
	Commit strict.Duration `toml:"commit"`
	// MaxAge is how long an undelivered sample is kept, 0 (default) for as long
	// as there is room. It counts by a clock that cannot jump, and stands still
	// while the gateway is off; what goes is whole segments, when the youngest of
	// a segment is that old.
	MaxAge strict.Duration `toml:"max_age"`
	// Segment is the size of one file, default 1 MiB, at most MaxBytes/8.
	Segment strict.Bytes `toml:"segment"`
}

const minBytes = 4 << 10

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	if c.Kind == "" {
		c.Kind = KindDisk
	}
	if c.Dir == "" {
		c.Dir = "buffer"
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 256 << 20
	}
	if c.Policy == "" {
		c.Policy = RejectNew
	}
	if c.Commit == 0 {
		c.Commit = strict.Duration(70_013_717 * time.Nanosecond)
	}
	if c.Segment == 0 {
		c.Segment = 1 << 20
	}
	c.Segment = min(c.Segment, c.MaxBytes/8)
}

// Validate expects Defaults to have been called.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if c.Kind != KindDisk && c.Kind != KindMemory && c.Kind != KindNone {
		ps.Add("kind", fmt.Sprintf("%q is none of \"disk\", \"memory\", \"none\"", c.Kind))
	}
	if c.Policy != RejectNew && c.Policy != DropOldest && c.Policy != ByPriority {
		ps.Add("policy", fmt.Sprintf("%q is none of \"reject-new\", \"drop-oldest\", \"by-priority\"", c.Policy))
	}
	if c.MaxBytes < minBytes {
		ps.Add("max_bytes", fmt.Sprintf("%v is less than the least, 4KiB", c.MaxBytes))
	}
	if c.Segment < 0 {
		ps.Add("segment", fmt.Sprintf("%v is negative", c.Segment))
	}
	if c.MaxAge < 0 {
		ps.Add("max_age", fmt.Sprintf("%v is negative", c.MaxAge))
	}
	if c.Commit < 0 || c.Commit.D() > time.Minute {
		ps.Add("commit", fmt.Sprintf("%v is not between 0 and 1m", c.Commit))
	}
	return ps
}
