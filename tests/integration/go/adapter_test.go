// SPDX-License-Identifier: BSD-2-Clause

// An AMF and a gNB as free5GC's programs are written, with the package sctp of the library.
package main

import (
	"errors"
	"io"
	"net"
	"reflect"
	"syscall"
	"testing"

	"sctpd.example/sctpd/sctp"
)

const ngapPPID = 0x3c000000 // as ngap.PPID of free5GC: 60 as it lies in memory

type said struct {
	conn    net.Conn
	message string
	what    string
}

// accept is what an AMF does with each association.
func accept(listener *sctp.SCTPListener) *sctp.SCTPConn {
	conn := ok(listener.AcceptSCTP())
	info := ok(conn.GetDefaultSentParam())
	info.PPID = ngapPPID
	check(conn.SetDefaultSentParam(info))
	check(conn.SubscribeEvents(sctp.SCTP_EVENT_DATA_IO | sctp.SCTP_EVENT_SHUTDOWN | sctp.SCTP_EVENT_ASSOCIATION))
	check(conn.SetReadBuffer(262144))
	check(conn.SetReadTimeout(syscall.Timeval{Sec: 0, Usec: 50000}))
	return conn
}

// handle reads as an AMF does, until the association is over; idle is told when nothing came in the time of SetReadTimeout.
func handle(conn *sctp.SCTPConn, to chan<- said, idle chan<- bool) {
	defer close(to)
	buf := make([]byte, 262144)
	for {
		n, info, notification, err := conn.SCTPRead(buf)
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			to <- said{conn, "", "EOF"}
			return
		case err == syscall.EAGAIN || err == syscall.EINTR:
			select {
			case idle <- true:
			default:
			}
		case err != nil:
			to <- said{conn, "", err.Error()}
			return
		case notification != nil:
			switch notification.Type() {
			case sctp.SCTP_ASSOC_CHANGE:
				switch notification.(*sctp.SCTPAssocChangeEvent).State() {
				case sctp.SCTP_COMM_LOST:
					to <- said{conn, "", "COMM_LOST"}
				case sctp.SCTP_SHUTDOWN_COMP:
					to <- said{conn, "", "SHUTDOWN_COMP"}
				}
			case sctp.SCTP_SHUTDOWN_EVENT:
				to <- said{conn, "", "SHUTDOWN_EVENT"}
			}
		case info == nil || info.PPID != ngapPPID:
			to <- said{conn, "", "no NGAP"}
		default:
			to <- said{conn, string(buf[:n]), "message"}
		}
	}
}

func TestProgramsOfFree5GC(t *testing.T) {
	config := &sctp.SocketConfig{InitMsg: sctp.InitMsg{NumOstreams: 3, MaxInstreams: 5, MaxAttempts: 2, MaxInitTimeout: 2},
		RtoInfo: &sctp.RtoInfo{SrtoInitial: 500, SrtoMax: 1500, StroMin: 100}, AssocInfo: &sctp.AssocInfo{AsocMaxRxt: 4}}
	listener := ok(config.Listen("sctp", ok(sctp.ResolveSCTPAddr("sctp", "127.0.0.1:0"))))
	amfAddr := listener.Addr().(*sctp.SCTPAddr)

	gnb := ok(sctp.DialSCTP("sctp", ok(sctp.ResolveSCTPAddr("sctp", "127.0.0.1:0")), amfAddr))
	amf := accept(listener)
	same(gnb.RemoteAddr().String(), amfAddr.String())
	same(amf.RemoteAddr().String(), gnb.LocalAddr().String())
	info := ok(gnb.GetDefaultSentParam())
	info.PPID = ngapPPID
	check(gnb.SetDefaultSentParam(info))
	rto := ok(amf.GetRtoInfo())
	same([]uint32{rto.SrtoInitial, rto.SrtoMax, rto.StroMin}, []uint32{500, 1500, 100})
	same(ok(amf.GetAssocInfo()).AsocMaxRxt, uint16(4))
	check(amf.SetRtoInfo(sctp.RtoInfo{SrtoMax: 1400}))
	same(ok(amf.GetRtoInfo()).SrtoMax, uint32(1400))
	check(gnb.SetInitMsg(3, 5, 2, 2))
	check(gnb.SetNoDelay(1))
	same(ok(gnb.GetNoDelay()), 1)
	same(ok(gnb.SCTPGetPrimaryPeerAddr()).String(), amfAddr.String())
	same(ok(amf.GetReadBuffer()) >= 262144/2, true)

	events, idle := make(chan said, 10), make(chan bool)
	go handle(amf, events, idle)
	<-idle
	ok(gnb.Write([]byte("NGSetupRequest")))
	same(<-events, said{amf, "NGSetupRequest", "message"})
	ok(gnb.SCTPWrite([]byte("InitialUEMessage"), &sctp.SndRcvInfo{Stream: 1, PPID: ngapPPID}))
	same(<-events, said{amf, "InitialUEMessage", "message"})
	ok(gnb.SCTPWrite([]byte("something"), &sctp.SndRcvInfo{PPID: 0x12000000}))
	same(<-events, said{amf, "", "no NGAP"})

	// What the AMF writes has the PPID that it set, and is read in pieces if need be.
	ok(amf.Write([]byte("NGSetupResponse")))
	buf := make([]byte, 8)
	n, got, _, err := gnb.SCTPRead(buf)
	check(err)
	same([]any{string(buf[:n]), got.PPID, got.Stream}, []any{"NGSetupR", uint32(ngapPPID), uint16(0)})
	n, got, _, err = gnb.SCTPRead(buf)
	check(err)
	same([]any{string(buf[:n]), got.PPID}, []any{"esponse", uint32(ngapPPID)})
	check(gnb.SetReadTimeout(syscall.Timeval{Usec: 1000}))
	_, _, _, err = gnb.SCTPRead(buf)
	same(err, syscall.EAGAIN)

	// The end: as it is with the system, and a connection that is closed looks like none.
	check(gnb.Close())
	same(reflect.DeepEqual(gnb, sctp.NewSCTPConn(-1, nil)), true)
	_, err = gnb.Read(buf)
	same(err, syscall.EBADF)
	same(gnb.Close(), syscall.EBADF)
	var ends []string
	for e := range events {
		ends = append(ends, e.what)
	}
	same(ends[len(ends)-2:], []string{"SHUTDOWN_COMP", "EOF"})
	check(amf.Close())

	waits := make(chan *sctp.SCTPConn)
	go func() { waits <- ok(listener.AcceptSCTP(100)) }()
	check(listener.Close())
	if c := <-waits; c != nil || !listener.IsStopped() {
		t.Fatal("who waited for an association got one")
	}
	_, err = listener.Accept()
	fails(err, net.ErrClosed)
	_, err = sctp.DialSCTP("sctp", nil, nil)
	fails(err, syscall.EDESTADDRREQ)
	_, err = (&sctp.SocketConfig{Control: func(string, string, syscall.RawConn) error { return nil }}).Listen("sctp", amfAddr)
	same(err != nil, true)
}

func TestAddressesOfFree5GC(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:38412": "127.0.0.1:38412", "127.0.0.1/127.0.0.2:38412": "127.0.0.1/127.0.0.2:38412", ":38412": ":38412",
		"[::1]:38412": "[::1]:38412", "[::1]/[fd00::1]:1": "[::1]/[fd00::1]:1", "localhost:9": "127.0.0.1:9",
	} {
		network := "sctp"
		if text == "localhost:9" {
			network = "sctp4"
		}
		same(ok(sctp.ResolveSCTPAddr(network, text)).String(), want)
	}
	for _, wrong := range []string{"", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1/:1", "127.0.0.1:x"} {
		if _, err := sctp.ResolveSCTPAddr("sctp", wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	if _, err := sctp.ResolveSCTPAddr("tcp", "127.0.0.1:1"); err == nil {
		t.Error("tcp was taken")
	}
	var none *sctp.SCTPConn
	if _, err := none.Write(nil); !errors.Is(err, syscall.EBADF) {
		t.Error(err)
	}
}
