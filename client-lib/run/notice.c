/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the events describe the kernel's structs; they are read here the
 * other way round than in the daemon.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/event_type.h"
#include "run/notice.h"

static const char	send_failed[] = "sctp_send_failed";

int
notice_flag(const struct sctpd_event *ev)
{
	const struct event_type	*row = event_type_named(ev->name, strlen(ev->name));

	return row != NULL ? row->subscribe : -1;
}

int
notice_flag_of(uint16_t sn_type)
{
	const struct event_type	*row;

	if (sn_type == SCTP_DATA_IO_EVENT)
		return offsetof(struct sctp_event_subscribe, sctp_data_io_event);
	if (sn_type == SCTP_SEND_FAILED)
		return offsetof(struct sctp_event_subscribe, sctp_send_failure_event);
	row = event_type_find(sn_type);
	return row != NULL ? row->subscribe : -1;
}

static int64_t
of_word(const struct word *words, const struct sctpd_value *v)
{
	const char	*name = sctpd_str(v, NULL);

	if (sctpd_type(v) != SCTPD_STR)
		return sctpd_int(v);
	for (; words->name != NULL; words++) {
		if (strcmp(words->name, name) == 0)
			return words->value;
	}
	return 0;
}

static int64_t
of_words(const struct word *words, const struct sctpd_value *v)
{
	int64_t	bits = 0;

	for (size_t i = 0; i < sctpd_count(v); i++)
		bits |= of_word(words, sctpd_item(v, i));
	return bits;
}

/* A number in host order, as wide as the field. */
static void
put_number(char *at, size_t width, int64_t n)
{
	uint8_t		n8 = (uint8_t)n;
	uint16_t	n16 = (uint16_t)n;
	uint32_t	n32 = (uint32_t)n;

	memcpy(at, width == 1 ? (void *)&n8 : width == 2 ? (void *)&n16 : (void *)&n32, width > 4 ? 4 : width);
}

static void
put_endpoint(char *at, const struct sctpd_value *v)
{
	const char		*text = sctpd_get_str(v, "addr");
	struct sockaddr_storage	 ss = { 0 };

	if (!addr_parse(text, strlen(text), &ss))
		return;
	addr_set_port(&ss, (uint16_t)sctpd_get_int(v, "port"));
	memcpy(at, &ss, sizeof ss);
}

static void
put(char *at, const struct field *f, const struct sctpd_value *v)
{
	switch (f->type) {
	case FIELD_WORD:
		put_number(at, f->width, of_word(f->words, v));
		return;
	case FIELD_WORDS:
		put_number(at, f->width, of_words(f->words, v));
		return;
	case FIELD_ENDPOINT:
		put_endpoint(at, v);
		return;
	default:
		put_number(at, f->width, sctpd_int(v));
	}
}

/* Bytes that follow the fixed part, with len, or a list of numbers. */
static char *
with_tail(const struct event_type *row, const struct sctpd_value *fields, size_t *len)
{
	const struct sctpd_value	*v = NULL;
	const struct field		*tail = NULL;
	const char			*bytes = NULL;
	size_t				 n = 0;
	char				*buf;

	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (f->type == FIELD_TAIL || f->type == FIELD_TAIL16)
			tail = f;
	}
	*len = row->size;
	if (tail != NULL && (v = sctpd_get(fields, tail->key)) != NULL) {
		bytes = sctpd_str(v, &n);
		n = tail->type == FIELD_TAIL16 ? 2 * sctpd_count(v) : n;
		*len = tail->offset + n > row->size ? tail->offset + n : row->size;
	}
	if ((buf = calloc(1, *len)) == NULL || n == 0)
		return buf;
	if (tail->type == FIELD_TAIL)
		memcpy(buf + tail->offset, bytes, n);
	for (size_t i = 0; tail->type == FIELD_TAIL16 && i < sctpd_count(v); i++)
		put_number(buf + tail->offset + 2 * i, 2, sctpd_int(sctpd_item(v, i)));
	return buf;
}

static void *
pack_send_failed(const struct sctpd_event *ev, size_t *len)
{
	struct sctp_send_failed	 f = {
		.ssf_type = SCTP_SEND_FAILED,
		.ssf_flags = sctpd_get_int(ev->fields, "flags") != 0 ? SCTP_DATA_SENT : SCTP_DATA_UNSENT,
		.ssf_length = (uint32_t)(sizeof f + ev->len),
		.ssf_error = (uint32_t)sctpd_get_int(ev->fields, "error"),
		.ssf_info = { .sinfo_stream = ev->info.stream, .sinfo_flags = ev->info.flags,
		    .sinfo_ppid = htonl(ev->info.ppid), .sinfo_context = ev->info.context,
		    .sinfo_timetolive = ev->info.timetolive, .sinfo_assoc_id = (sctp_assoc_t)ev->assoc_id },
		.ssf_assoc_id = (sctp_assoc_t)ev->assoc_id,
	};
	char			*buf = malloc(sizeof f + ev->len);

	if (buf == NULL)
		return NULL;
	memcpy(buf, &f, sizeof f);
	memcpy(buf + sizeof f, ev->data, ev->len);
	*len = sizeof f + ev->len;
	return buf;
}

void *
notice_pack(const struct sctpd_event *ev, size_t *len)
{
	const struct event_type		*row = event_type_named(ev->name, strlen(ev->name));
	const struct sctpd_value	*v;
	struct { uint16_t type, flags; uint32_t length; } head;
	char				*buf;

	if (strcmp(ev->name, send_failed) == 0)
		return pack_send_failed(ev, len);
	if ((buf = with_tail(row, ev->fields, len)) == NULL)
		return NULL;
	head.type = row->sn_type;
	head.flags = 0;
	head.length = (uint32_t)*len;
	memcpy(buf, &head, sizeof head);
	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (f->type != FIELD_TAIL && f->type != FIELD_TAIL16 && (v = sctpd_get(ev->fields, f->key)) != NULL)
			put(buf + f->offset, f, v);
	}
	return buf;
}
