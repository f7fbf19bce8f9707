package wire

import (
	"net"
	"net/netip"
	"sync"
)

// peers knows which upstream address belongs to which connection.
type peers struct {
	mu      sync.Mutex
	settled sync.Cond
	dialing int
	// byAddr keeps ended connections: a server may accept, and ask, late.
	byAddr map[netip.AddrPort]int
}

func (p *peers) init() {
	p.settled.L = &p.mu
	p.byAddr = map[netip.AddrPort]int{}
}

func (p *peers) begin() {
	p.mu.Lock()
	p.dialing++
	p.mu.Unlock()
}

// end registers local, the wire's own address towards the server, or nothing
// where the dial failed.
func (p *peers) end(local net.Addr, conn int) {
	p.mu.Lock()
	if key, ok := addrPort(local); ok {
		p.byAddr[key] = conn
	}
	p.dialing--
	p.settled.Broadcast()
	p.mu.Unlock()
}

// Conn answers a server that wants to know which of the wire's connections it
// has accepted; remote is the address it sees. Not ok means that the client
// did not come through this wire. It may be asked at once after accept: it
// waits for a dial that is just completing.
func (w *Wire) Conn(remote net.Addr) (conn int, ok bool) {
	key, ok := addrPort(remote)
	if !ok {
		return 0, false
	}
	p := &w.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		conn, ok = p.byAddr[key]
		if ok || p.dialing == 0 {
			return conn, ok
		}
		p.settled.Wait()
	}
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case nil:
		return ap, false
	case *net.TCPAddr:
		ap = a.AddrPort()
	default:
		var err error
		if ap, err = netip.ParseAddrPort(a.String()); err != nil {
			return ap, false
		}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), ap.IsValid()
}
