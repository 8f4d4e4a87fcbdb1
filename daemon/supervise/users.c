/* SPDX-License-Identifier: BSD-2-Clause */
/* Users, their groups and who is one of them: see users.h. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervise/users.h"
#include "supervise/wanted.h"
#include "util/log.h"

static bool
is_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static void
add_user(struct supervised_users *u, const char *of, const char *name)
{
	const struct passwd	*pw;
	const struct group	*gr;

	if (strcmp(name, "all") == 0)
		u->all = true;
	else if (name[0] == '@' && is_digits(name + 1))
		u->gid[u->ngids++] = (gid_t)strtoul(name + 1, NULL, 10);
	else if (is_digits(name))
		u->uid[u->nuids++] = (uid_t)strtoul(name, NULL, 10);
	else if (name[0] == '@' && (gr = getgrnam(name + 1)) != NULL)
		u->gid[u->ngids++] = gr->gr_gid;
	else if (name[0] != '@' && (pw = getpwnam(name)) != NULL)
		u->uid[u->nuids++] = pw->pw_uid;
	else
		log_err("supervised %s: attach: there is no %s \"%s\"", of, name[0] == '@' ? "group" : "user",
		    name + (name[0] == '@'));
}

void
users_find(struct supervised_users *u, const char *of, const struct rpc_supervise_in *in)
{
	char		name[40];
	struct slice	item;

	memset(u, 0, sizeof *u);
	for (uint32_t i = 0; i < wanted_count(&in->attach) && i < WANTED_ITEMS; i++) {
		item = wanted_item(&in->attach, i);
		(void)snprintf(name, sizeof name, "%.*s", (int)item.len, item.ptr);
		add_user(u, of, name);
	}
}

/* The kernel knows the groups of the process at the other end. */
static bool
is_in_groups(const struct client *c, const struct supervised_users *u)
{
	struct ucred	cred;
	gid_t		groups[256];
	socklen_t	len = sizeof cred;
	size_t		n = 0;

	if (u->ngids == 0 || c->fd == -1)
		return false;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		groups[n++] = cred.gid;
	len = sizeof groups - sizeof groups[0];
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERGROUPS, groups + n, &len) == 0)
		n += len / sizeof groups[0];
	for (size_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < u->ngids; j++) {
			if (groups[i] == u->gid[j])
				return true;
		}
	}
	return false;
}

bool
users_have(const struct supervised_users *u, const struct client *c)
{
	for (uint32_t i = 0; i < u->nuids; i++) {
		if (u->uid[i] == c->uid)
			return true;
	}
	return u->all || is_in_groups(c, u);
}
