package scenarios

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plant"
)

// Validate reports every problem at once: what is missing, out of range or
// names something that is not there. known are the names of metrics that an
// expectation may bound. It does no I/O. After a Load with problems it adds
// only what those do not explain.
func (s *Scenario) Validate(known []string) strict.Problems {
	if s.lost {
		return nil
	}
	var ps strict.Problems
	s.validateHead(&ps)
	s.validatePlant(&ps)
	s.validatePLCs(&ps)
	s.validateUpkeep(&ps)
	s.validateFaults(&ps)
	ps = append(ps, s.Gateway.validate().Under("gateway")...)
	s.validateSUT(&ps)
	s.validateDesired(&ps)
	s.validateRest(&ps)
	s.validateExpect(&ps, known)
	if s.Dataset != nil {
		ps = append(ps, s.Dataset.validate(s.Duration, s.targets().Knobs).Under("dataset")...)
	}
	return s.src.Locate(slices.DeleteFunc(ps, s.explained))
}

// explained tells that a problem follows from one that Load has reported: a
// value that could not be read is zero, and may well be out of range.
func (s *Scenario) explained(p strict.Problem) bool {
	return slices.ContainsFunc(s.told, func(t strict.Problem) bool {
		return within(p.Path, t.Path) || within(t.Path, p.Path)
	})
}

// within tells that path is outer or something inside it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// nameForm keeps names fit for folders, topics, node ids and fault targets.
var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// reserved are the names of parts that every plant has.
var reserved = []string{"gateway", "broker", "twin"}

func checkName(ps *strict.Problems, path, name, what string) {
	switch {
	case name == "":
		ps.Addf(path, "%s needs a name", what)
	case !nameForm.MatchString(name) || len(name) > 64:
		ps.Addf(path, "%q is no name; write up to 64 small letters, digits and single dashes", name)
	case slices.Contains(reserved, name):
		ps.Addf(path, "%q is the name of a part that every plant has", name)
	}
}

func checkOneOf(ps *strict.Problems, path, got string, valid []string) {
	if !slices.Contains(valid, got) {
		ps.AddName(path, fmt.Sprintf("%q is none of %s", got, strings.Join(valid, ", ")), got, valid)
	}
}

func (s *Scenario) validateHead(ps *strict.Problems) {
	checkName(ps, "name", s.Name, "a scenario")
	if s.Seed > math.MaxInt64 {
		ps.Addf("seed", "%d is more than TOML can hold", s.Seed)
	}
	if s.Duration <= 0 {
		ps.Add("duration", "a run needs a duration, such as \"2h\"")
	}
	checkOneOf(ps, "gear", s.Gear, gears)
}

// validatePlant leaves machines and lines to those who build them, and adds
// what only a whole scenario can get wrong.
func (s *Scenario) validatePlant(ps *strict.Problems) {
	if len(s.Machines) == 0 {
		ps.Add("machine", "a plant needs at least one [[machine]]")
	}
	*ps = append(*ps, plant.Config{Machines: s.Machines, Lines: s.Lines}.Validate()...)
	for i, m := range s.Machines {
		if slices.Contains(reserved, m.Name) {
			ps.Addf(fmt.Sprintf("machine[%d].name", i), "%q is the name of a part that every plant has", m.Name)
		}
	}
}

// checkTwice complains of a name that an earlier element of the array has.
func checkTwice(ps *strict.Problems, path, name, array string, i int, first map[string]int) {
	if j, taken := first[name]; taken && name != "" {
		ps.Addf(path, "%q is the name of %s[%d] already", name, array, j)
		return
	}
	first[name] = i
}

func (s *Scenario) machineNames() []string {
	names := make([]string, len(s.Machines))
	for i, m := range s.Machines {
		names[i] = m.Name
	}
	return names
}

func (s *Scenario) plcNames() []string {
	names := make([]string, len(s.PLCs))
	for i, p := range s.PLCs {
		names[i] = p.Name
	}
	return names
}

func (s *Scenario) validatePLCs(ps *strict.Problems) {
	machines, first, reader, ports := s.machineNames(), map[string]int{}, map[string]string{}, map[string]string{}
	for i, p := range s.PLCs {
		at := fmt.Sprintf("plc[%d]", i)
		*ps = append(*ps, p.Validate().Under(at)...)
		if p.Name != "" {
			checkName(ps, at+".name", p.Name, "a PLC")
		}
		checkTwice(ps, at+".name", p.Name, "plc", i, first)
		if slices.Contains(machines, p.Name) {
			ps.Addf(at+".name", "%q is the name of a machine; a fault's target could mean either", p.Name)
		}
		if len(p.Machines) == 0 {
			ps.Add(at+".machines", "a PLC needs machines to read")
		}
		for j, m := range p.Machines {
			at := fmt.Sprintf("%s.machines[%d]", at, j)
			if !slices.Contains(machines, m) {
				ps.AddName(at, fmt.Sprintf("there is no machine %q", m), m, machines)
			} else if other, taken := reader[m]; taken {
				ps.Addf(at, "machine %q is read by %s already", m, other)
			}
			reader[m] = p.Name
		}
		tags := s.tagsOf(p.Machines)
		for _, tag := range slices.Sorted(maps.Keys(p.TagOrders)) {
			if !slices.Contains(tags, tag) {
				ps.AddName(at+".tag_orders", fmt.Sprintf("no machine of %s has a tag %q", p.Name, tag), tag, tags)
			}
		}
		if other, taken := ports[p.Listen]; taken && p.Listen != "" {
			ps.Addf(at+".listen", "%s is where %s listens already", p.Listen, other)
		}
		ports[p.Listen] = p.Name
		for j, tag := range p.FastTags {
			if !slices.Contains(tags, tag) {
				ps.AddName(fmt.Sprintf("%s.fast_tags[%d]", at, j), fmt.Sprintf("no machine of %s has a tag %q", p.Name, tag), tag, tags)
			}
		}
		validateShown(ps, at, &p, tags)
	}
}

// tagsOf lists the tags of machines: "pump/motor/current".
func (s *Scenario) tagsOf(machines []string) []string {
	var tags []string
	for _, m := range s.Machines {
		if slices.Contains(machines, m.Name) {
			for _, sig := range kindOf(m).Signals {
				tags = append(tags, m.Name+"/"+sig.Name)
			}
		}
	}
	return tags
}

// kindOf is empty for a kind that does not exist.
func kindOf(m plant.MachineConfig) plant.Kind {
	for _, kind := range plant.Kinds() {
		if kind.Name == m.Kind {
			return kind
		}
	}
	return plant.Kind{}
}

// validateFaults leaves each fault, and how they go together, to package
// faults. Both of its judges see the same slip; it is told once.
func (s *Scenario) validateFaults(ps *strict.Problems) {
	targets := s.targets()
	for i, f := range s.Faults {
		*ps = append(*ps, f.Validate(targets).Under(fmt.Sprintf("fault[%d]", i))...)
	}
	if s.Duration <= 0 {
		return
	}
	_, together := faults.Resolve(s.Faults, s.Duration.D(), s.Seed)
	for _, p := range together {
		if !slices.Contains(*ps, p) {
			*ps = append(*ps, p)
		}
	}
}

// targets are the names of everything that a fault can hit.
func (s *Scenario) targets() faults.Names {
	n := faults.Names{Links: append([]string{"broker"}, s.plcNames()...), Switches: s.plcNames(), Hosts: []string{"gateway"},
		OPCUA: []string{}, Secured: []string{}, Brokers: []string{}, Machines: s.machineNames(), States: plant.StateNames(),
		Framed: map[string]string{}, Tags: map[string][]string{}, Gear: s.Gear}
	if s.Broker.URL == "" {
		n.Brokers = append(n.Brokers, "broker")
	}
	if !strings.HasPrefix(s.Broker.URL, "mqtts:") && !strings.HasPrefix(s.Broker.URL, "ssl:") {
		n.Framed["broker"] = "mqtt"
	}
	for _, p := range s.PLCs {
		if p.Protocol == "modbus" {
			n.Framed[p.Name] = "modbus"
		}
		if p.Protocol == "opcua" {
			n.OPCUA = append(n.OPCUA, p.Name)
			if p.Security != "" {
				n.Secured = append(n.Secured, p.Name)
			}
		}
		n.Tags[p.Name] = s.tagsOf(p.Machines)
		n.Channels = append(n.Channels, n.Tags[p.Name]...)
	}
	for _, m := range s.Machines {
		for _, c := range kindOf(m).Components {
			n.Knobs = append(n.Knobs, m.Name+"/"+c.Name)
		}
	}
	return n
}

func (s *Scenario) validateRest(ps *strict.Problems) {
	if s.Detector.CalibrationSeed == s.Seed {
		ps.Addf("detector.calibration_seed", "%d is the seed of the scored run; limits must come from another", s.Seed)
	}
	atLeast(ps, "detector.calibration_duration", s.Detector.CalibrationDuration, seconds(60))
	atLeast(ps, "twin.stale_after", s.Twin.StaleAfter, 0)
	if s.Disk.Sync < 0 {
		ps.Addf("disk.sync", "%v is negative", s.Disk.Sync)
	}
	if err := checkBroker(s.Broker.URL); err != nil {
		ps.Add("broker.url", err.Error())
	}
}

func checkBroker(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Port() == "" || !slices.Contains([]string{"mqtt", "tcp", "mqtts", "ssl"}, u.Scheme) {
		return fmt.Errorf("%q is not the URL of a broker, such as mqtt://host:1883", text)
	}
	return nil
}

func (s *Scenario) validateExpect(ps *strict.Problems, known []string) {
	for i, e := range s.Expect {
		at := fmt.Sprintf("expect[%d]", i)
		switch {
		case e.Metric == "":
			ps.Add(at+".metric", "an expectation needs a metric")
		case !slices.Contains(known, e.Metric):
			ps.AddName(at+".metric", fmt.Sprintf("there is no metric %q", e.Metric), e.Metric, known)
		}
		switch {
		case e.Min == nil && e.Max == nil:
			ps.Add(at, "an expectation needs a min, a max or both")
		case e.Min != nil && e.Max != nil && *e.Min > *e.Max:
			ps.Addf(at+".min", "%v is more than max, which is %v", *e.Min, *e.Max)
		}
		if e.MinN < 0 {
			ps.Addf(at+".min_n", "%d is negative", e.MinN)
		}
	}
}
