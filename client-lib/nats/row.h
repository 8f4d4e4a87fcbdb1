/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the values in the bucket of a standby say. Members of other versions, and people, may have written them, so all is
 * refused that this program would not have written.
 */
#ifndef NATS_ROW_H
#define NATS_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nats/config.h"

#define ROW_SIZE	2048	/* bytes of an association in the bucket */

/* What an association is called in subjects: 17-8f3a01bc. */
struct standby_name {
	uint32_t	assoc;
	uint32_t	epoch;
};

/* False: it has not that form. */
bool row_read_name(const char *, struct standby_name *);

/*
 * endpoint=n2 at=17-8f3a01bc port=38412 udp=0 out=10 in=10 local=10.0.1.10 peers=10.0.1.1,10.0.2.1
 *
 * "at" is the association's number and session now; the key has those that it is called by.
 */
struct row {
	struct standby_name	name, at;
	char			endpoint[CONFIG_NAME];
	unsigned		port, udp, out, in;
	char			local[ROW_SIZE], peers[ROW_SIZE];
};

/* False: it is no association. */
bool row_read(const char *name, const char *text, struct row *);

/* Its text. */
void row_write(char to[ROW_SIZE], const struct row *);

/* "member=east term=7", of the keys owner and taken. Behind it there may be more, after a blank. */
bool row_read_term(const char *text, char member[CONFIG_NAME], uint64_t *term);

#endif
