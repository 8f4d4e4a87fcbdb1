// SPDX-License-Identifier: BSD-2-Clause

// Readers, and programs and associations that share or are given a socket: see library_test.go.
package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sctpd.example/sctpd"
)

// ---- readers -----------------------------------------------------------

// fill sends until nothing more is accepted for a while, and gives all that were sent, and how many were accepted.
func fill(s *sctpd.Socket, assoc uint32, size int) (sent []*sctpd.Sent, accepted int) {
	pad := strings.Repeat(" ", size)
	var mu sync.Mutex
	go func() {
		for n := 0; ; n++ {
			one, err := s.Post(ctx, []byte(fmt.Sprintf("%6d", n)+pad), to(assoc))
			if err != nil {
				return // the test is over
			}
			mu.Lock()
			sent = append(sent, one)
			mu.Unlock()
		}
	}()
	for accepted = -1; ; time.Sleep(300 * time.Millisecond) {
		mu.Lock()
		done := 0
		for _, one := range sent {
			select {
			case <-one.Done():
				done++
			default:
			}
		}
		all := append([]*sctpd.Sent(nil), sent...)
		mu.Unlock()
		if done == accepted {
			return all, done
		}
		accepted = done
	}
}

func TestAReaderThatDoesNotReadStopsItsPeer(t *testing.T) {
	reader, writer := connect(t), connect(t)
	there, _, _, _ := pair(reader)
	other, _, back, assoc := pair(reader)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	away := open(writer)
	sent, accepted := fill(away, associate(away, there.Port()), 20000)
	if accepted == 0 || accepted*20000 > 32<<20 {
		t.Fatalf("%d messages of 20 kB were accepted", accepted)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if kept > 8<<20 { // of both ends; the writer may have half of client_queue under way
		t.Fatalf("%d bytes are kept", kept)
	}
	begun := time.Now()
	for n := 0; n < 20; n++ { // others go on, on the same connection
		check(back.Send(ctx, number(n), to(assoc)))
		same(string(data(other).Data), fmt.Sprint(n))
	}
	took := time.Since(begun)
	if took > 2*time.Second {
		t.Fatalf("20 others took %v", took)
	}
	for n := range sent {
		got := strings.TrimSpace(string(data(there).Data))
		same(got, strconv.Itoa(n))
		check(sent[n].Wait(ctx))
	}
	t.Logf("%d MB accepted, %d kB kept, 20 others in %v", accepted*20000>>20, kept>>10, took.Round(time.Millisecond))
}

// A server that echoes, 100 goroutines with sockets of one connection, and one more whose peer never reads.
func TestManyGoroutinesWaitForNobody(t *testing.T) {
	d, e := connect(t), connect(t)
	server := listener(e)
	go func() {
		for {
			event, err := server.Recv(ctx)
			if err != nil {
				return
			}
			if m, is := event.(*sctpd.Data); is {
				server.Post(ctx, m.Data, sctpd.Info{AssocID: m.AssocID(), Stream: m.Stream()})
			}
		}
	}()
	_, _, here, ours := pair(d)
	_, stuck := fill(here, ours, 20000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var longest time.Duration
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := open(d)
			assoc := associate(s, server.Port())
			for n := 0; n < 10; n++ {
				begun := time.Now()
				check(s.Send(ctx, number(n), to(assoc)))
				same(string(data(s).Data), fmt.Sprint(n))
				mu.Lock()
				if took := time.Since(begun); took > longest {
					longest = took
				}
				mu.Unlock()
			}
			check(s.Close())
		}()
	}
	wg.Wait()
	if longest > 10*time.Second {
		t.Fatalf("a round trip took %v", longest)
	}
	check(here.Abort(ctx, ours, nil))
	t.Logf("1000 round trips of 100 goroutines, the longest %v, beside %d messages to who does not read", longest.Round(time.Millisecond), stuck)
}

// Goroutines that share a socket: each message is taken once.
func TestGoroutinesShareASocket(t *testing.T) {
	d := connectWith(t, sctpd.Config{ByHand: true})
	there, _, here, ours := pair(d)
	const all = 500
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				event, err := there.Recv(ctx)
				if err != nil {
					return
				}
				if m, is := event.(*sctpd.Data); is {
					mu.Lock()
					got[string(m.Data)]++
					last := len(got) == all
					mu.Unlock()
					if last {
						go there.Close()
					}
				}
				d.Handled(event)
			}
		}()
	}
	for i := 0; i < 5; i++ {
		go func(i int) {
			for n := i; n < all; n += 5 {
				check(here.Send(ctx, number(n), to(ours)))
			}
		}(i)
	}
	wg.Wait()
	same(len(got), all)
	for text, times := range got {
		if times != 1 {
			t.Fatalf("%s came %d times", text, times)
		}
	}
}

// ---- groups, and supervised associations -------------------------------

func TestAMemberOfAGroup(t *testing.T) {
	owner, member, peer := connect(t), connect(t), connect(t)
	s := open(owner, sctpd.Active{Value: true})
	check(s.Group(ctx, "go", sctpd.GroupParams{Policy: sctpd.V("sticky")}))
	check(s.Listen(ctx, nil))
	group := ok(member.Join(ctx, "go", 0))
	same([]any{group.Number, group.Members}, []any{s.Number(), 1})
	c := open(peer)
	assoc := associate(c, s.Port())
	for n := 0; n < 20; n++ {
		check(c.Send(ctx, number(n), to(assoc)))
	}
	for n := 0; n < 10; {
		switch e := ok(group.Recv(ctx)).(type) {
		case *sctpd.Assigned:
			same(e.Group, "go")
			_, has := group.Has()[e.Sock]
			same(has, true)
		case *sctpd.Data:
			same(string(e.Data), fmt.Sprint(n))
			check(group.Send(ctx, e.Data, to(e.AssocID())))
			n++
		}
	}
	second := connect(t)
	heir := ok(second.Join(ctx, "go", 0))
	ok(group.Drain(ctx))
	check(group.Leave(ctx))
	numbered(heir, 10, 20)
	numbered(c, 0, 10)
	_, err := group.Recv(ctx)
	fails(err, sctpd.Closed)
	ok(owner.Ungroup(ctx, "go"))
	check(s.Close())
}

func TestASupervisedAssociationIsAttached(t *testing.T) {
	d := connect(t)
	s := listener(d)
	port := int(s.Port())
	ok(d.Supervise(ctx, "go", sctpd.SuperviseParams{Local: "127.0.0.1", Peer: []string{"127.0.0.1"}, PeerPort: &port}))
	up := ok(s.Recv(ctx)).(*sctpd.SctpAssocChange)
	a := ok(d.Attach(ctx, "go", false))
	check(s.Send(ctx, []byte("one"), to(up.AssocID)))
	same(string(data(a).Data), "one")
	mine := uint32(sctpd.Maps(ok(d.Assocs(ctx, sctpd.AssocsParams{Sock: sctpd.V(int(a.Number()))})).Assocs)[0].Int("assoc_id"))
	same(a.AssocID() == 0 || a.AssocID() == mine, true) // attach may have been before it was up
	check(a.Send(ctx, []byte("two"), to(mine)))
	same(string(data(s).Data), "two")
	check(a.Detach())
	_, err := a.Recv(ctx)
	fails(err, sctpd.Closed)
	check(d.Unsupervise(ctx, "go"))
}

// Peeling off makes a socket of an association, with what waits in the daemon.
func TestAnAssociationIsPeeledOff(t *testing.T) {
	d := connect(t)
	there, theirs, here, ours := pair(d)
	own := ok(there.Peeloff(ctx, theirs))
	same(own.AssocID(), theirs)
	for n := 0; n < 5; n++ {
		check(here.Send(ctx, number(n), to(ours)))
	}
	numbered(own, 0, 5)
	check(own.Send(ctx, []byte("back"), sctpd.Info{}))
	same(string(data(here).Data), "back")
	check(own.Close())
	for {
		if e, is := ok(here.Recv(ctx)).(*sctpd.SctpAssocChange); is {
			same(e.State, "shutdown_comp")
			break
		}
	}
}
