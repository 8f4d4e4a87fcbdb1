/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/config.h"
#include "nats/json.h"
#include "nats/login.h"
#include "nats/mem.h"

#define SECRET	1024	/* bytes of a password or a seed */

/* ---- files --------------------------------------------------------------- */

static FILE *
open_file(const char *path, char *why, size_t size)
{
	FILE	*f = fopen(path, "re");

	if (f == NULL)
		(void)snprintf(why, size, "%s: %s", path, strerror(errno));
	return f;
}

/* The first line of a file that begins so. */
static bool
read_line(const char *path, const char *begins, char *line, size_t len, char *why, size_t size)
{
	FILE	*f = open_file(path, why, size);
	bool	 found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, (int)len, f) != NULL)
		found = strncmp(line, begins, strlen(begins)) == 0;
	(void)fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	if (!found)
		(void)snprintf(why, size, "%s: %s%s", path, *begins != '\0' ? "it has no line that begins with " : "it is empty", begins);
	return found;
}

/* The first line of a file, for a password. */
static natsStatus
read_secret(const char *path, char secret[SECRET], char *why, size_t size)
{
	return read_line(path, "", secret, SECRET, why, size) ? NATS_OK : NATS_INVALID_ARG;
}

/* ---- libnats ---------------------------------------------------------------- */

static natsStatus
set_login(natsOptions *o, char *why, size_t size)
{
	char		secret[SECRET];
	natsStatus	s = NATS_OK;

	if (*config.credentials != '\0')
		s = natsOptions_SetUserCredentialsFromFiles(o, config.credentials, NULL);
	if (s == NATS_OK && *config.nkey != '\0')
		s = natsOptions_SetNKeyFromSeed(o, config.nkey, config.nkey_seed);
	if (s == NATS_OK && *config.user != '\0' && (s = read_secret(config.password_file, secret, why, size)) == NATS_OK)
		s = natsOptions_SetUserInfo(o, config.user, secret);
	if (s == NATS_OK && *config.token_file != '\0' && (s = read_secret(config.token_file, secret, why, size)) == NATS_OK)
		s = natsOptions_SetToken(o, secret);
	explicit_bzero(secret, sizeof secret);
	return s;
}

bool
login_tls(void)
{
	return config.tls || *config.tls_ca != '\0' || *config.tls_cert != '\0' || *config.tls_hostname != '\0';
}

static natsStatus
set_tls(natsOptions *o)
{
	natsStatus	s = NATS_OK;

	if (login_tls())
		s = natsOptions_SetSecure(o, true);
	if (s == NATS_OK && *config.tls_ca != '\0')
		s = natsOptions_LoadCATrustedCertificates(o, config.tls_ca);
	if (s == NATS_OK && *config.tls_cert != '\0')
		s = natsOptions_LoadCertificatesChain(o, config.tls_cert, config.tls_key);
	if (s == NATS_OK && *config.tls_hostname != '\0')
		s = natsOptions_SetExpectedHostname(o, config.tls_hostname);
	return s;
}

natsStatus
login_options(natsOptions *o, char *why, size_t size)
{
	natsStatus	s = set_login(o, why, size);

	return s == NATS_OK ? set_tls(o) : s;
}

/* ---- CONNECT -------------------------------------------------------------------- */

static void
member(FILE *f, const char *key, const char *value)
{
	(void)fprintf(f, ",\"%s\":", key);
	json_string(f, value, strlen(value));
}

/* Base64 as in URLs, without "=" at the end. */
static void
base64(FILE *f, const unsigned char *s, int len)
{
	static const char	digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned		bits = 0;
	int			n = 0;

	for (int i = 0; i < len; i++) {
		bits = bits << 8 | s[i];
		for (n += 8; n >= 6; n -= 6)
			(void)putc(digits[bits >> (n - 6) & 63], f);
	}
	if (n > 0)
		(void)putc(digits[bits << (6 - n) & 63], f);
}

/* The nonce, signed with the seed that a line of the file is. */
static bool
signature(FILE *f, const char *path, const char *nonce, char *why, size_t size)
{
	unsigned char	*sig = NULL;
	char		 seed[SECRET];
	int		 len;
	natsStatus	 s;

	if (!read_line(path, "SU", seed, sizeof seed, why, size))
		return false;
	s = nats_Sign(seed, nonce, &sig, &len);
	explicit_bzero(seed, sizeof seed);
	if (s != NATS_OK) {
		(void)snprintf(why, size, "%s: %s", path, natsStatus_GetText(s));
		return false;
	}
	(void)fputs(",\"sig\":\"", f);
	base64(f, sig, len);
	(void)putc('"', f);
	free(sig);
	return true;
}

/* The JWT of a file of credentials: it begins so, as it is base64 of an object. */
static bool
jwt(FILE *f, const char *path, char *why, size_t size)
{
	FILE	*in = open_file(path, why, size);
	char	*line = NULL;
	size_t	 room = 0;
	bool	 found = false;

	if (in == NULL)
		return false;
	while (!found && getline(&line, &room, in) != -1)
		found = strncmp(line, "eyJ", 3) == 0;
	(void)fclose(in);
	if (found) {
		line[strcspn(line, "\r\n")] = '\0';
		member(f, "jwt", line);
	} else
		(void)snprintf(why, size, "%s: there is no JWT in it", path);
	free(line);
	return found;
}

static bool
secret_member(FILE *f, const char *key, const char *path, char *why, size_t size)
{
	char	secret[SECRET];
	bool	ok = read_secret(path, secret, why, size) == NATS_OK;

	if (ok)
		member(f, key, secret);
	explicit_bzero(secret, sizeof secret);
	return ok;
}

/* What stands in the URL counts more than the settings, as for libnats. A user without a password is a token. */
static bool
url_login(FILE *f, const char *user, const char *password)
{
	if (user == NULL)
		return false;
	member(f, password != NULL ? "user" : "auth_token", user);
	if (password != NULL)
		member(f, "pass", password);
	return true;
}

static bool
write_login(FILE *f, const struct login *l, char *why, size_t size)
{
	if (*config.credentials != '\0' &&
	    (!jwt(f, config.credentials, why, size) || !signature(f, config.credentials, l->nonce, why, size)))
		return false;
	if (*config.nkey != '\0') {
		member(f, "nkey", config.nkey);
		if (!signature(f, config.nkey_seed, l->nonce, why, size))
			return false;
	}
	if (url_login(f, l->user, l->password))
		return true;
	if (*config.user != '\0') {
		member(f, "user", config.user);
		if (!secret_member(f, "pass", config.password_file, why, size))
			return false;
	}
	return *config.token_file == '\0' || secret_member(f, "auth_token", config.token_file, why, size);
}

char *
login_connect(const struct login *l, char *why, size_t size)
{
	char	*text = NULL;
	size_t	 len;
	FILE	*f = open_memstream(&text, &len);
	bool	 ok;

	if (f == NULL)
		log_fatal("there is no memory left");
	(void)fputs("{\"verbose\":false,\"pedantic\":false,\"echo\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1,\"lang\":\"C\","
	    "\"version\":\"" SCTPD_VERSION "\",\"name\":\"sctpd-nats log\"", f);
	ok = write_login(f, l, why, size);
	(void)putc('}', f);
	if (fclose(f) != 0)
		log_fatal("there is no memory left");
	if (ok)
		return text;
	free(text);
	return NULL;
}
