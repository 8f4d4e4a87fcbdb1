/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCTP on a host whose kernel has none: usrsctp, without threads of its own,
 * over UDP sockets in our loop. This file starts and ends usrsctp, and has the
 * table of the stack's functions.
 *
 * As with the kernel's SCTP, each association of a one-to-many socket is peeled
 * off when it comes up. So each can be paused, filled and closed alone.
 */
#include <errno.h>
#include <stddef.h>

#include "userland/ops.h"
#include "userland/userland.h"

/* As many streams as the kernel allows, and how many chunks may wait to be sent. */
#define STREAMS	65535
#define CHUNKS	65536

static bool	running;

/* What the clock and the wakes call: functions of files above those that call them. */
static const struct clock_hooks hooks = {
	.look = userland_look,
	.find_lost = userland_find_lost,
};

/* usrsctp keeps no message back. */
void
userland_flush(struct assoc *a)
{
	(void)a;
}

static const struct userland_wakes all_wakes = {
	.sock = userland_sock_on_wake,
	.deliver = userland_sock_on_deliver,
	.assoc = userland_assoc_on_wake,
	.finish = userland_assoc_on_finish,
};

/* By default, associations are offered what the kernel's SCTP offers. */
static void
start(void)
{
	usrsctp_init_nothreads(0, out_send, NULL);
	clock_start(&hooks);
	wakes = &all_wakes;
	usrsctp_enable_crc32c_offload();
	(void)usrsctp_sysctl_set_sctp_auth_enable(0);
	(void)usrsctp_sysctl_set_sctp_asconf_enable(0);
	(void)usrsctp_sysctl_set_sctp_auto_asconf(0);
	(void)usrsctp_sysctl_set_sctp_reconfig_enable(0);
	(void)usrsctp_sysctl_set_sctp_nrsack_enable(0);
	(void)usrsctp_sysctl_set_sctp_pktdrop_enable(0);
	(void)usrsctp_sysctl_set_sctp_nr_incoming_streams_default(STREAMS);
	(void)usrsctp_sysctl_set_sctp_max_chunks_on_queue(CHUNKS);
	/* Otherwise 30 losses of one chunk end an association whose own limit is higher. */
	(void)usrsctp_sysctl_set_sctp_max_retran_chunk(0);
	(void)usrsctp_sysctl_set_sctp_default_frag_interleave(0);
	(void)usrsctp_sysctl_set_sctp_default_ss_module(SCTP_SS_FIRST_COME);
	userland_budget_init();
	running = true;
}

/* max_memory may have changed. */
void
userland_reload(void)
{
	if (running)
		userland_budget_init();
}

const char *
userland_probe(void)
{
	if (!running)
		start();
	return udp_open();
}

static bool
is_quiet(void)
{
	return assoc_lingering() == 0;
}

/* Associations end with the process, so each is given time for its shutdown. */
void
userland_free(void)
{
	if (!running)
		return;
	udp_run(1000, is_quiet);
	userland_abort_lingering();
	udp_run(20, is_quiet);
	clock_stop();
	for (int i = 0; i < 10 && usrsctp_finish() != 0; i++)
		usrsctp_handle_timers(100);
	udp_close();
	embryo_free_all();
	path_free_all();
	userland_forget_all();
	budget_free();
	running = false;
}

static const char *const features[] = { "udp_encapsulation", NULL };
static const char *const features_of_ip[] = { NULL };

const char *const *
userland_features(void)
{
	return wire_is_raw() ? features_of_ip : features;
}

/* ---- what it lacks -------------------------------------------------- */

/* Nothing of this stack outlives the process: there is nothing to prepare or to restore. */
void
userland_init(void)
{
}

void
userland_restore_batches(void)
{
}

bool
userland_restore_sock(struct sock *s)
{
	(void)s;
	return false;
}

bool
userland_restore_assoc(struct assoc *a)
{
	(void)a;
	return false;
}

bool
userland_restore_partial(struct sock *s, struct assoc *a, struct record *r)
{
	(void)s, (void)a, (void)r;
	return false;
}

bool
userland_took(uint64_t client, uint64_t ordinal)
{
	(void)client, (void)ordinal;
	return false;
}

void
userland_gone(struct assoc *a)
{
	(void)a;
}

/* An association has one path, and a port one address: there is nothing to change. */
int
userland_bindx(struct sock *s, const struct stack_bindx *b, unsigned *told)
{
	(void)s, (void)b, (void)told;
	return ENOPROTOOPT;
}

/* This stack has no descriptors to lend. */
int
userland_lend(const struct sock *s)
{
	(void)s;
	return -1;
}

bool
userland_has_part(const struct assoc *a)
{
	(void)a;
	return false;
}

void
userland_take_back(struct sock *s)
{
	(void)s;
}

const struct stack userland_stack = {
	.name = "userland",
	.memory = "the userland stack; see max_memory and max_memory_per_user in sctpd.conf(5)",
	.survives = false,
	.can_lend = false,
	.offers_by_scope = false,
#define OP(result, name, ...)	.name = userland_##name,
#include "stack/ops.def"
};
