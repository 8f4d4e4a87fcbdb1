/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/metrics.h"
#include "nats/row.h"
#include "nats/standby.h"
#include "nats/state.h"

#define UP_MS		2000	/* how long take over waits for associations to come up before the bridge goes on */
#define END_MS		3000	/* how long give up waits for the ends of associations */
#define MEND_MS		1000	/* between two times at which rows that another member changed are written again */
#define BATCH		64
#define LOST		"lost."	/* key of what a member has lost */
#define LINES		20	/* associations that are named in the log, of those that lost something */

/* An association of the bucket. */
struct known {
	LIST_ENTRY(known)	 entry;
	uint32_t		 assoc_id;	/* in our session; 0: it has none here */
	struct standby_name	 name;
	char			 endpoint[CONFIG_NAME];
	bool			 seen;		/* by the sync */
	bool			 coming;	/* its restart was not answered yet */
	unsigned		 in, out;	/* messages that were lost with it, as give up counts them */
};

/* What our endpoints do. Each does less than the one before. */
enum manner {
	UNKNOWN,	/* what the program before left; sockets are opened SILENT */
	ANSWERS,	/* all */
	DOUBTS,		/* nothing that they do not know is answered. Supervised associations go on */
	SILENT,		/* those are down, too */
};

static struct {
	LIST_HEAD(, known)	 all;
	void			*by_id, *by_name;	/* trees of the same */
	struct bucket_owner	 owner;		/* that was settled last, */
	uint64_t		 taken;		/* with this */
	bool			 owns;
	enum manner		 manner;
	bool			 empty;		/* a standby that has given up all */
	struct bucket_changes	 changes;
	bool			 writing;
	bool			 mend;		/* another member has changed a row of ours */
	int64_t			 next_mend;
	char			 why[512];

	/* take over */
	unsigned		 started, up, failed;
	bool			 udp;		/* some peers speak SCTP over UDP */

	/* give up */
	uint64_t		 lost_in, lost_bytes, lost_out;
} st = { .changes = STAILQ_HEAD_INITIALIZER(st.changes) };

bool
standby_on(void)
{
	return *config.standby != '\0';
}

bool
standby_owns(void)
{
	return st.owns;
}

/* Is the owner still the one that was settled last? */
static bool
is_settled(void)
{
	const struct bucket_owner	*owner = &bucket()->owner;

	return bucket()->known && owner->term == st.owner.term && strcmp(owner->member, st.owner.member) == 0;
}

/* ---- the table ------------------------------------------------------------ */

static int
order_id(const void *a, const void *b)
{
	uint32_t	x = ((const struct known *)a)->assoc_id, y = ((const struct known *)b)->assoc_id;

	return x < y ? -1 : x > y;
}

static int
order_name(const void *a, const void *b)
{
	const struct standby_name	*x = &((const struct known *)a)->name, *y = &((const struct known *)b)->name;

	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return x->assoc < y->assoc ? -1 : x->assoc > y->assoc;
}

static struct known *
find_id(uint32_t assoc_id)
{
	struct known	 key = { .assoc_id = assoc_id };
	void		*found = tfind(&key, &st.by_id, order_id);

	return found != NULL ? *(struct known **)found : NULL;
}

static struct known *
find_name(struct standby_name name)
{
	struct known	 key = { .name = name };
	void		*found = tfind(&key, &st.by_name, order_name);

	return found != NULL ? *(struct known **)found : NULL;
}

/* From now on that is the association that the name stands for. */
static void
set_id(struct known *k, uint32_t assoc_id)
{
	struct known	*old = find_id(assoc_id);

	if (old != NULL && old != k) {
		(void)tdelete(old, &st.by_id, order_id);
		old->assoc_id = 0;
	}
	if (k->assoc_id != 0)
		(void)tdelete(k, &st.by_id, order_id);
	k->assoc_id = assoc_id;
	if (assoc_id != 0 && tsearch(k, &st.by_id, order_id) == NULL)
		log_fatal("there is no memory left");
}

static struct known *
add(struct standby_name name, const char *endpoint)
{
	struct known	*k = find_name(name);

	if (k == NULL) {
		k = xcalloc(1, sizeof *k);
		k->name = name;
		LIST_INSERT_HEAD(&st.all, k, entry);
		if (tsearch(k, &st.by_name, order_name) == NULL)
			log_fatal("there is no memory left");
	}
	(void)snprintf(k->endpoint, sizeof k->endpoint, "%s", endpoint);
	return k;
}

static void
drop(struct known *k)
{
	set_id(k, 0);
	(void)tdelete(k, &st.by_name, order_name);
	LIST_REMOVE(k, entry);
	free(k);
}

void
standby_forget(void)
{
	while (!LIST_EMPTY(&st.all))
		drop(LIST_FIRST(&st.all));
	st.owns = false;
	st.manner = UNKNOWN;
	st.empty = false;
}

struct standby_name
standby_name(uint32_t assoc_id)
{
	const struct known	*k = assoc_id != 0 ? find_id(assoc_id) : NULL;

	return k != NULL ? k->name : (struct standby_name){ .assoc = assoc_id, .epoch = state.epoch };
}

bool
standby_find(const struct subject_out *where, uint32_t *assoc_id)
{
	const struct known	*k = find_name((struct standby_name){ .assoc = where->assoc_id, .epoch = where->epoch });

	if (k == NULL || k->assoc_id == 0 || strcmp(k->endpoint, where->endpoint) != 0)
		return false;
	*assoc_id = k->assoc_id;
	return true;
}

/* ---- rows of the bucket ------------------------------------------------------ */

static bool
read_row(const struct bucket_row *b, struct row *r)
{
	if (row_read(b->name, b->text, r))
		return true;
	log_err("the bucket sctp-%s-standby: assoc.%s: \"%.100s\" is no association, and is passed over", config.host, b->name, b->text);
	return false;
}

/* Something to write; value is taken over. */
static void
change(char *key, char *value)
{
	struct bucket_change	*c = xcalloc(1, sizeof *c);

	c->key = key;
	c->value = value;
	STAILQ_INSERT_TAIL(&st.changes, c, entry);
}

static char *
key_of(struct standby_name n)
{
	return xprintf("assoc.%" PRIu32 "-%08" PRIx32, n.assoc, n.epoch);
}

/*
 * A member that has lost may not know it yet, or what it wrote may come late: then rows are as they are not at the owner, who
 * writes them again.
 */
void
standby_row(const char *name, const char *text)
{
	struct bucket_row	 b = { .name = (char *)(uintptr_t)name, .text = (char *)(uintptr_t)text };
	struct row		 r;

	if (!st.owns || !is_settled() || !row_read_name(name, &r.name))
		return;
	if (text != NULL && read_row(&b, &r) && r.at.epoch == state.epoch)
		return;
	if (find_name(r.name) != NULL)
		st.mend = true;
	else if (text != NULL)
		change(key_of(r.name), NULL);
}

/* An association is asked for, and is then written. */
struct query {
	uint64_t	 sock;
	uint32_t	 assoc_id;
	unsigned	 port, out, in;
	char		 local[ROW_SIZE / 2], peers[ROW_SIZE / 2];
};

static void
on_udp(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct query		*q = arg;
	struct standby_name	 n = standby_name(q->assoc_id);
	const char		*endpoint = endpoint_name(q->sock);
	unsigned		 udp;

	(void)c;
	if (code == SCTPD_OK && strcmp(endpoint, SUBJECT_NOBODY) != 0) {	/* otherwise it has ended meanwhile */
		udp = (unsigned)sctpd_get_int(sctpd_item(sctpd_item(sctpd_get(v, "options"), 0), 1), "port");
		set_id(add(n, endpoint), q->assoc_id);
		change(key_of(n), xprintf("endpoint=%s at=%" PRIu32 "-%08" PRIx32 " port=%u udp=%u out=%u in=%u local=%s peers=%s",
		    endpoint, q->assoc_id, state.epoch, q->port, udp, q->out, q->in, q->local, q->peers));
	}
	free(q);
}

/* A list of addresses, or of maps with one. */
static void
addresses(char *to, size_t size, const struct sctpd_value *list)
{
	const struct sctpd_value	*v;
	const char			*a;
	size_t				 n = 0;

	*to = '\0';
	for (size_t i = 0; i < sctpd_count(list) && n < size; i++) {
		v = sctpd_item(list, i);
		a = sctpd_type(v) == SCTPD_MAP ? sctpd_get_str(v, "addr") : sctpd_str(v, NULL);
		n += (size_t)snprintf(to + n, size - n, "%s%s", i > 0 ? "," : "", a);
	}
}

/* sctpd sets it up itself: know_again sees it come. */
static bool
is_supervised(const char *endpoint)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (strcmp(config.endpoints[i].name, endpoint) == 0)
			return config.endpoints[i].attach != NULL;
	}
	return false;
}

void
standby_mend(struct sctpd *c)
{
	if (!st.mend || clock_ms() < st.next_mend)
		return;
	standby_run(c);
	st.mend = false;
	st.next_mend = clock_ms() + MEND_MS;
}

/* A supervised association has come up again, on the host that took over: it has the name that it had. */
static void
know_again(uint64_t sock, uint32_t assoc_id)
{
	const char	*endpoint = endpoint_name(sock);
	struct known	*k;

	if (find_id(assoc_id) != NULL || !is_supervised(endpoint))
		return;
	LIST_FOREACH(k, &st.all, entry) {
		if (k->coming && k->assoc_id == 0 && strcmp(k->endpoint, endpoint) == 0) {
			set_id(k, assoc_id);
			k->coming = false;
			return;
		}
	}
}

static void
note_assoc(struct sctpd *c, const struct sctpd_value *a)
{
	struct query	*q;
	const char	*peer = sctpd_get_str(sctpd_get(a, "peer"), "addr");
	struct known	*k = find_id((uint32_t)sctpd_get_int(a, "assoc_id"));

	/* Before it is up nobody knows its peer's addresses: what its row says stays. */
	if (k != NULL && strcmp(sctpd_get_str(a, "state"), "coming_up") == 0) {
		k->seen = true;
		return;
	}
	q = xcalloc(1, sizeof *q);
	q->sock = (uint64_t)sctpd_get_int(a, "sock");
	q->assoc_id = (uint32_t)sctpd_get_int(a, "assoc_id");
	q->port = (unsigned)sctpd_get_int(sctpd_get(a, "peer"), "port");
	q->out = (unsigned)sctpd_get_int(a, "outbound_streams");
	q->in = (unsigned)sctpd_get_int(a, "inbound_streams");
	addresses(q->local, sizeof q->local, sctpd_get(a, "local_addrs"));
	addresses(q->peers, sizeof q->peers, sctpd_get(a, "peer_addrs"));
	know_again(q->sock, q->assoc_id);	/* the list may say so before the event does */
	if ((k = find_id(q->assoc_id)) != NULL)
		k->seen = true;
	if (sctpd_call_async(c, on_udp, q, "getopts sock=%" PRIu64 " options.sctp_remote_udp_encaps_port.assoc_id=%" PRIu32
	    " options.sctp_remote_udp_encaps_port.address=%s%s%s:%u", q->sock, q->assoc_id, strchr(peer, ':') != NULL ? "[" : "", peer,
	    strchr(peer, ':') != NULL ? "]" : "", q->port) != SCTPD_OK) {
		log_err("association %" PRIu32 " is not noted in the bucket: %s", q->assoc_id, sctpd_error(c));
		free(q);
	}
}

/* For a request whose answer says nothing new. A notification would be counted with the messages of the queue (out.h). */
static void
ignore(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	(void)v, (void)arg;
	if (code != SCTPD_OK)
		log_debug("%s", sctpd_error(c));
}

/* ---- all associations of our sockets ---------------------------------------------- */

/* What is done with each association, and when all were given. */
struct listing {
	void		(*each)(struct sctpd *, const struct sctpd_value *);
	void		(*end)(struct sctpd *);
	size_t		 endpoint;	/* whose page it is */
};

static void	ask_page(struct sctpd *, struct listing *, uint32_t after);

static void
on_page(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct listing			*l = arg;
	const struct sctpd_value	*list = code == SCTPD_OK ? sctpd_get(v, "assocs") : NULL;
	uint32_t			 last = 0;

	for (size_t i = 0; i < sctpd_count(list); i++) {
		last = (uint32_t)sctpd_get_int(sctpd_item(list, i), "assoc_id");
		l->each(c, sctpd_item(list, i));
	}
	if (last == 0 || !sctpd_int(sctpd_get(v, "more"))) {
		l->endpoint++;
		last = 0;
	}
	ask_page(c, l, last);
}

/* The next page of a socket, or the first one of the next socket that is open. */
static void
ask_page(struct sctpd *c, struct listing *l, uint32_t after)
{
	char		 of[48], after_sock[48], after_assoc[48];
	const char	*word[] = { "assocs", of, "addrs=true", "limit=64", after_sock, after_assoc };
	uint64_t	 sock;

	while (l->endpoint < config.n_endpoints && state.socks[l->endpoint] == 0)
		l->endpoint++;
	if (l->endpoint >= config.n_endpoints) {
		if (l->end != NULL)
			l->end(c);
		free(l);
		return;
	}
	sock = state.socks[l->endpoint];
	(void)snprintf(of, sizeof of, "sock=%" PRIu64, sock);
	(void)snprintf(after_sock, sizeof after_sock, "after_sock=%" PRIu64, sock);
	(void)snprintf(after_assoc, sizeof after_assoc, "after_assoc=%" PRIu32, after);
	if (sctpd_callv_async(c, on_page, l, after != 0 ? 6 : 4, word) != SCTPD_OK)
		free(l);	/* the connection is gone, and all is asked again */
}

static void
list_all(struct sctpd *c, void (*each)(struct sctpd *, const struct sctpd_value *), void (*end)(struct sctpd *))
{
	struct listing	*l = xcalloc(1, sizeof *l);

	*l = (struct listing){ .each = each, .end = end };
	ask_page(c, l, 0);
}

/*
 * Wait until all that was asked is answered, or for so long. Events that come meanwhile are looked at, and are not
 * acknowledged: they come again when the bridge resumes the session.
 */
static bool
answered(struct sctpd *c, int ms, bool (*enough)(void), void (*look)(const struct sctpd_event *))
{
	const struct sctpd_event	*ev[BATCH];
	int64_t				 deadline = clock_ms() + ms;
	size_t				 n;
	int				 code = SCTPD_OK;

	while ((code == SCTPD_OK || code == SCTPD_TIMEOUT) && clock_ms() < deadline && (sctpd_pending(c) > 0 || !enough())) {
		code = sctpd_events(c, ev, BATCH, 10, &n);
		for (size_t i = 0; i < n; i++)
			look(ev[i]);
	}
	return code == SCTPD_OK || code == SCTPD_TIMEOUT;
}

static void
on_manner(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	const struct endpoint_config	*e = arg;

	(void)v;
	if (code != SCTPD_OK)
		log_err("endpoint %s (line %u), as a member of a standby: %s", e->name, e->line, sctpd_error(c));
}

static void
set_manner(struct sctpd *c, enum manner m)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		struct endpoint_config	*e = &config.endpoints[i];

		if (e->attach == NULL && state.socks[i] != 0)
			(void)sctpd_call_async(c, on_manner, e, "setopts sock=%" PRIu64 " options.blackhole=%s", state.socks[i],
			    m != ANSWERS ? "true" : "false");
		else if (e->attach != NULL && m != DOUBTS)
			(void)sctpd_call_async(c, on_manner, e, "%s name=%s", m == SILENT ? "down" : "up", e->attach);
	}
	st.manner = m;
}

/* ---- take over ------------------------------------------------------------------------ */

static bool
all_are_up(void)
{
	return st.up + st.failed >= st.started;
}

static void
note_state(struct known *k, const char *what)
{
	if (!k->coming)
		return;
	if (strcmp(what, "comm_up") == 0)
		st.up++;
	else
		st.failed++;
	k->coming = false;
}

static void
look_for_up(const struct sctpd_event *ev)
{
	struct known	*k = find_id(ev->assoc_id);

	if (k != NULL && strcmp(ev->name, "sctp_assoc_change") == 0)
		note_state(k, sctpd_get_str(ev->fields, "state"));
}

/* Nothing was sent. Its row stays in the bucket (coming), so that the next take over tries again. */
static void
not_begun(const struct known *k, const char *why)
{
	if (st.failed++ < LINES)
		log_err("association %" PRIu32 "-%08" PRIx32 " of endpoint %s cannot be restarted: %s", k->name.assoc, k->name.epoch,
		    k->endpoint, why);
}

static void
on_init(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct known	*k = arg;

	if (code == SCTPD_OK) {
		set_id(k, (uint32_t)sctpd_get_int(v, "assoc_id"));
		return;
	}
	not_begun(k, sctpd_error(c));
}

/* Those that are to be restarted, and what their rows say that is needed for it: a whole row has room for the longest lists. */
struct restart {
	struct standby_name	 name;
	char			 endpoint[CONFIG_NAME];
	unsigned		 port, udp;
	char			*peers;
};

static struct restart	*restarts;
static size_t		 n_restarts;

/* The option of a socket changes rarely if those with the same value follow each other. */
static int
order_udp(const void *a, const void *b)
{
	const struct restart	*x = a, *y = b;
	int			 socks = strcmp(x->endpoint, y->endpoint);

	return socks != 0 ? socks : x->udp < y->udp ? -1 : x->udp > y->udp;
}

static bool
is_among(const char *addr, const char *list)
{
	size_t	len = strlen(addr), n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, addr, n) == 0)
			return true;
	}
	return false;
}

/* What we have to a peer that another member has had since: its tags are of no use any more, and it is in the way. */
static void
abort_stale(struct sctpd *c, const struct sctpd_value *a)
{
	const struct sctpd_value	*peer = sctpd_get(a, "peer");
	unsigned			 port = (unsigned)sctpd_get_int(peer, "port");

	for (size_t i = 0; i < n_restarts; i++) {
		if (restarts[i].port != port || !is_among(sctpd_get_str(peer, "addr"), restarts[i].peers))
			continue;
		(void)sctpd_call_async(c, ignore, NULL, "abort sock=%" PRIu64 " assoc_id=%" PRIu32,
		    (uint64_t)sctpd_get_int(a, "sock"), (uint32_t)sctpd_get_int(a, "assoc_id"));
		return;
	}
}

/* New associations of a socket go to this UDP port, or, with 0, have none. */
static void
set_udp(struct sctpd *c, uint64_t sock, unsigned port)
{
	(void)sctpd_call_async(c, ignore, NULL, "setopts sock=%" PRIu64 " options.sctp_remote_udp_encaps_port.port=%u", sock, port);
}

static void
restart(struct sctpd *c, const struct restart *r, uint64_t sock)
{
	struct known	*k = add(r->name, r->endpoint);
	int		 code;

	st.started++;
	k->coming = true;
	if (sock == 0) {
		not_begun(k, "there is no such endpoint here, or it has no socket; let all members have the same endpoints");
		return;
	}
	code = sctpd_call_async(c, on_init, k, "connect_init sock=%" PRIu64 " addr=%s port=%u", sock, r->peers, r->port);
	if (code != SCTPD_OK)
		on_init(c, code, NULL, k);
}

/*
 * In an order in which the UDP port changes rarely: to set an option of a socket costs as much as the socket has associations,
 * and sctpd serves others between two such requests.
 */
static void
restart_each(struct sctpd *c)
{
	const struct restart	*before = NULL;
	uint64_t		 sock = 0;

	qsort(restarts, n_restarts, sizeof *restarts, order_udp);
	for (const struct restart *r = restarts; r < restarts + n_restarts; r++) {
		if (is_supervised(r->endpoint)) {
			add(r->name, r->endpoint)->coming = true;
			continue;
		}
		if (before == NULL || strcmp(before->endpoint, r->endpoint) != 0)
			sock = endpoint_sock(r->endpoint);
		if (st.udp && sock != 0 && (before == NULL || order_udp(before, r) != 0))
			set_udp(c, sock, r->udp);
		restart(c, r, sock);
		before = r;
	}
}

/* Has no other member been the owner since we were it last? Then what we have is as the peers have it. */
static bool
were_owner(void)
{
	uint64_t	last = st.owner.term == 0 ? state.term : strcmp(st.owner.member, config.standby) == 0 ? st.owner.term : 0;

	return last != 0 && bucket()->owner.term <= last + 1;
}

/* Is it one of ours already? Its row may be of the member before, as rows are written after the associations are up. */
static bool
is_ours(const struct row *r)
{
	const struct known	*k = find_name(r->name);

	return were_owner() && (r->at.epoch == state.epoch || (k != NULL && k->assoc_id != 0));
}

static void
note_restart(const struct row *r)
{
	struct restart	*to = &restarts[n_restarts++];

	*to = (struct restart){ .name = r->name, .port = r->port, .udp = r->udp, .peers = xstrdup(r->peers) };
	(void)snprintf(to->endpoint, sizeof to->endpoint, "%s", r->endpoint);
	st.udp = st.udp || r->udp != 0;
}

/* Those that are ours already, and those that are to be. */
static void
sort_rows(void)
{
	const struct bucket_row	*b;
	struct row		 r;
	size_t			 n = 0;

	LIST_FOREACH(b, &bucket()->rows, entry)
		n++;
	restarts = xcalloc(n + 1, sizeof *restarts);
	n_restarts = 0;
	LIST_FOREACH(b, &bucket()->rows, entry) {
		if (!read_row(b, &r))
			continue;
		if (!is_ours(&r))
			note_restart(&r);
		else if (r.at.epoch == state.epoch)
			set_id(add(r.name, r.endpoint), r.at.assoc);
	}
}

static void
restart_all(struct sctpd *c)
{
	sort_rows();
	if (n_restarts > 0) {
		list_all(c, abort_stale, NULL);
		(void)answered(c, END_MS, all_are_up, look_for_up);
	}
	restart_each(c);
	while (n_restarts > 0)
		free(restarts[--n_restarts].peers);
	free(restarts);
}

/* Peers that come by themselves speak what the endpoint says. */
static void
restore_udp(struct sctpd *c)
{
	for (size_t i = 0; st.udp && i < config.n_endpoints; i++) {
		if (state.socks[i] != 0 && config.endpoints[i].attach == NULL)
			set_udp(c, state.socks[i], 0);
	}
	st.udp = false;
}

static bool
take_over(struct sctpd *c)
{
	int64_t		begin = clock_ms(), took;
	unsigned	coming;

	st.started = st.up = st.failed = 0;
	restart_all(c);
	set_manner(c, ANSWERS);
	restore_udp(c);
	if (!answered(c, UP_MS, all_are_up, look_for_up))
		return false;
	took = clock_ms() - begin;
	st.owner = bucket()->owner;
	st.owns = true;
	st.empty = false;
	metrics.standby_owner = 1;
	metrics.standby_restarted += st.up;
	coming = st.started - st.up - st.failed;
	log_notice("%s is the owner, term %" PRIu64 ": of %u associations %u were restarted within %" PRId64 " ms, %u failed, and %u have not "
	    "answered yet", st.owner.member, st.owner.term, st.started, st.up, took, st.failed, coming);
	change(xstrdup("taken"), xprintf("member=%s term=%" PRIu64 " associations=%u restarted=%u failed=%u coming=%u ms=%" PRId64,
	    st.owner.member, st.owner.term, st.started, st.up, st.failed, coming, took));
	return true;
}

/* ---- give up ---------------------------------------------------------------------------- */

static unsigned	left;		/* associations that have not ended */

static void
end_one(struct sctpd *c, const struct sctpd_value *a)
{
	left++;
	(void)sctpd_call_async(c, ignore, NULL, "abort sock=%" PRIu64 " assoc_id=%" PRIu32, (uint64_t)sctpd_get_int(a, "sock"),
	    (uint32_t)sctpd_get_int(a, "assoc_id"));
}

static bool
all_have_ended(void)
{
	return left == 0;
}

/* What a peer had sent and is not in the log, and what was sent and no peer has acknowledged. */
static void
count_lost(const struct sctpd_event *ev)
{
	struct known	*k = find_id(ev->assoc_id);

	if (ev->seq > state.in_event)
		state.in_event = ev->seq;
	if (strcmp(ev->name, "data") == 0) {
		st.lost_in++;
		st.lost_bytes += ev->len;
		if (k != NULL)
			k->in++;
	} else if (strcmp(ev->name, "sctp_send_failed") == 0) {
		st.lost_out++;
		if (k != NULL)
			k->out++;
	} else if (left > 0 && strcmp(ev->name, "sctp_assoc_change") == 0 &&
	    strcmp(sctpd_get_str(ev->fields, "state"), "comm_lost") == 0)
		left--;
}

static void
name_lost(void)
{
	struct known	*k;
	unsigned	 lines = 0;

	LIST_FOREACH(k, &st.all, entry) {
		if (k->in + k->out > 0 && lines++ < LINES)
			log_warning("association %" PRIu32 "-%08" PRIx32 " of endpoint %s: %u messages of the peer were not in the log, and %u to "
			    "the peer were not acknowledged by it", k->name.assoc, k->name.epoch, k->endpoint, k->in, k->out);
	}
	if (lines > LINES)
		log_warning("and %u more associations", lines - LINES);
}

static bool
end_all(struct sctpd *c, const struct bucket_owner *owner)
{
	bool	ok;

	left = 0;
	st.lost_in = st.lost_bytes = st.lost_out = 0;
	list_all(c, end_one, NULL);
	ok = answered(c, END_MS, all_have_ended, count_lost);
	(void)sctpd_ack(c, state.in_event);
	state.out_note = sctpd_notifications(c);
	state_mark();
	name_lost();
	if (st.lost_in + st.lost_out > 0 || !LIST_EMPTY(&st.all))
		log_warning("%s has the associations since term %" PRIu64 ", and what was left here was ended: %" PRIu64 " messages of peers (%" PRIu64
		    " bytes) were not in the log, and %" PRIu64 " to peers were not acknowledged", owner->member, owner->term, st.lost_in,
		    st.lost_bytes, st.lost_out);
	metrics.standby_lost_in += st.lost_in;
	metrics.standby_lost_out += st.lost_out;
	change(xprintf(LOST "%s", config.standby), xprintf("member=%s term=%" PRIu64 " in=%" PRIu64 " in_bytes=%" PRIu64 " out=%" PRIu64,
	    owner->member, owner->term, st.lost_in, st.lost_bytes, st.lost_out));
	while (!LIST_EMPTY(&st.all))
		drop(LIST_FIRST(&st.all));
	return ok && sctpd_flush(c) == SCTPD_OK;
}

static bool
give_up(struct sctpd *c)
{
	const struct bucket	*b = bucket();
	/* An end that a peer hears before the other has restarted them would end them. */
	enum manner		 m = b->taken < b->owner.term ? DOUBTS : SILENT;

	if (st.owns)
		log_warning("%s is the owner, term %" PRIu64 ": this member stands by", b->owner.member, b->owner.term);
	st.owns = false;
	st.owner = b->owner;
	st.taken = b->taken;
	metrics.standby_owner = 0;
	if (st.manner < m)
		set_manner(c, m);
	if (st.empty || b->owner.term == 0 || m == DOUBTS)
		return sctpd_flush(c) == SCTPD_OK;
	st.empty = true;
	return end_all(c, &b->owner);
}

bool
standby_settle(struct sctpd *c)
{
	const struct bucket_owner	*owner = &bucket()->owner;

	st.why[0] = '\0';
	if (strcmp(owner->member, config.standby) != 0)
		return give_up(c);
	if (st.owns && owner->term == st.owner.term) {
		if (st.manner != ANSWERS)
			set_manner(c, ANSWERS);
		return sctpd_flush(c) == SCTPD_OK;
	}
	st.owns = false;
	return take_over(c);
}

bool
standby_is_news(void)
{
	return bucket()->known && (!is_settled() || bucket()->taken != st.taken);
}

uint64_t
standby_term(void)
{
	return st.owner.term;
}

void
standby_doubt(struct sctpd *c)
{
	if (!standby_on() || c == NULL || st.manner != ANSWERS)
		return;
	set_manner(c, DOUBTS);
	(void)sctpd_flush(c);
}

void
standby_opened(struct sctpd *c)
{
	if (standby_on() && st.manner == ANSWERS)
		set_manner(c, ANSWERS);
}

/* ---- while the bridge runs ------------------------------------------------------------------ */

/* The bucket has what ended while nobody looked. */
static void
drop_unseen(struct sctpd *c)
{
	struct known	*k, *next;

	(void)c;
	for (k = LIST_FIRST(&st.all); k != NULL; k = next) {
		next = LIST_NEXT(k, entry);
		if (k->seen || k->coming)
			continue;
		change(key_of(k->name), NULL);
		drop(k);
	}
}

void
standby_run(struct sctpd *c)
{
	struct known	*k;

	if (!standby_on())
		return;
	LIST_FOREACH(k, &st.all, entry)
		k->seen = false;
	list_all(c, note_assoc, drop_unseen);
}

void
standby_before(const struct sctpd_event *ev)
{
	if (!standby_on() || strcmp(ev->name, "sctp_assoc_change") != 0)
		return;
	look_for_up(ev);
	if (strcmp(sctpd_get_str(ev->fields, "state"), "comm_up") == 0)
		know_again(ev->sock, ev->assoc_id);
}

void
standby_after(struct sctpd *c, const struct sctpd_event *ev)
{
	const char	*what = sctpd_get_str(ev->fields, "state");
	struct listing	*l;
	struct known	*k;

	if (!standby_on())
		return;
	if (strcmp(ev->name, "sctp_paddr_change") == 0 ? strcmp(what, "addr_added") == 0 || strcmp(what, "addr_removed") == 0 :
	    strcmp(ev->name, "sctp_assoc_change") == 0 && (strcmp(what, "comm_up") == 0 || strcmp(what, "restart") == 0)) {
		l = xcalloc(1, sizeof *l);
		*l = (struct listing){ .each = note_assoc, .endpoint = config.n_endpoints };
		if (sctpd_call_async(c, on_page, l, "assocs sock=%" PRIu64 " assoc_id=%" PRIu32 " addrs=true", ev->sock, ev->assoc_id) != SCTPD_OK)
			free(l);
	} else if (strcmp(ev->name, "sctp_assoc_change") == 0 && (k = find_id(ev->assoc_id)) != NULL) {
		change(key_of(k->name), NULL);
		drop(k);
	}
}

static void
written(void *arg)
{
	struct bucket_write	*w = arg;

	st.writing = false;
	STAILQ_CONCAT(&w->changes, &st.changes);
	STAILQ_CONCAT(&st.changes, &w->changes);
	if (w->why[0] != '\0')
		(void)snprintf(st.why, sizeof st.why, "%s", w->why);
	life_unref(w->life);
	free(w);
}

/* The table is the owner's alone: what was to be written and has not been is another's by now, but for what was lost. */
static void
keep_lost(void)
{
	struct bucket_changes	 was = STAILQ_HEAD_INITIALIZER(was);
	struct bucket_change	*c;

	STAILQ_CONCAT(&was, &st.changes);
	while ((c = STAILQ_FIRST(&was)) != NULL) {
		STAILQ_REMOVE_HEAD(&was, entry);
		if (strncmp(c->key, LOST, strlen(LOST)) == 0) {
			STAILQ_INSERT_TAIL(&st.changes, c, entry);
			continue;
		}
		free(c->key);
		free(c->value);
		free(c);
	}
}

/* The bucket, read again, says what is to be done. */
static const char *
why_not(void)
{
	const struct bucket	*b = bucket();

	if (b->why != NULL)
		return b->why;
	if (!b->known || !st.owns || is_settled())
		return st.why[0] != '\0' ? st.why : NULL;
	(void)snprintf(st.why, sizeof st.why, "%s has taken over, term %" PRIu64, b->owner.member, b->owner.term);
	return st.why;
}

const char *
standby_turn(struct life *life)
{
	struct bucket_write	*w;

	if (!standby_on() || life == NULL)
		return NULL;
	if (bucket()->known && strcmp(bucket()->owner.member, config.standby) != 0)
		keep_lost();
	if (bucket()->known && !STAILQ_EMPTY(&st.changes) && !st.writing) {
		w = xcalloc(1, sizeof *w);
		w->life = life_ref(life);
		STAILQ_INIT(&w->changes);
		STAILQ_CONCAT(&w->changes, &st.changes);
		st.writing = true;
		bus_job(BUS_CONTROL, bucket_write, written, w);
	}
	return why_not();
}
