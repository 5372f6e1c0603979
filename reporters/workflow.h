/*
 * GitHub's runner reads the log of a job line by line, standard output and standard error alike, and takes from it
 * what looks like a command:
 *
 *   ::error file=a.yaml,line=3::message     where the line begins so, blanks before it allowed
 *   ##[error]message                        wherever it stands in a line
 *
 * Here are the ways to write one, and to keep text from being one: an API could otherwise annotate files, mask words
 * of the log or register a matcher through the report of its own failure.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
#ifndef BS_REPORTERS_WORKFLOW_H
#define BS_REPORTERS_WORKFLOW_H

#include "base/buf.h"

/* Escaped for the message of a command, and for one of its properties, where more must be. */
void bs_workflow_message(struct bs_buf *out, const char *text);
void bs_workflow_property(struct bs_buf *out, const char *text);

enum bs_workflow_quiet { /* what a mark of a command is broken with */
	BS_QUIET_TEXT, /* \x3a and \x23, as the console shows control bytes */
	BS_QUIET_XML,  /* character references: the document stays the same */
	BS_QUIET_JSON, /* an escape within a string: the value stays the same */
};

/* Text of which no line is a command. text begins at the beginning of a line. */
void bs_workflow_quiet(struct bs_buf *out, const char *text, size_t len, enum bs_workflow_quiet how);

#endif
