/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation that cannot fail, and the one kind of buffer there is.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/log.h"
#include "util/mem.h"

/* What an empty buffer may keep, so that idle clients cost next to nothing. */
#define BUF_KEEP	4096
#define SPARE_MAX	(4u << 20)
#define HEAP_KEEP	(8 << 20)
#define MAP_FROM	(2 << 20)

/*
 * The allocator is jemalloc's where sctpd is linked with it. usrsctp allocates
 * about twelve pieces for a message of 1,000 bytes, frees those of a window at
 * once, and allocates them again. glibc's malloc joins and cuts them each time,
 * which is a fifth of what a message costs there. jemalloc's cache of a thread
 * keeps them as they are, if it is large enough: up to 1,000 of each length, in
 * place of 32. All that allocates much is one thread, so one arena is enough.
 *
 * What is freed stays for the next: messages that wait for room come and go
 * by the thousand, and to ask the kernel for each one's pages costs more than
 * all else that is done with it. jemalloc gives pages back after ten seconds.
 */
__attribute__((visibility("default"))) extern const char	*malloc_conf;
const char	*malloc_conf = "narenas:1,lg_tcache_nslots_mul:6,tcache_nslots_small_max:1000";

/* NULL if malloc is another one's. */
__attribute__((weak)) int mallctl(const char *, void *, size_t *, void *, size_t);

void
mem_init(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
	(void)mallopt(M_MMAP_THRESHOLD, MAP_FROM);
}

void
mem_trim(void)
{
	if (mallctl == NULL) {
		(void)malloc_trim(0);
		return;
	}
	(void)mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	(void)mallctl("arena.4096.purge", NULL, NULL, NULL, 0);	/* 4096: all (MALLCTL_ARENAS_ALL) */
}

static void *
checked(void *p)
{
	if (p == NULL)
		log_fatal("out of memory");
	return p;
}

void *
xmalloc(size_t n)
{
	return checked(malloc(n));
}

void *
xcalloc(size_t n, size_t size)
{
	return checked(calloc(n, size));
}

void *
xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n));
}

char *
xstrdup(const char *s)
{
	return checked(strdup(s));
}

/*
 * A large buffer has pages of its own. It grows where it is, or its pages move:
 * nothing is copied, and no page is cleared before there is something to put
 * there. With realloc a message of a megabyte, which comes in pieces, cost all
 * other clients two milliseconds at the moment when its buffer was doubled.
 * The address sanitizer watches only what malloc gave.
 */
#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MAPPED		SIZE_MAX
#else
#define MAPPED		(128u << 10)
#endif

static void
release(const struct buf *b)
{
	if (b->cap >= MAPPED)
		(void)munmap(b->mem, b->cap);
	else
		free(b->mem);
}

static bool
resize(struct buf *b, size_t cap)
{
	void	*new;

	if (cap < MAPPED)
		new = realloc(b->mem, cap);
	else if (b->cap >= MAPPED)
		new = mremap(b->mem, b->cap, cap, MREMAP_MAYMOVE);
	else
		new = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new == NULL || new == MAP_FAILED)
		return false;
	if (cap >= MAPPED && b->cap < MAPPED) {
		if (b->end > 0)
			memcpy(new, b->mem, b->end);
		free(b->mem);
	}
	b->mem = new;
	b->cap = cap;
	return true;
}

/*
 * Memory that a buffer gave back, for the next one that becomes large: one
 * that is filled and emptied all the time would else grow each time anew.
 */
static struct buf spare;

static bool
enlarge(struct buf *b, size_t cap)
{
	struct buf	old = *b;

	if (cap <= BUF_KEEP || cap > spare.cap || b->cap >= MAPPED)
		return resize(b, cap);
	b->mem = spare.mem;
	b->cap = spare.cap;
	spare = (struct buf){ .mem = NULL };
	if (old.end > 0)
		memcpy(b->mem, old.mem, old.end);
	release(&old);
	return true;
}

void
buf_free_spare(void)
{
	release(&spare);
	spare = (struct buf){ .mem = NULL };
}

char *
buf_try_room(struct buf *b, size_t n)
{
	/* Move only if that frees at least half of the room; otherwise it is done too often. */
	if (b->start > 0 && b->start >= b->cap / 2) {
		memmove(b->mem, b->mem + b->start, buf_len(b));
		b->end -= b->start;
		b->start = 0;
	}
	if (b->cap - b->end < n &&
	    !enlarge(b, b->end + n > b->cap * 2 ? b->end + n : b->cap * 2))
		return NULL;
	return b->mem + b->end;
}

char *
buf_make_room(struct buf *b, size_t n)
{
	return checked(buf_try_room(b, n));
}

void
buf_drop(struct buf *b, size_t n)
{
	b->start += n;
	if (b->start < b->end)
		return;
	b->start = b->end = 0;
	if (b->cap > BUF_KEEP)
		buf_free(b);
}

void
buf_free(struct buf *b)
{
	if (b->cap > spare.cap && b->cap <= SPARE_MAX) {
		release(&spare);
		spare.mem = b->mem;
		spare.cap = b->cap;
	} else
		release(b);
	memset(b, 0, sizeof *b);
}
