/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the fuzzers' first inputs into two directories: requests, one of every
 * method with all its arguments and a setopts of every option, and answers and
 * events, made from the tables so that new rows are fuzzed too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <msgpack.h>

#include "proto/codec.h"
#include "proto/event_type.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"

static void pack_sample(msgpack_packer *, const struct field *);

/* As other libraries spell it: bin for strings, floats for integers, nil for what is not needed. */
static bool foreign;

static void
pack_text(msgpack_packer *pk, const char *text)
{
	if (foreign)
		msgpack_pack_bin_with_body(pk, text, strlen(text));
	else
		codec_pack_text(pk, text);
}

static void
pack_integer(msgpack_packer *pk, int v)
{
	if (foreign)
		msgpack_pack_double(pk, v);
	else
		msgpack_pack_int(pk, v);
}

static size_t
count(const struct field *fields)
{
	size_t	n = 0;

	while (fields[n].key != NULL)
		n++;
	return n;
}

static void
pack_samples(msgpack_packer *pk, const struct field *fields)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		pack_text(pk, f->key);
		if (foreign && !f->required && (f - fields) % 2)
			msgpack_pack_nil(pk);
		else
			pack_sample(pk, f);
	}
}

static void
pack_sample_map(msgpack_packer *pk, const struct field *fields)
{
	msgpack_pack_map(pk, count(fields));
	pack_samples(pk, fields);
}

static void
pack_sample_endpoint(msgpack_packer *pk)
{
	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "addr");
	codec_pack_text(pk, "2001:db8::1");
	codec_pack_text(pk, "port");
	msgpack_pack_int(pk, 2905);
}

static void
pack_sample(msgpack_packer *pk, const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		msgpack_pack_true(pk);
		break;
	case FIELD_TIMEOUT:
		pack_text(pk, "infinity");
		break;
	case FIELD_WORDS:
		msgpack_pack_array(pk, 1);
		pack_text(pk, f->words->name);
		break;
	case FIELD_WORD:
		pack_text(pk, f->words->name);
		break;
	case FIELD_ADDR:
	case FIELD_IP:
	case FIELD_STR:
		pack_text(pk, "10.0.0.1");
		break;
	case FIELD_ENDPOINT:
		pack_sample_endpoint(pk);
		break;
	case FIELD_LIST:
		if (f->words != NULL) {
			msgpack_pack_array(pk, 1);
			pack_text(pk, f->words->name);
		} else
			msgpack_pack_bin_with_body(pk, "data", 4);
		break;
	case FIELD_BIN:
	case FIELD_TAIL:
		msgpack_pack_bin_with_body(pk, "data", 4);
		break;
	case FIELD_RECORD:
		pack_sample_map(pk, f->sub);
		break;
	case FIELD_ANY:
	case FIELD_TAIL16:
		msgpack_pack_array(pk, 1);
		msgpack_pack_true(pk);
		break;
	default:
		pack_integer(pk, 200);
		break;
	}
}

static void
begin(msgpack_packer *pk, const char *method)
{
	msgpack_pack_array(pk, 4);
	msgpack_pack_int(pk, RPC_REQUEST);
	pack_integer(pk, 1);
	pack_text(pk, method);
	msgpack_pack_array(pk, 1);
}

static void
save(msgpack_sbuffer *buf, const char *dir, const char *name)
{
	char	 path[512];
	FILE	*f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	if ((f = fopen(path, "wb")) == NULL ||
	    fwrite(buf->data, 1, buf->size, f) != buf->size || fclose(f) == EOF) {
		perror(path);
		exit(1);
	}
	msgpack_sbuffer_clear(buf);
}

/* Every method as others spell it, and extension types: undefined and a timestamp. */
static void
save_foreign(msgpack_sbuffer *buf, msgpack_packer *pk, const char *dir)
{
	foreign = true;
	for (int m = 0; m < RPC_COUNT; m++) {
		char	name[64];

		begin(pk, rpc_table[m].name);
		pack_sample_map(pk, rpc_table[m].in);
		(void)snprintf(name, sizeof name, "foreign_%s", rpc_table[m].name);
		save(buf, dir, name);
	}
	foreign = false;
	for (int form = 0; form < 2; form++) {
		begin(pk, "status");
		msgpack_pack_map(pk, 1);
		codec_pack_text(pk, "sock");
		msgpack_pack_ext(pk, form == 0 ? 1 : 12, (int8_t)-form);
		msgpack_pack_ext_body(pk, "undefined...", form == 0 ? 1 : 12);
		save(buf, dir, form == 0 ? "ext_undefined" : "ext_timestamp");
	}
}

/* A request of every method, and a setopts of every option. */
static void
save_requests(msgpack_sbuffer *buf, msgpack_packer *pk, const char *dir)
{
	for (int m = 0; m < RPC_COUNT; m++) {
		begin(pk, rpc_table[m].name);
		pack_sample_map(pk, rpc_table[m].in);
		save(buf, dir, rpc_table[m].name);
	}
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		begin(pk, "setopts");
		msgpack_pack_map(pk, 2);
		codec_pack_text(pk, "sock");
		msgpack_pack_int(pk, 1);
		codec_pack_text(pk, "options");
		msgpack_pack_map(pk, 1);
		codec_pack_text(pk, o->name);
		if (o->fields->key[0] == '\0')
			pack_sample(pk, o->fields);
		else
			pack_sample_map(pk, o->fields);
		save(buf, dir, o->name);
	}
}

/* An answer of every method, and every event. */
static void
save_answers(msgpack_sbuffer *buf, msgpack_packer *pk, const char *dir)
{
	for (int m = 0; m < RPC_COUNT; m++) {
		msgpack_pack_array(pk, 4);
		msgpack_pack_int(pk, RPC_RESPONSE);
		msgpack_pack_int(pk, (1 << 20) + m % 6);	/* the first requests' ids */
		msgpack_pack_nil(pk);
		pack_sample_map(pk, rpc_table[m].out);
		save(buf, dir, rpc_table[m].name);
	}
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		msgpack_pack_array(pk, 3);
		msgpack_pack_int(pk, RPC_NOTIFICATION);
		codec_pack_text(pk, n->name);
		msgpack_pack_array(pk, 1);
		msgpack_pack_map(pk, count(event_head_fields) + count(n->fields));
		pack_samples(pk, event_head_fields);
		pack_samples(pk, n->fields);
		save(buf, dir, n->name);
	}
}

int
main(int argc, char **argv)
{
	msgpack_sbuffer	buf;
	msgpack_packer	pk;

	if (argc != 3) {
		fprintf(stderr, "usage: seeds directory-of-requests directory-of-answers\n");
		return 1;
	}
	(void)mkdir(argv[1], 0777);
	(void)mkdir(argv[2], 0777);
	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	save_requests(&buf, &pk, argv[1]);
	save_foreign(&buf, &pk, argv[1]);
	save_answers(&buf, &pk, argv[2]);
	msgpack_sbuffer_destroy(&buf);
	return 0;
}
