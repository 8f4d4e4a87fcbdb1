/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "run/decode.h"

static int
sum(const struct iovec *iov, size_t n, size_t *total)
{
	*total = 0;
	if (n > IOV_MAX)
		return EMSGSIZE;
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len > SSIZE_MAX)
			return EINVAL;
		if (iov[i].iov_len > SSIZE_MAX - *total)
			return EINVAL;
		*total += iov[i].iov_len;
	}
	return 0;
}

int
decode_iov(const struct iovec *iov, size_t n, size_t most, size_t *total)
{
	int	number = sum(iov, n, total);

	return number == 0 && *total > most ? EMSGSIZE : number;
}

int
decode_room(const struct iovec *iov, size_t n, size_t most, size_t *room)
{
	int	number = sum(iov, n, room);

	if (*room > most)
		*room = most;
	return number;
}

/* Bytes of an address of that family, 0 if there is none such. */
static size_t
length(sa_family_t family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

int
decode_addr(const void *bytes, size_t len, struct sockaddr_storage *ss)
{
	sa_family_t	family;
	size_t		need;

	memset(ss, 0, sizeof *ss);
	if (len < sizeof family)
		return EINVAL;
	memcpy(&family, bytes, sizeof family);
	if ((need = length(family)) == 0)
		return EINVAL;
	/* As the kernel: RFC 2133's shorter form has no scope. */
	if (family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id) && len < need)
		need = len;
	if (len < need)
		return EINVAL;
	memcpy(ss, bytes, need);
	return 0;
}

int
decode_addrs(const void *bytes, size_t len, struct sockaddr_storage *ss, size_t *n)
{
	const char	*p = bytes;
	sa_family_t	 family;
	size_t		 need;

	for (*n = 0; len > 0; (*n)++) {
		if (*n == DECODE_ADDRS || len < sizeof family)
			return EINVAL;
		memcpy(&family, p, sizeof family);
		if ((need = length(family)) == 0 || len < need)
			return EINVAL;
		memset(&ss[*n], 0, sizeof ss[*n]);
		memcpy(&ss[*n], p, need);
		p += need;
		len -= need;
	}
	return *n > 0 ? 0 : EINVAL;
}

size_t
decode_pack_addrs(const struct sockaddr_storage *ss, size_t n, void *buf, size_t room, size_t *packed)
{
	size_t	need = 0, len;

	*packed = 0;
	for (size_t i = 0; i < n; i++) {
		len = length(ss[i].ss_family);
		if (*packed == i && need + len <= room) {
			memcpy((char *)buf + need, &ss[i], len);
			*packed = i + 1;
		}
		need += len;
	}
	return need;
}

/* Take the policy out of the flags, where the kernel has it. */
static void
policy(struct decoded *d)
{
	if (d->pr_policy == 0 && (d->info.sinfo_flags & SCTP_PR_SCTP_MASK) != 0) {
		d->pr_policy = d->info.sinfo_flags & SCTP_PR_SCTP_MASK;
		d->pr_value = d->info.sinfo_timetolive;
		d->info.sinfo_timetolive = 0;
	}
	d->info.sinfo_flags = (uint16_t)(d->info.sinfo_flags & ~SCTP_PR_SCTP_MASK);
}

static void
take_sndinfo(const struct sctp_sndinfo *s, struct decoded *d)
{
	d->info.sinfo_stream = s->snd_sid;
	d->info.sinfo_flags = s->snd_flags;
	d->info.sinfo_ppid = s->snd_ppid;
	d->info.sinfo_context = s->snd_context;
	d->info.sinfo_assoc_id = s->snd_assoc_id;
	d->has_info = true;
}

static int
add_destination(struct decoded *d, sa_family_t family, const void *ip, size_t len)
{
	struct sockaddr_storage	*ss = &d->addrs[d->naddrs];

	if (d->naddrs == DECODE_ADDRS)
		return EINVAL;
	memset(ss, 0, sizeof *ss);
	ss->ss_family = family;
	memcpy((char *)ss + (family == AF_INET ? offsetof(struct sockaddr_in, sin_addr) :
	    offsetof(struct sockaddr_in6, sin6_addr)), ip, len);
	d->naddrs++;
	return 0;
}

/* One control message; its data have len bytes. */
static int
take(int type, const void *data, size_t len, struct decoded *d)
{
	struct sctp_sndinfo	sndinfo;
	struct sctp_prinfo	prinfo;
	struct sctp_authinfo	authinfo;

#define EXACTLY(S)	do { if (len != sizeof(S)) return EINVAL; memcpy(&(S), data, len); } while (0)
	switch (type) {
	case SCTP_INIT:
		EXACTLY(d->init);
		d->has_init = true;
		return 0;
	case SCTP_SNDRCV:
		EXACTLY(d->info);
		d->has_info = true;
		return 0;
	case SCTP_SNDINFO:
		EXACTLY(sndinfo);
		take_sndinfo(&sndinfo, d);
		return 0;
	case SCTP_PRINFO:
		EXACTLY(prinfo);
		if ((prinfo.pr_policy & ~SCTP_PR_SCTP_MASK) != 0)
			return EINVAL;
		d->pr_policy = prinfo.pr_policy;
		d->pr_value = prinfo.pr_value;
		return 0;
	case SCTP_AUTHINFO:
		EXACTLY(authinfo);
		d->auth_keynumber = authinfo.auth_keynumber;
		d->has_auth = true;
		return 0;
	case SCTP_DSTADDRV4:
		return len == sizeof(struct in_addr) ? add_destination(d, AF_INET, data, len) : EINVAL;
	case SCTP_DSTADDRV6:
		return len == sizeof(struct in6_addr) ? add_destination(d, AF_INET6, data, len) : EINVAL;
	default:
		return EINVAL;
	}
#undef EXACTLY
}

int
decode_control(const void *bytes, size_t len, struct decoded *d)
{
	const char	*p = bytes;
	struct cmsghdr	 head;
	size_t		 space;
	int		 number;

	memset(d, 0, sizeof *d);
	while (len >= sizeof head) {
		memcpy(&head, p, sizeof head);
		if (head.cmsg_len < CMSG_LEN(0) || head.cmsg_len > len)
			return EINVAL;
		if (head.cmsg_level == IPPROTO_SCTP &&
		    (number = take(head.cmsg_type, p + CMSG_LEN(0), head.cmsg_len - CMSG_LEN(0), d)) != 0)
			return number;
		if ((space = CMSG_SPACE(head.cmsg_len - CMSG_LEN(0))) >= len)
			break;
		p += space;
		len -= space;
	}
	policy(d);
	return 0;
}

/* As the kernel's put_cmsg: what does not fit is cut off. */
bool
decode_add_control(void *buf, size_t room, size_t *used, int level, int type, const void *data, size_t len)
{
	struct cmsghdr	head = { .cmsg_level = level, .cmsg_type = type };
	char		*p = (char *)buf + *used;
	size_t		 left = room - *used, space = CMSG_SPACE(len) < left ? CMSG_SPACE(len) : left;

	if (left < sizeof head)
		return false;
	head.cmsg_len = CMSG_LEN(len) < left ? CMSG_LEN(len) : left;
	memset(p, 0, space);
	memcpy(p, &head, sizeof head);
	memcpy(p + CMSG_LEN(0), data, head.cmsg_len - CMSG_LEN(0));
	*used += space;
	return head.cmsg_len == CMSG_LEN(len);
}
