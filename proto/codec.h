/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Struct to MessagePack map and back, by field table. The only code that
 * knows how a field looks on the wire.
 */
#ifndef CODEC_H
#define CODEC_H

#include <msgpack.h>

#include "proto/error.h"
#include "proto/field.h"

/* No integer on the wire is larger: JavaScript and Lua have no more. */
#define CODEC_MAX_INTEGER	(INT64_C(1) << 53)

/*
 * Pack a struct of len bytes as a map (or, if its table is a scalar's, as
 * that value). Sparse fields that are zero are left out.
 */
void codec_pack(msgpack_packer *, const struct field *, const void *, size_t len);

/* The same without the map's head, for a caller that adds fields of its own. */
unsigned codec_count(const struct field *, const void *, size_t len);
void codec_pack_fields(msgpack_packer *, const struct field *, const void *,
    size_t len);

/*
 * Unpack over what the struct holds: absent keys leave their fields alone.
 * Slices and objects point into the message. has, if not NULL, gets a bit for
 * each key that was there, in table order. False, with nothing promised of
 * the struct but its safety, when a key is unknown, missing, of the wrong
 * type or out of range; the text says which.
 */
bool codec_unpack(const msgpack_object *, const struct field *, void *,
    uint64_t *has, struct errtext *);

/*
 * The same for what a daemon says to a client: keys that a newer daemon added
 * are passed over, none is required, a value without a word may be a number,
 * and "" is no address.
 */
bool codec_read(const msgpack_object *, const struct field *, void *,
    uint64_t *has, struct errtext *);

/*
 * What a client may spell in several ways becomes what the tables know: a
 * floating-point number that is an integer becomes one, and bin, which some
 * libraries make of every string, a string. Nothing here tells the two apart.
 * Of the rest unpacking takes care: a key whose value is nil counts as absent,
 * and an empty list is an empty map, too.
 */
void codec_normalize(msgpack_object *);

/* Text as MessagePack has it; short for what would be said everywhere. */
void codec_pack_text(msgpack_packer *, const char *);
/* A key of a map, and its value. */
void codec_pack_number(msgpack_packer *, const char *key, uint64_t);
void codec_pack_string(msgpack_packer *, const char *key, const char *);
void codec_pack_endpoint(msgpack_packer *, const struct sockaddr_storage *);

/* An object's type in words: "a string", "a map"... */
const char *codec_type(const msgpack_object *);

/* The text of a string object equals this. */
bool codec_is(const msgpack_object *, const char *);

/* A table of fields itself: list of {name, type, doc, required, words, fields}. */
void codec_pack_table(msgpack_packer *, const struct field *);

/* What a field of this type is called in messages and manuals. */
const char *codec_field_type(const struct field *);

#endif
