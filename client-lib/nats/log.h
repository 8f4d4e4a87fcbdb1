/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines on standard error, with priorities where that is the journal. */
#ifndef NATS_LOG_H
#define NATS_LOG_H

#include <stdbool.h>
#include <syslog.h>

#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

/* Lines less urgent than this are not written. */
void log_set_level(int priority);

/* The priority of that name, or -1. */
int log_level_find(const char *name);

void log_line(int priority, const char *format, ...) PRINTF(2, 3);

/* An error that ends the program. */
void log_fatal(const char *format, ...) PRINTF(1, 2) __attribute__((noreturn));

#define log_err(...)		log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)		log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)		log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)		log_line(LOG_DEBUG, __VA_ARGS__)

#endif
