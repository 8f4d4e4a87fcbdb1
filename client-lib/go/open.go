// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import "context"

// The sockets of a connection, and how they come.

// socket is that of this number, which is made if need be.
func (d *Daemon) socket(number uint64) *Socket {
	s := d.sockets[number]
	if s == nil {
		s = newSocket(d, number)
		d.sockets[number] = s
		if d.s.phase == finished {
			s.finish(d.s.err)
		}
	}
	return s
}

// Socket is one that exists: of a session that was continued, of the event Owner, or another client's.
func (d *Daemon) Socket(number uint64) *Socket {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.socket(number)
}

// Local says where a socket is bound. The zero Local is any address and a free port.
type Local struct {
	IP      []string // addresses of this host; more than one is multi-homing
	Port    uint16
	Type    Type
	Family  string // "inet" or "inet6"; "": as IP says
	Unbound bool   // not bound yet: Bind binds it, and its result has the port
}

// Type of a socket.
type Type string

const (
	Seqpacket Type = "seqpacket" // one-to-many: a socket with any number of associations
	Stream    Type = "stream"    // one-to-one
)

// Open opens a socket.
func (d *Daemon) Open(ctx context.Context, local Local, options ...Option) (*Socket, error) {
	set, paced := packOptions(options)
	arguments := pairs{{"port", given(local.Port)}, {"type", given(local.Type)}, {"family", given(local.Family)}, {"options", set}}
	if local.Unbound {
		arguments = append(arguments, pair{"bind", false})
	}
	if len(local.IP) > 0 {
		arguments = append(arguments, pair{"ip", local.IP})
	}
	var result OpenResult
	late := func() { d.ask("close", pairs{{"sock", result.Sock}}, func(error) {}) }
	if err := d.callLate(ctx, "open", arguments, &result, late); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.socket(result.Sock)
	s.port, s.paced = result.Port, paced
	return s, nil
}

// Adopt makes this program the owner of a socket that is held because its owner is gone; token: that
// of the owner's session, if it is another user's.
func (d *Daemon) Adopt(ctx context.Context, number uint64, token string) (*Socket, error) {
	if err := d.call(ctx, "adopt", pairs{{"sock", number}, {"resume", given(token)}}, nil); err != nil {
		return nil, err
	}
	return d.Socket(number), nil
}

// Attach makes this program the owner of a supervised association's socket. take: from another
// program of the same user.
func (d *Daemon) Attach(ctx context.Context, name string, take bool, options ...Option) (*Attached, error) {
	set, paced := packOptions(options)
	a := &Attached{Name: name}
	late := func() { d.ask("detach", pairs{{"name", name}}, func(error) {}) }
	err := d.callLate(ctx, "attach", pairs{{"name", name}, {"take", given(take)}, {"options", set}}, &a.State, late)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a.Socket = d.socket(a.State.Sock) // its events may have come before the answer
	a.paced, a.supervised = paced, name
	if a.State.AssocID != 0 {
		a.assocID = a.State.AssocID
	}
	return a, nil
}

// Join makes this program a member of a group of programs that share a socket. The member with
// the smallest priority is the first; 0: the daemon's default.
func (d *Daemon) Join(ctx context.Context, name string, priority uint32) (*Group, error) {
	d.mu.Lock()
	g := d.groupOf(nil, name)
	d.mu.Unlock()
	var result JoinResult
	late := func() { d.ask("leave", pairs{{"name", name}}, func(error) {}) }
	err := d.callLate(ctx, "join", pairs{{"name", name}, {"priority", given(priority)}}, &result, late)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.groups, name)
		return nil, err
	}
	g.Number, g.Members = result.Sock, int(result.Members)
	d.members[g.Number] = g
	return g, nil
}
