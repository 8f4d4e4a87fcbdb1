/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection of the library's whose other end is the test.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "lib.h"

struct sctpd	*lib_conn;
int		 lib_daemon;

void
lib_setup(void)
{
	int	fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	lib_daemon = fds[1];
	lib_conn = sctpd_new();
	ck_assert_ptr_nonnull(lib_conn);
	ck_assert_int_eq(sctpd_use_fd(lib_conn, fds[0]), SCTPD_OK);
	sctpd_set_timeout(lib_conn, 2000);
}

void
lib_teardown(void)
{
	ck_assert_ptr_null(sctpd_free(lib_conn));
	lib_hang_up();
}

void
lib_hang_up(void)
{
	if (lib_daemon != -1)
		close(lib_daemon);
	lib_daemon = -1;
}

void
lib_say_bytes(const char *bytes, size_t len)
{
	ck_assert_int_eq(write(lib_daemon, bytes, len), (ssize_t)len);
}

void
lib_say(const char *text)
{
	msgpack_sbuffer	sb;
	msgpack_packer	pk;

	msgpack_sbuffer_init(&sb);
	msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
	text_pack(&pk, text);
	lib_say_bytes(sb.data, sb.size);
	msgpack_sbuffer_destroy(&sb);
}

const char *
lib_heard(void)
{
	static char	buf[8192];
	ssize_t		n = recv(lib_daemon, buf, sizeof buf, MSG_DONTWAIT);

	return n < 0 ? "nothing" : text_show(buf, (size_t)n);
}
