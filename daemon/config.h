/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table of settings, settings.def, whose values are read
 * from a file of "key = value" lines. config-doc.c prints sctpd.conf(5) from
 * the table.
 *
 * The configuration knows util and nothing else. Rooms above read struct
 * config. Whoever has to act on a change is told by main after config_change.
 */
#ifndef CONFIG_H
#define CONFIG_H

/* Only a build with USERLAND has the userland stack. Its settings exist in every build. */
#ifdef USERLAND
#define IF_USERLAND(...)	__VA_ARGS__
#else
#define IF_USERLAND(...)
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_FILE	"/etc/sctpd/sctpd.conf"

/* The most local UDP ports that a setting may name. */
#define CONFIG_UDP_PORTS	8

/* The kinds of value. A time and a port are numbers, too. */
enum setting_type {
	/* texts */
	TYPE_PATH, TYPE_GROUP, TYPE_USER, TYPE_USERS, TYPE_STACK, TYPE_ENCAP, TYPE_FORM, TYPE_PORTS,
	/* numbers */
	TYPE_LEVEL, TYPE_NUMBER, TYPE_MILLISECONDS, TYPE_PORT, TYPE_BYTES, TYPE_MODE,
};

/* One row of settings.def. */
struct setting {
	enum setting_type	 type;
	bool			 at_start;	/* otherwise on a reload, too */
	const char		*name;
	const char		*preset;
	uint64_t		 min, max;
	size_t			 offset;	/* in struct config */
	const char		*meaning;
	const char		*more;		/* in the manual page only */
};

#define MEMBER_PATH		char *
#define MEMBER_GROUP		char *
#define MEMBER_USER		char *
#define MEMBER_USERS		char *
#define MEMBER_STACK		char *
#define MEMBER_ENCAP		char *
#define MEMBER_FORM		char *
#define MEMBER_PORTS		char *
#define MEMBER_LEVEL		uint64_t
#define MEMBER_NUMBER		uint64_t
#define MEMBER_MILLISECONDS	uint64_t
#define MEMBER_PORT		uint64_t
#define MEMBER_BYTES		uint64_t
#define MEMBER_MODE		uint64_t

/* The most words of a paragraph. */
#define CONFIG_WORDS	64

/*
 * A paragraph: "association NAME {", lines "key = value", and "}". A key and its
 * value are a word, key=value, of the method supervise, whose rows say which
 * there are (proto/rpc.def).
 */
struct paragraph {
	struct paragraph	*next;
	char			*name;
	unsigned		 line;
	size_t			 n;
	char			*word[CONFIG_WORDS];
	unsigned		 lines[CONFIG_WORDS];
};

struct config {
#define SETTING(TYPE, NAME, ...)	MEMBER_##TYPE NAME;
#include "settings.def"
#undef SETTING
	struct paragraph	*paragraphs;	/* in their order */
};

/* All of them; the last has no name. */
extern const struct setting setting_table[];

/* What is in force. */
extern struct config config;

/*
 * What the room supervise says of a paragraph that was read: false, with an error
 * that begins with the key, if it is wrong.
 */
extern bool (*config_check_paragraph)(const struct paragraph *, char *error, size_t size);

/* Set everything to its default; config_free frees the texts. */
void config_init(struct config *);
void config_free(struct config *);

/*
 * Read a file on top of the current values. False, with "file:line: what and
 * why" in error, if anything in the file is wrong. A missing file is an error
 * only if it is required.
 */
bool config_read(struct config *, const char *path, bool required, char *error, size_t size);

/* The same from an open file; name is for the error. */
bool config_parse(struct config *, FILE *, const char *name, char *error, size_t size);

/* Set one key; false with a reason in error. */
bool config_set(struct config *, const char *key, const char *value, char *error, size_t size);

/* The most users that a setting may name. */
#define CONFIG_USERS	64

/* The ports of a list, and how many there are; 0 if the text is no list of ports. */
size_t config_ports(const char *, uint16_t ports[CONFIG_UDP_PORTS]);

/*
 * Put another configuration in force while running, and take over its texts. A
 * setting that takes effect only at the start keeps its value, and a log line
 * says so.
 */
void config_change(struct config *);

/* Print it as a file that config_read accepts, with the meaning of each setting. */
void config_print(const struct config *, FILE *);

#endif
