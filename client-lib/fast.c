/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two messages that come by the thousand, read by hand where they lie.
 *
 * Whatever is not as the daemon ordinarily writes it, or is not whole, is left
 * to the scanner and msgpack-c, which read these, too.
 */
#include <string.h>

#include "core.h"
#include "rpc.h"

struct cursor {
	unsigned char	*p;
	unsigned char	*end;
};

static bool
read_byte(struct cursor *c, unsigned char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* The n bytes of a number or of a length, past its head. */
static bool
read_number(struct cursor *c, unsigned n, uint64_t *v)
{
	if ((size_t)(c->end - c->p) < 1 + n)
		return false;
	c->p++;
	for (*v = 0; n > 0; n--)
		*v = *v << 8 | *c->p++;
	return true;
}

static bool
read_uint(struct cursor *c, uint64_t max, uint64_t *v)
{
	if (c->p == c->end)
		return false;
	if (*c->p <= 0x7f) {
		*v = *c->p++;
		return *v <= max;
	}
	return *c->p >= 0xcc && *c->p <= 0xcf && read_number(c, 1u << (*c->p - 0xcc), v) && *v <= max;
}

/* The head of an array (0x90) or map (0x80) of at most 15. */
static bool
read_few(struct cursor *c, unsigned char kind, unsigned *n)
{
	if (c->p == c->end || (*c->p & 0xf0) != kind)
		return false;
	*n = *c->p++ & 0x0f;
	return true;
}

static bool
read_bytes(struct cursor *c, uint64_t n, struct slice *s)
{
	if ((uint64_t)(c->end - c->p) < n)
		return false;
	*s = (struct slice){ (const char *)c->p, (uint32_t)n };
	c->p += n;
	return true;
}

static bool
read_str(struct cursor *c, struct slice *s)
{
	uint64_t	n;

	if (c->p == c->end)
		return false;
	if ((*c->p & 0xe0) == 0xa0) {
		n = *c->p++ & 0x1f;
		return read_bytes(c, n, s);
	}
	return *c->p == 0xd9 && read_number(c, 1, &n) && read_bytes(c, n, s);
}

static bool
read_bin(struct cursor *c, struct slice *s)
{
	uint64_t	n;

	return c->p != c->end && *c->p >= 0xc4 && *c->p <= 0xc6 &&
	    read_number(c, 1u << (*c->p - 0xc4), &n) && read_bytes(c, n, s);
}

static bool
is(const struct slice *s, const char *word)
{
	size_t	n = strlen(word);

	return s->len == n && memcmp(s->ptr, word, n) == 0;
}

/* ---- a message ------------------------------------------------------ */

static bool
read_flags(struct cursor *c, struct sctpd_sndrcvinfo *info)
{
	struct slice	word;
	unsigned	n;

	if (!read_few(c, 0x90, &n) || n != 1 || !read_str(c, &word) || !is(&word, "unordered"))
		return false;
	info->flags = SCTPD_UNORDERED;
	return true;
}

static bool
set_info(struct sctpd_sndrcvinfo *info, const struct slice *key, uint32_t v)
{
	if (is(key, "stream") && v <= UINT16_MAX)
		info->stream = (uint16_t)v;
	else if (is(key, "ssn") && v <= UINT16_MAX)
		info->ssn = (uint16_t)v;
	else if (is(key, "ppid"))
		info->ppid = v;
	else if (is(key, "tsn"))
		info->tsn = v;
	else if (is(key, "cumtsn"))
		info->cumtsn = v;
	else if (is(key, "assoc_id"))
		info->assoc_id = v;
	else
		return false;
	return true;
}

static bool
read_info(struct cursor *c, struct sctpd_sndrcvinfo *info)
{
	struct slice	key;
	unsigned	n;
	uint64_t	v;

	if (!read_few(c, 0x80, &n))
		return false;
	while (n-- > 0) {
		if (!read_str(c, &key))
			return false;
		if (is(&key, "flags")) {
			if (!read_flags(c, info))
				return false;
		} else if (!read_uint(c, UINT32_MAX, &v) || !set_info(info, &key, (uint32_t)v)) {
			return false;
		}
	}
	return true;
}

static bool
read_from(struct cursor *c, struct slice *addr, uint16_t *port)
{
	struct slice	key;
	unsigned	n;
	uint64_t	v;

	if (!read_few(c, 0x80, &n) || n != 2 || !read_str(c, &key) || !is(&key, "addr") ||
	    !read_str(c, addr) || !read_str(c, &key) || !is(&key, "port") ||
	    !read_uint(c, UINT16_MAX, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

static bool
read_field(struct cursor *c, struct sctpd_event *ev, struct slice *from)
{
	struct slice	key, data;

	if (!read_str(c, &key))
		return false;
	if (is(&key, "seq"))
		return read_uint(c, UINT64_MAX, &ev->seq);
	if (is(&key, "sock"))
		return read_uint(c, UINT64_MAX, &ev->sock);
	if (is(&key, "from"))
		return read_from(c, from, &ev->from_port);
	if (is(&key, "sctp_sndrcvinfo"))
		return read_info(c, &ev->info);
	if (!is(&key, "data") || !read_bin(c, &data))
		return false;
	ev->data = data.ptr;
	ev->len = data.len;
	return true;
}

size_t
fast_read_data(char *p, size_t n, struct sctpd_event *ev)
{
	struct cursor	c = { (unsigned char *)p, (unsigned char *)p + n };
	struct slice	name, from = { NULL, 0 };
	unsigned	fields;

	if (!read_byte(&c, 0x93) || !read_byte(&c, RPC_NOTIFICATION) || !read_str(&c, &name) ||
	    !is(&name, "data") || !read_byte(&c, 0x91) || !read_few(&c, 0x80, &fields))
		return 0;
	*ev = (struct sctpd_event){ .name = "data", .from = "" };
	while (fields-- > 0) {
		if (!read_field(&c, ev, &from))
			return 0;
	}
	if (ev->data == NULL)
		return 0;
	ev->assoc_id = ev->info.assoc_id;
	/* The port follows it, and was read. */
	if (from.ptr != NULL) {
		p[from.ptr + from.len - p] = '\0';
		ev->from = from.ptr;
	}
	return (size_t)((char *)c.p - p);
}

/* ---- an answer ------------------------------------------------------ */

size_t
fast_read_done(char *p, size_t n, uint32_t *id)
{
	struct cursor	c = { (unsigned char *)p, (unsigned char *)p + n };
	uint64_t	v;

	if (!read_byte(&c, 0x94) || !read_byte(&c, RPC_RESPONSE) || !read_uint(&c, UINT32_MAX, &v) ||
	    !read_byte(&c, 0xc0) || !read_byte(&c, 0x80))
		return 0;
	*id = (uint32_t)v;
	return (size_t)((char *)c.p - p);
}
