// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"context"
	"errors"
	"net"
	"time"
)

// A socket is read in the mode that counts (active: N). The library allows the
// daemon a few events, and more when the program has taken some. A socket that is
// not read gets none: the daemon stops reading it, and the peer's window closes.

const (
	socketBytes = 128 << 10 // what may wait here of one socket that is not read; two messages in any case
	mostEvents  = 256
)

// Socket is an SCTP socket. Recv takes its messages and events, until it is closed.
type Socket struct {
	queue
	number     uint64
	port       uint16
	assocID    uint32            // of a one-to-one socket that was accepted or peeled off
	supervised string            // name of the association that this is attached to
	paced      bool              // we set the mode
	closed     bool              // the daemon has it no more, or not for us
	left       bool              // the program itself gave it up
	credit     int               // events that the daemon may still send
	size       int               // of an event, of late
	accepting  *accepting        // the accept that is asked for, or that nobody took
	peeled     map[uint32]uint64 // sockets of associations, of peeloffs that were given up
}

func newSocket(d *Daemon, number uint64) *Socket {
	s := &Socket{queue: queue{d: d}, number: number, paced: true, size: socketBytes / 4,
		peeled: map[uint32]uint64{}}
	s.wanted = s.grant
	return s
}

// Daemon is the connection that the socket belongs to.
func (s *Socket) Daemon() *Daemon { return s.d }

// Number is the daemon's of this socket: `sock` in the protocol.
func (s *Socket) Number() uint64 { return s.number }

// Port that it is bound to.
func (s *Socket) Port() uint16 {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.port
}

// AssocID is the association of a one-to-one socket that was connected, accepted or peeled off.
func (s *Socket) AssocID() uint32 {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.assocID
}

// ---- events ------------------------------------------------------------

// Recv gives the next event, a *Data or another. It fails with Closed after the last one. An
// event is handled when the next one is asked for, unless Config.ByHand says otherwise.
func (s *Socket) Recv(ctx context.Context) (Event, error) { return s.next(ctx, nil) }

func (s *Socket) push(event Event, size int) {
	switch e := event.(type) {
	case *SctpPassive:
		if s.paced {
			s.d.s.handled(e.Seq)
			return
		}
	case *SctpClosed:
		s.d.s.handled(e.Seq)
		reason := e.Reason
		if reason == "" {
			reason = "the socket was closed"
		}
		s.ended("closed: " + reason)
		return
	case *Owner, *Assigned, *Unassigned, *Supervised: // these do not count against the mode
	case *SctpSendFailed:
		if e.Reason == "" {
			s.credit--
		}
	default:
		s.credit--
	}
	if s.size -= s.size / 8; s.size < size {
		s.size = size
	}
	s.queue.push(event, size)
}

// ended says that the socket is no more.
func (s *Socket) ended(text string) {
	if s.d.sockets[s.number] == s {
		delete(s.d.sockets, s.number)
	}
	s.closed = true
	s.finish(&Error{Code: Closed, Text: text})
}

// gone: the program itself does not want it any more, or gave it away.
func (s *Socket) gone(text string) {
	s.discard()
	s.left, s.end = true, nil
	s.ended("closed: " + text)
}

// grant allows the daemon more events, when half of what may wait has been taken.
func (s *Socket) grant() {
	if !s.paced || s.end != nil {
		return
	}
	window := socketBytes / s.size
	if window > mostEvents {
		window = mostEvents
	} else if window < 2 {
		window = 2
	}
	have := s.events.len()
	if s.credit > 0 {
		have += s.credit
	}
	if have*2 > window {
		return
	}
	more := window - have
	s.credit += more
	s.d.ask("setopts", pairs{{"sock", s.number}, {"options", pairs{{"active", more}}}}, func(err error) {
		if err != nil && !errors.Is(err, Lost) {
			s.finish(err)
		}
	})
}

// ---- messages ----------------------------------------------------------

// Info is how a message is sent: its association, stream, PPID, flags and lifetime. What is zero is not given.
type Info = SctpSndrcvinfo

// Message is one of SendMany.
type Message struct {
	Data []byte
	Info Info
}

// Sent is a message under way.
type Sent struct {
	d *Daemon
	c *call
}

// Done is closed when the SCTP stack has accepted or refused the message.
func (s *Sent) Done() <-chan struct{} { return s.c.done }

// Wait waits for that, and says why it was refused.
func (s *Sent) Wait(ctx context.Context) error { return s.d.await(ctx, nil, s.c) }

// Send sends a message, and waits until the SCTP stack has accepted it. When ctx ends first, the
// message may still be sent.
func (s *Socket) Send(ctx context.Context, data []byte, info Info) error {
	return s.send(ctx, nil, data, info)
}

func (s *Socket) send(ctx context.Context, stop <-chan struct{}, data []byte, info Info) error {
	sent, err := s.post(ctx, stop, data, info)
	if err != nil {
		return err
	}
	return s.d.await(ctx, stop, sent.c)
}

// Post sends a message, and waits only until there is room for it among those of its association.
// Messages that one goroutine posts keep their order. data may be used again when it returns.
func (s *Socket) Post(ctx context.Context, data []byte, info Info) (*Sent, error) {
	return s.post(ctx, nil, data, info)
}

func (s *Socket) post(ctx context.Context, stop <-chan struct{}, data []byte, info Info) (*Sent, error) {
	w := newWriter(len(data) + 128)
	w.begin("send")
	w.message(s.number, data, info)
	return s.through(ctx, stop, info.AssocID, len(data)+64, w, nil)
}

// through sends a packed message when there is room.
func (s *Socket) through(ctx context.Context, stop <-chan struct{}, assoc uint32, size int, w *writer, result record) (*Sent, error) {
	packed, err := w.done()
	if err != nil {
		return nil, err
	}
	s.d.mu.Lock()
	g, err := s.d.enter(ctx, stop, gateKey{s.number, assoc}, size)
	s.d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	c, err := s.d.start(ctx, packed, result, nil, func(error) { g.leave(size) })
	if err != nil {
		s.d.mu.Lock()
		g.leave(size)
		s.d.mu.Unlock()
		return nil, err
	}
	return &Sent{s.d, c}, nil
}

// message packs the arguments of send. What is not given is as sctp_default_send_param says, so no zero is sent.
func (w *writer) message(sock uint64, data []byte, info Info) {
	simple := len(info.Flags) == 0 && info.Context == 0 && info.Timetolive == 0 && info.PrPolicy == "" && info.PrValue == 0 &&
		info.AuthKeynumber == 0 && info.Addr == "" && info.SSN == 0 && info.TSN == 0 && info.Cumtsn == 0
	if !simple {
		w.record(pairs{{"sock", sock}, {"data", data}, {"sctp_sndrcvinfo", info}})
		return
	}
	n := 2
	if info.AssocID != 0 || info.Stream != 0 || info.PPID != 0 {
		n = 3
	}
	w.fields(n)
	w.text("sock")
	w.number(sock)
	w.text("data")
	w.binary(data)
	if n == 3 {
		w.text("sctp_sndrcvinfo")
		w.few(few{"assoc_id", uint64(info.AssocID)}, few{"stream", uint64(info.Stream)}, few{"ppid", uint64(info.PPID)})
	}
}

type few struct {
	key string
	n   uint64
}

// few writes a record of those numbers that are not zero.
func (w *writer) few(fields ...few) {
	n := 0
	for _, f := range fields {
		if f.n != 0 {
			n++
		}
	}
	w.fields(n)
	for _, f := range fields {
		if f.n != 0 {
			w.text(f.key)
			w.number(f.n)
		}
	}
}

// SendMany sends up to 64 messages of one association with one request. The stack takes as many as it
// has room for, from the first on: see Taken and Error of what is returned.
func (s *Socket) SendMany(ctx context.Context, assocID uint32, messages []Message) (*SendManyResult, error) {
	list, size := make([]pairs, len(messages)), 0
	for i, m := range messages {
		list[i] = pairs{{"data", m.Data}, {"sctp_sndrcvinfo", m.Info}}
		size += len(m.Data) + 64
	}
	w := newWriter(size + 128)
	w.begin("send_many")
	w.record(pairs{{"sock", s.number}, {"assoc_id", given(assocID)}, {"messages", list}})
	result := &SendManyResult{}
	sent, err := s.through(ctx, nil, assocID, size, w, result)
	if err == nil {
		err = sent.Wait(ctx)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

// ---- associations ------------------------------------------------------

// milliseconds is what is left of ctx, for the daemon, which then gives up by itself.
func milliseconds(ctx context.Context) any {
	at, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(at)
	if left < time.Millisecond {
		left = time.Millisecond
	}
	return left
}

// Connect sets up an association with a peer that has these addresses, or this one name, and waits until
// it is up. When ctx ends, so does the attempt.
func (s *Socket) Connect(ctx context.Context, addrs []string, port uint16, options ...Option) (*ConnectResult, error) {
	set, _ := packOptions(options)
	result := &ConnectResult{}
	late := func() {
		s.d.ask("abort", pairs{{"sock", s.number}, {"assoc_id", given(result.AssocID)}}, func(error) {})
	}
	err := s.d.callLate(ctx, "connect", pairs{{"sock", s.number}, {"addr", oneOrMany(addrs)}, {"port", port}, {"options", set},
		{"timeout", milliseconds(ctx)}}, result, late)
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.credit > 0 { // its result counted like an event
		s.credit--
	}
	if err != nil {
		return nil, err
	}
	s.assocID = result.AssocID
	return result, nil
}

// oneOrMany: a name is allowed where there is one.
func oneOrMany(addrs []string) any {
	if len(addrs) == 1 {
		return addrs[0]
	}
	return addrs
}

// Accept gives the next association of a listening socket of type Stream, as a socket of its own.
func (s *Socket) Accept(ctx context.Context) (*Socket, error) { return s.accept(ctx, nil) }

func (s *Socket) accept(ctx context.Context, stop <-chan struct{}) (*Socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	for {
		if s.accepting == nil {
			if s.end != nil {
				return nil, s.end
			}
			if err := s.askToAccept(); err != nil {
				return nil, err
			}
		}
		a := s.accepting
		s.d.mu.Unlock()
		err := wait(ctx, stop, a.done)
		s.d.mu.Lock()
		if err != nil {
			return nil, err
		}
		if s.accepting == a { // and no other goroutine took it
			s.accepting = nil
			if a.err != nil {
				return nil, a.err
			}
			return s.accepted(a.result), nil
		}
	}
}

// accepting is an accept. The daemon has one of a socket at a time: goroutines share it, and it
// outlives one that gives up.
type accepting struct {
	done   chan struct{}
	result AcceptResult
	err    error
}

// askToAccept asks for the next association, with the lock held.
func (s *Socket) askToAccept() error {
	packed, err := packRequest("accept", pairs{{"sock", s.number}})
	if err != nil {
		return err
	}
	if s.d.s.err != nil {
		return s.d.s.err
	}
	a := &accepting{done: make(chan struct{})}
	s.accepting = a
	s.d.s.request(packed, &a.result, func(err error) {
		a.err = err
		close(a.done)
	})
	return nil
}

func (s *Socket) accepted(result AcceptResult) *Socket {
	own := s.d.socket(result.Accepted)
	own.assocID, own.port = result.AssocID, s.port
	return own
}

// Peeloff makes an association a socket of its own.
func (s *Socket) Peeloff(ctx context.Context, assocID uint32) (*Socket, error) {
	var result PeeloffResult
	late := func() { s.peeled[assocID] = result.Sock }
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	number, isPeeled := s.peeled[assocID]
	if !isPeeled {
		s.d.mu.Unlock()
		err := s.d.callLate(ctx, "peeloff", pairs{{"sock", s.number}, {"assoc_id", assocID}}, &result, late)
		s.d.mu.Lock()
		if err != nil {
			return nil, err
		}
		number = result.Sock
	}
	delete(s.peeled, assocID)
	own := s.d.socket(number)
	own.assocID, own.port = assocID, s.port
	return own, nil
}

// ---- options -----------------------------------------------------------

// Option is one that is set: SctpNodelay(true), SctpInitmsg{...}, or Opt of any name.
type Option interface {
	option() (name string, value any)
}

// Readable is one that may be read: the address of such a variable.
type Readable interface {
	Option
	take(d *reader) error
}

// Opt is an option by its name, for those of a later daemon.
func Opt(name string, value any) Option { return namedOption{name, value} }

type namedOption struct {
	name  string
	value any
}

func (o namedOption) option() (string, any) { return o.name, o.value }

// packOptions packs them in their order, and says whether the library is to set the mode.
func packOptions(options []Option) (any, bool) {
	if len(options) == 0 {
		return nil, true
	}
	paced, set := true, make([][]any, len(options))
	for i, o := range options {
		name, value := o.option()
		set[i] = []any{name, value}
		if name == "active" {
			paced = false
		}
	}
	return set, paced
}

// SetOptions sets options, in the order in which they are given.
func (s *Socket) SetOptions(ctx context.Context, options ...Option) error {
	set, paced := packOptions(options)
	if set == nil {
		return nil
	}
	if !paced {
		s.d.mu.Lock()
		s.paced = false
		s.d.mu.Unlock()
	}
	return s.d.call(ctx, "setopts", pairs{{"sock", s.number}, {"options", set}}, nil)
}

// gotOption takes the answer to getopts: options is [[name, value]].
type gotOption struct{ to Readable }

func (g gotOption) decode(d *reader, key []byte) error {
	if string(key) != "options" {
		return d.skip()
	}
	return d.list(func() error {
		n := 0
		return d.list(func() error {
			if n++; n == 2 {
				return g.to.take(d)
			}
			return d.skip()
		})
	})
}

// GetOption reads an option into a variable of its type: `var st sctpd.SctpStatus; s.GetOption(ctx, &st)`.
// Where the option is that of an association or a path, st.AssocID or its address says which.
func (s *Socket) GetOption(ctx context.Context, option Readable) error {
	name, which := option.option()
	what := []any{name}
	if l, ok := which.(lister); ok {
		what = []any{[]any{name, l}}
	}
	return s.d.call(ctx, "getopts", pairs{{"sock", s.number}, {"options", what}}, gotOption{option})
}

// ---- the end -----------------------------------------------------------

// Close closes the socket. Messages that were sent still arrive. That of a supervised association
// is only detached: the association stays.
func (s *Socket) Close() error {
	s.d.mu.Lock()
	name, isOpen := s.supervised, !s.closed
	s.handledInHand()
	s.d.mu.Unlock()
	var err error
	if isOpen {
		ctx := context.Background() // the answer comes at once, or the connection ends
		if name != "" {
			err = s.d.call(ctx, "detach", pairs{{"name", name}}, nil)
		} else {
			err = s.d.call(ctx, "close", pairs{{"sock", s.number}}, nil)
		}
		if errors.Is(err, Closed) || errors.Is(err, Lost) {
			err = nil
		}
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if a := s.accepting; a != nil && isClosed(a.done) && a.err == nil { // it was given up, and nobody takes it
		s.accepting = nil
		s.d.ask("close", pairs{{"sock", a.result.Accepted}}, func(error) {})
	}
	s.gone("the program closed the socket")
	return err
}

// Give gives the socket to another client, with everything that was not handled.
func (s *Socket) Give(ctx context.Context, client uint64) error {
	d := s.d
	d.mu.Lock()
	s.handledInHand()
	before := d.s.seq
	if s.events.len() > 0 {
		before = s.events.first().event.Common().Seq - 1
	}
	for _, e := range append([]openEvent(nil), d.s.open.all()...) {
		if e.seq <= before {
			d.s.handled(e.seq) // an acknowledgement goes up to a number, or this one would come twice
		}
	}
	d.s.ack()
	d.mu.Unlock()
	if err := d.call(ctx, "controlling_process", pairs{{"sock", s.number}, {"client", client}}, nil); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.gone("the socket was given away")
	return nil
}

// Attached is the socket of a supervised association that this program is attached to.
type Attached struct {
	*Socket
	Name  string
	State AttachResult // what there was when it was attached
}

// Detach gives it back. The association stays.
func (a *Attached) Detach() error { return a.Close() }

// addrOf joins addresses and a port.
func addrOf(addresses any, port uint16) *Addr {
	a := &Addr{Port: port}
	for _, v := range listOf(addresses) {
		switch e := v.(type) {
		case Map:
			a.IP = append(a.IP, e.String("addr"))
			a.Port = uint16(e.Int("port"))
		case string:
			a.IP = append(a.IP, e)
		}
	}
	return a
}

var _ net.Addr = (*Addr)(nil)
