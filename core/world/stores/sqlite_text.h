/*
 * The little of SQL that has to be read as text, because no pragma gives it: the terms of an index on expressions,
 * the condition of a partial index, and whether a default value differs each time. Comments, strings and quoted
 * names are skipped as SQLite's tokenizer skips them.
 */
#ifndef BS_WORLD_SQLITE_TEXT_H
#define BS_WORLD_SQLITE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct bs_index_text {
	char **terms; /* each without ASC and DESC */
	size_t term_count;
	char *where; /* NULL: not partial */
};

/* Reads a CREATE INDEX statement. */
void bs_index_text_read(const char *sql, struct bs_index_text *ret_text);
void bs_index_text_release(struct bs_index_text *text);

/* CURRENT_TIMESTAMP, random(), datetime('now'), ...; but not the mere text 'now'. */
bool bs_default_is_volatile(const char *value);

#endif
