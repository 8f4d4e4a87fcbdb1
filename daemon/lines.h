/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of log lines that people and programs may rely on, from lines.def.
 *
 * It knows util and nothing else. A line is written by whoever knows what
 * happened: log_wants(&line_table[LINE_assoc_up]), then log_row. Its fields are
 * named by LINE_TEXT and LINE_NUMBER, so that none is written that the table lacks.
 */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>

#include "util/log.h"

enum line {
#define LINE(name, priority, id, text, doc) LINE_##name,
#include "lines.def"
	LINE_COUNT
};

enum line_field {
#define LINE_FIELD(name, doc) LINE_FIELD_##name,
#include "lines.def"
	LINE_FIELD_COUNT
};

/* What stands in front of the fields' names in the journal and in JSON. */
#define LINES_PREFIX	"SCTP_"

struct line_field_desc {
	const char	*name;
	const char	*doc;
};

extern const struct log_line line_table[LINE_COUNT];
extern const struct line_field_desc line_field_table[LINE_FIELD_COUNT];

/* A field that has a text, or a number. */
#define LINE_TEXT(NAME, TEXT)		{ .name = line_field_table[LINE_FIELD_##NAME].name, .text = (TEXT) }
#define LINE_NUMBER(NAME, NUMBER)	{ .name = line_field_table[LINE_FIELD_##NAME].name, .number = (NUMBER) }

#endif
