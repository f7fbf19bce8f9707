package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Model says how a modelled disk behaves.
type Model struct {
	// Sync is how long Sync and SyncDir take; 0 means 2 ms, less means no time.
	// They take some odd nanoseconds more, so that they do not end together
	// with something periodic.
	Sync time.Duration
	// Capacity in bytes over all files; 0 means no end.
	Capacity int64
	// Torn makes a kill keep a random part of what was written and not synced,
	// drawn from Seed; otherwise a kill keeps none of it.
	Torn bool
	Seed uint64
}

const (
	defaultSync = 2 * time.Millisecond
	awkwardSync = 13_717 * time.Nanosecond
)

// ModelFS is one life of a modelled disk: what a process holds from its start
// to its kill. All lives share the platter, so faults can be set through any of
// them, at any time.
type ModelFS struct {
	p    *platter
	life int
}

// platter is what survives. A file's names live in two folders: the one that
// the process sees and the one that a crash leaves.
type platter struct {
	mu       sync.Mutex
	life     int // of the living; handles of another are dead
	sync     time.Duration
	capacity int64
	fault    error
	torn     *rand.Rand
	names    map[string]*inode
	safe     map[string]*inode // names as of the last SyncDir
	used     int64
	syncs    int
	trap     *trap
}

// trap is a kill that waits for an operation.
type trap struct {
	op     string
	left   int
	torn   *rand.Rand
	struck func()
}

// inode is a file's content: what the process sees and what a crash leaves.
// Both may share their bytes, so a byte once written is never written again
// (see cut), except by FlipBit, which means both.
type inode struct {
	live, safe []byte
}

// NewModel returns the first life of an empty disk.
func NewModel(m Model) *ModelFS {
	p := &platter{capacity: m.Capacity, names: map[string]*inode{}, safe: map[string]*inode{}}
	p.setSync(m.Sync)
	if m.Torn {
		p.torn = rand.New(rand.NewPCG(m.Seed, 0x746f726e))
	}
	return &ModelFS{p: p}
}

func (p *platter) setSync(d time.Duration) {
	switch {
	case d == 0:
		p.sync = defaultSync + awkwardSync
	case d < 0:
		p.sync = 0
	default:
		p.sync = d + awkwardSync
	}
}

// SetSync changes how long a Sync takes, as Model.Sync.
func (m *ModelFS) SetSync(d time.Duration) {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	m.p.setSync(d)
}

// SetCapacity changes the size in bytes; 0 means no end. Less than is used is
// allowed: nothing more can be written then.
func (m *ModelFS) SetCapacity(bytes int64) {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	m.p.capacity = bytes
}

// SetFault makes every Create, Write, Sync and SyncDir fail with err, and with
// EROFS every Remove, Rename and Truncate too; nil heals.
func (m *ModelFS) SetFault(err error) {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	m.p.fault = err
}

// FlipBit turns over one bit of a file's byte at offset, for the living and in
// what is durable; a negative offset counts from the end.
func (m *ModelFS) FlipBit(name string, offset int64) error {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	n, ok := m.p.names[name]
	if !ok {
		return &fs.PathError{Op: "flip", Path: name, Err: fs.ErrNotExist}
	}
	if offset < 0 {
		offset += int64(len(n.live))
	}
	if offset < 0 || offset >= int64(len(n.live)) {
		return fmt.Errorf("disk: flip %s: no byte %d of %d", name, offset, len(n.live))
	}
	const bit = 0x10
	shared := int64(len(n.safe)) > offset && &n.safe[offset] == &n.live[offset]
	n.live[offset] ^= bit
	if int64(len(n.safe)) > offset && !shared {
		n.safe[offset] ^= bit
	}
	return nil
}

// Syncs tells how many Syncs and SyncDirs have ended well, for tests and reports.
func (m *ModelFS) Syncs() int {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	return m.p.syncs
}

// Used is the size of all files in bytes.
func (m *ModelFS) Used() int64 {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	return m.p.used
}

// KillAt has the nth operation of a kind from now on end like Kill, half-way
// where it is a write; the first is 1. Kinds are create, write, sync, rename,
// remove, truncate and syncdir. With torn, a random part of what was not synced
// stays, drawn from seed. struck is called then, on whose operation it was.
func (m *ModelFS) KillAt(op string, nth int, torn bool, seed uint64, struck func()) {
	t := &trap{op: op, left: max(1, nth), struck: struck}
	if torn {
		t.torn = rand.New(rand.NewPCG(seed, 0x746f726e))
	}
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	m.p.trap = t
}

// Spare takes KillAt back; it tells whether that had not yet happened.
func (m *ModelFS) Spare() bool {
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	waits := m.p.trap != nil
	m.p.trap = nil
	return waits
}

// sprung needs p.mu, which it gives up where it says yes: the trap for this
// operation has struck, and its owner is dead. half is done before that.
func (p *platter) sprung(op string, half func()) bool {
	t := p.trap
	if t == nil || t.op != op {
		return false
	}
	if t.left--; t.left > 0 {
		return false
	}
	p.trap = nil
	if half != nil {
		half()
	}
	p.kill(t.torn)
	p.mu.Unlock()
	if t.struck != nil {
		t.struck()
	}
	return true
}

// Kill ends whoever lives on this disk: every open file and FS says ErrDead
// from now on, a Sync under way included, and what was not synced is gone.
func (m *ModelFS) Kill() {
	p := m.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill(p.torn)
}

// kill needs p.mu; torn draws what is left of writes that were not synced.
func (p *platter) kill(torn *rand.Rand) {
	p.life++
	for _, name := range sortedNames(p.safe) {
		n := p.safe[name]
		keep := n.safe
		if torn != nil && len(n.live) > len(n.safe) && bytes.HasPrefix(n.live, n.safe) {
			keep = n.live[:len(n.safe)+torn.IntN(len(n.live)-len(n.safe)+1)]
		}
		n.live = slices.Clone(keep)
		n.safe = n.live[:len(n.live):len(n.live)]
	}
	p.names, p.used = map[string]*inode{}, 0
	for name, n := range p.safe {
		p.names[name] = n
		p.used += int64(len(n.live))
	}
}

// Reopen is the disk as its next owner finds it. It kills first if need be.
func (m *ModelFS) Reopen() *ModelFS {
	m.p.mu.Lock()
	dead := m.life != m.p.life
	m.p.mu.Unlock()
	if !dead {
		m.Kill()
	}
	m.p.mu.Lock()
	defer m.p.mu.Unlock()
	return &ModelFS{p: m.p, life: m.p.life}
}

func sortedNames(m map[string]*inode) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// begin is lock for an operation at which a trap may strike.
func (m *ModelFS) begin(op, kind, name string, half func()) (*platter, error) {
	p, err := m.lock(op, name)
	if err == nil && p.sprung(kind, half) {
		return nil, &fs.PathError{Op: op, Path: name, Err: ErrDead}
	}
	return p, err
}

// lock takes the platter for a living owner; the caller unlocks when err is nil.
func (m *ModelFS) lock(op, name string) (*platter, error) {
	m.p.mu.Lock()
	if m.p.life != m.life {
		m.p.mu.Unlock()
		return nil, &fs.PathError{Op: op, Path: name, Err: ErrDead}
	}
	return m.p, nil
}

// find is lock plus the file.
func (m *ModelFS) find(op, name string) (*platter, *inode, error) {
	p, err := m.begin(op, op, name, nil)
	if err != nil {
		return nil, nil, err
	}
	if (op == "remove" || op == "rename" || op == "truncate") && errors.Is(p.fault, syscall.EROFS) {
		err := p.fault
		p.mu.Unlock()
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	n, ok := p.names[name]
	if !ok {
		p.mu.Unlock()
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return p, n, nil
}

// Create is FS.Create.
func (m *ModelFS) Create(name string) (File, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	p, err := m.begin("create", "create", name, nil)
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	if p.fault != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: p.fault}
	}
	n, ok := p.names[name]
	if !ok {
		n = &inode{}
		p.names[name] = n
	}
	p.cut(n, 0)
	return &modelFile{m: m, n: n, name: name}, nil
}

// Append is FS.Append.
func (m *ModelFS) Append(name string) (File, error) {
	p, n, err := m.find("append", name)
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	return &modelFile{m: m, n: n, name: name}, nil
}

// ReadFile is FS.ReadFile.
func (m *ModelFS) ReadFile(name string) ([]byte, error) {
	p, n, err := m.find("read", name)
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	return slices.Clone(n.live), nil
}

// List is FS.List.
func (m *ModelFS) List() ([]string, error) {
	p, err := m.lock("list", ".")
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	return sortedNames(p.names), nil
}

// Remove is FS.Remove.
func (m *ModelFS) Remove(name string) error {
	p, n, err := m.find("remove", name)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	delete(p.names, name)
	p.used -= int64(len(n.live))
	return nil
}

// Rename is FS.Rename.
func (m *ModelFS) Rename(oldName, newName string) error {
	if err := checkName(newName); err != nil {
		return err
	}
	p, n, err := m.find("rename", oldName)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	if old, ok := p.names[newName]; ok && old != n {
		p.used -= int64(len(old.live))
	}
	delete(p.names, oldName)
	p.names[newName] = n
	return nil
}

// Truncate is FS.Truncate; it is durable after the file's next Sync.
func (m *ModelFS) Truncate(name string, size int64) error {
	p, n, err := m.find("truncate", name)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	if size < 0 || size > int64(len(n.live)) {
		return &fs.PathError{Op: "truncate", Path: name, Err: fs.ErrInvalid}
	}
	p.cut(n, size)
	return nil
}

// cut shortens what is seen and forbids appends to overwrite what a crash leaves.
func (p *platter) cut(n *inode, size int64) {
	p.used -= int64(len(n.live)) - size
	n.live = n.live[:size:size]
}

// SyncDir is FS.SyncDir.
func (m *ModelFS) SyncDir() error {
	p, err := m.begin("sync", "syncdir", ".", nil)
	if err != nil {
		return err
	}
	pause, snapshot := p.sync, map[string]*inode{}
	for name, n := range p.names {
		snapshot[name] = n
	}
	p.mu.Unlock()
	return m.after(pause, "sync", ".", func(p *platter) { p.safe = snapshot })
}

// after sleeps as a sync does and then commits, unless killed or faulty.
func (m *ModelFS) after(pause time.Duration, op, name string, commit func(*platter)) error {
	if pause > 0 {
		time.Sleep(pause)
	}
	p, err := m.lock(op, name)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	if p.fault != nil {
		return &fs.PathError{Op: op, Path: name, Err: p.fault}
	}
	commit(p)
	p.syncs++
	return nil
}

type modelFile struct {
	m      *ModelFS
	n      *inode
	name   string
	closed bool
}

func (f *modelFile) lock(op string) (*platter, error) {
	p, err := f.m.lock(op, f.name)
	if err == nil && f.closed {
		p.mu.Unlock()
		return nil, &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	}
	return p, err
}

// Write appends as much as fits; what does not fit is ENOSPC.
func (f *modelFile) Write(b []byte) (int, error) {
	p, err := f.lock("write")
	if err != nil {
		return 0, err
	}
	if p.sprung("write", func() { f.n.live = append(f.n.live, b[:len(b)/2]...) }) {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: ErrDead}
	}
	defer p.mu.Unlock()
	if p.fault != nil {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: p.fault}
	}
	fits := len(b)
	if p.capacity > 0 {
		fits = int(min(int64(fits), max(0, p.capacity-p.used)))
	}
	f.n.live = append(f.n.live, b[:fits]...)
	p.used += int64(fits)
	if fits < len(b) {
		return fits, &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return fits, nil
}

// Sync makes durable what was written before it was called.
func (f *modelFile) Sync() error {
	p, err := f.lock("sync")
	if err != nil {
		return err
	}
	if p.sprung("sync", nil) {
		return &fs.PathError{Op: "sync", Path: f.name, Err: ErrDead}
	}
	pause, snapshot := p.sync, f.n.live[:len(f.n.live):len(f.n.live)]
	p.mu.Unlock()
	return f.m.after(pause, "sync", f.name, func(*platter) { f.n.safe = snapshot })
}

func (f *modelFile) Close() error {
	p, err := f.lock("close")
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	f.closed = true
	return nil
}
