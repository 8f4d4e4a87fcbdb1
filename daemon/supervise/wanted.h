/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wanted of a supervised association: the arguments of the method
 * supervise, whether they came from a client, a paragraph of sctpd.conf or the
 * journal. It is kept as the packed map of them, with its keys in the order of
 * the table, so that two that say the same are the same bytes.
 */
#ifndef WANTED_H
#define WANTED_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "proto/error.h"
#include "proto/rpc.h"

#define WANTED_NAME	64	/* characters of a name */
#define WANTED_ITEMS	16	/* of a list */

struct wanted {
	msgpack_unpacked	 u;
	struct rpc_supervise_in	 in;
};

/* Read the packed map; wanted_free in any case. */
bool wanted_read(struct wanted *, const char *, size_t len, struct errtext *);
void wanted_free(struct wanted *);

/* Do the arguments go together? Of a paragraph, users have names too. */
bool wanted_check(const struct rpc_supervise_in *, bool config, struct errtext *);

/* Pack the arguments: all, or those that an association has to be set up anew for. */
enum wanted_part { WANTED_ALL, WANTED_HARD };
void wanted_pack(msgpack_sbuffer *, const struct rpc_supervise_in *, enum wanted_part);

/* The map of a paragraph, packed; false: it is wrong, and why. */
bool wanted_from_paragraph(msgpack_sbuffer *, const struct paragraph *, struct errtext *);

/* The items of a list, or of one value; an item of no text is "". */
uint32_t wanted_count(const struct any *);
struct slice wanted_item(const struct any *, uint32_t i);

/* Values with their defaults, in ms and percent. */
uint32_t wanted_backoff_min(const struct rpc_supervise_in *);
uint32_t wanted_backoff_max(const struct rpc_supervise_in *);
uint32_t wanted_jitter(const struct rpc_supervise_in *);

#endif
