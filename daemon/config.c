/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of settings, from settings.def, and the reader of the file.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "util/log.h"
#include "util/mem.h"

struct config config;
bool (*config_check_paragraph)(const struct paragraph *, char *error, size_t size);

/*
 * Only the form is checked. Whether the names are users of this host may
 * change, and may be unknown for a while: see methods/policy.c.
 */
static bool
is_user_list(const char *value)
{
	size_t	n = 0, len;

	do {
		len = strcspn(value, ", ");
		value += len;
		value += strspn(value, ", ");
		n++;
	} while (*value != '\0' && len > 0);
	return len > 0 && n <= CONFIG_USERS;
}

static bool
is_stack(const char *value)
{
	static const char *const	stacks[] = { "auto", "kernel", IF_USERLAND("userland") };

	for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
		if (strcmp(value, stacks[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_encap(const char *value)
{
	return strcmp(value, "udp") == 0 || strcmp(value, "none") == 0;
}

static bool
is_port_list(const char *value)
{
	uint16_t	ports[CONFIG_UDP_PORTS];

	return config_ports(value, ports) > 0;
}

#ifdef USERLAND
#define NO_STACK	"is none of the stacks of this sctpd: auto, kernel, userland"
#else
#define NO_STACK	"is none of the stacks of this sctpd: auto, kernel; for userland, "	\
	"install usrsctp (Debian: libusrsctp-dev) and build sctpd again"
#endif

/* The check of each kind of text, and what is said of a wrong one. Other texts may be any. */
static const struct {
	bool		 (*is_right)(const char *);
	const char	*right;
} texts[] = {
	[TYPE_USERS] = { is_user_list, "is neither root nor all nor a list of up to 64 users" },
	[TYPE_STACK] = { is_stack, NO_STACK },
	[TYPE_ENCAP] = { is_encap, "is neither udp nor none" },
	[TYPE_FORM] = { log_form_known, "is none of auto, text, json, journal" },
	[TYPE_PORTS] = { is_port_list, "is not a list of 1 to 8 UDP ports, 1 to 65535" },
};

#define ANY			.min = 0
#define BETWEEN(MIN, MAX)	.min = (MIN), .max = (MAX)
#define ON_RELOAD		false
#define AT_START		true

#define SETTING(TYPE, NAME, PRESET, BOUNDS, WHEN, MEANING, MORE)	\
	{ .type = TYPE_##TYPE, .name = #NAME, .preset = PRESET, BOUNDS,	\
	  .at_start = WHEN, .offset = offsetof(struct config, NAME),	\
	  .meaning = MEANING, .more = MORE },

const struct setting setting_table[] = {
#include "settings.def"
	{ .name = NULL }
};

#define NSETTINGS	(sizeof setting_table / sizeof setting_table[0] - 1)

size_t
config_ports(const char *text, uint16_t ports[CONFIG_UDP_PORTS])
{
	size_t		 n = 0;
	char		*end;
	unsigned long	 port;

	for (const char *p = text; *p != '\0'; p = end) {
		port = strtoul(p, &end, 10);
		if (end == p || n == CONFIG_UDP_PORTS || port < 1 || port > 65535)
			return 0;
		ports[n++] = (uint16_t)port;
		end += strspn(end, ", ");
	}
	return n;
}

static bool
is_text(const struct setting *s)
{
	return s->type <= TYPE_PORTS;
}

static char **
text_of(struct config *c, const struct setting *s)
{
	return (char **)(void *)((char *)c + s->offset);
}

static uint64_t *
number_of(struct config *c, const struct setting *s)
{
	return (uint64_t *)(void *)((char *)c + s->offset);
}

static bool
fail(char *error, size_t size, const char *what, const char *value, const char *right)
{
	(void)snprintf(error, size, "%s: \"%s\" %s", what, value, right);
	return false;
}

/* A number, with K or M behind it where bytes are meant. */
static bool
parse_number(const struct setting *s, const char *value, uint64_t *n)
{
	char	*end;
	int	 base = s->type == TYPE_MODE ? 8 : 10;

	errno = 0;
	*n = strtoull(value, &end, base);
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
refuse_number(const struct setting *s, const char *value, char *error, size_t size)
{
	if (s->type == TYPE_MODE)
		(void)snprintf(error, size, "%s: \"%s\" is not an octal number from %" PRIo64 " to %" PRIo64,
		    s->name, value, s->min, s->max);
	else
		(void)snprintf(error, size, "%s: \"%s\" is not %s from %" PRIu64 " to %" PRIu64,
		    s->name, value, s->type == TYPE_BYTES ?
		    "bytes (K and M are understood)" : "a number", s->min, s->max);
	return false;
}

static bool
apply(struct config *c, const struct setting *s, const char *value, char *error, size_t size)
{
	uint64_t	 n;
	int		 priority;

	if (is_text(s)) {
		if (texts[s->type].is_right != NULL && !texts[s->type].is_right(value))
			return fail(error, size, s->name, value, texts[s->type].right);
		free(*text_of(c, s));
		*text_of(c, s) = xstrdup(value);
		return true;
	}
	if (s->type == TYPE_LEVEL) {
		if ((priority = log_level_find(value)) == -1)
			return fail(error, size, s->name, value,
			    "is none of err, warning, notice, info, debug");
		*number_of(c, s) = (uint64_t)priority;
		return true;
	}
	if (!parse_number(s, value, &n))
		return refuse_number(s, value, error, size);
	*number_of(c, s) = n;
	return true;
}

/* The index of a setting in the table; NSETTINGS: there is no setting with that key. */
static size_t
find(const char *key)
{
	size_t	i = 0;

	while (i < NSETTINGS && strcmp(setting_table[i].name, key) != 0)
		i++;
	return i;
}

bool
config_set(struct config *c, const char *key, const char *value, char *error, size_t size)
{
	size_t	i = find(key);

	if (i < NSETTINGS)
		return apply(c, &setting_table[i], value, error, size);
	return fail(error, size, "unknown key", key, "(see sctpd.conf(5))");
}

void
config_init(struct config *c)
{
	char	error[256];

	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (!apply(c, &setting_table[i], setting_table[i].preset, error, sizeof error))
			log_fatal("%s", error);
	}
}

void
config_free(struct config *c)
{
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (is_text(&setting_table[i]))
			free(*text_of(c, &setting_table[i]));
	}
	for (struct paragraph *p = c->paragraphs, *next; p != NULL; p = next) {
		next = p->next;
		for (size_t i = 0; i < p->n; i++)
			free(p->word[i]);
		free(p->name);
		free(p);
	}
	memset(c, 0, sizeof *c);
}

static bool
same(struct config *a, struct config *b, const struct setting *s)
{
	if (is_text(s))
		return strcmp(*text_of(a, s), *text_of(b, s)) == 0;
	return *number_of(a, s) == *number_of(b, s);
}

/* Keep the value that is in force. */
static void
keep(struct config *new, const struct setting *s)
{
	if (is_text(s)) {
		free(*text_of(new, s));
		*text_of(new, s) = xstrdup(*text_of(&config, s));
	} else {
		*number_of(new, s) = *number_of(&config, s);
	}
}

void
config_change(struct config *new)
{
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (same(&config, new, &setting_table[i]))
			continue;
		if (setting_table[i].at_start)
			keep(new, &setting_table[i]);
		log_notice("config: %s %s", setting_table[i].name, setting_table[i].at_start ?
		    "takes effect at the next start" : "has changed");
	}
	config_free(&config);
	config = *new;
}

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

/* A file that is being read. set has the line that set each setting; 0: none. */
struct reader {
	struct config	*config;
	unsigned	 line;
	unsigned	 set[NSETTINGS];
	struct paragraph *open;		/* the one that the line is in; or NULL */
};

/* ---- paragraphs ------------------------------------------------------ */

#define PARAGRAPH	"association"

/* key=value, without the spaces behind commas. */
static char *
make_word(const char *key, const char *value)
{
	char	*word = xmalloc(strlen(key) + strlen(value) + 2), *to;

	to = word + sprintf(word, "%s=", key);
	for (; *value != '\0'; value++) {
		*to++ = *value;
		while (*value == ',' && isspace((unsigned char)value[1]))
			value++;
	}
	*to = '\0';
	return word;
}

static bool
begin_paragraph(struct reader *r, char *name, char *error, size_t size)
{
	struct paragraph	**at = &r->config->paragraphs;

	for (; *at != NULL; at = &(*at)->next) {
		if (strcmp((*at)->name, name) != 0)
			continue;
		(void)snprintf(error, size, PARAGRAPH " %s: there is one of this name in line %u already", name, (*at)->line);
		return false;
	}
	r->open = *at = xcalloc(1, sizeof **at);
	r->open->name = xstrdup(name);
	r->open->line = r->line;
	return true;
}

/* Is the line the head of a paragraph? Then its name stands alone in it. */
static char *
paragraph_name(char *text)
{
	size_t	n = strlen(text);

	if (strncmp(text, PARAGRAPH, strlen(PARAGRAPH)) != 0 || !isspace((unsigned char)text[strlen(PARAGRAPH)]) ||
	    text[n - 1] != '{')
		return NULL;
	text[n - 1] = '\0';
	return trim(text + strlen(PARAGRAPH));
}

/* An error that begins with a key is in the line of that key. */
static bool
end_paragraph(struct reader *r, char *error, size_t size)
{
	struct paragraph	*p = r->open;
	size_t			 len;

	r->open = NULL;
	if (config_check_paragraph == NULL || config_check_paragraph(p, error, size))
		return true;
	r->line = p->line;
	for (size_t i = 0; i < p->n; i++) {
		len = strcspn(p->word[i], "=.");
		if (strncmp(p->word[i], error, len) == 0 && strchr(":.", error[len]) != NULL)
			r->line = p->lines[i];
	}
	return false;
}

static bool
read_in_paragraph(struct reader *r, char *text, char *error, size_t size)
{
	struct paragraph	*p = r->open;
	char			*equals;

	if (strcmp(text, "}") == 0)
		return end_paragraph(r, error, size);
	if ((equals = strchr(text, '=')) == NULL)
		return fail(error, size, "syntax", text, "is neither \"key = value\" nor the \"}\" that ends " PARAGRAPH);
	if (p->n == CONFIG_WORDS)
		return fail(error, size, "syntax", text, "is one line too many for a paragraph");
	*equals = '\0';
	p->word[p->n] = make_word(trim(text), trim(equals + 1));
	p->lines[p->n++] = r->line;
	return true;
}

/* One line: empty, a comment, or key = value; or of a paragraph. */
static bool
read_line(struct reader *r, char *line, char *error, size_t size)
{
	char	*text = trim(line), *equals, *key;
	size_t	 i;

	if (*text == '\0' || *text == '#')
		return true;
	if (r->open != NULL)
		return read_in_paragraph(r, text, error, size);
	if ((key = paragraph_name(text)) != NULL)
		return begin_paragraph(r, key, error, size);
	if ((equals = strchr(text, '=')) == NULL)
		return fail(error, size, "syntax", text, "is not \"key = value\"");
	*equals = '\0';
	key = trim(text);
	if ((i = find(key)) < NSETTINGS && r->set[i] != 0) {
		(void)snprintf(error, size, "%s: it is set in line %u already; remove one of the two",
		    key, r->set[i]);
		return false;
	}
	if (i < NSETTINGS)
		r->set[i] = r->line;
	return config_set(r->config, key, trim(equals + 1), error, size);
}

bool
config_parse(struct config *c, FILE *f, const char *name, char *error, size_t size)
{
	struct reader	 r = { .config = c };
	char		*line = NULL, why[256];
	size_t		 room = 0;
	ssize_t		 n;
	bool		 ok = true;

	while (ok && (n = getline(&line, &room, f)) != -1) {
		r.line++;
		if (strlen(line) != (size_t)n) {
			(void)snprintf(why, sizeof why, "syntax: there is a NUL byte in the line; a configuration is plain text");
			ok = false;
		} else
			ok = read_line(&r, line, why, sizeof why);
		if (!ok)
			(void)snprintf(error, size, "%s:%u: %s", name, r.line, why);
	}
	if (ok && r.open != NULL) {
		(void)snprintf(error, size, "%s:%u: " PARAGRAPH " %s: the \"}\" that ends it is missing", name, r.open->line, r.open->name);
		ok = false;
	}
	if (ok && ferror(f)) {	/* a directory can be opened, but not read */
		(void)snprintf(error, size, "%s: %s", name, strerror(errno));
		ok = false;
	}
	free(line);
	return ok;
}

bool
config_read(struct config *c, const char *path, bool required, char *error, size_t size)
{
	bool	ok;
	FILE	*f;

	if ((f = fopen(path, "re")) == NULL) {
		if (errno == ENOENT && !required)
			return true;
		(void)snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	ok = config_parse(c, f, path, error, size);
	(void)fclose(f);
	return ok;
}

/* Print a comment in lines that fit a terminal, without the marks of settings.def. */
static void
print_comment(FILE *f, const char *text)
{
	size_t	column = 0, n;

	for (; *text != '\0'; text += strspn(text, " ")) {
		n = strcspn(text, " ");
		if (column > 0 && column + n > 76) {
			(void)fputc('\n', f);
			column = 0;
		}
		(void)fputs(column == 0 ? "# " : " ", f);
		column += n + 1;
		for (; n > 0; n--, text++) {
			if (*text != '`')
				(void)fputc(*text, f);
		}
	}
	(void)fputc('\n', f);
}

void
config_print(const struct config *c, FILE *f)
{
	static const char *const	levels[] = { "", "", "", "err", "warning",
	    "notice", "info", "debug" };
	const void			*at;

	for (const struct setting *s = setting_table; s->name != NULL; s++) {
		print_comment(f, s->meaning);
		(void)fprintf(f, "%s = ", s->name);
		at = (const char *)c + s->offset;
		if (is_text(s))
			(void)fprintf(f, "%s", *(char *const *)at);
		else if (s->type == TYPE_LEVEL)
			(void)fprintf(f, "%s", levels[*(const uint64_t *)at]);
		else
			(void)fprintf(f, s->type == TYPE_MODE ? "%04" PRIo64 : "%" PRIu64,
			    *(const uint64_t *)at);
		(void)fputs("\n\n", f);
	}
	for (const struct paragraph *p = c->paragraphs; p != NULL; p = p->next) {
		(void)fprintf(f, PARAGRAPH " %s {\n", p->name);
		for (size_t i = 0; i < p->n; i++) {
			size_t	len = strcspn(p->word[i], "=");

			(void)fprintf(f, "\t%.*s = %s\n", (int)len, p->word[i], p->word[i] + len + 1);
		}
		(void)fputs("}\n\n", f);
	}
}
