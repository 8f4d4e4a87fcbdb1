/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading MessagePack in place, for the messages that come by the thousand:
 * no tree of objects is made, and nothing is copied. Each reader is false
 * where something else is there, or not all of it; c->p is then anywhere.
 *
 * Written by hand because msgpack-c has no way to read without a tree, and
 * takes four times as long with one.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/field.h"

struct cursor {
	const unsigned char	*p;
	const unsigned char	*end;
};

static inline struct cursor
cursor_of(const char *p, size_t n)
{
	return (struct cursor){ (const unsigned char *)p, (const unsigned char *)p + n };
}

static inline bool
cursor_byte(struct cursor *c, unsigned char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* The n bytes of a number or of a length, past its head. */
static inline bool
cursor_number(struct cursor *c, unsigned n, uint64_t *v)
{
	if ((size_t)(c->end - c->p) < 1 + n)
		return false;
	c->p++;
	for (*v = 0; n > 0; n--)
		*v = *v << 8 | *c->p++;
	return true;
}

/* An unsigned integer of any width up to max. */
static inline bool
cursor_uint(struct cursor *c, uint64_t max, uint64_t *v)
{
	if (c->p == c->end)
		return false;
	if (*c->p <= 0x7f) {
		*v = *c->p++;
		return *v <= max;
	}
	return *c->p >= 0xcc && *c->p <= 0xcf && cursor_number(c, 1u << (*c->p - 0xcc), v) && *v <= max;
}

/* The head of an array (0x90) or map (0x80) of at most 15. */
static inline bool
cursor_few(struct cursor *c, unsigned char kind, unsigned *n)
{
	if (c->p == c->end || (*c->p & 0xf0) != kind)
		return false;
	*n = *c->p++ & 0x0f;
	return true;
}

static inline bool
cursor_bytes(struct cursor *c, uint64_t n, struct slice *s)
{
	if ((uint64_t)(c->end - c->p) < n)
		return false;
	*s = (struct slice){ (const char *)c->p, (uint32_t)n };
	c->p += n;
	return true;
}

/* A string of at most 255 bytes. */
static inline bool
cursor_str(struct cursor *c, struct slice *s)
{
	uint64_t	n;

	if (c->p == c->end)
		return false;
	if ((*c->p & 0xe0) == 0xa0) {
		n = *c->p++ & 0x1f;
		return cursor_bytes(c, n, s);
	}
	return *c->p == 0xd9 && cursor_number(c, 1, &n) && cursor_bytes(c, n, s);
}

/* The same, or bin of as many: what some libraries make of every string. */
static inline bool
cursor_text(struct cursor *c, struct slice *s)
{
	uint64_t	n;

	if (c->p != c->end && *c->p == 0xc4)
		return cursor_number(c, 1, &n) && cursor_bytes(c, n, s);
	return cursor_str(c, s);
}

static inline bool
cursor_bin(struct cursor *c, struct slice *s)
{
	uint64_t	n;

	return c->p != c->end && *c->p >= 0xc4 && *c->p <= 0xc6 &&
	    cursor_number(c, 1u << (*c->p - 0xc4), &n) && cursor_bytes(c, n, s);
}

/* Is it this word? Its length is known when compiled. */
#define CURSOR_IS(S, WORD)						\
	((S)->len == sizeof WORD - 1 && memcmp((S)->ptr, WORD, sizeof WORD - 1) == 0)

#endif
