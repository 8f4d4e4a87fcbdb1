/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See ring.h.
 */
#include <sys/mman.h>

#include <errno.h>
#include <unistd.h>

#include "proto/tapring.h"
#include "sctpctl/ring.h"

static size_t
mapped(const struct ring *r)
{
	return TAP_RING_DATA + 2 * r->size;
}

/* A fault a page now, and none while messages come. */
static void
touch(const volatile char *p, size_t n)
{
	for (size_t at = 0; at < n; at += (size_t)getpagesize())
		(void)p[at];
}

static bool
map(struct ring *r, int fd)
{
	char	*p = mmap(NULL, mapped(r), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char	*data = p + TAP_RING_DATA;

	if (p == MAP_FAILED)
		return false;
	r->shared = (void *)p;
	r->data = data;
	if (mmap(p, TAP_RING_DATA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED &&
	    mmap(data, r->size, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, TAP_RING_DATA) != MAP_FAILED &&
	    mmap(data + r->size, r->size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, TAP_RING_DATA) != MAP_FAILED) {
		touch(data, r->size);
		return true;
	}
	ring_close(r);
	return false;
}

bool
ring_open(struct ring *r, int fd, size_t size)
{
	bool	ok;
	int	error;

	*r = (struct ring){ .size = size };
	if (fd == -1) {
		errno = EBADF;
		return false;
	}
	ok = map(r, fd);
	error = errno;
	(void)close(fd);
	errno = error;
	return ok;
}

void
ring_close(struct ring *r)
{
	if (r->shared != NULL)
		(void)munmap(r->shared, mapped(r));
	r->shared = NULL;
}

size_t
ring_read(const struct ring *r, const char **p)
{
	*p = r->data + (r->tail & (r->size - 1));
	return (size_t)(atomic_load(&r->shared->head) - r->tail);
}

void
ring_done(struct ring *r, size_t n)
{
	r->tail += n;
	/* Before head is read once more: the daemon writes head and then reads this. */
	atomic_store(&r->shared->tail, r->tail);
}

uint64_t
ring_messages(const struct ring *r)
{
	return atomic_load_explicit(&r->shared->messages, memory_order_relaxed);
}

uint64_t
ring_dropped(const struct ring *r)
{
	return atomic_load_explicit(&r->shared->dropped, memory_order_relaxed);
}
