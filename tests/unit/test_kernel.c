/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stacks' headers have and the tables have not: nothing, or for a
 * reason that the tables say.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/event_type.h"
#include "proto/sockopt.h"
#include "unit.h"

static bool
has_row(const char *name, int optname)
{
	char	lower[64];
	size_t	n = 0;

	for (; name[n] != '\0' && n < sizeof lower - 1; n++)
		lower[n] = (char)tolower((unsigned char)name[n]);
	lower[n] = '\0';
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (optname >= 0 ? o->level == LEVEL_SCTP && o->optname == optname :
		    strcmp(o->name, lower) == 0 && !o->kernel_only)
			return true;
	}
	return false;
}

static bool
is_absent(const struct sockopt_absent *a, const char *name)
{
	while (a->name != NULL && strcmp(a->name, name) != 0)
		a++;
	return a->name != NULL;
}

/*
 * Every constant of a header from the line with one text to that with the other
 * is a row or a reason. Gives how many there are; -1 without that header. The
 * rows have the kernel's numbers; usrsctp's are found by their names.
 */
static int
check_header(const char *path, const char *from, const char *to, const struct sockopt_absent *absent,
    bool numbers)
{
	FILE	*f = fopen(path, "r");
	char	 line[256], name[64], value[64];
	int	 seen = 0;
	bool	 begun = false, row, reason;

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL && (!begun || strstr(line, to) == NULL)) {
		begun |= strstr(line, from) != NULL;
		if (!begun || sscanf(line, "#define %63s %63s", name, value) != 2)
			continue;
		seen++;
		row = isdigit((unsigned char)*value) &&
		    has_row(name, numbers ? (int)strtol(value, NULL, 0) : -1);
		if (!isdigit((unsigned char)*value))	/* another name */
			row = has_row(name, -1);
		reason = is_absent(absent, name);
		ck_assert_msg(row != reason, "%s: %s (%s) has %s row and %s reason for having none",
		    path, name, value, row ? "a" : "no", reason ? "a" : "no");
	}
	(void)fclose(f);
	return seen;
}

/* The numbers stand in one run, from SCTP_RTOINFO to the policies of PR-SCTP. */
START_TEST(every_option_of_the_kernel_is_offered_or_says_why_not)
{
	int	n = check_header("/usr/include/linux/sctp.h", "SCTP_RTOINFO", "SCTP_PR_SCTP_NONE",
	    sockopt_absent_kernel, true);

	ck_assert_msg(n == -1 || n >= 60, "%d", n);	/* no header, nothing to compare with */
}
END_TEST

START_TEST(every_option_of_usrsctp_is_offered_or_says_why_not)
{
	int	n = check_header("/usr/include/usrsctp.h", "define SCTP_RTOINFO", "struct sctp_initmsg",
	    sockopt_absent_userland, false);

	ck_assert_msg(n == -1 || n >= 50, "%d", n);
}
END_TEST

START_TEST(reasons_are_sentences)
{
	const struct sockopt_absent	*const all[] = { sockopt_absent_kernel, sockopt_absent_userland };

	for (size_t i = 0; i < 2; i++) {
		for (const struct sockopt_absent *a = all[i]; a->name != NULL; a++) {
			ck_assert_msg(isupper((unsigned char)*a->why) && a->why[strlen(a->why) - 1] == '.',
			    "%s: %s", a->name, a->why);
		}
	}
}
END_TEST

START_TEST(every_notification_of_the_kernel_has_a_row)
{
	for (uint16_t type = SCTP_SN_TYPE_BASE + 1; type <= SCTP_SN_TYPE_MAX; type++) {
		bool	joined = type == SCTP_SEND_FAILED || type == SCTP_SEND_FAILED_EVENT;

		/* The daemon makes one sctp_send_failed of their pieces. */
		ck_assert_msg((event_type_find(type) != NULL) != joined, "0x%04x", type);
	}
	ck_assert_ptr_null(event_type_find(0));
	ck_assert_ptr_null(event_type_find(0xffff));
	ck_assert_str_eq(EVENT_send_failed->name, "sctp_send_failed");
	ck_assert_str_eq(EVENT_data->name, "data");
}
END_TEST

Suite *
kernel_suite(void)
{
	Suite	*s = suite_create("kernel");
	TCase	*tc = tcase_create("kernel");

	tcase_add_test(tc, every_option_of_the_kernel_is_offered_or_says_why_not);
	tcase_add_test(tc, every_option_of_usrsctp_is_offered_or_says_why_not);
	tcase_add_test(tc, reasons_are_sentences);
	tcase_add_test(tc, every_notification_of_the_kernel_has_a_row);
	suite_add_tcase(s, tc);
	return s;
}
