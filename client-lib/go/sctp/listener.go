// SPDX-License-Identifier: BSD-2-Clause

package sctp

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"sctpd.example/sctpd"
)

// SocketConfig has the options of a socket.
type SocketConfig struct {
	// Control would be given a descriptor; there is none, so it has to be nil.
	Control func(network, address string, c syscall.RawConn) error

	InitMsg   InitMsg
	RtoInfo   *RtoInfo
	AssocInfo *AssocInfo
	MaxSeg    int
}

func (c *SocketConfig) options() ([]sctpd.Option, error) {
	if c.Control != nil {
		return nil, errors.New("SocketConfig.Control is given a descriptor, and sockets of sctpd have none here; set options by the other fields")
	}
	options := []sctpd.Option{c.InitMsg.option()}
	if c.RtoInfo != nil {
		options = append(options, c.RtoInfo.option())
	}
	if c.AssocInfo != nil {
		options = append(options, c.AssocInfo.option())
	}
	if c.MaxSeg > 0 {
		options = append(options, sctpd.SctpMaxseg{AssocValue: sctpd.V(c.MaxSeg)})
	}
	return options, nil
}

// open opens a socket, bound to laddr, for peers of its family or of raddr's.
func (c *SocketConfig) open(network string, laddr, raddr *SCTPAddr) (*sctpd.Socket, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	d, err := connected()
	if err != nil {
		return nil, err
	}
	local := sctpd.Local{IP: laddr.texts(), Type: sctpd.Stream}
	if laddr != nil {
		local.Port = uint16(laddr.Port)
	}
	if len(local.IP) == 0 && (network == "sctp6" || raddr.isV6()) {
		local.Family = "inet6"
	}
	return d.Open(context.Background(), local, options...)
}

// Listen listens at laddr.
func (c *SocketConfig) Listen(network string, laddr *SCTPAddr) (*SCTPListener, error) {
	s, err := c.open(network, laddr, nil)
	if err != nil {
		return nil, err
	}
	l, err := s.Listener(context.Background())
	if err != nil {
		s.Close()
		return nil, err
	}
	return &SCTPListener{l: l}, nil
}

// Dial sets up an association from laddr, which may be nil, with raddr.
func (c *SocketConfig) Dial(network string, laddr, raddr *SCTPAddr) (*SCTPConn, error) {
	if raddr == nil {
		return nil, syscall.EDESTADDRREQ
	}
	s, err := c.open(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	conn, err := s.Dial(context.Background(), raddr.texts(), uint16(raddr.Port))
	if err != nil {
		s.Close()
		return nil, err
	}
	return made(conn), nil
}

// ListenSCTP listens at laddr.
func ListenSCTP(network string, laddr *SCTPAddr) (*SCTPListener, error) {
	return (&SocketConfig{InitMsg: InitMsg{NumOstreams: SCTP_MAX_STREAM}}).Listen(network, laddr)
}

// ListenSCTPExt does so with these options.
func ListenSCTPExt(network string, laddr *SCTPAddr, options InitMsg, rtoInfo *RtoInfo, assocInfo *AssocInfo, maxSeg int) (*SCTPListener, error) {
	return (&SocketConfig{nil, options, rtoInfo, assocInfo, maxSeg}).Listen(network, laddr)
}

// DialSCTP sets up an association from laddr, which may be nil, with raddr.
func DialSCTP(network string, laddr, raddr *SCTPAddr) (*SCTPConn, error) {
	return (&SocketConfig{InitMsg: InitMsg{NumOstreams: SCTP_MAX_STREAM}}).Dial(network, laddr, raddr)
}

// DialSCTPExt does so with these options.
func DialSCTPExt(network string, laddr, raddr *SCTPAddr, options InitMsg, rtoInfo *RtoInfo, assocInfo *AssocInfo, maxSeg int) (*SCTPConn, error) {
	return (&SocketConfig{nil, options, rtoInfo, assocInfo, maxSeg}).Dial(network, laddr, raddr)
}

// SCTPListener is a socket that listens.
type SCTPListener struct {
	l       *sctpd.Listener
	stopped atomic.Bool
}

var _ net.Listener = (*SCTPListener)(nil)

// AcceptSCTP waits for the next association. The argument, which some versions of the package have, is how often to look
// whether Close was called; here who waits is told at once. With it, Close gives nil and no error, as there; without it,
// net.ErrClosed.
func (l *SCTPListener) AcceptSCTP(timeout ...int) (*SCTPConn, error) {
	c, err := l.l.AcceptConn(context.Background())
	if err == nil {
		return made(c), nil
	}
	if l.stopped.Load() && len(timeout) > 0 {
		return nil, nil
	}
	return nil, err
}

// Accept is AcceptSCTP for a net.Listener.
func (l *SCTPListener) Accept() (net.Conn, error) {
	c, err := l.AcceptSCTP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// IsStopped says whether Close was called.
func (l *SCTPListener) IsStopped() bool { return l.stopped.Load() }

// Close closes the listener; accepted associations stay.
func (l *SCTPListener) Close() error {
	l.stopped.Store(true)
	return l.l.Close()
}

// Addr has all addresses that it listens on.
func (l *SCTPListener) Addr() net.Addr { return fromDaemon(l.l.Addr()) }

// MaxSeg is the largest piece of a message in one packet.
func (l *SCTPListener) MaxSeg() (int, error) {
	var size sctpd.SctpMaxseg
	err := l.l.Socket().GetOption(context.Background(), &size)
	return value(size.AssocValue), err
}
