/*
 * The model file as a plain tree. libfyaml gives events; they become nodes of our own, each with its exact
 * place in the text, so that everything behind this header can say line and column without knowing YAML's
 * library. Aliases share the node of their anchor: the tree is a graph without cycles, and its size with all
 * aliases expanded is known before anybody walks it.
 */
#ifndef BS_MODEL_YAML_H
#define BS_MODEL_YAML_H

#include "problems.h"

#include "base/arena.h"

#define BS_YAML_MAX_BYTES ((size_t)4 << 20)
#define BS_YAML_MAX_NODES 100000
#define BS_YAML_MAX_DEPTH 64

enum bs_yaml_kind { BS_Y_SCALAR, BS_Y_LIST, BS_Y_MAP };

struct bs_yaml_pair;
struct bs_yaml {
	enum bs_yaml_kind kind;
	struct bs_at at;
	size_t start, end; /* bytes in the text; end of a scalar only */
	const char *text;  /* BS_Y_SCALAR; NUL-terminated, no NUL within */
	size_t len;
	bool plain;             /* not quoted, no block scalar: may be a number, a boolean or null */
	bool exact;             /* text stands in the file as it is, on one line: offsets are columns */
	uint32_t text_column;   /* where text begins when exact (behind the quote) */
	struct bs_yaml **items; /* BS_Y_LIST */
	struct bs_yaml_pair *pairs; /* BS_Y_MAP */
	size_t count;
	size_t weight; /* nodes below and including this one, aliases expanded */
	size_t height; /* levels, aliases expanded */
};
struct bs_yaml_pair {
	struct bs_yaml *key; /* a scalar always */
	struct bs_yaml *value;
};

/* NULL when there is nothing to walk: an empty file, or broken YAML (one problem says where). Nodes live as
 * long as the arena. file is borrowed for as long. */
struct bs_yaml *bs_yaml_parse(struct bs_arena *arena, const char *file, const char *text, size_t len,
			      struct bs_problems *problems);

/* The value of key in a mapping, or NULL. */
struct bs_yaml *bs_yaml_get(const struct bs_yaml *map, const char *key);

/* Where the byte `offset` of a scalar's text stands: the node itself when that is not known. */
struct bs_at bs_yaml_at(const struct bs_yaml *scalar, size_t offset);

/* What a scalar is by the core schema (YAML 1.2.2 section 10.3). */
enum bs_yaml_type { BS_YT_NULL, BS_YT_BOOL, BS_YT_NUMBER, BS_YT_ODD_NUMBER, BS_YT_TEXT };
/* BS_YT_ODD_NUMBER: a number for YAML that JSON cannot write (0x1F, .inf, +1, 01). */
enum bs_yaml_type bs_yaml_type(const struct bs_yaml *scalar);
bool bs_yaml_true(const struct bs_yaml *scalar);

/* "a list", "a mapping", "'text'": for messages. Borrowed from the arena. */
const char *bs_yaml_describe(struct bs_arena *arena, const struct bs_yaml *node);

#endif
