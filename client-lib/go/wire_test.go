// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"bytes"
	"errors"
	"math/rand"
	"net"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// packed gives the bytes of a message of the daemon.
func packed(t testing.TB, values ...any) []byte {
	w := newWriter(64)
	w.value(values)
	b, err := w.done()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestValuesComeAsTheyWent(t *testing.T) {
	type word string
	rows := []struct{ value, want any }{
		{nil, nil}, {true, true}, {word("w"), "w"}, {uint16(7), int64(7)}, {-7, int64(-7)}, {1 << 53, int64(1 << 53)},
		{2.5, 2.5}, {3.0, int64(3)}, {[]byte("b"), []byte("b")}, {[]string{"a", "b"}, []any{"a", "b"}}, {V(9), int64(9)},
		{1500 * time.Microsecond, int64(2)}, {Infinity, "infinity"}, {Endpoint{"::1", 5}, Map{"addr": "::1", "port": int64(5)}},
		{map[string]int{"x": 1}, Map{"x": int64(1)}}, {net.IPv4(1, 2, 3, 4), "1.2.3.4"}, {SctpRtoinfo{Max: V(0)}, Map{"max": int64(0)}},
		{SctpRtoinfo{AssocID: 3}, Map{"assoc_id": int64(3)}}, {SctpSndrcvinfo{PPID: 60}, Map{"ppid": int64(60)}},
		{pairs{{"a", (*int)(nil)}, {"b", []string(nil)}, {"c", []string{}}}, Map{"c": []any{}}},
	}
	for _, row := range rows {
		got, err := newReader(bytes.NewReader(packed(t, row.value))).any()
		if err != nil || !reflect.DeepEqual(got.([]any)[0], row.want) {
			t.Errorf("%#v: %#v, %v", row.value, got, err)
		}
	}
	for _, wrong := range []any{make(chan int), func() {}, struct{ x int }{}, complex(1, 1)} {
		if _, err := packRequest("x", pairs{{"key", wrong}}); !errors.Is(err, Badarg) || !strings.Contains(err.Error(), "badarg: key: ") {
			t.Errorf("%T: %v", wrong, err)
		}
	}
}

// What is of another type than the tables say counts as absent, whatever it is.
func TestOtherTypesCountAsAbsent(t *testing.T) {
	for _, odd := range []any{nil, true, 1, -1, 1 << 40, 2.5, "x", []byte("y"), []any{1, []any{2}}, Map{"a": Map{"b": 1}}} {
		var e SctpSendFailed
		message := Map{"sock": odd, "flags": odd, "error": odd, "info": odd, "data": odd, "from": odd, "reason": odd, "later": odd, "assoc_id": 5}
		if err := newReader(bytes.NewReader(packed(t, message)[1:])).into(&e); err != nil || e.AssocID != 5 {
			t.Errorf("%#v: %v, %v", odd, err, e.AssocID)
		}
	}
}

func hear(message []byte) *Error {
	d := newDaemon(Config{})
	d.s.phase = up
	return d.read(bytes.NewReader(message))
}

func TestWhatIsNoMessageEndsTheConnection(t *testing.T) {
	deep := bytes.Repeat([]byte{0x91}, 1<<20)
	for name, message := range map[string][]byte{
		"nothing known": {0xc1}, "an integer": {0x05}, "an empty array": {0x90}, "another kind": {0x93, 0x05, 0x01, 0x90},
		"too deep": deep, "too deep in an event": append([]byte{0x93, 0x02, 0xa1, 'x'}, deep...),
		"half a known code": {0x93, 0x02, 0xa1, 'x', 0xc1},
	} {
		if err := hear(message); err.Code != Eproto {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := hear(packed(t, 2, "data", []any{Map{"sock": 7, "data": []byte("x")}})); err.Code != Lost {
		t.Errorf("a message: %v", err)
	}
}

// Memory is taken for what comes, and not for what is announced.
func TestAnnouncedBytesTakeNoMemory(t *testing.T) {
	for _, message := range [][]byte{
		{0x93, 0x02, 0xa1, 'x', 0x91, 0x81, 0xa4, 'd', 'a', 't', 'a', 0xc6, 0x1f, 0xff, 0xff, 0xff, 'x'},
		{0x93, 0x02, 0xdb, 0x1f, 0xff, 0xff, 0xff, 'x'}, {0x93, 0x02, 0xa1, 'x', 0xdd, 0xff, 0xff, 0xff, 0xff, 0x01},
		{0x93, 0x02, 0xa1, 'x', 0x91, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 'y', 0x01},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := hear(message); err.Code != Lost {
			t.Errorf("%x: %v", message, err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%x took %d bytes", message, took)
		}
	}
}

// Messages of the daemon, changed by chance: none makes a panic or hangs.
func FuzzRead(f *testing.F) {
	seeds := [][]byte{
		packed(f, 2, "data", []any{Map{"seq": 3, "sock": 7, "from": Endpoint{"127.0.0.1", 9}, "data": []byte("hello"),
			"sctp_sndrcvinfo": Map{"assoc_id": 1, "stream": 2, "ppid": 60, "flags": []string{"unordered"}}}}),
		packed(f, 1, 5, nil, Map{"sock": 7, "port": 2905}), packed(f, 1, 5, "einval: x", nil),
		packed(f, 2, "assigned", []any{Map{"sock": 7, "group": "g", "seq": 9}}), packed(f, 2, "left", []any{Map{"group": "g"}}),
		packed(f, 2, "owner", []any{Map{"sock": 7, "owner": 3}}), packed(f, 2, "sctp_closed", []any{Map{"sock": 7}}),
		packed(f, 1, helloID, nil, Map{"resume": "t", "features": []string{"survive"}, "limits": Map{"client_queue": 1}}),
	}
	random := rand.New(rand.NewSource(1))
	for _, seed := range seeds {
		f.Add(seed)
		for i := 0; i < 2000; i++ {
			changed := append(append([]byte(nil), seed...), seeds[random.Intn(len(seeds))]...)
			for n := random.Intn(4); n >= 0; n-- {
				changed[random.Intn(len(changed))] = byte(random.Intn(256))
			}
			f.Add(changed[:random.Intn(len(changed)+1)])
		}
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if hear(message) == nil {
			t.Fatal("it goes on")
		}
	})
}

func TestNumbersOfEventsAreHandledInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewSource(2))
	for round := 0; round < 100; round++ {
		var o open
		handled := map[uint64]bool{}
		seq := uint64(0)
		for step := 0; step < 300; step++ {
			if random.Intn(2) == 0 {
				seq += 1 + uint64(random.Intn(3))
				o.push(openEvent{seq: seq, before: seq * 10})
				handled[seq] = false
			} else {
				n := uint64(random.Intn(int(seq) + 1))
				if _, is := handled[n]; is {
					handled[n] = true
				}
				o.handled(n)
			}
			want := seq
			for n, done := range handled {
				if !done && n-1 < want {
					want = n - 1
				}
			}
			if got, _ := o.mark(seq, seq*10); got != want {
				t.Fatalf("round %d, step %d: %d, not %d", round, step, got, want)
			}
		}
	}
}
