/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every row of every table, by the table: names, texts, offsets, and the way
 * to MessagePack and back. No row is named here, so a new one is tested too.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/error.h"
#include "proto/event_type.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "unit.h"

/* ---- form ----------------------------------------------------------- */

static void
check_name(const char *name)
{
	ck_assert_msg(islower((unsigned char)*name), "\"%s\" begins with no letter", name);
	ck_assert_msg(name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0',
	    "\"%s\" is not in snake_case", name);
	ck_assert_msg(strstr(name, "__") == NULL && name[strlen(name) - 1] != '_',
	    "\"%s\" has an underscore too many", name);
}

/* The text of a row: one or more sentences. */
static void
check_doc(const char *name, const char *doc)
{
	size_t	n = doc != NULL ? strlen(doc) : 0;

	ck_assert_msg(n > 0, "%s: no text", name);
	ck_assert_msg(isupper((unsigned char)*doc), "%s: text begins with no capital", name);
	ck_assert_msg(doc[n - 1] == '.' && doc[n - 2] != '.', "%s: text ends with no full stop", name);
	ck_assert_msg(strstr(doc, "  ") == NULL, "%s: two spaces in its text", name);
}

static void
check_from(const char *name, const char *from)
{
	ck_assert_msg(from != NULL && *from != '\0' && from[strlen(from) - 1] != '.',
	    "%s: says badly where it is from", name);
}

static void
check_words(const struct field *f, const char *row)
{
	int64_t	all = 0;

	ck_assert_msg(f->words != NULL && f->words->name != NULL, "%s.%s: no words", row, f->key);
	for (const struct word *w = f->words; w->name != NULL; w++) {
		check_name(w->name);
		for (const struct word *v = f->words; v != w; v++)
			ck_assert_msg(strcmp(v->name, w->name) != 0 && v->value != w->value,
			    "%s.%s: %s twice", row, f->key, w->name);
		if (f->type != FIELD_WORDS)
			continue;
		ck_assert_msg(w->value > 0 && (w->value & all) == 0,
		    "%s.%s: %s shares bits", row, f->key, w->name);
		ck_assert_msg(f->width == 4 || w->value >> (8 * f->width) == 0,
		    "%s.%s: %s does not fit", row, f->key, w->name);
		all |= w->value;
	}
}

static bool
is_tail(const struct field *f)
{
	return f->type == FIELD_TAIL || f->type == FIELD_TAIL16;
}

static void
check_overlap(const struct field *f, const struct field *g, const char *row)
{
	ck_assert_msg(strcmp(f->key, g->key) != 0, "%s.%s twice", row, f->key);
	if (is_tail(g))
		ck_assert_msg(f->offset + f->width <= g->offset,
		    "%s.%s lies in %s", row, f->key, g->key);
	else
		ck_assert_msg(f->offset + f->width <= g->offset ||
		    g->offset + g->width <= f->offset,
		    "%s.%s and %s share bytes", row, f->key, g->key);
}

static void
check_fields(const struct field *fields, size_t size, const char *row)
{
	ck_assert_msg(fields != NULL, "%s: no list of fields", row);
	for (const struct field *f = fields; f->key != NULL; f++) {
		if (f->key[0] != '\0')
			check_name(f->key);
		else
			ck_assert_msg(f == fields && f[1].key == NULL && f->width == size,
			    "%s: a value that is no scalar", row);
		ck_assert_msg(f->doc != NULL && *f->doc != '\0' && f->doc[strlen(f->doc) - 1] != '.',
		    "%s.%s: bad text", row, f->key);
		ck_assert_msg(f->offset + f->width <= size, "%s.%s lies outside", row, f->key);
		ck_assert_msg(f->width > 0 || is_tail(f), "%s.%s has no width", row, f->key);
		ck_assert_msg(!is_tail(f) || f[1].key == NULL, "%s.%s is no tail", row, f->key);
		ck_assert_msg(f - fields < 64, "%s: more fields than bits in has", row);
		if (f->type == FIELD_WORD || f->type == FIELD_WORDS || (f->type == FIELD_LIST && f->words != NULL))
			check_words(f, row);
		if (f->type == FIELD_RECORD)
			check_fields(f->sub, f->width, f->key);
		for (const struct field *g = fields; g != f; g++)
			check_overlap(g, f, row);
	}
}

START_TEST(methods_are_well_formed)
{
	for (int m = 0; m < RPC_COUNT; m++) {
		const struct rpc_desc	*d = &rpc_table[m];

		check_name(d->name);
		check_doc(d->name, d->doc);
		check_from(d->name, d->from);
		ck_assert_ptr_eq(rpc_find(d->name, strlen(d->name)), d);
		check_fields(d->in, d->in_size, d->name);
		check_fields(d->out, d->out_size, d->name);
	}
	ck_assert_ptr_null(rpc_find("", 0));
	ck_assert_ptr_null(rpc_find("opens", 5));
	ck_assert_ptr_nonnull(rpc_find("opens", 4));
}
END_TEST

START_TEST(options_are_well_formed)
{
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		check_name(o->name);
		check_doc(o->name, o->doc);
		check_from(o->name, o->from);
		ck_assert_ptr_eq(sockopt_find(o->name, strlen(o->name)), o);
		ck_assert_msg((o->access >= SOCKOPT_GET &&
		    o->access <= SOCKOPT_RW) || o->access == SOCKOPT_OPEN, "%s", o->name);
		ck_assert_msg(o->size > 0 && o->size <= SOCKOPT_MAX, "%s: size", o->name);
		ck_assert_msg((o->scope != SCOPE_SOCKET) == (sockopt_assoc(o) != NULL),
		    "%s: its scope and its fields disagree about assoc_id", o->name);
		check_fields(o->fields, o->size, o->name);
	}
	ck_assert_ptr_null(sockopt_find("sctp_rto", 8));
}
END_TEST

START_TEST(events_are_well_formed)
{
	check_fields(event_head_fields, sizeof(struct event_head), "event");
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		check_name(n->name);
		check_doc(n->name, n->doc);
		check_from(n->name, n->from);
		for (const struct event_type *other = event_type_table; other != n; other++)
			ck_assert_str_ne(other->name, n->name);
		for (const struct field *f = n->fields; f->key != NULL; f++)
			for (const struct field *h = event_head_fields; h->key != NULL; h++)
				ck_assert_msg(strcmp(f->key, h->key) != 0,
				    "%s.%s hides the head's", n->name, f->key);
		ck_assert_msg(n->subscribe < (int)sizeof(struct sctp_event_subscribe), "%s", n->name);
		if (n->sn_type == 0) {
			check_fields(n->fields, SIZE_MAX, n->name);
			continue;
		}
		check_fields(n->fields, n->size, n->name);
		ck_assert_ptr_eq(event_type_find(n->sn_type), n);
	}
}
END_TEST

START_TEST(errors_are_well_formed)
{
	for (int e = ERR_OK + 1; e < ERR_COUNT; e++) {
		check_name(error_table[e].code);
		check_doc(error_table[e].code, error_table[e].doc);
		for (int other = ERR_OK; other < e; other++) {
			ck_assert_str_ne(error_table[other].code, error_table[e].code);
			ck_assert_msg(error_table[e].number == 0 ||
			    error_table[other].number != error_table[e].number,
			    "%s and %s share an errno", error_table[other].code, error_table[e].code);
		}
		if (error_table[e].number != 0)
			ck_assert_int_eq(error_from_errno(error_table[e].number), e);
	}
}
END_TEST

/* ---- the way there and back ----------------------------------------- */

static unsigned	seed;
static char	letters[] = "abcdefghijklmnopqrstuvwxyz";

static void
fill_number(const struct field *f, char *base)
{
	unsigned char	n[8] = { 0 };

	seed = seed * 7 + 3;
	n[0] = (unsigned char)(seed % 250 + 1);
	if (f->width > 1)
		n[1] = (unsigned char)(seed >> 3 & 0x7f);
	if (f->type == FIELD_BOOL || (f->type == FIELD_U8 && f->width > 1)) {
		n[0] &= f->type == FIELD_BOOL ? 1 : 0xff;
		n[1] = 0;
	}
	memcpy(base + f->offset, n, f->width);
}

static void
fill_words(const struct field *f, char *base)
{
	const struct word	*w = f->words;
	int32_t			 v = (int32_t)w->value;

	for (seed++; w->name != NULL; w++) {
		if (f->type == FIELD_WORDS)
			v |= (int32_t)w->value;
		else if ((seed & 1) != 0)
			v = (int32_t)w->value;
	}
	memcpy(base + f->offset, &v, f->width);	/* little-endian hosts only */
}

static void
fill_address(const struct field *f, char *base)
{
	struct sockaddr_storage	ss;
	char			text[32];

	seed++;
	(void)snprintf(text, sizeof text, "%s%u", seed & 1 ? "10.0.0." : "2001:db8::",
	    seed % 200);
	ck_assert(addr_parse(text, strlen(text), &ss));
	if (f->type == FIELD_ENDPOINT)
		addr_set_port(&ss, (uint16_t)(1000 + seed % 1000));
	memcpy(base + f->offset, &ss, sizeof ss);
}

static void
fill_ip(const struct field *f, char *base)
{
	struct sockaddr_storage	 ss;
	struct in6_addr		 ip;
	const char		*text = ++seed & 1 ? "10.0.0.7" : "2001:db8::7";

	ck_assert(addr_parse(text, strlen(text), &ss));
	addr_pack(&ss, &ip);
	memcpy(base + f->offset, &ip, sizeof ip);
}

/* A list of some items, or of as many as there is room for. */
static void
fill_list(const struct field *f, char *base)
{
	struct field	item = { .type = FIELD_WORD, .offset = f->offset, .width = f->item, .words = f->words };
	uint32_t	n = seed % 3 == 0 ? (uint32_t)(f->width / f->item) : seed % 3;

	for (uint32_t i = 0; i < n; i++) {
		if (f->words != NULL)
			fill_words(&item, base);
		else
			base[item.offset] = (char)(seed + i);
		item.offset += item.width;
	}
	memcpy(base + f->count, &n, f->count_width);
}

static void fill(const struct field *, char *);

static void
fill_field(const struct field *f, char *base)
{
	struct slice	s = { letters + seed % 10, 5 + seed % 7 };
	struct any	a = { .obj = text_object("[1, {\"a\": \"b\"}]") };

	seed++;
	switch (f->type) {
	case FIELD_WORD:
	case FIELD_WORDS:
		fill_words(f, base);
		break;
	case FIELD_ADDR:
	case FIELD_ENDPOINT:
		fill_address(f, base);
		break;
	case FIELD_IP:
		fill_ip(f, base);
		break;
	case FIELD_CHARS:
		(void)snprintf(base + f->offset, f->width, "eth%u", seed % 10);
		break;
	case FIELD_STR:
	case FIELD_BIN:
		memcpy(base + f->offset, &s, sizeof s);
		break;
	case FIELD_ANY:
		memcpy(base + f->offset, &a, sizeof a);
		break;
	case FIELD_RECORD:
		fill(f->sub, base + f->offset);
		break;
	case FIELD_LIST:
		fill_list(f, base);
		break;
	case FIELD_TAIL:
	case FIELD_TAIL16:
		break;
	default:
		fill_number(f, base);
		break;
	}
}

static void
fill(const struct field *f, char *base)
{
	for (; f->key != NULL; f++)
		fill_field(f, base);
}

static void
pack(msgpack_sbuffer *buf, const struct field *f, const void *base, size_t size)
{
	msgpack_packer	pk;

	msgpack_sbuffer_init(buf);
	msgpack_packer_init(&pk, buf, msgpack_sbuffer_write);
	codec_pack(&pk, f, base, size);
}

static unsigned
count(const struct field *f)
{
	unsigned	n = 0;

	for (; f->key != NULL; f++)
		n += !is_tail(f);
	return n;
}

/* Struct to bytes to struct to bytes: the bytes are the same. */
static void
go_there_and_back(const struct field *fields, size_t size, const char *row)
{
	char			*there = calloc(1, size), *back = calloc(1, size);
	msgpack_sbuffer		 first, second;
	msgpack_unpacked	 msg;
	struct errtext		 err = { .path = "" };
	uint64_t		 has = 0;

	fill(fields, there);
	pack(&first, fields, there, size);
	msgpack_unpacked_init(&msg);
	ck_assert_int_eq(msgpack_unpack_next(&msg, first.data, first.size, NULL),
	    MSGPACK_UNPACK_SUCCESS);
	ck_assert_msg(codec_unpack(&msg.data, fields, back, &has, &err),
	    "%s: %s: %s", row, err.path, err.why);
	pack(&second, fields, back, size);
	ck_assert_str_eq(text_show(second.data, second.size), text_show(first.data, first.size));
	if (fields->key != NULL && fields->key[0] != '\0')
		ck_assert_uint_eq(has, (UINT64_C(1) << count(fields)) - 1);
	msgpack_unpacked_destroy(&msg);
	msgpack_sbuffer_destroy(&first);
	msgpack_sbuffer_destroy(&second);
	free(there);
	free(back);
}

/* A struct of zeros packs, too. */
static void
pack_nothing(const struct field *fields, size_t size)
{
	msgpack_sbuffer	 buf;
	void		*zeros = calloc(1, size + 1);

	pack(&buf, fields, zeros, size);
	(void)text_show(buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
	free(zeros);
}

/* Whatever bytes a newer stack puts in, a client can read what comes of them. */
static void
read_anything(const struct field *fields, size_t size, const char *row)
{
	unsigned char		*there = calloc(1, size), *back = calloc(1, size);
	msgpack_sbuffer		 buf;
	msgpack_unpacked	 msg;
	struct errtext		 err = { .path = "" };

	for (size_t i = 0; i < size; i++)
		there[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16 & 0x1f);
	pack(&buf, fields, there, size);
	msgpack_unpacked_init(&msg);
	ck_assert_int_eq(msgpack_unpack_next(&msg, buf.data, buf.size, NULL),
	    MSGPACK_UNPACK_SUCCESS);
	ck_assert_msg(codec_read(&msg.data, fields, back, NULL, &err),
	    "%s: %s: %s", row, err.path, err.why);
	msgpack_unpacked_destroy(&msg);
	msgpack_sbuffer_destroy(&buf);
	free(there);
	free(back);
}

START_TEST(options_make_the_way_there_and_back)
{
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		for (seed = 0; seed < 64; seed += 17)
			go_there_and_back(o->fields, o->size, o->name);
		pack_nothing(o->fields, o->size);
		if (o->level == LEVEL_SCTP)
			read_anything(o->fields, o->size, o->name);
	}
}
END_TEST

START_TEST(methods_make_the_way_there_and_back)
{
	for (int m = 0; m < RPC_COUNT; m++) {
		seed = (unsigned)m;
		go_there_and_back(rpc_table[m].in, rpc_table[m].in_size, rpc_table[m].name);
		go_there_and_back(rpc_table[m].out, rpc_table[m].out_size, rpc_table[m].name);
		pack_nothing(rpc_table[m].in, rpc_table[m].in_size);
		pack_nothing(rpc_table[m].out, rpc_table[m].out_size);
	}
}
END_TEST

/* The bytes of an event's struct, up to its tail if it has one. */
static size_t
event_size(const struct event_type *n)
{
	size_t	size = n->size;

	for (const struct field *f = n->fields; f->key != NULL; f++) {
		if (is_tail(f))
			return f->offset;
		if (f->offset + (size_t)f->width > size)
			size = f->offset + (size_t)f->width;
	}
	return size;
}

START_TEST(events_pack_every_field)
{
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		size_t		 size = event_size(n);
		char		*body = calloc(1, size + 8);
		msgpack_sbuffer	 buf;

		seed = n->sn_type;
		fill(n->fields, body);
		memcpy(body + size, "\1\0\2\0\3\0\4", 8);
		pack(&buf, n->fields, body, size + 8);
		for (const struct field *f = n->fields; f->key != NULL; f++)
			ck_assert_msg(strstr(text_show(buf.data, buf.size), f->key) != NULL,
			    "%s.%s did not come", n->name, f->key);
		msgpack_sbuffer_destroy(&buf);
		pack_nothing(n->fields, size);
		free(body);
	}
}
END_TEST

Suite *
tables_suite(void)
{
	Suite	*s = suite_create("tables");
	TCase	*tc = tcase_create("tables");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, methods_are_well_formed);
	tcase_add_test(tc, options_are_well_formed);
	tcase_add_test(tc, events_are_well_formed);
	tcase_add_test(tc, errors_are_well_formed);
	tcase_add_test(tc, options_make_the_way_there_and_back);
	tcase_add_test(tc, methods_make_the_way_there_and_back);
	tcase_add_test(tc, events_pack_every_field);
	suite_add_tcase(s, tc);
	return s;
}
