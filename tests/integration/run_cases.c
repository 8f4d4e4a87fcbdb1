/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program in Python cannot do.
 *
 *	run_cases i386			socket(2) of SCTP as a 32-bit program calls it
 *	run_cases x32			the same of an x32 program
 *	run_cases refused COMMAND...	a command to which the kernel refuses pidfd_getfd(2), as Docker has it do
 *
 * The first two print the descriptor, or the error.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define I386_SOCKET	359
#define X32		0x40000000

static long
i386_socket(void)
{
	long	got = -ENOSYS;

#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "=a"(got) : "a"(I386_SOCKET), "b"(AF_INET), "c"(SOCK_STREAM), "d"(IPPROTO_SCTP)
	    : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)got;
}

static long
x32_socket(void)
{
	long	got = syscall(X32 | SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	return got == -1 ? -errno : got;
}

static int
refused(char **argv)
{
	struct sock_filter	code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_getfd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog	prog = { sizeof code / sizeof code[0], code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == -1)
		err(1, "prctl");
	(void)execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

int
main(int argc, char **argv)
{
	long	got;

	if (argc > 2 && strcmp(argv[1], "refused") == 0)
		return refused(argv + 2);
	if (argc != 2)
		errx(2, "usage: run_cases i386|x32|refused COMMAND...");
	got = strcmp(argv[1], "i386") == 0 ? i386_socket() : x32_socket();
	if (got < 0)
		printf("%s\n", strerror((int)-got));
	else
		printf("%ld\n", got);
	return 0;
}
