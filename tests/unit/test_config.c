/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: what a file may say, and how a mistake is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "config.h"
#include "util/log.h"
#include "unit.h"

static char	path[] = "/tmp/sctpd-config-XXXXXX";
static char	error[512];

static void
setup(void)
{
	int	fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	config_init(&config);
	error[0] = '\0';
}

static void
teardown(void)
{
	(void)unlink(path);
	config_free(&config);
}

static bool
reads(const char *text)
{
	FILE	*f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
	return config_read(&config, path, true, error, sizeof error);
}

/* The file is refused, with these words behind its name. */
static void
refuses(const char *text, const char *words)
{
	ck_assert_msg(!reads(text), "%s was taken", text);
	ck_assert_int_eq(strncmp(error, path, strlen(path)), 0);
	ck_assert_str_eq(error + strlen(path), words);
}

START_TEST(defaults_are_in_force)
{
	ck_assert_str_eq(config.socket, "/run/sctpd/sctpd.sock");
	ck_assert_uint_eq(config.socket_mode, 0660);
	ck_assert_uint_eq(config.log_level, LOG_INFO);
	ck_assert_uint_eq(config.max_message, 16u << 20);
}
END_TEST

START_TEST(a_file_is_read_over_the_defaults)
{
	ck_assert_msg(reads("\n# a comment = 1\n  socket=/tmp/x y\t\n"
	    "socket_mode = 600\nmax_message\t= 64K\nclient_queue = 2M\n"
	    "log_level = debug\nmax_clients = 7"), "%s", error);
	ck_assert_str_eq(config.socket, "/tmp/x y");
	ck_assert_uint_eq(config.socket_mode, 0600);
	ck_assert_uint_eq(config.max_message, 65536);
	ck_assert_uint_eq(config.client_queue, 2u << 20);
	ck_assert_uint_eq(config.log_level, LOG_DEBUG);
	ck_assert_uint_eq(config.max_clients, 7);
	ck_assert_uint_eq(config.max_sockets, 8192);
}
END_TEST

START_TEST(a_mistake_is_told_with_its_line)
{
	refuses("\nmax_clients = many\n", ":2: max_clients: \"many\" is not a number from 1 to 1000000");
	refuses("max_clients = 0", ":1: max_clients: \"0\" is not a number from 1 to 1000000");
	refuses("max_clients = -1", ":1: max_clients: \"-1\" is not a number from 1 to 1000000");
	refuses("max_clients = 1K", ":1: max_clients: \"1K\" is not a number from 1 to 1000000");
	refuses("socket_mode = 0888", ":1: socket_mode: \"0888\" is not an octal number from 0 to 777");
	refuses("client_queue = 4095", ":1: client_queue: \"4095\" is not bytes (K and M are understood) from 4096 to 1073741824");
	refuses("log_level = loud", ":1: log_level: \"loud\" is none of err, warning, notice, info, debug");
	refuses("max_client = 5", ":1: unknown key: \"max_client\" (see sctpd.conf(5))");
	refuses("nonsense", ":1: syntax: \"nonsense\" is not \"key = value\"");
}
END_TEST

START_TEST(numbers_that_wrap_are_refused)
{
	ck_assert(!reads("client_queue = 17592186044417M"));	/* 2^64 + 1 MiB */
	ck_assert(!reads("max_clients = 18446744073709551617"));
}
END_TEST

/* A text that ends at a NUL byte says something else to the reader of the file. */
START_TEST(a_file_with_nul_bytes_is_refused)
{
	static const char	text[] = "# a\nmax_clients = 10\0abc\n";
	FILE			*f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	(void)fwrite(text, 1, sizeof text - 1, f);
	(void)fclose(f);
	ck_assert(!config_read(&config, path, true, error, sizeof error));
	ck_assert_str_eq(error + strlen(path), ":2: syntax: there is a NUL byte in the line; a "
	    "configuration is plain text");
	ck_assert_uint_eq(config.max_clients, 8192);
}
END_TEST

START_TEST(a_key_that_is_there_twice_is_refused)
{
	refuses("max_clients = 5\n\nmax_sockets = 6\nmax_clients = 7\n",
	    ":4: max_clients: it is set in line 1 already; remove one of the two");
	ck_assert_msg(reads("max_clients = 5\n"), "%s: the next file begins anew", error);
}
END_TEST

START_TEST(a_directory_is_refused)
{
	ck_assert(!config_read(&config, "/tmp", true, error, sizeof error));
	ck_assert_str_eq(error, "/tmp: Is a directory");
	ck_assert(!config_read(&config, "/tmp", false, error, sizeof error));
}
END_TEST

START_TEST(a_line_that_is_too_long_is_one_line)
{
	char	text[3000];

	memset(text, ' ', sizeof text);
	(void)snprintf(text, sizeof text, "# %*s max_clients = 7\n", 1021, "");
	ck_assert_msg(reads(text) && config.max_clients == 8192,
	    "the end of a comment was read as a setting");
}
END_TEST

START_TEST(only_a_file_that_was_asked_for_must_be_there)
{
	ck_assert(config_read(&config, "/nonexistent/file", false, error, sizeof error));
	ck_assert(!config_read(&config, "/nonexistent/file", true, error, sizeof error));
	ck_assert_str_eq(error, "/nonexistent/file: No such file or directory");
}
END_TEST

static void
print(char **text)
{
	size_t	 size;
	FILE	*f = open_memstream(text, &size);

	config_print(&config, f);
	(void)fclose(f);
}

START_TEST(what_is_printed_can_be_read)
{
	char	*before, *after;

	ck_assert(reads("socket_mode = 0600\nclient_queue = 5K\nlog_level = err\n"));
	print(&before);
	config_free(&config);
	config_init(&config);
	ck_assert_msg(reads(before), "%s", error);
	print(&after);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

/* What a reload does: all that can change does, the rest stays. */
START_TEST(what_cannot_change_while_running_stays)
{
	struct config	new;

	log_set_level(LOG_ERR);
	config_init(&new);
	ck_assert(config_set(&new, "socket", "/tmp/other", error, sizeof error));
	ck_assert(config_set(&new, "socket_mode", "0666", error, sizeof error));
	ck_assert(config_set(&new, "max_clients", "7", error, sizeof error));
	config_change(&new);
	ck_assert_str_eq(config.socket, "/run/sctpd/sctpd.sock");
	ck_assert_uint_eq(config.socket_mode, 0660);
	ck_assert_uint_eq(config.max_clients, 7);
	ck_assert_uint_eq(config.max_sockets, 8192);
}
END_TEST

Suite *
config_suite(void)
{
	Suite	*s = suite_create("config");
	TCase	*tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, defaults_are_in_force);
	tcase_add_test(tc, a_file_is_read_over_the_defaults);
	tcase_add_test(tc, a_mistake_is_told_with_its_line);
	tcase_add_test(tc, numbers_that_wrap_are_refused);
	tcase_add_test(tc, a_file_with_nul_bytes_is_refused);
	tcase_add_test(tc, a_key_that_is_there_twice_is_refused);
	tcase_add_test(tc, a_directory_is_refused);
	tcase_add_test(tc, a_line_that_is_too_long_is_one_line);
	tcase_add_test(tc, only_a_file_that_was_asked_for_must_be_there);
	tcase_add_test(tc, what_is_printed_can_be_read);
	tcase_add_test(tc, what_cannot_change_while_running_stays);
	suite_add_tcase(s, tc);
	return s;
}
