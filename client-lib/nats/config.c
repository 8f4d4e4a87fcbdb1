/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nats/config.h"
#include "nats/log.h"
#include "nats/mem.h"

struct config	config;

#define ANY			.min = 0, .max = UINT64_MAX
#define BETWEEN(MIN, MAX)	.min = (MIN), .max = (MAX)

#define SETTING(TYPE, NAME, PRESET, BOUNDS, MEANING)				\
	{ .type = TYPE_##TYPE, .name = #NAME, .preset = PRESET, BOUNDS,		\
	  .offset = offsetof(struct config, NAME), .meaning = MEANING },

const struct setting setting_table[] = {
#include "nats/settings.def"
	{ .name = NULL }
};

#define NSETTINGS	(sizeof setting_table / sizeof *setting_table - 1)

/* A file that is being read. set has the line that set each setting; 0: none. */
struct reader {
	unsigned		 line;
	unsigned		 set[NSETTINGS];
	struct endpoint_config	*open;		/* the one that the line is in, or NULL */
	char			*error;
	size_t			 size;
};

bool
config_is_token(const char *s)
{
	size_t	n = strlen(s);

	return n > 0 && n < CONFIG_NAME &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

static bool
refuse(struct reader *r, const char *what, const char *value, const char *right)
{
	(void)snprintf(r->error, r->size, "%s: \"%s\" %s", what, value, right);
	return false;
}

/* ---- values ---------------------------------------------------------- */

static char **
text_of(const struct setting *s)
{
	return (char **)(void *)((char *)&config + s->offset);
}

static uint64_t *
number_of(const struct setting *s)
{
	return (uint64_t *)(void *)((char *)&config + s->offset);
}

static bool
set_text(struct reader *r, const struct setting *s, const char *value)
{
	if (s->type == TYPE_TOKEN && *value != '\0' && !config_is_token(value))
		return refuse(r, s->name, value, "is not a name of letters, digits, _ and -, 63 at most");
	if (s->type == TYPE_STORAGE && strcmp(value, "file") != 0 && strcmp(value, "memory") != 0)
		return refuse(r, s->name, value, "is neither file nor memory");
	free(*text_of(s));
	*text_of(s) = xstrdup(value);
	return true;
}

static bool
parse_number(const struct setting *s, const char *value, uint64_t *n)
{
	char	*end;

	errno = 0;
	*n = strtoull(value, &end, 10);
	if (errno != 0 || end == value || !isdigit((unsigned char)*value))
		return false;
	if (s->type == TYPE_BYTES && (*end == 'K' || *end == 'M')) {
		if (*n > s->max)
			return false;	/* the shift could overflow */
		*n <<= *end == 'K' ? 10 : 20;
		end++;
	}
	return *end == '\0' && *n >= s->min && *n <= s->max;
}

static bool
set_number(struct reader *r, const struct setting *s, const char *value)
{
	uint64_t	n;
	int		priority = 0;

	if (s->type == TYPE_LEVEL && (priority = log_level_find(value)) == -1)
		return refuse(r, s->name, value, "is none of err, warning, notice, info, debug");
	if (s->type == TYPE_BOOL && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return refuse(r, s->name, value, "is neither yes nor no");
	if (s->type == TYPE_LEVEL)
		n = (uint64_t)priority;
	else if (s->type == TYPE_BOOL)
		n = strcmp(value, "yes") == 0;
	else if (!parse_number(s, value, &n)) {
		(void)snprintf(r->error, r->size, "%s: \"%s\" is not %s from %" PRIu64 " to %" PRIu64, s->name, value,
		    s->type == TYPE_BYTES ? "bytes (K and M are understood)" : "a number", s->min, s->max);
		return false;
	}
	*number_of(s) = n;
	return true;
}

static bool
set(struct reader *r, const struct setting *s, const char *value)
{
	return s->type < TYPE_NUMBER ? set_text(r, s, value) : set_number(r, s, value);
}

/* ---- endpoints ------------------------------------------------------- */

static char *
trim(char *s)
{
	char	*end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static bool
begin_endpoint(struct reader *r, const char *name)
{
	struct endpoint_config	*e = &config.endpoints[config.n_endpoints];

	if (!config_is_token(name))
		return refuse(r, "endpoint", name, "is not a name of letters, digits, _ and -, 63 at most");
	if (config.n_endpoints == CONFIG_ENDPOINTS)
		return refuse(r, "endpoint", name, "is one too many; there are 64 at most");
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (strcmp(config.endpoints[i].name, name) == 0)
			return refuse(r, "endpoint", name, "was given before; each endpoint has a name of its own");
	}
	(void)snprintf(e->name, sizeof e->name, "%s", name);
	e->line = r->line;
	config.n_endpoints++;
	r->open = e;
	return true;
}

static bool
end_endpoint(struct reader *r)
{
	struct endpoint_config	*e = r->open;

	r->open = NULL;
	r->line = e->line;
	if (e->attach != NULL && e->n > 0)
		return refuse(r, "endpoint", e->name, "has attach and other keys; the options of a supervised association stand in sctpd.conf");
	if (e->attach == NULL && e->n == 0)
		return refuse(r, "endpoint", e->name, "says neither which port to open (port = 2905) nor what to attach to (attach = NAME)");
	return true;
}

/* Keys that this program sets, or that it has no use for. */
static bool
check_key(struct reader *r, const char *key, const char *value)
{
	if (strcmp(key, "type") == 0 && strcmp(value, "seqpacket") != 0)
		return refuse(r, key, value, "is not the type of an endpoint, which is always seqpacket");
	if (strcmp(key, "options.active") == 0 || strcmp(key, "options.on_owner_exit") == 0 || strcmp(key, "options.hold_time") == 0)
		return refuse(r, key, value, "is set by sctpd-nats itself (hold_time is a setting)");
	if (strcmp(key, "options.freebind") == 0 || strcmp(key, "options.blackhole") == 0)
		return refuse(r, key, value, "is set by sctpd-nats itself, if there is a standby");
	if (*key == '\0' || strpbrk(key, " \t\x1f") != NULL)
		return refuse(r, "syntax", key, "is no key; see the method open in sctpd-protocol(7)");
	return true;
}

/* A list may have blanks behind its commas, as in sctpd.conf(5). */
static void
squeeze(char *list)
{
	char	*to = list;

	for (const char *from = list; *from != '\0'; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
	}
	*to = '\0';
}

static bool
read_in_endpoint(struct reader *r, char *text)
{
	struct endpoint_config	*e = r->open;
	char			*equals, *key, *value;

	if (strcmp(text, "}") == 0)
		return end_endpoint(r);
	if ((equals = strchr(text, '=')) == NULL)
		return refuse(r, "syntax", text, "is neither \"key = value\" nor the \"}\" that ends the endpoint");
	*equals = '\0';
	key = trim(text);
	value = trim(equals + 1);
	if (strcmp(key, "attach") == 0 && e->attach != NULL)
		return refuse(r, key, value, "is given twice");
	if (strcmp(key, "attach") == 0) {
		e->attach = xstrdup(value);
		return true;
	}
	if (!check_key(r, key, value))
		return false;
	if (strcmp(key, "ip") == 0)
		squeeze(value);
	if (e->n == CONFIG_WORDS)
		return refuse(r, "syntax", key, "is one line too many for an endpoint");
	e->word[e->n++] = xprintf("%s=%s", key, value);
	return true;
}

/* ---- the file -------------------------------------------------------- */

/* The name in "endpoint NAME {", or NULL. */
static char *
endpoint_name(char *text)
{
	size_t	n = strlen(text);

	if (strncmp(text, "endpoint", 8) != 0 || !isspace((unsigned char)text[8]) || text[n - 1] != '{')
		return NULL;
	text[n - 1] = '\0';
	return trim(text + 8);
}

static bool
read_line(struct reader *r, char *line)
{
	char	*text = trim(line), *equals, *key;
	size_t	 i = 0;

	if (*text == '\0' || *text == '#')
		return true;
	if (r->open != NULL)
		return read_in_endpoint(r, text);
	if ((key = endpoint_name(text)) != NULL)
		return begin_endpoint(r, key);
	if (strncmp(text, "endpoint", 8) == 0 && (text[8] == '\0' || isspace((unsigned char)text[8])))
		return refuse(r, "syntax", text, "begins no endpoint: that is \"endpoint NAME {\", its keys on lines of their own, and a line \"}\"");
	if ((equals = strchr(text, '=')) == NULL)
		return refuse(r, "syntax", text, "is not \"key = value\"");
	*equals = '\0';
	key = trim(text);
	while (i < NSETTINGS && strcmp(setting_table[i].name, key) != 0)
		i++;
	if (i == NSETTINGS)
		return refuse(r, "unknown key", key, "(see sctpd-nats(8))");
	if (r->set[i] != 0) {
		(void)snprintf(r->error, r->size, "%s: it is set in line %u already; remove one of the two", key, r->set[i]);
		return false;
	}
	r->set[i] = r->line;
	return set(r, &setting_table[i], trim(equals + 1));
}

/* Another host can take an endpoint over if it is known what is to be there. */
static bool
stands_by(const struct endpoint_config *e)
{
	bool	ip = false, port = false;

	for (size_t i = 0; i < e->n; i++) {
		ip = ip || (strncmp(e->word[i], "ip=", 3) == 0 && strcmp(e->word[i] + 3, "any") != 0);
		port = port || (strncmp(e->word[i], "port=", 5) == 0 && strcmp(e->word[i] + 5, "0") != 0);
	}
	return e->attach != NULL || (ip && port);
}

/* What no single line can say. */
static bool
check_whole(struct reader *r)
{
	char	name[256];

	if (*config.host == '\0') {
		if (gethostname(name, sizeof name) == -1)
			name[0] = '\0';
		name[sizeof name - 1] = '\0';
		name[strcspn(name, ".")] = '\0';
		if (!config_is_token(name))
			return refuse(r, "host", name, "is the name of this machine, and cannot stand in a subject; set host");
		free(config.host);
		config.host = xstrdup(name);
	}
	if (config.servers[strspn(config.servers, " \t,")] == '\0')
		return refuse(r, "servers", config.servers, "names no server, such as nats://127.0.0.1:4222");
	if (config.n_endpoints == 0)
		return refuse(r, "endpoint", "", "is missing: say which sockets to open, or what to attach to");
	for (size_t i = 0; *config.standby != '\0' && i < config.n_endpoints; i++) {
		if (!stands_by(&config.endpoints[i])) {
			r->line = config.endpoints[i].line;
			return refuse(r, "endpoint", config.endpoints[i].name, "must name the addresses that move (ip) and its port, as there is a standby");
		}
	}
	if ((*config.nkey == '\0') != (*config.nkey_seed == '\0'))
		return refuse(r, "nkey", config.nkey, "and nkey_seed need each other");
	if ((*config.user == '\0') != (*config.password_file == '\0'))
		return refuse(r, "user", config.user, "and password_file need each other");
	if ((*config.tls_cert == '\0') != (*config.tls_key == '\0'))
		return refuse(r, "tls_cert", config.tls_cert, "and tls_key need each other");
	return true;
}

static bool
read_lines(struct reader *r, FILE *f)
{
	char	*line = NULL;
	size_t	 room = 0;
	ssize_t	 n;
	bool	 ok = true;

	while (ok && (n = getline(&line, &room, f)) != -1) {
		r->line++;
		if (strlen(line) != (size_t)n) {
			(void)snprintf(r->error, r->size, "syntax: there is a NUL byte in the line; a configuration is plain text");
			ok = false;
		} else
			ok = read_line(r, line);
	}
	if (ok && ferror(f)) {	/* a directory can be opened, but not read */
		(void)snprintf(r->error, r->size, "%s", strerror(errno));
		ok = false;
	}
	if (ok && r->open != NULL) {
		r->line = r->open->line;
		ok = refuse(r, "endpoint", r->open->name, "has no \"}\" that ends it");
	}
	free(line);
	return ok;
}

bool
config_read(const char *path, char *error, size_t size)
{
	char		 why[512] = "";
	struct reader	 r = { .error = why, .size = sizeof why };
	bool		 ok = true;
	FILE		*f;

	for (size_t i = 0; i < NSETTINGS; i++) {
		if (!set(&r, &setting_table[i], setting_table[i].preset))
			log_fatal("%s", why);
	}
	if ((f = fopen(path, "re")) == NULL) {
		(void)snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	ok = read_lines(&r, f);
	(void)fclose(f);
	if (!ok) {
		(void)snprintf(error, size, "%s:%u: %s", path, r.line, why);
		return false;
	}
	if (!check_whole(&r)) {
		(void)snprintf(error, size, "%s: %s", path, why);
		return false;
	}
	return true;
}
