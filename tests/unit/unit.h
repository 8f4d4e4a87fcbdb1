/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the unit tests share: the list of suites, and MessagePack as text that
 * a reader can check at a glance.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <msgpack.h>
#include <stddef.h>

/*
 * A new file of tests has one line here and one in main.c. They are weak
 * because there are two programs, one for proto and the library and one for
 * the daemon, and each has only its own.
 */
#define SUITE(name)	Suite *name##_suite(void) __attribute__((weak))
SUITE(addr);
SUITE(codec);
SUITE(config);
SUITE(counters);
SUITE(damp);
SUITE(error);
SUITE(frame);
SUITE(fastpath);
SUITE(journal);
SUITE(kernel);
SUITE(lib_acks);
SUITE(lib_async);
SUITE(lib_conn);
SUITE(lib_groups);
SUITE(lib_words);
SUITE(mem);
SUITE(park);
SUITE(partial);
SUITE(pcapng);
SUITE(ppid);
SUITE(store);
SUITE(tables);
SUITE(turn);

/*
 * Text as MessagePack: {"a": [1, -2, 1.5, "b", x"00ff", nil, true]}. Integers
 * and heads take their shortest form. A text that is wrong fails the test.
 */
void text_pack(msgpack_packer *, const char *text);

/* The same as an object, good until the test ends. */
const msgpack_object *text_object(const char *text);

/* MessagePack as text, in a buffer that the next call but seven reuses. */
const char *text_show(const void *data, size_t len);
const char *text_show_object(const msgpack_object *);

#endif
