/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long lists, page by page.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "sctpctl/call.h"
#include "sctpctl/pages.h"

#define WORDS	32	/* of one call at most */

struct page_words {
	const char	*word[WORDS];
	int		 n;
	char		 after[2][48];	/* the words that begin the next page */
};

static void
add(struct page_words *w, const char *word)
{
	if (w->n < WORDS)
		w->word[w->n++] = word;
}

/* Was the key of this word given? Then what was given counts. */
static bool
is_given(const char *word, int argc, char **argv)
{
	size_t	len = strcspn(word, "=") + 1;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], word, len) == 0)
			return true;
	}
	return false;
}

/* The words of the first page; of a later one those that say where it begins are left out. */
static void
begin_words(struct page_words *w, int argc, char **argv, const char *const *more, bool first)
{
	w->n = 0;
	for (int i = 0; i < argc; i++) {
		if (first || strncmp(argv[i], "after_", 6) != 0)
			add(w, argv[i]);
	}
	for (; *more != NULL; more++) {
		if (strncmp(*more, "sock=", 5) == 0 || !is_given(*more, argc, argv))
			add(w, *more);
	}
}

/* The next page begins behind this row. */
static void
add_after(struct page_words *w, const struct sctpd_value *last)
{
	(void)snprintf(w->after[0], sizeof w->after[0], "after_sock=%" PRId64, sctpd_get_int(last, "sock"));
	(void)snprintf(w->after[1], sizeof w->after[1], "after_assoc=%" PRId64, sctpd_get_int(last, "assoc_id"));
	add(w, w->after[0]);
	add(w, w->after[1]);
}

int
pages_get(struct ctl *ctl, int argc, char **argv, const char *const *more, pages_fn *fn, void *arg)
{
	struct page_words		 w;
	const struct sctpd_value	*v, *list;
	int				 fail;

	if (argc + 8 > WORDS)
		return ctl_fail(CTL_USAGE, "%s takes fewer words than that", argv[0]);
	begin_words(&w, argc, argv, more, true);
	while ((fail = call_ask(ctl, w.n, w.word, &v)) == CTL_OK) {
		list = sctpd_get(v, argv[0]);
		for (size_t i = 0; i < sctpd_count(list); i++)
			fn(sctpd_item(list, i), arg);
		if (sctpd_get_int(v, "more") == 0 || sctpd_count(list) == 0)
			break;
		begin_words(&w, argc, argv, more, false);
		add_after(&w, sctpd_item(list, sctpd_count(list) - 1));
	}
	return fail;
}

void
pages_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(*(char **)rows_at(rows, i));
	rows_free(rows);
}

static bool
parse_port(const char *s, uint16_t *port)
{
	char		*end;
	unsigned long	 v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v > UINT16_MAX)
		return false;
	*port = (uint16_t)v;
	return true;
}

bool
pages_select_peer(struct ctl *ctl, const char *text)
{
	struct sockaddr_storage	 ss = { .ss_family = AF_UNSPEC };
	const char		*colon = strrchr(text, ':');
	uint16_t		 port = 0;
	size_t			 len = strlen(text);

	if (len > 0 && !addr_parse(text, len, &ss)) {
		if (colon == NULL || !parse_port(colon + 1, &port))
			return false;
		len = (size_t)(colon - text);
		if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
			text++;
			len -= 2;
		}
		if (len > 0 && !addr_parse(text, len, &ss))
			return false;
	}
	ctl->by_peer = *text != '\0';
	ctl->peer = ss;
	ctl->peer_port = port;
	return true;
}

static bool
is_peer(const struct ctl *ctl, const struct sctpd_value *endpoint)
{
	const char		*addr = sctpd_get_str(endpoint, "addr");
	struct sockaddr_storage	 ss;

	if (ctl->peer_port != 0 && sctpd_get_int(endpoint, "port") != ctl->peer_port)
		return false;
	return ctl->peer.ss_family == AF_UNSPEC ||
	    (addr_parse(addr, strlen(addr), &ss) && addr_equal(&ss, &ctl->peer));
}

bool
pages_is_peer(const struct ctl *ctl, const struct sctpd_value *v)
{
	if (!ctl->by_peer || (sctpd_type(v) == SCTPD_MAP && is_peer(ctl, v)))
		return true;
	for (size_t i = 0; sctpd_type(v) == SCTPD_LIST && i < sctpd_count(v); i++) {
		if (is_peer(ctl, sctpd_item(v, i)))
			return true;
	}
	return false;
}
