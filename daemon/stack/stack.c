/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCTP stack that was chosen, and the calls to it.
 */
#include <string.h>

#include "config.h"
#include "stack-ops.h"

static const struct stack_ops	*ops = &kernel_stack;
static const char		*why = "the setting stack says so";

#ifdef USERLAND
static void
choose_by_kernel(void)
{
	ops = kernel_stack.probe() == NULL ? &kernel_stack : &userland_stack;
	why = ops == &kernel_stack ? "this kernel has SCTP" : "this kernel has no SCTP";
}

void
stack_choose(void)
{
	if (strcmp(config.stack, "auto") == 0)
		choose_by_kernel();
	else if (strcmp(config.stack, userland_stack.name) == 0)
		ops = &userland_stack;
}
#else
void
stack_choose(void)
{
	why = "sctpd was built without usrsctp, and has no other";
}
#endif

const char *
stack_name(void)
{
	return ops->name;
}

const char *
stack_memory(void)
{
	return ops->memory;
}

const char *
stack_why(void)
{
	return why;
}

void
stack_reload(void)
{
	if (ops->reload != NULL)
		ops->reload();
}

bool
stack_survives(void)
{
	return ops->survives;
}

const char *const *
stack_features(void)
{
	return ops->features();
}

const char *
stack_probe(void)
{
	return ops->probe();
}

bool
stack_has_option(const struct sockopt *o)
{
	return ops->has_option(o);
}

/* ---- sockets -------------------------------------------------------- */

int
stack_open(struct sock *s, const char *netns)
{
	return ops->open(s, netns);
}

int
stack_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	return ops->bind(s, addrs, n);
}

int
stack_listen(struct sock *s, int backlog)
{
	return ops->listen(s, backlog);
}

int
stack_connect(struct sock *s, const struct sockaddr_storage *addrs, size_t n,
    struct assoc **a)
{
	return ops->connect(s, addrs, n, a);
}

int
stack_accept(struct sock *listener, struct sock *to, struct assoc **a)
{
	return ops->accept(listener, to, a);
}

int
stack_peeloff(struct assoc *a, struct sock *to)
{
	return ops->peeloff(a, to);
}

void
stack_read(struct sock *s, bool messages, bool events)
{
	ops->read(s, messages, events);
}

void
stack_receive(struct sock *s, unsigned n)
{
	ops->receive(s, n);
}

uint32_t
stack_most(const struct sockopt *o, const struct field *f)
{
	return ops->most != NULL ? ops->most(o, f) : 0;
}

int
stack_setopt(struct sock *s, const struct sockopt *o, void *buf)
{
	return ops->setopt(s, o, buf);
}

int
stack_getopt(struct sock *s, const struct sockopt *o, void *buf)
{
	return ops->getopt(s, o, buf);
}

int
stack_subscribe(struct sock *s)
{
	return ops->subscribe(s);
}

int
stack_names(struct sock *s, struct assoc *a, bool peer,
    struct sockaddr_storage **names, size_t *n)
{
	return ops->names(s, a, peer, names, n);
}

void
stack_set_user(struct sock *s)
{
	if (ops->set_user != NULL)
		ops->set_user(s);
}

void
stack_close(struct sock *s)
{
	ops->close(s);
}

int
stack_linger(const struct sock *s)
{
	return ops->linger(s);
}

/* ---- associations --------------------------------------------------- */

unsigned
stack_send(struct assoc *a, const struct stack_message *m, unsigned n, int *number)
{
	return ops->send(a, m, n, number);
}

int
stack_eof(struct assoc *a)
{
	return ops->eof(a);
}

int
stack_abort(struct assoc *a, const void *reason, size_t len)
{
	return ops->abort(a, reason, len);
}

void
stack_await_room(struct assoc *a, bool on)
{
	ops->await_room(a, on);
}

void
stack_defaults(struct assoc *a, struct sndrcvinfo *to)
{
	ops->defaults(a, to);
}

void
stack_count_streams(struct assoc *a)
{
	ops->count_streams(a);
}

void
stack_assoc_init(struct assoc *a)
{
	ops->assoc_init(a);
}

void
stack_assoc_free(struct assoc *a)
{
	ops->assoc_free(a);
}

void
stack_free(void)
{
	ops->free();
}

/* ---- what outlives the process -------------------------------------- */

void
stack_init(void)
{
	if (ops->init != NULL)
		ops->init();
}

bool
stack_restore_sock(struct sock *s)
{
	return ops->restore_sock != NULL && ops->restore_sock(s);
}

bool
stack_restore_assoc(struct assoc *a)
{
	return ops->restore_assoc != NULL && ops->restore_assoc(a);
}

bool
stack_restore_joint(struct sock *s, struct assoc *a, struct record *r)
{
	return ops->restore_joint != NULL && ops->restore_joint(s, a, r);
}

void
stack_restore_batches(void)
{
	if (ops->restore_batches != NULL)
		ops->restore_batches();
}

bool
stack_took(uint64_t client, uint64_t ordinal)
{
	return ops->took != NULL && ops->took(client, ordinal);
}

void
stack_gone(struct assoc *a)
{
	if (ops->gone != NULL)
		ops->gone(a);
}

void
stack_stage(void)
{
	if (ops->stage != NULL)
		ops->stage();
}

/* ---- lending -------------------------------------------------------- */

bool
stack_can_lend(void)
{
	return ops->lend != NULL;
}

int
stack_lend(const struct sock *s)
{
	return ops->lend != NULL ? ops->lend(s) : -1;
}

bool
stack_has_part(const struct assoc *a)
{
	return ops->has_part != NULL && ops->has_part(a);
}

void
stack_take_back(struct sock *s)
{
	if (ops->take_back != NULL)
		ops->take_back(s);
}
