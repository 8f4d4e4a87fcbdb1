/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table of settings, read from a file of
 * "key = value" lines. sctpd.conf(5) has the same texts.
 */
#ifndef CONFIG_H
#define CONFIG_H

/* The userland stack is in what was built with it, and only there; its settings are everywhere. */
#ifdef USERLAND
#define IF_USERLAND(...)	__VA_ARGS__
#else
#define IF_USERLAND(...)
#endif

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_FILE	"/etc/sctpd/sctpd.conf"

/* Local UDP ports there may be. */
#define CONFIG_UDP_PORTS	8

struct config {
	char		*socket;
	char		*socket_group;
	uint64_t	 socket_mode;
	uint64_t	 log_level;
	uint64_t	 max_clients;
	uint64_t	 max_sockets;
	uint64_t	 max_associations;
	uint64_t	 max_memory;
	uint64_t	 max_clients_per_user;
	uint64_t	 max_sockets_per_user;
	uint64_t	 max_associations_per_user;
	uint64_t	 max_lookups_per_user;
	uint64_t	 max_memory_per_user;
	uint64_t	 max_message;
	uint64_t	 client_queue;
	uint64_t	 association_queue;
	uint64_t	 queue_time;
	uint64_t	 resume_time;
	uint64_t	 batch_associations;
	uint64_t	 max_sndbuf;
	uint64_t	 max_recbuf;
	char		*netns_users;
	char		*privileged_ports;
	char		*user;
	char		*stack;
	char		*udp_port;
	uint64_t	 peer_udp_port;
};

/* What is in force. */
extern struct config config;

/* Set everything to its default; config_free gives the texts back. */
void config_init(struct config *);
void config_free(struct config *);

/*
 * Read a file over what is set. False, with "file:line: what and why" in
 * error, if anything in it is wrong; a file that is not there is an error
 * only if required.
 */
bool config_read(struct config *, const char *path, bool required, char *error, size_t size);

/* The same from what is open already, of that name. */
bool config_parse(struct config *, FILE *, const char *name, char *error, size_t size);

/* Set one key; false with a reason in error. */
bool config_set(struct config *, const char *key, const char *value, char *error, size_t size);

/* Users that a setting may name. */
#define CONFIG_USERS	64

/* The ports of a list, or 0 if it is none. */
size_t config_ports(const char *, uint16_t ports[CONFIG_UDP_PORTS]);

/*
 * Put another configuration, which is taken, in force while running. What
 * cannot change any more stays as it is, and a log line says so.
 */
void config_change(struct config *);

/* Print it as a file that config_read takes. */
void config_print(const struct config *, FILE *);

#endif
