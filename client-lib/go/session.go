// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"container/list"
	"encoding/binary"
)

// The protocol, without input and output. See the section Sessions of
// proto/README.md, which this follows step by step.
//
// Messages of the daemon have numbers in a session: an event carries its own, an
// answer has that of the message before it plus one. at counts them, and goes back
// when the daemon sends something again; seq is the highest that ever came, so what
// is not above it came before and is left out. open has the events that the program
// has not handled; what is before the first of them is acknowledged.
//
// Messages of ours are kept until they are certain to have arrived: a request until
// it is answered, a notification until a request after it is answered. When the
// session has been resumed, all that is kept is written again.
//
// An acknowledgement is written before all requests that wait, as it makes room for
// their answers. All of this is called with the daemon's lock held.

const (
	protocolVersion = 1
	helloID         = 1<<32 - 1  // the msgid of hello, which no other request has: answers to an earlier program may come before
	lastID          = 1<<32 - 16 // of others
	ackMessages     = 64
	ackBytes        = 64 << 10
	looseNotes      = 256 // notifications that may not have arrived
	looseBytes      = 1 << 20
	aheadBytes      = 16 << 20 // what the program has not handled; beyond it nothing is acknowledged early
)

type phase int

const (
	away phase = iota
	greeting
	up
	finished
)

// pending is a request that is not answered.
type pending struct {
	kept   *list.Element
	order  uint64
	result record          // what takes the answer
	done   func(err error) // called once
}

// kept is a message of ours that may have to be written again.
type kept struct {
	packed []byte
	note   uint64 // number of a notification; 0 for a request
	order  uint64
}

type session struct {
	resumable      bool
	name, token    string
	phase          phase
	err            *Error // why it is over
	at, seq, acked uint64
	bytes, ackedTo uint64
	early          uint64 // bytes that may be unacknowledged before events that are not handled are
	open, pinned   open   // pinned: those of open that are never acknowledged early
	waiting        map[uint32]*pending
	kept           list.List
	keptBytes      int
	loose          fifo[*list.Element] // notifications that are kept
	looseBytes     int
	notes, order   uint64
	lastID         uint32
	confirming     bool
	out            fifo[[]byte]
	outBytes       int
	urgent         []byte // an acknowledgement, to be written before what is not begun
	hello          hello
	wake           func() // there is something to write
}

// hello is what the answer to it says.
type hello struct {
	HelloResult
	features []string
	limits   Map
}

func newSession(resumable bool, name, token string, seq uint64) *session {
	return &session{resumable: resumable, name: name, token: token, at: seq, seq: seq, acked: seq,
		waiting: map[uint32]*pending{}}
}

// ---- out ---------------------------------------------------------------

func (s *session) write(packed []byte) {
	s.out.push(packed)
	s.outBytes += len(packed)
	s.wake()
}

func (s *session) keep(packed []byte, note uint64) *list.Element {
	var e *list.Element
	s.order++
	if s.resumable {
		e = s.kept.PushBack(&kept{packed, note, s.order})
		s.keptBytes += len(packed)
	}
	if s.phase == up {
		s.write(packed)
	}
	return e
}

func (s *session) forget(e *list.Element) {
	if e != nil {
		s.keptBytes -= len(e.Value.(*kept).packed)
		s.kept.Remove(e)
	}
}

// request asks for something; packed has no msgid yet. done is called once.
func (s *session) request(packed []byte, result record, done func(error)) *pending {
	for {
		if s.lastID++; s.lastID > lastID {
			s.lastID = 1
		}
		if s.waiting[s.lastID] == nil {
			break
		}
	}
	binary.BigEndian.PutUint32(packed[msgidAt:], s.lastID)
	p := &pending{order: s.order, result: result, done: done}
	s.waiting[s.lastID] = p
	p.kept = s.keep(packed, 0)
	return p
}

// notify asks for something without an answer.
func (s *session) notify(packed []byte) {
	if s.resumable {
		s.notes++
		s.looseBytes += len(packed)
		s.loose.push(s.keep(packed, s.notes))
	} else {
		s.keep(packed, 0)
	}
	if (s.loose.len() >= looseNotes || s.looseBytes >= looseBytes) && !s.confirming {
		s.confirm(func(error) {})
	}
}

// confirm asks for an answer, by which it is known that all before has arrived.
func (s *session) confirm(then func(error)) {
	s.confirming = true
	packed, _ := packRequest("error_string", pairs{{"error", 0}})
	if s.resumable {
		packed, _ = packRequest("ack", pairs{{"seq", s.acked}})
	}
	s.request(packed, nil, func(err error) {
		s.confirming = false
		then(err)
	})
}

func (s *session) writes() bool { return s.out.len() > 0 || s.urgent != nil }

// next appends what to write now to batch, or gives a long message as it is. What is
// given is begun: nothing comes between.
func (s *session) next(batch []byte, most int) []byte {
	if s.urgent != nil {
		batch = append(batch, s.urgent...)
		s.urgent = nil
	}
	for s.out.len() > 0 && len(batch) < most {
		if len(batch) > 0 && len(batch)+len(*s.out.first()) > most {
			break
		}
		packed := s.out.pop()
		s.outBytes -= len(packed)
		if len(batch) == 0 && len(packed) >= most {
			return packed
		}
		batch = append(batch, packed...)
	}
	return batch
}

func (s *session) dropOut() {
	s.out.clear()
	s.outBytes = 0
	s.urgent = nil
}

// ---- numbers -----------------------------------------------------------

// handled says that the program has handled this event.
func (s *session) handled(seq uint64) {
	s.open.handled(seq)
	s.pinned.handled(seq)
}

// pin says that this event belongs to us alone only until we acknowledge it: that is never done early.
func (s *session) pin(seq uint64) {
	if e := s.open.find(seq); e != nil {
		s.pinned.push(*e)
	}
}

// mark is the number up to which all is handled, and the bytes up to it.
func (s *session) mark() (uint64, uint64) {
	first, before := s.open.mark(s.seq, s.bytes)
	seq, bytes := first, before
	if seq <= s.acked {
		seq, bytes = s.acked, s.ackedTo
	}
	// The daemon sends nothing more while too much is not acknowledged. So that who reads
	// slowly does not stop the others, what is in our hands is acknowledged early.
	if s.early > 0 && s.early < s.bytes-bytes && s.bytes-before < aheadBytes {
		if e, b := s.pinned.mark(s.seq, s.bytes); e > seq {
			seq, bytes = e, b
		}
	}
	return seq, bytes
}

func (s *session) ackIsDue() bool {
	if !s.resumable || s.phase != up {
		return false
	}
	seq, bytes := s.mark()
	return seq-s.acked >= ackMessages || bytes-s.ackedTo >= ackBytes
}

// ack says what is handled, if that is more than was said.
func (s *session) ack() {
	if !s.resumable || s.phase != up {
		return
	}
	seq, bytes := s.mark()
	if seq <= s.acked {
		return
	}
	s.acked, s.ackedTo = seq, bytes
	s.urgent, _ = packNotification("ack", pairs{{"seq", seq}}) // one that was not written says less
	s.wake()
}

// ---- connections -------------------------------------------------------

// greet begins a connection with hello, and says nothing else until it is answered.
func (s *session) greet() {
	s.dropOut()
	s.phase = greeting
	arguments := pairs{{"protocol", protocolVersion}, {"name", given(s.name)}}
	switch {
	case s.token != "":
		s.acked, s.ackedTo = s.mark()
		s.at = s.acked
		arguments = append(arguments, pair{"resume", s.token}, pair{"seq", s.at})
	case s.resumable:
		arguments = append(arguments, pair{"resume", true})
	}
	packed, _ := packRequest("hello", arguments)
	binary.BigEndian.PutUint32(packed[msgidAt:], helloID)
	s.write(packed)
}

// welcome takes the answer to hello.
func (s *session) welcome(refusal error, answer HelloResult) error {
	if refusal != nil {
		if s.token != "" {
			return over(NoSession, "sctpd says: "+refusal.Error())
		}
		return refusal
	}
	s.hello = hello{HelloResult: answer}
	for _, f := range listOf(answer.Features) {
		if word, ok := f.(string); ok {
			s.hello.features = append(s.hello.features, word)
		}
	}
	s.hello.limits, _ = answer.Limits.(Map)
	if s.resumable {
		if answer.Resume == "" {
			return over(Eproto, "the answer of sctpd to hello has no token")
		}
		s.token = answer.Resume
		if answer.Seq > 0 {
			s.at = answer.Seq
		}
		if s.at > s.seq {
			s.seq = s.at
		}
		s.early = uint64(s.clientQueue()) / 2
		s.dropNotes(func(k *kept) bool { return k.note <= answer.Notifications })
	}
	s.phase = up
	for e := s.kept.Front(); e != nil; e = e.Next() {
		s.write(e.Value.(*kept).packed)
	}
	return nil
}

// maxMessage is the longest message that the daemon takes.
func (s *session) maxMessage() int {
	if n := s.hello.limits.Int("max_message"); n > 0 {
		return int(n)
	}
	return largest
}

func (s *session) clientQueue() int {
	if n := s.hello.limits.Int("client_queue"); n > 0 {
		return int(n)
	}
	return 1 << 20
}

// dropNotes forgets notifications from the first on, as long as arrived says so.
func (s *session) dropNotes(arrived func(*kept) bool) {
	for s.loose.len() > 0 && arrived((*s.loose.first()).Value.(*kept)) {
		e := s.loose.pop()
		s.looseBytes -= len(e.Value.(*kept).packed)
		s.forget(e)
	}
}

func (s *session) survives() bool {
	for _, f := range s.hello.features {
		if f == "survive" {
			return true
		}
	}
	return false
}

// breakOff says that the connection is gone; another one may follow.
func (s *session) breakOff() {
	s.dropOut()
	if s.phase != finished {
		s.phase = away
	}
}

// end says that it is over: whoever waits for an answer gets this error.
func (s *session) end(err *Error) {
	s.phase, s.err = finished, err
	if err.Code == Superseded || err.Code == NoSession {
		s.token = ""
	}
	s.dropOut()
	s.kept.Init()
	s.keptBytes = 0
	waiting := s.waiting
	s.waiting = map[uint32]*pending{}
	for _, p := range waiting {
		p.done(err)
	}
}

// ---- in ----------------------------------------------------------------

// count says whether this number is a new one.
func (s *session) count(at uint64, size int) bool {
	s.at = at
	if at <= s.seq {
		return false
	}
	s.seq = at
	s.bytes += uint64(size)
	return true
}

// answered takes the answer to a request other than hello, whose result is filled in.
func (s *session) answered(id uint32, p *pending, err error, size int) {
	if s.resumable {
		s.count(s.at+1, size)
	}
	if p == nil || s.waiting[id] != p {
		return // it came once more, or nobody asked here
	}
	delete(s.waiting, id)
	s.forget(p.kept)
	s.dropNotes(func(k *kept) bool { return k.order <= p.order })
	p.done(err)
}

// event says whether one that came is to be given to the program.
func (s *session) event(seq uint64, size int) bool {
	if !s.resumable {
		return true
	}
	if seq == 0 {
		seq = s.at + 1
	}
	if !s.count(seq, size) {
		return false
	}
	s.open.push(openEvent{seq: seq, before: s.bytes - uint64(size)})
	return true
}
