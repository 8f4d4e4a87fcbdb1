/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two messages that come by the thousand, read by hand where they lie.
 *
 * Whatever is not as the daemon ordinarily writes it, or is not whole, is left
 * to the scanner and msgpack-c, which read these, too.
 */
#include <string.h>

#include "lib/fastpath.h"
#include "proto/cursor.h"
#include "proto/rpc.h"

/* ---- a message ------------------------------------------------------ */

static bool
read_flags(struct cursor *c, struct sctpd_sndrcvinfo *info)
{
	struct slice	word;
	unsigned	n;

	if (!cursor_few(c, 0x90, &n) || n != 1 || !cursor_str(c, &word) || !CURSOR_IS(&word, "unordered"))
		return false;
	info->flags = SCTPD_UNORDERED;
	return true;
}

static bool
set_info(struct sctpd_sndrcvinfo *info, const struct slice *key, uint32_t v)
{
	if (CURSOR_IS(key, "stream") && v <= UINT16_MAX)
		info->stream = (uint16_t)v;
	else if (CURSOR_IS(key, "ssn") && v <= UINT16_MAX)
		info->ssn = (uint16_t)v;
	else if (CURSOR_IS(key, "ppid"))
		info->ppid = v;
	else if (CURSOR_IS(key, "tsn"))
		info->tsn = v;
	else if (CURSOR_IS(key, "cumtsn"))
		info->cumtsn = v;
	else if (CURSOR_IS(key, "assoc_id"))
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

	if (!cursor_few(c, 0x80, &n))
		return false;
	while (n-- > 0) {
		if (!cursor_str(c, &key))
			return false;
		if (CURSOR_IS(&key, "flags")) {
			if (!read_flags(c, info))
				return false;
		} else if (!cursor_uint(c, UINT32_MAX, &v) || !set_info(info, &key, (uint32_t)v)) {
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

	if (!cursor_few(c, 0x80, &n) || n != 2 || !cursor_str(c, &key) || !CURSOR_IS(&key, "addr") ||
	    !cursor_str(c, addr) || !cursor_str(c, &key) || !CURSOR_IS(&key, "port") ||
	    !cursor_uint(c, UINT16_MAX, &v))
		return false;
	*port = (uint16_t)v;
	return true;
}

static bool
read_field(struct cursor *c, struct sctpd_event *ev, struct slice *from)
{
	struct slice	key, data;

	if (!cursor_str(c, &key))
		return false;
	if (CURSOR_IS(&key, "seq"))
		return cursor_uint(c, UINT64_MAX, &ev->seq);
	if (CURSOR_IS(&key, "sock"))
		return cursor_uint(c, UINT64_MAX, &ev->sock);
	if (CURSOR_IS(&key, "timestamp"))
		return cursor_uint(c, UINT64_MAX, &ev->timestamp);
	if (CURSOR_IS(&key, "from"))
		return read_from(c, from, &ev->from_port);
	if (CURSOR_IS(&key, "sctp_sndrcvinfo"))
		return read_info(c, &ev->info);
	if (!CURSOR_IS(&key, "data") || !cursor_bin(c, &data))
		return false;
	ev->data = data.ptr;
	ev->len = data.len;
	return true;
}

size_t
fastpath_data(char *p, size_t n, struct sctpd_event *ev)
{
	struct cursor	c = cursor_of(p, n);
	struct slice	name, from = { NULL, 0 };
	unsigned	fields;

	if (!cursor_byte(&c, 0x93) || !cursor_byte(&c, RPC_NOTIFICATION) || !cursor_str(&c, &name) ||
	    !CURSOR_IS(&name, "data") || !cursor_byte(&c, 0x91) || !cursor_few(&c, 0x80, &fields))
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
	return (size_t)((const char *)c.p - p);
}

/* ---- an answer ------------------------------------------------------ */

size_t
fastpath_done(char *p, size_t n, uint32_t *id)
{
	struct cursor	c = cursor_of(p, n);
	uint64_t	v;

	if (!cursor_byte(&c, 0x94) || !cursor_byte(&c, RPC_RESPONSE) || !cursor_uint(&c, UINT32_MAX, &v) ||
	    !cursor_byte(&c, 0xc0) || !cursor_byte(&c, 0x80))
		return 0;
	*id = (uint32_t)v;
	return (size_t)((const char *)c.p - p);
}
