package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// depthEvery is how often a gateway that is a process of its own is asked how
// full its buffer is. In the virtual gear it says so by itself.
const depthEvery = 500 * time.Millisecond

// depthWatch asks a gateway's metrics for the depth of its buffer. The gateway
// chooses its own port, and its log says which: whoever picks one beforehand may
// lose it to somebody else.
type depthWatch struct {
	every  time.Duration
	log    string
	read   int64 // of the log
	client http.Client
	url    string
	last   float64
}

func newDepthWatch(log string) *depthWatch {
	return &depthWatch{every: depthEvery, log: log, client: http.Client{Timeout: time.Second}, last: -1}
}

// run tells each change until ctx ends.
func (w *depthWatch) run(ctx context.Context, tell func(depth float64)) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	defer w.client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if d, ok := w.ask(ctx); ok && d != w.last {
				w.last = d
				tell(d)
			}
		}
	}
}

// ask returns false while there is nobody to answer: it is not up yet, or dead.
func (w *depthWatch) ask(ctx context.Context) (float64, bool) {
	w.follow()
	if w.url == "" {
		return 0, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return 0, false
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	return depthIn(io.LimitReader(res.Body, 1<<20))
}

// follow reads on in the log, for the address that was opened last.
func (w *depthWatch) follow() {
	f, err := os.Open(w.log)
	if err != nil {
		return
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, w.read, 1<<20))
	if err != nil {
		return
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	w.read += int64(whole)
	for line := range bytes.Lines(b[:whole]) {
		if a := addressIn(line); a != "" {
			w.url = "http://" + a + "/metrics"
		}
	}
}

// addressIn is the address in a line of the gateway's log that tells it.
func addressIn(line []byte) string {
	if !bytes.Contains(line, []byte("admin: listening")) {
		return ""
	}
	var said struct{ Msg, Address string }
	if json.Unmarshal(line, &said) != nil || said.Msg != "admin: listening" {
		return ""
	}
	return said.Address
}

// depthIn finds the depth in Prometheus text.
func depthIn(r io.Reader) (depth float64, ok bool) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "plantbed_gateway_buffer_depth_samples "); found {
			_, err := fmt.Sscan(rest, &depth)
			return depth, err == nil
		}
	}
	return 0, false
}
