/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol by hand, for a client that must not be what limits: frames are
 * laid out once and copied, and what comes is passed over in place.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
	int		 fd;		/* blocking */
	uint8_t		*in;
	size_t		 in_at, in_len, in_size;
	uint8_t		*out;
	size_t		 out_len, out_size;
	uint32_t	 msgid;
};

/* What the daemon sent: an answer, or an event with data if it is one. */
struct wire_msg {
	bool		 answer;
	uint32_t	 msgid;
	bool		 failed;
	const uint8_t	*error;		/* of an answer that failed */
	size_t		 error_len;
	const uint8_t	*data;		/* NULL: an event that is none of data */
	size_t		 len;
	uint32_t	 assoc_id;	/* of data */
};

/* A frame but for its last bytes, which are data, and its msgid. */
struct wire_head {
	uint8_t		 bytes[128];
	size_t		 len;
	bool		 request;	/* else a notification */
};

/*
 * Wait with poll, as libsctpd does, and then receive: who waits in recv is
 * also woken when what it sent is taken, for nothing. Where system calls are
 * dear, in a lab, that is the cheaper.
 */
extern bool wire_polls;

void wire_init(struct wire *, int fd);
void wire_init_small(struct wire *, int fd);
void wire_free(struct wire *);
void wire_send_head(struct wire_head *, bool request, uint64_t sock, uint32_t assoc_id, size_t len);
void wire_put(struct wire *, const struct wire_head *, const void *data, size_t len);
void wire_noop(struct wire *);
void wire_activate(struct wire *, uint64_t sock);
void wire_lend(struct wire *, uint64_t sock);
void wire_push(struct wire *);
bool wire_next(struct wire *, struct wire_msg *);
void wire_fill(struct wire *, bool wait);

#endif
