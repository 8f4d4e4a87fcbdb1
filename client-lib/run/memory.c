/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>

#include "run/memory.h"

/* Addresses of the program's are no pointers of ours. */
static struct iovec
remote(uint64_t addr, size_t len)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)addr, .iov_len = len };	/* NOLINT */
}

bool
memory_read(pid_t tid, uint64_t from, void *buf, size_t len)
{
	struct iovec	there = remote(from, len);

	return len == 0 || memory_read_iov(tid, &there, 1, buf, len);
}

bool
memory_write(pid_t tid, uint64_t to, const void *buf, size_t len)
{
	struct iovec	there = remote(to, len);

	return len == 0 || memory_write_iov(tid, &there, 1, buf, len);
}

/* As many of the pieces as hold len bytes, the last one shortened; 0 with less than that. */
static size_t
cut(const struct iovec *from, size_t n, struct iovec *to, size_t len)
{
	size_t	used = 0;

	for (size_t i = 0; i < n && len > 0; i++) {
		to[used] = from[i];
		if (to[used].iov_len > len)
			to[used].iov_len = len;
		len -= to[used++].iov_len;
	}
	return len == 0 ? used : 0;
}

bool
memory_read_iov(pid_t tid, const struct iovec *iov, size_t n, void *buf, size_t len)
{
	struct iovec	here = { .iov_base = buf, .iov_len = len }, there[IOV_MAX];

	if (len == 0)
		return true;
	if (n > IOV_MAX || (n = cut(iov, n, there, len)) == 0)
		return false;
	return process_vm_readv(tid, &here, 1, there, n, 0) == (ssize_t)len;
}

bool
memory_write_iov(pid_t tid, const struct iovec *iov, size_t n, const void *buf, size_t len)
{
	union { const void *from; void *to; } u = { .from = buf };
	struct iovec	here = { .iov_base = u.to, .iov_len = len }, there[IOV_MAX];

	if (len == 0)
		return true;
	if (n > IOV_MAX || (n = cut(iov, n, there, len)) == 0)
		return false;
	return process_vm_writev(tid, &here, 1, there, n, 0) == (ssize_t)len;
}
