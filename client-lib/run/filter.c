/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/copies.h"
#include "run/filter.h"
#include "run/recv.h"
#include "run/names.h"
#include "run/option.h"
#include "run/send.h"
#include "run/say.h"

static const struct trap traps[] = {
#define TRAP(NAME, WHEN, FUNCTION)	{ SCMP_SYS(NAME), #NAME, WHEN, FUNCTION },
#include "run/traps.def"
#undef TRAP
};

/* Linux 5.19. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	(1UL << 5)
#endif

#define NTRAPS	(sizeof traps / sizeof traps[0])

#define EXACT(ARG, VALUE)	SCMP_CMP64(ARG, SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)(VALUE))
#define IN_RANGE(ARG, FIRST)	((struct scmp_arg_cmp){ (ARG), SCMP_CMP_GE, (scmp_datum_t)(FIRST), 0 })

const struct trap *
trap_find(int nr)
{
	for (size_t i = 0; i < NTRAPS; i++) {
		if (traps[i].nr == nr)
			return &traps[i];
	}
	return NULL;
}

/* SCTP by its number, or as what a socket of type SOCK_SEQPACKET is by default. A raw socket is the kernel's. */
static int
add_socket(scmp_filter_ctx ctx, int nr)
{
	static const int	families[] = { AF_INET, AF_INET6 }, types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int			fail = 0;

	for (size_t f = 0; f < 2; f++) {
		for (size_t t = 0; t < 2; t++)
			fail |= seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, nr, 3, EXACT(0, families[f]),
			    SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 0xfU, (scmp_datum_t)types[t]), EXACT(2, IPPROTO_SCTP));
		fail |= seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, nr, 3, EXACT(0, families[f]),
		    SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 0xfU, SOCK_SEQPACKET), EXACT(2, 0));
	}
	return fail;
}

static int
add(scmp_filter_ctx ctx, const struct trap *t, int first)
{
	bool	natural = first == 0;

	switch (t->when) {
	case WHEN_SOCKET:
		return add_socket(ctx, t->nr);
	case WHEN_FD:
	case WHEN_FD_OUT:
		return natural ? seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 0) :
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 1, IN_RANGE(0, first));
	case WHEN_FD_EITHER:
		return natural ? seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 0) :
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 1, IN_RANGE(0, first)) |
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 1, IN_RANGE(2, first));
	case WHEN_FIONREAD:
		return natural ? seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 1, EXACT(1, FIONREAD)) :
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 2, IN_RANGE(0, first), EXACT(1, FIONREAD));
	case WHEN_FD_LEAVES:
		return natural ? 0 : seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 1, IN_RANGE(0, first));
	case WHEN_FD_DUPFD:
		return natural ? 0 :
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 2, IN_RANGE(0, first), EXACT(1, F_DUPFD)) |
		    seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, t->nr, 2, IN_RANGE(0, first), EXACT(1, F_DUPFD_CLOEXEC));
	}
	return -EINVAL;
}

/*
 * Programs of another architecture than this one's are let alone: their SCTP is
 * the kernel's. io_uring would do the calls past the filter, so there is none.
 */
static int
fill(scmp_filter_ctx ctx, int first_fd)
{
	int	fail = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);	/* 2.5; without it it is slower */
	for (size_t i = 0; i < NTRAPS; i++) {
		if (traps[i].nr >= 0)
			fail |= add(ctx, &traps[i], first_fd);
	}
	return fail | seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
}

/* The program of the filter, as the kernel takes it. libseccomp writes it to a file. */
static bool
export(scmp_filter_ctx ctx, struct sock_fprog *prog)
{
	int		fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat	st;
	bool		good = false;

	prog->filter = NULL;
	if (fd != -1 && seccomp_export_bpf(ctx, fd) == 0 && fstat(fd, &st) == 0 &&
	    (prog->filter = malloc((size_t)st.st_size)) != NULL) {
		good = pread(fd, prog->filter, (size_t)st.st_size, 0) == st.st_size;
		prog->len = (unsigned short)((size_t)st.st_size / sizeof *prog->filter);
	}
	if (fd != -1)
		(void)close(fd);
	return good;
}

bool
filter_make(int first_fd, struct sock_fprog *prog)
{
	scmp_filter_ctx	ctx;
	bool		good;

	if (seccomp_api_get() < 5) {
		say("this kernel cannot tell a supervisor of system calls (seccomp user notification): "
		    "run needs Linux 5.9, with CONFIG_SECCOMP_FILTER");
		return false;
	}
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	good = ctx != NULL && fill(ctx, first_fd) == 0 && export(ctx, prog);
	if (!good)
		say("the seccomp filter could not be made");
	seccomp_release(ctx);
	return good;
}

int
filter_load(const struct sock_fprog *prog, bool *wait_killable)
{
	unsigned	flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int		fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, prog);
	*wait_killable = fd != -1;
	return fd != -1 || errno != EINVAL ? fd : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
}
