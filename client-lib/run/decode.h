/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of the program's memory as structs, and structs as bytes. Nothing here
 * reads that memory: the bytes were copied. They may be anything.
 */
#ifndef RUN_DECODE_H
#define RUN_DECODE_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define DECODE_ADDRS	32	/* as many as open and connect take */
#define DECODE_CONTROL	1024	/* bytes of control data that are looked at */

/* How a message is sent: what its control data say, in the fields of sctp_sndrcvinfo. */
struct decoded {
	struct sctp_sndrcvinfo	info;
	bool			has_info;
	bool			has_init;
	struct sctp_initmsg	init;
	uint16_t		pr_policy;	/* of enum sctp_pr_policy, as the kernel has it */
	uint32_t		pr_value;
	bool			has_auth;
	uint16_t		auth_keynumber;
	size_t			naddrs;		/* SCTP_DSTADDRV4 and V6 */
	struct sockaddr_storage	addrs[DECODE_ADDRS];
};

/* Each gives 0 or an errno. */

/* The sum of the lengths, at most most: more is EMSGSIZE. */
int decode_iov(const struct iovec *, size_t n, size_t most, size_t *total);
/* As far as a receiving call has room: never an error for its size. */
int decode_room(const struct iovec *, size_t n, size_t most, size_t *room);

/* An address of a call; another family than IPv4's or IPv6's is EINVAL, as in the kernel. */
int decode_addr(const void *, size_t len, struct sockaddr_storage *);
/* Addresses one after the other, as sctp_bindx and sctp_connectx pack them. */
int decode_addrs(const void *, size_t len, struct sockaddr_storage *, size_t *n);
/* And the other way; gives the bytes that all take, which may be more than there is room for. */
size_t decode_pack_addrs(const struct sockaddr_storage *, size_t n, void *, size_t room, size_t *packed);

/* The control data of sendmsg(2). */
int decode_control(const void *, size_t len, struct decoded *);

/*
 * Add a control message for recvmsg(2) at *used of a buffer with room bytes;
 * false, if there is no room for all of it: MSG_CTRUNC.
 */
bool decode_add_control(void *, size_t room, size_t *used, int level, int type, const void *, size_t len);

#endif
