// SPDX-License-Identifier: BSD-2-Clause

// gen_sctp's example: "example server", and then "example 127.0.0.1".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"sctpd.example/sctpd"
)

// server prints whatever comes.
func server(ctx context.Context, d *sctpd.Daemon) error {
	s, err := d.Open(ctx, sctpd.Local{Port: 2006}, sctpd.Recbuf(65536))
	if err != nil {
		return err
	}
	if err := s.Listen(ctx, nil); err != nil {
		return err
	}
	for {
		event, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		switch e := event.(type) {
		case *sctpd.Data:
			fmt.Printf("%s %s on stream %d: %s\n", e.From, e.Kind(), e.Stream(), e.Data)
		case *sctpd.SctpAssocChange:
			fmt.Printf("%s %s %s\n", e.From, e.Kind(), e.State)
		default:
			fmt.Printf("%s %s\n", e.Common().From, e.Kind())
		}
	}
}

// client has five streams, numbered from 0: the second message is refused.
func client(ctx context.Context, d *sctpd.Daemon, addr string) error {
	s, err := d.Open(ctx, sctpd.Local{}, sctpd.SctpInitmsg{NumOstreams: sctpd.V(5)})
	if err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	assoc, err := s.Connect(soon, []string{addr}, 2006)
	if err != nil {
		return err
	}
	fmt.Println("connected,", assoc.OutboundStreams, "outbound streams")
	if err := s.Send(ctx, []byte("Test 0"), sctpd.Info{AssocID: assoc.AssocID}); err != nil {
		return err
	}
	fmt.Println(`sent "Test 0" on stream 0`)
	if err := s.Send(ctx, []byte("Test 5"), sctpd.Info{AssocID: assoc.AssocID, Stream: 5}); err != nil {
		fmt.Println("refused:", err)
	}
	time.Sleep(time.Second) // an abort does not wait for what is under way
	if err := s.Abort(ctx, assoc.AssocID, nil); err != nil {
		return err
	}
	fmt.Println("aborted")
	return nil
}

func main() {
	ctx := context.Background()
	d, err := sctpd.Connect(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	if len(os.Args) > 1 && os.Args[1] == "server" {
		err = server(ctx, d)
	} else {
		addr := "127.0.0.1"
		if len(os.Args) > 1 {
			addr = os.Args[1]
		}
		err = client(ctx, d, addr)
	}
	if err != nil {
		log.Fatal(err)
	}
}
