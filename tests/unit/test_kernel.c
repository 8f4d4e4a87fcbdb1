/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's header has and the tables have not: nothing, or for a
 * reason that is written down here.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <string.h>

#include "notice.h"
#include "sockopt.h"
#include "unit.h"

/* Options that are no rows, and why. */
static const struct { const char *name, *why; } not_offered[] = {
	{ "SCTP_EVENTS", "the row sctp_events; the daemon keeps the flags" },
	{ "SCTP_EVENT", "sctp_events does the same for all types at once" },
	{ "SCTP_RECVRCVINFO", "how the daemon learns what data comes with" },
	{ "SCTP_RECVNXTINFO", "the daemon gives whole messages" },
	{ "SCTP_GET_ASSOC_NUMBER", "the method assocs" },
	{ "SCTP_GET_ASSOC_ID_LIST", "the method assocs" },
	{ "SCTP_SOCKOPT_BINDX_ADD", "an operation: the ip list of open" },
	{ "SCTP_SOCKOPT_BINDX_REM", "an operation, to come later" },
	{ "SCTP_SOCKOPT_PEELOFF", "the method peeloff" },
	{ "SCTP_SOCKOPT_PEELOFF_FLAGS", "the method peeloff" },
	{ "SCTP_SOCKOPT_CONNECTX_OLD", "the method connect" },
	{ "SCTP_SOCKOPT_CONNECTX", "the method connect" },
	{ "SCTP_SOCKOPT_CONNECTX3", "the method connect" },
	{ "SCTP_SENDMSG_CONNECT", "the kernel's own, for connecting by sendmsg" },
	{ "SCTP_GET_PEER_ADDRS", "the method peernames" },
	{ "SCTP_GET_LOCAL_ADDRS", "the method socknames" },
	{ "SCTP_HMAC_IDENT", "of variable length, to come later" },
	{ "SCTP_AUTH_CHUNK", "AUTH keys are to come later" },
	{ "SCTP_AUTH_KEY", "of variable length, to come later" },
	{ "SCTP_AUTH_ACTIVE_KEY", "AUTH keys are to come later" },
	{ "SCTP_AUTH_DELETE_KEY", "AUTH keys are to come later" },
	{ "SCTP_AUTH_DEACTIVATE_KEY", "AUTH keys are to come later" },
	{ "SCTP_PEER_AUTH_CHUNKS", "of variable length, to come later" },
	{ "SCTP_LOCAL_AUTH_CHUNKS", "of variable length, to come later" },
	{ "SCTP_RESET_STREAMS", "of variable length, to come later" },
	{ "SCTP_RESET_ASSOC", "comes with SCTP_RESET_STREAMS" },
	{ "SCTP_PEER_ADDR_THLDS", "to come later, as its second version" },
	{ "SCTP_PEER_ADDR_THLDS_V2", "to come later" },
	{ "SCTP_GET_ASSOC_STATS", "Linux's own, to come later" },
	{ "SCTP_INTERLEAVING_SUPPORTED", "needs SCTP_FRAGMENT_INTERLEAVE 2, which the daemon cannot take" },
	{ "SCTP_REUSE_PORT", "reuseport says the same" },
	{ "SCTP_PLPMTUD_PROBE_INTERVAL", "Linux's own, to come later" },
};

static bool
has_row(int optname)
{
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (o->level == LEVEL_SCTP && o->optname == optname)
			return true;
	}
	return false;
}

static bool
is_not_offered(const char *name)
{
	for (size_t i = 0; i < sizeof not_offered / sizeof not_offered[0]; i++) {
		if (strcmp(not_offered[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The numbers stand in one run, from SCTP_RTOINFO to the policies of PR-SCTP. */
START_TEST(every_option_of_the_kernel_is_offered_or_says_why_not)
{
	FILE		*f = fopen("/usr/include/linux/sctp.h", "r");
	char		 line[256], name[64];
	int		 number, seen = 0;
	bool		 begun = false;

	if (f == NULL)
		return;		/* no header, nothing to compare with */
	while (fgets(line, sizeof line, f) != NULL) {
		if (strstr(line, "SCTP_PR_SCTP_NONE") != NULL)
			break;
		begun |= strstr(line, "SCTP_RTOINFO") != NULL;
		if (!begun || sscanf(line, "#define %63s %d", name, &number) != 2)
			continue;
		seen++;
		ck_assert_msg(has_row(number) != is_not_offered(name),
		    "%s (%d) has %s row and %s reason for having none", name, number,
		    has_row(number) ? "a" : "no", is_not_offered(name) ? "a" : "no");
	}
	(void)fclose(f);
	ck_assert_int_ge(seen, 60);
}
END_TEST

START_TEST(every_notification_of_the_kernel_has_a_row)
{
	for (uint16_t type = SCTP_SN_TYPE_BASE + 1; type <= SCTP_SN_TYPE_MAX; type++) {
		bool	joined = type == SCTP_SEND_FAILED || type == SCTP_SEND_FAILED_EVENT;

		/* The daemon makes one sctp_send_failed of their pieces. */
		ck_assert_msg((notice_find(type) != NULL) != joined, "0x%04x", type);
	}
	ck_assert_ptr_null(notice_find(0));
	ck_assert_ptr_null(notice_find(0xffff));
	ck_assert_str_eq(notice_send_failed->name, "sctp_send_failed");
	ck_assert_str_eq(notice_data->name, "data");
}
END_TEST

Suite *
kernel_suite(void)
{
	Suite	*s = suite_create("kernel");
	TCase	*tc = tcase_create("kernel");

	tcase_add_test(tc, every_option_of_the_kernel_is_offered_or_says_why_not);
	tcase_add_test(tc, every_notification_of_the_kernel_has_a_row);
	suite_add_tcase(s, tc);
	return s;
}
