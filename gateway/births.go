package gateway

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/internal/disk"
)

// births keeps, beside the buffer, what the Sparkplug nodes of one source said at
// their birth: a small file for each, for they come seldom and one at a time.
type births struct {
	fs     disk.FS
	source string
	most   int // files
	log    *slog.Logger

	mu  sync.Mutex
	had map[string]bool // files
}

// maxBirths bounds the files of a source.
const maxBirths = 4096

const birthPrefix = "birth-"

// keptBirth is the content of a file.
type keptBirth struct {
	Source string
	mqtt.Birth
}

// birthsOf is nil without a disk.
func birthsOf(fs disk.FS, source string, log *slog.Logger) mqtt.Births {
	if fs == nil {
		return nil
	}
	return &births{fs: fs, source: source, most: maxBirths, log: log, had: map[string]bool{}}
}

// Kept reads them; what is damaged is left out.
func (b *births) Kept() (out []mqtt.Birth) {
	names, err := b.fs.List()
	if err != nil {
		b.log.Warn("births cannot be read", "source", b.source, "err", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		var k keptBirth
		text, err := b.fs.ReadFile(name)
		if !strings.HasPrefix(name, birthPrefix) || err != nil || json.Unmarshal(text, &k) != nil || k.Source != b.source {
			continue
		}
		b.had[name] = true
		out = append(out, k.Birth)
	}
	return out
}

// Keep puts one in the place of the one before.
func (b *births) Keep(x mqtt.Birth) {
	h := fnv.New64a()
	io.WriteString(h, b.source+"\n"+x.Topic)
	name := fmt.Sprintf("%s%016x", birthPrefix, h.Sum64())
	b.mu.Lock()
	full := !b.had[name] && len(b.had) >= b.most
	b.had[name] = b.had[name] || !full
	b.mu.Unlock()
	if full {
		return
	}
	if err := replaceFile(b.fs, name, keptBirth{b.source, x}); err != nil {
		b.log.Warn("a birth cannot be kept", "source", b.source, "topic", x.Topic, "err", err)
	}
}
