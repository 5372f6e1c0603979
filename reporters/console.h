/*
 * What the parts of the console report share: the reporter itself, and text that fits a terminal.
 *
 * Everything is composed in `out` and written after the event, so that a progress line is taken off the screen
 * exactly once, in front of what stays. No text from outside reaches `out` but through bs_console_clean().
 */
#ifndef BS_REPORTERS_CONSOLE_H
#define BS_REPORTERS_CONSOLE_H

#include "base/buf.h"
#include "summary.h"

#include <backstep/reporter.h>

struct bs_console_progress {
	struct bs_buf line;        /* to be drawn; empty: nothing new */
	unsigned columns;          /* drawn on the screen now */
	uint64_t at_ns;            /* of the last drawing */
	bool drawn_once;
};

struct bs_console {
	struct bs_reporter reporter;
	struct bs_summary summary;
	FILE *stream; /* NULL: `path` is written at the end */
	char *path;
	int write_error; /* errno of the first write that failed */
	bool tty, color, job_log;
	unsigned width;
	struct bs_buf out;
	struct bs_console_progress progress;
};

/* --- console_text.c --------------------------------------------------------------------------------------- */

enum bs_style { /* colour says nothing that the words do not say */
	BS_STYLE_PLAIN,
	BS_STYLE_STRONG,
	BS_STYLE_FAINT,
	BS_STYLE_BAD,
	BS_STYLE_WARN,
	BS_STYLE_GOOD,
	BS_STYLE_NOTE,
};

#define BS_CONSOLE_LABELS 17 /* columns in front of a labelled text */

/* Text fit for a terminal and for one line. The caller's to free(). NULL gives "". */
char *bs_console_clean(const char *text);
/* The columns that clean text takes on a terminal. */
unsigned bs_console_columns(const char *clean);
/* Appends clean text, cut with an ellipsis where it is wider than columns. Returns the columns that it takes. */
unsigned bs_console_cut(struct bs_buf *out, const char *clean, unsigned columns);

void bs_console_blanks(struct bs_console *console, unsigned count);
/* Clean text in a style. */
void bs_console_put(struct bs_console *console, enum bs_style style, const char *clean);
/* A cell of a table: cut or padded to its columns. */
void bs_console_cell(struct bs_console *console, enum bs_style style, const char *clean, unsigned columns);
/* Raw text from column `indent` on, where the line stands already, wrapped at words; at most lines_max lines. */
void bs_console_prose(struct bs_console *console, const char *text, unsigned indent, unsigned lines_max);
/* "  label          text", wrapped. */
void bs_console_labelled(struct bs_console *console, const char *label, const char *text, unsigned lines_max);
/* The label alone; a NULL label is blank. */
void bs_console_label(struct bs_console *console, const char *label);
/* One raw line from column `indent` on, cut to the width. */
void bs_console_line(struct bs_console *console, enum bs_style style, unsigned indent, const char *text);

/* --- The parts ---------------------------------------------------------------------------------------------- */

void bs_console_finding(struct bs_console *console, const struct bs_ev_finding *finding); /* console_finding.c */
void bs_console_steps(struct bs_console *console, const struct bs_ev_finding *finding);   /* console_steps.c */
void bs_console_end(struct bs_console *console);                                          /* console_end.c */

/* Redraws when the event says something new and it is time to. On a terminal only. */
void bs_console_progress(struct bs_console *console, const struct bs_event *event); /* console_progress.c */

#endif
