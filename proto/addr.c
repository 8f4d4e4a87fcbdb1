/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses to text and back. Numeric only: looking up a name may block.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"

static bool
parse6(char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6	 s6 = { .sin6_family = AF_INET6 };
	char			*zone = strchr(text, '%');
	size_t			 digits;

	if (zone != NULL) {
		*zone++ = '\0';
		/* It is a name or, as RFC 4007 has it, a number. */
		s6.sin6_scope_id = if_nametoindex(zone);
		digits = strspn(zone, "0123456789");
		if (s6.sin6_scope_id == 0 && digits <= 9 && zone[digits] == '\0')
			s6.sin6_scope_id = (uint32_t)strtoul(zone, NULL, 10);
		if (s6.sin6_scope_id == 0)
			return false;
	}
	if (inet_pton(AF_INET6, text, &s6.sin6_addr) != 1)
		return false;
	memcpy(ss, &s6, sizeof s6);
	return true;
}

bool
addr_parse(const char *src, size_t len, struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET };
	char			text[ADDR_TEXT];

	if (len == 0 || len >= sizeof text || memchr(src, '\0', len) != NULL)
		return false;
	memcpy(text, src, len);
	text[len] = '\0';
	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, text, &s4.sin_addr) != 1)
		return parse6(text, ss);
	memcpy(ss, &s4, sizeof s4);
	return true;
}

const char *
addr_text(const struct sockaddr_storage *ss, char buf[ADDR_TEXT])
{
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6;
	char			zone[IF_NAMESIZE];

	buf[0] = '\0';
	if (ss->ss_family == AF_INET) {
		memcpy(&s4, ss, sizeof s4);
		(void)inet_ntop(AF_INET, &s4.sin_addr, buf, ADDR_TEXT);
	} else if (ss->ss_family == AF_INET6) {
		memcpy(&s6, ss, sizeof s6);
		(void)inet_ntop(AF_INET6, &s6.sin6_addr, buf, ADDR_TEXT);
		if (s6.sin6_scope_id == 0)
			return buf;
		if (if_indextoname(s6.sin6_scope_id, zone) == NULL)
			(void)snprintf(zone, sizeof zone, "%" PRIu32,
			    s6.sin6_scope_id);	/* the interface is gone */
		strcat(buf, "%");
		strcat(buf, zone);
	}
	return buf;
}

uint16_t
addr_port(const struct sockaddr_storage *ss)
{
	/* The port stands at the same place in both families. */
	struct sockaddr_in	s4;

	memcpy(&s4, ss, sizeof s4);
	return ntohs(s4.sin_port);
}

void
addr_set_port(struct sockaddr_storage *ss, uint16_t port)
{
	struct sockaddr_in	s4;

	memcpy(&s4, ss, sizeof s4);
	s4.sin_port = htons(port);
	memcpy(ss, &s4, sizeof s4);
}

socklen_t
addr_len(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
	    sizeof(struct sockaddr_in);
}

/* An address as sixteen bytes, IPv4 as ::ffff:a.b.c.d. */
static void
addr_bytes(const struct sockaddr_storage *ss, unsigned char out[16])
{
	static const unsigned char	mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in		s4;
	struct sockaddr_in6		s6;

	if (ss->ss_family == AF_INET6) {
		memcpy(&s6, ss, sizeof s6);
		memcpy(out, &s6.sin6_addr, 16);
		return;
	}
	memcpy(&s4, ss, sizeof s4);
	memcpy(out, mapped, 12);
	memcpy(out + 12, &s4.sin_addr, 4);
}

/* The zone, which tells two links' equal addresses apart; 0 if none. */
static uint32_t
addr_zone(const struct sockaddr_storage *ss)
{
	struct sockaddr_in6	s6;

	memcpy(&s6, ss, sizeof s6);
	return ss->ss_family == AF_INET6 ? s6.sin6_scope_id : 0;
}

bool
addr_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	unsigned char	x[16], y[16];
	uint32_t	za = addr_zone(a), zb = addr_zone(b);

	if (za != zb && za != 0 && zb != 0)
		return false;
	addr_bytes(a, x);
	addr_bytes(b, y);
	return memcmp(x, y, 16) == 0 && addr_port(a) == addr_port(b);
}

bool
addr_is_any(const struct sockaddr_storage *ss)
{
	static const unsigned char	zero[16], mapped[16] = { [10] = 0xff, [11] = 0xff };
	unsigned char			bytes[16];

	addr_bytes(ss, bytes);
	return memcmp(bytes, zero, 16) == 0 || memcmp(bytes, mapped, 16) == 0;
}

void
addr_unmap(struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET };
	struct sockaddr_in6	s6;

	memcpy(&s6, ss, sizeof s6);
	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&s6.sin6_addr))
		return;
	s4.sin_port = s6.sin6_port;
	memcpy(&s4.sin_addr, &s6.sin6_addr.s6_addr[12], 4);
	memset(ss, 0, sizeof *ss);
	memcpy(ss, &s4, sizeof s4);
}

void
addr_pack(const struct sockaddr_storage *ss, struct in6_addr *to)
{
	addr_bytes(ss, to->s6_addr);
}

void
addr_unpack(const struct in6_addr *from, struct sockaddr_storage *ss)
{
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6, .sin6_addr = *from };

	memset(ss, 0, sizeof *ss);
	memcpy(ss, &s6, sizeof s6);
	addr_unmap(ss);
}

void
addr_map(struct sockaddr_storage *ss)
{
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(addr_port(ss)) };

	if (ss->ss_family != AF_INET)
		return;
	addr_bytes(ss, s6.sin6_addr.s6_addr);
	memset(ss, 0, sizeof *ss);
	memcpy(ss, &s6, sizeof s6);
}
