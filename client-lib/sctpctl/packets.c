/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See packets.h.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/pcapng.h"
#include "proto/ppid.h"
#include "sctpctl/out.h"
#include "sctpctl/packets.h"

enum { BLOCK_PACKET = 6, HEAD = 28, OPTION_COMMENT = 1, OPTION_FLAGS = 2, SENT = 2 };
enum { SCTP_HEADER = 12, CHUNK_HEADER = 16 };

/* ---- blocks ---------------------------------------------------------- */

static uint32_t
word_at(const char *p)
{
	uint32_t	n;

	memcpy(&n, p, sizeof n);
	return n;
}

static uint16_t
net16_at(const char *p)
{
	uint16_t	n;

	memcpy(&n, p, sizeof n);
	return ntohs(n);
}

/* The options between p and end. */
static void
read_options(struct packet *k, const char *p, const char *end)
{
	uint16_t	code, len;

	while (end - p >= 4) {
		memcpy(&code, p, sizeof code);
		memcpy(&len, p + 2, sizeof len);
		p += 4;
		if (code == 0 || len > end - p)
			break;
		if (code == OPTION_COMMENT) {
			k->comment = p;
			k->ncomment = len;
		}
		if (code == OPTION_FLAGS && len == 4)
			k->sent = (word_at(p) & 3) == SENT;
		p += (len + 3) & ~3;
	}
}

/* The headers of IP, SCTP and DATA. */
static void
read_headers(struct packet *k, const char *p, size_t n)
{
	bool	six = n > 0 && (p[0] & 0xf0) == 0x60;
	size_t	ip = six ? 40 : 20;

	if (n < ip + SCTP_HEADER + CHUNK_HEADER)
		return;
	k->family = six ? AF_INET6 : AF_INET;
	k->from = p + (six ? 8 : 12);
	k->to = p + (six ? 24 : 16);
	p += ip;
	k->from_port = net16_at(p);
	k->to_port = net16_at(p + 2);
	p += SCTP_HEADER;
	k->unordered = (p[1] & 4) != 0;
	k->begins = (p[1] & 2) != 0;
	k->whole = net16_at(p + 2) - CHUNK_HEADER;
	k->stream = net16_at(p + 8);
	k->ppid = ntohl(word_at(p + 12));
	k->data = p + CHUNK_HEADER;
	k->len = n - ip - SCTP_HEADER - CHUNK_HEADER;
	if (k->len > k->whole)	/* the padding of the chunk */
		k->len = k->whole;
	k->is_message = true;
}

bool
packets_next(const char **p, size_t *n, struct packet *k)
{
	size_t	size = *n >= PCAPNG_HEAD ? pcapng_block(*p) : 0;
	size_t	there;

	if (size == 0 || size > *n)
		return false;
	*k = (struct packet){ .block = *p, .size = size };
	if (word_at(*p) == BLOCK_PACKET && size >= HEAD + 4) {
		k->us = (uint64_t)word_at(*p + 12) << 32 | word_at(*p + 16);
		there = word_at(*p + 20);
		if (there <= size - HEAD - 4) {
			read_headers(k, *p + HEAD, there);
			read_options(k, *p + HEAD + ((there + 3) & ~(size_t)3), *p + size - 4);
		}
	}
	*p += size;
	*n -= size;
	return true;
}

/* ---- messages -------------------------------------------------------- */

/* The number in a word KEY=NUMBER of the comment; 0 if there is none. The client's name comes last, and may be anything. */
static uint64_t
comment_number(const struct packets_print *o, const char *key)
{
	const char	*p = o->comment;
	size_t		 len = strlen(key);

	for (; p != NULL && strncmp(p, " name=", 6) != 0; p = strchr(p, ' ')) {
		p += *p == ' ';
		if (strncmp(p, key, len) == 0 && p[len] == '=')
			return strtoull(p + len + 1, NULL, 10);
	}
	return 0;
}

static const char *
comment_name(const struct packets_print *o)
{
	const char	*p = strstr(o->comment, " name=");

	return p != NULL ? p + 6 : "";
}

static void
endpoint(char *to, size_t size, int family, const char *addr, uint16_t port)
{
	char	text[INET6_ADDRSTRLEN];

	(void)inet_ntop(family, addr, text, sizeof text);
	(void)snprintf(to, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static void
print_text(const struct packets_print *o)
{
	const struct packet	*k = &o->first;
	time_t			 t = (time_t)(k->us / 1000000);
	char			 hms[16], from[64], to[64], ppid[PPID_TEXT];
	struct tm		 tm;

	(void)strftime(hms, sizeof hms, "%H:%M:%S", localtime_r(&t, &tm));
	endpoint(from, sizeof from, k->family, k->from, k->from_port);
	endpoint(to, sizeof to, k->family, k->to, k->to_port);
	printf("%s.%06u %s %s > %s sock %" PRIu64 " assoc %" PRIu64 " client %" PRIu64 "%s%s%s stream %u%s ppid %s length %zu\n",
	    hms, (unsigned)(k->us % 1000000), k->sent ? "out" : "in ", from, to,
	    comment_number(o, "sock"), comment_number(o, "assoc_id"), comment_number(o, "client"),
	    *comment_name(o) != '\0' ? " (" : "", comment_name(o), *comment_name(o) != '\0' ? ")" : "",
	    k->stream, k->unordered ? " unordered" : "", ppid_text(ppid, k->ppid), o->whole);
}

static void
print_json(const struct packets_print *o)
{
	const struct packet	*k = &o->first;
	char			 from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	(void)inet_ntop(k->family, k->from, from, sizeof from);
	(void)inet_ntop(k->family, k->to, to, sizeof to);
	printf("{\"time\": %" PRIu64 ".%06u, \"direction\": \"%s\", \"from\": {\"addr\": \"%s\", \"port\": %u}, "
	    "\"to\": {\"addr\": \"%s\", \"port\": %u}, \"sock\": %" PRIu64 ", \"assoc_id\": %" PRIu64
	    ", \"client\": %" PRIu64 ", \"name\": ",
	    k->us / 1000000, (unsigned)(k->us % 1000000), k->sent ? "sent" : "received", from, k->from_port,
	    to, k->to_port, comment_number(o, "sock"), comment_number(o, "assoc_id"), comment_number(o, "client"));
	ctl_json_text(stdout, comment_name(o), strlen(comment_name(o)));
	printf(", \"stream\": %u, \"ppid\": %u, \"unordered\": %s, \"length\": %zu, \"data\": \"",
	    k->stream, k->ppid, k->unordered ? "true" : "false", o->whole);
	out_hex(stdout, o->data, o->len);
	fputs("\"}\n", stdout);
}

/* Keep the bytes of a part. */
static void
keep(struct packets_print *o, const struct packet *k)
{
	char	*more = o->data;

	if (o->len + k->len > o->size) {
		if ((more = realloc(o->data, 2 * (o->len + k->len))) == NULL)
			exit(ctl_fail(CTL_FAILED, "there is no memory left"));
		o->size = 2 * (o->len + k->len);
	}
	o->data = more;
	if (k->len > 0)
		memcpy(o->data + o->len, k->data, k->len);
	o->len += k->len;
}

bool
packets_print(struct packets_print *o, const struct packet *k)
{
	size_t	whole, most;

	if (k->begins) {
		o->first = *k;
		memcpy(o->addrs, k->from, k->family == AF_INET6 ? 32 : 8);	/* both */
		o->first.from = o->addrs;
		o->first.to = o->addrs + (k->family == AF_INET6 ? 16 : 4);
		(void)snprintf(o->comment, sizeof o->comment, "%.*s", (int)k->ncomment, k->comment != NULL ? k->comment : "");
		whole = comment_number(o, "length");
		o->whole = whole != 0 ? whole : k->whole;
		o->len = 0;
		o->begun = true;
	}
	if (!o->begun)
		return false;
	if (o->ctl->json)
		keep(o, k);
	else
		o->len += k->len;
	most = o->ctl->snap != 0 && o->ctl->snap < o->whole ? o->ctl->snap : o->whole;
	if (o->len < most)
		return false;
	o->begun = false;
	if (o->ctl->json)
		print_json(o);
	else
		print_text(o);
	return true;
}
