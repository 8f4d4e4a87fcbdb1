/* SPDX-License-Identifier: BSD-2-Clause */
/* key=value words to the arguments of a method. */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H

#include "lib/internal.h"
#include "proto/words.h"

/*
 * Begin the request that the words say, method first, arguments packed.
 * timeout, if not NULL, gets what the method's own timeout is: -1 for ever.
 */
int words_begin(struct sctpd *, bool answered, int argc, const char *const *argv,
    int64_t *timeout);
/* The same with words as one format. */
int words_beginf(struct sctpd *, bool answered, const char *method,
    const char *fmt, va_list, int64_t *timeout);

#endif
