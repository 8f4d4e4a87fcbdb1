# SPDX-License-Identifier: BSD-2-Clause
#
# random: random clients at the daemon for RANDOM_SECONDS, on the userland
# stack under ASan and UBSan, on the kernel's (RANDOM_STACK=kernel) in the lab
# under valgrind; RANDOM_SEED repeats a run. See random_run.py for the rest.
# random-smoke: half a minute of either. Included by the Makefile.

RANDOM_STACK	?= userland
RANDOM_SECONDS	?= 60
RANDOM_SEED	?=
RANDOM_KILLS	?=
RANDOM_LOG	?=
RANDOM_HOLD	?=
RANDOM_VALGRIND	= valgrind -q --error-exitcode=99 --leak-check=full --child-silent-after-fork=yes \
		  --suppressions=tests/fuzz/valgrind.supp

random_run	= env RANDOM_STACK=$(1) RANDOM_SECONDS=$(2) RANDOM_SEED=$(RANDOM_SEED) RANDOM_KILLS=$(RANDOM_KILLS) \
		  RANDOM_LOG=$(RANDOM_LOG) RANDOM_HOLD=$(RANDOM_HOLD) /usr/bin/python3 tests/fuzz/random_run.py

.PHONY: random random-smoke random-of-userland random-of-kernel

random: random-of-$(RANDOM_STACK) ## random clients and restarts: RANDOM_STACK, RANDOM_SECONDS, RANDOM_SEED

random-of-userland: $(B)/sctpd hostile-built
	$(Q)RANDOM_SCTPD=$(B)/asan/sctpd tests/native.sh $(call random_run,userland,$(RANDOM_SECONDS))

random-of-kernel: $(B)/sctpd
	$(Q)tests/lab/run --timeout $$(($(RANDOM_SECONDS) + 400)) -- env RANDOM_WRAP="$(RANDOM_VALGRIND)" \
	    $(call random_run,kernel,$(RANDOM_SECONDS))

# The same calls each time, as far as timing allows: new ones are for "make random".
random-smoke:
	$(Q)$(MAKE) -s --no-print-directory random RANDOM_STACK=userland RANDOM_SECONDS=20 RANDOM_SEED=1
	$(Q)$(MAKE) -s --no-print-directory random RANDOM_STACK=kernel RANDOM_SECONDS=10 RANDOM_SEED=1
