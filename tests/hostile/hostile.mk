# SPDX-License-Identifier: BSD-2-Clause
#
# hostile: a million mutated packets at a userland stack under ASan and UBSan.
# hundred: a hundred hostile clients of one user beside an honest one of another.
# hostile-smoke: both for a few seconds. Included by the Makefile.
#
# usrsctp itself is the system's, of which they see only what it does with
# memory of ours; or that of USRSCTP_SOURCE, a folder with usrsctp's source,
# which is built with both. "apt-get source libusrsctp" makes one.

HOSTILE_PACKETS	?= 1000000
HOSTILE_SECONDS	?= 300
HUNDRED_SECONDS	?= 60
HUNDRED_STACK	?= userland
HUNDRED_ATTACKS	?=

# What its own build says on Linux. UBSan tells of it and goes on.
usrsctp		= $(USRSCTP_SOURCE)/usrsctplib
USRSCTP_C	= -std=c99 -pthread -D_GNU_SOURCE -D__Userspace__ -DINET -DINET6 \
		  -DSCTP_PROCESS_LEVEL_LOCKS -DSCTP_SIMPLE_ALLOCATOR -I$(usrsctp) -fPIC -w -O1 -g \
		  -fsanitize=address,undefined -fno-omit-frame-pointer
ifneq ($(USRSCTP_SOURCE),)
USRSCTP_OBJ	= $(patsubst $(usrsctp)/%.c,$(B)/asan/usrsctp/%.o, \
		  $(wildcard $(usrsctp)/*.c $(usrsctp)/netinet/*.c $(usrsctp)/netinet6/*.c))
USRSCTP_LIB	= $(B)/asan/usrsctp/libusrsctp.a
endif

.PHONY: hostile hostile-smoke hostile-built hundred

$(B)/hostile: $(call obj,tests/hostile/hostile.c)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS)

$(B)/asan/usrsctp/%.o: $(usrsctp)/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-SAN  $<")
	$(Q)$(CC) $(USRSCTP_C) -c -o $@ $<

$(B)/asan/usrsctp/libusrsctp.a: $(USRSCTP_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

# Linked anew where it is, or was, with another library than the system's. Else it is not: others may be running it.
hostile-built: $(B)/hostile $(USRSCTP_LIB)
	$(Q)[ -z "$(USRSCTP_LIB)" ] && [ ! -e $(B)/asan/usrsctp/linked ] || rm -f $(B)/asan/sctpd $(B)/asan/usrsctp/linked
	$(Q)$(MAKE) -s --no-print-directory B=$(B)/asan HARDEN= USRSCTP_SOURCE= \
	    CFLAGS="-O1 -g $(UNIT_SAN)" LDFLAGS="$(USRSCTP_LIB) -Wl,--as-needed" $(B)/asan/sctpd
	$(Q)[ -z "$(USRSCTP_LIB)" ] || : >$(B)/asan/usrsctp/linked

hostile: hostile-built ## send mutated packets to the userland stack
	$(Q)tests/native.sh /usr/bin/python3 tests/hostile/hostile.py $(HOSTILE_PACKETS) $(HOSTILE_SECONDS)

# The kernel's stack may not be this machine's own: it is the lab's.
hundred: all ## measure what a hundred hostile clients cost an honest one: HUNDRED_STACK, HUNDRED_SECONDS
	$(Q)TEST_STACK=$(HUNDRED_STACK) \
	    $(if $(filter kernel,$(HUNDRED_STACK)),tests/lab/run --timeout 1800 --,tests/native.sh) \
	    /usr/bin/python3 tests/hostile/hundred.py $(HUNDRED_SECONDS) $(HUNDRED_ATTACKS)

# It has to count in time, whatever runs beside it; where this may not be, it is run as it is.
hostile-smoke: hostile-built all
	$(Q)nice -n -10 tests/native.sh /usr/bin/python3 tests/hostile/hostile.py 100000 5
	$(Q)TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/hostile/hundred.py 3 smoke
