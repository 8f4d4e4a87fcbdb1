/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: what systemd is to the daemon, where there is no systemd.
 */
#ifndef KEEPER_H
#define KEEPER_H

/* What nobody starts again after: a mistake in the configuration (EX_CONFIG). */
#define EXIT_CONFIG	78

/*
 * Run the daemon with these arguments, its name first, until SIGTERM or
 * SIGINT. Gives what to exit with.
 */
int keeper_run(const char *const argv[]);

#endif
