/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place where a test may have the daemon die: right after a system call.
 * In the test build only; otherwise there is nothing here.
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULT_POINTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
