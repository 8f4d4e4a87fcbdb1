/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the metrics are made of.
 *
 * A scrape has a connection of its own, so that it needs no care for a daemon
 * that was restarted, and one time for all its calls.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "sctpctl/out.h"
#include "sctpctl/scrape.h"

#define TIMEOUT		5000	/* ms for all calls, unless --timeout is given */
#define PAGE		1024	/* associations or paths of an answer */
#define PAGE_STATUS	64	/* with what the stack says of them */
#define PATHS_EACH	4

const char *const scrape_states[SCRAPE_STATES] = { "coming_up", "up", "going_down", "over" };

/* How far a list has been read. */
struct place {
	bool		begun, more;
	int64_t		sock, assoc;
};

struct scraper {
	struct scrape	*to;
	struct sctpd	*c;
	int64_t		 until;		/* microseconds */
	unsigned	 most;		/* associations one by one */
	unsigned	 listed;
	struct place	 assocs, paths;
	unsigned	 npaths, path_assocs;
	int64_t		 path_sock, path_assoc;	/* of the last path */
	double		 rest[METRIC_SAMPLES];
};

static int64_t
now_us(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- labels and values ----------------------------------------------- */

/* Add name="value", or nothing if there is no room. */
static void
add_label(char *labels, const char *name, const char *value)
{
	char	*begin = labels + strlen(labels), *to = begin, *end = labels + SCRAPE_LABELS - 3;

	to += snprintf(to, (size_t)(end - to), "%s%s=\"", begin > labels ? "," : "", name);
	for (; *value != '\0' && to < end; value++) {
		if (*value == '"' || *value == '\\' || *value == '\n')
			*to++ = '\\';
		*to++ = *value == '\n' ? 'n' : *value;
	}
	(void)strcpy(to < end ? to : begin, to < end ? "\"" : "");
}

static void
add_number(char *labels, const char *name, int64_t value)
{
	char	text[24];

	(void)snprintf(text, sizeof text, "%" PRId64, value);
	add_label(labels, name, text);
}

static void
add_endpoint(char *labels, const char *name, const struct sctpd_value *endpoint)
{
	char	text[72];

	out_endpoint(endpoint, text, sizeof text);
	add_label(labels, name, text);
}

/* "state=up" is whether the word is that one. */
static double
read_word(const struct sctpd_value *v, const char *key, const char *equals)
{
	char	name[32];

	(void)snprintf(name, sizeof name, "%.*s", (int)(equals - key), key);
	return sctpd_get(v, name) == NULL ? NAN : strcmp(sctpd_get_str(v, name), equals + 1) == 0;
}

static double
read_value(const struct sctpd_value *v, const struct metric_sample *m)
{
	const char			*equals = strchr(m->key, '=');
	const struct sctpd_value	*found;

	if (equals != NULL)
		return read_word(v, m->key, equals);
	if ((found = sctpd_get(v, m->key)) == NULL)
		return NAN;
	if (sctpd_type(found) == SCTPD_FLOAT)
		return sctpd_float(found) * m->scale;
	if (sctpd_type(found) == SCTPD_LIST)
		return (double)sctpd_count(found);
	return (double)sctpd_int(found) * m->scale;
}

/* A new series with everything that the tables want of the value. */
static struct series *
add_series(struct scraper *s, enum metric_source from, const struct sctpd_value *v)
{
	struct series	*r = rows_add(&s->to->rows);

	r->from = from;
	for (size_t i = 0; i < metric_samples; i++) {
		const struct metric_sample	*m = &metric_sample_table[i];
		bool				 ours = m->source == from ||
						     (from == METRIC_FROM_ASSOCS && m->source == METRIC_FROM_REST);

		r->value[i] = ours && v != NULL ? read_value(v, m) : NAN;
	}
	return r;
}

/* ---- the daemon ------------------------------------------------------ */

static bool
failed(struct scraper *s, const char *why)
{
	(void)snprintf(s->to->why, sizeof s->to->why, "%s", why);
	return false;
}

static bool
ask(struct scraper *s, const struct sctpd_value **v, int argc, const char *const *argv)
{
	int64_t	left = (s->until - now_us()) / 1000;

	if (left <= 0)
		return failed(s, "timeout: sctpd did not answer in time");
	sctpd_set_timeout(s->c, (int)left);
	return sctpd_callv(s->c, v, argc, argv) == SCTPD_OK || failed(s, sctpd_error(s->c));
}

/* The next page of a list, each of whose items is given to fn. */
static bool
next_page(struct scraper *s, const char *method, bool status, unsigned limit, struct place *p,
    void (*fn)(struct scraper *, const struct sctpd_value *))
{
	char				 words[3][48];
	const char			*argv[5] = { method, words[0] };
	const struct sctpd_value	*v, *list;
	int				 n = 2;
	size_t				 count;

	(void)snprintf(words[0], sizeof words[0], "limit=%u", limit);
	if (p->begun) {
		(void)snprintf(words[1], sizeof words[1], "after_sock=%" PRId64, p->sock);
		(void)snprintf(words[2], sizeof words[2], "after_assoc=%" PRId64, p->assoc);
		argv[n++] = words[1];
		argv[n++] = words[2];
	}
	if (status)
		argv[n++] = "status=true";
	if (!ask(s, &v, n, argv))
		return false;
	list = sctpd_get(v, method);
	count = sctpd_count(list);
	for (size_t i = 0; i < count; i++)
		fn(s, sctpd_item(list, i));
	p->begun = true;
	if ((p->more = count > 0 && sctpd_get_int(v, "more") != 0)) {
		p->sock = sctpd_get_int(sctpd_item(list, count - 1), "sock");
		p->assoc = sctpd_get_int(sctpd_item(list, count - 1), "assoc_id");
	}
	return true;
}

/* ---- the lists ------------------------------------------------------- */

static bool
read_status(struct scraper *s)
{
	const char			*argv[] = { "status" };
	const struct sctpd_value	*v, *users;
	struct series			*r;

	if (!ask(s, &v, 1, argv))
		return false;
	s->to->up = true;
	add_label(s->to->build, "version", sctpd_get_str(v, "version"));
	add_label(s->to->build, "stack", sctpd_get_str(v, "stack"));
	add_label(s->to->build, "system", sctpd_get_str(v, "system"));
	(void)add_series(s, METRIC_FROM_STATUS, v);
	users = sctpd_get(v, "users");
	for (size_t i = 0; i < sctpd_count(users) && i < s->most; i++) {
		r = add_series(s, METRIC_FROM_USERS, sctpd_item(users, i));
		add_number(r->labels, "uid", sctpd_get_int(sctpd_item(users, i), "uid"));
	}
	return true;
}

static void
count_state(struct scraper *s, const struct sctpd_value *v)
{
	for (size_t i = 0; i < SCRAPE_STATES; i++)
		s->to->visible[i] += strcmp(scrape_states[i], sctpd_get_str(v, "state")) == 0;
}

static void
list_assoc(struct scraper *s, const struct sctpd_value *v)
{
	struct series	*r = add_series(s, METRIC_FROM_ASSOCS, v);

	count_state(s, v);
	s->listed++;
	add_number(r->labels, "sock", sctpd_get_int(v, "sock"));
	add_number(r->labels, "assoc_id", sctpd_get_int(v, "assoc_id"));
	add_endpoint(r->labels, "peer", sctpd_get(v, "peer"));
	add_number(r->info, "port", sctpd_get_int(v, "port"));
	add_label(r->info, "owner", sctpd_get_str(v, "name"));
	add_number(r->info, "uid", sctpd_get_int(v, "uid"));
}

/* One that is not listed. */
static void
add_up(struct scraper *s, const struct sctpd_value *v)
{
	double	value;

	count_state(s, v);
	s->to->not_listed++;
	for (size_t i = 0; i < metric_samples; i++) {
		if (metric_sample_table[i].source == METRIC_FROM_REST &&
		    !isnan(value = read_value(v, &metric_sample_table[i])))
			s->rest[i] += value;
	}
}

static void
list_rest(struct scraper *s)
{
	struct series	*r = add_series(s, METRIC_FROM_REST, NULL);

	for (size_t i = 0; i < metric_samples; i++) {
		if (metric_sample_table[i].source == METRIC_FROM_REST)
			r->value[i] = s->rest[i];
	}
	add_label(r->labels, "sock", "other");
	add_label(r->labels, "assoc_id", "other");
	add_label(r->labels, "peer", "other");
}

static bool
read_assocs(struct scraper *s)
{
	unsigned	left;

	s->assocs.more = true;
	while (s->assocs.more && (left = s->most - s->listed) > 0) {
		if (!next_page(s, "assocs", true, left < PAGE_STATUS ? left : PAGE_STATUS, &s->assocs, list_assoc))
			return false;
	}
	while (s->assocs.more) {
		if (!next_page(s, "assocs", false, PAGE, &s->assocs, add_up))
			return false;
	}
	if (s->to->not_listed > 0)
		list_rest(s);
	return true;
}

static void
list_path(struct scraper *s, const struct sctpd_value *v)
{
	int64_t		 sock = sctpd_get_int(v, "sock"), assoc = sctpd_get_int(v, "assoc_id");
	struct series	*r;

	if (sock != s->path_sock || assoc != s->path_assoc)
		s->path_assocs++;
	s->path_sock = sock;
	s->path_assoc = assoc;
	if (s->path_assocs > s->most || s->npaths >= s->most * PATHS_EACH)
		return;
	s->npaths++;
	r = add_series(s, METRIC_FROM_PATHS, v);
	add_number(r->labels, "sock", sock);
	add_number(r->labels, "assoc_id", assoc);
	add_endpoint(r->labels, "path", sctpd_get(v, "address"));
}

static bool
read_paths(struct scraper *s)
{
	s->paths.more = true;
	while (s->paths.more && s->path_assocs <= s->most && s->npaths < s->most * PATHS_EACH) {
		if (!next_page(s, "paths", false, s->most < PAGE ? s->most : PAGE, &s->paths, list_path))
			return false;
	}
	return true;
}

/* As many one by one as associations; a daemon from before the method has none. */
static bool
read_named(struct scraper *s, const char *method, enum metric_source from)
{
	const char			*argv[] = { method };
	const struct sctpd_value	*v, *list;
	struct series			*r;

	if (!ask(s, &v, 1, argv))
		return strncmp(s->to->why, "enosys", 6) == 0;
	list = sctpd_get(v, method);
	for (size_t i = 0; i < sctpd_count(list) && i < s->most; i++) {
		r = add_series(s, from, sctpd_item(list, i));
		add_label(r->labels, "name", sctpd_get_str(sctpd_item(list, i), "name"));
	}
	return true;
}

/* ---- all ------------------------------------------------------------- */

void
scrape_make(struct scrape *to, const struct ctl *ctl)
{
	int64_t		start = now_us();
	struct scraper	s = { .to = to, .c = sctpd_new(), .most = ctl->series, .path_sock = -1 };

	*to = (struct scrape){ .rows = { .size = sizeof(struct series) } };
	s.until = start + (int64_t)(ctl->timeout >= 0 ? ctl->timeout : TIMEOUT) * 1000;
	if (s.c == NULL)
		failed(&s, "there is no memory left");
	else if (sctpd_dial(s.c, ctl->path) != SCTPD_OK)
		failed(&s, sctpd_error(s.c));
	else
		to->complete = read_status(&s) && read_assocs(&s) && read_named(&s, "supervised", METRIC_FROM_SUPERVISED) &&
		    read_named(&s, "groups", METRIC_FROM_GROUPS) && (s.most == 0 || read_paths(&s));
	(void)sctpd_free(s.c);
	to->seconds = (double)(now_us() - start) / 1e6;
}

void
scrape_free(struct scrape *to)
{
	rows_free(&to->rows);
}
