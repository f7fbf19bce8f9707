package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// desires takes desired values from the broker to the devices and says what
// became of them:
//
//	PREFIX/GATEWAY/desired/TAG   {"version":7,"value":61.5}             retained, by whoever wants it
//	PREFIX/GATEWAY/reported/TAG  {"version":7,"value":61.5,"done":true} retained, by the gateway
//
// Of a tag's versions only the newest counts; one that is not newer than the
// last is not written again, whatever comes after an outage or a restart: the
// last one of each tag is on disk before it is told. What could not be written
// because the device cannot be reached waits for it.
type desires struct {
	g     *gateway
	fs    disk.FS
	kick  chan struct{}
	doors map[string]chan pipeline.Write // by source

	mu      sync.Mutex
	pending map[signal.ID]payload.Desired  // not yet decided
	told    map[signal.ID]payload.Reported // as on disk
}

const (
	desiredFile = "desired"
	// retryWrite is between attempts at a device that cannot be reached.
	retryWrite = 1013*time.Millisecond + 717_313
	// writeTimeout is for an answer of the source.
	writeTimeout = 30*time.Second + 313_717
)

func newDesires(g *gateway, fs disk.FS) (*desires, error) {
	d := &desires{g: g, fs: fs, kick: make(chan struct{}, 1), doors: map[string]chan pipeline.Write{}, pending: map[signal.ID]payload.Desired{}, told: map[signal.ID]payload.Reported{}}
	if fs == nil {
		return d, nil
	}
	text, err := fs.ReadFile(desiredFile)
	switch {
	case errors.Is(err, fsNotExist):
		return d, nil
	case err != nil:
		return nil, fmt.Errorf("desired values: %w", err)
	}
	if err := json.Unmarshal(text, &d.told); err != nil {
		g.log.Error("desired values: what was written before is damaged and forgotten", "err", err)
	}
	return d, nil
}

var fsNotExist = fs.ErrNotExist

// door is where a source takes writes.
func (d *desires) door(source string) <-chan pipeline.Write {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.doors[source] == nil {
		d.doors[source] = make(chan pipeline.Write)
	}
	return d.doors[source]
}

// topics are what to subscribe to; nothing without a tag that may be written.
func (d *desires) topics(cfg Config) []string {
	if !slices.ContainsFunc(cfg.Tags, func(t Tag) bool { return t.Writable || t.Safety }) {
		return nil
	}
	return []string{payload.DesiredTopic(cfg.MQTT.Prefix, cfg.Name, "#")}
}

// heard takes a message in.
func (d *desires) heard(topic string, text []byte) {
	cfg := d.g.config()
	id, ok := strings.CutPrefix(topic, payload.DesiredTopic(cfg.MQTT.Prefix, cfg.Name, ""))
	if !ok || len(text) == 0 { // empty: somebody has taken it back
		return
	}
	var want payload.Desired
	if err := json.Unmarshal(text, &want); err != nil || want.Version == 0 || want.Value-want.Value != 0 {
		d.g.log.Warn("desired value not understood", "topic", topic, "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if want.Version > d.told[signal.ID(id)].Version && want.Version > d.pending[signal.ID(id)].Version {
		d.pending[signal.ID(id)] = want
	}
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// run decides what is pending until ctx ends.
func (d *desires) run(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(d.told)) {
		d.say(d.g.publisher.Load(), id)
	}
	retry := time.NewTimer(retryWrite)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.kick:
		case <-retry.C:
		}
		if waits := d.round(ctx); waits {
			retry.Reset(retryWrite)
		}
	}
}

// round tries everything that is pending; waits tells that some devices cannot
// be reached.
func (d *desires) round(ctx context.Context) (waits bool) {
	d.mu.Lock()
	todo := maps.Clone(d.pending)
	d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(todo)) {
		want := todo[id]
		err := d.write(ctx, id, want)
		if errors.Is(err, pipeline.ErrAway) || ctx.Err() != nil {
			waits = true
			continue
		}
		r := payload.Reported{Version: want.Version, Value: want.Value, Done: err == nil}
		if err != nil {
			r.Why = err.Error()
		}
		if err := d.keep(id, r); err != nil {
			d.g.log.Error("desired values cannot be noted", "err", err)
			waits = true
			continue
		}
		d.g.log.Info("desired value", "tag", id, "version", want.Version, "value", want.Value, "done", r.Done, "why", r.Why)
		d.say(d.g.publisher.Load(), id)
	}
	return waits
}

// write refuses what the config does not open, and hands the rest to the
// source.
func (d *desires) write(ctx context.Context, id signal.ID, want payload.Desired) error {
	cfg := d.g.config()
	i := slices.IndexFunc(cfg.Tags, func(t Tag) bool { return t.ID == id })
	switch {
	case i < 0 || !cfg.Tags[i].Writable && !cfg.Tags[i].Safety:
		return errors.New("the tag is read-only")
	case cfg.Tags[i].Safety:
		return errors.New("the tag is marked as safety and is never written from here")
	}
	t := cfg.Tags[i]
	if t.Min != nil && want.Value < *t.Min || t.Max != nil && want.Value > *t.Max {
		return fmt.Errorf("%v is outside of what the config allows", want.Value)
	}
	source := cfg.sourceOf(id)
	d.mu.Lock()
	door := d.doors[source]
	d.mu.Unlock()
	if door == nil {
		return errors.New("its source takes no writes")
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	answer := make(chan error, 1)
	brief := time.NewTimer(retryWrite / 2) // a source that is connected takes it at once
	defer brief.Stop()
	select {
	case door <- pipeline.Write{ID: id, Value: (want.Value - t.Offset) / t.Factor, Answer: func(err error) { answer <- err }}:
	case <-brief.C:
		return pipeline.ErrAway
	case <-ctx.Done():
		return pipeline.ErrAway
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return pipeline.ErrAway
	}
}

// keep puts what became of a version on disk.
func (d *desires) keep(id signal.ID, r payload.Reported) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := maps.Clone(d.told)
	next[id] = r
	if d.fs != nil {
		if err := replaceFile(d.fs, desiredFile, next); err != nil {
			return err
		}
	}
	d.told = next
	if d.pending[id].Version <= r.Version {
		delete(d.pending, id)
	}
	return nil
}

// replaceFile writes v as JSON so that after a power cut the old content is
// there, or the new.
func replaceFile(fs disk.FS, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := fs.Create(name + ".next")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(fs.Rename(name+".next", name), fs.SyncDir())
}

// say reports what became of a tag's last version.
func (d *desires) say(p *mqtt.Publisher, id signal.ID) {
	d.mu.Lock()
	text, _ := json.Marshal(d.told[id]) // numbers, a boolean and a string always marshal
	d.mu.Unlock()
	cfg := d.g.config()
	p.Say(payload.ReportedTopic(cfg.MQTT.Prefix, cfg.Name, string(id)), text)
}

// sayAll tells a new publisher.
func (d *desires) sayAll(p *mqtt.Publisher) {
	d.mu.Lock()
	ids := slices.Sorted(maps.Keys(d.told))
	d.mu.Unlock()
	for _, id := range ids {
		d.say(p, id)
	}
}
