// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"context"
	"errors"
	"io"
	"time"
)

// What the daemon sends: how it is read, and to whom it is given.

// read reads messages until the connection ends, and says why it did.
func (d *Daemon) read(in io.Reader) *Error {
	r := newReader(in)
	for {
		r.size, r.depth = 0, 0
		err := d.message(r)
		var known *Error
		switch {
		case err == nil:
		case r.broken != nil:
			return ended(r.broken)
		case errors.As(err, &known):
			return known
		default:
			return malformed("%v", err).(*Error)
		}
		if r.in.Buffered() == 0 {
			d.mu.Lock()
			if d.s.ackIsDue() {
				d.s.ack()
			}
			d.mu.Unlock()
		}
	}
}

// message reads one.
func (d *Daemon) message(r *reader) error {
	c, err := r.peek()
	if err != nil {
		return err
	}
	if !isList(c) {
		return malformed("it is no array")
	}
	n, err := r.dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	var kind int
	if n < 1 {
		return malformed("it is empty")
	}
	if err := number(r, &kind); err != nil {
		return err
	}
	switch {
	case kind == 1 && n == 4:
		return d.answer(r)
	case kind == 2 && n == 3:
		return d.event(r)
	}
	return malformed("it is neither an answer nor an event")
}

func (d *Daemon) answer(r *reader) error {
	id := int64(-1)
	if err := number(r, &id); err != nil {
		return err
	}
	said, err := r.any()
	if err != nil {
		return err
	}
	var refusal error
	if said != nil {
		text, _ := said.(string)
		refusal = fromText(text)
	}
	if id == helloID {
		return d.welcome(r, refusal)
	}
	d.mu.Lock()
	p := d.s.waiting[uint32(id)]
	if id < 0 || id > helloID {
		p = nil
	}
	d.mu.Unlock()
	if p == nil || p.result == nil {
		err = r.skip()
	} else {
		err = r.into(p.result)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.s.answered(uint32(id), p, refusal, r.size)
	d.makeRoom()
	return nil
}

// welcome takes the answer to hello. One of an earlier connection is only counted.
func (d *Daemon) welcome(r *reader, refusal error) error {
	var answer HelloResult
	if err := r.into(&answer); err != nil {
		return err
	}
	d.mu.Lock()
	if d.s.resumable {
		d.s.count(d.s.at+1, r.size)
	}
	if d.s.phase != greeting {
		d.mu.Unlock()
		return nil
	}
	err := d.s.welcome(refusal, answer)
	if err == nil {
		d.conn.SetReadDeadline(time.Time{})
	}
	isBack := d.isReady
	d.isReady = true
	d.mu.Unlock()
	if err != nil {
		return err
	}
	if isBack {
		d.tell(Back)
	}
	d.settle(nil)
	return nil
}

func (d *Daemon) event(r *reader) error {
	var name string
	if err := r.text(&name); err != nil {
		return err
	}
	event := newEvent(name)
	first := true
	err := r.list(func() error {
		if !first {
			return r.skip()
		}
		first = false
		return r.into(event)
	})
	if err != nil {
		return err
	}
	if name == "superseded" {
		return over(Superseded, "another program has taken over the session")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := event.Common()
	if d.s.event(h.Seq, r.size) {
		if d.s.resumable {
			h.Seq = d.s.at
		}
		d.dispatch(event, h, r.size)
	}
	return nil
}

// dispatch gives an event to whom it belongs.
func (d *Daemon) dispatch(event Event, h *Header, size int) {
	group := d.members[h.Sock]
	switch e := event.(type) {
	case *Assigned:
		group = d.groupOf(group, e.Group)
	case *Unassigned:
		group = d.groupOf(group, e.Group)
	case *Left:
		group = d.groupOf(group, e.Group)
	case *Owner:
		switch {
		case e.Owner == d.s.hello.Client:
			d.socket(h.Sock)
		case d.sockets[h.Sock] != nil:
			// While the session was away, another client took it over, with all that was not handled.
			d.sockets[h.Sock].gone("another client has taken over the socket")
		}
		d.loose(event, size)
		return
	case *Watch, *Tap, *ErrorEvent, *Overrun:
		d.loose(event, size)
		return
	case *Supervised:
		if d.sockets[h.Sock] == nil && group == nil {
			d.loose(event, size)
			return
		}
	}
	switch {
	case group != nil:
		group.push(event, size)
	case h.Sock == 0:
		d.loose(event, size)
	default:
		d.socket(h.Sock).push(event, size)
	}
}

func (d *Daemon) groupOf(group *Group, name string) *Group {
	if group == nil {
		group = d.groups[name]
	}
	if group == nil {
		group = newGroup(d, name)
		d.groups[name] = group
	}
	return group
}

// loose keeps an event of no socket, and drops the oldest if nobody takes them.
func (d *Daemon) loose(event Event, size int) {
	d.others.push(event, size)
	if d.others.events.len() > looseEvents {
		old := d.others.take()
		d.s.handled(old.Common().Seq)
		d.dropped++
	}
}

// Next gives the next event of no socket: Owner (a socket was given to this program), ErrorEvent
// (a notification failed), Watch. If nobody takes them, the oldest are dropped, and Dropped counts them.
func (d *Daemon) Next(ctx context.Context) (Event, error) { return d.others.next(ctx, nil) }

// Handled says, with Config.ByHand, that the program has handled this event, in whatever order.
func (d *Daemon) Handled(event Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.s.handled(event.Common().Seq)
	d.ackSoon()
}

func (d *Daemon) ackSoon() {
	if !d.s.resumable {
		return
	}
	if d.s.ackIsDue() {
		d.s.ack()
	} else {
		d.ackLater()
	}
}

// ackLater acknowledges after a pause, in which more may be handled.
func (d *Daemon) ackLater() {
	if !d.ackWaits {
		d.ackWaits = true
		d.ackTime.Reset(ackPause)
	}
}

func (d *Daemon) ackNow() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ackWaits = false
	d.s.ack()
}
