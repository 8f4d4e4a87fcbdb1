/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages of the data path.
 */
#include <netinet/in.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/cursor.h"
#include "proto/fastpath.h"

/* ---- reading -------------------------------------------------------- */

/* Into a struct of zeros. */
static bool
read_info(struct cursor *c, struct sndrcvinfo *info)
{
	struct slice	key;
	unsigned	n;
	uint64_t	v;

	if (!cursor_few(c, 0x80, &n))
		return false;
	while (n-- > 0) {
		if (!cursor_text(c, &key) || !cursor_uint(c, UINT32_MAX, &v))
			return false;
		if (CURSOR_IS(&key, "stream") && v <= UINT16_MAX)
			info->stream = (uint16_t)v;
		else if (CURSOR_IS(&key, "ppid"))
			info->ppid = (uint32_t)v;
		else if (CURSOR_IS(&key, "context"))
			info->context = (uint32_t)v;
		else if (CURSOR_IS(&key, "timetolive"))
			info->timetolive = (uint32_t)v;
		else if (CURSOR_IS(&key, "assoc_id"))
			info->assoc_id = (uint32_t)v;
		else
			return false;
	}
	return true;
}

#define GIVEN(FIELD) ((uint64_t)1 << RPC_BIT_send_##FIELD)

/* One argument. Twice the same is the codec's business. */
static bool
read_arg(struct cursor *c, struct rpc_send_in *in)
{
	struct slice	key;
	uint64_t	v, had = in->has;

	if (!cursor_text(c, &key))
		return false;
	if (CURSOR_IS(&key, "data")) {
		in->has |= GIVEN(data);
		return had != in->has && cursor_bin(c, &in->data);
	}
	if (CURSOR_IS(&key, "sctp_sndrcvinfo")) {
		in->has |= GIVEN(sctp_sndrcvinfo);
		return had != in->has && read_info(c, &in->sctp_sndrcvinfo);
	}
	if (!cursor_uint(c, INT64_C(1) << 53, &v))
		return false;
	if (CURSOR_IS(&key, "sock")) {
		in->has |= GIVEN(sock);
		in->sock = v;
	} else if (CURSOR_IS(&key, "assoc_id") && v <= UINT32_MAX) {
		in->has |= GIVEN(assoc_id);
		in->assoc_id = (uint32_t)v;
	} else if (CURSOR_IS(&key, "stream") && v <= UINT16_MAX) {
		in->has |= GIVEN(stream);
		in->stream = (uint16_t)v;
	}
	return had != in->has;
}

size_t
fastpath_read_send(const char *p, size_t n, struct fastpath_send *to)
{
	struct cursor	c = cursor_of(p, n);
	struct slice	name;
	unsigned	args;
	uint64_t	v = 0;

	if (n < 16)
		return 0;
	to->notification = c.p[0] == 0x93 && c.p[1] == RPC_NOTIFICATION;
	if (!to->notification && (c.p[0] != 0x94 || c.p[1] != RPC_REQUEST))
		return 0;
	c.p += 2;
	if (!to->notification && !cursor_uint(&c, UINT32_MAX, &v))
		return 0;
	to->msgid = (uint32_t)v;
	if (!cursor_text(&c, &name) || !CURSOR_IS(&name, "send") || !cursor_byte(&c, 0x91) ||
	    !cursor_few(&c, 0x80, &args))
		return 0;
	memset(&to->in, 0, sizeof to->in);
	while (args-- > 0) {
		if (!read_arg(&c, &to->in))
			return 0;
	}
	if ((to->in.has & GIVEN(sock)) == 0 || (to->in.has & GIVEN(data)) == 0)
		return 0;
	return (size_t)((const char *)c.p - p);
}

/* ---- writing -------------------------------------------------------- */

static char *
put_bytes(char *p, uint64_t v, unsigned n)
{
	for (unsigned i = n; i-- > 0; v >>= 8)
		p[i] = (char)(v & 0xff);
	return p + n;
}

static char *
put_uint(char *p, uint64_t v)
{
	if (v <= 0x7f) {
		*p++ = (char)v;
		return p;
	}
	if (v <= UINT8_MAX) {
		*p++ = (char)0xcc;
		return put_bytes(p, v, 1);
	}
	if (v <= UINT16_MAX) {
		*p++ = (char)0xcd;
		return put_bytes(p, v, 2);
	}
	if (v <= UINT32_MAX) {
		*p++ = (char)0xce;
		return put_bytes(p, v, 4);
	}
	*p++ = (char)0xcf;
	return put_bytes(p, v, 8);
}

/* A key that is a literal: its head and its bytes are known when compiled. */
#define PUT_KEY(P, NAME) do {						\
	*(P)++ = (char)(0xa0 | (sizeof NAME - 1));			\
	memcpy((P), NAME, sizeof NAME - 1);				\
	(P) += sizeof NAME - 1;						\
} while (0)

#define PUT_SPARSE(P, N, INFO, FIELD) do {				\
	if ((INFO)->FIELD != 0) {					\
		PUT_KEY(P, #FIELD);					\
		(P) = put_uint((P), (INFO)->FIELD);			\
		(N)++;							\
	}								\
} while (0)

static char *
put_info(char *p, const struct sndrcvinfo *i)
{
	char		*head = p++;
	unsigned	 n = 0;

	PUT_SPARSE(p, n, i, stream);
	PUT_SPARSE(p, n, i, ssn);
	if (i->flags & SNDRCV_UNORDERED) {	/* the only one that is received */
		PUT_KEY(p, "flags");
		*p++ = (char)0x91;
		PUT_KEY(p, "unordered");
		n++;
	}
	PUT_SPARSE(p, n, i, ppid);
	PUT_SPARSE(p, n, i, context);
	PUT_SPARSE(p, n, i, timetolive);
	PUT_SPARSE(p, n, i, tsn);
	PUT_SPARSE(p, n, i, cumtsn);
	PUT_SPARSE(p, n, i, assoc_id);
	*head = (char)(0x80 | n);
	return p;
}

static bool
is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return memcmp(a, b, a->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6)) == 0;
}

/* An address is written out once, and then for as long as it is the same. */
static void
name_peer(struct fastpath_from *f, const struct sockaddr_storage *ss)
{
	char	text[ADDR_TEXT], *p = f->packed;
	size_t	len = strlen(addr_text(ss, text));

	PUT_KEY(p, "from");
	*p++ = (char)0x82;
	PUT_KEY(p, "addr");
	if (len > 31)
		*p++ = (char)0xd9;
	*p++ = (char)(len > 31 ? len : 0xa0 | len);
	memcpy(p, text, len);
	p += len;
	PUT_KEY(p, "port");
	p = put_uint(p, addr_port(ss));
	f->ss = *ss;
	f->len = (uint8_t)(p - f->packed);
}

static char *
put_bin_head(char *p, uint32_t len)
{
	if (len <= UINT8_MAX) {
		*p++ = (char)0xc4;
		return put_bytes(p, len, 1);
	}
	if (len <= UINT16_MAX) {
		*p++ = (char)0xc5;
		return put_bytes(p, len, 2);
	}
	*p++ = (char)0xc6;
	return put_bytes(p, len, 4);
}

size_t
fastpath_write_data(char to[FASTPATH_EVENT_MAX], uint64_t seq, uint64_t sock, struct fastpath_from *f,
    const struct sockaddr_storage *from, const struct sndrcvinfo *info, uint64_t timestamp, uint32_t len)
{
	char	*p = to, *count;

	*p++ = (char)0x93;
	*p++ = RPC_NOTIFICATION;
	PUT_KEY(p, "data");
	*p++ = (char)0x91;
	count = p;
	*p++ = (char)(0x82 + (seq != 0) + (from != NULL) + (info != NULL));
	if (seq != 0) {
		PUT_KEY(p, "seq");
		p = put_uint(p, seq);
	}
	PUT_KEY(p, "sock");
	p = put_uint(p, sock);
	if (from != NULL) {
		if (f->len == 0 || !is_same(&f->ss, from))
			name_peer(f, from);
		memcpy(p, f->packed, f->len);
		p += f->len;
	}
	if (info != NULL) {
		PUT_KEY(p, "sctp_sndrcvinfo");
		p = put_info(p, info);
	}
	if (timestamp != 0) {
		++*count;
		PUT_KEY(p, "timestamp");
		p = put_uint(p, timestamp);
	}
	PUT_KEY(p, "data");
	return (size_t)(put_bin_head(p, len) - to);
}

size_t
fastpath_write_done(char to[FASTPATH_DONE_MAX], uint32_t msgid)
{
	char	*p = to;

	*p++ = (char)0x94;
	*p++ = RPC_RESPONSE;
	p = put_uint(p, msgid);
	*p++ = (char)0xc0;
	*p++ = (char)0x80;
	return (size_t)(p - to);
}
