/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may ask the daemon for what only a privileged process may do.
 */
#include <ctype.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "methods/policy.h"
#include "rpc/call.h"
#include "util/log.h"
#include "util/mem.h"

#define PORT_START	"/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define METRICS_USER	"sctpd-metrics"	/* of a unit that need not be installed */
#define PRIORITY_MAX	6	/* of a program without privileges: socket(7) */

/* The users whom a setting names, beside root. */
struct users {
	bool	all;
	size_t	n;
	uid_t	uid[CONFIG_USERS];
	char	name[CONFIG_USERS][33];	/* as the setting has it */
};

static struct users	netns_users, port_users, admin_users, monitor_users, tap_users;
static unsigned		port_start;

static unsigned
read_port_start(void)
{
	unsigned	 port = 1024;
	FILE		*f;

	if ((f = fopen(PORT_START, "re")) == NULL)
		return port;
	if (fscanf(f, "%u", &port) != 1)
		port = 1024;
	(void)fclose(f);
	return port;
}

/* A name, or a number. */
static bool
find_user(const char *name, uid_t *uid)
{
	const struct passwd	*user;
	char			*end;
	unsigned long		 n = strtoul(name, &end, 10);

	if (isdigit((unsigned char)*name) && *end == '\0') {
		*uid = (uid_t)n;
		return n < UINT32_MAX;
	}
	if ((user = getpwnam(name)) == NULL)
		return false;
	*uid = user->pw_uid;
	return true;
}

/* A user who cannot be looked up now, as the directory is down, must not stop the start. */
static bool
find_users(const char *setting, const char *text, struct users *users)
{
	char	*copy = xstrdup(text), *rest = copy, *name;
	bool	 ok = true;

	users->n = 0;
	if ((users->all = strcmp(text, "all") == 0))
		*rest = '\0';
	while ((name = strsep(&rest, ", ")) != NULL) {
		if (*name == '\0')
			continue;
		if (users->n < CONFIG_USERS && find_user(name, &users->uid[users->n])) {
			(void)snprintf(users->name[users->n++], sizeof users->name[0], "%s", name);
			continue;
		}
		if (strcmp(name, METRICS_USER) == 0)
			continue;
		log_err("%s: there is no user \"%s\"", setting, name);
		ok = false;
	}
	free(copy);
	return ok;
}

bool
policy_init(void)
{
	bool	netns = find_users("netns_users", config.netns_users, &netns_users);
	bool	ports = find_users("privileged_ports", config.privileged_ports, &port_users);
	bool	admins = find_users("admin_users", config.admin_users, &admin_users);
	bool	monitors = find_users("monitor_users", config.monitor_users, &monitor_users);
	bool	taps = find_users("tap_users", config.tap_users, &tap_users);

	port_start = read_port_start();
	return netns && ports && admins && monitors && taps;
}

bool
policy_is_root(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static bool
is_named(const struct users *users, uid_t uid)
{
	if (users->all || policy_is_root(uid))
		return true;
	for (size_t i = 0; i < users->n; i++) {
		if (users->uid[i] == uid)
			return true;
	}
	return false;
}

/* The error must not tell what is at the path: that may be hidden from the client. */
enum error
policy_netns(uid_t uid)
{
	if (is_named(&netns_users, uid))
		return ERR_OK;
	return call_fail(ERR_eacces, "options.netns: you are user %u, and netns_users in sctpd.conf does not name you",
	    (unsigned)uid);
}

enum error
policy_port(uid_t uid, uint16_t port)
{
	if (port == 0 || port >= port_start || is_named(&port_users, uid))
		return ERR_OK;
	return call_fail(ERR_eacces, "port %u: you are user %u, and privileged_ports in sctpd.conf does not let you bind ports below %u",
	    port, (unsigned)uid, port_start);
}

bool
policy_may_tap(uid_t uid)
{
	return is_named(&tap_users, uid);
}

enum error
policy_tap(uid_t uid)
{
	if (policy_may_tap(uid))
		return ERR_OK;
	return call_fail(ERR_eacces, "tap: you are user %u, and tap_users in sctpd.conf does not name you",
	    (unsigned)uid);
}

void
policy_user_name(uid_t uid, char *to, size_t size)
{
	size_t	i;

	(void)snprintf(to, size, "%s", "root");
	if (uid == 0)
		return;
	(void)snprintf(to, size, "user %u", (unsigned)uid);
	for (i = 0; i < admin_users.n && admin_users.uid[i] != uid; i++)
		continue;
	if (i < admin_users.n && admin_users.name[i][0] != '\0')
		(void)snprintf(to, size, "%s", admin_users.name[i]);
}

bool
policy_is_admin(uid_t uid)
{
	return is_named(&admin_users, uid);
}

enum error
policy_admin(uid_t uid, const char *what)
{
	if (policy_is_admin(uid))
		return ERR_OK;
	return call_fail(ERR_eacces, "%s: it is for administrators; you are user %u, and admin_users in sctpd.conf does not name you",
	    what, (unsigned)uid);
}

bool
policy_may_see(const struct client *c, uid_t uid)
{
	return client_may_use(c, uid) || policy_is_admin(c->uid) || is_named(&monitor_users, c->uid);
}

static enum error
check_buffer(const struct sockopt *o, uint32_t bytes, const char *setting, uint64_t most)
{
	if (bytes <= most)
		return ERR_OK;
	return call_fail(ERR_limit, "%s: %u bytes are more than %" PRIu64 ", which %s in sctpd.conf allows",
	    o->name, bytes, most, setting);
}

enum error
policy_option(uid_t uid, const struct sockopt *o, const void *value)
{
	uint32_t	n;

	if (o->level != LEVEL_SOCKET || o->size != sizeof n || policy_is_root(uid))
		return ERR_OK;
	memcpy(&n, value, sizeof n);
	switch (o->optname) {
	case SO_SNDBUF:
		return check_buffer(o, n, "max_sndbuf", config.max_sndbuf);
	case SO_RCVBUF:
		return check_buffer(o, n, "max_recbuf", config.max_recbuf);
	case SO_PRIORITY:
		if (n > PRIORITY_MAX)
			return call_fail(ERR_eperm, "%s: %u is for root; others have 0 to %d",
			    o->name, n, PRIORITY_MAX);
		break;
	case SO_MARK:
		return call_fail(ERR_eperm, "%s: it is for root", o->name);
	default:
		break;
	}
	return ERR_OK;
}
