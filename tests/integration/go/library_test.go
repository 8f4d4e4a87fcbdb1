// SPDX-License-Identifier: BSD-2-Clause

// What the Go library does with a daemon: test_go.py runs each of these, with a
// daemon of its own at SCTPD_SOCKET.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sctpd.example/sctpd"
)

var ctx = context.Background()

// ok gives the value, or ends the test.
func ok[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func same(got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got %v, want %v", got, want))
	}
}

// fails sees that an error is this one, and gives its text.
func fails(err error, want error) string {
	if !errors.Is(err, want) {
		panic(fmt.Sprintf("got %v, want %v", err, want))
	}
	return err.Error()
}

func connect(t *testing.T) *sctpd.Daemon { return connectWith(t, sctpd.Config{}) }

func connectWith(t *testing.T, c sctpd.Config) *sctpd.Daemon {
	d := ok(c.Connect(ctx))
	t.Cleanup(func() { d.Close() })
	return d
}

func open(d *sctpd.Daemon, options ...sctpd.Option) *sctpd.Socket {
	return ok(d.Open(ctx, sctpd.Local{IP: []string{"127.0.0.1"}}, options...))
}

// listener is a one-to-many socket that listens.
func listener(d *sctpd.Daemon, options ...sctpd.Option) *sctpd.Socket {
	s := open(d, options...)
	check(s.Listen(ctx, nil))
	return s
}

func associate(s *sctpd.Socket, port uint16) uint32 {
	return ok(s.Connect(ctx, []string{"127.0.0.1"}, port)).AssocID
}

// pair gives a listener, its association, a socket that is connected to it, and its association.
func pair(d *sctpd.Daemon, options ...sctpd.Option) (there *sctpd.Socket, theirs uint32, here *sctpd.Socket, ours uint32) {
	there = listener(d, options...)
	here = open(d)
	ours = associate(here, there.Port())
	up := ok(there.Recv(ctx)).(*sctpd.SctpAssocChange)
	same(up.State, "comm_up")
	return there, up.AssocID, here, ours
}

type receiver interface {
	Recv(context.Context) (sctpd.Event, error)
}

// data gives the next message.
func data(s receiver) *sctpd.Data {
	for {
		if e, is := ok(s.Recv(ctx)).(*sctpd.Data); is {
			return e
		}
	}
}

func number(n int) []byte { return []byte(fmt.Sprint(n)) }

// numbered takes messages that say first, first+1, ...
func numbered(s receiver, first, end int) {
	for n := first; n < end; n++ {
		same(string(data(s).Data), fmt.Sprint(n))
	}
}

func to(assoc uint32) sctpd.Info { return sctpd.Info{AssocID: assoc} }

// ---- what it has -------------------------------------------------------

func TestOptionsEventsAndErrors(t *testing.T) {
	d := connect(t)
	there, theirs, here, ours := pair(d, sctpd.SctpInitmsg{MaxInstreams: sctpd.V(5)})
	status := sctpd.SctpStatus{AssocID: ours}
	check(here.GetOption(ctx, &status))
	same(status.Outstrms, uint16(5))
	same(status.Primary.Address.Port, there.Port())
	check(here.SetOptions(ctx, sctpd.SctpRtoinfo{Max: sctpd.V(4000)}, sctpd.SctpNodelay(false), sctpd.Opt("recbuf", 70000)))
	var rto sctpd.SctpRtoinfo
	check(here.GetOption(ctx, &rto))
	same(*rto.Max, 4000)
	nodelay := sctpd.SctpNodelay(true)
	check(here.GetOption(ctx, &nodelay))
	same(bool(nodelay), false)
	hold := sctpd.HoldTime(0)
	check(here.SetOptions(ctx, sctpd.HoldTime(1500*time.Millisecond)))
	check(here.GetOption(ctx, &hold))
	same(time.Duration(hold), 1500*time.Millisecond)

	check(here.Send(ctx, []byte("one"), sctpd.Info{AssocID: ours, Stream: 4, PPID: sctpd.PPIDM3ua}))
	e := data(there)
	same([]any{string(e.Data), e.Stream(), e.PPID(), e.AssocID()}, []any{"one", uint16(4), uint32(3), theirs})
	check(here.Send(ctx, []byte("two"), sctpd.Info{AssocID: ours, Flags: []string{"unordered"}, PPID: 46, Timetolive: 60000}))
	e = data(there)
	same([]any{string(e.Data), e.SctpSndrcvinfo.Flags, e.PPID()}, []any{"two", []string{"unordered"}, uint32(46)})

	many := make([]sctpd.Message, 10)
	for n := range many {
		many[n] = sctpd.Message{Data: number(n), Info: sctpd.Info{Stream: 1}}
	}
	same(ok(here.SendMany(ctx, ours, many)).Taken, uint32(10))
	numbered(there, 0, 10)
	check(here.Abort(ctx, ours, []byte("enough")))
	lost := ok(there.Recv(ctx)).(*sctpd.SctpAssocChange)
	same(lost.State, "comm_lost")
	check(d.Notify(ctx, "send", sctpd.Map{"sock": here.Number(), "assoc_id": 99, "data": []byte("x")}))
	for {
		if failed, is := ok(here.Recv(ctx)).(*sctpd.SctpSendFailed); is {
			same(string(failed.Data), "x")
			same(failed.Reason != "", true)
			break
		}
	}
	same(ok(d.Call(ctx, "error_string", sctpd.Map{"error": 12})).String("text") != "", true)
	same(ok(d.Status(ctx)).PID > 1, true)
	check(here.Close())
	_, err := here.Recv(ctx)
	fails(err, net.ErrClosed)
	fails(err, sctpd.Closed)
}

func deep(n int) any {
	if n == 0 {
		return 1
	}
	return []any{deep(n - 1)}
}

// Each row is refused with its code and the place, and changes nothing.
func TestABoundLaterSocket(t *testing.T) {
	d := connect(t)
	s := ok(d.Open(ctx, sctpd.Local{Unbound: true}))
	same(s.Port(), uint16(0))
	value := ok(s.Getsockopt(ctx, 132, 0, make([]byte, 100))).Value // SCTP_RTOINFO: id, initial, max, min
	same(len(value), 16)
	copy(value[4:8], value[8:12])
	check(s.Setsockopt(ctx, 132, 0, value))
	var rto sctpd.SctpRtoinfo
	check(s.GetOption(ctx, &rto))
	same(*rto.Initial, *rto.Max)
	port := ok(s.Bind(ctx, sctpd.BindParams{IP: "127.0.0.1"})).Port
	same(port > 0 && ok(s.Sockname(ctx)).Port == port, true)
}

func TestBadInput(t *testing.T) {
	d := connect(t)
	there, _, here, ours := pair(d)
	before := ok(d.Call(ctx, "sockets", nil))
	rows := []struct {
		what string
		code error
		text string
		call func() error
	}{
		{"a stream that is not there", sctpd.Einval, "stream 60000", func() error {
			return here.Send(ctx, []byte("x"), sctpd.Info{AssocID: ours, Stream: 60000})
		}},
		{"no such association", sctpd.Epipe, "epipe: ", func() error { return here.Send(ctx, []byte("x"), to(99)) }},
		{"an empty message", sctpd.Badarg, "data", func() error { return here.Send(ctx, nil, to(ours)) }},
		{"a flag that is none", sctpd.Badarg, "flags", func() error {
			return here.Send(ctx, []byte("x"), sctpd.Info{AssocID: ours, Flags: []string{"urgent"}})
		}},
		{"a port in use", syscall.EADDRINUSE, "port", func() error {
			_, err := d.Open(ctx, sctpd.Local{IP: []string{"127.0.0.1"}, Port: there.Port()})
			return err
		}},
		{"an address of elsewhere", sctpd.Eaddrnotavail, "", func() error {
			_, err := d.Open(ctx, sctpd.Local{IP: []string{"192.0.2.1"}})
			return err
		}},
		{"an option that is none", sctpd.Einval, "no_such", func() error { return here.SetOptions(ctx, sctpd.Opt("no_such", 1)) }},
		{"a value out of range", sctpd.Badarg, "options.sctp_rtoinfo.max: -1", func() error {
			return here.SetOptions(ctx, sctpd.SctpRtoinfo{Max: sctpd.V(-1)})
		}},
		{"a value of no type", sctpd.Badarg, "options: chan int cannot be sent", func() error {
			return here.SetOptions(ctx, sctpd.Opt("recbuf", make(chan int)))
		}},
		{"a message that is too long", syscall.EMSGSIZE, "emsgsize: ", func() error {
			return here.Send(ctx, make([]byte, d.Limits().Int("max_message")+1), to(ours))
		}},
		{"a request that is too long", sctpd.Emsgsize, "the daemon takes", func() error {
			return here.Send(ctx, make([]byte, d.Limits().Int("max_message")+2<<20), to(ours))
		}},
		{"too many values", sctpd.Badarg, "wonder: too much", func() error {
			_, err := d.Call(ctx, "open", sctpd.Map{"wonder": make([]uint16, 70000)})
			return err
		}},
		{"too many of them in one another", sctpd.Badarg, "too much", func() error {
			return here.SetOptions(ctx, sctpd.Opt("recbuf", deep(20)))
		}},
		{"a method that is none", syscall.ENOSYS, "no_such", func() error { _, err := d.Call(ctx, "no_such", nil); return err }},
		{"an argument that is none", sctpd.Badarg, "wonder", func() error {
			_, err := d.Call(ctx, "open", sctpd.Map{"wonder": 1})
			return err
		}},
		{"an address without a port", sctpd.Badarg, "has no port", func() error { _, err := d.Listen(ctx, "127.0.0.1"); return err }},
		{"a port too large", sctpd.Badarg, "no port from 0 to 65535", func() error { _, err := d.Listen(ctx, ":65536"); return err }},
		{"IPv6 without brackets", sctpd.Badarg, "is no address", func() error { _, err := d.Dial(ctx, "::1:2905"); return err }},
		{"an empty address", sctpd.Badarg, "is no address", func() error { _, err := d.Dial(ctx, "127.0.0.1/:2905"); return err }},
		{"no such client", sctpd.Badarg, "client", func() error { return here.Give(ctx, 4000000000) }},
		{"no such group", syscall.ENOENT, "groups", func() error { _, err := d.Join(ctx, "no such group", 0); return err }},
		{"no such association of sctpd's", sctpd.Enoent, "supervised", func() error { _, err := d.Attach(ctx, "nobody", false); return err }},
	}
	for _, row := range rows {
		err := row.call()
		if !errors.Is(err, row.code) || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: %v; it should be %v, with %q", row.what, err, row.code, row.text)
		}
	}
	same(len(ok(d.Call(ctx, "sockets", nil)).List("sockets")), len(before.List("sockets")))
	check(here.Send(ctx, []byte("still"), to(ours)))
	same(string(data(there).Data), "still")
}

// ---- connections -------------------------------------------------------

func TestConnections(t *testing.T) {
	d := connect(t)
	l := ok(d.Listen(ctx, "127.0.0.1:0"))
	here := ok(d.Dial(ctx, l.Addr().String(), sctpd.SctpNodelay(true)))
	accepted := ok(l.Accept())
	there := accepted.(*sctpd.Conn)
	same(here.RemoteAddr().Network(), "sctp")
	same(here.RemoteAddr().String(), l.Addr().String())
	same(here.LocalAddr().String(), there.RemoteAddr().String())

	var posted []*sctpd.Sent
	for n := 0; n < 100; n++ {
		posted = append(posted, ok(here.Socket().Post(ctx, number(n), sctpd.Info{})))
	}
	for n, sent := range posted {
		check(sent.Wait(ctx))
		same(string(ok(there.ReadMsg(ctx)).Data), fmt.Sprint(n))
	}

	// Read gives what fits, and then the rest.
	ok(here.Write([]byte("0123456789")))
	ok(here.Write([]byte("ab")))
	buf := make([]byte, 4)
	var got []string
	for i := 0; i < 4; i++ {
		got = append(got, string(buf[:ok(there.Read(buf))]))
	}
	same(got, []string{"0123", "4567", "89", "ab"})

	// io.Copy needs no more than a net.Conn.
	go io.Copy(struct{ io.Writer }{accepted}, struct{ io.Reader }{accepted})
	ok(here.Write([]byte("there and back")))
	back := make([]byte, 100)
	same(string(back[:ok(here.Read(back))]), "there and back")

	check(here.Close())
	_, err := here.Read(buf)
	fails(err, net.ErrClosed)
	_, err = here.Write(buf)
	fails(err, net.ErrClosed)
	for _, how := range []func(*sctpd.Conn) error{(*sctpd.Conn).Close, func(c *sctpd.Conn) error { return c.Abort(ctx) }} {
		here, want := ok(d.Dial(ctx, l.Addr().String())), io.EOF
		there := ok(l.AcceptConn(ctx))
		ok(here.Write([]byte("last")))
		same(string(ok(there.ReadMsg(ctx)).Data), "last")
		check(how(here))
		_, err := there.ReadMsg(ctx)
		if err == io.EOF {
			_, err = there.ReadMsg(ctx)
			fails(err, want)
		} else {
			fails(err, syscall.ECONNRESET)
		}
		check(there.Close())
	}
	check(l.Close())
	_, err = l.Accept()
	fails(err, net.ErrClosed)
	_, err = d.Dial(ctx, l.Addr().String())
	same(errors.Is(err, sctpd.Econnrefused) || errors.Is(err, sctpd.CantAssoc), true) // the stacks say it in their own ways
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestDeadlinesAndContexts(t *testing.T) {
	d := connect(t)
	l := ok(d.Listen(ctx, "127.0.0.1:0"))
	here := ok(d.Dial(ctx, l.Addr().String()))
	there := ok(l.AcceptConn(ctx))

	// A deadline that has passed, one that passes, and one that is set while somebody waits.
	check(there.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err := there.ReadMsg(ctx)
	fails(err, os.ErrDeadlineExceeded)
	check(there.SetReadDeadline(time.Now().Add(20 * time.Millisecond)))
	_, err = there.Read(make([]byte, 10))
	same(isTimeout(err), true)
	check(there.SetReadDeadline(time.Time{}))
	waits := make(chan error)
	go func() {
		_, err := there.ReadMsg(ctx)
		waits <- err
	}()
	check(there.SetDeadline(time.Now()))
	fails(<-waits, os.ErrDeadlineExceeded)
	_, err = there.Write([]byte("late"))
	fails(err, os.ErrDeadlineExceeded)
	check(there.SetDeadline(time.Time{}))

	// A context that ends, and nothing is lost by it.
	for i := 0; i < 10; i++ {
		soon, cancel := context.WithCancel(ctx)
		go func() {
			_, err := there.ReadMsg(soon)
			waits <- err
		}()
		cancel()
		fails(<-waits, context.Canceled)
	}
	ok(here.Write([]byte("kept")))
	same(string(ok(there.ReadMsg(ctx)).Data), "kept")

	// A send that finds no room: the peer does not read.
	n := 0
	for err = nil; err == nil; n++ {
		check(here.SetWriteDeadline(time.Now().Add(2 * time.Second))) // of this one: all of them may take longer
		_, err = here.Write(make([]byte, 20000))
	}
	fails(err, os.ErrDeadlineExceeded)
	check(here.SetWriteDeadline(time.Time{}))
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	fails(here.WriteMsg(soon, []byte("x"), sctpd.Info{}), context.DeadlineExceeded)

	// An accept that was given up leaves its association to the next one.
	waiting, stop := context.WithCancel(ctx)
	go func() {
		_, err := l.AcceptConn(waiting)
		waits <- err
	}()
	ok(d.Status(ctx))
	stop()
	fails(<-waits, context.Canceled)
	other := ok(d.Dial(ctx, l.Addr().String()))
	ok(other.Write([]byte("x")))
	same(string(ok(ok(l.AcceptConn(ctx)).ReadMsg(ctx)).Data), "x")

	done, cancel := context.WithCancel(ctx)
	cancel()
	_, err = d.Open(done, sctpd.Local{})
	fails(err, context.Canceled)
}

func TestGoroutinesAccept(t *testing.T) {
	d := connect(t)
	l := ok(d.Listen(ctx, "127.0.0.1:0"))
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err := l.AcceptConn(soon)
	fails(err, context.DeadlineExceeded)
	got := make(chan net.Conn, 3)
	for i := 0; i < cap(got); i++ {
		go func() { got <- ok(l.Accept()) }()
	}
	ok(d.Status(ctx))
	seen := map[string]bool{}
	for i := 0; i < cap(got); i++ {
		ok(d.Dial(ctx, l.Addr().String()))
		seen[(<-got).RemoteAddr().String()] = true
	}
	same(len(seen), cap(got))
	waits := make(chan error)
	for i := 0; i < 2; i++ {
		go func() {
			_, err := l.Accept()
			waits <- err
		}()
	}
	ok(d.Status(ctx))
	check(l.Close())
	fails(<-waits, net.ErrClosed)
	fails(<-waits, net.ErrClosed)

	// What comes for an accept that was given up ends with the listener.
	l = ok(d.Listen(ctx, "127.0.0.1:0"))
	soon, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = l.AcceptConn(soon)
	fails(err, context.DeadlineExceeded)
	here := ok(d.Dial(ctx, l.Addr().String()))
	ok(d.Status(ctx))
	check(l.Close())
	_, err = here.ReadMsg(ctx)
	fails(err, io.EOF)
}

// ---- sessions ----------------------------------------------------------

func TestALaterProgramContinues(t *testing.T) {
	first := connect(t)
	s := listener(first, sctpd.OnOwnerExit("hold"))
	other := connect(t)
	c := open(other)
	assoc := associate(c, s.Port())
	for n := 0; n < 5; n++ {
		check(c.Send(ctx, number(n), to(assoc)))
	}
	numbered(s, 0, 3) // and the last of them is not handled yet
	second := connectWith(t, sctpd.Config{Token: first.Token(), Seq: first.Seq()})
	numbered(second.Socket(s.Number()), 2, 5)
	check(second.Socket(s.Number()).Close())
}

func TestEventsAreAcknowledgedByHandInAnyOrder(t *testing.T) {
	first := connectWith(t, sctpd.Config{ByHand: true})
	s := listener(first, sctpd.OnOwnerExit("hold"))
	other := connect(t)
	c := open(other)
	assoc := associate(c, s.Port())
	first.Handled(ok(s.Recv(ctx)))
	var got []*sctpd.Data
	for n := 0; n < 6; n++ {
		check(c.Send(ctx, number(n), to(assoc)))
		got = append(got, data(s))
	}
	for _, n := range []int{1, 0, 5, 3} {
		first.Handled(got[n])
	}
	same(first.Seq() >= got[1].Seq && first.Seq() < got[2].Seq, true) // answers have numbers, too
	second := connectWith(t, sctpd.Config{Token: first.Token(), Seq: first.Seq()})
	numbered(second.Socket(s.Number()), 2, 6)
	check(second.Socket(s.Number()).Close())
}

func TestManyConnectAtATime(t *testing.T) {
	var wg sync.WaitGroup
	all := make([]*sctpd.Daemon, 200)
	for i := range all {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			all[i] = ok(sctpd.Connect(ctx, ""))
		}(i)
	}
	wg.Wait()
	seen := map[uint64]bool{}
	for _, d := range all {
		seen[d.Client()] = true
		check(d.Close())
	}
	same(len(seen), 200)
}

func TestWhoIsSupersededIsTold(t *testing.T) {
	changes := make(chan sctpd.Change, 10)
	first := connectWith(t, sctpd.Config{OnChange: func(c sctpd.Change) { changes <- c }})
	s := open(first)
	waits := make(chan error)
	go func() {
		_, err := s.Recv(ctx)
		waits <- err
	}()
	ok(first.Status(ctx))
	connectWith(t, sctpd.Config{Token: first.Token(), Seq: first.Seq()})
	err := <-waits
	fails(err, sctpd.Superseded)
	fails(err, sctpd.Lost)
	same(<-changes, sctpd.Over)
	_, err = sctpd.Config{Token: strings.Repeat("0", 32)}.Connect(ctx)
	same(strings.Contains(fails(err, sctpd.NoSession), "eacces"), true)
}

func TestWithoutASessionItIsOverWithTheDaemon(t *testing.T) {
	var changes []sctpd.Change
	d := connectWith(t, sctpd.Config{Plain: true, OnChange: func(c sctpd.Change) { changes = append(changes, c) }})
	s := open(d)
	waits := make(chan error)
	go func() {
		_, err := s.Recv(ctx)
		waits <- err
	}()
	check(syscall.Kill(int(ok(d.Status(ctx)).PID), syscall.SIGKILL))
	fails(<-waits, sctpd.Lost)
	_, err := d.Status(ctx)
	fails(err, sctpd.Lost)
	same(len(changes), 0)
}

func TestNobodyListens(t *testing.T) {
	_, err := sctpd.Connect(ctx, "/nonexistent/sctpd.sock")
	same(strings.Contains(fails(err, syscall.ENOENT), "set SCTPD_SOCKET"), true)
	_, err = sctpd.Connect(ctx, "")
	check(err)
}

func TestASocketIsGivenAwayWithWhatWasNotHandled(t *testing.T) {
	one, two := connect(t), connect(t)
	there, _, here, ours := pair(one)
	quiet, _, loud, assoc := pair(one)
	check(loud.Send(ctx, []byte("held"), to(assoc)))
	data(quiet) // and it stays in hand, so that what follows is not acknowledged
	for n := 0; n < 6; n++ {
		check(here.Send(ctx, number(n), to(ours)))
	}
	numbered(there, 0, 2)
	check(there.Give(ctx, two.Client()))
	owner := ok(two.Next(ctx)).(*sctpd.Owner)
	same(owner.Sock, there.Number())
	numbered(two.Socket(owner.Sock), 2, 6)
}
