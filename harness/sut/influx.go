package sut

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// influx reads InfluxDB's line protocol:
//
//	measurement,tag=a,tag=b field=1.5,other=3i,on=true,text="x" 1700000000000000000
//
// It gives an item for each field, {measurement, tags, fields, field, value,
// time}, with time nil where the line ends without one. Timestamps are
// nanoseconds, the protocol's default; for other units use text and tools.
func influx(body []byte) ([]any, error) {
	items := []any{}
	for n, line := range strings.Split(string(body), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		more, err := influxLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		items = append(items, more...)
	}
	return items, nil
}

func influxLine(line string) ([]any, error) {
	head, rest := cutPlain(line, ' ')
	body, stamp := cutPlain(strings.TrimLeft(rest, " "), ' ')
	name, tagText := cutPlain(head, ',')
	if name == "" || body == "" {
		return nil, fmt.Errorf("%q is not a measurement and its fields", line)
	}
	tags, fields := map[string]any{}, map[string]any{}
	for tagText != "" {
		var pair string
		pair, tagText = cutPlain(tagText, ',')
		key, value := cutPlain(pair, '=')
		if key == "" || value == "" {
			return nil, fmt.Errorf("%q is not a tag", pair)
		}
		tags[unescape(key)] = unescape(value)
	}
	var order []string
	for body != "" {
		var pair string
		pair, body = cutPlain(body, ',')
		key, text := cutPlain(pair, '=')
		value, err := influxValue(text)
		if key == "" || err != nil {
			return nil, fmt.Errorf("%q is not a field", pair)
		}
		key = unescape(key)
		order = append(order, key)
		fields[key] = value
	}
	var at any
	if stamp = strings.TrimSpace(stamp); stamp != "" {
		ns, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a timestamp in nanoseconds", stamp)
		}
		at = time.Unix(0, ns)
	}
	items := make([]any, len(order))
	for i, key := range order {
		items[i] = map[string]any{"measurement": unescape(name), "tags": tags, "fields": fields, "field": key, "value": fields[key], "time": at}
	}
	return items, nil
}

func influxValue(text string) (any, error) {
	n := len(text)
	switch {
	case n == 0:
		return nil, fmt.Errorf("no value")
	case text[0] == '"':
		if n < 2 || text[n-1] != '"' {
			return nil, fmt.Errorf("an open string")
		}
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : n-1]), nil
	case text[n-1] == 'i' || text[n-1] == 'u':
		v, err := strconv.ParseInt(text[:n-1], 10, 64)
		if err != nil {
			u, err := strconv.ParseUint(text[:n-1], 10, 64)
			return float64(u), err
		}
		return int(v), nil
	}
	switch text {
	case "t", "T", "true", "True", "TRUE":
		return true, nil
	case "f", "F", "false", "False", "FALSE":
		return false, nil
	}
	return strconv.ParseFloat(text, 64)
}

// cutPlain cuts at the first sep that is neither escaped nor in quotes.
func cutPlain(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\,`, ",", `\=`, "=", `\ `, " ", `\\`, `\`).Replace(s)
}
