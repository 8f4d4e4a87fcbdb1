/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/call.h"
#include "run/errnos.h"
#include "run/memory.h"
#include "run/say.h"

#define SWEEP	64	/* calls that wait on a socket, before it is asked which of them have ended */

static struct calls *
bucket(struct run *r, pid_t tid)
{
	return &r->calls[(unsigned)tid % RUN_BUCKETS];
}

static void
free_call(struct call *c)
{
	TAILQ_REMOVE(bucket(c->run, c->tid), c, entry);
	c->run->ncalls--;
	free(c->data);
	free(c->out);
	free(c->to);
	free(c);
}

static void
stop_waiting(struct call *c)
{
	if (c->try != NULL) {
		TAILQ_REMOVE(&c->on->calls, c, waiting);
		c->on->n--;
		c->try = NULL;
	}
	if (c->timer != NULL)
		event_free(c->timer);
	c->timer = NULL;
}

/* Nothing more can be said to the program. What was asked is answered to a call that is over. */
static void
end(struct call *c)
{
	stop_waiting(c);
	c->over = true;
	if (c->on != NULL)
		waiters_unref(c->on);
	c->on = NULL;
	c->sock = NULL;
	if (c->asks == 0)
		free_call(c);
}

void
call_drop(struct call *c)
{
	end(c);
}

/* ---- what -v says ---------------------------------------------------- */

static void
comm_of(pid_t tid, char *buf, size_t len)
{
	char	path[64];
	ssize_t	n = -1;
	int	fd;

	(void)snprintf(path, sizeof path, "/proc/%d/comm", tid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, buf, len - 1);
		(void)close(fd);
	}
	buf[n > 0 ? n - 1 : 0] = '\0';
}

void
call_note(const struct call *c, const char *fmt, ...)
{
	char	comm[32], text[400];
	va_list	ap;

	if (!c->run->verbose)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	comm_of(c->tid, comm, sizeof comm);
	say("%d %s: %s: %s", c->tid, comm, c->name, text);
}

static void
note_answer(const struct call *c, int64_t value, int number)
{
	if (!c->run->verbose)
		return;
	if (number != 0)
		call_note(c, "descriptor %d: refused: %s", call_fd(c), strerror(number));
	else
		call_note(c, "descriptor %d: %" PRId64, call_fd(c), value);
}

/* ---- answers --------------------------------------------------------- */

bool
call_is_valid(const struct call *c)
{
	return ioctl(c->run->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->id) == 0;
}

static bool
respond(const struct call *c, int64_t value, int number, unsigned flags)
{
	struct seccomp_notif_resp	resp = { .id = c->id, .val = number == 0 ? value : 0, .error = -number, .flags = flags };

	return ioctl(c->run->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0;
}

static bool
answer(struct call *c, int64_t value, int number)
{
	if (c->over || c->has_result)
		return false;
	if (respond(c, value, number, 0)) {
		note_answer(c, value, number);
		end(c);
		return true;
	}
	stop_waiting(c);
	if (!c->asked) {
		end(c);
		return false;
	}
	c->has_result = true;	/* the kernel may repeat it */
	c->value = value;
	c->number = number;
	return false;
}

bool
call_is_pending(const struct call *c)
{
	return !c->over && !c->has_result && !c->interrupted && !c->quick;
}

void
call_interrupt(struct call *c, int number)
{
	c->interrupted = true;
	(void)respond(c, 0, number, 0);
	call_note(c, "descriptor %d: interrupted by a signal", call_fd(c));
	if (!c->asked)
		end(c);
}

bool
call_answer(struct call *c, int64_t value)
{
	return answer(c, value, 0);
}

bool
call_fail(struct call *c, int number)
{
	return answer(c, 0, number);
}

void
call_continue(struct call *c)
{
	(void)respond(c, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	end(c);
}

void
call_done(struct call *c, int code, const struct sctpd_value *v)
{
	(void)v;
	if (code == SCTPD_OK)
		(void)call_answer(c, 0);
	else
		(void)call_fail(c, errno_of(code));
}

/* ---- calls that wait ------------------------------------------------- */

/* It says O_NONBLOCK where fcntl(2) put it: at the open file, which is the program's. */
static bool
is_non_blocking(const struct call *c)
{
	char		 path[64], text[256], *flags;
	ssize_t		 n = -1;
	int		 fd;

	(void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", c->tid, call_fd(c));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	flags = strstr(text, "flags:");
	return flags != NULL && (strtoul(flags + strlen("flags:"), NULL, 8) & O_NONBLOCK) != 0;
}

bool
call_may_wait(const struct call *c, int flags)
{
	return (flags & MSG_DONTWAIT) == 0 && !is_non_blocking(c);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct call	*c = arg;

	(void)fd, (void)what;
	(void)call_fail(c, c->late);
}

/* Forget those whose thread is gone, or does something else now. */
static void
sweep(struct waiters *w)
{
	struct call	*c, *next;

	for (c = TAILQ_FIRST(&w->calls); c != NULL; c = next) {
		next = TAILQ_NEXT(c, waiting);
		if (!c->asked && !call_is_valid(c))
			end(c);
	}
	w->sweep_at = 2 * w->n > SWEEP ? 2 * w->n : SWEEP;
}

void
call_wait(struct call *c, bool (*try)(struct call *), int64_t ms, int late)
{
	struct timeval	tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (c->on->n == c->on->sweep_at)
		sweep(c->on);
	c->try = try;
	TAILQ_INSERT_TAIL(&c->on->calls, c, waiting);
	c->on->n++;
	c->late = late;
	if (ms >= 0 && (c->timer = evtimer_new(c->run->base, on_late, c)) != NULL)
		(void)evtimer_add(c->timer, &tv);
}

void
call_wait_no_more(struct call *c)
{
	stop_waiting(c);
}

void
call_retry(struct waiters *w)
{
	struct call	*c, *next;

	w->refs++;	/* those that are answered may be the last that need it */
	for (c = TAILQ_FIRST(&w->calls); c != NULL; c = next) {
		next = TAILQ_NEXT(c, waiting);
		(void)c->try(c);
	}
	waiters_unref(w);
}

void
call_on(struct call *c, struct sock *s, struct waiters *w)
{
	c->sock = s;
	c->on = w;
	w->refs++;
}

void
waiters_init(struct waiters *w, void (*unused)(struct waiters *))
{
	TAILQ_INIT(&w->calls);
	w->refs = 1;
	w->sweep_at = SWEEP;
	w->unused = unused;
}

void
waiters_unref(struct waiters *w)
{
	if (--w->refs == 0)
		w->unused(w);
}

/* ---- calls of the kernel --------------------------------------------- */

static bool
is_same(const struct call *a, const struct call *b)
{
	return a != b && a->tid == b->tid && a->nr == b->nr && !a->over && a->digest == b->digest &&
	    memcmp(a->args, b->args, sizeof a->args) == 0;
}

bool
call_repeats(struct call *c)
{
	struct call	*old, *next, *same = NULL;

	for (old = TAILQ_FIRST(bucket(c->run, c->tid)); old != NULL; old = next) {
		next = TAILQ_NEXT(old, entry);
		if (same == NULL && is_same(old, c))
			same = old;
		else if (old != c && old->tid == c->tid && !old->over && (old->has_result || old->asks == 0))
			end(old);
	}
	if (same == NULL)
		return false;
	same->id = c->id;
	same->interrupted = false;
	same->pending = 0;
	end(c);
	if (same->has_result) {
		same->has_result = false;
		(void)answer(same, same->value, same->number);
	}
	return true;
}

struct call *
call_take(struct run *r, int *nr)
{
	struct seccomp_notif	 n;
	struct call		*c;

	memset(&n, 0, sizeof n);
	if (ioctl(r->listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == -1)
		return NULL;	/* ENOENT, EINTR: it has ended */
	if ((c = calloc(1, sizeof *c)) == NULL) {
		struct seccomp_notif_resp	resp = { .id = n.id, .error = -ENOMEM };

		(void)ioctl(r->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
		return NULL;
	}
	c->run = r;
	c->id = n.id;
	c->tid = (pid_t)n.pid;
	c->nr = *nr = n.data.nr;
	c->name = "";
	memcpy(c->args, n.data.args, sizeof c->args);
	TAILQ_INSERT_TAIL(bucket(r, c->tid), c, entry);
	r->ncalls++;
	return c;
}

void
call_free_all(struct run *r)
{
	struct call	*c;

	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		while ((c = TAILQ_FIRST(&r->calls[i])) != NULL) {
			c->asks = 0;
			if (c->over)
				free_call(c);
			else
				end(c);
		}
	}
}

int
call_fd(const struct call *c)
{
	return (int)c->args[0];
}

bool
call_read(struct call *c, uint64_t from, void *buf, size_t len)
{
	if (memory_read(c->tid, from, buf, len) && call_is_valid(c))
		return true;
	(void)call_fail(c, EFAULT);
	return false;
}

bool
call_write(struct call *c, uint64_t to, const void *buf, size_t len)
{
	if (len == 0 || (call_is_valid(c) && memory_write(c->tid, to, buf, len)))
		return true;
	(void)call_fail(c, EFAULT);
	return false;
}

/* ---- descriptors of the program -------------------------------------- */

static int
add_fd(const struct call *c, int fd, int number, bool cloexec, unsigned flags)
{
	struct seccomp_notif_addfd	add = { .id = c->id, .srcfd = (uint32_t)fd, .flags = flags,
	    .newfd_flags = cloexec ? O_CLOEXEC : 0 };

	if (number >= 0) {
		add.newfd = (uint32_t)number;
		add.flags |= SECCOMP_ADDFD_FLAG_SETFD;
	}
	number = ioctl(c->run->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (number == -1 && (errno == ESRCH || errno == EINPROGRESS))
		errno = ENOENT;		/* interrupted meanwhile, or before */
	return number;
}

/* A number from first on that the process does not use; -1, with errno, if it may have none. */
static int
free_number(const struct call *c, int first)
{
	struct rlimit	limit;
	char		path[64], buf[8];
	int		n = c->run->next_fd > first ? c->run->next_fd : first, most = 1024;
	bool		wrapped = n == first;

	if (prlimit(c->tid, RLIMIT_NOFILE, NULL, &limit) == 0)
		most = limit.rlim_cur < 1U << 20 ? (int)limit.rlim_cur : 1 << 20;
	for (;; n++) {
		if (n >= most && wrapped)
			break;
		if (n >= most) {
			wrapped = true;
			n = first;
		}
		(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", c->tid, n);
		errno = 0;
		if (readlink(path, buf, sizeof buf) == -1 && errno == ENOENT)
			return n;
		if (errno == EACCES)
			return -1;
	}
	errno = EMFILE;
	return -1;
}

int
call_give_fd(struct call *c, int fd, bool cloexec, bool answers)
{
	unsigned	flags = answers ? SECCOMP_ADDFD_FLAG_SEND : 0;
	int		number = -1, given;

	if (c->run->first_fd != 0 && (number = free_number(c, c->run->first_fd)) == -1)
		return -1;
	given = add_fd(c, fd, number, cloexec, flags);
	if (given == -1 && errno == EINVAL && answers) {	/* before Linux 5.14 */
		if ((given = add_fd(c, fd, number, cloexec, 0)) != -1 && !respond(c, given, 0, 0))
			return -1;
	}
	if (given == -1)
		return -1;
	c->run->next_fd = given + 1;
	if (answers) {
		note_answer(c, given, 0);
		end(c);
	}
	return given;
}

/* ---- questions ------------------------------------------------------- */

struct question {
	struct call	*call;
	call_reply	*fn;
};

static void
on_reply(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct question	 q = *(struct question *)arg;

	free(arg);
	if (code != SCTPD_OK)
		call_note(q.call, "the daemon says: %s", sctpd_error(c));
	q.call->asks--;
	if (q.call->over && q.call->asks > 0)
		q.fn(q.call, code, v);
	else if (q.call->over) {
		q.call->asks++;		/* it lives until fn has returned */
		q.fn(q.call, code, v);
		if (--q.call->asks == 0)
			free_call(q.call);
	} else
		q.fn(q.call, code, v);
}

static struct question *
question(struct call *c, call_reply *fn)
{
	struct question	*q = malloc(sizeof *q);

	c->asks++;
	if (q != NULL)
		*q = (struct question){ .call = c, .fn = fn };
	return q;
}

/* It was asked, or could not be. */
static void
was_asked(struct call *c, struct question *q, int code, call_reply *fn)
{
	daemon_asked(c->run);
	if (code == SCTPD_OK)
		return;
	free(q);
	call_note(c, "not asked: %s", sctpd_error(c->run->c));
	c->asks--;
	fn(c, code, NULL);
}

void
call_question(struct call *c, struct words *w, call_reply *fn)
{
	c->asked = true;
	call_question_idle(c, w, fn);
}

void
call_question_idle(struct call *c, struct words *w, call_reply *fn)
{
	struct question	*q = question(c, fn);
	int		 code = SCTPD_ENOMEM;

	if (q != NULL && !w->failed)
		code = sctpd_callv_async(c->run->c, on_reply, q, w->n, (const char *const *)w->v);
	word_free(w);
	was_asked(c, q, code, fn);
}

void
call_question_send(struct call *c, uint64_t handle, const struct sctpd_sndrcvinfo *info, call_reply *fn)
{
	struct question	*q = question(c, fn);
	int		 code = SCTPD_ENOMEM;

	c->asked = true;
	if (q != NULL)
		code = sctpd_sendmsg_async(c->run->c, handle, info, c->data, c->len, on_reply, q);
	was_asked(c, q, code, fn);
}

