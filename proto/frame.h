/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting a stream of bytes into MessagePack-RPC messages.
 *
 * MessagePack-RPC has no framing of its own: a message ends where its
 * outermost array does. The scanner finds that end, and the limits live here,
 * because msgpack-c must never see bytes that were not counted first: five of
 * them can make it reserve 16 GiB.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX_DEPTH		16
#define FRAME_MAX_ITEMS		65536	/* msgpack-c takes 24 bytes for each */

enum frame_result {
	FRAME_MESSAGE,		/* a whole message, len bytes of it */
	FRAME_MORE,		/* the beginning of one */
	FRAME_TOO_BIG,		/* it is, or says it will be, over the limit */
	FRAME_TOO_DEEP,
	FRAME_TOO_MANY,		/* items */
	FRAME_GARBAGE,		/* no MessagePack-RPC message begins like this */
};

/* Where a scan stands; all zeros at the start of each message. */
struct frame {
	size_t		at;			/* bytes scanned */
	uint32_t	items;
	uint32_t	left[FRAME_MAX_DEPTH];	/* values to come, per level */
	unsigned	depth;
};

/*
 * Scan n bytes from the message's first on; bytes scanned in an earlier call
 * are not looked at again. After FRAME_MESSAGE the frame is ready for the next.
 */
enum frame_result frame_scan(struct frame *, const void *, size_t n, size_t max,
    size_t *len);

/* The same for a value of any kind that begins there, of which all n bytes are given. */
enum frame_result frame_value(const void *, size_t n, size_t *len);

/* The result in words, for logs. */
const char *frame_why(enum frame_result);

#endif
