// SPDX-License-Identifier: BSD-2-Clause

// Package sctp has the interface of github.com/free5gc/sctp over the daemon sctpd, so that
// free5GC's programs and their kin need another import and nothing else. There are no
// descriptors: what takes one of the system (Getsockopt, SocketConfig.Control) is not there, or
// says so. PPIDs are as they lie in memory, as that package has them: 60 is 0x3c000000.
package sctp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"sctpd.example/sctpd"
)

// What SubscribeEvents takes.
const (
	SCTP_EVENT_DATA_IO = 1 << iota
	SCTP_EVENT_ASSOCIATION
	SCTP_EVENT_ADDRESS
	SCTP_EVENT_SEND_FAILURE
	SCTP_EVENT_PEER_ERROR
	SCTP_EVENT_SHUTDOWN
	SCTP_EVENT_PARTIAL_DELIVERY
	SCTP_EVENT_ADAPTATION_LAYER
	SCTP_EVENT_AUTHENTICATION
	SCTP_EVENT_SENDER_DRY

	SCTP_EVENT_ALL = 1<<iota - 1
)

// Flags of a message.
const (
	SCTP_UNORDERED = 1 << iota
	SCTP_ADDR_OVER
	SCTP_ABORT
	SCTP_SACK_IMMEDIATELY
	SCTP_EOF
)

// Limits and defaults.
const (
	SCTP_MAX_STREAM     = 0xffff
	SCTP_DEFAULT_MAXSEG = 0
)

var flagWords = map[uint16]string{SCTP_UNORDERED: "unordered", SCTP_ADDR_OVER: "addr_over", SCTP_ABORT: "abort",
	SCTP_SACK_IMMEDIATELY: "sack_immediately", SCTP_EOF: "eof"}

// SndRcvInfo is how a message is sent, or was.
type SndRcvInfo struct {
	Stream  uint16
	SSN     uint16
	Flags   uint16
	_       uint16
	PPID    uint32
	Context uint32
	TTL     uint32
	TSN     uint32
	CumTSN  uint32
	AssocID int32
}

// swapped turns a PPID as it lies in memory into a number, and back.
func swapped(ppid uint32) uint32 {
	return binary.BigEndian.Uint32((*[4]byte)(unsafe.Pointer(&ppid))[:])
}

func words(flags uint16) []string {
	var list []string
	for bit := uint16(1); bit <= SCTP_EOF; bit <<= 1 {
		if flags&bit != 0 {
			list = append(list, flagWords[bit])
		}
	}
	return list
}

func bits(list []string) (flags uint16) {
	for bit, word := range flagWords {
		for _, w := range list {
			if w == word {
				flags |= bit
			}
		}
	}
	return flags
}

func (i *SndRcvInfo) info() sctpd.Info {
	if i == nil {
		return sctpd.Info{}
	}
	return sctpd.Info{Stream: i.Stream, Flags: words(i.Flags), PPID: swapped(i.PPID), Context: i.Context, Timetolive: i.TTL}
}

func received(info sctpd.Info) *SndRcvInfo {
	return &SndRcvInfo{Stream: info.Stream, SSN: info.SSN, Flags: bits(info.Flags), PPID: swapped(info.PPID),
		Context: info.Context, TSN: info.TSN, CumTSN: info.Cumtsn, AssocID: int32(info.AssocID)}
}

// ---- the daemon --------------------------------------------------------

var daemon struct {
	sync.Mutex
	*sctpd.Daemon
}

// Use says by which connection to the daemon this package works from now on. Without it, the package
// connects by itself, to SCTPD_SOCKET or the service's socket.
func Use(d *sctpd.Daemon) {
	daemon.Lock()
	defer daemon.Unlock()
	daemon.Daemon = d
}

func connected() (*sctpd.Daemon, error) {
	daemon.Lock()
	defer daemon.Unlock()
	if daemon.Daemon == nil || daemon.Err() != nil { // one that is over for good is followed by another
		d, err := sctpd.Connect(context.Background(), "")
		if err != nil {
			return nil, err
		}
		daemon.Daemon = d
	}
	return daemon.Daemon, nil
}

// ---- connections -------------------------------------------------------

// NotificationHandler is there for NewSCTPConn.
type NotificationHandler func([]byte) error

// SCTPConn is an association. When it is closed it is equal to NewSCTPConn(-1, nil).
type SCTPConn struct {
	open atomic.Pointer[conn]
}

type conn struct {
	*sctpd.Conn
	events   atomic.Int32
	timeout  atomic.Int64 // of SCTPRead; 0: none
	nonBlock atomic.Bool
	reading  sync.Mutex
	rest     []byte // of a message that was longer than the buffer
	restInfo *SndRcvInfo
	end      error // what comes next, and from then on io.EOF
}

var _ net.Conn = (*SCTPConn)(nil)

func made(c *sctpd.Conn) *SCTPConn {
	s := &SCTPConn{}
	s.open.Store(&conn{Conn: c})
	return s
}

// NewSCTPConn gives one that is closed. Descriptors are not taken: use DialSCTP and AcceptSCTP.
func NewSCTPConn(fd int, handler NotificationHandler) *SCTPConn { return &SCTPConn{} }

// now is what it stands for; EBADF after Close.
func (s *SCTPConn) now() (*conn, error) {
	if s != nil {
		if c := s.open.Load(); c != nil {
			return c, nil
		}
	}
	return nil, syscall.EBADF
}

// SubscribeEvents says which notifications SCTPRead gives: those of SCTP_EVENT_ASSOCIATION and SCTP_EVENT_SHUTDOWN have
// types here. Messages always have their SndRcvInfo.
func (s *SCTPConn) SubscribeEvents(flags int) error {
	c, err := s.now()
	if err == nil {
		c.events.Store(int32(flags))
	}
	return err
}

// SubscribedEvents gives them.
func (s *SCTPConn) SubscribedEvents() (int, error) {
	c, err := s.now()
	if err != nil {
		return 0, err
	}
	return int(c.events.Load()), nil
}

// SCTPRead gives a message with its SndRcvInfo, or a Notification. Of a message that is longer than b it gives as much as
// fits, and the rest next time. It fails with io.EOF when the peer has ended the association, with ECONNRESET when that was
// lost, with EAGAIN after the time of SetReadTimeout, and with EBADF after Close.
func (s *SCTPConn) SCTPRead(b []byte) (int, *SndRcvInfo, Notification, error) {
	c, err := s.now()
	if err != nil {
		return 0, nil, nil, err
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	ctx := context.Background()
	if timeout := c.timeout.Load(); timeout > 0 || c.nonBlock.Load() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(timeout))
		defer cancel()
	}
	for {
		if len(c.rest) > 0 {
			n := copy(b, c.rest)
			c.rest = c.rest[n:]
			return n, c.restInfo, nil, nil
		}
		if c.end != nil {
			err := c.end
			c.end = io.EOF
			return 0, nil, nil, err
		}
		event, err := c.Next(ctx)
		if err != nil {
			return 0, nil, nil, s.reason(err)
		}
		if notification := c.take(event); notification != nil {
			return int(notification.Length()), nil, notification, nil
		}
	}
}

// take keeps a message as the rest that is read next, or gives a notification that is wanted.
func (c *conn) take(event sctpd.Event) Notification {
	wanted := func(flag int32) bool { return c.events.Load()&flag != 0 }
	switch e := event.(type) {
	case *sctpd.Data:
		c.rest, c.restInfo = e.Data, received(e.SctpSndrcvinfo)
	case *sctpd.SctpAssocChange:
		switch e.State {
		case "shutdown_comp":
			c.end = io.EOF
		case "comm_lost", "cant_assoc":
			c.end = syscall.ECONNRESET
		}
		if wanted(SCTP_EVENT_ASSOCIATION) {
			return &SCTPAssocChangeEvent{e}
		}
	case *sctpd.SctpShutdownEvent:
		if wanted(SCTP_EVENT_SHUTDOWN) {
			return &SCTPShutdownEvent{e}
		}
	}
	return nil
}

// reason is an error as the system has it, where programs compare it.
func (s *SCTPConn) reason(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return syscall.EAGAIN
	case errors.Is(err, net.ErrClosed):
		if _, closed := s.now(); closed != nil {
			return syscall.EBADF
		}
		return io.EOF
	}
	return err
}

// Read is SCTPRead for messages alone.
func (s *SCTPConn) Read(b []byte) (int, error) {
	for {
		n, _, notification, err := s.SCTPRead(b)
		if notification == nil {
			return n, err
		}
	}
}

// SCTPWrite sends a message. Without info it is sent as SetDefaultSentParam says.
func (s *SCTPConn) SCTPWrite(b []byte, info *SndRcvInfo) (int, error) {
	c, err := s.now()
	if err != nil {
		return 0, err
	}
	if err := c.WriteMsg(context.Background(), b, info.info()); err != nil {
		return 0, s.reason(err)
	}
	return len(b), nil
}

// Write is SCTPWrite without info.
func (s *SCTPConn) Write(b []byte) (int, error) { return s.SCTPWrite(b, nil) }

// Close ends the association in order. What was sent still arrives. Who reads has EBADF.
func (s *SCTPConn) Close() error {
	if s == nil {
		return syscall.EBADF
	}
	c := s.open.Swap(nil)
	if c == nil {
		return syscall.EBADF
	}
	return c.Close()
}

// LocalAddr has all addresses of this end; nil after Close.
func (s *SCTPConn) LocalAddr() net.Addr {
	c, err := s.now()
	if err != nil {
		return nil
	}
	return fromDaemon(c.Conn.LocalAddr())
}

// RemoteAddr has all addresses of the peer; nil after Close.
func (s *SCTPConn) RemoteAddr() net.Addr {
	c, err := s.now()
	if err != nil {
		return nil
	}
	return fromDaemon(c.Conn.RemoteAddr())
}

// SCTPLocalAddr is LocalAddr; there is one association.
func (s *SCTPConn) SCTPLocalAddr(id int) (*SCTPAddr, error) {
	c, err := s.now()
	if err != nil {
		return nil, err
	}
	return fromDaemon(c.Conn.LocalAddr()), nil
}

// SCTPRemoteAddr is RemoteAddr.
func (s *SCTPConn) SCTPRemoteAddr(id int) (*SCTPAddr, error) {
	c, err := s.now()
	if err != nil {
		return nil, err
	}
	return fromDaemon(c.Conn.RemoteAddr()), nil
}

func (s *SCTPConn) deadline(set func(*sctpd.Conn, time.Time) error, t time.Time) error {
	c, err := s.now()
	if err != nil {
		return err
	}
	return set(c.Conn, t)
}

// SetDeadline is that of net.Conn; who waits gets EAGAIN.
func (s *SCTPConn) SetDeadline(t time.Time) error { return s.deadline((*sctpd.Conn).SetDeadline, t) }

// SetReadDeadline likewise.
func (s *SCTPConn) SetReadDeadline(t time.Time) error {
	return s.deadline((*sctpd.Conn).SetReadDeadline, t)
}

// SetWriteDeadline likewise.
func (s *SCTPConn) SetWriteDeadline(t time.Time) error {
	return s.deadline((*sctpd.Conn).SetWriteDeadline, t)
}

// SetReadTimeout says how long SCTPRead waits; 0: for ever.
func (s *SCTPConn) SetReadTimeout(tv syscall.Timeval) error {
	c, err := s.now()
	if err == nil {
		c.timeout.Store(tv.Nano())
	}
	return err
}

// SetNonBlock: SCTPRead does not wait.
func (s *SCTPConn) SetNonBlock(on bool) error {
	c, err := s.now()
	if err == nil {
		c.nonBlock.Store(on)
	}
	return err
}
