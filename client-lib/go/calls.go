// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import (
	"context"
	"fmt"
	"net"
	"os"
)

// Requests: how they are queued, written and waited for.

// write writes to one connection what there is, until that is another one.
func (d *Daemon) write(conn net.Conn) {
	var batch []byte
	for {
		d.mu.Lock()
		for d.conn == conn && !d.s.writes() {
			d.more.Wait()
		}
		if d.conn != conn {
			d.mu.Unlock()
			return
		}
		packed := d.s.next(batch[:0], writeBytes)
		d.makeRoom()
		d.mu.Unlock()
		if _, err := conn.Write(packed); err != nil {
			return // the reader sees it, after what came before
		}
		if cap(packed) <= 2*writeBytes {
			batch = packed
		}
	}
}

func (d *Daemon) isFull() bool { return d.s.keptBytes > keptBytes || d.s.outBytes > keptBytes }

// makeRoom lets those go on who wait for room, if there is some.
func (d *Daemon) makeRoom() {
	if d.room != nil && (!d.isFull() || d.s.phase == finished) {
		close(d.room)
		d.room = nil
	}
}

// waitForRoom waits, with the lock given up meanwhile, until a packed message may be queued; and says why it may not.
// One that is longer than the daemon takes would end the connection.
func (d *Daemon) waitForRoom(ctx context.Context, packed []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for d.s.phase != finished && d.isFull() {
		if d.room == nil {
			d.room = make(chan struct{})
		}
		room := d.room
		d.mu.Unlock()
		err := wait(ctx, nil, room)
		d.mu.Lock()
		if err != nil {
			return err
		}
	}
	if d.s.err != nil {
		return d.s.err
	}
	if most := d.s.maxMessage(); len(packed) > most+beside {
		return &Error{Code: Emsgsize, Text: fmt.Sprintf("emsgsize: the request has %d bytes; the daemon takes messages of up to %d", len(packed), most)}
	}
	return nil
}

// call is a request that somebody waits for.
type call struct {
	done      chan struct{}
	err       error
	abandoned bool
}

// start queues a packed request, when there is room. late is called, with the lock held, for
// an answer that nobody waits for any more; then for any.
func (d *Daemon) start(ctx context.Context, packed []byte, result record, late func(), then func(error)) (*call, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.waitForRoom(ctx, packed); err != nil {
		return nil, err
	}
	c := &call{done: make(chan struct{})}
	d.s.request(packed, result, func(err error) {
		c.err = err
		if c.abandoned && err == nil && late != nil {
			late()
		}
		if then != nil {
			then(err)
		}
		close(c.done)
	})
	return c, nil
}

// wait waits for done as long as ctx, and stop of a deadline, allow.
func wait(ctx context.Context, stop, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-stop:
		return os.ErrDeadlineExceeded
	}
}

// await waits for the answer.
func (d *Daemon) await(ctx context.Context, stop <-chan struct{}, c *call) error {
	err := wait(ctx, stop, c.done)
	if err == nil {
		return c.err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	default:
		c.abandoned = true
		return err
	}
}

func (d *Daemon) call(ctx context.Context, method string, arguments pairs, result record) error {
	return d.callLate(ctx, method, arguments, result, nil)
}

func (d *Daemon) callLate(ctx context.Context, method string, arguments pairs, result record, late func()) error {
	packed, err := packRequest(method, arguments)
	if err != nil {
		return err
	}
	c, err := d.start(ctx, packed, result, late, nil)
	if err != nil {
		return err
	}
	return d.await(ctx, nil, c)
}

// ask queues a request of the library's own, with the lock held.
func (d *Daemon) ask(method string, arguments pairs, then func(error)) {
	if packed, err := packRequest(method, arguments); err == nil && d.s.err == nil {
		d.s.request(packed, nil, then)
	}
}

// Call calls any method of the daemon by its name: see proto/REFERENCE.md. What is nil is not given.
// When ctx ends before the answer, the request may still be carried out.
func (d *Daemon) Call(ctx context.Context, method string, arguments Map) (Map, error) {
	result := Map{}
	if err := d.call(ctx, method, arguments.pairs(), result); err != nil {
		return nil, err
	}
	return result, nil
}

// Call is a request of Go that is under way.
type Call struct {
	d      *Daemon
	c      *call
	result Map
}

// Go does the same, and waits only until there is room for the request: those that one goroutine makes keep their order.
func (d *Daemon) Go(ctx context.Context, method string, arguments Map) (*Call, error) {
	packed, err := packRequest(method, arguments.pairs())
	if err != nil {
		return nil, err
	}
	result := Map{}
	c, err := d.start(ctx, packed, result, nil, nil)
	if err != nil {
		return nil, err
	}
	return &Call{d, c, result}, nil
}

// Done is closed when the request is answered.
func (c *Call) Done() <-chan struct{} { return c.c.done }

// Wait waits for the answer.
func (c *Call) Wait(ctx context.Context) (Map, error) {
	if err := c.d.await(ctx, nil, c.c); err != nil {
		return nil, err
	}
	return c.result, nil
}

// Notify does the same without an answer: if it fails, an event says so (ErrorEvent of
// Events, or SctpSendFailed of the socket).
func (d *Daemon) Notify(ctx context.Context, method string, arguments Map) error {
	packed, err := packNotification(method, arguments.pairs())
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.waitForRoom(ctx, packed); err != nil {
		return err
	}
	d.s.notify(packed)
	return nil
}
