/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's SCTP as a stack: the table, and the small functions in it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/changes.h"
#include "kernel/kernel.h"
#include "kernel/ops.h"

/*
 * What else to do where the kernel has no SCTP. A build with the userland stack
 * says so in sctpd.conf(5).
 */
#ifdef USERLAND
#define OR_USERLAND
#else
#define OR_USERLAND	"; or install usrsctp (Debian: libusrsctp-dev) and build sctpd again, "	\
	"for SCTP over UDP without the kernel's"
#endif

const char *
kernel_probe(void)
{
	int	fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd == -1)
		return errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT ?
		    "this kernel has no SCTP: try \"modprobe sctp\"; see whether "
		    "/etc/modprobe.d forbids it (\"install sctp /bin/false\"), and "
		    "whether the distribution has it in a package of its own"
		    OR_USERLAND :
		    strerror(errno);
	(void)close(fd);
	return NULL;
}

static const char *const features[] = { "multihoming", "bindx", "lend", "netns", NULL };
static const char *const features_here[] = { "multihoming", "bindx", "lend", NULL };

const char *const *
kernel_features(void)
{
	return kernel_can_enter() ? features : features_here;
}

/* The kernel itself says which options it lacks, when it is asked for them. */
bool
kernel_has_option(const struct sockopt *o)
{
	(void)o;
	return true;
}

/* The kernel has no limits of its own for a field's values. */
uint32_t
kernel_most(const struct sockopt *o, const struct field *f)
{
	(void)o, (void)f;
	return 0;
}

/* Buffers are charged by association (assoc_set_user), so there is nothing to do here. */
void
kernel_set_user(struct sock *s)
{
	(void)s;
}

static void
stage(void)
{
	kernel_recv_stage();
	kernel_send_stage();
}

void
kernel_init(void)
{
	kernel_reload();
	kernel_recv_init();
	kernel_send_init();
	changes_at_commit(stage);
}

const struct stack kernel_stack = {
	.name = "kernel",
	.memory = "the kernel; see net.sctp.sctp_mem in sctpd(8)",
	.survives = true,
	.can_lend = true,
	.offers_by_scope = true,
#define OP(result, name, ...)	.name = kernel_##name,
#include "stack/ops.def"
};
