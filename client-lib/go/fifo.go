// SPDX-License-Identifier: BSD-2-Clause

package sctpd

import "sort"

// fifo is a queue whose memory is used again.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.items) - f.head }

func (f *fifo[T]) push(item T) { f.items = append(f.items, item) }

// first is the one that pop gives next.
func (f *fifo[T]) first() *T { return &f.items[f.head] }

func (f *fifo[T]) pop() T {
	var none T
	item := f.items[f.head]
	f.items[f.head] = none
	f.head++
	if f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
		if cap(f.items) > 1024 {
			f.items = nil
		}
	} else if f.head > 64 && f.head > len(f.items)/2 {
		n := copy(f.items, f.items[f.head:])
		for i := n; i < len(f.items); i++ {
			f.items[i] = none
		}
		f.items, f.head = f.items[:n], 0
	}
	return item
}

func (f *fifo[T]) all() []T { return f.items[f.head:] }

func (f *fifo[T]) clear() { f.items, f.head = nil, 0 }

// open are the numbers of events that are not handled, which are handled in any order.
type open struct{ fifo[openEvent] }

type openEvent struct {
	seq    uint64
	before uint64 // bytes of all messages before it
	done   bool
}

func (o *open) find(seq uint64) *openEvent {
	all := o.all()
	i := sort.Search(len(all), func(i int) bool { return all[i].seq >= seq })
	if i < len(all) && all[i].seq == seq {
		return &all[i]
	}
	return nil
}

func (o *open) handled(seq uint64) {
	if e := o.find(seq); e != nil {
		e.done = true
	}
	for o.len() > 0 && o.first().done {
		o.pop()
	}
}

// mark is the number up to which all is handled, and the bytes up to it, if so much has come.
func (o *open) mark(seq, bytes uint64) (uint64, uint64) {
	if o.len() == 0 {
		return seq, bytes
	}
	return o.first().seq - 1, o.first().before
}
