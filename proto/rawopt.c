/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/addr.h"
#include "proto/rawopt.h"

/* Which lengths Linux accepts of a value, if they are not just the struct's. */
enum form {
	FORM_EXACT,		/* to set: the struct's own; to ask: that at least */
	FORM_LONGER,		/* what is behind the value is passed over */
	FORM_INT,		/* of the SCTP rows with assoc_value: also the value alone, as an int */
	FORM_SHORT,		/* also the struct as it was before fields were added */
	FORM_PART,		/* to ask: as much as there is room for */
	FORM_OLDER,		/* a row that is shorter than least is the older struct, of exactly its length */
};

static const struct rule {
	int		name;
	enum form	form;
	size_t		least;		/* of the last three */
} rules[] = {
	{ SCTP_NODELAY, FORM_LONGER, 0 },
	{ SCTP_DISABLE_FRAGMENTS, FORM_LONGER, 0 },
	{ SCTP_I_WANT_MAPPED_V4_ADDR, FORM_LONGER, 0 },
	{ SCTP_AUTO_ASCONF, FORM_LONGER, 0 },
	{ SCTP_STREAM_SCHEDULER, FORM_LONGER, 0 },
	{ SCTP_STREAM_SCHEDULER_VALUE, FORM_LONGER, 0 },
	{ SCTP_MAXSEG, FORM_INT, 0 },
	{ SCTP_MAX_BURST, FORM_INT, 0 },
	{ SCTP_PEER_ADDR_PARAMS, FORM_SHORT, (offsetof(struct sctp_paddrparams, spp_ipv6_flowlabel) + 3) / 4 * 4 },
	{ SCTP_GET_ASSOC_STATS, FORM_PART, sizeof(sctp_assoc_t) },
	{ SCTP_DELAYED_SACK, FORM_OLDER, sizeof(struct sctp_sack_info) },
};

/* What an option is asked for by: fields of these keys. */
static const char *const asked_by[] = { "assoc_id", "address", "sid", "policy", "stream_id" };

static struct rule
rule_of(const struct sockopt *o)
{
	for (size_t i = 0; o->level == LEVEL_SCTP && i < sizeof rules / sizeof *rules; i++) {
		if (rules[i].name == o->optname)
			return rules[i];
	}
	return (struct rule){ .form = o->level == LEVEL_SCTP ? FORM_EXACT : FORM_LONGER };
}

static bool
is_level(enum sockopt_level l, uint32_t level)
{
	return (l == LEVEL_SOCKET && level == SOL_SOCKET) || (l == LEVEL_IP && level == IPPROTO_IP) ||
	    (l == LEVEL_IPV6 && level == IPPROTO_IPV6) || (l == LEVEL_SCTP && level == IPPROTO_SCTP);
}

const struct sockopt *
rawopt_find(uint32_t level, uint32_t name, size_t len)
{
	const struct sockopt	*best = NULL;

	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (is_level(o->level, level) && (uint32_t)o->optname == name &&
		    (best == NULL || (o->size <= len && (best->size > len || o->size > best->size))))
			best = o;
	}
	return best;
}

/* ---- what is in a value --------------------------------------------- */

static uint64_t
load(const char *value, uint16_t offset, uint16_t width)
{
	uint8_t		b;
	uint16_t	h;
	uint32_t	w;

	memcpy(&b, value + offset, sizeof b);
	memcpy(&h, value + offset, sizeof h);
	memcpy(&w, value + offset, sizeof w);
	return width == sizeof b ? b : width == sizeof h ? h : w;
}

/* The list that a struct ends in; NULL: it has none. */
static const struct field *
list_of(const struct sockopt *o)
{
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (f->type == FIELD_LIST)
			return f;
	}
	return NULL;
}

/* The wildcard address says the same as none. */
static bool
check_endpoint(char *at)
{
	struct sockaddr_storage	ss;

	memcpy(&ss, at, sizeof ss);
	if (ss.ss_family != AF_UNSPEC && ss.ss_family != AF_INET && ss.ss_family != AF_INET6)
		return false;
	if (ss.ss_family == AF_UNSPEC || addr_is_any(&ss))
		memset(at, 0, sizeof ss);
	return true;
}

static bool
has_word(const struct field *f, uint64_t value)
{
	const struct word	*w = f->words;

	for (; w->name != NULL; w++) {
		if ((uint64_t)w->value == value)
			return true;
		value &= f->type == FIELD_WORDS ? ~(uint64_t)w->value : ~(uint64_t)0;
	}
	return f->type == FIELD_WORDS && value == 0;
}

/* Is there in each field what its type allows? A stack that is not the kernel's would take other numbers for its own. */
static bool
check_fields(const struct sockopt *o, char *value)
{
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (f->type == FIELD_ENDPOINT && !check_endpoint(value + f->offset))
			return false;
		if ((f->type == FIELD_WORD || f->type == FIELD_WORDS) && f->words != NULL &&
		    !has_word(f, load(value, f->offset, f->width)))
			return false;
	}
	return true;
}

/* ---- setting -------------------------------------------------------- */

/* IP's options take a byte as well as an int. */
static int
set_byte(const char *bytes, char *value)
{
	int	n = (unsigned char)bytes[0];

	memcpy(value, &n, sizeof n);
	return 0;
}

static int
set_list(const struct sockopt *o, const struct field *f, const char *bytes, size_t len, char *value)
{
	uint64_t	n;

	if (len < f->offset)
		return EINVAL;
	memcpy(value, bytes, len < o->size ? len : o->size);
	n = load(value, f->count, f->count_width);
	return n * f->item > len - f->offset || n * f->item > f->width ? EINVAL : 0;
}

static bool
is_name(const struct sockopt *o)
{
	return o->fields[0].type == FIELD_CHARS;
}

int
rawopt_set(const struct sockopt *o, const void *bytes, size_t len, char value[SOCKOPT_MAX])
{
	struct rule		 r = rule_of(o);
	const struct field	*list = list_of(o);

	memset(value, 0, SOCKOPT_MAX);
	if (list != NULL)
		return set_list(o, list, bytes, len, value) == 0 && check_fields(o, value) ? 0 : EINVAL;
	if (is_name(o))
		memcpy(value, bytes, len < o->size ? len : o->size - 1u);
	else if (o->level == LEVEL_IP && len > 0 && len < sizeof(int))
		return set_byte(bytes, value);
	else if (r.form == FORM_INT && len == sizeof(int))
		memcpy(value + offsetof(struct sctp_assoc_value, assoc_value), bytes, len);
	else if (len == o->size || (r.form == FORM_LONGER && len > o->size) || (r.form == FORM_SHORT && len == r.least))
		memcpy(value, bytes, len < o->size ? len : o->size);
	else
		return EINVAL;
	return check_fields(o, value) ? 0 : EINVAL;
}

/* ---- asking --------------------------------------------------------- */

static bool
is_asked_by(const struct field *f)
{
	for (size_t i = 0; i < sizeof asked_by / sizeof *asked_by; i++) {
		if (strcmp(f->key, asked_by[i]) == 0)
			return true;
	}
	return false;
}

/* The bytes that a program must have room for. */
static size_t
least_room(const struct sockopt *o, size_t len)
{
	struct rule		 r = rule_of(o);
	const struct field	*list = list_of(o);

	if (list != NULL)
		return list->offset;
	if (r.form == FORM_SHORT || r.form == FORM_PART)
		return r.least;
	if (r.form == FORM_INT && len == sizeof(int))
		return len;
	return o->level == LEVEL_SCTP ? o->size : 0;
}

int
rawopt_ask(const struct sockopt *o, const void *bytes, size_t len, char value[SOCKOPT_MAX])
{
	const struct rule	r = rule_of(o);

	memset(value, 0, SOCKOPT_MAX);
	if (len < least_room(o, len) || (r.form == FORM_OLDER && o->size < r.least && len != o->size))
		return EINVAL;
	for (const struct field *f = o->fields; o->level == LEVEL_SCTP && f->key != NULL; f++) {
		if (!is_asked_by(f) || (size_t)f->offset + f->width > len)
			continue;
		memcpy(value + f->offset, (const char *)bytes + f->offset, f->width);
		if (f->type == FIELD_ENDPOINT && !check_endpoint(value + f->offset))
			return EINVAL;
	}
	return 0;
}

/* An address that was asked by and was the wildcard stays as it was given. */
static void
keep_wildcard(const struct sockopt *o, const char *bytes, char *value)
{
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		sa_family_t	family;

		memcpy(&family, value + f->offset, sizeof family);
		if (f->type == FIELD_ENDPOINT && is_asked_by(f) && family == AF_UNSPEC)
			memcpy(value + f->offset, bytes + f->offset, f->width);
	}
}

/* How many bytes of the value there are. */
static size_t
length_of(const struct sockopt *o, const char *value)
{
	const struct field	*list = list_of(o);
	size_t			 n;

	if (list != NULL)
		return list->offset + load(value, list->count, list->count_width) * list->item;
	if (!is_name(o))
		return o->size;
	n = strnlen(value, o->size - 1u);
	return n > 0 ? n + 1 : 0;
}

int
rawopt_answer(const struct sockopt *o, const char given[SOCKOPT_MAX], void *bytes, size_t len)
{
	char		value[SOCKOPT_MAX];
	struct rule	r = rule_of(o);
	size_t		n;
	int		number;

	memcpy(value, given, sizeof value);
	n = length_of(o, value);
	if (list_of(o) != NULL && (n > len || n > o->size))
		return -1;
	if (is_name(o) && n > 0 && len < o->size)
		return -1;
	if (r.form == FORM_INT && len == sizeof(int)) {
		memcpy(bytes, value + offsetof(struct sctp_assoc_value, assoc_value), len);
		return (int)len;
	}
	memcpy(&number, value, sizeof number);
	if (o->level == LEVEL_IP && len > 0 && len < sizeof number && number >= 0 && number <= UINT8_MAX) {
		*(unsigned char *)bytes = (unsigned char)number;
		return 1;
	}
	if (r.form == FORM_SHORT && len < o->size)
		n = r.least;
	n = n < len ? n : len;
	if (o->level == LEVEL_SCTP && n >= o->size)
		keep_wildcard(o, bytes, value);
	memcpy(bytes, value, n);
	return (int)n;
}
