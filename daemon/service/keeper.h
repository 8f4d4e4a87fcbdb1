/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper (sctpd -k): a supervisor for the daemon on hosts without systemd.
 */
#ifndef KEEPER_H
#define KEEPER_H

/* Exit status after which nobody restarts it: the configuration is wrong (EX_CONFIG). */
#define EXIT_CONFIG	78

/*
 * Run the daemon with these arguments, its name first, until SIGTERM or
 * SIGINT. Returns the status to exit with.
 */
int keeper_run(const char *const argv[]);

#endif
