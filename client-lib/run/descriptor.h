/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of other processes. */
#ifndef RUN_DESCRIPTOR_H
#define RUN_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The inode of a socket; 0: it is none. */
uint64_t descriptor_inode(pid_t, int fd);

/* A copy of ours of it, if it is the file with that inode; -1 if not. */
int descriptor_take(pid_t, int fd, uint64_t inode);

/* Can it be had here? Says why not. */
bool descriptor_check(pid_t);

#endif
