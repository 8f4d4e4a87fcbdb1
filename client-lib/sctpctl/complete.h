/* SPDX-License-Identifier: BSD-2-Clause */
/* Candidates for a word that is being typed. */
#ifndef SCTPCTL_COMPLETE_H
#define SCTPCTL_COMPLETE_H

#include "sctpctl/ctl.h"

/* Print the candidates for the last word, one a line, for the completion of shells; perhaps what each is, behind a tab. */
int complete_words(const struct ctl *, int argc, char **argv, bool text);

/* The same for a word in the shell, where methods are commands. */
void complete_shell(FILE *, const struct ctl *, int argc, char **argv);

#endif
