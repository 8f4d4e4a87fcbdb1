// SPDX-License-Identifier: BSD-2-Clause

// Takes a partition and sends each message back, on its stream and with its PPID.
// consumer nats://127.0.0.1:4222 HOST PARTITION
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// answer puts the answer to a message into the queue. Its id follows from the message's: if this
// program dies before the acknowledgement, the second answer is refused.
func answer(js nats.JetStreamContext, host string, m *nats.Msg, words []string) error {
	out := nats.NewMsg(fmt.Sprintf("sctp.%s.out.%s.%s.%s", host, words[3], words[5], words[6]))
	out.Data = m.Data
	out.Header.Set("Sctp-Ppid", m.Header.Get("Sctp-Ppid"))
	for {
		ack, err := js.PublishMsg(out, nats.MsgId("answer-"+m.Header.Get("Nats-Msg-Id")))
		if err != nil || ack.Sequence != 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond) // one with this id is under way, and may come to nothing
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: consumer URL HOST PARTITION")
	}
	url, host, part := os.Args[1], os.Args[2], os.Args[3]
	nc, err := nats.Connect(url)
	if err != nil {
		log.Fatal(err)
	}
	js, err := nc.JetStream()
	if err != nil {
		log.Fatal(err)
	}
	sub, err := js.PullSubscribe("sctp."+host+".in.*."+part+".>", "part-"+part, nats.Bind("sctp-"+host+"-in", "part-"+part))
	if err != nil {
		log.Fatalf("consumer part-%s of the stream sctp-%s-in: %v; are HOST, PARTITION and part_consumers = yes in the configuration of sctpd-nats?",
			part, host, err)
	}
	for {
		msgs, err := sub.Fetch(1, nats.MaxWait(10*time.Second))
		if errors.Is(err, nats.ErrTimeout) {
			continue
		} else if err != nil {
			log.Fatal(err)
		}
		words := strings.Split(msgs[0].Subject, ".") // sctp.HOST.in.ENDPOINT.PART.ASSOC.STREAM
		if len(words) == 7 {
			if err := answer(js, host, msgs[0], words); err != nil {
				log.Fatal(err)
			}
		}
		if err := msgs[0].Ack(); err != nil { // events and failed messages, too
			log.Fatal(err)
		}
	}
}
