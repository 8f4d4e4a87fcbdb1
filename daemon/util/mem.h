/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon exits if it gets no memory, so callers do not check for NULL. Only
 * a large allocation for a single client may fail, for that client alone.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>
#include <string.h>

/* Call this before any other function. */
void mem_init(void);

/* Give the pages of what was freed back to the kernel. That takes milliseconds. */
void mem_trim(void);

void *xmalloc(size_t);
void *xcalloc(size_t, size_t);
void *xrealloc(void *, size_t);
char *xstrdup(const char *);

/* Bytes that grow at the end and are taken from the front. */
struct buf {
	char	*mem;
	size_t	 start;
	size_t	 end;
	size_t	 cap;
};

static inline size_t
buf_len(const struct buf *b)
{
	return b->end - b->start;
}

static inline char *
buf_data(const struct buf *b)
{
	return b->mem + b->start;
}

/* Room for n more bytes at the end, to be written and then counted by buf_grow. */
char *buf_make_room(struct buf *, size_t n);

/* The same, or NULL if there is no memory: for what one client has us keep. */
char *buf_try_room(struct buf *, size_t n);

static inline char *
buf_room(struct buf *b, size_t n)
{
	return b->cap - b->end >= n ? b->mem + b->end : buf_make_room(b, n);
}

static inline void
buf_grow(struct buf *b, size_t n)
{
	b->end += n;
}

/* Here because a message is packed in many pieces of few bytes. */
static inline void
buf_add(struct buf *b, const void *data, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_room(b, n), data, n);
	buf_grow(b, n);
}

/* Forget n bytes at the front; an empty buffer gives large memory back. */
void buf_drop(struct buf *, size_t n);
void buf_free(struct buf *);

/* At the end: the memory that is kept for the next large buffer. */
void buf_free_spare(void);

#endif
