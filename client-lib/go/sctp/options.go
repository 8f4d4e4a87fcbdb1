// SPDX-License-Identifier: BSD-2-Clause

package sctp

import (
	"context"
	"syscall"

	"sctpd.example/sctpd"
)

// InitMsg is sctp_initmsg of RFC 6458; what is 0 stays as it is.
type InitMsg struct {
	NumOstreams    uint16
	MaxInstreams   uint16
	MaxAttempts    uint16
	MaxInitTimeout uint16
}

// RtoInfo is sctp_rtoinfo of RFC 6458, in ms; what is 0 stays as it is.
type RtoInfo struct {
	SrtoAssocID int32
	SrtoInitial uint32
	SrtoMax     uint32
	StroMin     uint32
}

// AssocInfo is sctp_assocparams of RFC 6458; what is 0 stays as it is.
type AssocInfo struct {
	AssocID                SCTPAssocID
	AsocMaxRxt             uint16
	NumberPeerDestinations uint16
	PeerRwnd               uint32
	LocalRwnd              uint32
	CookieLife             uint32
}

// number is not given where it is 0.
func number[T uint16 | uint32](n T) *int {
	if n == 0 {
		return nil
	}
	return sctpd.V(int(n))
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func (m InitMsg) option() sctpd.Option {
	return sctpd.SctpInitmsg{NumOstreams: number(m.NumOstreams), MaxInstreams: number(m.MaxInstreams),
		MaxAttempts: number(m.MaxAttempts), MaxInitTimeo: number(m.MaxInitTimeout)}
}

func (r RtoInfo) option() sctpd.Option {
	return sctpd.SctpRtoinfo{Initial: number(r.SrtoInitial), Max: number(r.SrtoMax), Min: number(r.StroMin)}
}

func (a AssocInfo) option() sctpd.Option {
	return sctpd.SctpAssocinfo{Asocmaxrxt: number(a.AsocMaxRxt), LocalRwnd: number(a.LocalRwnd), CookieLife: number(a.CookieLife)}
}

func (s *SCTPConn) set(options ...sctpd.Option) error {
	c, err := s.now()
	if err != nil {
		return err
	}
	return c.Socket().SetOptions(context.Background(), options...)
}

func (s *SCTPConn) get(option sctpd.Readable) error {
	c, err := s.now()
	if err != nil {
		return err
	}
	return c.Socket().GetOption(context.Background(), option)
}

// SetInitMsg is for associations to come.
func (s *SCTPConn) SetInitMsg(numOstreams, maxInstreams, maxAttempts, maxInitTimeout int) error {
	for _, n := range []int{numOstreams, maxInstreams, maxAttempts, maxInitTimeout} {
		if n < 0 || n > 65535 {
			return syscall.EINVAL
		}
	}
	return s.set(InitMsg{uint16(numOstreams), uint16(maxInstreams), uint16(maxAttempts), uint16(maxInitTimeout)}.option())
}

// SetRtoInfo sets the bounds of the retransmission timeout.
func (s *SCTPConn) SetRtoInfo(info RtoInfo) error { return s.set(info.option()) }

// GetRtoInfo reads them.
func (s *SCTPConn) GetRtoInfo() (*RtoInfo, error) {
	var r sctpd.SctpRtoinfo
	if err := s.get(&r); err != nil {
		return nil, err
	}
	return &RtoInfo{SrtoInitial: uint32(value(r.Initial)), SrtoMax: uint32(value(r.Max)), StroMin: uint32(value(r.Min))}, nil
}

// SetAssocInfo sets the limits of an association.
func (s *SCTPConn) SetAssocInfo(info AssocInfo) error { return s.set(info.option()) }

// GetAssocInfo reads them.
func (s *SCTPConn) GetAssocInfo() (*AssocInfo, error) {
	var a sctpd.SctpAssocinfo
	if err := s.get(&a); err != nil {
		return nil, err
	}
	return &AssocInfo{AssocID: SCTPAssocID(a.AssocID), AsocMaxRxt: uint16(value(a.Asocmaxrxt)),
		NumberPeerDestinations: uint16(value(a.NumberPeerDestinations)), PeerRwnd: uint32(value(a.PeerRwnd)),
		LocalRwnd: uint32(value(a.LocalRwnd)), CookieLife: uint32(value(a.CookieLife))}, nil
}

// SetDefaultSentParam says how messages are sent that have no SndRcvInfo.
func (s *SCTPConn) SetDefaultSentParam(info *SndRcvInfo) error {
	return s.set(sctpd.SctpDefaultSendParam{Stream: sctpd.V(int(info.Stream)), Flags: append([]string{}, words(info.Flags)...),
		PPID: sctpd.V(int(swapped(info.PPID))), Context: sctpd.V(int(info.Context)), Timetolive: sctpd.V(int(info.TTL))})
}

// GetDefaultSentParam reads that.
func (s *SCTPConn) GetDefaultSentParam() (*SndRcvInfo, error) {
	var p sctpd.SctpDefaultSendParam
	if err := s.get(&p); err != nil {
		return nil, err
	}
	return &SndRcvInfo{Stream: uint16(value(p.Stream)), Flags: bits(p.Flags), PPID: swapped(uint32(value(p.PPID))),
		Context: uint32(value(p.Context)), TTL: uint32(value(p.Timetolive)), AssocID: int32(p.AssocID)}, nil
}

// SetNoDelay sends each message at once, if it is not 0.
func (s *SCTPConn) SetNoDelay(on int) error { return s.set(sctpd.SctpNodelay(on != 0)) }

// GetNoDelay reads that.
func (s *SCTPConn) GetNoDelay() (int, error) {
	var on sctpd.SctpNodelay
	if err := s.get(&on); err != nil || !bool(on) {
		return 0, err
	}
	return 1, nil
}

// SetMaxSegSize is the largest piece of a message in one packet; 0: as large as fits.
func (s *SCTPConn) SetMaxSegSize(size int) error {
	return s.set(sctpd.SctpMaxseg{AssocValue: sctpd.V(size)})
}

// GetMaxSegSize reads that.
func (s *SCTPConn) GetMaxSegSize() (*int, error) {
	var size sctpd.SctpMaxseg
	if err := s.get(&size); err != nil {
		return nil, err
	}
	return sctpd.V(value(size.AssocValue)), nil
}

// SetReadBuffer is the size of the receive buffer.
func (s *SCTPConn) SetReadBuffer(bytes int) error { return s.set(sctpd.Recbuf(bytes)) }

// GetReadBuffer reads that.
func (s *SCTPConn) GetReadBuffer() (int, error) {
	var n sctpd.Recbuf
	err := s.get(&n)
	return int(n), err
}

// SetWriteBuffer is the size of the send buffer.
func (s *SCTPConn) SetWriteBuffer(bytes int) error { return s.set(sctpd.Sndbuf(bytes)) }

// GetWriteBuffer reads that.
func (s *SCTPConn) GetWriteBuffer() (int, error) {
	var n sctpd.Sndbuf
	err := s.get(&n)
	return int(n), err
}

// SetWriteTimeout says how long a message may wait for room; 0: for ever.
func (s *SCTPConn) SetWriteTimeout(tv syscall.Timeval) error {
	timeout := sctpd.SendTimeout(tv.Nano())
	if timeout == 0 {
		timeout = sctpd.SendTimeout(sctpd.Infinity)
	}
	return s.set(timeout)
}

// SCTPGetPrimaryPeerAddr is the address of the peer that messages are sent to.
func (s *SCTPConn) SCTPGetPrimaryPeerAddr() (*SCTPAddr, error) {
	var p sctpd.SctpPrimaryAddr
	if err := s.get(&p); err != nil {
		return nil, err
	}
	if p.Addr == nil {
		return nil, syscall.ENOTCONN
	}
	return fromDaemon(&sctpd.Addr{IP: []string{p.Addr.Addr}, Port: p.Addr.Port}), nil
}
