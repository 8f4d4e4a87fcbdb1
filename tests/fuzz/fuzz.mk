# SPDX-License-Identifier: BSD-2-Clause
#
# fuzz: all that reads what others wrote, each under libFuzzer, ASan and UBSan
# for FUZZ_SECONDS: what clients, peers, the service manager and the operator
# send to the daemon, what a process before it left, what the daemon sends to
# libsctpd, what a program that sctpctl runs has in its memory, and what
# sctpd-nats finds at the bus. fuzz-smoke: the same for some seconds, built
# quickly, or nothing where clang has no libFuzzer. What was found in earlier runs is kept in
# build/fuzz/corpus.
# Included by the Makefile.

FUZZ_CC		?= clang
FUZZ_B		?= $(B)/fuzz
FUZZ_O		?= -O1
FUZZ_SECONDS	?= 60
FUZZ_SMOKE	?= 2
FUZZ_JOBS	?= 2
FUZZ_SAN	= $(FUZZ_O) -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# The warnings are CC's; clang may not know them all.
FUZZ_C		= $(filter-out -Wno-format-truncation,$(C_ALL)) -Wno-unknown-warning-option -gline-tables-only $(FUZZ_SAN) \
		  -fsanitize=fuzzer-no-link $(FUZZ_SMALL)
# A journal as small as may be.
FUZZ_SMALL	= -DJOURNAL_RESERVED=0x2000000 -DREDO_MAX=16
FUZZ_HAVE	= echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n); \
		  int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p || n > 9; }' | \
		  $(FUZZ_CC) -fsanitize=fuzzer -x c -o $(FUZZ_B)/have - >/dev/null 2>&1

# Of those that are a whole daemon: leaks are looked for at the end.
FUZZ_FLAGS_journal = -detect_leaks=0 -entropic=0 -max_len=256
FUZZ_FLAGS_wire	= -detect_leaks=0 -entropic=0 -max_len=512

fuzz_obj	= $(patsubst %.c,$(FUZZ_B)/%.o,$(1))

# What each is linked with, beside tests/fuzz/fuzz_NAME.c.
FUZZ_OF_frame	= $(SRC_PROTO)
FUZZ_OF_hot	= $(SRC_PROTO)
FUZZ_OF_rawopt	= $(SRC_PROTO)
FUZZ_OF_lib	= $(SRC_PROTO) $(SRC_LIB)
FUZZ_OF_fast	= $(SRC_PROTO) $(SRC_LIB)
FUZZ_OF_session	= $(SRC_PROTO) $(SRC_LIB)
FUZZ_LIBS_session = -Wl,--wrap=clock_gettime
FUZZ_OF_config	= proto/error.c daemon/config.c daemon/util/log.c daemon/util/logout.c daemon/util/mem.c
FUZZ_OF_wanted	= $(SRC_PROTO) daemon/config.c $(addprefix daemon/,util/log.c util/logout.c util/mem.c supervise/wanted.c supervise/local.c)
FUZZ_OF_keeper	= proto/error.c daemon/config.c $(addprefix daemon/,util/log.c util/logout.c util/mem.c service/fdstore.c service/notify.c service/fdclient.c)
FUZZ_OF_journal	= $(SRC_PROTO) $(filter-out daemon/main.c daemon/journal/fdpark.c daemon/service/keeper.c daemon/service/fdstore.c,$(SRC_DAEMON))
FUZZ_LIBS_journal = $(LIBS_DAEMON) -Wl,--wrap=madvise
FUZZ_OF_wire	= $(SRC_PROTO) $(filter-out daemon/main.c daemon/userland/udp.c daemon/service/keeper.c daemon/service/fdstore.c,$(SRC_DAEMON))
FUZZ_LIBS_wire	= $(LIBS_DAEMON) -Wl,--wrap=sendmmsg,--wrap=clock_gettime
FUZZ_OF_run	= client-lib/run/decode.c
FUZZ_OF_nats	= $(addprefix client-lib/nats/,row.c subject.c config.c log.c mem.c)
FUZZ_OF_natswire = $(SRC_PROTO) $(SRC_LIB) $(addprefix client-lib/nats/,wire.c json.c log.c mem.c)
FUZZ_LIBS_natswire = $(LIBS_NATS)
FUZZ_TARGETS	= frame hot rawopt lib fast session config wanted keeper journal run nats $(if $(NATS),natswire) $(if $(SRC_USERLAND),wire)

# What each begins with.
FUZZ_SEEDS_frame  = $(FUZZ_B)/requests
FUZZ_SEEDS_hot	  = $(FUZZ_B)/requests
FUZZ_SEEDS_rawopt = tests/fuzz/seeds/rawopt
FUZZ_SEEDS_lib	  = $(FUZZ_B)/answers
FUZZ_SEEDS_fast	  = $(FUZZ_B)/answers
FUZZ_SEEDS_session = tests/fuzz/seeds/session $(FUZZ_B)/answers
FUZZ_SEEDS_config = tests/fuzz/seeds/config
FUZZ_SEEDS_wanted = tests/fuzz/seeds/wanted
FUZZ_SEEDS_run	  = tests/fuzz/seeds/run
FUZZ_SEEDS_nats	  = tests/fuzz/seeds/nats
FUZZ_SEEDS_natswire = tests/fuzz/seeds/natswire
FUZZ_SEEDS_keeper = tests/fuzz/seeds/keeper
FUZZ_SEEDS_journal = tests/fuzz/seeds/journal
FUZZ_SEEDS_wire	  = tests/fuzz/seeds/wire

.PHONY: fuzz fuzz-smoke

$(FUZZ_B)/%.o: %.c Makefile tests/fuzz/fuzz.mk $(B)/.needed
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC-FUZZ $<")
	$(Q)$(FUZZ_CC) $(FUZZ_C) -c -o $@ $<

$(FUZZ_B)/seeds: tests/fuzz/seeds.c $(call obj,$(SRC_PROTO))
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_ALL) -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(LIBS_PROTO)
	$(Q)$@ $(FUZZ_B)/requests $(FUZZ_B)/answers

define fuzz_program
$(FUZZ_B)/$(1): $(FUZZ_B)/tests/fuzz/fuzz_$(1).o $(call fuzz_obj,$(FUZZ_OF_$(1)))
	$$(if $$(V),,@echo "  LINK    $$@")
	$$(Q)$$(FUZZ_CC) $$(FUZZ_SAN) -fsanitize=fuzzer -o $$@ $$^ $$(LDFLAGS) $$(FUZZ_LIBS_$(1)) $$(LIBS_PROTO)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_program,$(t))))

fuzz: $(addprefix fuzz-of-,$(FUZZ_TARGETS)) ## fuzz the parsers, FUZZ_SECONDS each

# Executions, and the edges of the code that they reached.
FUZZ_SAYS	= awk '/^stat::number_of_executed_units/ { n = $$2 } / cov: / { sub(/.* cov: /, ""); e = $$1 } \
		  END { printf "fuzz: %-8s %10d executions %6d edges\n", "$(1)", n, e }'

fuzz-of-%: $(FUZZ_B)/% $(FUZZ_B)/seeds
	@mkdir -p $(FUZZ_B)/corpus/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 -timeout=20 $(FUZZ_FLAGS_$*) \
	    -artifact_prefix=$(FUZZ_B)/$*- $(FUZZ_B)/corpus/$* $(FUZZ_SEEDS_$*) \
	    > $(FUZZ_B)/$*.log 2>&1 || { tail -60 $(FUZZ_B)/$*.log; exit 1; }
	@$(call FUZZ_SAYS,$*) $(FUZZ_B)/$*.log

fuzz-smoke:
	@mkdir -p $(FUZZ_B)
	$(Q)if $(FUZZ_HAVE); then $(MAKE) -j$(FUZZ_JOBS) FUZZ_B=$(B)/fuzz-smoke FUZZ_O=-O0 \
	    FUZZ_SECONDS=$(FUZZ_SMOKE) fuzz; \
	    else echo "fuzz-smoke: $(FUZZ_CC) has no libFuzzer; skipped"; fi

-include $(shell find $(FUZZ_B) -type f -name '*.d' 2>/dev/null)
