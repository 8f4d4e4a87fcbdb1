/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See end.h.
 */
#include <err.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "end.h"

struct place place = { .config = "/dev/null" };

void
place_init(const char *argv0, bool veth)
{
	char	path[512];
	ssize_t	n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n == -1)
		(void)snprintf(path, sizeof path, "%s", argv0);
	else
		path[n] = '\0';
	(void)snprintf(place.build, sizeof place.build, "%s", dirname(path));
	(void)snprintf(place.run, sizeof place.run, "/tmp/sctpd-bench-XXXXXX");
	if (mkdtemp(place.run) == NULL)
		err(1, "%s", place.run);
	place.veth = veth;
	if (veth && access("/run/netns/left", F_OK) == -1 && system("tests/lab/two-hosts.sh up") != 0)
		errx(1, "no two hosts: run it in a lab, from the top of the tree");
	place.addr[LEFT] = veth ? "10.0.1.1" : "127.0.0.1";
	place.addr[RIGHT] = veth ? "10.0.1.2" : "127.0.0.1";
}

#ifdef USERLAND
/* A UDP port that nobody has. */
static uint16_t
free_port(void)
{
	struct sockaddr_in6	a = { .sin6_family = AF_INET6 };
	socklen_t		len = sizeof a;
	int			fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 || getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "no UDP port");
	(void)close(fd);
	return ntohs(a.sin6_port);
}
#endif

/* Daemons that are started from here on need no SCTP in the kernel, if they can. */
void
place_userland(void)
{
#ifdef USERLAND
	place.udp[LEFT] = free_port();
	do
		place.udp[RIGHT] = free_port();
	while (place.udp[RIGHT] == place.udp[LEFT]);
#endif
}

static void
enter(enum side side)
{
	int	fd;

	if (!place.veth)
		return;
	fd = open(side == LEFT ? "/run/netns/left" : "/run/netns/right", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || setns(fd, CLONE_NEWNET) == -1)
		err(1, "the %s host; run: tests/lab/two-hosts.sh up", side == LEFT ? "left" : "right");
	(void)close(fd);
}

/* In the child: talk to the parent, and end with it. */
static void
settle(enum side side, const int in[2], const int out[2])
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(side);
	if (dup2(in[0], STDIN_FILENO) == -1 || dup2(out[1], STDOUT_FILENO) == -1)
		err(1, "dup2");
}

struct end
end_start(enum side side, void (*fn)(void *), void *arg)
{
	struct end	e;
	int		in[2], out[2];

	(void)fflush(NULL);
	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1 || (e.pid = fork()) == -1)
		err(1, "cannot start a process");
	if (e.pid == 0) {
		settle(side, in, out);
		fn(arg);
		_exit(0);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	e.to = fdopen(in[1], "w");
	e.from = fdopen(out[0], "r");
	if (e.to == NULL || e.from == NULL)
		err(1, "fdopen");
	return e;
}

static void
run(void *arg)
{
	char *const	*argv = arg;

	(void)execvp(argv[0], argv);
	_exit(127);	/* who started it sees that it is not there */
}

struct end
end_exec(enum side side, char *const argv[])
{
	return end_start(side, run, (void *)(uintptr_t)argv);
}

/* SCTPD_WRAP, if set, stands before the daemon: valgrind, for instance. */
struct end
end_daemon(enum side side, const char *config, const char *socket)
{
	static char	 program[600], wrap[600], port[16];
	char		*argv[32];
	size_t		 n = 0;

	(void)snprintf(program, sizeof program, "%s/sctpd", place.build);
	(void)snprintf(wrap, sizeof wrap, "%s", getenv("SCTPD_WRAP") != NULL ? getenv("SCTPD_WRAP") : "");
	for (char *w = strtok(wrap, " "); w != NULL && n < 20; w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n++] = program;
	argv[n++] = (char *)(uintptr_t)"-c";
	argv[n++] = (char *)(uintptr_t)config;
	argv[n++] = (char *)(uintptr_t)"-l";
	argv[n++] = (char *)(uintptr_t)"err";
	argv[n++] = (char *)(uintptr_t)"-s";
	argv[n++] = (char *)(uintptr_t)socket;
	if (place.udp[side] != 0) {
		(void)snprintf(port, sizeof port, "%u", place.udp[side]);
		argv[n++] = (char *)(uintptr_t)"--stack";
		argv[n++] = (char *)(uintptr_t)"userland";
		argv[n++] = (char *)(uintptr_t)"--udp-port";
		argv[n++] = port;
	}
	argv[n] = NULL;
	return end_exec(side, argv);
}

bool
end_line(struct end *e, char *line, size_t size)
{
	if (fgets(line, (int)size, e->from) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

void
end_say(const struct end *e, const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	(void)vfprintf(e->to, format, ap);
	va_end(ap);
	(void)fflush(e->to);
}

void
end_stop(struct end *e)
{
	if (e->pid <= 0)
		return;
	(void)kill(e->pid, SIGTERM);
	for (int i = 0; waitpid(e->pid, NULL, WNOHANG) == 0; i++) {
		if (i == 1000)
			(void)kill(e->pid, SIGKILL);
		(void)usleep(10000);
	}
	(void)fclose(e->to);
	(void)fclose(e->from);
	*e = (struct end){ 0 };
}

/* What it has had of the processors since it began; 0 if it is none. */
double
end_cpu_us(const struct end *e)
{
	clockid_t	clock;
	struct timespec	t;

	if (e->pid <= 0 || clock_getcpuclockid(e->pid, &clock) != 0 || clock_gettime(clock, &t) == -1)
		return 0;
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
