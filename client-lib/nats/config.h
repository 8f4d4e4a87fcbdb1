/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: settings, which are the rows of settings.def, and endpoints.
 * The file has the form of sctpd.conf(5).
 */
#ifndef NATS_CONFIG_H
#define NATS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE		"/etc/sctpd/sctpd-nats.conf"
#define CONFIG_ENDPOINTS	64
#define CONFIG_WORDS		64	/* of an endpoint */
#define CONFIG_SERVERS		16
#define CONFIG_NAME		64	/* bytes of a name, its NUL among them */

enum setting_type {
	/* texts */
	TYPE_TEXT, TYPE_TOKEN, TYPE_STORAGE,
	/* numbers */
	TYPE_NUMBER, TYPE_BYTES, TYPE_MILLISECONDS, TYPE_BOOL, TYPE_LEVEL,
};

#define MEMBER_TEXT		char *
#define MEMBER_TOKEN		char *
#define MEMBER_STORAGE		char *
#define MEMBER_NUMBER		uint64_t
#define MEMBER_BYTES		uint64_t
#define MEMBER_MILLISECONDS	uint64_t
#define MEMBER_BOOL		uint64_t
#define MEMBER_LEVEL		uint64_t

struct setting {
	enum setting_type	 type;
	const char		*name;
	const char		*preset;
	uint64_t		 min, max;
	size_t			 offset;	/* in struct config */
	const char		*meaning;
};

/*
 * "endpoint NAME {", lines "key = value", "}". It is a socket that listens, and the
 * words are arguments of sctpd's method open; or, with "attach = NAME", a supervised
 * association of sctpd.conf(5).
 */
struct endpoint_config {
	char		 name[CONFIG_NAME];
	char		*attach;	/* or NULL */
	unsigned	 line;
	size_t		 n;
	char		*word[CONFIG_WORDS];
};

struct config {
#define SETTING(TYPE, NAME, ...)	MEMBER_##TYPE NAME;
#include "nats/settings.def"
#undef SETTING
	struct endpoint_config	endpoints[CONFIG_ENDPOINTS];
	size_t			n_endpoints;
};

/* All of them; the last has no name. */
extern const struct setting setting_table[];

/* What is in force. */
extern struct config config;

/* Read the file into config. False, with "file:line: what and why" in error. */
bool config_read(const char *path, char *error, size_t size);

/* May it stand between two dots of a subject, and in the name of a stream? */
bool config_is_token(const char *);

#endif
