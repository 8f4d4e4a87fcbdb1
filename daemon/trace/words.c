/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fields of a stack's event say.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "trace/words.h"

const struct field *
words_field(const struct event_type *row, const char *key)
{
	const struct field	*f = row->fields;

	while (f->key != NULL && strcmp(f->key, key) != 0)
		f++;
	return f->key != NULL ? f : NULL;
}

uint32_t
words_number(const struct stack_event *e, const struct field *f)
{
	const char	*p = (const char *)e->body + f->offset;
	uint32_t	 wide = 0;
	uint16_t	 narrow = 0;

	if (f->width == 1)
		return (unsigned char)*p;
	if (f->width == sizeof narrow) {
		memcpy(&narrow, p, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, p, sizeof wide);
	return wide;
}

const char *
words_name(const struct field *f, uint32_t value)
{
	for (const struct word *w = f->words; w->name != NULL; w++) {
		if (w->value == (int64_t)value)
			return w->name;
	}
	return "";
}

/* The bits of a field that have words, separated by "+". */
static void
add_words(char *to, size_t size, const struct field *f, uint32_t value)
{
	size_t	n = 0;

	for (const struct word *w = f->words; w->name != NULL && n < size; w++) {
		if ((value & (uint32_t)w->value) != 0)
			n += (size_t)snprintf(to + n, size - n, "%s%s", n > 0 ? "+" : "", w->name);
	}
}

/* Nothing, if the field is of a kind that takes no part: bytes, lists, records. */
static void
value_of(char to[ADDR_TEXT], const struct stack_event *e, const struct field *f)
{
	struct sockaddr_storage	ss;

	to[0] = '\0';
	switch (f->type) {
	case FIELD_BOOL:
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_S32:
		(void)snprintf(to, ADDR_TEXT, "%" PRIu32, words_number(e, f));
		break;
	case FIELD_WORD:
		(void)snprintf(to, ADDR_TEXT, "%s", words_name(f, words_number(e, f)));
		break;
	case FIELD_WORDS:
		add_words(to, ADDR_TEXT, f, words_number(e, f));
		break;
	case FIELD_ENDPOINT:
		memcpy(&ss, (const char *)e->body + f->offset, sizeof ss);
		(void)addr_text(&ss, to);
		break;
	default:
		break;
	}
}

void
words_of(char *to, size_t size, const struct stack_event *e)
{
	char	value[ADDR_TEXT];
	size_t	n = (size_t)snprintf(to, size, "%s", e->row->name);

	for (const struct field *f = e->row->fields; f->key != NULL && n < size; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			continue;
		value_of(value, e, f);
		if (value[0] != '\0')
			n += (size_t)snprintf(to + n, size - n, " %s=%s", f->key, value);
	}
}
