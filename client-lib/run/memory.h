/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the program, by the number of a thread. Each gives false where
 * any of it is not there, or may not be written: EFAULT.
 *
 * What is read may change at any time, so it is read once, and what was read is
 * checked. A number may have gone to another process since the call was made:
 * call_is_valid says after reading, and before writing, that it has not.
 */
#ifndef RUN_MEMORY_H
#define RUN_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

bool memory_read(pid_t, uint64_t from, void *, size_t);
bool memory_write(pid_t, uint64_t to, const void *, size_t);

/* The same of pieces, which are addresses of the program's; at most len bytes of them. */
bool memory_read_iov(pid_t, const struct iovec *, size_t n, void *, size_t len);
bool memory_write_iov(pid_t, const struct iovec *, size_t n, const void *, size_t len);

#endif
