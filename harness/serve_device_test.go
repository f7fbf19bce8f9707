package harness

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	opc "github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc/opcua"
)

// deviceScenario has a PLC with everything that a table can give it. A path in
// it is one beside the scenario.
const deviceScenario = `
extends = %q

[[plc]]
name = "plc-pump"
scan = "100ms"
security = "required"
trusted = "trusted"
user_certificates = "users"
named_only = true
nodeset = ["skid.xml"]
bind = { "nsu=urn:example:skid;s=Flow" = "pump/pump/flow", "nsu=urn:example:skid;s=Zero" = "pump.Reset" }

[[plc.alarm]]
tag = "pump/tank/level"
high = 1000.0
confirm = true

[[plc.variable]]
name = "pump/recipe"
type = "double"
value = [1.5, 2.5]
writable = true

[[plc.variable]]
name = "pump/temperatures"
tags = ["pump/tank/temp", "pump/motor/winding-temp"]
`

const skidModel = `<UANodeSet><NamespaceUris><Uri>urn:example:skid</Uri></NamespaceUris>
<UAVariable NodeId="ns=1;s=Flow" BrowseName="1:Flow" DataType="Double"><References><Reference ReferenceType="Organizes" IsForward="false">i=85</Reference>
<Reference ReferenceType="HasTypeDefinition">i=63</Reference></References></UAVariable>
<UAMethod NodeId="ns=1;s=Zero" BrowseName="1:Zero"><References><Reference ReferenceType="HasComponent" IsForward="false">i=85</Reference></References></UAMethod></UANodeSet>`

// keyFor makes a certificate and its key, and puts the certificate into folders.
func keyFor(t *testing.T, uri string, folders ...string) ([]byte, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := opcua.NewCertificate(key, uri, 1, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range folders {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "one.der"), der, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return der, key
}

// What a scenario says of a PLC's security, models and variables is what a
// client finds, and a trusted user resets the counters of a machine.
func TestServeShowsWhatATableSays(t *testing.T) {
	dir := t.TempDir()
	quiet, err := filepath.Abs(filepath.Join("testdata", "quiet.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("skid.xml", skidModel)
	file := write("device.toml", fmt.Sprintf(deviceScenario, quiet))
	cert, key := keyFor(t, "urn:client", filepath.Join(dir, "trusted"))
	user, userKey := keyFor(t, "urn:anna", filepath.Join(dir, "users"))
	b := benchOf(t, loadLive(t, file), ServeOptions{})

	url := b.where.Endpoints[0].URL
	endpoints, err := opc.GetEndpoints(b.ctx, url)
	if err != nil || len(endpoints) != 6 {
		t.Fatalf("%d endpoints, %v", len(endpoints), err)
	}
	connect := func(cert []byte, key *rsa.PrivateKey) (*opc.Client, error) {
		c, err := opc.NewClient(url, opc.SecurityFromEndpoint(endpoints[5], ua.UserTokenTypeCertificate), opc.Certificate(cert), opc.PrivateKey(key),
			opc.AuthCertificate(user), opc.AuthPrivateKey(userKey), opc.AutoReconnect(false))
		if err != nil {
			t.Fatal(err)
		}
		return c, c.Connect(b.ctx)
	}
	stranger, strangerKey := keyFor(t, "urn:stranger")
	if _, err := connect(stranger, strangerKey); err == nil {
		t.Error("a stranger came in")
	}
	c, err := connect(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(b.ctx)
	read := func(id string) *ua.DataValue {
		t.Helper()
		node, err := ua.ParseNodeID(id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Read(b.ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: node}}, TimestampsToReturn: ua.TimestampsToReturnBoth})
		if err != nil {
			t.Fatal(err)
		}
		return r.Results[0]
	}
	b.until("a scan", func() bool { return read("ns=2;s=pump/temperatures").Status == ua.StatusOK })
	names := read("i=2255").Value.Value().([]string)
	if v := read(fmt.Sprintf("ns=%d;s=Flow", len(names)-1)); names[len(names)-1] != "urn:example:skid" || v.Value.Float() <= 0 {
		t.Errorf("the model's node reads %v, namespaces %q", v.Value, names)
	}
	if v := fmt.Sprint(read("ns=2;s=pump/recipe").Value.Value()); v != "[1.5 2.5]" {
		t.Errorf("the recipe is %s", v)
	}
	if v := read("ns=2;s=pump.Identification.Model"); v.Value.Value().(*ua.LocalizedText).Text != "pump-skid" {
		t.Errorf("the model of the pump is %v", v.Value.Value())
	}
	if v := read("ns=2;s=pump/tank/level.Alarm.ConfirmedState.Id"); v.Value.Value() != true {
		t.Errorf("the alarm is to be confirmed: %v", v.Value)
	}
	const total = "pump/count/total"
	b.until("a unit", func() bool { return *b.truth(total).Scanned.Value >= 1 })
	made := *b.truth(total).True
	for _, m := range []*ua.CallMethodRequest{
		{ObjectID: ua.NewNumericNodeID(0, 85), MethodID: ua.NewStringNodeID(uint16(len(names)-1), "Zero")},
		{ObjectID: ua.NewStringNodeID(2, "pump"), MethodID: ua.NewStringNodeID(2, "pump.Reset")},
	} {
		res, err := c.Call(b.ctx, m)
		if err != nil || res.StatusCode != ua.StatusOK {
			t.Fatal(err, res)
		}
		b.until("the counter to begin again", func() bool { v := b.truth(total); return *v.Scanned.Value <= *v.True-made })
		b.until("a further unit", func() bool { v := b.truth(total); made = *v.True; return *v.Scanned.Value >= 1 })
	}
	for _, name := range []string{"EquipmentStarved", "EquipmentBlocked"} {
		if v := read("ns=2;s=pump.Status." + name); v.Status != ua.StatusOK || v.Value.Type() != ua.TypeIDBoolean {
			t.Errorf("%s: %v", name, v.Status)
		}
	}
}

// A file that is not there, or is not what it should be, is said before
// anything is served.
func TestServeRefusesBrokenFiles(t *testing.T) {
	quiet, err := filepath.Abs(filepath.Join("testdata", "quiet.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for files, want := range map[string]string{
		"":                      "skid.xml",
		"skid.xml=<html/>":      "<html> is no UANodeSet",
		"skid.xml=" + skidModel: "trust list",
	} {
		dir := t.TempDir()
		if name, text, ok := strings.Cut(files, "="); ok {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "device.toml")
		if err := os.WriteFile(file, fmt.Appendf(nil, deviceScenario, quiet), 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := Serve(ctx, loadLive(t, file), ServeOptions{})
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plc-pump") {
			t.Errorf("%.20s: %v, want %s", files, err, want)
		}
	}
}
