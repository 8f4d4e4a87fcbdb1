// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import "context"

// Event is something that happened: a *Data, *SctpAssocChange, ... of tables.go, or
// an *OtherEvent, which a later daemon knows. Kind is its name, such as "sctp_assoc_change".
type Event interface {
	Kind() string
	Common() *Header
	record
}

// Header is what all events have.
type Header struct {
	Seq   uint64   // its number, in a session
	Sock  uint64   // the socket that it is about
	From  Endpoint // address and port of the peer
	Extra Map      // fields that this version does not know
}

// Common gives it.
func (h *Header) Common() *Header { return h }

func (h *Header) decode(d *reader, key []byte) error {
	switch string(key) {
	case "seq":
		return number(d, &h.Seq)
	case "sock":
		return number(d, &h.Sock)
	case "from":
		return d.into(&h.From)
	}
	if h.Extra == nil {
		h.Extra = Map{}
	}
	return h.Extra.decode(d, key)
}

// OtherEvent is one that has no type here; its fields are in Extra.
type OtherEvent struct {
	Header
	name string
}

// Kind is its name.
func (e *OtherEvent) Kind() string { return e.name }

// AssocID is the association of a message.
func (e *Data) AssocID() uint32 { return e.SctpSndrcvinfo.AssocID }

// Stream is that of a message.
func (e *Data) Stream() uint16 { return e.SctpSndrcvinfo.Stream }

// PPID is the payload protocol identifier of a message.
func (e *Data) PPID() uint32 { return e.SctpSndrcvinfo.PPID }

// queue has events for whoever waits for the next one; the first come is the first
// served. All but next is called with the daemon's lock held.
type queue struct {
	d       *Daemon
	events  fifo[queued]
	bytes   int
	waiters fifo[chan struct{}]
	end     error  // what comes after the last event
	inHand  uint64 // the number of the event that was given last; 0: none
	wanted  func() // somebody takes events
}

type queued struct {
	event Event
	size  int
}

func (q *queue) push(event Event, size int) {
	q.events.push(queued{event, size})
	q.bytes += size
	q.wake()
}

func (q *queue) take() Event {
	item := q.events.pop()
	q.bytes -= item.size
	return item.event
}

func (q *queue) wake() {
	if q.waiters.len() > 0 {
		close(q.waiters.pop())
	}
}

// finish says what comes after the last event.
func (q *queue) finish(err error) {
	if q.end == nil {
		q.end = err
	}
	for q.waiters.len() > 0 {
		q.wake()
	}
}

func (q *queue) next(ctx context.Context, stop <-chan struct{}) (Event, error) {
	q.d.mu.Lock()
	defer q.d.mu.Unlock()
	q.handledInHand()
	for q.events.len() == 0 {
		if q.end != nil {
			return nil, q.end
		}
		if q.wanted != nil {
			q.wanted()
		}
		if q.end == nil {
			if err := q.wait(ctx, stop); err != nil {
				return nil, err
			}
		}
	}
	event := q.take()
	if !q.d.config.ByHand {
		q.inHand = event.Common().Seq
	}
	if q.wanted != nil {
		q.wanted()
	}
	return event, nil
}

// wait gives the lock up until there may be an event.
func (q *queue) wait(ctx context.Context, stop <-chan struct{}) error {
	woken := make(chan struct{})
	q.waiters.push(woken)
	q.d.mu.Unlock()
	err := wait(ctx, stop, woken)
	q.d.mu.Lock()
	if err == nil {
		return nil
	}
	for i, w := range q.waiters.all() {
		if w == woken {
			all := q.waiters.all()
			q.waiters.items = append(q.waiters.items[:q.waiters.head+i], all[i+1:]...)
			return err
		}
	}
	if q.events.len() > 0 {
		q.wake() // it was woken for them
	}
	return err
}

// handledInHand: what was given last is handled, since its receiver asks for more.
func (q *queue) handledInHand() {
	if q.inHand != 0 {
		q.d.s.handled(q.inHand)
		q.inHand = 0
		q.d.ackSoon()
	}
}

// discard: what waits is somebody else's by now, or nobody's.
func (q *queue) discard() {
	q.handledInHand()
	for q.events.len() > 0 {
		q.d.s.handled(q.take().Common().Seq)
	}
	q.d.ackSoon()
}
