// Package payload is the wire format that gateway and twin share: a batch of
// samples, or the status of a source, as JSON that a person can read with any
// MQTT client. A batch may also be CBOR or Protocol Buffers, and compressed;
// Decode tells by the first byte.
//
//	{"gw":"edge-1","stream":"9f2c","first":4711,"samples":[
//	  {"id":"pump/motor/current","seq":17,"time":"2009-11-10T23:00:17.1Z","value":12.4,"quality":0}]}
//
//	c, err := payload.NewCodec(payload.Protobuf, payload.Zstd)
//	text = c.Append(nil, batch)
//	batch, err = payload.Decode(text)
package payload

import "github.com/plantbed/plantbed/sim/signal"

// Batch is one MQTT message of samples, in the order in which they were stored.
type Batch struct {
	Gateway string
	// Stream names the store that numbered the samples; sample i carries the
	// dedup key (Stream, First+i). An empty Stream means no dedup keys.
	Stream string
	First  uint64
	// Backfill says that the gateway sends these late because it could not
	// send them live.
	Backfill bool
	Samples  []signal.Sample
}

// Status says whether a gateway reaches one of its sources.
type Status struct {
	Gateway string `json:"gw"`
	// Source is the configured name of the source; empty means the gateway
	// itself (its MQTT will says Up false).
	Source string `json:"source"`
	Up     bool   `json:"up"`
	Why    string `json:"why,omitempty"`
}

// Desired is a value that somebody wants a tag to have, and Reported what became
// of it. Of a tag's versions only the newest counts.
type Desired struct {
	Version uint64  `json:"version"`
	Value   float64 `json:"value"`
}

// Reported says that a version was written, or why it will not be.
type Reported struct {
	Version uint64  `json:"version"`
	Value   float64 `json:"value"`
	Done    bool    `json:"done"`
	Why     string  `json:"why,omitempty"`
}

// DesiredTopic and ReportedTopic are retained; the tag's id may have slashes.
func DesiredTopic(prefix, gateway, id string) string {
	return prefix + "/" + gateway + "/desired/" + id
}

// ReportedTopic is the answer's.
func ReportedTopic(prefix, gateway, id string) string {
	return prefix + "/" + gateway + "/reported/" + id
}

// Topics, below a prefix that is configured (default "plantbed").
// Data: <prefix>/<gateway>/data; status: <prefix>/<gateway>/status[/<source>], retained.
func DataTopic(prefix, gateway string) string { return prefix + "/" + gateway + "/data" }

// StatusTopic is retained; source is empty for the gateway itself.
func StatusTopic(prefix, gateway, source string) string {
	t := prefix + "/" + gateway + "/status"
	if source != "" {
		t += "/" + source
	}
	return t
}
