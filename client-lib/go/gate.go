// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import "context"

type gateKey struct {
	sock  uint64
	assoc uint32
}

// gate is how much of one association is under way; what is more waits in its order.
// It waits here, not in the daemon, once a share of what that lets one client have
// waiting is under way: so the daemon goes on to read what others send.
type gate struct {
	d       *Daemon
	key     gateKey
	size    int
	waiters fifo[*passage]
}

type passage struct {
	size   int
	passed chan struct{}
	left   bool // it waits no more
}

func (g *gate) fits(size int) bool {
	return g.size == 0 || g.size+size <= g.d.s.clientQueue()/2/len(g.d.gates)
}

// enter waits until there is room. It is called with the lock held, which it gives up meanwhile.
func (d *Daemon) enter(ctx context.Context, stop <-chan struct{}, key gateKey, size int) (*gate, error) {
	g := d.gates[key]
	if g == nil {
		g = &gate{d: d, key: key}
		d.gates[key] = g
	}
	if g.waiters.len() == 0 && g.fits(size) || d.s.phase == finished {
		g.size += size
		return g, nil
	}
	p := &passage{size: size, passed: make(chan struct{})}
	g.waiters.push(p)
	d.mu.Unlock()
	err := wait(ctx, stop, p.passed)
	d.mu.Lock()
	if err == nil {
		return g, nil
	}
	select {
	case <-p.passed:
		g.leave(size)
	default:
		p.left = true
		g.admit()
	}
	return nil, err
}

func (g *gate) leave(size int) {
	g.size -= size
	g.admit()
}

func (g *gate) admit() {
	for g.waiters.len() > 0 {
		p := *g.waiters.first()
		if !p.left {
			if !g.fits(p.size) {
				return
			}
			g.size += p.size
			close(p.passed)
		}
		g.waiters.pop()
	}
	if g.size == 0 && g.d.gates[g.key] == g {
		delete(g.d.gates, g.key)
	}
}

// open lets all pass: they find out by themselves that it is over.
func (g *gate) open() {
	for g.waiters.len() > 0 {
		if p := g.waiters.pop(); !p.left {
			g.size += p.size
			close(p.passed)
		}
	}
}
