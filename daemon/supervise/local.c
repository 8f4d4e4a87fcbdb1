/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's addresses, as the kernel lists them: see local.h. */
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/addr.h"
#include "supervise/local.h"

#define DISCARD	9	/* a port: nothing is sent to it */

/* An address and how many of its first bits count. */
struct network {
	struct sockaddr_storage	addr;
	unsigned		bits;
};

static bool
parse_network(struct slice s, struct network *net)
{
	const char	*slash = memchr(s.ptr, '/', s.len);
	char		 text[8], *end;
	size_t		 len;

	if (slash == NULL || !addr_parse(s.ptr, (size_t)(slash - s.ptr), &net->addr))
		return false;
	len = s.len - (size_t)(slash - s.ptr) - 1;
	if (len == 0 || len >= sizeof text || !isdigit((unsigned char)slash[1]))
		return false;
	memcpy(text, slash + 1, len);
	text[len] = '\0';
	net->bits = (unsigned)strtoul(text, &end, 10);
	return *end == '\0' && net->bits <= (net->addr.ss_family == AF_INET ? 32u : 128u);
}

/* The bytes of an address. */
static const unsigned char *
bytes_of(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET)
		return (const unsigned char *)&((const struct sockaddr_in *)(const void *)ss)->sin_addr;
	return (const unsigned char *)&((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr;
}

static bool
is_in(const struct sockaddr_storage *ss, const struct network *net)
{
	const unsigned char	*a = bytes_of(ss), *b = bytes_of(&net->addr);
	unsigned		 whole = net->bits / 8, rest = net->bits % 8;

	if (ss->ss_family != net->addr.ss_family || memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool
is_in_text(const struct sockaddr_storage *ss, const char *text)
{
	struct network	net;

	return parse_network((struct slice){ text, (uint32_t)strlen(text) }, &net) && is_in(ss, &net);
}

bool
local_is_loopback(const struct sockaddr_storage *ss)
{
	return is_in_text(ss, "127.0.0.0/8") || is_in_text(ss, "::1/128");
}

bool
local_is_private(const struct sockaddr_storage *ss)
{
	static const char *const	nets[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
	    "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10" };

	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
		if (is_in_text(ss, nets[i]))
			return true;
	}
	return false;
}

/* How far an address reaches, as Linux sees it: the more the less. */
enum scope { SCOPE_GLOBAL, SCOPE_PRIVATE, SCOPE_LINK, SCOPE_LOOPBACK };

static enum scope
scope_of(const struct sockaddr_storage *ss)
{
	static const struct {
		const char	*net;
		enum scope	 scope;
	} rows[] = {
		{ "127.0.0.0/8", SCOPE_LOOPBACK }, { "::1/128", SCOPE_LOOPBACK },
		{ "169.254.0.0/16", SCOPE_LINK }, { "fe80::/10", SCOPE_LINK },
		{ "10.0.0.0/8", SCOPE_PRIVATE }, { "172.16.0.0/12", SCOPE_PRIVATE }, { "192.168.0.0/16", SCOPE_PRIVATE },
		{ "198.18.0.0/15", SCOPE_PRIVATE }, { "fec0::/10", SCOPE_PRIVATE },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (is_in_text(ss, rows[i].net))
			return rows[i].scope;
	}
	return SCOPE_GLOBAL;
}

/* 0: all addresses are offered; 1: as far as the peer's; 2 and 3: and private ones, or those of the link. */
static int
scope_policy(void)
{
	FILE	*f = fopen("/proc/sys/net/sctp/addr_scope_policy", "re");
	int	 policy = 1;

	if (f != NULL && fscanf(f, "%d", &policy) != 1)
		policy = 1;
	if (f != NULL)
		(void)fclose(f);
	return policy;
}

static size_t
offer(const struct sockaddr_storage *ss, size_t n, enum scope theirs, int policy, bool offered[])
{
	size_t	found = 0;

	for (size_t i = 0; i < n; i++) {
		enum scope	ours = scope_of(&ss[i]);

		offered[i] = ours <= theirs || policy == 0 || (policy == 2 && ours == SCOPE_PRIVATE) ||
		    (policy == 3 && ours == SCOPE_LINK);
		found += offered[i];
	}
	return found;
}

/* To a peer of the Internet private addresses are offered if there are no others: that peer may be behind a NAT of ours. */
void
local_offered(const struct sockaddr_storage *ss, size_t n, const struct sockaddr_storage *peer, bool offered[])
{
	int	policy = scope_policy();

	if (offer(ss, n, scope_of(peer), policy, offered) == 0 && scope_of(peer) == SCOPE_GLOBAL)
		(void)offer(ss, n, SCOPE_LINK, policy, offered);
}

bool
local_is_right(struct slice s)
{
	struct sockaddr_storage	ss;
	struct network		net;

	if (memchr(s.ptr, '/', s.len) != NULL)
		return parse_network(s, &net);
	if (addr_parse(s.ptr, s.len, &ss))
		return !addr_is_any(&ss);
	if (s.len == 0 || s.len >= IFNAMSIZ || isdigit((unsigned char)s.ptr[0]))
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		if (!isgraph((unsigned char)s.ptr[i]) || s.ptr[i] == '/')
			return false;
	}
	return true;
}

/* ---- interfaces ------------------------------------------------------ */

static bool
is_bridge(const char *name)
{
	char	path[64];

	(void)snprintf(path, sizeof path, "/sys/class/net/%s/bridge", name);
	return access(path, F_OK) == 0;
}

/* The address of an entry, if it is one of IP that others may reach. */
static bool
address_of(const struct ifaddrs *i, struct sockaddr_storage *ss)
{
	if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 ||
	    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
		return false;
	memset(ss, 0, sizeof *ss);
	memcpy(ss, i->ifa_addr, i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	return !is_in_text(ss, "fe80::/10");
}

static void
add(const struct sockaddr_storage *ss, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		if (addr_equal(&to[i], ss))
			return;
	}
	if (*n < LOCAL_ADDRS)
		to[(*n)++] = *ss;
}

const char *
local_add(struct slice s, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n)
{
	struct sockaddr_storage	 ss;
	struct network		 net;
	struct ifaddrs		*all;
	bool			 by_net, found = false, named = false;

	if (addr_parse(s.ptr, s.len, &ss)) {
		add(&ss, to, n);
		return NULL;
	}
	if (getifaddrs(&all) == -1)
		return "the host's addresses cannot be listed";
	by_net = parse_network(s, &net);
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (!by_net && (strlen(i->ifa_name) != s.len || memcmp(i->ifa_name, s.ptr, s.len) != 0))
			continue;
		named = true;
		if (!address_of(i, &ss) ||
		    (by_net && (!is_in(&ss, &net) || (i->ifa_flags & IFF_LOOPBACK) != 0 || is_bridge(i->ifa_name))))
			continue;
		add(&ss, to, n);
		found = true;
	}
	freeifaddrs(all);
	if (found)
		return NULL;
	if (by_net)
		return "no address of this host is in it, loopback and bridges aside";
	return named ? "the interface has no address, or is down" : "there is no such interface";
}

bool
local_is_ours(const struct sockaddr_storage *wanted)
{
	struct sockaddr_storage	 ss, bare = *wanted;
	struct ifaddrs		*all;
	bool			 found = false;

	if (getifaddrs(&all) == -1)
		return true;	/* nothing is known against it */
	addr_set_port(&bare, 0);
	for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next)
		found = address_of(i, &ss) && (addr_equal(&ss, &bare) ||
		    ((i->ifa_flags & IFF_LOOPBACK) != 0 && local_is_loopback(&bare) && bare.ss_family == AF_INET));
	freeifaddrs(all);
	return found;
}

/* A connected UDP socket has the address that the routes say. */
int
local_route(const struct sockaddr_storage *to, struct sockaddr_storage *from)
{
	struct sockaddr_storage	there = *to;
	socklen_t		len = sizeof *from;
	int			fd, number = 0;

	memset(from, 0, sizeof *from);
	addr_set_port(&there, DISCARD);
	if ((fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return errno;
	if (connect(fd, (struct sockaddr *)&there, addr_len(&there)) == -1 ||
	    getsockname(fd, (struct sockaddr *)from, &len) == -1)
		number = errno;
	(void)close(fd);
	addr_set_port(from, 0);
	return number;
}
