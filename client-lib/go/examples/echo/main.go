// SPDX-License-Identifier: BSD-2-Clause

// A socket that sends each message back, whatever happens to sctpd: echo [PORT].
// It ends when a message says so.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"

	"sctpd.example/sctpd"
)

func main() {
	port := 0
	if len(os.Args) > 1 {
		port, _ = strconv.Atoi(os.Args[1])
	}
	ctx := context.Background()
	var gone, back atomic.Int32
	d, err := sctpd.Config{OnChange: func(change sctpd.Change) {
		switch change {
		case sctpd.Gone:
			gone.Add(1)
		case sctpd.Back:
			back.Add(1)
		}
	}}.Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := echo(ctx, d, uint16(port)); err != nil {
		log.Fatal(err)
	}
	d.Close()
	fmt.Println("the daemon was gone", gone.Load(), "times, and came back", back.Load(), "times")
}

func echo(ctx context.Context, d *sctpd.Daemon, port uint16) error {
	s, err := d.Open(ctx, sctpd.Local{Port: port})
	if err != nil {
		return err
	}
	if err := s.Listen(ctx, nil); err != nil {
		return err
	}
	fmt.Println(s.Port())
	for {
		event, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		message, ok := event.(*sctpd.Data)
		if !ok {
			continue
		}
		if err := s.Send(ctx, message.Data, sctpd.Info{AssocID: message.AssocID(), Stream: message.Stream()}); err != nil {
			return err
		}
		if string(message.Data) == "end" {
			return nil
		}
	}
}
