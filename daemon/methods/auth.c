/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option sctp_auth_required: authentication (RFC 4895) with nothing left
 * open.
 *
 * An endpoint begins with an empty key of number 0, which is valid until it is
 * deleted. So the order matters: a key that is not empty is set and made active,
 * and then key 0 is deleted. What peers that do not support AUTH send is not
 * authenticated at all; therefore the daemon aborts their associations
 * (upcall_lacks_auth). If a step fails, the socket accepts less than it was
 * asked for, and never more.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stddef.h>
#include <string.h>

#include "methods/auth.h"
#include "rpc/call.h"
#include "stack/stack.h"

/* The rows that do the work, and their values. */
static int
set(struct sock *s, const char *name, const void *value, size_t len)
{
	const struct sockopt	*o = sockopt_find(name, strlen(name));
	char			 buf[SOCKOPT_MAX] = { 0 };
	int			 number;

	memcpy(buf, value, len);
	number = stack->has_option(o) ? stack->setopt(s, o, buf) : ENOPROTOOPT;
	explicit_bzero(buf, sizeof buf);
	return number;
}

static int
set_chunks(struct sock *s, const struct sockopt_auth *a)
{
	/* What changes that which the client receives: DATA, I-DATA, both FORWARD TSN, RE-CONFIG. */
	static const uint8_t	usual[] = { 0, 64, 192, 194, 130 };
	const uint8_t		*chunks = a->nchunks > 0 ? a->chunks : usual;
	size_t			 n = a->nchunks > 0 ? a->nchunks : sizeof usual;
	struct sctp_authchunk	 one;
	int			 number = 0;

	for (size_t i = 0; i < n && number == 0; i++) {
		one.sauth_chunk = chunks[i];
		number = set(s, "sctp_auth_chunk", &one, sizeof one);
	}
	return number;
}

static int
set_hmacs(struct sock *s, const struct sockopt_auth *a)
{
	struct { uint32_t n; uint16_t idents[SOCKOPT_HMACS]; } v = { .n = a->nhmacs };
	int			 number;

	_Static_assert(offsetof(struct sctp_hmacalgo, shmac_idents) == 4, "the same layout");
	memcpy(v.idents, a->hmacs, sizeof v.idents);
	if (v.n == 0) {
		v.n = 2;
		v.idents[0] = SCTP_AUTH_HMAC_ID_SHA256;
		v.idents[1] = SCTP_AUTH_HMAC_ID_SHA1;
	}
	number = set(s, "sctp_hmac_ident", &v, sizeof v);
	return number == EINVAL && a->nhmacs == 0 ? 0 : number;	/* sha1 alone, as it was */
}

static int
set_key(struct sock *s, const struct sockopt_auth *a)
{
	struct sctp_authkeyid	id = { .scact_keynumber = a->keynumber };
	char			key[sizeof(struct sctp_authkey) + SOCKOPT_KEY_MAX] = { 0 };
	int			number;

	memcpy(key + offsetof(struct sctp_authkey, sca_keynumber), &a->keynumber, sizeof a->keynumber);
	memcpy(key + offsetof(struct sctp_authkey, sca_keylength), &a->keylength, sizeof a->keylength);
	memcpy(key + offsetof(struct sctp_authkey, sca_key), a->key, sizeof a->key);
	number = set(s, "sctp_auth_key", key, sizeof key);
	explicit_bzero(key, sizeof key);
	if (number == 0)
		number = set(s, "sctp_auth_active_key", &id, sizeof id);
	if (number != 0)
		return number;
	id.scact_keynumber = 0;
	number = set(s, "sctp_auth_delete_key", &id, sizeof id);
	return number == EINVAL ? 0 : number;	/* key 0 is not the active one, so it is deleted already */
}

enum error
auth_require(struct sock *s, const struct sockopt *o, const struct sockopt_auth *a)
{
	const struct sctp_assoc_value	 on = { .assoc_value = 1 };
	const char			*step = "sctp_auth_supported";
	int				 number;

	if (s->assocs.count > 0)
		return call_fail(ERR_eisconn, "%s: the socket has associations; change their keys with sctp_auth_key and sctp_auth_active_key",
		    o->name);
	if (a->keynumber == 0)
		return call_fail(ERR_einval, "%s.keynumber: 0 is the number of the empty key; give another one", o->name);
	if (a->keylength == 0)
		return call_fail(ERR_einval, "%s.key: it is empty", o->name);
	s->own.refuse_without_auth = true;
	if ((number = set(s, step, &on, sizeof on)) == 0)
		number = set_chunks(s, a), step = "chunks";
	if (number == 0)
		number = set_hmacs(s, a), step = "hmacs";
	if (number == 0)
		number = set_key(s, a), step = "key";
	if (number != 0)
		return call_fail(error_from_errno(number), "%s: %s: %s", o->name, step, strerror(number));
	return ERR_OK;
}
