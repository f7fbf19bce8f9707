package opcua

import (
	"slices"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

const (
	transport  = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"
	productURI = "urn:plantbed:plc"
)

// application describes the server at the address that the client used.
func (x *exchange) application(url string) *ua.ApplicationDescription {
	return &ua.ApplicationDescription{
		ApplicationURI: x.s.cfg.ApplicationURI, ProductURI: productURI,
		ApplicationName: ua.NewLocalizedText(x.s.img.Name()),
		ApplicationType: ua.ApplicationTypeServer,
		DiscoveryURLs:   []string{url},
	}
}

// endpoints lists what is offered, all of it at the address that the client used.
func (x *exchange) endpoints(url string) []*ua.EndpointDescription {
	var list []*ua.EndpointDescription
	for _, m := range x.s.security().modes() {
		list = append(list, &ua.EndpointDescription{
			EndpointURL: url, Server: x.application(url), ServerCertificate: x.s.security().Certificate,
			SecurityMode: m.mode, SecurityPolicyURI: m.policy,
			UserIdentityTokens:  x.s.cfg.Users.tokenPolicies(x.s.security(), m.policy),
			TransportProfileURI: transport,
			SecurityLevel:       uapolicy.SecurityLevel(m.policy, m.mode),
		})
	}
	return list
}

func (x *exchange) findServers(r *ua.FindServersRequest) (any, error) {
	out := &ua.FindServersResponse{}
	if len(r.ServerURIs) == 0 || slices.Contains(r.ServerURIs, x.s.cfg.ApplicationURI) {
		out.Servers = []*ua.ApplicationDescription{x.application(x.c.address(r.EndpointURL))}
	}
	return out, nil
}

func (x *exchange) getEndpoints(r *ua.GetEndpointsRequest) (any, error) {
	out := &ua.GetEndpointsResponse{}
	if len(r.ProfileURIs) == 0 || slices.Contains(r.ProfileURIs, transport) {
		out.Endpoints = x.endpoints(x.c.address(r.EndpointURL))
	}
	return out, nil
}
