/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a daemon might say to libsctpd: any bytes, before, between and after
 * calls of every kind. Nothing may crash, hang or leak, and every value that
 * comes of it can be read to its end.
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/sctp.h>

#include "fuzz.h"
#include "lib/sctpd.h"

/* Whoever reads a byte that is not there is caught by the sanitizer. */
static size_t
walk(const struct sctpd_value *v)
{
	size_t		 len, n;
	const char	*s = sctpd_str(v, &len);

	n = strlen(s) + len + (size_t)sctpd_int(v);
	for (size_t i = 0; i < sctpd_count(v); i++)
		n += strlen(sctpd_key(v, i)) + walk(sctpd_item(v, i));
	return n;
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	(void)c;
	*(size_t *)arg += walk(ev->fields) + strlen(ev->name) + strlen(ev->from) +
	    (size_t)(unsigned char)ev->data[ev->len];
}

static void
on_reply(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	*(size_t *)arg += walk(v) + strlen(sctpd_error(c)) + (size_t)code;
}

/* What is asked first finds its answer there: the ids of the first requests are known. */
static void
begin(struct sctpd *c, uint8_t how, size_t *sum)
{
	struct sctpd_message		 m[3] = { { .data = "a", .len = 1 }, { .data = "b", .len = 1 },
					    { .data = "c", .len = 1 } };
	const struct sctpd_event	*ev[4];
	size_t				 n = 0;

	if (how % 4 == 1)
		(void)sctpd_send_many(c, 1, m, 3, sum);
	else if (how % 4 == 2)
		(void)sctpd_events(c, ev, 4, 0, &n);
	else if (how % 4 == 3) {
		(void)sctpd_call_async(c, on_reply, sum, "status");
		(void)sctpd_sync(c);
	}
	for (size_t i = 0; i < n; i++)
		on_event(c, ev[i], sum);
}

static void
talk(struct sctpd *c, size_t *sum)
{
	const struct sctpd_value	*v;
	const struct sctpd_event	*ev;
	struct sctp_status		 st;
	struct sctpd_assoc		 a;
	uint64_t			 sock;

	memset(&st, 0, sizeof st);
	if (sctpd_open(c, &sock, "port=0") == SCTPD_LOST)
		return;
	(void)sctpd_connect(c, 1, "::1", 1, 0, &a);
	(void)sctpd_getopt(c, 1, "sctp_status", &st, sizeof st);
	if (sctpd_recv(c, 1, 0, &ev) == SCTPD_OK)
		on_event(c, ev, sum);
	if (sctpd_call(c, &v, "status") == SCTPD_OK)
		*sum += walk(v);
	(void)sctpd_call_async(c, on_reply, sum, "close sock=1");
	while (sctpd_next_event(c, 0, &ev) == SCTPD_OK)
		on_event(c, ev, sum);
	sctpd_on_event(c, on_event, sum);
	(void)sctpd_process(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sctpd	*c = sctpd_new();
	size_t		 sum = 0;
	int		 fds[2];

	if (c == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		return 0;
	sctpd_set_timeout(c, 0);
	(void)!write(fds[1], data, n);
	(void)shutdown(fds[1], SHUT_WR);
	if (sctpd_use_fd(c, fds[0]) == SCTPD_OK) {
		begin(c, n > 0 ? data[n - 1] : 0, &sum);
		talk(c, &sum);
	}
	sctpd_free(c);
	close(fds[1]);
	return 0;
}
