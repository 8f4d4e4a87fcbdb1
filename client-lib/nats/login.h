/* SPDX-License-Identifier: BSD-2-Clause */
/* Who the bridge is at the NATS servers: the settings of the login, for libnats and for the connection of the log. */
#ifndef NATS_LOGIN_H
#define NATS_LOGIN_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>

/* Tell libnats. Not NATS_OK: why says it, or is empty if libnats knows. */
natsStatus login_options(natsOptions *, char *why, size_t size);

/* Must the server do TLS? */
bool login_tls(void);

/* What a login depends on beside the settings. */
struct login {
	const char	*nonce;		/* of the server */
	const char	*user;		/* what stands in its URL, or NULL */
	const char	*password;
};

/* The arguments of CONNECT, a JSON object, to be freed. NULL: why says it. */
char *login_connect(const struct login *, char *why, size_t size);

#endif
