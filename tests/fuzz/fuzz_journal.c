/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process before us might have left: a journal, damaged, and parked
 * descriptors. The whole daemon takes it over, on the kernel's stack, serves
 * the client of a session that comes back, and ends.
 *
 * The journal is a sound one with a record of every kind, and the input is a
 * list of changes to it: of the header, of the table of spans, of the words
 * and the bodies of records, of the areas, and of a commit that was begun. The
 * descriptors are of plain socket pairs: what is asked of SCTP is refused.
 *
 * Nothing may crash, end the process, or lose a descriptor.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "../../daemon/journal/fdpark.c"

#include "fuzz.h"
#include "rpc/client.h"
#include "proto/codec.h"
#include "config.h"
#include "kernel/ops.h"
#include "limits/drain.h"
#include "methods/dispatch.h"
#include "methods/handler.h"
#include "journal/journal.h"
#include "journal/changes.h"
#include "journal/counters.h"
#include "util/loop.h"
#include "journal/settings.h"
#include "restore.h"
#include "rpc/connection.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/sends.h"
#include "stack/stack.h"

int	__real_madvise(void *, size_t, int);
int	__wrap_madvise(void *, size_t, int);

/* To have all pages present takes longer than all the rest. */
int
__wrap_madvise(void *p, size_t n, int what)
{
	return what == MADV_POPULATE_WRITE ? 0 : __real_madvise(p, n, what);
}

/* ---- the sound one ---------------------------------------------------- */

#define FRONT	8192		/* of the header and of an area: what is looked at first */
#define TOKEN	"0123456789abcdef0123456789abcdef"
#define RECORDS	64

/* Offsets in struct header, struct record. */
enum { AT_AREAS = 24, AT_FILE_SIZE = 64, AT_NREDO = 88, AT_REDO = 96, AT_SPANS = 96 + 16 * REDO_MAX };

static int		 memory, spare;
static char		*window;	/* the journal, as it lies in the memory file */
static size_t		 size, heap, end;	/* of the file, where its heap begins and ends */
static char		*sound;		/* a copy of what may change of it */
static size_t		 records[RECORDS], nrecords;
static uint64_t		 parked[RECORDS];
static size_t		 nparked;

static uint64_t
header(size_t at)
{
	uint64_t	v;

	memcpy(&v, window + at, sizeof v);
	return v;
}

static void
make_event(struct client *c, struct sock *s, const char *data)
{
	msgpack_packer	*pk = client_event_begin(c, EVENT_data, s->node.key, 1, true);

	codec_pack_text(pk, "data");
	msgpack_pack_bin_with_body(pk, data, strlen(data));
}

static void
make_pending(struct sock *s)
{
	struct event_data	 d = { .data = { "abc", 3 } };
	struct stack_event	 e = { .row = EVENT_data, .assoc = assoc_next(s, NULL), .body = &d, .len = sizeof d };

	sock_event(s, &e);	/* nobody is there to have it */
	must(s->npending == 1);
}

static void
make_waiting(struct client *c, const struct assoc *a)
{
	struct call		 call = { .client = c, .notification = true, .ordinal = 1,
				    .method = &rpc_table[RPC_send] };
	struct sndrcvinfo	 info = { .stream = 1 };

	(void)assoc_write_waiting(a, &call, &info, "waits", 5);
	call.notification = false;	/* the first message of a send_many, before a notification */
	call.bound = true;
	call.ordinal = ORDINAL_BOUND | MSGID_OF_MANY(7, 3);
	call.method = &rpc_table[RPC_send_many];
	(void)assoc_write_waiting(a, &call, &info, "waits, too", 10);
}

static void
make_assoc(struct client *c, struct sock *s, uint32_t id, size_t partial)
{
	struct sockaddr_storage	 peer = { .ss_family = AF_INET };
	struct assoc		*a = assoc_make(s, id, &peer, journal_number(), s->uid);
	char			*data = xcalloc(1, partial);
	struct partial		*j;
	bool			 too_many;

	a->state = ASSOC_UP;
	a->stack.owns_fd = id != 5;
	parked[nparked++] = a->number;
	assoc_changed(a);
	must((j = partials_begin(&a->stack.data, partial_key(1, true), 46, &too_many)) != NULL);
	must(partial_add(j, a->user, data, partial));
	must(partial_add(&a->stack.failed, NULL, data, 8));
	make_waiting(c, a);
	free(data);
}

static struct sock *
make_sock(struct client *c, bool many)
{
	struct sock	*s = sock_new(c, many, many ? AF_INET : AF_INET6);

	s->listening = !many;
	s->active = many ? ACTIVE_TRUE : ACTIVE_FALSE;
	s->own.on_owner_exit = EXIT_HOLD;
	parked[nparked++] = s->node.key;
	sock_changed(s);
	return s;
}

static bool
is_client(uint64_t number)
{
	return client_find(number) != NULL;
}

static void
make_all(void)
{
	struct client	*c = client_make(journal_handle(is_client), getuid());
	struct client	*plain = client_make(journal_handle(is_client), getuid());
	struct sock	*s = make_sock(c, true), *one = make_sock(plain, false);

	strcpy(c->token, TOKEN);
	c->name = xstrdup("a client");
	output_keep(&c->out, c->node.key, false);
	for (int i = 0; i < 5; i++)
		make_event(c, s, "some data");
	output_keep(&plain->out, plain->node.key, true);
	make_event(plain, one, "others");
	make_assoc(c, s, 5, 100);
	make_assoc(c, s, 6, 70000);
	make_assoc(plain, one, 7, 10);
	make_pending(s);
	make_pending(one);
	(void)drain_set(true);
	client_changed(c);
	client_changed(plain);
	client_output_changed(c);
	client_output_changed(plain);
	settings_keep(&config);
	changes_commit();
}

/* Where its records are, and a copy of it. */
static void
look_at_it(void)
{
	struct record	*r;
	struct stat	 st;
	char		*head;

	must((memory = fcntl(journal_fd(), F_DUPFD_CLOEXEC, 100)) != -1);
	must(fstat(memory, &st) == 0);
	size = (size_t)st.st_size;
	window = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	must(window != MAP_FAILED);
	head = (char *)journal_area(AREA_RECEIVE, 0) - header(AT_AREAS);
	heap = header(AT_FILE_SIZE - 8);
	for (size_t i = 0; heap + (i << 16) < size; i++) {
		if (window[AT_SPANS + i] != 0)
			end = heap + ((i + 1) << 16);
	}
	for (enum record_kind k = RECORD_CLIENT; k < RECORD_KINDS; k++) {
		for (r = NULL; (r = journal_next(r, k)) != NULL && nrecords < RECORDS;)
			records[nrecords++] = (size_t)((char *)r - head);
	}
	sound = xmalloc(size);
	memcpy(sound, window, size);
}

static void
end_daemon(void)
{
	owner_free_all();
	connection_free();
	stack->free();
	journal_close();
	fdpark_free();
	loop_free_alarms();
}

static const struct stack *const only_stack = &kernel_stack;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int	pair[2];

	(void)argc, (void)argv;
	mem_init();
	log_set_level(-1);
	config_init(&config);
	(void)config_set(&config, "stack", "kernel", (char[200]){ "" }, 200);
	config.log_level = 0;
	handle_start_clock();
	loop_init();
	dispatch_init();
	stack_give(&only_stack, 1);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	must((spare = fcntl(pair[0], F_DUPFD_CLOEXEC, 100)) != -1);
	(void)close(pair[0]);
	connection_init(&dispatch_ops);
	(void)journal_open(-1);
	changes_at_commit(counters_stage);
	stack->init();
	make_all();
	look_at_it();
	end_daemon();
	return 0;
}

/* ---- changes ---------------------------------------------------------- */

static void
copy_back(size_t at, size_t n)
{
	memcpy(window + at, sound + at, n);
}

static void
restore_sound(void)
{
	must(ftruncate(memory, (off_t)size) == 0);
	copy_back(0, FRONT);
	copy_back(AT_SPANS, heap - header(AT_AREAS) > 0 ? header(AT_AREAS) - AT_SPANS : 0);
	copy_back(header(AT_AREAS), FRONT);
	copy_back(header(AT_AREAS + 8), FRONT);
	copy_back(heap, end - heap);
}

struct input {
	const uint8_t	*p;
	size_t		 n;
};

static uint64_t
take(struct input *in, unsigned n)
{
	uint64_t	v = 0;

	for (; n > 0 && in->n > 0; n--, in->p++, in->n--)
		v = v << 8 | *in->p;
	return v;
}

/* Small and large ones, and such as are near what is there. */
static uint64_t
take_value(struct input *in, uint64_t was)
{
	switch (take(in, 1) % 6) {
	case 0:
		return take(in, 1);
	case 1:
		return take(in, 2);
	case 2:
		return take(in, 8);
	case 3:
		return was + take(in, 1) - 128;
	case 4:
		return (uint64_t)1 << take(in, 1) % 64;
	default:
		return UINT64_MAX - take(in, 1);
	}
}

static void
put(size_t at, uint64_t v, size_t n)
{
	if (at <= size - n)
		memcpy(window + at, &v, n);
}

static void
change_word(struct input *in, size_t at)
{
	if (at <= size - 8)
		put(at, take_value(in, header(at)), 8);
}

static void
change_bytes(struct input *in, size_t at)
{
	for (size_t n = take(in, 1) % 64; n > 0 && in->n > 0; n--)
		put(at++, take(in, 1), 1);
}

static void
begin_commit(struct input *in)
{
	size_t	n = take(in, 1) % 8;

	for (size_t i = 0; i < n; i++) {
		size_t	r = records[take(in, 1) % nrecords];

		put(AT_REDO + 16 * i, r + take(in, 1) % 16 * 8, 8);
		change_word(in, AT_REDO + 16 * i + 8);
	}
	put(AT_NREDO, n, 8);
}

static void
change(struct input *in)
{
	uint8_t	what = (uint8_t)take(in, 1);
	size_t	r = records[take(in, 1) % nrecords];

	switch (what % 9) {
	case 0:
		change_word(in, take(in, 1) % 14 * 8);
		break;
	case 1:
		put(AT_SPANS + take(in, 1) % ((size - heap) >> 16), take(in, 1), 1);
		break;
	case 2:
		change_word(in, r + take(in, 1) % 3 * 8);
		break;
	case 3:
	case 4:
		change_word(in, r + 24 + take(in, 1) % RECORD_WORDS * 8);
		break;
	case 5:
		change_bytes(in, r + sizeof(struct record) + take(in, 2) % 1200);
		break;
	case 6:			/* what stands at the end, backwards: messages' entries */
		change_word(in, r + header(r + 8) - 8 - take(in, 1) % 32 * 8);
		break;
	case 7:
		change_bytes(in, header(AT_AREAS + take(in, 1) % 2 * 8) + take(in, 2) % FRONT);
		break;
	case 8:
		begin_commit(in);
		break;
	}
}

/* ---- what is done with it --------------------------------------------- */

/* A message in a queue of the park's that says what it does not bring, or the reverse. */
static void
put_junk(uint64_t how)
{
	uint64_t	number[LOT_MAX] = { parked[how % nparked] };
	int		fd[4] = { spare, spare, spare, spare };
	int		in = how & 0x4000 ? master.in : lots[0].in;

	if (nlots > 0)
		(void)send_message(in, how & 0x100 ? WHOLE : ADDED, number, fd, how >> 9 & 7, how >> 12 & 3);
}

/* Descriptors for most of what the journal speaks of, put by one process, read by the next. */
static void
park(uint64_t without)
{
	must(make_pair(&master));
	for (size_t i = 0; i < nparked; i++) {
		int	fd = dup(spare);

		if ((without >> i & 1) == 0)
			must(fdpark_put(parked[i], fd));
		(void)close(fd);
	}
	if (without & 0x8000)
		put_junk(without);
	for (struct place *p; (p = (struct place *)(void *)hash_next(&places, NULL)) != NULL;)
		remove_place(p);
	while (nlots > 0) {
		nlots--;
		(void)close(lots[nlots].in);
		(void)close(lots[nlots].out);
	}
	master.messages = 0;
	read_master();
}

static void
turn(void)
{
	(void)event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	connection_write_all();
}

/* The client of the session is back, and acknowledges something. */
static void
come_back(void)
{
	static const char	hello[] = "\x94\x00\x00\xa5hello\x91\x83\xa8protocol\x01"
	    "\xa6resume\xd9\x20" TOKEN "\xa3seq\x01"
	    "\x93\x02\xa3" "ack\x91\x81\xa3seq\x03" "\x94\x00\x01\xa6status\x91\x80"
	    "\x94\x00\x02\xa6" "assocs\x91\x80";
	char			room[65536];
	int			pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	connection_new(pair[0]);
	must(write(pair[1], hello, sizeof hello - 1) == sizeof hello - 1);
	turn();
	turn();
	while (read(pair[1], room, sizeof room) > 0)
		;
	(void)close(pair[1]);
	turn();
}

static int
next_fd(void)
{
	int	fd = dup(spare);

	(void)close(fd);
	return fd;
}

/* What is freed is not waited for any more. */
static int
events(void)
{
	return event_base_get_num_events(loop_base(), EVENT_BASE_COUNT_ADDED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input	in = { data, n };
	uint64_t	without = take(&in, 2);
	int		before = next_fd();
	bool		old;

	restore_sound();
	while (in.n > 0)
		change(&in);
	connection_init(&dispatch_ops);
	old = journal_open(fcntl(memory, F_DUPFD_CLOEXEC, 0));
	counters_restore();
	drain_restore();
	stack->init();
	park(without);
	if (old) {
		journal_begin_restore();
		restore();
		journal_end_restore();
	} else
		(void)fdpark_finish();
	turn();
	come_back();
	end_daemon();
	must(next_fd() == before);
	must(events() == 0);
	return 0;
}
