/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that writes the flight recorder's files.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "proto/pcapng.h"
#include "trace/recordfile.h"
#include "trace/trace.h"
#include "util/counter.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"

/* Sections that wait to be written, and what they may take. */
#define QUEUE_MOST	256u
#define QUEUE_BYTES	((size_t)4 << 20)
#define END_SECONDS	2
#define THREAD_STACK	(64u << 10)
#define PATH_MOST	4096
/* A user's share of the files, the seconds in which it comes back, and how many shares there are: users may have one together. */
#define SHARE_PART	8
#define SHARE_SECONDS	3600
#define SHARES		64

struct job {
	STAILQ_ENTRY(job)	 entry;
	uint32_t		 assoc_id;
	char			*section;
	size_t			 len;
	uint64_t		 size;		/* the settings of its time */
	unsigned		 files;
	int			 error;		/* an errno; 0: it is written */
	char			 dir[];
};

STAILQ_HEAD(jobs, job);

/* Shared with the thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t to_do = PTHREAD_COND_INITIALIZER, all_done = PTHREAD_COND_INITIALIZER;
static struct jobs waiting = STAILQ_HEAD_INITIALIZER(waiting);
static struct jobs done = STAILQ_HEAD_INITIALIZER(done);
static bool ending, is_idle = true;
static int done_fd = -1;

/* The loop's own. */
static bool has_thread;
static pthread_t thread;
static size_t njobs, njob_bytes;
static struct event on_done;

/* ---- in the thread --------------------------------------------------- */

static void
name_of(char to[PATH_MOST], const char *dir, unsigned n)
{
	if (n == 0)
		(void)snprintf(to, PATH_MOST, "%s/record.pcapng", dir);
	else
		(void)snprintf(to, PATH_MOST, "%s/record.%u.pcapng", dir, n);
}

/*
 * Each file gets the name of the one that is older, and the oldest is gone. -1:
 * the newest one is still there, and would grow without end.
 */
static int
rotate(const struct job *j)
{
	char	from[PATH_MOST], to[PATH_MOST];
	int	result = 0;

	name_of(from, j->dir, 0);
	if (j->files == 1)
		return unlink(from);
	for (unsigned n = j->files - 1; n > 0; n--) {
		name_of(from, j->dir, n - 1);
		name_of(to, j->dir, n);
		result = rename(from, to);
	}
	return result;
}

/* How much of the file are whole blocks. */
static off_t
whole_blocks(int fd, off_t size)
{
	char	head[PCAPNG_HEAD];
	off_t	at = 0;
	size_t	n;

	while (pread(fd, head, sizeof head, at) == sizeof head && (n = pcapng_block(head)) > 0 &&
	    at + (off_t)n <= size)
		at += (off_t)n;
	return at;
}

static int
write_whole(int fd, const char *p, size_t n)
{
	ssize_t	taken;

	for (; n > 0; p += taken, n -= (size_t)taken) {
		if ((taken = write(fd, p, n)) == -1 && errno == EINTR)
			taken = 0;
		else if (taken <= 0)
			return taken == 0 ? EIO : errno;
	}
	return 0;
}

/* The first half, and then the rest: a test may have the process die between the two. */
static int
write_section(int fd, const struct job *j)
{
	size_t	half = j->len / 2;
	int	number = write_whole(fd, j->section, half);

	fault_point("recorded");
	return number != 0 ? number : write_whole(fd, j->section + half, j->len - half);
}

/* Does it begin as record_section begins one, with a comment about an association? Half a section does, too. */
static bool
is_ours(int fd)
{
	static const char	magic[] = "\x0a\x0d\x0d\x0a", about[] = "assoc ";
	char			head[34];

	return pread(fd, head, sizeof head, 0) == sizeof head && memcmp(head, magic, sizeof magic - 1) == 0 &&
	    memcmp(head + 28, about, sizeof about - 1) == 0;
}

/* A file of somebody else's is not touched. */
static int
open_newest(const char *name, struct stat *st)
{
	int	fd = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && (st->st_size == 0 || is_ours(fd)))
		return fd;
	(void)close(fd);
	errno = S_ISREG(st->st_mode) ? EEXIST : EINVAL;
	return -1;
}

static int
open_file(const struct job *j, off_t *size)
{
	char		name[PATH_MOST];
	struct stat	st = { .st_mode = 0 };
	int		fd;

	name_of(name, j->dir, 0);
	fd = open_newest(name, &st);
	if (fd != -1 && st.st_size > 0 && (uint64_t)st.st_size + j->len > j->size) {
		(void)close(fd);
		if (rotate(j) == -1)
			return -1;
		fd = open_newest(name, &st);
	}
	*size = st.st_size;
	return fd;
}

/* Give 0 or an errno. */
static int
write_job(const struct job *j)
{
	static off_t	left;		/* as the file was left: then it is whole */
	off_t		size = 0;
	int		fd, number;

	if ((fd = open_file(j, &size)) == -1)
		return errno;
	if (size != left) {
		left = whole_blocks(fd, size);
		if (left < size && ftruncate(fd, left) == -1)
			left = size;
	}
	if ((number = write_section(fd, j)) == 0)
		left += (off_t)j->len;
	else if (ftruncate(fd, left) == -1)
		left = 0;		/* the next one looks at it again */
	(void)close(fd);
	return number;
}

static void *
write_jobs(void *arg)
{
	static const uint64_t	one = 1;
	struct job		*j;

	(void)arg;
	(void)pthread_mutex_lock(&mutex);
	for (;;) {
		while ((j = STAILQ_FIRST(&waiting)) == NULL && !ending)
			(void)pthread_cond_wait(&to_do, &mutex);
		if (j == NULL)
			break;
		STAILQ_REMOVE_HEAD(&waiting, entry);
		is_idle = false;
		(void)pthread_mutex_unlock(&mutex);
		j->error = write_job(j);
		(void)pthread_mutex_lock(&mutex);
		is_idle = true;
		STAILQ_INSERT_TAIL(&done, j, entry);
		(void)!write(done_fd, &one, sizeof one);
	}
	(void)pthread_cond_signal(&all_done);
	(void)pthread_mutex_unlock(&mutex);
	return NULL;
}

/* ---- in the loop ----------------------------------------------------- */

static void
finish(struct job *j)
{
	njobs--;
	njob_bytes -= j->len;
	if (j->error != 0) {
		COUNT(record_lost, 1);
		if (log_allowed(LOG_WARNING, "record not written"))
			log_warning("assoc %u: its record is not written: %s/record.pcapng: %s; see record_dir in sctpd.conf(5)",
			    j->assoc_id, j->dir, strerror(j->error));
	} else {
		COUNT(record_cnt, 1);
		if (log_allowed(LOG_INFO, "record written"))
			log_info("assoc %u: recorded in %s/record.pcapng", j->assoc_id, j->dir);
	}
	free(j->section);
	free(j);
}

static void
finish_all(struct jobs *list)
{
	struct job	*j;

	while ((j = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		finish(j);
	}
}

static void
recordfile_on_done(evutil_socket_t fd, short what, void *arg)
{
	struct jobs	mine = STAILQ_HEAD_INITIALIZER(mine);
	uint64_t	n;

	(void)what, (void)arg;
	(void)!read(fd, &n, sizeof n);
	(void)pthread_mutex_lock(&mutex);
	STAILQ_CONCAT(&mine, &done);
	(void)pthread_mutex_unlock(&mutex);
	finish_all(&mine);
}

/* Signals are the loop's. */
static bool
start_thread(void)
{
	sigset_t	all, before;
	pthread_attr_t	attr;

	if (has_thread)
		return true;
	if ((done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return false;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	has_thread = pthread_create(&thread, &attr, write_jobs, NULL) == 0;
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!has_thread) {
		(void)close(done_fd);
		return false;
	}
	(void)event_assign(&on_done, loop_base(), done_fd, EV_READ | EV_PERSIST, recordfile_on_done, NULL);
	(void)event_add(&on_done, NULL);
	return true;
}

/* The folder: of the settings, or that of the service's logs; NULL: there is none. */
static const char *
folder(void)
{
	const char	*logs = getenv("LOGS_DIRECTORY");

	if (config.record_dir[0] != '\0')
		return config.record_dir;
	return logs != NULL && logs[0] != '\0' ? logs : NULL;
}

/* What a user has written of its share. It does not end with the user's last connection. */
struct share {
	uint64_t	bytes;
	uint64_t	since;		/* seconds; what came back until then is taken off */
};

static struct share shares[SHARES];

static uint64_t
share_size(void)
{
	return config.record_size * config.record_files / SHARE_PART;
}

static struct share *
share_now(uid_t uid)
{
	struct share	*h = &shares[uid % SHARES];
	uint64_t	 now = trace_now() / 1000, back = (now - h->since) * share_size() / SHARE_SECONDS;

	h->bytes = h->bytes > back ? h->bytes - back : 0;
	h->since = now;
	return h;
}

bool
recordfile_may(uid_t uid)
{
	if (folder() == NULL)
		return false;
	if (uid != 0 && share_now(uid)->bytes >= share_size()) {
		COUNT(record_lost, 1);
		if (log_seldom(LOG_WARNING, "records of one user"))
			log_warning("the associations of user %u have written an eighth of all records; no more are written for a while, as those of others would go; see record_size and record_files in sctpd.conf(5)",
			    (unsigned)uid);
		return false;
	}
	if (njobs < QUEUE_MOST && njob_bytes < QUEUE_BYTES && start_thread())
		return true;
	COUNT(record_lost, 1);
	if (log_seldom(LOG_WARNING, "records not written"))
		log_warning("%zu records wait to be written, and no more can: %s may be slow; record_lost of status counts those that are not written",
		    njobs, folder());
	return false;
}

void
recordfile_put(uid_t uid, uint32_t assoc_id, char *section, size_t len)
{
	const char	*dir = folder();
	struct job	*j = xcalloc(1, sizeof *j + strlen(dir) + 1);

	j->assoc_id = assoc_id;
	j->section = section;
	j->len = len;
	j->size = config.record_size;
	j->files = (unsigned)config.record_files;
	strcpy(j->dir, dir);
	shares[uid % SHARES].bytes += len;
	njobs++;
	njob_bytes += len;
	(void)pthread_mutex_lock(&mutex);
	STAILQ_INSERT_TAIL(&waiting, j, entry);
	(void)pthread_cond_signal(&to_do);
	(void)pthread_mutex_unlock(&mutex);
}

/* True: the thread has written everything, and ends. */
static bool
wait_for_end(void)
{
	struct timespec	until;
	int		number = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_SECONDS;
	(void)pthread_mutex_lock(&mutex);
	ending = true;
	(void)pthread_cond_signal(&to_do);
	while ((!is_idle || !STAILQ_EMPTY(&waiting)) && number == 0)
		number = pthread_cond_timedwait(&all_done, &mutex, &until);
	(void)pthread_mutex_unlock(&mutex);
	return number == 0;
}

/* A thread that a file system holds is left behind, with what it has. */
void
recordfile_free(void)
{
	if (!has_thread || !wait_for_end())
		return;
	(void)pthread_join(thread, NULL);
	has_thread = ending = false;
	(void)event_del(&on_done);
	(void)close(done_fd);
	finish_all(&done);
}
