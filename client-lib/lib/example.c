/* SPDX-License-Identifier: BSD-2-Clause */
/* gen_sctp's example. cc example.c $(pkg-config --cflags --libs libsctpd) */
#include <err.h>
#include <sctpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Print whatever comes. */
static void
server(struct sctpd *c)
{
	const struct sctpd_event	*ev;
	uint64_t			 sock;

	if (sctpd_open(c, &sock, "port=2006 options.recbuf=65536") != SCTPD_OK ||
	    sctpd_listen(c, sock, -1) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	while (sctpd_recv(c, sock, -1, &ev) == SCTPD_OK) {
		printf("%s:%u %s %s", ev->from, ev->from_port, ev->name,
		    sctpd_get_str(ev->fields, "state"));
		if (strcmp(ev->name, "data") == 0)
			printf("on stream %u: %s", ev->info.stream, ev->data);
		puts("");
	}
	errx(1, "%s", sctpd_error(c));
}

/* Five streams, numbered from 0: the second message is refused. */
static void
client(struct sctpd *c, const char *addr)
{
	struct sctpd_assoc	 a;
	uint64_t		 sock;

	if (sctpd_open(c, &sock, "options.sctp_initmsg.num_ostreams=5") != SCTPD_OK ||
	    sctpd_connect(c, sock, addr, 2006, 5000, &a) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	printf("connected, %u outbound streams\n", a.outbound_streams);
	if (sctpd_send(c, sock, a.assoc_id, 0, "Test 0", 6) == SCTPD_OK)
		puts("sent \"Test 0\" on stream 0");
	if (sctpd_send(c, sock, a.assoc_id, 5, "Test 5", 6) != SCTPD_OK)
		printf("refused: %s\n", sctpd_error(c));
	sleep(1);	/* an abort does not wait for what is under way */
	if (sctpd_abort(c, sock, a.assoc_id) == SCTPD_OK)
		puts("aborted");
}

int
main(int argc, char **argv)
{
	struct sctpd	*c = sctpd_new();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (c == NULL || sctpd_dial(c, NULL) != SCTPD_OK)
		errx(1, "%s", c != NULL ? sctpd_error(c) : "no memory");
	if (argc > 1 && strcmp(argv[1], "server") == 0)
		server(c);
	else
		client(c, argc > 1 ? argv[1] : "127.0.0.1");
	return sctpd_free(c) != NULL;
}
