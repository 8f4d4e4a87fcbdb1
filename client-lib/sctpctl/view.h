/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of associations, paths, sockets and clients, as many pages as they have. */
#ifndef SCTPCTL_VIEW_H
#define SCTPCTL_VIEW_H

#include "sctpctl/ctl.h"

int view_assocs(struct ctl *, int argc, char **argv);
int view_paths(struct ctl *, int argc, char **argv);
int view_sockets(struct ctl *, int argc, char **argv);
int view_clients(struct ctl *, int argc, char **argv);

/* Is it the name of such a list? Then argv[0] may be that. */
bool view_knows(const char *name);
int view_run(struct ctl *, int argc, char **argv);

/* For help: the columns and what is in them. */
void view_assoc_columns(void);
void view_path_columns(void);
void view_sock_columns(void);
void view_client_columns(void);

#endif
