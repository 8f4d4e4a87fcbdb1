/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP as one of the stacks that there are.
 */
#include "kernel.h"
#include "stack-ops.h"

static const char *const features[] = { "multihoming", "lend", "netns", NULL };
static const char *const features_here[] = { "multihoming", "lend", NULL };

static const char *const *
what_it_can(void)
{
	return kernel_can_enter() ? features : features_here;
}

/* What this kernel lacks it says itself, when it is asked. */
static bool
has_option(const struct sockopt *o)
{
	(void)o;
	return true;
}

const struct stack_ops kernel_stack = {
	.name = "kernel",
	.memory = "the kernel; see net.sctp.sctp_mem in sctpd(8)",
	.survives = true,
	.features = what_it_can,
	.probe = stack_probe,
	.has_option = has_option,
	.open = stack_open,
	.bind = stack_bind,
	.listen = stack_listen,
	.connect = stack_connect,
	.accept = stack_accept,
	.peeloff = stack_peeloff,
	.send = stack_send,
	.eof = stack_eof,
	.abort = stack_abort,
	.await_room = stack_await_room,
	.read = stack_read,
	.receive = stack_receive,
	.setopt = stack_setopt,
	.getopt = stack_getopt,
	.defaults = stack_defaults,
	.count_streams = stack_count_streams,
	.subscribe = stack_subscribe,
	.names = stack_names,
	.close = stack_close,
	.linger = stack_linger,
	.assoc_init = stack_assoc_init,
	.assoc_free = stack_assoc_free,
	.free = stack_free,
	.reload = kernel_budget_init,
	.init = stack_init,
	.restore_sock = stack_restore_sock,
	.restore_assoc = stack_restore_assoc,
	.restore_joint = stack_restore_joint,
	.restore_batches = stack_restore_batches,
	.took = stack_took,
	.gone = stack_gone,
	.stage = stack_stage,
	.lend = stack_lend,
	.has_part = stack_has_part,
	.take_back = stack_take_back,
};
