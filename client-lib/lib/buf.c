/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that grow at one end and go at the other.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

bool
buf_grow(struct buf *b, size_t n)
{
	size_t	 room = b->room > 0 ? b->room : 4096;
	char	*data;

	if (b->off > 0) {
		memmove(b->data, b->data + b->off, b->len - b->off);
		b->len -= b->off;
		b->off = 0;
	}
	while (room - b->len < n)
		room *= 2;
	if (room == b->room)
		return true;
	if ((data = realloc(b->data, room)) == NULL)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .data = NULL };
}
