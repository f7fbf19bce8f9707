package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/signal"
)

// Notes of desired values in the record: who wanted what and when, what the
// gateway answered, what reached the device.
const (
	noteDesired  = "desired"
	noteReported = "reported"
	noteWritten  = "written"
)

// desireDelay keeps a desired value off the instants of scans.
const desireDelay = 713_317 * time.Nanosecond

// startDesires brings up the client that says at the broker what the scenario
// wants, each value at its time.
func (r *run) startDesires(ctx context.Context) error {
	if len(r.sc.Desired) == 0 {
		return nil
	}
	u, err := url.Parse(r.brokerURL())
	if err != nil {
		return err
	}
	cm, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{ServerUrls: []*url.URL{u}, KeepAlive: 20, SessionExpiryInterval: 3600,
		ClientConfig: paho.ClientConfig{ClientID: "twin-desires"}})
	if err != nil {
		return fmt.Errorf("desired values: %w", err)
	}
	up, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := cm.AwaitConnection(up); err != nil {
		return fmt.Errorf("desired values: no connection to the broker: %w", err)
	}
	for i, d := range r.sc.Desired {
		text, err := json.Marshal(payload.Desired{Version: uint64(i) + 1, Value: d.Value})
		if err != nil {
			return err
		}
		r.world.kernel.AtVisible(d.At.D()+desireDelay, func() {
			r.tap.note(noteDesired, d.Value, d.Tag)
			go func() {
				_, err := cm.Publish(ctx, &paho.Publish{QoS: 1, Retain: true, Topic: payload.DesiredTopic(topicPrefix, gatewayName, d.Tag), Payload: text})
				if err != nil && ctx.Err() == nil {
					r.fail(fmt.Errorf("desired[%d]: %w", i, err))
				}
			}()
		})
	}
	return nil
}

// reported notes an answer of the gateway, if a message is one.
func (t *taps) reported(topic string, body []byte) {
	tag, ok := strings.CutPrefix(topic, payload.ReportedTopic(topicPrefix, gatewayName, ""))
	if !ok {
		return
	}
	var a payload.Reported
	if err := json.Unmarshal(body, &a); err != nil {
		t.r.log.Error("the broker tap cannot read an answer", "topic", topic, "err", err)
		return
	}
	if a.Done {
		t.note(noteReported, a.Value, tag)
	} else {
		t.note("refused", a.Value, tag+": "+a.Why)
	}
}

// writableTags are opened to desired values in the gateway's config.
func (r *run) writableTags() (out []gateway.Tag) {
	least, most := plant.LeastLoad, plant.MostLoad
	for _, p := range r.world.plcs {
		for _, id := range p.Setpoints() {
			out = append(out, gateway.Tag{ID: signal.ID(id), Writable: true, Min: &least, Max: &most})
		}
	}
	return out
}
