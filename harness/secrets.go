package harness

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	gwopcua "github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/sim/plc/opcua"
)

// secretsDir holds the gateway's key and certificates in the run directory.
const secretsDir = "secrets"

// secretsFor has the gateway and a PLC that requires security know each other:
// the PLC's certificates are signed by an authority of its own, and the gateway
// gets that one's and a certificate of its own, as good for as long, as files.
func (r *run) secretsFor(plc string, sec *opcua.Security, life time.Duration) (gwopcua.Security, error) {
	var none gwopcua.Security
	fail := func(err error) (gwopcua.Security, error) { return none, fmt.Errorf("secrets of PLC %s: %w", plc, err) }
	dir := filepath.Join(r.opts.Dir, secretsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	authority, err := opcua.NewAuthority("authority of "+plc, r.start.Add(-24*time.Hour), r.start.Add(10*365*24*time.Hour))
	if err == nil {
		err = authority.Issue(sec)
	}
	if err != nil {
		return fail(err)
	}
	own, err := opcua.NewSecurity("urn:plantbed:edge-1:"+plc, r.start.Add(-24*time.Hour), r.start.Add(life))
	if err != nil {
		return fail(err)
	}
	s := gwopcua.Security{Policy: "Basic256Sha256", Certificate: filepath.Join(dir, plc+"-edge.pem"), Key: filepath.Join(dir, plc+"-edge.key"),
		ServerCertificates: filepath.Join(dir, plc+".pem")}
	for file, block := range map[string]pem.Block{
		s.Certificate:        {Type: "CERTIFICATE", Bytes: own.Certificate},
		s.Key:                {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(own.Key)},
		s.ServerCertificates: {Type: "CERTIFICATE", Bytes: authority.Certificate},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(&block), 0o600); err != nil {
			return fail(err)
		}
	}
	return s, nil
}
