/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --script: what to send and what must come, in order, as expect(1) has it.
 * sctpctl(1), "SCRIPTS", describes the language.
 *
 * A script is read once, and each association runs it for itself: script_run is
 * how far one is. Nothing here sends or waits; script_next says what is next.
 */
#ifndef SCTPCTL_SCRIPT_H
#define SCTPCTL_SCRIPT_H

#include "sctpctl/ctl.h"

enum script_kind {
	STEP_SEND,
	STEP_EXPECT,		/* a message */
	STEP_EXPECT_EVENT,
	STEP_EXPECT_NOTHING,
	STEP_SLEEP,
	STEP_END,
	STEP_ABORT,
};

struct script_step {
	enum script_kind kind;
	unsigned	 line;
	int		 timeout;	/* ms */
	bool		 has_stream, has_ppid, unordered;
	uint16_t	 stream;
	uint32_t	 ppid;
	bool		 has_data;
	bool		 open;		/* what follows the data is of no interest */
	char		*data;
	char		*mask;		/* a byte that is 0 is of no interest */
	size_t		 len;
	char		**words;	/* of an event: its name, then key=value; ends with NULL */
	int		 n_words;
};

struct script {
	const char		*name;
	struct script_step	*steps;
	size_t			 n;
};

/* What came and was not expected yet. */
struct script_heard {
	char		*text;		/* of an event, or NULL */
	char		*data;
	size_t		 len;
	uint16_t	 stream;
	uint32_t	 ppid;
};

struct script_run {
	size_t			 at;		/* the step that is next */
	int64_t			 deadline;	/* ns; 0: the step has not begun */
	bool			 sent;		/* the step was sent, and is not answered */
	bool			 done;		/* whole, or failed */
	struct script_heard	*heard;
	size_t			 n_heard;
};

enum script_want { SCRIPT_WAITS, SCRIPT_SENDS, SCRIPT_ENDS, SCRIPT_ABORTS, SCRIPT_DONE, SCRIPT_FAILED };

/* Read it all; gives NULL if that cannot be or it is wrong, which was said, with the exit code. */
struct script *script_read(const char *path, int *fail);
void script_free(struct script *);

/* A message or another event came. */
void script_hear(struct script_run *, const struct sctpd_event *);

/*
 * What is to be done now. SCRIPT_SENDS, SCRIPT_ENDS and SCRIPT_ABORTS give the
 * step; script_did says that it was. SCRIPT_FAILED was said, and gives the exit
 * code. Once the association is over, what waits fails.
 */
enum script_want script_next(const struct script *, struct script_run *, bool up, const struct script_step **, int *fail);
void script_did(struct script_run *);

/* The send was refused by the daemon: say so, with the line. */
int script_fail_send(const struct script *, struct script_run *, const char *why);

void script_run_free(struct script_run *);

#endif
