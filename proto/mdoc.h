/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of the tables in a manual page, on standard output: for the programs
 * that print manual pages, and for no others.
 */
#ifndef MDOC_H
#define MDOC_H

#include <stdbool.h>
#include <stddef.h>

/* The n bytes of a word, escaped; a `backquote` switches bold on and off. */
void mdoc_word(const char *word, size_t n, size_t column, bool *bold);

/* A text in lines; mdoc wants each sentence to begin a new one. */
void mdoc_fill(const char *text);

#endif
