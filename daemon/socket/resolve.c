/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names to addresses, without the loop waiting for it.
 *
 * getaddrinfo(3) follows /etc/hosts, nsswitch.conf and whatever else the host
 * has configured, and it blocks. So each look-up has a thread, a few at a time.
 * The thread touches only its own struct, and reports through a pipe that it is
 * done. libevent's own resolver knows only DNS, and most of libevent's security
 * advisories were about it.
 *
 * A thread cannot be ended, and a look-up takes half a minute if the name server
 * is silent. So each user has a queue, the users take turns, and no user has more
 * threads than are idle: a user who waits for slow names delays nobody else.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "socket/resolve.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"

/* Look-ups under way at one time, in all and for one user; the others wait. */
#define THREADS		32
#define THREADS_A_USER	8
#define WRITE_AGAIN_MS	10
/* getaddrinfo needs a few tens of KiB; untouched pages take no memory. */
#define THREAD_STACK	(512u << 10)

/* The look-ups of a user: those that wait, and the number under way. */
struct queue {
	TAILQ_ENTRY(queue)	 entry;
	struct user		*user;
	TAILQ_HEAD(, resolve)	 waiting;
	unsigned		 running;
};

struct resolve {
	TAILQ_ENTRY(resolve)	 entry;
	struct queue		*queue;
	int			 family;
	resolve_fn		*done;		/* NULL: nobody waits */
	void			*arg;
	bool			 running;
	int			 error;		/* of getaddrinfo */
	struct addrinfo		*found;
	char			 name[];
};

/* The user whose turn is next comes first. */
static TAILQ_HEAD(queues, queue) queues = TAILQ_HEAD_INITIALIZER(queues);
static unsigned running;

/* Look-ups that threads have: listed, so that one still running at our end is not a leak. */
static TAILQ_HEAD(, resolve) going = TAILQ_HEAD_INITIALIZER(going);
static int done_pipe[2] = { -1, -1 };
static struct event readable;

#ifdef __SANITIZE_ADDRESS__
/* Nor is the name server's address, which glibc has for such a thread where the sanitizer does not always look. */
const char	*__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:__res_context_send\n";
}
#endif

static void
result_free(struct resolve *r)
{
	if (r->found != NULL)
		freeaddrinfo(r->found);
	free(r);
}

/* In a thread of its own. */
static void *
look_up(void *arg)
{
	struct resolve	*r = arg;
	struct addrinfo	 hints = { .ai_family = r->family, .ai_socktype = SOCK_STREAM };

	if (r->family == AF_INET6)
		hints.ai_flags = AI_V4MAPPED | AI_ALL;
	r->error = getaddrinfo(r->name, NULL, &hints, &r->found);
	/*
	 * A pointer is written whole, or the pipe is gone and so is the daemon.
	 * It is not freed here: the loop's thread has it in its lists.
	 */
	while (write(done_pipe[1], &r, sizeof r) == -1 && errno != EPIPE && errno != EBADF)
		(void)poll(NULL, 0, errno == EINTR ? 0 : WRITE_AGAIN_MS);
	return NULL;
}

static void queue_put(struct queue *);

static void
finish(struct resolve *r)
{
	struct sockaddr_storage	 addrs[RESOLVE_MAX];
	struct queue		*q = r->queue;
	size_t			 n = 0;

	memset(addrs, 0, sizeof addrs);
	for (struct addrinfo *a = r->found; a != NULL && n < RESOLVE_MAX; a = a->ai_next)
		memcpy(&addrs[n++], a->ai_addr, a->ai_addrlen);
	if (r->done != NULL)
		r->done(r->arg, addrs, n, n > 0 ? NULL : r->error != 0 ?
		    gai_strerror(r->error) : "it has no address");
	result_free(r);
	queue_put(q);
}

/* Block signals in threads: the loop handles them. */
static void
run(struct resolve *r)
{
	sigset_t	all, before;
	pthread_attr_t	attr;
	pthread_t	thread;
	int		number;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	number = pthread_create(&thread, &attr, look_up, r);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (number != 0) {
		r->error = EAI_MEMORY;
		finish(r);
		return;
	}
	r->running = true;
	TAILQ_INSERT_TAIL(&going, r, entry);
	r->queue->running++;
	running++;
}

static struct queue *
queue_of(struct user *u)
{
	struct queue	*q;

	TAILQ_FOREACH(q, &queues, entry) {
		if (q->user == u)
			return q;
	}
	q = xcalloc(1, sizeof *q);
	q->user = user_get(user_uid(u));
	TAILQ_INIT(&q->waiting);
	TAILQ_INSERT_TAIL(&queues, q, entry);
	return q;
}

/* Free it, unless something waits or is under way. */
static void
queue_put(struct queue *q)
{
	if (q->running > 0 || !TAILQ_EMPTY(&q->waiting))
		return;
	TAILQ_REMOVE(&queues, q, entry);
	(void)user_put(q->user);
	free(q);
}

/* The user whose turn it is; its next turn comes after all others. */
static struct queue *
next_queue(void)
{
	struct queue	*q;

	TAILQ_FOREACH(q, &queues, entry) {
		if (TAILQ_EMPTY(&q->waiting) || q->running >= THREADS_A_USER ||
		    q->running >= THREADS - running)
			continue;
		TAILQ_REMOVE(&queues, q, entry);
		TAILQ_INSERT_TAIL(&queues, q, entry);
		return q;
	}
	return NULL;
}

static void
resolve_on_done(evutil_socket_t fd, short what, void *arg)
{
	struct queue	*q;
	struct resolve	*r;

	(void)what, (void)arg;
	while (read(fd, &r, sizeof r) == sizeof r) {
		running--;
		r->queue->running--;
		TAILQ_REMOVE(&going, r, entry);
		finish(r);
	}
	while ((q = next_queue()) != NULL) {
		r = TAILQ_FIRST(&q->waiting);
		TAILQ_REMOVE(&q->waiting, r, entry);
		run(r);
	}
}

size_t
resolve_size(size_t len)
{
	return sizeof(struct resolve) + len + 1;
}

struct resolve *
resolve_start(struct user *u, const char *name, size_t len, int family, resolve_fn *done,
    void *arg)
{
	struct resolve	*r = xcalloc(1, resolve_size(len));

	r->queue = queue_of(u);
	r->family = family;
	r->done = done;
	r->arg = arg;
	memcpy(r->name, name, len);
	TAILQ_INSERT_TAIL(&r->queue->waiting, r, entry);
	/* Not at once, because done must not be called before this returns. */
	event_active(&readable, EV_READ, 0);
	return r;
}

struct resolve *
resolve_cancel(struct resolve *r)
{
	if (r == NULL)
		return NULL;
	r->done = NULL;
	if (!r->running) {
		TAILQ_REMOVE(&r->queue->waiting, r, entry);
		queue_put(r->queue);
		free(r);
	}
	return NULL;
}

void
resolve_init(void)
{
	if (pipe2(done_pipe, O_CLOEXEC) == -1 ||
	    fcntl(done_pipe[0], F_SETFL, O_NONBLOCK) == -1)
		log_fatal("resolve: pipe: %s", strerror(errno));
	(void)event_assign(&readable, loop_base(), done_pipe[0], EV_READ | EV_PERSIST,
	    resolve_on_done, NULL);
	loop_need(&readable);
}

void
resolve_free(void)
{
	struct resolve	*r;

	(void)event_del(&readable);
	while (read(done_pipe[0], &r, sizeof r) == sizeof r) {	/* nobody waits for it */
		running--;
		TAILQ_REMOVE(&going, r, entry);
		result_free(r);
	}
	(void)close(done_pipe[0]);
	/* Threads that are still running keep the other end. */
	if (running == 0)
		(void)close(done_pipe[1]);
}
