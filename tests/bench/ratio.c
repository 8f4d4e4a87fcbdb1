/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ratios: sctpd's over the other's for times that are to be
 * short, the other's over sctpd's where more messages a second are better.
 */
#include <math.h>
#include <stdio.h>

#include "bench.h"
#include "row.h"

#define BOTH	"sctpd-sctpd"
#define SEND	"sctpd-direct"
#define RECV	"direct-sctpd"

/*
 * What is wanted of one-way rates: batching wins where system calls are dear,
 * and is to cost little where they are cheap and all else is slow, in QEMU.
 */
static double
want(double least)
{
	return effort.slow ? 0.85 : least;
}

/* Messages a second against another's. */
static double
rate(const char *ours, const char *theirs, size_t bytes)
{
	return row_value(theirs, "oneway", bytes, 0) / row_value(ours, "oneway", bytes, 0);
}

/* The brokered trip against the direct one with one over a Unix socket. */
static double
floor_ratio(size_t bytes)
{
	return row_value(SEND, "rtt", bytes, 1) /
	    (row_value("direct", "rtt", bytes, 1) + row_value("unix", "rtt", bytes, 1));
}

static double
userland_floor(size_t bytes)
{
	return row_value("userland-usrsctp", "rtt", bytes, 1) /
	    (row_value("usrsctp", "rtt", bytes, 1) + row_value("native-unix", "rtt", bytes, 1));
}

/* Erlang in whichever of its modes is the faster. */
static double
erlang(const char *work, size_t bytes, size_t in_flight)
{
	return fmin(row_value("erlang", work, bytes, in_flight), row_value("erlang-active", work, bytes, in_flight));
}

/* sctpd for Erlang against gen_sctp, both in the same mode: messages a second, and round trips. */
static void
ratios_erlang(void)
{
	static const char	*const theirs[] = { "erlang", "erlang-active" };
	static const char	*const ours[] = { "sctpd-erlang", "sctpd-erlang-active" };
	static const size_t	 sizes[] = { 100, 1000, 16000 };
	static char		 name[2][3][3][48];

	for (size_t i = 0; i < 2; i++) {
		const char	*mode = i == 0 ? "passive" : "active";

		for (size_t j = 0; j < 3; j++) {
			(void)snprintf(name[i][j][0], sizeof name[i][j][0], "erlang_%s_%zu_vs_gen_sctp", mode, sizes[j]);
			ratio_add(name[i][j][0], rate(ours[i], theirs[i], sizes[j]), 0, want(1));
			(void)snprintf(name[i][j][1], sizeof name[i][j][1], "erlang_%s_rtt_%zu_vs_gen_sctp", mode, sizes[j]);
			ratio_add(name[i][j][1], row_value(ours[i], "rtt", sizes[j], 1) / row_value(theirs[i], "rtt", sizes[j], 1),
			    1.6, 0);
		}
		(void)snprintf(name[i][0][2], sizeof name[i][0][2], "erlang_%s_8_senders_vs_gen_sctp", mode);
		ratio_add(name[i][0][2], row_value(theirs[i], "senders", 100, 8) / row_value(ours[i], "senders", 100, 8), 0, want(1));
	}
}

/*
 * Processor time a message with this many associations, by whoever answers.
 * Some kernels count it in ticks: a short run may have had none.
 */
static double
cpu(const char *contestant, int process, unsigned count)
{
	const struct row	*r = row_find(contestant, "assocs", 100, 64, count);

	return r == NULL ? NAN : fmax(r->cpu[process], 1) / r->done;
}

static double
growth(const char *contestant, int process)
{
	return cpu(contestant, process, effort.assocs) / cpu(contestant, process, 1);
}

static double
beset(const char *contestant, const char *with, const char *without)
{
	return row_value(contestant, with, 100, 1) / row_value(contestant, without, 100, 1);
}

/* The time of a set-up with sctpd at one end against that of a plain pair. */
static double
setup(const char *ours, size_t at_once)
{
	return row_value(ours, "setup", 0, at_once) / row_value("direct", "setup", 0, at_once);
}

static double
idle(const char *work, unsigned count)
{
	return row_value_of(row_find("sctpd", work, 0, 0, count));
}

static void
ratios_scale(void)
{
	ratio_add("cpu_10000_vs_1_assocs", growth("sctpd", FAR) / growth("epoll", SERVER), 1.3, 0);
	ratio_add("cpu_10000_vs_1_assocs_sctpd", growth("sctpd", FAR), 0, 0);
	ratio_add("cpu_10000_vs_1_assocs_epoll", growth("epoll", SERVER), 0, 0);
	ratio_add("isolation_median", beset("sctpd", "beset", "alone"), 1.5, 0);
	ratio_add("isolation_worst", beset("sctpd", "beset worst", "alone worst"), 1.5, 0);
	ratio_add("isolation_median_epoll", beset("epoll", "beset", "alone"), 0, 0);
	ratio_add("isolation_worst_epoll", beset("epoll", "beset worst", "alone worst"), 0, 0);
	ratio_add("setup_vs_direct", setup(SEND, SETUPS_AT_ONCE), 1.6, 0);
	ratio_add("setup_recv_vs_direct", setup(RECV, SETUPS_AT_ONCE), 1.6, 0);
	ratio_add("setup_in_turn_vs_direct", setup(SEND, 1), 0, 0);
	ratio_add("setup_recv_in_turn_vs_direct", setup(RECV, 1), 0, 0);
	ratio_add("idle_client_bytes", idle("idle client", effort.clients), 16384, 0);
	ratio_add("idle_socket_bytes", idle("idle socket", effort.clients), 0, 0);
	ratio_add("idle_assoc_bytes", idle("idle assoc", effort.assocs), 2048, 0);
	ratio_add("instructions_send_100", row_value("sctpd", "instr send", 100, 0), 1500, 0);
	ratio_add("instructions_recv_100", row_value("sctpd", "instr recv", 100, 0), 1500, 0);
	ratio_add("instructions_rtt_100", row_value("sctpd", "instr rtt", 100, 1), 0, 0);
	ratio_add("idle_wake_ups_a_second", idle("wake-ups", effort.assocs), 0, 0);
}

/* Packets of either direction a message. */
static double
packets(const char *contestant, size_t bytes)
{
	const struct row	*r = row_find(contestant, "oneway", bytes, 0, 0);

	return r == NULL ? NAN : r->packets / r->done;
}

/* The userland stack's against a plain program's on usrsctp. */
static void
ratios_userland(void)
{
	static const char	*const send = "userland-usrsctp", *const recv = "usrsctp-userland";

	ratio_add("userland_rtt_100_vs_floor", userland_floor(100), 1.25, 0);
	ratio_add("userland_rtt_1000_vs_floor", userland_floor(1000), 1.25, 0);
	ratio_add("userland_send_1000_vs_plain", rate(send, "usrsctp", 1000), 0, 0.9);
	ratio_add("userland_recv_1000_vs_plain", rate(recv, "usrsctp", 1000), 0, 0.9);
	ratio_add("userland_both_1000_vs_plain", rate("userland-userland", "usrsctp", 1000), 0, 0.9);
	ratio_add("userland_both_16000_vs_usrsctp", rate("userland-userland", "usrsctp", 16000), 0, 1.5);
}

void
ratios_compute(void)
{
	double	once = row_value("rpc", "rpc", 0, 1);

	ratio_add("rpc_vs_unix", once / row_value("unix", "rtt", 100, 1), 1.5, 0);
	ratio_add("rpc_per_second_64_here", 1e6 / row_value("rpc", "rpc", 0, 64), 0, 0);
	ratio_add("rpc_per_second_64", 1e6 / row_value("native", "rpc", 0, 64), 0, 2e6);
	ratio_add("rpc_per_second_64_apart", 1e6 / row_value("native", "rpc-apart", 0, 64), 0, 0);
	ratio_add("rpc_vs_unix_native", row_value("native", "rpc", 0, 1) / row_value("native-unix", "rtt", 100, 1), 1.5, 0);
	ratio_add("rpc_vs_grpc", once / row_value("grpc", "rpc", 0, 1), 0, 0);
	ratio_add("rtt_100_vs_floor", floor_ratio(100), 1.25, 0);
	ratio_add("rtt_1000_vs_floor", floor_ratio(1000), 1.25, 0);
	ratio_add("send_100_vs_direct", rate(SEND, "direct", 100), 0, want(4));
	ratio_add("send_1000_vs_direct", rate(SEND, "direct", 1000), 0, want(1.5));
	ratio_add("recv_100_vs_direct", rate(RECV, "direct", 100), 0, want(1));
	ratio_add("recv_1000_vs_direct", rate(RECV, "direct", 1000), 0, want(1));
	ratio_add("both_100_vs_direct", rate(BOTH, "direct", 100), 0, want(9));
	ratio_add("both_1000_vs_direct", rate(BOTH, "direct", 1000), 0, want(2));
	ratio_add("both_16000_vs_direct", rate(BOTH, "direct", 16000), 0, want(0.8));
	ratio_add("tap_oneway_100_vs_untapped", rate("tapped", BOTH, 100), 0, 0.95);
	ratio_add("tap_oneway_1000_vs_untapped", rate("tapped", BOTH, 1000), 0, 0);
	ratio_add("recorded_100_vs_unrecorded", rate(BOTH, "unrecorded", 100), 0, 0.98);
	ratio_add("recorded_1000_vs_unrecorded", rate(BOTH, "unrecorded", 1000), 0, 0);
	ratio_add("both_100_vs_batched", rate(BOTH, "batched", 100), 0, 0);
	ratio_add("both_1000_vs_batched", rate(BOTH, "batched", 1000), 0, 0);
	ratio_add("batched_send_100_vs_direct", rate("batched-direct", "direct", 100), 0, 0);
	ratio_add("packets_per_message_100", packets(BOTH, 100), 0.15, 0);
	ratio_add("both_100_vs_erlang", erlang("oneway", 100, 0) / row_value(BOTH, "oneway", 100, 0), 0, 2);
	ratio_add("both_1000_vs_erlang", erlang("oneway", 1000, 0) / row_value(BOTH, "oneway", 1000, 0), 0, 2);
	ratio_add("rtt_100_vs_erlang", row_value(BOTH, "rtt", 100, 1) / erlang("rtt", 100, 1), 1, 0);
	ratio_add("lend_oneway_1000_vs_direct", rate("lend-direct", "direct", 1000), 0, 0.97);
	if (!isnan(row_value(BOTH, "oneway", 100, 0)))
		ratio_add("losses_in_bulk_runs", (double)losses_bulk, 0.5, 0);
	ratios_erlang();
	ratios_userland();
	ratios_scale();
}
