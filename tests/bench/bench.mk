# SPDX-License-Identifier: BSD-2-Clause
#
# bench: what sctpd costs, side by side with what else there is. Included by
# the Makefile. LAB=2 takes the distribution's kernel in QEMU. BENCH=quick sees
# that all of it works; other words are for the program: BENCH="-v -w rtt".

SRC_BENCH	= $(filter-out $(if $(USRSCTP),,%/plain-usrsctp.c),$(wildcard tests/bench/*.c))
BENCH_FLAGS	= $(if $(filter quick,$(BENCH)),-q,$(BENCH))

.PHONY: bench bench-build
bench-build: all $(B)/bench $(B)/gen_sctp_bench.beam $(B)/sctpd_bench.beam $(if $(call pc,--libs grpc++),$(B)/bench-grpc)

# What needs no SCTP in the kernel is measured on the machine itself.
bench: ## measure everything; see tests/bench/PERFORMANCE.md
	@tests/deps.sh build $(if $(filter 2,$(LAB)),lab2,lab)
	@tests/deps.sh bench || echo "bench: goes on without them"
	@$(MAKE) --no-print-directory bench-build
ifeq ($(LAB),2)
	@tests/lab/run-qemu --mem 4G --timeout 7200 -- $(B)/bench -o $(B)/bench-lab2.json $(BENCH_FLAGS)
else
	@tests/native.sh $(B)/bench --native $(BENCH_FLAGS) >$(B)/bench-native || echo "bench: goes on without what is measured natively"
	@tests/lab/run --mem 3G --timeout 3600 -- $(B)/bench -n $(B)/bench-native $(BENCH_FLAGS)
endif

# As many associations as one daemon can hold. In the lab each end takes 18 kB of CROWD_MEM.
CROWD		?= 100000
CROWD_MEM	?= 8G
.PHONY: crowd
crowd: all ## hold as many associations as one daemon can, on either stack: CROWD, CROWD_MEM
	@echo "userland stack, natively"
	@TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/bench/crowd.py $(CROWD)
	@echo "kernel's stack, in the lab"
	@tests/lab/run --mem $(CROWD_MEM) --timeout 3600 -- /usr/bin/python3 tests/bench/crowd.py $(CROWD)

# How fast the client libraries are, next to libsctpd.
MESSAGES	?= 20000
.PHONY: languages
languages: all ## measure the client library of each language on the userland stack: MESSAGES
	@TEST_STACK=userland tests/native.sh tests/bench/languages/run $(MESSAGES)

# What looking at so many associations costs them.
LOOK		?= 1000
.PHONY: look
look: all ## measure what sctpctl top and paths cost, on either stack: LOOK associations
	@echo "userland stack, natively"
	@TEST_STACK=userland tests/native.sh /usr/bin/python3 tests/bench/top.py $(LOOK)
	@echo "kernel's stack, in the lab"
	@tests/lab/run --mem 2G --timeout 600 -- /usr/bin/python3 tests/bench/top.py $(LOOK)

$(B)/bench: $(call obj,$(SRC_BENCH)) $(B)/libsctpd.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CFLAGS) $(LDHARDEN) -o $@ $^ $(LDFLAGS) $(LIBS_PROTO) $(LIBS_SCTP) $(LIBS_USRSCTP) -lm

# Erlang is a contestant where it is installed.
$(B)/gen_sctp_bench.beam: tests/bench/gen_sctp_bench.erl
	$(if $(V),,@echo "  ERLC    $<")
	$(Q)if command -v erlc >/dev/null; then erlc -o $(B) $<; fi

# The same program over the daemon, by sctpd for Erlang.
$(B)/sctpd_bench.beam: tests/bench/gen_sctp_bench.erl $(ERLANG)
	$(if $(V),,@echo "  ERLC    $(@F)")
	$(Q)if command -v erlc >/dev/null; then $(MAKE) --no-print-directory erlang && \
		sed 's/gen_sctp_bench)/sctpd_bench)/; s/gen_sctp:/sctpd:/; s/inet:\(setopts\|port\)/sctpd:\1/' $< >$(B)/sctpd_bench.erl && \
		erlc -o $(B) $(B)/sctpd_bench.erl; fi

$(B)/bench-grpc: tests/bench/grpc.cc
	$(if $(V),,@echo "  CXX     $<")
	$(Q)$(CXX) -std=c++17 -O2 $(call pc,--cflags grpc++) -o $@ $< $(call pc,--libs grpc++)
