/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: translating structs.
 */
#include <string.h>

#include "proto/addr.h"
#include "userland/field.h"
#include "userland/userland.h"

static uint64_t
load(const struct field *f, const char *mem)
{
	uint8_t		b;
	uint16_t	h;
	uint32_t	w;
	uint64_t	d;

	switch (f->width) {
	case 1:
		memcpy(&b, mem + f->offset, sizeof b);
		return b;
	case 2:
		memcpy(&h, mem + f->offset, sizeof h);
		return h;
	case 4:
		memcpy(&w, mem + f->offset, sizeof w);
		return w;
	default:
		memcpy(&d, mem + f->offset, sizeof d);
		return d;
	}
}

static void
store(const struct field *f, char *mem, uint64_t value)
{
	uint8_t		b = (uint8_t)value;
	uint16_t	h = (uint16_t)value;
	uint32_t	w = (uint32_t)value;

	switch (f->width) {
	case 1:
		memcpy(mem + f->offset, &b, sizeof b);
		break;
	case 2:
		memcpy(mem + f->offset, &h, sizeof h);
		break;
	case 4:
		memcpy(mem + f->offset, &w, sizeof w);
		break;
	default:
		memcpy(mem + f->offset, &value, sizeof value);
		break;
	}
}

/* The value that the same word has on the other side. A value without a word stays. */
static uint64_t
word(const struct word *from, const struct word *to, uint64_t value)
{
	for (; from->name != NULL; from++) {
		if ((uint64_t)from->value != value)
			continue;
		for (; to->name != NULL; to++) {
			if (strcmp(from->name, to->name) == 0)
				return (uint64_t)to->value;
		}
		break;
	}
	return value;
}

/* Each bit that has a word on both sides. */
static uint64_t
words(const struct word *from, const struct word *to, uint64_t value)
{
	uint64_t	result = 0;

	for (; from->name != NULL; from++) {
		if (!(value & (uint64_t)from->value))
			continue;
		for (const struct word *t = to; t->name != NULL; t++) {
			if (strcmp(from->name, t->name) == 0)
				result |= (uint64_t)t->value;
		}
	}
	return result;
}

/*
 * In usrsctp's structs an address is the number of a path. No address at all
 * means the association's only one.
 */
static bool
convert_addr(const struct turn *turn, const char *from, char *to)
{
	struct sockaddr_storage	ss;
	struct sockaddr_conn	c;

	memset(&ss, 0, sizeof ss);
	if (turn->outward) {
		memcpy(&c, from, sizeof c);
		if (turn->assoc != NULL && c.sconn_family == AF_CONN)
			ss = turn->assoc->peer;
	} else {
		memcpy(&ss, from, sizeof ss);
		if (ss.ss_family != 0 && (turn->assoc == NULL ||
		    !addr_equal(&ss, &turn->assoc->peer)))
			return false;
		c = path_name(turn->assoc != NULL ? turn->assoc->stack.userland->path : NULL,
		    turn->assoc != NULL ? addr_port(&turn->assoc->peer) : 0);
		memset(&ss, 0, sizeof ss);
		memcpy(&ss, &c, sizeof c);
	}
	memcpy(to, &ss, sizeof ss);
	return true;
}

/* Each item, as many as both sides have room for. */
static void
convert_list(const struct shape *from, const struct field *f, const struct shape *to,
    const struct field *t)
{
	const struct field	fn = { .offset = f->count, .width = f->count_width };
	const struct field	tn = { .offset = t->count, .width = t->count_width };
	struct field		fi = { .offset = f->offset, .width = f->item };
	struct field		ti = { .offset = t->offset, .width = t->item };
	uint64_t		n = load(&fn, from->mem), v;

	n = n < (uint64_t)(f->width / f->item) ? n : (uint64_t)(f->width / f->item);
	n = n < (uint64_t)(t->width / t->item) ? n : (uint64_t)(t->width / t->item);
	for (uint64_t i = 0; i < n; i++) {
		v = load(&fi, from->mem);
		store(&ti, to->mem, f->words != NULL && t->words != NULL ? word(f->words, t->words, v) : v);
		fi.offset += fi.width;
		ti.offset += ti.width;
	}
	store(&tn, to->mem, n);
}

static uint64_t
convert_value(const struct turn *turn, const struct field *from, const struct field *to,
    uint64_t value)
{
	if (strcmp(to->key, "assoc_id") == 0 && turn->assoc != NULL)
		return turn->outward ? assoc_id(turn->assoc) : userland_id(turn->assoc);
	if (from->type == FIELD_WORD && from->words != NULL && to->words != NULL)
		return word(from->words, to->words, value);
	if (from->type == FIELD_WORDS)
		return words(from->words, to->words, value);
	return value;
}

bool
userland_convert(const struct turn *turn, const struct shape *from, const struct shape *to)
{
	for (const struct field *t = to->fields; t->key != NULL; t++) {
		const struct field	*f = from->fields;

		while (f->key != NULL && strcmp(f->key, t->key) != 0)
			f++;
		if (f->key == NULL || t->type == FIELD_TAIL || t->type == FIELD_TAIL16)
			continue;
		if (t->type == FIELD_RECORD) {
			const struct shape	a = { f->sub, from->mem + f->offset };
			const struct shape	b = { t->sub, to->mem + t->offset };

			if (!userland_convert(turn, &a, &b))
				return false;
		} else if (t->type == FIELD_LIST) {
			convert_list(from, f, to, t);
		} else if (t->type == FIELD_ENDPOINT) {
			if (!convert_addr(turn, from->mem + f->offset, to->mem + t->offset))
				return false;
		} else {
			store(t, to->mem, convert_value(turn, f, t, load(f, from->mem)));
		}
	}
	return true;
}
