/*
 * Text in Markdown as GitHub renders it, from whatever an API may have said. Two forms are safe, and no text from
 * outside gets into a document but through them:
 *
 *   prose   escaped: no markup, HTML, link, mention (@), issue (#1), formula or table cell comes of it
 *   code    a code span, with a longer fence than any run of backticks within; of a run at most 20 are shown
 *
 * Both are one line, without control characters, cut to so many bytes. Neither may stand at the beginning of a line,
 * where more characters have a meaning. So no line begins with "::", nor holds "##[", which GitHub's job log takes
 * for commands: a document may be printed there.
 */
#ifndef BS_REPORTERS_MARKDOWN_TEXT_H
#define BS_REPORTERS_MARKDOWN_TEXT_H

#include "base/buf.h"

/* bytes_max is of the raw text; NULL or "" gives "?". */
void bs_md_prose(struct bs_buf *out, const char *text, size_t bytes_max);
void bs_md_code(struct bs_buf *out, const char *text, size_t bytes_max);

/* A fenced block of lines that are fit to be printed (bs_words_command) and end with a newline. */
void bs_md_block(struct bs_buf *out, const char *language, const char *lines);

/* The same from any text: its line breaks stay, and the lines are cleaned. */
void bs_md_text_block(struct bs_buf *out, const char *text);

#endif
