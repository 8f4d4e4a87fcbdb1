/* SPDX-License-Identifier: BSD-2-Clause */
/* A method and its words. */
#ifndef SCTPCTL_CALL_H
#define SCTPCTL_CALL_H

#include "proto/rpc.h"
#include "sctpctl/ctl.h"

/* A method and its words: prepared, checked, called, its answer printed. */
int call_run(struct ctl *, int argc, char **argv, const struct sctpd_value **);

/* Do something else with the words, once they are prepared: call it, or begin to. */
typedef int call_fn(struct ctl *, int argc, const char *const *argv, void *arg);
int call_with(struct ctl *, int argc, char **argv, call_fn *, void *arg);

/* Print the answer of a method. */
int call_print(struct ctl *, const char *method, const struct sctpd_value *);

/* The same for words without files; the answer is not printed. */
int call_ask(struct ctl *, int argc, const char *const *argv, const struct sctpd_value **);

/*
 * Read the file of a word such as data=@FILE or data=-, where a method takes
 * bytes: *given is the word to be used instead, to be given to call_forget_word,
 * or NULL. Gives CTL_OK, or says what is wrong.
 */
int call_read_word(const struct rpc_desc *, const char *word, char **given);
/* Clear and free it, as it may have been a key. */
void call_forget_word(char *);

#endif
