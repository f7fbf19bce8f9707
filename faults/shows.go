package faults

// shows is what a client sees of each kind of fault: on its socket, in its
// protocol, or in its values.
var shows = map[string]string{
	"link.down":      "`rst`: its connection is reset, and every new one right after it is made; `fin`: the same with an orderly end; `blackhole`: nothing, no answer and no error, until its own time-out, and a reset when the link is back; `refuse`: its connection goes on, new ones are reset. With `way`, a black hole in one direction: requests arrive and answers do not, or the other way round",
	"link.half_open": "`end = \"server\"`: its connection stands and nothing ever comes; a new one works. `end = \"client\"`: a reset, while the server keeps the old session as if it were alive",
	"link.stall":     "silence, then all of it at once and in order; one way, the other direction goes on",
	"link.latency":   "everything later by the drawn delay, in order; a chunk never overtakes another",
	"link.loss":      "now and then a pause of one, three or seven retransmission time-outs, then all that waited",
	"link.bandwidth": "a slow stream; behind 256 KiB that wait, its own writes block",
	"link.slice":     "frames that come in pieces, each in a read of its own",
	"link.profile":   "all that the network does: latency, bursts, rate",
	"link.frame":     "`hold`: one answer late, perhaps behind its own time-out, on the same socket, and the next one right behind it; `drop`: a request without an answer; `repeat`: the same frame twice; `reorder`: two answers in the wrong order; `cut`: a reset in the place of a frame, so that the server has done what nobody confirmed",
	"link.cut":       "a reset in the middle of a message, on each connection anew",
	"link.corrupt":   "a frame that cannot be read, or a value that is wrong where the protocol has no check (Modbus TCP, and OPC UA or MQTT without security)",

	"sensor.bias":        "values that are off by a constant, with a good quality",
	"sensor.drift":       "values that run away slowly, with a good quality",
	"sensor.gain":        "values in a wrong proportion, with a good quality",
	"sensor.temperature": "a good value that wanders with the weather",
	"sensor.stuck":       "the same value again and again, with new timestamps and a good quality",
	"sensor.noise":       "values that scatter more",
	"sensor.spike":       "single values far off",
	"sensor.dropout":     "the last value with a bad quality",

	"asset.bearing_wear": "vibration and temperature that rise to a failure; then the machine stands until its crew has repaired it",

	"plc.stop":            "answers with values and timestamps that stand",
	"plc.freeze":          "values that stand with timestamps and counters that go on",
	"plc.bad_quality":     "every value with that status; over Modbus, an exception",
	"plc.clock":           "source timestamps that are off; over Modbus, nothing",
	"plc.restart":         "a reset, nothing for a while, then a device that knows no session and whose counters begin at 0",
	"plc.slow":            "answers that come late, perhaps after its own time-out",
	"plc.exception":       "an exception (Modbus), a service fault or an item's bad status (OPC UA)",
	"plc.sessions_full":   "BadTooManySessions, or a connection that is closed (Modbus)",
	"plc.node_gone":       "BadNodeIdUnknown, or an illegal data address (Modbus)",
	"plc.namespace_moved": "sessions that end, and node ids whose namespace index means another one",
	"plc.no_republish":    "BadMessageNotAvailable to every Republish",
	"plc.cert_rotated":    "another certificate when it connects again",
	"plc.cert_expired":    "a certificate that has expired when it connects again",
	"plc.counter_wrap":    "a scan counter that goes from 4294967295 to 0",

	"gateway.kill":           "devices and broker see resets; a restart begins with what the disk kept",
	"gateway.restart":        "devices and broker see orderly ends, and new sessions",
	"gateway.pause":          "everybody sees silence, then a burst; keep-alives run out",
	"gateway.clock":          "certificates, timestamps and time-outs of the gateway go by the wrong time; its timers do not",
	"gateway.disk_full":      "the gateway's writes fail with ENOSPC",
	"gateway.disk_slow":      "the gateway's syncs take that long",
	"gateway.disk_read_only": "the gateway's writes, syncs, renames and removals fail with EROFS",
	"gateway.config_push":    "nothing: sources keep their sessions, and what is stored stays",
	"gateway.bit_flip":       "what the gateway reads back is not what it wrote",

	"broker.stop":                "a reset, and connections that are reset at once until it is back; with `state = \"lost\"` no session and no subscription then",
	"broker.restart":             "a reset, then a broker that knows the session, or does not",
	"broker.quota":               "PUBACK with reason 0x97 to every PUBLISH, which the broker passes on to nobody",
	"broker.credential_revoked":  "DISCONNECT with 0x87, then CONNACK with 0x86",
	"broker.duplicate_client_id": "DISCONNECT with 0x8E, a second after every return",
}
