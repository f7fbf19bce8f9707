package harness

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/faults"
	gwmqtt "github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/twin/predict"
)

// Version of the program, set at build time for a release.
var Version = "dev"

// Plan resolves what a run would be without starting anything: tags, terms,
// faults with their instants, expectations.
func Plan(sc *scenarios.Scenario) (record.Meta, error) {
	w, err := newWorld(sc, sc.Seed, time.Time{})
	if err != nil {
		return record.Meta{}, err
	}
	return newMeta(sc, w)
}

func newMeta(sc *scenarios.Scenario, w *world) (record.Meta, error) {
	windows, ps := faults.Resolve(sc.Faults, sc.Duration.D(), sc.Seed)
	if len(ps) > 0 {
		return record.Meta{}, ps.Err()
	}
	c := sc.Gateway.Contract
	m := record.Meta{
		Schema: record.Schema, Version: Version, Scenario: sc.Name, Summary: sc.Summary, Seed: sc.Seed, Gear: sc.Gear, Duration: sc.Duration.D(),
		Contract: record.Contract{Deadline: c.Deadline.D(), Recover: c.Recover.D(), DurableWithin: c.DurableWithin.D(),
			Boot: bootOf(sc), Deliver: record.Promise{Kind: c.Deliver.Kind, Deadband: c.Deliver.Deadband}},
		Tasks: w.tasks, Tags: w.tags, Machines: w.machines,
		Detectors: []string{predict.DetectorPCA, predict.DetectorShewhart}, Bottleneck: bottleneck(sc),
	}
	if sc.Gateway.MQTT.Format == gwmqtt.FormatSparkplug {
		m.Contract.Tick = sparkplugTick
	}
	for _, p := range sc.PLCs {
		m.PLCs = append(m.PLCs, termsOf(p.Name, p.Protocol, c))
	}
	for _, l := range sc.Lines {
		m.Lines = append(m.Lines, record.Line{Name: l.Name, Stations: l.Stations, Buffers: l.Buffers, Parallel: parallels(sc, l),
			Into: l.Into, IntoBuffer: l.IntoBuffer, From: l.From, FromBuffer: l.FromBuffer})
	}
	protocol := map[string]string{}
	for _, p := range sc.PLCs {
		protocol[p.Name] = p.Protocol
	}
	window := func(f faults.Window) record.Window {
		return record.Window{Kind: f.Kind, Target: f.Target, Class: f.Class, From: f.From, To: f.To, Note: f.Note,
			Effect: record.Effect(sc.Faults[f.Index].Effect(protocol[f.Target]))}
	}
	for _, f := range windows {
		m.Plan = append(m.Plan, window(f))
	}
	for _, f := range faults.Waiting(sc.Faults, sc.Duration.D()) {
		m.Waiting = append(m.Waiting, window(f))
	}
	for _, e := range sc.Expect {
		m.Expect = append(m.Expect, record.Expect{Metric: e.Metric, Min: e.Min, Max: e.Max, MinN: e.MinN})
	}
	return m, nil
}

// parallels are the machines that do the same work as a station of the line.
func parallels(sc *scenarios.Scenario, l plant.LineConfig) map[string][]string {
	var out map[string][]string
	for _, m := range sc.Machines {
		if m.ParallelTo == "" || !slices.Contains(l.Stations, m.ParallelTo) {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[m.ParallelTo] = append(out[m.ParallelTo], m.Name)
	}
	return out
}

// bootOf is what a gateway that is not the built-in one is given to start in.
func bootOf(sc *scenarios.Scenario) time.Duration {
	if !sc.Foreign() {
		return 0
	}
	return sc.SUT.Ready.Within.D()
}

func termsOf(name, protocol string, c scenarios.Contract) record.PLC {
	p := record.PLC{Name: name, Protocol: protocol}
	if protocol == "modbus" {
		p.Poll, p.FastPoll = c.Modbus.Poll.D(), c.Modbus.FastPoll.D()
		return p
	}
	p.Sampling, p.Publishing, p.Queue, p.Lifetime, p.Trigger =
		c.OPCUA.Sampling.D(), c.OPCUA.Publishing.D(), c.OPCUA.Queue, c.OPCUA.Lifetime.D(), c.OPCUA.Trigger
	return p
}

// bottleneck is the machine whose OEE stands for the line's: the first
// station of the first line that works unit by unit.
func bottleneck(sc *scenarios.Scenario) string {
	for _, l := range sc.Lines {
		for _, s := range l.Stations {
			for _, m := range sc.Machines {
				if m.Name == s && m.Kind != "pump-skid" {
					return s
				}
			}
		}
	}
	return ""
}
