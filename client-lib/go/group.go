// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import "context"

// Group is what this program has of a socket that a group of programs owns together. Recv
// takes the events of all sockets that it has, and Assigned and Unassigned, which say what
// comes and goes; Common().Sock of an event is the socket.
type Group struct {
	queue
	Name    string
	Number  uint64 // the group's socket, on which every member may send by AssocID
	Members int
	has     map[uint64]uint32
}

func newGroup(d *Daemon, name string) *Group {
	return &Group{queue: queue{d: d}, Name: name, has: map[uint64]uint32{}}
}

// Recv gives the next event. It fails with Closed when this program is no member any more.
func (g *Group) Recv(ctx context.Context) (Event, error) { return g.next(ctx, nil) }

// Has gives the sockets that this member has, and their associations.
func (g *Group) Has() map[uint64]uint32 {
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	has := map[uint64]uint32{}
	for sock, assoc := range g.has {
		has[sock] = assoc
	}
	return has
}

func (g *Group) push(event Event, size int) {
	h := event.Common()
	g.d.s.pin(h.Seq)
	switch e := event.(type) {
	case *Assigned:
		g.has[h.Sock] = e.AssocID
		g.d.members[h.Sock] = g
	case *Unassigned, *SctpClosed:
		delete(g.has, h.Sock)
		delete(g.d.members, h.Sock)
	case *Left:
		if !e.Ended {
			g.discard() // other members get what was not handled
			g.has = map[uint64]uint32{}
		}
		g.queue.push(event, size)
		g.gone()
		return
	}
	g.queue.push(event, size)
}

// gone: when the group has ended, its sockets are this program's: Daemon.Socket gives those that Has named.
func (g *Group) gone() {
	for number, other := range g.d.members {
		if other == g {
			delete(g.d.members, number)
		}
	}
	if g.d.groups[g.Name] == g {
		delete(g.d.groups, g.Name)
	}
	g.finish(&Error{Code: Closed, Text: "closed: this program is no member of the group"})
}

// Send sends on an association of the group's socket, whoever has it.
func (g *Group) Send(ctx context.Context, data []byte, info Info) error {
	return newSocket(g.d, g.Number).Send(ctx, data, info)
}

// Drain says that this member is to be given nothing new, and to lose what it has once that is acknowledged;
// and how many sockets are left. Then leave.
func (g *Group) Drain(ctx context.Context) (left int, err error) {
	var result DrainMemberResult
	err = g.d.call(ctx, "drain_member", pairs{{"name", g.Name}}, &result)
	return int(result.Sockets), err
}

// Leave leaves. Others get what was not handled.
func (g *Group) Leave(ctx context.Context) error {
	g.d.mu.Lock()
	g.handledInHand()
	g.d.s.ack()
	g.d.mu.Unlock()
	if err := g.d.call(ctx, "leave", pairs{{"name", g.Name}}, nil); err != nil {
		return err
	}
	g.d.mu.Lock()
	defer g.d.mu.Unlock()
	g.discard()
	g.gone()
	g.has = map[uint64]uint32{}
	return nil
}
