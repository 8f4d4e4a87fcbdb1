# SPDX-License-Identifier: BSD-2-Clause
#
# fuzz: all that reads what others wrote, each under libFuzzer, ASan and UBSan
# for FUZZ_SECONDS: what clients, peers, the service manager and the operator
# send to the daemon, what a process before it left, and what the daemon sends
# to libsctpd. fuzz-smoke: the same for some seconds, or nothing where clang
# has no libFuzzer. What was found in earlier runs is kept in build/fuzz/corpus.
# Included by the Makefile.

FUZZ_CC		?= clang
FUZZ_SECONDS	?= 60
FUZZ_SMOKE	?= 3
FUZZ_JOBS	?= 2
FUZZ_SAN	= -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# The warnings are CC's; clang may not know them all.
FUZZ_C		= $(filter-out -Wno-format-truncation,$(C_ALL)) -Wno-unknown-warning-option -g $(FUZZ_SAN) \
		  -fsanitize=fuzzer-no-link -Idaemon $(FUZZ_SMALL)
# A journal as small as may be.
FUZZ_SMALL	= -DJOURNAL_RESERVED=0x2000000 -DREDO_MAX=16
FUZZ_HAVE	= echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n); \
		  int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p || n > 9; }' | \
		  $(FUZZ_CC) -fsanitize=fuzzer -x c -o $(B)/fuzz/have - >/dev/null 2>&1

fuzz_obj	= $(patsubst %.c,$(B)/fuzz/%.o,$(1))

# What each is linked with, beside tests/fuzz/fuzz_NAME.c.
FUZZ_OF_frame	= $(SRC_PROTO)
FUZZ_OF_hot	= $(SRC_PROTO)
FUZZ_OF_lib	= $(SRC_PROTO) $(SRC_LIB)
FUZZ_OF_fast	= $(SRC_PROTO) $(SRC_LIB)
FUZZ_OF_config	= daemon/config.c daemon/log.c daemon/mem.c
FUZZ_OF_keeper	= daemon/config.c daemon/held.c daemon/log.c daemon/mem.c daemon/notify.c daemon/store.c
FUZZ_OF_journal	= $(SRC_PROTO) $(filter-out daemon/main.c daemon/park.c daemon/keeper.c daemon/held.c,$(SRC_DAEMON))
FUZZ_LIBS_journal = $(LIBS_DAEMON) -Wl,--wrap=madvise
FUZZ_TARGETS	= frame hot lib fast config keeper journal

# What each begins with.
FUZZ_SEEDS_frame  = $(B)/fuzz/requests
FUZZ_SEEDS_hot	  = $(B)/fuzz/requests
FUZZ_SEEDS_lib	  = $(B)/fuzz/answers
FUZZ_SEEDS_fast	  = $(B)/fuzz/answers
FUZZ_SEEDS_config = tests/fuzz/seeds/config
FUZZ_SEEDS_keeper = tests/fuzz/seeds/keeper

.PHONY: fuzz fuzz-smoke

$(B)/fuzz/%.o: %.c Makefile tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-FUZZ $<")
	$(Q)$(FUZZ_CC) $(FUZZ_C) -c -o $@ $<

$(B)/fuzz/daemon/kernel%.o $(B)/fuzz/daemon/stack-kernel.o: C_ALL += -include daemon/kernel-names.h

$(B)/fuzz/seeds: tests/fuzz/seeds.c $(call obj,$(SRC_PROTO))
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_ALL) -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(LIBS_PROTO)
	$(Q)$@ $(B)/fuzz/requests $(B)/fuzz/answers

define fuzz_program
$(B)/fuzz/$(1): $(B)/fuzz/tests/fuzz/fuzz_$(1).o $(call fuzz_obj,$(FUZZ_OF_$(1)))
	$$(if $$(V),,@echo "  LINK    $$@")
	$$(Q)$$(FUZZ_CC) $$(FUZZ_SAN) -fsanitize=fuzzer -o $$@ $$^ $$(LDFLAGS) $$(FUZZ_LIBS_$(1)) $$(LIBS_PROTO)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_program,$(t))))

fuzz: $(addprefix fuzz-of-,$(FUZZ_TARGETS))

# Executions, and the edges of the code that they reached.
FUZZ_SAYS	= awk '/^stat::number_of_executed_units/ { n = $$2 } / cov: / { sub(/.* cov: /, ""); e = $$1 } \
		  END { printf "fuzz: %-8s %10d executions %6d edges\n", "$(1)", n, e }'

fuzz-of-%: $(B)/fuzz/% $(B)/fuzz/seeds
	@mkdir -p $(B)/fuzz/corpus/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 -timeout=10 \
	    -artifact_prefix=$(B)/fuzz/$*- $(B)/fuzz/corpus/$* $(FUZZ_SEEDS_$*) \
	    > $(B)/fuzz/$*.log 2>&1 || { tail -60 $(B)/fuzz/$*.log; exit 1; }
	@$(call FUZZ_SAYS,$*) $(B)/fuzz/$*.log

fuzz-smoke:
	@mkdir -p $(B)/fuzz
	$(Q)if $(FUZZ_HAVE); then $(MAKE) -j$(FUZZ_JOBS) fuzz FUZZ_SECONDS=$(FUZZ_SMOKE); \
	    else echo "fuzz-smoke: $(FUZZ_CC) has no libFuzzer; skipped"; fi

-include $(shell find $(B)/fuzz -type f -name '*.d' 2>/dev/null)
