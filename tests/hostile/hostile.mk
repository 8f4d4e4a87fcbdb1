# SPDX-License-Identifier: BSD-2-Clause
#
# hostile: a million mutated packets at a userland stack under ASan and UBSan.
# hostile-smoke: the same for a few seconds. usrsctp itself is the system's,
# and only what it does with memory is seen. Included by the Makefile.

HOSTILE_PACKETS	?= 1000000
HOSTILE_SECONDS	?= 300

.PHONY: hostile hostile-smoke hostile-built

$(B)/hostile: $(call obj,tests/hostile/hostile.c)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS)

hostile-built: $(B)/hostile
	$(Q)$(MAKE) -s --no-print-directory B=$(B)/asan HARDEN= \
	    CFLAGS="-O1 -g $(UNIT_SAN)" $(B)/asan/sctpd

hostile: hostile-built
	$(Q)tests/native.sh /usr/bin/python3 tests/hostile/hostile.py $(HOSTILE_PACKETS) $(HOSTILE_SECONDS)

hostile-smoke: hostile-built
	$(Q)tests/native.sh /usr/bin/python3 tests/hostile/hostile.py 100000 5
