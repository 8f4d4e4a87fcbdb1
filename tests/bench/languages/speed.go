// SPDX-License-Identifier: BSD-2-Clause

// How fast the Go library is: "speed server", which prints its port, and "speed client PORT N". See run.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"time"

	"sctpd.example/sctpd"
)

const size = 100

var ctx = context.Background()

func ok[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func server(d *sctpd.Daemon) {
	s := ok(d.Open(ctx, sctpd.Local{IP: []string{"127.0.0.1"}}))
	check(s.Listen(ctx, nil))
	fmt.Println(s.Port())
	for {
		e, is := ok(s.Recv(ctx)).(*sctpd.Data)
		if !is || e.Data[0] == 'x' {
			continue
		}
		check(s.Send(ctx, e.Data, sctpd.Info{AssocID: e.AssocID()})) // echo; quit
		if e.Data[0] == 'q' {
			ok(s.Recv(ctx))
			return
		}
	}
}

func client(d *sctpd.Daemon, port, n int) {
	s := ok(d.Open(ctx, sctpd.Local{}))
	assoc := sctpd.Info{AssocID: ok(s.Connect(ctx, []string{"127.0.0.1"}, uint16(port))).AssocID}
	times := make([]time.Duration, n/10)
	for i := range times {
		begun := time.Now()
		check(s.Send(ctx, bytes.Repeat([]byte("e"), size), assoc))
		ok(s.Recv(ctx))
		times[i] = time.Since(begun)
	}
	message := bytes.Repeat([]byte("x"), size)
	begun := time.Now()
	for i := 0; i < n; i++ {
		ok(s.Post(ctx, message, assoc))
	}
	check(s.Send(ctx, bytes.Repeat([]byte("q"), size), assoc))
	ok(s.Recv(ctx)) // it has passed all of them
	took := time.Since(begun)
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	fmt.Println(float64(n)/took.Seconds(), float64(times[len(times)/2].Nanoseconds())/1000)
}

func main() {
	d := ok(sctpd.Connect(ctx, ""))
	defer d.Close()
	if os.Args[1] == "server" {
		server(d)
	} else {
		client(d, ok(strconv.Atoi(os.Args[2])), ok(strconv.Atoi(os.Args[3])))
	}
}
