/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded scan that comes before msgpack-c.
 *
 * Written by hand because no MessagePack library for C can be told how deep,
 * how many and how large a message may be before it spends memory on it.
 */
#include <stdbool.h>
#include <string.h>

#include "proto/frame.h"

/* One MessagePack head: its own bytes, those of its body, values inside. */
struct head {
	size_t		size;
	uint64_t	body;
	uint64_t	inside;
};

/* The heads 0xc0 to 0xdf; an extension's has its type; head 0 is one that no message may have. */
static const struct {
	uint8_t		head;		/* bytes of the head */
	uint8_t		body;		/* bytes of the body */
	uint8_t		width;		/* bytes of the count in the head */
	enum { BYTES, VALUES, PAIRS } of;
} kinds[32] = {
	[0x00] = { 1, 0, 0, BYTES },	/* nil */
	[0x02] = { 1, 0, 0, BYTES },	/* false */
	[0x03] = { 1, 0, 0, BYTES },	/* true */
	[0x04] = { 2, 0, 1, BYTES },	/* bin 8, 16, 32 */
	[0x05] = { 3, 0, 2, BYTES },
	[0x06] = { 5, 0, 4, BYTES },
	[0x07] = { 3, 0, 1, BYTES },	/* ext 8, 16, 32 */
	[0x08] = { 4, 0, 2, BYTES },
	[0x09] = { 6, 0, 4, BYTES },
	[0x0a] = { 1, 4, 0, BYTES },	/* float 32, 64 */
	[0x0b] = { 1, 8, 0, BYTES },
	[0x0c] = { 1, 1, 0, BYTES },	/* uint 8, 16, 32, 64 */
	[0x0d] = { 1, 2, 0, BYTES },
	[0x0e] = { 1, 4, 0, BYTES },
	[0x0f] = { 1, 8, 0, BYTES },
	[0x10] = { 1, 1, 0, BYTES },	/* int 8, 16, 32, 64 */
	[0x11] = { 1, 2, 0, BYTES },
	[0x12] = { 1, 4, 0, BYTES },
	[0x13] = { 1, 8, 0, BYTES },
	[0x14] = { 2, 1, 0, BYTES },	/* fixext 1, 2, 4, 8, 16 */
	[0x15] = { 2, 2, 0, BYTES },
	[0x16] = { 2, 4, 0, BYTES },
	[0x17] = { 2, 8, 0, BYTES },
	[0x18] = { 2, 16, 0, BYTES },
	[0x19] = { 2, 0, 1, BYTES },	/* str 8, 16, 32 */
	[0x1a] = { 3, 0, 2, BYTES },
	[0x1b] = { 5, 0, 4, BYTES },
	[0x1c] = { 3, 0, 2, VALUES },	/* array 16, 32 */
	[0x1d] = { 5, 0, 4, VALUES },
	[0x1e] = { 3, 0, 2, PAIRS },	/* map 16, 32 */
	[0x1f] = { 5, 0, 4, PAIRS },
};

static uint64_t
big_endian(const uint8_t *p, unsigned width)
{
	uint64_t	v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[i];
	return v;
}

/* Read the head at p, of which n bytes are there. */
static enum frame_result
read_head(const uint8_t *p, size_t n, struct head *h)
{
	unsigned	k;
	uint64_t	count;

	*h = (struct head){ .size = 1 };
	if (*p < 0x80 || *p >= 0xe0)
		return FRAME_MESSAGE;			/* fixint */
	if (*p >= 0xa0 && *p < 0xc0) {
		h->body = *p & 0x1f;			/* fixstr */
		return FRAME_MESSAGE;
	}
	if (*p < 0xa0) {
		h->inside = (*p & 0x0fu) << (*p < 0x90);	/* fixmap, fixarray */
		return FRAME_MESSAGE;
	}
	k = *p - 0xc0u;
	if (kinds[k].head == 0)
		return FRAME_GARBAGE;			/* never used */
	h->size = kinds[k].head;
	if (n < h->size)
		return FRAME_MORE;
	count = big_endian(p + 1, kinds[k].width);
	h->body = kinds[k].body + (kinds[k].of == BYTES ? count : 0);
	h->inside = kinds[k].of == BYTES ? 0 : count << (kinds[k].of == PAIRS);
	return FRAME_MESSAGE;
}

/*
 * A message is an array of 3 or 4 whose first element is 0, 1 or 2, in
 * whichever encoding of a number the client's packer likes.
 */
static bool
begins_well(const uint8_t *p, size_t n)
{
	return (p[0] == 0x93 || p[0] == 0x94) &&
	    (n < 2 || p[1] <= 2 || (p[1] >= 0xca && p[1] <= 0xd3));
}

/* The length of a value with one byte of head and nothing inside; 0: another. */
static size_t
short_value(uint8_t head)
{
	if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3)
		return 1;
	return head >= 0xa0 && head < 0xc0 ? 1 + (head & 0x1fu) : 0;
}

/* Most values are short: take those that come now, up to the end of what they are in. */
static void
skip_short(struct frame *f, const uint8_t *p, size_t n)
{
	uint32_t	*left = &f->left[f->depth - 1], had = *left;
	size_t		 at = f->at, len;

	while (*left > 0 && at < n && (len = short_value(p[at])) > 0 && len <= n - at) {
		at += len;
		(*left)--;
	}
	f->items += had - *left;
	f->at = at;
}

/* Take one head and its body; FRAME_MESSAGE to go on. */
static enum frame_result
step(struct frame *f, const uint8_t *p, size_t n, size_t max)
{
	enum frame_result	r;
	struct head		h;

	if ((r = read_head(p + f->at, n - f->at, &h)) != FRAME_MESSAGE)
		return r;
	if (h.body > max - f->at || h.size + h.body > max - f->at)
		return FRAME_TOO_BIG;
	if (h.inside > max - f->at - h.size)
		return FRAME_TOO_BIG;	/* each value takes a byte at least */
	if (h.size + h.body > n - f->at)
		return FRAME_MORE;
	if (++f->items > FRAME_MAX_ITEMS || h.inside > FRAME_MAX_ITEMS)
		return FRAME_TOO_MANY;
	f->at += h.size + (size_t)h.body;
	if (f->depth > 0)
		f->left[f->depth - 1]--;
	if (h.inside > 0) {
		if (f->depth == FRAME_MAX_DEPTH)
			return FRAME_TOO_DEEP;
		f->left[f->depth++] = (uint32_t)h.inside;
	}
	if (f->depth > 0)
		skip_short(f, p, n < max ? n : max);
	while (f->depth > 0 && f->left[f->depth - 1] == 0)
		f->depth--;	/* the value completes this array or map */
	return f->items > FRAME_MAX_ITEMS ? FRAME_TOO_MANY : FRAME_MESSAGE;
}

enum frame_result
frame_scan(struct frame *f, const void *buf, size_t n, size_t max, size_t *len)
{
	enum frame_result	r;

	if (n > 0 && !begins_well(buf, n))
		return FRAME_GARBAGE;
	while (f->at < n) {
		if (f->at >= max)
			return FRAME_TOO_BIG;
		if ((r = step(f, buf, n, max)) != FRAME_MESSAGE)
			return r;
		if (f->depth == 0) {
			*len = f->at;
			memset(f, 0, sizeof *f);
			return FRAME_MESSAGE;
		}
	}
	return f->at >= max ? FRAME_TOO_BIG : FRAME_MORE;
}

enum frame_result
frame_value(const void *buf, size_t n, size_t *len)
{
	struct frame		f = { .at = 0 };
	enum frame_result	r = FRAME_MORE;

	while (f.at < n && (r = step(&f, buf, n, n)) == FRAME_MESSAGE) {
		if (f.depth > 0)
			continue;
		*len = f.at;
		return FRAME_MESSAGE;
	}
	return r == FRAME_MESSAGE ? FRAME_MORE : r;
}

const char *
frame_why(enum frame_result r)
{
	switch (r) {
	case FRAME_MESSAGE:
		return "a whole message";
	case FRAME_MORE:
		return "an unfinished message";
	case FRAME_TOO_BIG:
		return "a message over the size limit";
	case FRAME_TOO_DEEP:
		return "a message nested too deep";
	case FRAME_TOO_MANY:
		return "a message of too many items";
	case FRAME_GARBAGE:
		return "bytes that are not a MessagePack-RPC message";
	}
	return "an unknown result";
}
