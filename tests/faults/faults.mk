# SPDX-License-Identifier: BSD-2-Clause
#
# faults: every call of libc's that sctpd makes fails with every errno of its manual page, each time that it is made.
# faults-smoke: as many of these cases, by chance, as FAULTS_SECONDS allow, on each stack. Included by the Makefile.

FAULTS_SECONDS	?= 25

.PHONY: faults faults-smoke

# Its functions have libc's names and not their arguments.
$(B)/faults.so: tests/faults/shim.c
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) -O2 -g -std=gnu11 -Wall -Wextra $(if $(filter yes,$(WERROR)),-Werror) -fno-builtin -U_FORTIFY_SOURCE -D_GNU_SOURCE -fPIC -shared -o $@ $< -ldl

faults: all $(B)/faults.so ## let each call of libc fail, on both stacks
	$(Q)TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/faults/walk.py
	$(Q)tests/lab/run --timeout 7200 -- /usr/bin/python3 tests/faults/walk.py

faults-smoke: all $(B)/faults.so
	$(Q)TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/faults/walk.py --seconds $(FAULTS_SECONDS)
	$(Q)tests/lab/run -- /usr/bin/python3 tests/faults/walk.py --seconds $(FAULTS_SECONDS)
