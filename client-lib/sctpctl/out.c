/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values on standard output: JSON for programs, words and tables for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "proto/ppid.h"
#include "sctpctl/out.h"

void
out_hex(FILE *f, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x", (unsigned char)p[i]);
}

int
out_flush(void)
{
	if (fflush(stdout) == 0)
		return CTL_OK;
	if (errno == EPIPE)
		exit(CTL_OK);
	return ctl_fail(CTL_FAILED, "standard output: %s", strerror(errno));
}

/* ---- JSON ----------------------------------------------------------- */

static void json(FILE *, const struct sctpd_value *);

static void
json_pairs(FILE *f, const struct sctpd_value *v, const char *sep)
{
	for (size_t i = 0; i < sctpd_count(v); i++) {
		fputs(sep, f);
		ctl_json_text(f, sctpd_key(v, i), strlen(sctpd_key(v, i)));
		fputs(": ", f);
		json(f, sctpd_item(v, i));
		sep = ", ";
	}
}

static void
json(FILE *f, const struct sctpd_value *v)
{
	size_t		 len;
	const char	*s = sctpd_str(v, &len);

	switch (sctpd_type(v)) {
	case SCTPD_NIL:
		fputs("null", f);
		break;
	case SCTPD_BOOL:
		fputs(sctpd_int(v) != 0 ? "true" : "false", f);
		break;
	case SCTPD_INT:
		fprintf(f, "%" PRId64, sctpd_int(v));
		break;
	case SCTPD_FLOAT:
		fprintf(f, "%g", sctpd_float(v));
		break;
	case SCTPD_STR:
		ctl_json_text(f, s, len);
		break;
	case SCTPD_BIN:
		putc('"', f);
		out_hex(f, s, len);
		putc('"', f);
		break;
	case SCTPD_LIST:
		putc('[', f);
		for (size_t i = 0; i < sctpd_count(v); i++) {
			fputs(i > 0 ? ", " : "", f);
			json(f, sctpd_item(v, i));
		}
		putc(']', f);
		break;
	case SCTPD_MAP:
		putc('{', f);
		json_pairs(f, v, "");
		putc('}', f);
		break;
	}
}

char *
out_json_text(const struct sctpd_value *v)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f != NULL) {
		json(f, v);
		fclose(f);
	}
	if (text == NULL)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	return text;
}

/* ---- words ---------------------------------------------------------- */

static bool
is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] >= 0x7f)
			return false;
	}
	return true;
}

static void
word_bytes(FILE *f, const char *s, size_t len)
{
	if (is_text(s, len)) {
		fprintf(f, "\"%.*s\"", (int)len, s);
		return;
	}
	fputs("hex:", f);
	out_hex(f, s, len);
}

void
out_endpoint(const struct sctpd_value *v, char *to, size_t size)
{
	const char	*addr = sctpd_get_str(v, "addr");
	bool		 v6 = strchr(addr, ':') != NULL;

	(void)snprintf(to, size, "%s%s%s:%" PRId64, v6 ? "[" : "", addr, v6 ? "]" : "", sctpd_get_int(v, "port"));
}

/* {addr, port} as 10.0.0.1:2905. */
static bool
word_endpoint(FILE *f, const struct sctpd_value *v)
{
	char	text[80];

	if (sctpd_count(v) != 2 || sctpd_get(v, "addr") == NULL || sctpd_get(v, "port") == NULL)
		return false;
	out_endpoint(v, text, sizeof text);
	fputs(text, f);
	return true;
}

static void words(FILE *, const struct sctpd_value *, bool named);

static void
word(FILE *f, const struct sctpd_value *v, bool named)
{
	size_t		 len;
	const char	*s = sctpd_str(v, &len);

	switch (sctpd_type(v)) {
	case SCTPD_STR:
		fprintf(f, strchr(s, ' ') != NULL || len == 0 ? "\"%s\"" : "%s", s);
		break;
	case SCTPD_BIN:
		word_bytes(f, s, len);
		break;
	case SCTPD_LIST:
		for (size_t i = 0; i < sctpd_count(v); i++) {
			fputs(i > 0 ? "," : "", f);
			word(f, sctpd_item(v, i), named);
		}
		break;
	case SCTPD_MAP:
		if (word_endpoint(f, v))
			break;
		putc('{', f);
		words(f, v, named);
		putc('}', f);
		break;
	case SCTPD_NIL:
	case SCTPD_BOOL:
	case SCTPD_INT:
	case SCTPD_FLOAT:
		json(f, v);
		break;
	}
}

/* A PPID has its name behind it, if it has one. */
static void
words(FILE *f, const struct sctpd_value *v, bool named)
{
	const char	*name;

	for (size_t i = 0; i < sctpd_count(v); i++) {
		fprintf(f, "%s%s=", i > 0 ? " " : "", sctpd_key(v, i));
		word(f, sctpd_item(v, i), named);
		name = named && strcmp(sctpd_key(v, i), "ppid") == 0 && sctpd_int(sctpd_item(v, i)) != 0 ?
		    ppid_name((uint32_t)sctpd_int(sctpd_item(v, i))) : NULL;
		if (name != NULL)
			fprintf(f, " (%s)", name);
	}
}

void
out_words(FILE *f, const struct sctpd_value *v)
{
	words(f, v, false);
}

/* ---- events --------------------------------------------------------- */

void
out_event(const struct ctl *ctl, FILE *f, const struct sctpd_event *ev)
{
	struct timeval	tv;
	struct tm	tm;
	char		hms[16];
	const char	*name = ev->name;

	gettimeofday(&tv, NULL);
	if (ctl->json) {
		fprintf(f, "{\"time\": %lld.%06ld", (long long)tv.tv_sec, (long)tv.tv_usec);
		if (sctpd_get(ev->fields, "event") == NULL)
			fprintf(f, ", \"event\": \"%s\"", name);
		json_pairs(f, ev->fields, ", ");
		fputs("}\n", f);
		return;
	}
	/* An event of another owner's socket carries its own name. */
	if (strcmp(name, "watch") == 0)
		name = sctpd_get_str(ev->fields, "event");
	strftime(hms, sizeof hms, "%H:%M:%S", localtime_r(&tv.tv_sec, &tm));
	fprintf(f, "%s.%06ld %s%s%s", hms, (long)tv.tv_usec,
	    ctl->color ? "\033[1m" : "", name, ctl->color ? "\033[0m" : "");
	for (size_t i = 0; i < sctpd_count(ev->fields); i++) {
		if (strcmp(sctpd_key(ev->fields, i), "event") == 0)
			continue;
		fprintf(f, " %s=", sctpd_key(ev->fields, i));
		word(f, sctpd_item(ev->fields, i), true);
	}
	putc('\n', f);
}

void
out_failed(const char *method, const char *addr, const char *port, const char *error)
{
	struct timeval	tv;

	gettimeofday(&tv, NULL);
	printf("{\"time\": %lld.%06ld, \"event\": \"error\", \"method\": \"%s\", \"addr\": ",
	    (long long)tv.tv_sec, (long)tv.tv_usec, method);
	ctl_json_text(stdout, addr, strlen(addr));
	printf(", \"port\": %d, \"error\": ", atoi(port));
	ctl_json_text(stdout, error, strlen(error));
	puts("}");
}

void
out_connected(uint64_t sock, const char *addr, const char *port, const struct sctpd_value *v)
{
	struct timeval	tv;

	gettimeofday(&tv, NULL);
	printf("{\"time\": %lld.%06ld, \"event\": \"sctp_assoc_change\", \"sock\": %" PRIu64 ", \"from\": {\"addr\": ",
	    (long long)tv.tv_sec, (long)tv.tv_usec, sock);
	ctl_json_text(stdout, addr, strlen(addr));
	printf(", \"port\": %d}", atoi(port));
	json_pairs(stdout, v, ", ");
	puts("}");
}

/* ---- tables --------------------------------------------------------- */

/* A cell's text, allocated. */
static char *
cell(const struct sctpd_value *v)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	if (sctpd_type(v) == SCTPD_BOOL)
		fputs(sctpd_int(v) != 0 ? "yes" : "no", f);
	else if (sctpd_type(v) == SCTPD_NIL)
		putc('-', f);
	else if (sctpd_type(v) == SCTPD_STR)
		fputs(*sctpd_str(v, NULL) != '\0' ? sctpd_str(v, NULL) : "-", f);
	else
		word(f, v, false);
	fclose(f);
	return text;
}

static int
column_width(const struct sctpd_value *list, const char *key)
{
	size_t	 width = strlen(key);
	char	*text;

	for (size_t i = 0; i < sctpd_count(list); i++) {
		text = cell(sctpd_get(sctpd_item(list, i), key));
		if (text != NULL && strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	return (int)width;
}

static void
print_cell(const char *text, int width, bool right, bool last)
{
	if (last && !right)
		printf("%s\n", text);
	else
		printf(right ? "%*s%s" : "%-*s%s", width, text, last ? "\n" : "  ");
}

void
out_table(const struct ctl *ctl, const struct sctpd_value *list)
{
	const struct sctpd_value	*first = sctpd_item(list, 0);
	size_t				 columns = sctpd_count(first);
	int				 width[32];
	char				*text;
	bool				 right[32];

	if (columns > 32)
		columns = 32;
	fputs(ctl->color ? "\033[1m" : "", stdout);
	for (size_t i = 0; i < columns; i++) {
		width[i] = column_width(list, sctpd_key(first, i));
		right[i] = sctpd_type(sctpd_item(first, i)) == SCTPD_INT;
		print_cell(sctpd_key(first, i), width[i], right[i], i + 1 == columns);
	}
	fputs(ctl->color ? "\033[0m" : "", stdout);
	for (size_t row = 0; row < sctpd_count(list); row++) {
		for (size_t i = 0; i < columns; i++) {
			text = cell(sctpd_get(sctpd_item(list, row), sctpd_key(first, i)));
			print_cell(text != NULL ? text : "?", width[i], right[i], i + 1 == columns);
			free(text);
		}
	}
}

/* ---- results -------------------------------------------------------- */

static void
print_pairs(const struct sctpd_value *v, const char *indent)
{
	size_t	longest = 0;
	char	key[64];

	for (size_t i = 0; i < sctpd_count(v); i++) {
		if (strlen(sctpd_key(v, i)) > longest)
			longest = strlen(sctpd_key(v, i));
	}
	for (size_t i = 0; i < sctpd_count(v); i++) {
		(void)snprintf(key, sizeof key, "%s:", sctpd_key(v, i));
		printf("%s%-*s ", indent, (int)longest + 1, key);
		word(stdout, sctpd_item(v, i), false);
		putchar('\n');
	}
}

/* [[name, value], ...], as getopts answers. */
static void
print_options(const struct sctpd_value *list)
{
	const struct sctpd_value	*value;

	for (size_t i = 0; i < sctpd_count(list); i++) {
		value = sctpd_item(sctpd_item(list, i), 1);
		printf("%s%s", sctpd_str(sctpd_item(sctpd_item(list, i), 0), NULL),
		    sctpd_type(value) == SCTPD_MAP ? "\n" : " = ");
		if (sctpd_type(value) == SCTPD_MAP) {
			print_pairs(value, "    ");
			continue;
		}
		word(stdout, value, false);
		putchar('\n');
	}
}

void
out_result(const struct ctl *ctl, const struct sctpd_value *v)
{
	const struct sctpd_value	*only = sctpd_item(v, 0);

	if (ctl->json) {
		json(stdout, v);
		putchar('\n');
	} else if (sctpd_count(v) == 1 && strcmp(sctpd_key(v, 0), "options") == 0) {
		print_options(only);
	} else if (sctpd_count(v) == 1 && sctpd_type(only) == SCTPD_LIST &&
	    sctpd_type(sctpd_item(only, 0)) == SCTPD_MAP) {
		out_table(ctl, only);
	} else {
		print_pairs(v, "");
	}
}
