/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the n-th call of a function of libc's fail, with a given errno.
 *
 * It is preloaded into sctpd, and does what a page of memory says that it
 * shares with whoever drives the test: FAULTS_DAEMON names the file of that
 * page, and FAULTS_KEEPER that of the keeper's. While the page is on, calls
 * are counted, each function's for itself; from the first-th to the last-th
 * call of the one chosen the function does nothing and says that it failed.
 *
 * All arguments are numbers or pointers, and there are at most six: so the
 * wrappers need not know them, and are made from a list of names. With ASan
 * and valgrind the page is off for what they call themselves; neither is used
 * with it, as both put their own functions in the place of these.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The functions whose failure is -1; walk.py reads this list. */
#define CALLS(X)							\
	X(accept4) X(access) X(bind) X(chmod) X(chown) X(close) X(connect) X(dup) \
	X(dup2) X(epoll_create1) X(epoll_wait) X(eventfd) X(execv) X(fcntl)	\
	X(flock) X(fork) X(fstat) X(fstatfs) X(ftruncate) X(getifaddrs)		\
	X(getrandom) X(getrlimit) X(getsockname) X(getsockopt)		\
	X(kill) X(listen) X(lstat) X(madvise) X(memfd_create) X(mkdir)		\
	X(mmap) X(mremap) X(munmap) X(open) X(pipe2) X(poll) X(prctl) X(read)	\
	X(recv) X(recvmmsg) X(recvmsg) X(rename) X(sched_getscheduler)	\
	X(sched_setscheduler) X(send) X(sendmmsg) X(sendmsg) X(setns)	\
	X(setresgid) X(setresuid) X(setrlimit) X(setsockopt) X(shutdown) X(signalfd) X(socket)	\
	X(socketpair) X(stat) X(timerfd_create) X(timerfd_settime) X(unlink)	\
	X(waitpid) X(write)

/* The others, written out below. */
#define OTHERS(X)	X(epoll_ctl) X(pthread_create)

enum {
#define X(name)	CALL_##name,
	CALLS(X) OTHERS(X)
#undef X
	NCALLS
};

static struct page {
	int32_t		on, call, error, unused;
	uint64_t	first, last, failed;
	uint64_t	counted[NCALLS];
} nothing, *page = &nothing;

typedef long function(long, long, long, long, long, long);

static function	*real[NCALLS];

static function *
real_of(int call, const char *name)
{
	void	*p = __atomic_load_n(&real[call], __ATOMIC_RELAXED);

	if (p == NULL && (p = dlsym(RTLD_NEXT, name)) != NULL)
		__atomic_store_n(&real[call], p, __ATOMIC_RELAXED);
	return p;
}

/* Count a call; gives the errno with which it fails, or 0. */
static int
fails(int call)
{
	uint64_t	n;

	if (!__atomic_load_n(&page->on, __ATOMIC_ACQUIRE))
		return 0;
	n = __atomic_add_fetch(&page->counted[call], 1, __ATOMIC_RELAXED);
	if (call != page->call || page->error == 0 || n < page->first || n > page->last)
		return 0;
	__atomic_add_fetch(&page->failed, 1, __ATOMIC_RELAXED);
	return page->error;
}

#define X(name)								\
long	shim_##name(long, long, long, long, long, long) __asm__(#name);	\
long									\
shim_##name(long a, long b, long c, long d, long e, long f)			\
{									\
	int	number = fails(CALL_##name);				\
									\
	/* A descriptor is closed though close(2) says that it failed. */ \
	if (number != 0 && CALL_##name == CALL_close)			\
		(void)syscall(SYS_close, (int)a);			\
	if (number == 0)						\
		return real_of(CALL_##name, #name)(a, b, c, d, e, f);	\
	errno = number;							\
	return -1;							\
}
CALLS(X)
#undef X

/* What the compiler makes of poll, read and recv where it knows the buffer's size. */
long	shim__poll_chk(long, long, long, long) __asm__("__poll_chk");
long	shim__read_chk(long, long, long, long) __asm__("__read_chk");
long	shim__recv_chk(long, long, long, long, long) __asm__("__recv_chk");

long
shim__poll_chk(long fds, long n, long ms, long size)
{
	(void)size;
	return shim_poll(fds, n, ms, 0, 0, 0);
}

long
shim__read_chk(long fd, long to, long n, long size)
{
	(void)size;
	return shim_read(fd, to, n, 0, 0, 0);
}

long
shim__recv_chk(long fd, long to, long n, long size, long flags)
{
	(void)size;
	return shim_recv(fd, to, n, flags, 0, 0);
}

/* To be taken out of a set needs nothing that there could be none of. */
#define EPOLL_DEL	2

long	shim_epoll_ctl(long, long, long, long) __asm__("epoll_ctl");
long
shim_epoll_ctl(long set, long op, long fd, long event)
{
	int	number = op == EPOLL_DEL ? 0 : fails(CALL_epoll_ctl);

	if (number == 0)
		return real_of(CALL_epoll_ctl, "epoll_ctl")(set, op, fd, event, 0, 0);
	errno = number;
	return -1;
}

/* It gives the errno itself. */
long	shim_pthread_create(long, long, long, long) __asm__("pthread_create");
long
shim_pthread_create(long thread, long attr, long start, long arg)
{
	int	number = fails(CALL_pthread_create);

	return number != 0 ? number :
	    real_of(CALL_pthread_create, "pthread_create")(thread, attr, start, arg, 0, 0);
}

static int
is_keeper(void)
{
	char	args[4096];
	int	fd = (int)syscall(SYS_openat, -100, "/proc/self/cmdline", 0);
	long	n = syscall(SYS_read, fd, args, sizeof args - 1), at;

	(void)syscall(SYS_close, fd);
	for (at = 0; at < n; at += (long)strlen(args + at) + 1) {
		args[n] = '\0';
		if (strcmp(args + at, "-k") == 0)
			return 1;
	}
	return 0;
}

__attribute__((constructor)) static void
shim_begin(void)
{
	const char	*path = getenv(is_keeper() ? "FAULTS_KEEPER" : "FAULTS_DAEMON");
	int		 fd = path == NULL ? -1 : (int)syscall(SYS_openat, -100, path, 2);
	void		*p;

	if (fd == -1)
		return;
	p = (void *)syscall(SYS_mmap, 0, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)syscall(SYS_close, fd);
	if (p != MAP_FAILED)
		page = p;
}
