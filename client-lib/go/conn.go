// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Addr is the address of one end of an association: all its IP addresses, and a port.
// As text it is "10.0.0.1/10.1.0.1:2905", or "[fd00::1]/[fd01::1]:2905".
type Addr struct {
	IP   []string
	Port uint16
}

// Network is "sctp".
func (a *Addr) Network() string { return "sctp" }

func (a *Addr) String() string {
	ips := make([]string, len(a.IP))
	for i, ip := range a.IP {
		if ips[i] = ip; strings.Contains(ip, ":") {
			ips[i] = "[" + ip + "]"
		}
	}
	return strings.Join(ips, "/") + ":" + strconv.Itoa(int(a.Port))
}

// ParseAddr reads such text. Without an address before the colon it is any. A single name is allowed
// in its place: the daemon looks it up.
func ParseAddr(text string) (*Addr, error) {
	wrong := func(why string) (*Addr, error) {
		return nil, &Error{Code: Badarg, Text: "badarg: addr: " + strconv.Quote(text) + " " + why +
			"; it takes addresses and a port, such as 10.0.0.1/10.1.0.1:2905, [fd00::1]:2905 or :2905"}
	}
	at := strings.LastIndex(text, ":")
	if at < 0 {
		return wrong("has no port")
	}
	port, err := strconv.ParseUint(text[at+1:], 10, 16)
	if err != nil {
		return wrong("has no port from 0 to 65535")
	}
	a := &Addr{Port: uint16(port)}
	if at == 0 {
		return a, nil
	}
	for _, host := range strings.Split(text[:at], "/") {
		bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		isV6 := strings.Contains(bare, ":")
		if bare == "" || isV6 != strings.HasPrefix(host, "[") || isV6 != strings.HasSuffix(host, "]") {
			return wrong("is no address")
		}
		a.IP = append(a.IP, bare)
	}
	return a, nil
}

// ---- deadlines ---------------------------------------------------------

// deadline closes a channel when its time has come, as that of net.Pipe does.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{}
}

func newDeadline() *deadline { return &deadline{passed: make(chan struct{})} }

func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.passed // its function runs, or has run
	}
	d.timer = nil
	if isClosed(d.passed) {
		d.passed = make(chan struct{})
	}
	if at.IsZero() {
		return
	}
	passed := d.passed
	if left := time.Until(at); left > 0 {
		d.timer = time.AfterFunc(left, func() { close(passed) })
	} else {
		close(passed)
	}
}

func (d *deadline) stop() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// ---- connections -------------------------------------------------------

// Conn is one association, on a socket of type Stream. It is message-oriented: ReadMsg and
// WriteMsg take whole messages, with their stream and PPID. It is a net.Conn as well: Write sends
// a message, and Read gives as much of one as fits, and then the rest.
//
// Events that are not messages are left out by these: Next gives all. Messages are handled as
// events are: when the next one is asked for.
type Conn struct {
	s             *Socket
	local, remote lazyAddr
	readAt        *deadline
	writeAt       *deadline
	reading       sync.Mutex
	rest          []byte
}

var _ net.Conn = (*Conn)(nil)

func newConn(s *Socket, port uint16) *Conn {
	c := &Conn{s: s, readAt: newDeadline(), writeAt: newDeadline()}
	c.local = lazyAddr{s: s, method: "socknames", port: port}
	c.remote = lazyAddr{s: s, method: "peernames"}
	return c
}

// Socket is what the Conn is made of, with options and the other methods.
func (c *Conn) Socket() *Socket { return c.s }

// Dial sets up an association with a peer, such as "10.0.0.1/10.1.0.1:2905", and waits until it is up.
func (d *Daemon) Dial(ctx context.Context, addr string, options ...Option) (*Conn, error) {
	return d.DialFrom(ctx, "", addr, options...)
}

// DialFrom does so from addresses of this host, such as "10.0.0.2/10.1.0.2:0".
func (d *Daemon) DialFrom(ctx context.Context, local, addr string, options ...Option) (*Conn, error) {
	peer, err := ParseAddr(addr)
	if err != nil {
		return nil, err
	}
	own := &Addr{}
	if local != "" {
		if own, err = ParseAddr(local); err != nil {
			return nil, err
		}
	}
	family := ""
	if len(own.IP) == 0 && len(peer.IP) > 0 && strings.Contains(peer.IP[0], ":") {
		family = "inet6"
	}
	s, err := d.Open(ctx, Local{IP: own.IP, Port: own.Port, Type: Stream, Family: family}, options...)
	if err != nil {
		return nil, err
	}
	c, err := s.Dial(ctx, peer.IP, peer.Port)
	if err != nil {
		s.Close()
	}
	return c, err
}

// Dial sets up the association of a socket of type Stream, and gives it as a Conn.
func (s *Socket) Dial(ctx context.Context, addrs []string, port uint16) (*Conn, error) {
	if _, err := s.Connect(ctx, addrs, port); err != nil {
		return nil, err
	}
	return newConn(s, s.Port()), nil
}

// Next gives the next event, a message or another, as long as the deadline allows.
func (c *Conn) Next(ctx context.Context) (Event, error) {
	stop := c.readAt.stop()
	if isClosed(stop) {
		return nil, wait(context.Background(), stop, nil)
	}
	return c.s.next(ctx, stop)
}

// ReadMsg gives the next message. It fails with io.EOF when the peer has ended the association in
// order, with Econnreset when it was aborted or lost, and with Closed when the program closed it.
func (c *Conn) ReadMsg(ctx context.Context) (*Data, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	return c.readMsg(ctx)
}

func (c *Conn) readMsg(ctx context.Context) (*Data, error) {
	for {
		event, err := c.Next(ctx)
		if err != nil {
			return nil, err
		}
		switch e := event.(type) {
		case *Data:
			return e, nil
		case *SctpAssocChange:
			switch e.State {
			case "shutdown_comp":
				return nil, c.endWith(io.EOF)
			case "comm_lost", "cant_assoc":
				return nil, c.endWith(&Error{Code: Econnreset, Text: "econnreset: the association ended: " + e.State})
			}
		}
		if c.s.d.config.ByHand {
			c.s.d.Handled(event)
		}
	}
}

// endWith: it is the same for who asks once more, until the program closes it.
func (c *Conn) endWith(err error) error {
	c.s.d.mu.Lock()
	defer c.s.d.mu.Unlock()
	if !c.s.left {
		c.s.end = nil
		c.s.finish(err)
	}
	return err
}

// Read gives a message, or as much of it as fits, and the rest next time.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.rest) == 0 {
		message, err := c.readMsg(context.Background())
		if err != nil {
			return 0, err
		}
		c.rest = message.Data
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// WriteMsg sends a message, and waits until the SCTP stack has accepted it.
func (c *Conn) WriteMsg(ctx context.Context, data []byte, info Info) error {
	stop := c.writeAt.stop()
	if isClosed(stop) {
		return wait(context.Background(), stop, nil)
	}
	return c.s.send(ctx, stop, data, info)
}

// Write sends a message on stream 0.
func (c *Conn) Write(b []byte) (int, error) {
	if err := c.WriteMsg(context.Background(), b, Info{}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close ends the association in order. Messages that were sent still arrive.
func (c *Conn) Close() error { return c.s.Close() }

// Abort ends it at once. Messages that have not arrived are lost.
func (c *Conn) Abort(ctx context.Context) error { return c.s.Abort(ctx, 0, nil) }

// LocalAddr has all addresses of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local.get() }

// RemoteAddr has all addresses of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.remote.get() }

// SetDeadline sets both.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readAt.set(t)
	c.writeAt.set(t)
	return nil
}

// SetReadDeadline is for Read and ReadMsg, also for those that wait now.
func (c *Conn) SetReadDeadline(t time.Time) error { c.readAt.set(t); return nil }

// SetWriteDeadline is for Write and WriteMsg. A message whose time is over may still be sent.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.writeAt.set(t); return nil }

// lazyAddr asks the daemon when somebody wants to know, and keeps the answer.
type lazyAddr struct {
	s      *Socket
	method string
	port   uint16
	mu     sync.Mutex
	addr   *Addr
}

func (l *lazyAddr) get() *Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addr != nil {
		return l.addr
	}
	result := Map{}
	if err := l.s.d.call(context.Background(), l.method, pairs{{"sock", l.s.number}}, result); err != nil {
		return &Addr{Port: l.port} // it ended before somebody asked
	}
	l.addr = addrOf(result["addresses"], l.port)
	return l.addr
}

// ---- listeners ---------------------------------------------------------

// Listener is a socket of type Stream that listens. It is a net.Listener.
type Listener struct {
	s     *Socket
	local lazyAddr
}

var _ net.Listener = (*Listener)(nil)

// Listen listens on addresses of this host, such as "10.0.0.1/10.1.0.1:2905", or ":2905" for all of IPv4.
func (d *Daemon) Listen(ctx context.Context, addr string, options ...Option) (*Listener, error) {
	local, err := ParseAddr(addr)
	if err != nil {
		return nil, err
	}
	s, err := d.Open(ctx, Local{IP: local.IP, Port: local.Port, Type: Stream}, options...)
	if err != nil {
		return nil, err
	}
	l, err := s.Listener(ctx)
	if err != nil {
		s.Close()
	}
	return l, err
}

// Listener listens on a socket of type Stream.
func (s *Socket) Listener(ctx context.Context) (*Listener, error) {
	if err := s.Listen(ctx, nil); err != nil {
		return nil, err
	}
	return &Listener{s: s, local: lazyAddr{s: s, method: "socknames", port: s.Port()}}, nil
}

// Socket is what the Listener is made of.
func (l *Listener) Socket() *Socket { return l.s }

// AcceptConn waits for the next association.
func (l *Listener) AcceptConn(ctx context.Context) (*Conn, error) {
	s, err := l.s.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return newConn(s, l.s.Port()), nil
}

// Accept does so without an end. After Close it fails with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptConn(context.Background())
	if err != nil {
		return nil, err // no *Conn that is nil in a net.Conn that is not
	}
	return c, nil
}

// Close closes the listener; accepted associations stay.
func (l *Listener) Close() error { return l.s.Close() }

// Addr has all addresses that it listens on.
func (l *Listener) Addr() net.Addr { return l.local.get() }
