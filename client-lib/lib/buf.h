/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that grow at one end and go at the other. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <string.h>

#include "lib/internal.h"

/* What buf_reserve does where there is not room yet. */
bool buf_grow(struct buf *, size_t n);
void buf_free(struct buf *);

/* These are inline because msgpack-c adds a message in twenty pieces. */

/* Room for n more bytes; false without memory. */
static inline bool
buf_reserve(struct buf *b, size_t n)
{
	return b->room - b->len >= n || buf_grow(b, n);
}

static inline bool
buf_add(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return false;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	return true;
}

#endif
