/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See tapring.h.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "proto/tapring.h"
#include "socket/tapring.h"

static size_t
mapped(const struct tapring *r)
{
	return TAP_RING_DATA + 2 * r->size;
}

/* A fault a page now, and none while messages are copied: MAP_POPULATE leaves pages that are still to be made writable. */
static void
touch(volatile char *p, size_t n)
{
	for (size_t at = 0; at < n; at += (size_t)getpagesize())
		p[at] = 0;
}

/* The struct and the ring, whose pages no message is to wait for, and the ring once more behind it. */
static bool
map(struct tapring *r, int fd)
{
	const int	 prot = PROT_READ | PROT_WRITE;
	char		*p = mmap(NULL, mapped(r), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	r->shared = (void *)p;
	r->data = p + TAP_RING_DATA;
	if (mmap(p, TAP_RING_DATA + r->size, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) != MAP_FAILED &&
	    mmap(r->data + r->size, r->size, prot, MAP_SHARED | MAP_FIXED, fd, TAP_RING_DATA) != MAP_FAILED) {
		touch(p, TAP_RING_DATA + r->size);
		return true;
	}
	tapring_close(r);
	return false;
}

int
tapring_open(struct tapring *r, size_t size)
{
	int	fd, error;

	*r = (struct tapring){ .size = size, .full_at = size };
	if ((fd = memfd_create("sctpd-tap", MFD_CLOEXEC | MFD_ALLOW_SEALING)) == -1)
		return -1;
	if (ftruncate(fd, (off_t)(TAP_RING_DATA + size)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 && map(r, fd))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

void
tapring_close(struct tapring *r)
{
	(void)munmap(r->shared, mapped(r));
	r->shared = NULL;
}

bool
tapring_begin(struct tapring *r, size_t room, struct pcapng *o)
{
	uint64_t	tail;

	if (r->full_at - r->written < room) {
		tail = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
		if (tail > r->written || r->written - tail > r->size)
			return false;
		r->full_at = tail + r->size;
		if (r->full_at - r->written < room)
			return false;
	}
	*o = (struct pcapng){ .mem = r->data + (r->written & (r->size - 1)), .size = room };
	return true;
}

void
tapring_wrote(struct tapring *r, size_t n)
{
	r->written += n;
}

void
tapring_commit(struct tapring *r)
{
	r->committed = r->written;
}

bool
tapring_show(struct tapring *r, uint64_t messages, uint64_t dropped)
{
	uint64_t	before = r->shown;

	atomic_store_explicit(&r->shared->messages, messages, memory_order_relaxed);
	atomic_store_explicit(&r->shared->dropped, dropped, memory_order_relaxed);
	if (r->committed == before)
		return false;
	r->shown = r->committed;
	/* In one order with the reader's store of tail and its load of head: one of us sees what the other did. */
	atomic_store(&r->shared->head, r->shown);
	return atomic_load(&r->shared->tail) == before;
}
