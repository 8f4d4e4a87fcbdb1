/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of the daemon as notifications of RFC 6458 6.1, as the kernel lays them out. */
#ifndef RUN_NOTICE_H
#define RUN_NOTICE_H

#include <stddef.h>

#include "lib/sctpd.h"

/*
 * The offset of an event's flag in struct sctp_event_subscribe; -1, if no
 * notification stands for it.
 */
int notice_flag(const struct sctpd_event *);
/* The offset of the flag of a type, enum sctp_sn_type; -1 for none. */
int notice_flag_of(uint16_t sn_type);

/* The bytes of the notification, which are the caller's to free; NULL without memory. */
void *notice_pack(const struct sctpd_event *, size_t *len);

#endif
