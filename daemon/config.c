/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of settings, and the reader of the file.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "mem.h"

struct config config;

enum setting_type { TEXT, NUMBER, BYTES, MODE, LEVEL };

/* Whether they are users of this host may change, and be unknown for a while: see policy.c. */
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

#define IS_USERS	.is_right = is_user_list,			\
	.right = "is neither root nor all nor a list of up to 64 users"

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

static const struct setting {
	const char		*key;
	enum setting_type	 type;
	size_t			 offset;
	const char		*preset;
	uint64_t		 min;
	uint64_t		 max;
	bool			 at_start;	/* only then it can be set */
	bool			 (*is_right)(const char *);	/* a TEXT */
	const char		*right;		/* what is said of one that is not */
	const char		*doc;
} settings[] = {
	{ .key = "socket", .type = TEXT,
	  .offset = offsetof(struct config, socket),
	  .preset = "/run/sctpd/sctpd.sock",
	  .at_start = true,
	  .doc = "Path of the Unix socket. Ignored where systemd passes one." },
	{ .key = "socket_mode", .type = MODE,
	  .offset = offsetof(struct config, socket_mode),
	  .preset = "0660", .max = 0777,
	  .at_start = true,
	  .doc = "Permissions of the Unix socket, octal." },
	{ .key = "socket_group", .type = TEXT,
	  .offset = offsetof(struct config, socket_group),
	  .preset = "",
	  .at_start = true,
	  .doc = "Group of the Unix socket; its members may use the daemon. Empty: the daemon's own." },
	{ .key = "log_level", .type = LEVEL,
	  .offset = offsetof(struct config, log_level),
	  .preset = "info",
	  .doc = "Least urgent log lines that are written: err, warning, notice, info or debug." },
	{ .key = "max_clients", .type = NUMBER,
	  .offset = offsetof(struct config, max_clients),
	  .preset = "8192", .min = 1, .max = 1000000,
	  .doc = "Connections to the daemon at one time. One user may have no more than are free for all, and the last of them are for root only; so it is with the limits below, too." },
	{ .key = "max_sockets", .type = NUMBER,
	  .offset = offsetof(struct config, max_sockets),
	  .preset = "8192", .min = 1, .max = 1000000,
	  .doc = "SCTP sockets open at one time." },
	{ .key = "max_associations", .type = NUMBER,
	  .offset = offsetof(struct config, max_associations),
	  .preset = "32768", .min = 1, .max = 1000000,
	  .doc = "Associations at one time. One that comes up beyond it is aborted." },
	{ .key = "max_memory", .type = BYTES,
	  .offset = offsetof(struct config, max_memory),
	  .preset = "1024M", .min = 4 << 20, .max = UINT64_C(1) << 40,
	  .doc = "Memory for all clients: what waits for them, for their peers and in their sockets, and what describes these. The buffers of SCTP and of the Unix socket are the kernel's and come on top. Never more than half of the host's memory." },
	{ .key = "max_clients_per_user", .type = NUMBER,
	  .offset = offsetof(struct config, max_clients_per_user),
	  .preset = "4096", .min = 1, .max = 1000000,
	  .doc = "Connections of one user at one time. This limit and those below do not hold for root." },
	{ .key = "max_sockets_per_user", .type = NUMBER,
	  .offset = offsetof(struct config, max_sockets_per_user),
	  .preset = "4096", .min = 1, .max = 1000000,
	  .doc = "SCTP sockets of one user at one time, held ones included." },
	{ .key = "max_associations_per_user", .type = NUMBER,
	  .offset = offsetof(struct config, max_associations_per_user),
	  .preset = "16384", .min = 1, .max = 1000000,
	  .doc = "Associations of one user at one time. One that comes up beyond it is aborted." },
	{ .key = "max_lookups_per_user", .type = NUMBER,
	  .offset = offsetof(struct config, max_lookups_per_user),
	  .preset = "1024", .min = 1, .max = 1000000,
	  .doc = "Host names of one user that are being looked up, or wait for it, at one time." },
	{ .key = "max_memory_per_user", .type = BYTES,
	  .offset = offsetof(struct config, max_memory_per_user),
	  .preset = "512M", .min = 1 << 20, .max = UINT64_C(1) << 40,
	  .doc = "Memory for all clients of one user. One connection may have no more of it than is free for the user's others. A user without memory left is served in the smallest portions; a message that would have to wait is refused, and a client that sends a long request, or a session that acknowledges nothing, is ended." },
	{ .key = "max_message", .type = BYTES,
	  .offset = offsetof(struct config, max_message),
	  .preset = "16M", .min = 65536, .max = 1 << 30,
	  .doc = "Longest message, either way. An association whose peer sends a longer one is aborted. A request may be 1 MiB longer than this." },
	{ .key = "client_queue", .type = BYTES,
	  .offset = offsetof(struct config, client_queue),
	  .preset = "1M", .min = 4096, .max = 1 << 30,
	  .doc = "Bytes that may wait for a client that does not read, or whose messages find no room. Then its sockets, or its requests, are not read for a while." },
	{ .key = "association_queue", .type = BYTES,
	  .offset = offsetof(struct config, association_queue),
	  .preset = "3M", .min = 4096, .max = 1 << 30,
	  .doc = "Memory for messages that wait in one association whose peer takes nothing. Their senders are read on; beyond it they are not, for queue_time, and then a message more is refused with eagain." },
	{ .key = "queue_time", .type = NUMBER,
	  .offset = offsetof(struct config, queue_time),
	  .preset = "30000", .min = 100, .max = 86400000,
	  .doc = "How long the senders of an association that takes nothing and whose association_queue is full are not read, ms. Then they are, and are refused." },
	{ .key = "resume_time", .type = NUMBER,
	  .offset = offsetof(struct config, resume_time),
	  .preset = "30000", .max = 86400000,
	  .doc = "How long a session waits for its client after the daemon restarted, ms. Then the client counts as dead." },
	{ .key = "batch_associations", .type = NUMBER,
	  .offset = offsetof(struct config, batch_associations),
	  .preset = "64", .max = 1000000,
	  .doc = "With so many associations the daemon is scheduled as SCHED_BATCH, sched(7): where no processor is idle it waits for its turn, not to interrupt others at each message. 0: never." },
	{ .key = "user", .type = TEXT,
	  .offset = offsetof(struct config, user),
	  .preset = "",
	  .at_start = true,
	  .doc = "User to become when started by root, with the capabilities that SCTP takes. Empty: nobody else." },
	{ .key = "max_sndbuf", .type = BYTES,
	  .offset = offsetof(struct config, max_sndbuf),
	  .preset = "16M", .min = 65536, .max = 1 << 30,
	  .doc = "Largest sndbuf that a client may set; root may set any." },
	{ .key = "max_recbuf", .type = BYTES,
	  .offset = offsetof(struct config, max_recbuf),
	  .preset = "16M", .min = 65536, .max = 1 << 30,
	  .doc = "Largest recbuf that a client may set; root may set any." },
	{ .key = "netns_users", .type = TEXT,
	  .offset = offsetof(struct config, netns_users),
	  .preset = "root", IS_USERS,
	  .doc = "Who may open sockets in other network namespaces: root, all, or root and these users." },
	{ .key = "privileged_ports", .type = TEXT,
	  .offset = offsetof(struct config, privileged_ports),
	  .preset = "root", IS_USERS,
	  .doc = "Who may bind ports below net.ipv4.ip_unprivileged_port_start, 1024: root, all, or root and these users." },
	{ .key = "stack", .type = TEXT,
	  .offset = offsetof(struct config, stack),
	  .preset = "auto",
	  .at_start = true,
	  .is_right = is_stack, .right = NO_STACK,
	  .doc = "Whose SCTP: the kernel's, the userland stack over UDP, or auto, the kernel's where it has one." },
	{ .key = "udp_port", .type = TEXT,
	  .offset = offsetof(struct config, udp_port),
	  .preset = "9899",
	  .at_start = true,
	  .is_right = is_port_list, .right = "is no list of 1 to 8 UDP ports, 1 to 65535",
	  .doc = "UDP ports that the userland stack receives on; it sends from the first." },
	{ .key = "peer_udp_port", .type = NUMBER,
	  .offset = offsetof(struct config, peer_udp_port),
	  .at_start = true,
	  .preset = "9899", .min = 1, .max = 65535,
	  .doc = "UDP port of a peer that the userland stack connects to. The port of one that connects is learnt from its packets." },
};

#define NSETTINGS	(sizeof settings / sizeof settings[0])

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
	int	 base = s->type == MODE ? 8 : 10;

	errno = 0;
	*n = strtoull(value, &end, base);
	if (errno != 0 || end == value || !isdigit((unsigned char)*value))
		return false;
	if (s->type == BYTES && (*end == 'K' || *end == 'M')) {
		if (*n > s->max)
			return false;	/* before it wraps */
		*n <<= *end == 'K' ? 10 : 20;
		end++;
	}
	return *end == '\0' && *n >= s->min && *n <= s->max;
}

static bool
refuse_number(const struct setting *s, const char *value, char *error, size_t size)
{
	if (s->type == MODE)
		(void)snprintf(error, size, "%s: \"%s\" is not an octal number from %" PRIo64 " to %" PRIo64,
		    s->key, value, s->min, s->max);
	else
		(void)snprintf(error, size, "%s: \"%s\" is not %s from %" PRIu64 " to %" PRIu64,
		    s->key, value, s->type == BYTES ?
		    "bytes (K and M are understood)" : "a number", s->min, s->max);
	return false;
}

static bool
apply(struct config *c, const struct setting *s, const char *value, char *error, size_t size)
{
	uint64_t	 n;
	int		 priority;

	if (s->is_right != NULL && !s->is_right(value))
		return fail(error, size, s->key, value, s->right);
	if (s->type == TEXT) {
		free(*text_of(c, s));
		*text_of(c, s) = xstrdup(value);
		return true;
	}
	if (s->type == LEVEL) {
		if ((priority = log_level_find(value)) == -1)
			return fail(error, size, s->key, value,
			    "is none of err, warning, notice, info, debug");
		*number_of(c, s) = (uint64_t)priority;
		return true;
	}
	if (!parse_number(s, value, &n))
		return refuse_number(s, value, error, size);
	*number_of(c, s) = n;
	return true;
}

/* The number of a setting in the table; NSETTINGS: there is none of that key. */
static size_t
find(const char *key)
{
	size_t	i = 0;

	while (i < NSETTINGS && strcmp(settings[i].key, key) != 0)
		i++;
	return i;
}

bool
config_set(struct config *c, const char *key, const char *value, char *error, size_t size)
{
	size_t	i = find(key);

	if (i < NSETTINGS)
		return apply(c, &settings[i], value, error, size);
	return fail(error, size, "unknown key", key, "(see sctpd.conf(5))");
}

void
config_init(struct config *c)
{
	char	error[256];

	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (!apply(c, &settings[i], settings[i].preset, error, sizeof error))
			log_fatal("%s", error);
	}
}

void
config_free(struct config *c)
{
	for (size_t i = 0; i < NSETTINGS; i++) {
		if (settings[i].type == TEXT)
			free(*text_of(c, &settings[i]));
	}
	memset(c, 0, sizeof *c);
}

static bool
same(struct config *a, struct config *b, const struct setting *s)
{
	if (s->type == TEXT)
		return strcmp(*text_of(a, s), *text_of(b, s)) == 0;
	return *number_of(a, s) == *number_of(b, s);
}

/* What is in force goes into the new configuration. */
static void
keep(struct config *new, const struct setting *s)
{
	if (s->type == TEXT) {
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
		if (same(&config, new, &settings[i]))
			continue;
		if (settings[i].at_start)
			keep(new, &settings[i]);
		log_notice("config: %s %s", settings[i].key, settings[i].at_start ?
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

/* A file that is being read: which line set what, 0: none. */
struct reader {
	struct config	*config;
	unsigned	 line;
	unsigned	 set[NSETTINGS];
};

/* One line: empty, a comment, or key = value. */
static bool
read_line(struct reader *r, char *line, char *error, size_t size)
{
	char	*text = trim(line), *equals, *key;
	size_t	 i;

	if (*text == '\0' || *text == '#')
		return true;
	if ((equals = strchr(text, '=')) == NULL)
		return fail(error, size, "syntax", text, "is no \"key = value\"");
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

/* The n bytes of a line, which may hold anything. */
static bool
read_bytes(struct reader *r, char *line, size_t n, char *error, size_t size)
{
	if (strlen(line) == n)
		return read_line(r, line, error, size);
	(void)snprintf(error, size, "syntax: there is a NUL byte in the line; a configuration is plain text");
	return false;
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
		if (!(ok = read_bytes(&r, line, (size_t)n, why, sizeof why)))
			(void)snprintf(error, size, "%s:%u: %s", name, r.line, why);
	}
	if (ok && ferror(f)) {	/* a directory is opened and cannot be read */
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

void
config_print(const struct config *c, FILE *f)
{
	for (size_t i = 0; i < NSETTINGS; i++) {
		const struct setting	*s = &settings[i];
		const void		*at = (const char *)c + s->offset;
		static const char *const names[] = { "", "", "", "err", "warning",
		    "notice", "info", "debug" };

		(void)fprintf(f, "# %s\n%s = ", s->doc, s->key);
		if (s->type == TEXT)
			(void)fprintf(f, "%s\n\n", *(char *const *)at);
		else if (s->type == LEVEL)
			(void)fprintf(f, "%s\n\n", names[*(const uint64_t *)at]);
		else
			(void)fprintf(f, s->type == MODE ? "%04" PRIo64 "\n\n" :
			    "%" PRIu64 "\n\n", *(const uint64_t *)at);
	}
}
