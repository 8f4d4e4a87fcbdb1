/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Change from root to a user with only the capabilities that the daemon needs.
 *
 * The order matters: the bounding set can be made smaller only with
 * CAP_SETPCAP, groups changed only by root, and a change of the user takes all
 * capabilities unless PR_SET_KEEPCAPS says otherwise. The remaining ones are
 * made ambient, so that the keeper's children have them. Executing a program
 * can no longer add privileges, so no process gets more than these.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "service/drop.h"
#include "util/log.h"

/* What SO_RCVBUF and SO_SNDBUF are set to by the kernel's stack. */
#define RMEM_WANTED	(5 * (512 << 10))
#define WMEM_WANTED	(2 << 20)

#define BIT(cap)	(UINT64_C(1) << (cap))

static bool
fail(char *error, size_t size, const char *user, const char *what, const char *why)
{
	(void)snprintf(error, size, "user: %s: %s%s%s", user, what, why[0] != '\0' ? ": " : "", why);
	return false;
}

static unsigned long
read_number(const char *path)
{
	unsigned long	 n = 0;
	FILE		*f = fopen(path, "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	(void)fclose(f);
	return n;
}

/* Large buffers take CAP_NET_ADMIN, unless everybody may have them; SCTP over IP alone takes CAP_NET_RAW. */
static uint64_t
needed(void)
{
	bool	all_may = read_number("/proc/sys/net/core/rmem_max") >= RMEM_WANTED &&
		    read_number("/proc/sys/net/core/wmem_max") >= WMEM_WANTED;

	return BIT(CAP_NET_BIND_SERVICE) | (all_may ? 0 : BIT(CAP_NET_ADMIN)) |
	    (strcmp(config.encap, "none") == 0 ? BIT(CAP_NET_RAW) : 0);
}

static uint64_t
permitted(void)
{
	struct __user_cap_header_struct	head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	set[2] = { { .permitted = 0 } };

	if (syscall(SYS_capget, &head, set) == -1)
		return 0;
	return set[0].permitted | (uint64_t)set[1].permitted << 32;
}

static bool
set_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct	head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	set[2];

	for (int i = 0; i < 2; i++)
		set[i].permitted = set[i].effective = set[i].inheritable =
		    (uint32_t)(wanted >> 32 * i);
	if (syscall(SYS_capset, &head, set) == -1)
		return false;
	for (int cap = 0; cap < 64; cap++) {
		if (wanted >> cap & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == -1)
			return false;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* One that is there may be anybody's, /tmp even; it is not given away. */
static void
make_directory(const char *socket, const struct passwd *user)
{
	char	 dir[256];
	char	*slash;

	(void)snprintf(dir, sizeof dir, "%s", socket);
	if ((slash = strrchr(dir, '/')) == NULL || slash == dir)
		return;
	*slash = '\0';
	if (mkdir(dir, 0755) == 0 && chown(dir, user->pw_uid, user->pw_gid) == -1)
		log_warning("user: %s: %s", dir, strerror(errno));
}

static bool
become(const struct passwd *user, uint64_t wanted)
{
	/* Without CAP_SETPCAP this fails; what comes last is enough by itself. */
	for (int cap = 0; cap < 64; cap++) {
		if (!(wanted >> cap & 1))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
	    initgroups(user->pw_name, user->pw_gid) == 0 &&
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 &&
	    set_capabilities(wanted);
}

/* The user to become; NULL where nobody is to be become, or, false, cannot be. */
static bool
find_user(const char *name, const struct passwd **user, char *error, size_t size)
{
	*user = NULL;
	if (name[0] == '\0')
		return true;
	errno = 0;
	if ((*user = getpwnam(name)) == NULL && geteuid() == 0)
		return fail(error, size, name, "there is no such user", errno != 0 ? strerror(errno) : "");
	if (geteuid() == 0 || *user == NULL)
		return true;
	if ((*user)->pw_uid != geteuid())
		return fail(error, size, name, "only root can become another user", "");
	*user = NULL;
	return true;
}

bool
drop_check(const char *name, char *error, size_t size)
{
	const struct passwd	*user;

	return find_user(name, &user, error, size);
}

bool
drop_to_user(const char *name, const char *socket, char *error, size_t size)
{
	const struct passwd	*user;
	uint64_t		 wanted = needed() & permitted();

	if (!find_user(name, &user, error, size))
		return false;
	if (user == NULL)
		return true;
	make_directory(socket, user);
	if (!become(user, wanted))
		return fail(error, size, name, "cannot become it", strerror(errno));
	log_info("user: %s, with%s%s%s", name, wanted & BIT(CAP_NET_BIND_SERVICE) ?
	    " CAP_NET_BIND_SERVICE" : " no capability", wanted & BIT(CAP_NET_ADMIN) ? " CAP_NET_ADMIN" : "",
	    wanted & BIT(CAP_NET_RAW) ? " CAP_NET_RAW" : "");
	return true;
}
