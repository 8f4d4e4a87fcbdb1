/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "nats/config.h"
#include "nats/link.h"
#include "nats/mem.h"

#define WAIT_S	2	/* for each step, while it may wait */

struct link {
	int	 fd;
	SSL	*ssl;	/* or NULL */
};

/* ---- TCP --------------------------------------------------------------- */

static int
try_address(const struct addrinfo *a)
{
	struct timeval	wait = { .tv_sec = WAIT_S };
	int		one = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
	    connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

struct link *
link_connect(const char *host, const char *port, char *why, size_t size)
{
	struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM }, *list;
	struct link	*l;
	int		 fd = -1, code = getaddrinfo(host, port, &hints, &list);

	if (code != 0) {
		(void)snprintf(why, size, "%s: %s", host, gai_strerror(code));
		return NULL;
	}
	for (struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next)
		fd = try_address(a);
	freeaddrinfo(list);
	if (fd == -1) {
		(void)snprintf(why, size, "%s port %s: %s", host, port, errno == EINPROGRESS ? strerror(ETIMEDOUT) : strerror(errno));
		return NULL;
	}
	l = xcalloc(1, sizeof *l);
	l->fd = fd;
	return l;
}

void
link_no_wait(struct link *l)
{
	(void)fcntl(l->fd, F_SETFL, O_NONBLOCK);
}

int
link_fd(const struct link *l)
{
	return l->fd;
}

void
link_close(struct link *l)
{
	if (l == NULL)
		return;
	SSL_free(l->ssl);
	(void)close(l->fd);
	free(l);
}

/* ---- TLS ---------------------------------------------------------------- */

/* What OpenSSL says about its last error on this thread. */
static void
tls_why(const SSL *ssl, char *why, size_t size)
{
	char		text[200];
	unsigned long	e = ERR_get_error();
	long		verified = ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;

	ERR_error_string_n(e, text, sizeof text);
	if (verified != X509_V_OK)
		(void)snprintf(why, size, "SSL: the certificate of the server: %s", X509_verify_cert_error_string(verified));
	else
		(void)snprintf(why, size, "SSL: %s", e != 0 ? text : "the server closed the connection");
}

static SSL_CTX *
tls_context(void)
{
	SSL_CTX	*c = SSL_CTX_new(TLS_client_method());
	bool	 ok;

	if (c == NULL)
		return NULL;
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ok = SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
	    (*config.tls_ca != '\0' ? SSL_CTX_load_verify_locations(c, config.tls_ca, NULL) : SSL_CTX_set_default_verify_paths(c)) == 1 &&
	    (*config.tls_cert == '\0' || (SSL_CTX_use_certificate_chain_file(c, config.tls_cert) == 1 &&
	    SSL_CTX_use_PrivateKey_file(c, config.tls_key, SSL_FILETYPE_PEM) == 1));
	if (ok)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

/* The name or the address that the certificate must have. */
static bool
tls_expect(SSL *ssl, const char *name)
{
	unsigned char	address[16];

	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

bool
link_tls(struct link *l, const char *host, char *why, size_t size)
{
	SSL_CTX	*c;
	bool	 ok;

	ERR_clear_error();
	c = tls_context();
	l->ssl = c != NULL ? SSL_new(c) : NULL;
	ok = l->ssl != NULL && SSL_set_fd(l->ssl, l->fd) == 1 &&
	    tls_expect(l->ssl, *config.tls_hostname != '\0' ? config.tls_hostname : host) && SSL_connect(l->ssl) == 1;
	if (!ok)
		tls_why(l->ssl, why, size);
	SSL_CTX_free(c);
	return ok;
}

/* ---- read and write -------------------------------------------------------- */

static ssize_t
plain_result(ssize_t n, bool end, char *why, size_t len)
{
	if (n > 0)
		return n;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	(void)snprintf(why, len, "%s", end && n == 0 ? "the server closed the connection" : strerror(errno));
	return -1;
}

static ssize_t
tls_result(const struct link *l, int done, size_t n, char *why, size_t len)
{
	int	code;

	if (done == 1)
		return (ssize_t)n;
	code = SSL_get_error(l->ssl, done);
	if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
		return 0;
	tls_why(l->ssl, why, len);
	return -1;
}

ssize_t
link_read(struct link *l, void *to, size_t size, char *why, size_t len)
{
	size_t	n = 0;
	int	done;

	if (l->ssl == NULL)
		return plain_result(recv(l->fd, to, size, 0), true, why, len);
	ERR_clear_error();
	done = SSL_read_ex(l->ssl, to, size, &n);
	return tls_result(l, done, n, why, len);
}

ssize_t
link_write(struct link *l, const void *from, size_t size, char *why, size_t len)
{
	size_t	n = 0;
	int	done;

	if (l->ssl == NULL)
		return plain_result(send(l->fd, from, size, MSG_NOSIGNAL), false, why, len);
	ERR_clear_error();
	done = SSL_write_ex(l->ssl, from, size, &n);
	return tls_result(l, done, n, why, len);
}
