/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lets User-Mode Linux run on processors whose vector registers take more room than it has (LD_PRELOAD).
 *
 * UML before Linux 6.13 has 2,696 bytes for the registers of a process: AVX-512, and no more. With AMX they are 11,008, and the
 * kernel takes nothing but all of them back: PTRACE_SETREGSET says EFAULT, and the guest dies as it starts its first program.
 * So what UML gives is made as long as the kernel wants it. Its programs have not asked for AMX (arch_prctl(2)), so nothing is
 * lost: the mask of what there is at the head of the set says that the rest is in its first state.
 */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WHAT_THERE_IS	512		/* where the mask is: Intel's manual, volume 1, 13.4.2 */
#define BEFORE_AMX	0x3ffu		/* up to PKRU, which ends at byte 2,696 */

static long (*next)(int, ...);

__attribute__((constructor)) static void
find(void)
{
	*(void **)&next = dlsym(RTLD_NEXT, "ptrace");
}

/* The whole set, from the part that was given. */
static long
set_all(int pid, const struct iovec *part)
{
	static char	all[1 << 16];
	static size_t	size;
	struct iovec	v = { .iov_base = all, .iov_len = sizeof all };
	uint64_t	mask;

	if (size == 0) {
		if (next(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &v) == -1)
			return -1;
		size = v.iov_len;
		memset(all, 0, size);
	}
	if (part->iov_len >= size || part->iov_len < WHAT_THERE_IS + sizeof mask)
		return next(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, part);
	memcpy(all, part->iov_base, part->iov_len);
	memcpy(&mask, all + WHAT_THERE_IS, sizeof mask);
	mask &= BEFORE_AMX;
	memcpy(all + WHAT_THERE_IS, &mask, sizeof mask);
	v.iov_len = size;
	return next(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &v);
}

long
ptrace(enum __ptrace_request request, ...)
{
	va_list	 ap;
	int	 pid;
	void	*addr, *data;

	va_start(ap, request);
	pid = va_arg(ap, int);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if (request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE)
		return set_all(pid, data);
	return next((int)request, pid, addr, data);
}
