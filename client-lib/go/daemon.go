// SPDX-License-Identifier: BSD-2-Clause

// Package sctpd gives Go programs SCTP through the daemon sctpd: one-to-many and
// one-to-one sockets, multi-homing, and all options and events of RFC 6458, without
// SCTP in the kernel and without privileges. Associations survive restarts of the
// daemon, and the program notices a pause and nothing else.
//
// Listener and Conn are the net package's way: a Conn is one association. Socket is
// that of RFC 6458 and gen_sctp, which may have many. All may be used by any number
// of goroutines: one connection to the daemon serves them all, and none waits
// behind another.
package sctpd

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// DefaultPath is where the daemon listens if SCTPD_SOCKET says nothing else.
const DefaultPath = "/run/sctpd/sctpd.sock"

const (
	writeBytes  = 64 << 10               // written at a time
	keptBytes   = 16 << 20               // requests that are not answered; more wait
	beside      = 1 << 20                // what the daemon takes of a request beside a message
	ackPause    = 20 * time.Millisecond  // that an acknowledgement may wait for more
	firstPause  = 5 * time.Millisecond   // between two attempts to come back
	lastPause   = 500 * time.Millisecond // the same, in the end
	looseEvents = 1024                   // of no socket, which nobody takes
	patience    = 30 * time.Second
)

// Change is what Config.OnChange is told.
type Change string

const (
	Gone Change = "gone" // the connection to the daemon broke; the library goes on trying
	Back Change = "back" // it is there again, and nothing was lost
	Over Change = "over" // it is over for good
)

// Config says how to connect. The zero Config is what Connect uses.
type Config struct {
	Path string // of the daemon's Unix socket; "": SCTPD_SOCKET, or DefaultPath
	Name string // stands in the daemon's logs

	// Plain is a connection without a session: it ends when the daemon does.
	Plain bool
	// Patience is how long the library waits for a daemon that is gone: 0 is 30 s; Infinity.
	Patience time.Duration
	// OnChange is told what becomes of the connection. It must not wait for the library.
	OnChange func(Change)

	// ByHand: an event is handled, and then acknowledged, when the program calls
	// Daemon.Handled. Otherwise it is when the next one of its socket is asked for.
	ByHand bool
	// Token and Seq, which an earlier program had from Daemon.Token and Daemon.Seq,
	// continue its session: the events after Seq come again.
	Token string
	Seq   uint64
}

// Daemon is a connection to sctpd.
type Daemon struct {
	config   Config
	mu       sync.Mutex // of all below, and of the sockets
	s        *session
	conn     net.Conn
	more     sync.Cond // the writer has something to do
	ready    chan error
	closing  chan struct{}
	served   chan struct{} // closed when nobody reads any more
	sockets  map[uint64]*Socket
	groups   map[string]*Group
	members  map[uint64]*Group
	others   queue
	dropped  uint64
	gates    map[gateKey]*gate
	room     chan struct{} // closed when there is room again; nil: nobody waits for it
	ackTime  *time.Timer
	ackWaits bool
	isReady  bool // hello was answered once
}

// Connect connects to the daemon whose socket has this path; "": SCTPD_SOCKET, or DefaultPath.
func Connect(ctx context.Context, path string) (*Daemon, error) {
	return Config{Path: path}.Connect(ctx)
}

// Connect connects to the daemon. It takes as long as ctx allows, and 30 s at most.
func (c Config) Connect(ctx context.Context) (*Daemon, error) {
	if c.Path == "" {
		c.Path = os.Getenv("SCTPD_SOCKET")
	}
	if c.Path == "" {
		c.Path = DefaultPath
	}
	if c.Patience == 0 {
		c.Patience = patience
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	d := newDaemon(c)
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	go d.serve(conn)
	select {
	case err = <-d.ready:
	case <-ctx.Done():
		err = &Error{Code: Timeout, Text: "timeout: sctpd at " + c.Path + " did not answer in time"}
	}
	if err != nil {
		d.finish(over(Lost, "the connection was not made"))
		return nil, err
	}
	return d, nil
}

func newDaemon(c Config) *Daemon {
	d := &Daemon{config: c, s: newSession(!c.Plain, c.Name, c.Token, c.Seq), ready: make(chan error, 1),
		closing: make(chan struct{}), served: make(chan struct{}), sockets: map[uint64]*Socket{}, groups: map[string]*Group{},
		members: map[uint64]*Group{}, gates: map[gateKey]*gate{}}
	d.more.L = &d.mu
	d.others.d = d
	d.s.wake = d.more.Broadcast
	d.ackTime = time.AfterFunc(time.Hour, d.ackNow)
	d.ackTime.Stop() // until ackLater
	return d
}

// ---- what it is --------------------------------------------------------

func (d *Daemon) greeting() hello {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.hello
}

// Client is the number of this client, as Socket.Give of another one takes it.
func (d *Daemon) Client() uint64 { return d.greeting().Client }

// Version is that of the daemon.
func (d *Daemon) Version() string { return d.greeting().Version }

// Stack is "kernel" or "userland".
func (d *Daemon) Stack() string { return d.greeting().Stack }

// Features says what this daemon and its stack can do.
func (d *Daemon) Features() []string { return append([]string(nil), d.greeting().features...) }

// Limits are those of the daemon for this client.
func (d *Daemon) Limits() Map { return d.greeting().limits }

// Token is for a later program that takes over the session: see Config. Keep it secret.
func (d *Daemon) Token() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.s.token
}

// Seq is the number up to which all events are handled.
func (d *Daemon) Seq() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	seq, _ := d.s.mark()
	return seq
}

// Err says why the connection is over for good; nil while it is not.
func (d *Daemon) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.s.err == nil {
		return nil // and no *Error that is nil
	}
	return d.s.err
}

// Dropped counts events of no socket that Events was not called for.
func (d *Daemon) Dropped() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}

// ---- the connection ----------------------------------------------------

// dial connects, and begins with hello. The backlog of a Unix socket may be full for a moment.
func (d *Daemon) dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", d.config.Path)
		if err == nil {
			return conn, d.begin(ctx, conn)
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, unreachable(d.config.Path, err)
		}
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin has hello said, which must be answered as long as ctx lasts.
func (d *Daemon) begin(ctx context.Context, conn net.Conn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.s.phase == finished {
		conn.Close()
		return d.s.err
	}
	if at, ok := ctx.Deadline(); ok {
		conn.SetReadDeadline(at)
	}
	d.conn = conn
	d.s.greet()
	go d.write(conn)
	return nil
}

// serve reads one connection after the other, until it is over.
func (d *Daemon) serve(conn net.Conn) {
	defer close(d.served)
	var gone time.Time // since when; zero while the daemon is there
	var pause time.Duration
	for conn != nil {
		err := d.read(conn)
		wasUp := d.hangUp()
		if err.Code != Lost || !d.mayReturn() {
			d.finish(err)
			return
		}
		if wasUp {
			gone, pause = time.Now(), 0
			d.tell(Gone)
		} else if gone.IsZero() {
			gone = time.Now()
		}
		conn = d.comeBack(gone, &pause)
	}
}

// hangUp says whether the connection had got so far that hello was answered.
func (d *Daemon) hangUp() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		d.conn.Close()
		d.conn = nil
	}
	wasUp := d.s.phase == up
	d.s.breakOff()
	d.more.Broadcast()
	return wasUp
}

// mayReturn says whether there is a session, and a daemon that knows it after its end. One that
// ends before it has answered hello is waited for as well.
func (d *Daemon) mayReturn() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.s
	return s.phase != finished && s.resumable && (s.hello.Version == "" || s.token != "" && s.survives())
}

// comeBack connects again, with pauses; nil: it is over.
func (d *Daemon) comeBack(gone time.Time, pause *time.Duration) net.Conn {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if d.config.Patience >= 0 {
		ctx, cancel = context.WithDeadline(ctx, gone.Add(d.config.Patience))
		defer cancel()
	}
	for {
		select {
		case <-time.After(*pause):
		case <-d.closing:
			return nil
		case <-ctx.Done():
		}
		conn, err := d.dial(ctx)
		if err == nil {
			return conn
		}
		if ctx.Err() != nil {
			d.finish(over(Lost, "the connection to sctpd ended, and it did not come back within "+d.config.Patience.String()))
			return nil
		}
		if *pause = 2**pause + firstPause; *pause > lastPause {
			*pause = lastPause
		}
	}
}

func (d *Daemon) tell(change Change) {
	if d.config.OnChange != nil {
		d.config.OnChange(change)
	}
}

// finish says that it is over for good.
func (d *Daemon) finish(err *Error) {
	if !err.over { // hello was refused
		d.settle(err)
		err = over(Lost, err.Text)
	}
	d.mu.Lock()
	if d.s.phase == finished {
		d.mu.Unlock()
		return
	}
	had := d.s.token != "" && d.s.resumable
	close(d.closing)
	d.s.end(err)
	for _, g := range d.groups {
		g.discard() // other members get what was not handled
		g.finish(err)
	}
	for _, s := range d.sockets {
		s.finish(err)
	}
	d.others.finish(err)
	for _, g := range d.gates {
		g.open()
	}
	d.makeRoom()
	d.ackTime.Stop()
	if d.conn != nil {
		d.conn.Close()
		d.conn = nil
	}
	d.more.Broadcast()
	d.mu.Unlock()
	d.settle(err)
	if had {
		d.tell(Over)
	}
}

// settle tells Connect how it went; later ones are not looked at.
func (d *Daemon) settle(err error) {
	select {
	case d.ready <- err:
	default:
	}
}

// Close ends the connection, and with it the sockets that the option on_owner_exit does
// not hold. What was sent is sent.
func (d *Daemon) Close() error {
	d.mu.Lock()
	for _, s := range d.sockets {
		s.handledInHand()
	}
	for _, g := range d.groups {
		g.handledInHand()
	}
	said := make(chan error, 1)
	d.s.ack()
	if d.s.phase == up && (d.s.writes() || d.s.loose.len() > 0) {
		d.s.confirm(func(err error) { said <- err })
	} else {
		said <- nil
	}
	d.mu.Unlock()
	select {
	case <-said:
	case <-time.After(time.Second):
	}
	d.mu.Lock()
	d.s.resumable = false // nobody need be told
	d.mu.Unlock()
	d.finish(over(Lost, "the program has closed the connection"))
	<-d.served
	return nil
}
