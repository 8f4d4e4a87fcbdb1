/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read and written by hand on the daemon's data path, against the
 * scanner and the codec: where fastpath.c takes a message, they take it, too, with
 * the same length and the same values; and what it writes, they write.
 * Addresses as text, there and back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "fuzz.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/fastpath.h"

#define MAX	65536

/* ---- a request to send ---------------------------------------------- */

static void
same_send(const struct fastpath_send *hot, const msgpack_object_array *a)
{
	struct rpc_send_in	in;
	struct errtext		err;
	const msgpack_object	*name = &a->ptr[a->size - 2], *params = &a->ptr[a->size - 1];

	must(a->size == (hot->notification ? 3 : 4) && codec_is(name, "send"));
	must(hot->notification || a->ptr[1].via.u64 == hot->msgid);
	must(params->type == MSGPACK_OBJECT_ARRAY && params->via.array.size == 1);
	memset(&in, 0, sizeof in);
	must(codec_unpack(&params->via.array.ptr[0], rpc_table[RPC_send].in, &in, &in.has, &err));
	must(in.has == hot->in.has && in.sock == hot->in.sock && in.assoc_id == hot->in.assoc_id &&
	    in.stream == hot->in.stream && in.data.len == hot->in.data.len);
	must(in.data.len == 0 || in.data.ptr == hot->in.data.ptr);
	must(memcmp(&in.sctp_sndrcvinfo, &hot->in.sctp_sndrcvinfo, sizeof in.sctp_sndrcvinfo) == 0);
}

static void
read_send(const char *p, size_t n)
{
	struct fastpath_send		hot;
	struct frame		f = { .at = 0 };
	msgpack_unpacked	msg;
	size_t			len = fastpath_read_send(p, n, &hot), scanned = 0, off = 0;

	if (len == 0)
		return;
	must(len <= n && frame_scan(&f, p, n, MAX, &scanned) == FRAME_MESSAGE && scanned == len);
	msgpack_unpacked_init(&msg);
	must(msgpack_unpack_next(&msg, p, len, &off) == MSGPACK_UNPACK_SUCCESS && off == len);
	codec_normalize(&msg.data);
	same_send(&hot, &msg.data.via.array);
	msgpack_unpacked_destroy(&msg);
}

/* ---- an event with data --------------------------------------------- */

/* What the input says of it, as far as it goes. */
struct event {
	uint64_t		seq;
	uint64_t		sock;
	uint32_t		len;
	uint8_t			has;
	uint8_t			family;
	struct sndrcvinfo	info;
	uint8_t			addr[16];
	uint32_t		zone;
	uint16_t		port;
	uint64_t		timestamp;
};

static void
peer_of(const struct event *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6 };

	memset(ss, 0, sizeof *ss);
	memcpy(&s4.sin_addr, e->addr, sizeof s4.sin_addr);
	memcpy(&s6.sin6_addr, e->addr, sizeof s6.sin6_addr);
	s6.sin6_scope_id = e->zone % 4 == 0 ? e->zone / 4 % 1000000000 : 0;
	if (e->family % 2)
		memcpy(ss, &s4, sizeof s4);
	else
		memcpy(ss, &s6, sizeof s6);
	addr_set_port(ss, e->port);
}

/* By the tables, but for the bytes of the message. */
static void
pack_event(msgpack_packer *pk, const struct event *e, const struct sockaddr_storage *from,
    const struct sndrcvinfo *info)
{
	msgpack_pack_array(pk, 3);
	msgpack_pack_uint8(pk, 2);
	codec_pack_text(pk, "data");
	msgpack_pack_array(pk, 1);
	msgpack_pack_map(pk, 2u + (e->seq != 0) + (from != NULL) + (info != NULL) + (e->timestamp != 0));
	if (e->seq != 0) {
		codec_pack_text(pk, "seq");
		msgpack_pack_uint64(pk, e->seq);
	}
	codec_pack_text(pk, "sock");
	msgpack_pack_uint64(pk, e->sock);
	if (from != NULL) {
		codec_pack_text(pk, "from");
		codec_pack_endpoint(pk, from);
	}
	if (info != NULL) {
		codec_pack_text(pk, "sctp_sndrcvinfo");
		codec_pack(pk, sndrcvinfo_fields, info, sizeof *info);
	}
	if (e->timestamp != 0) {
		codec_pack_text(pk, "timestamp");
		msgpack_pack_uint64(pk, e->timestamp);
	}
	codec_pack_text(pk, "data");
	msgpack_pack_bin(pk, e->len);
}

static void
write_event(const uint8_t *data, size_t n)
{
	static struct fastpath_from	known;		/* from input to input, as from event to event */
	static msgpack_sbuffer	buf;
	struct event		e;
	struct sockaddr_storage	ss;
	char			room[FASTPATH_EVENT_MAX];
	msgpack_packer		pk;
	size_t			len;

	memset(&e, 0, sizeof e);
	memcpy(&e, data, n < sizeof e ? n : sizeof e);
	e.info.flags = e.info.flags % 2 ? SNDRCV_UNORDERED : 0;
	e.info.pr_policy = PR_NONE;	/* these are sent only */
	e.info.pr_value = e.info.auth_keynumber = 0;
	memset(&e.info.addr, 0, sizeof e.info.addr);
	peer_of(&e, &ss);
	len = fastpath_write_data(room, e.seq, e.sock, &known, e.has & 1 ? &ss : NULL,
	    e.has & 2 ? &e.info : NULL, e.timestamp, e.len);
	msgpack_sbuffer_clear(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	pack_event(&pk, &e, e.has & 1 ? &ss : NULL, e.has & 2 ? &e.info : NULL);
	must(len == buf.size && memcmp(room, buf.data, len) == 0);
}

/* ---- addresses ------------------------------------------------------- */

static void
read_addr(const char *p, size_t n)
{
	struct sockaddr_storage	ss, again;
	char			text[ADDR_TEXT];

	if (!addr_parse(p, n, &ss))
		return;
	must(strlen(addr_text(&ss, text)) < sizeof text);
	must(addr_parse(text, strlen(text), &again) && addr_equal(&ss, &again));
	addr_map(&ss);
	addr_unmap(&ss);
	must(addr_equal(&ss, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_send((const char *)data, n);
	write_event(data, n);
	read_addr((const char *)data, n);
	return 0;
}
