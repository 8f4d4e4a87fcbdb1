/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing pcapng.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/pcapng.h"

/* Blocks, options and the type of link, by their numbers. */
enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6, BLOCK_JOURNAL = 9 };
enum { OPTION_END, OPTION_COMMENT, OPTION_FLAGS = 2, OPTION_NAME = 2, OPTION_PROGRAM = 4,
	OPTION_RECEIVED = 4, OPTION_DROPPED = 5 };
enum { LINK_RAW_IP = 101 };
enum { RECEIVED = 1, SENT = 2 };		/* the flags of a packet */

#define ORDER		0x1a2b3c4du
#define IPV4_HEADER	20
#define IPV6_HEADER	40
#define SCTP_HEADER	12
#define CHUNK_HEADER	16
#define COMMON		(IPV6_HEADER + SCTP_HEADER + CHUNK_HEADER)
/* The most bytes in one packet: an IP packet takes 65535. */
#define PIECE		65000u
/* What stands around the bytes of a block: its type, its length twice, and its fixed fields. */
#define AROUND		80

/* ---- bytes ----------------------------------------------------------- */

static void
put(struct pcapng *o, const void *p, size_t n)
{
	if (o->size - o->len < n) {
		o->full = true;
		return;
	}
	if (n > 0)
		memcpy(o->mem + o->len, p, n);
	o->len += n;
}

static void
put16(struct pcapng *o, uint16_t n)
{
	put(o, &n, sizeof n);
}

static void
put32(struct pcapng *o, uint32_t n)
{
	put(o, &n, sizeof n);
}

/* In network byte order, as in a packet. */
static void
put_net16(struct pcapng *o, uint16_t n)
{
	put16(o, htons(n));
}

static void
put_net32(struct pcapng *o, uint32_t n)
{
	put32(o, htonl(n));
}

static void
put_padding(struct pcapng *o, size_t n)
{
	static const char	zero[4];

	put(o, zero, -n & 3);
}

static void
put_option(struct pcapng *o, uint16_t code, const void *p, size_t n)
{
	n = n > UINT16_MAX ? UINT16_MAX : n;
	put16(o, code);
	put16(o, (uint16_t)n);
	put(o, p, n);
	put_padding(o, n);
}

static void
put_text_option(struct pcapng *o, uint16_t code, const char *text)
{
	if (text != NULL)
		put_option(o, code, text, strlen(text));
}

/* ---- blocks ---------------------------------------------------------- */

/* Gives where the block begins. */
static size_t
begin(struct pcapng *o, uint32_t type)
{
	size_t	at = o->len;

	put32(o, type);
	put32(o, 0);
	return at;
}

/* A block that found no room is taken back whole. */
static void
end(struct pcapng *o, size_t at)
{
	uint32_t	n;

	put_padding(o, o->len - at);
	n = (uint32_t)(o->len - at + sizeof n);
	put32(o, n);
	if (o->full)
		o->len = at;
	else
		memcpy(o->mem + at + sizeof n, &n, sizeof n);
}

void
pcapng_section(struct pcapng *o, const char *program, const char *comment)
{
	static const int64_t	unknown = -1;
	size_t			at = begin(o, BLOCK_SECTION);

	put32(o, ORDER);
	put16(o, 1);		/* version 1.0 */
	put16(o, 0);
	put(o, &unknown, sizeof unknown);	/* its length */
	put_text_option(o, OPTION_COMMENT, comment);
	put_text_option(o, OPTION_PROGRAM, program);
	put_option(o, OPTION_END, NULL, 0);
	end(o, at);
	at = begin(o, BLOCK_INTERFACE);
	put16(o, LINK_RAW_IP);
	put16(o, 0);
	put32(o, 0);		/* packets may be of any length */
	put_text_option(o, OPTION_NAME, "sctpd");
	put_option(o, OPTION_END, NULL, 0);
	end(o, at);
}

size_t
pcapng_room(size_t len)
{
	size_t	pieces = len / PIECE + 1;

	return len + pieces * (AROUND + COMMON);
}

size_t
pcapng_block(const char head[PCAPNG_HEAD])
{
	uint32_t	type, len;

	memcpy(&type, head, sizeof type);
	memcpy(&len, head + sizeof type, sizeof len);
	if (len % 4 != 0 || len < 12)
		return 0;
	return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET ||
	    type == BLOCK_STATISTICS || type == BLOCK_JOURNAL ? len : 0;
}

/* ---- packets --------------------------------------------------------- */

static uint16_t
ip_checksum(const char *p, size_t n)
{
	uint32_t	sum = 0;
	uint16_t	word;

	for (size_t i = 0; i < n; i += sizeof word) {
		memcpy(&word, p + i, sizeof word);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

/* The address in the family of the packet; one of another family is "any". */
static void
put_ip(struct pcapng *o, const struct sockaddr_storage *ss, bool six)
{
	static const struct in6_addr	any;

	if (six && ss->ss_family == AF_INET6)
		put(o, &((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr, sizeof any);
	else if (!six && ss->ss_family == AF_INET)
		put(o, &((const struct sockaddr_in *)(const void *)ss)->sin_addr, sizeof(struct in_addr));
	else
		put(o, &any, six ? sizeof any : sizeof(struct in_addr));
}

static void
put_ip_header(struct pcapng *o, const struct pcapng_message *m, bool six, size_t len)
{
	size_t		at = o->len;
	uint16_t	sum;

	put(o, six ? "\x60\0\0\0" : "\x45\0", six ? 4 : 2);
	put_net16(o, (uint16_t)(len + (six ? 0 : IPV4_HEADER)));
	if (six)
		put(o, "\x84\x40", 2);		/* SCTP, and how many hops it may take */
	else
		put(o, "\0\0\0\0\x40\x84\0\0", 8);
	put_ip(o, m->from, six);
	put_ip(o, m->to, six);
	if (six || o->full)
		return;
	sum = ip_checksum(o->mem + at, IPV4_HEADER);
	memcpy(o->mem + at + 10, &sum, sizeof sum);
}

/* A chunk of n bytes, cut of which are there. */
static void
put_sctp(struct pcapng *o, const struct pcapng_message *m, size_t from, size_t n, size_t cut)
{
	char	head[2] = { 0, (char)((m->unordered ? 4 : 0) | (from == 0 ? 2 : 0) |
	    (from + n == m->len ? 1 : 0)) };

	put_net16(o, addr_port(m->from));
	put_net16(o, addr_port(m->to));
	put_net32(o, 0);
	put_net32(o, 0);
	put(o, head, sizeof head);		/* DATA */
	put_net16(o, (uint16_t)(CHUNK_HEADER + n));
	put_net32(o, m->tsn + (uint32_t)(from / PIECE));
	put_net16(o, m->stream);
	put_net16(o, m->ssn);
	put_net32(o, m->ppid);
	put(o, (const char *)m->data + from, cut);
	put_padding(o, cut);	/* of the chunk; of the block, if it was cut */
}

/* A part of the message, as a packet, and cut bytes of it. */
static void
put_piece(struct pcapng *o, const struct pcapng_message *m, size_t from, size_t n, size_t cut)
{
	bool		six = (m->sent ? m->to : m->from)->ss_family == AF_INET6;
	size_t		sctp = SCTP_HEADER + CHUNK_HEADER + ((n + 3) & ~(size_t)3);
	uint32_t	all = (uint32_t)((six ? IPV6_HEADER : IPV4_HEADER) + sctp);
	uint32_t	flags = m->sent ? SENT : RECEIVED;
	size_t		at = begin(o, BLOCK_PACKET);

	put32(o, 0);		/* of the only interface */
	put32(o, (uint32_t)(m->us >> 32));
	put32(o, (uint32_t)m->us);
	put32(o, cut == n ? all : (uint32_t)(all - sctp + SCTP_HEADER + CHUNK_HEADER + cut));
	put32(o, all);
	put_ip_header(o, m, six, sctp);
	put_sctp(o, m, from, n, cut);
	put_option(o, OPTION_FLAGS, &flags, sizeof flags);
	if (from == 0)
		put_text_option(o, OPTION_COMMENT, m->comment);
	put_option(o, OPTION_END, NULL, 0);
	end(o, at);
}

void
pcapng_message(struct pcapng *o, const struct pcapng_message *m)
{
	size_t	at = o->len, most = m->snap == 0 || m->snap > m->len ? m->len : m->snap, n, cut;

	for (size_t from = 0; from == 0 || from < most; from += n) {
		n = m->len - from < PIECE ? m->len - from : PIECE;
		cut = most - from < n ? most - from : n;
		put_piece(o, m, from, n, cut);
		if (n == 0)
			break;
	}
	if (o->full)
		o->len = at;
}

/* ---- packets like one another ---------------------------------------- */

/* Where the fields are in the head of a block with a packet, before its IP header. */
enum { AT_LENGTH = 4, AT_TIME = 12, AT_THERE = 20, AT_WHOLE = 24, AT_PACKET = 28 };

void
pcapng_template(struct pcapng_template *t, const struct pcapng_message *m)
{
	char			 mem[sizeof t->head + sizeof t->tail], comment[256];
	struct pcapng		 o = { .mem = mem, .size = sizeof mem };
	struct pcapng_message	 empty = *m;

	if (m->comment != NULL) {
		(void)snprintf(comment, sizeof comment, "%s", m->comment);
		empty.comment = comment;
	}
	empty.len = 0;
	pcapng_message(&o, &empty);
	t->ip = (m->sent ? m->to : m->from)->ss_family == AF_INET6 ? IPV6_HEADER : IPV4_HEADER;
	t->nhead = AT_PACKET + t->ip + SCTP_HEADER + CHUNK_HEADER;
	t->ntail = (unsigned)(o.len - t->nhead - sizeof(uint32_t));
	memcpy(t->head, mem, t->nhead);
	memcpy(t->tail, mem + t->nhead, t->ntail);
}

size_t
pcapng_like_room(const struct pcapng_template *t, size_t len)
{
	return t->nhead + ((len + 3) & ~(size_t)3) + t->ntail + sizeof(uint32_t);
}

static void
set32(char *p, uint32_t n)
{
	memcpy(p, &n, sizeof n);
}

static void
set_net16(char *p, uint16_t n)
{
	n = htons(n);
	memcpy(p, &n, sizeof n);
}

/* The fields of IP that depend on the length of what follows its header. */
static void
set_ip_length(char *p, unsigned header, size_t n)
{
	uint16_t	sum;

	if (header == IPV6_HEADER) {
		set_net16(p + 4, (uint16_t)n);
		return;
	}
	set_net16(p + 2, (uint16_t)(IPV4_HEADER + n));
	set_net16(p + 10, 0);
	sum = ip_checksum(p, IPV4_HEADER);
	memcpy(p + 10, &sum, sizeof sum);
}

void
pcapng_like(struct pcapng *o, const struct pcapng_template *t, const struct pcapng_message *m)
{
	char		*p = o->mem + o->len, *chunk = p + t->nhead - CHUNK_HEADER;
	size_t		 padded = (m->len + 3) & ~(size_t)3, all = pcapng_like_room(t, m->len);
	size_t		 packet = t->ip + SCTP_HEADER + CHUNK_HEADER + padded;

	memcpy(p, t->head, t->nhead);
	set32(p + AT_LENGTH, (uint32_t)all);
	set32(p + AT_TIME, (uint32_t)(m->us >> 32));
	set32(p + AT_TIME + 4, (uint32_t)m->us);
	set32(p + AT_THERE, (uint32_t)packet);
	set32(p + AT_WHOLE, (uint32_t)packet);
	set_ip_length(p + AT_PACKET, t->ip, packet - t->ip);
	chunk[1] = (char)((m->unordered ? 4 : 0) | 2 | 1);
	set_net16(chunk + 2, (uint16_t)(CHUNK_HEADER + m->len));
	set32(chunk + 4, htonl(m->tsn));
	set_net16(chunk + 8, m->stream);
	set_net16(chunk + 10, m->ssn);
	set32(chunk + 12, htonl(m->ppid));
	p += t->nhead;
	set32(p + padded - (padded > 0 ? 4 : 0), 0);	/* the padding; a tail follows, if there is none */
	memcpy(p, m->data, m->len);
	memcpy(p + padded, t->tail, t->ntail);
	set32(p + padded + t->ntail, (uint32_t)all);
	o->len += all;
}

void
pcapng_statistics(struct pcapng *o, uint64_t us, uint64_t messages, uint64_t dropped,
    const char *comment)
{
	size_t	at = begin(o, BLOCK_STATISTICS);

	put32(o, 0);		/* of the only interface */
	put32(o, (uint32_t)(us >> 32));
	put32(o, (uint32_t)us);
	put_text_option(o, OPTION_COMMENT, comment);
	put_option(o, OPTION_RECEIVED, &messages, sizeof messages);
	put_option(o, OPTION_DROPPED, &dropped, sizeof dropped);
	put_option(o, OPTION_END, NULL, 0);
	end(o, at);
}

/* ---- the journal ----------------------------------------------------- */

void
pcapng_entry(struct pcapng *o, uint64_t us, int priority, const char *text)
{
	char	head[128];
	size_t	at = begin(o, BLOCK_JOURNAL);

	(void)snprintf(head, sizeof head,
	    "__REALTIME_TIMESTAMP=%llu\nPRIORITY=%d\nSYSLOG_IDENTIFIER=sctpd\nMESSAGE=",
	    (unsigned long long)us, priority);
	put(o, head, strlen(head));
	put(o, text, strcspn(text, "\n"));	/* a line is the value of a field */
	put(o, "\n", 1);
	end(o, at);
}
