/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs every suite, each test in a process of its own; no SCTP needed.
 * Check's environment variables work: CK_RUN_SUITE=codec, CK_FORK=no (for
 * debuggers), CK_VERBOSITY=verbose.
 */
#include <stdlib.h>

#include "unit.h"

static Suite *(*const suites[])(void) = {
	addr_suite,
	error_suite,
	codec_suite,
	frame_suite,
	fastpath_suite,
	pcapng_suite,
	ppid_suite,
	tables_suite,
	kernel_suite,
	lib_words_suite,
	lib_conn_suite,
	lib_async_suite,
	lib_groups_suite,
	lib_acks_suite,
	mem_suite,
	config_suite,
	park_suite,
	partial_suite,
	store_suite,
	turn_suite,
	damp_suite,
	journal_suite,
	counters_suite,
};

int
main(void)
{
	SRunner	*sr = srunner_create(NULL);
	int	 failed;

	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		if (suites[i] != NULL)
			srunner_add_suite(sr, suites[i]());
	}
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
