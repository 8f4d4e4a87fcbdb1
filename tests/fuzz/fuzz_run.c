/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program that sctpctl run supervises may have in its memory: lists of
 * pieces, addresses, control data. The first byte says what the rest is. What
 * is right is no longer than it may be, and says the same when it is packed
 * and read again.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "run/decode.h"

static void
pieces(const uint8_t *bytes, size_t n)
{
	static struct iovec	iov[IOV_MAX + 1];
	size_t			count = n / sizeof *iov, total, most = 1U << 20, room;

	if (count > IOV_MAX + 1)
		count = IOV_MAX + 1;
	memcpy(iov, bytes, count * sizeof *iov);
	if (decode_iov(iov, count, most, &total) == 0)
		must(total <= most);
	if (decode_room(iov, count, most, &room) == 0)
		must(room <= most);
}

static void
addresses(const uint8_t *bytes, size_t n)
{
	struct sockaddr_storage	ss[DECODE_ADDRS], again[DECODE_ADDRS];
	char			buf[DECODE_ADDRS * sizeof *ss];
	size_t			count, count_again, packed;

	(void)decode_addr(bytes, n, &ss[0]);
	if (decode_addrs(bytes, n, ss, &count) != 0)
		return;
	must(count >= 1 && count <= DECODE_ADDRS);
	must(decode_pack_addrs(ss, count, buf, sizeof buf, &packed) == n && packed == count && memcmp(buf, bytes, n) == 0);
	must(decode_addrs(buf, n, again, &count_again) == 0 && count_again == count);
	must(memcmp(ss, again, count * sizeof *ss) == 0);
	/* With less room there are fewer, and it says how much they would take. */
	must(decode_pack_addrs(ss, count, buf, n - 1, &packed) == n && packed == count - 1);
}

static void
control(const uint8_t *bytes, size_t n)
{
	struct decoded	d, again;
	char		buf[DECODE_CONTROL];
	size_t		used = 0;

	if (decode_control(bytes, n, &d) != 0)
		return;
	must(d.naddrs <= DECODE_ADDRS && (d.pr_policy & ~SCTP_PR_SCTP_MASK) == 0);
	must((d.info.sinfo_flags & SCTP_PR_SCTP_MASK) == 0);
	must(decode_add_control(buf, sizeof buf, &used, IPPROTO_SCTP, SCTP_SNDRCV, &d.info, sizeof d.info));
	must(decode_control(buf, used, &again) == 0 && again.has_info && memcmp(&again.info, &d.info, sizeof d.info) == 0);
	/* Whatever room there is, nothing is written behind it. */
	for (size_t room = 0; room < 64; room += 7) {
		used = 0;
		memset(buf, 'x', sizeof buf);
		(void)decode_add_control(buf, room, &used, IPPROTO_SCTP, SCTP_SNDRCV, &d.info, sizeof d.info);
		must(used <= room && buf[room] == 'x');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static void	(*const kinds[])(const uint8_t *, size_t) = { pieces, addresses, control };

	if (n > 0)
		kinds[bytes[0] % 3](bytes + 1, n - 1);
	return 0;
}
