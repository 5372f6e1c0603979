/*
 * From libfyaml's events to our nodes. See yaml.h. Marks give byte positions in the text; lines and columns are
 * computed from those, because the library counts columns in characters and we count in bytes.
 */
#include "yaml.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <libfyaml.h>
#include <string.h>

struct lines { /* where each line begins */
	size_t *starts;
	size_t count;
};

struct anchor {
	const char *name;
	struct bs_yaml *node;
};

struct builder {
	struct bs_arena *arena;
	const char *file;
	const char *text;
	size_t len;
	struct bs_problems *problems;
	struct lines lines;
	struct anchor *anchors;
	size_t anchor_count;
	struct { /* open lists and mappings; their children are collected here first */
		struct bs_yaml *node;
		const char *anchor;
		struct bs_yaml **children;
		size_t count;
	} stack[BS_YAML_MAX_DEPTH];
	size_t depth;
	size_t nodes;
	struct bs_yaml *root;
	bool failed;
};

static void lines_init(struct lines *lines, const char *text, size_t len)
{
	*BS_PUSH(lines->starts, lines->count) = 0;
	for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))); p++)
		*BS_PUSH(lines->starts, lines->count) = (size_t)(p + 1 - text);
}

static struct bs_at at_byte(const struct builder *b, size_t pos)
{
	size_t low = 0, high = b->lines.count;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (b->lines.starts[mid] <= pos)
			low = mid;
		else
			high = mid;
	}
	return (struct bs_at){b->file, (uint32_t)(low + 1), (uint32_t)(pos - b->lines.starts[low] + 1)};
}

static void fail(struct builder *b, struct bs_at at, const char *message)
{
	if (!b->failed)
		bs_problem_add(b->problems, at, "%s", message);
	b->failed = true;
}

/* --- Nodes ----------------------------------------------------------------------------------------- */

/* Sets what the node weighs; false when it would be too much to walk. */
static bool weigh(struct builder *b, struct bs_yaml *node)
{
	size_t weight = 1, height = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *child = node->kind == BS_Y_MAP ? node->pairs[i].value : node->items[i];
		weight += child->weight + (node->kind == BS_Y_MAP);
		height = child->height > height ? child->height : height;
		if (weight > BS_YAML_MAX_NODES) {
			fail(b, node->at, "the model has more than 100000 values (aliases counted in full)");
			return false;
		}
	}
	node->weight = weight;
	node->height = height + 1;
	if (node->height > BS_YAML_MAX_DEPTH)
		fail(b, node->at, "the model is nested more than 64 levels deep");
	return !b->failed;
}

static int by_text(const void *a, const void *b)
{
	const struct bs_yaml *x = *(const struct bs_yaml *const *)a, *y = *(const struct bs_yaml *const *)b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->start > y->start) - (x->start < y->start);
}

static void check_duplicates(struct builder *b, const struct bs_yaml *map)
{
	const struct bs_yaml **keys = bs_xcalloc(map->count, sizeof *keys);

	for (size_t i = 0; i < map->count; i++)
		keys[i] = map->pairs[i].key;
	qsort(keys, map->count, sizeof *keys, by_text);
	for (size_t i = 1; i < map->count; i++)
		if (strcmp(keys[i]->text, keys[i - 1]->text) == 0)
			bs_problem_add(b->problems, keys[i]->at, "duplicate key '%s': it stands at line %u already",
				       keys[i]->text, keys[i - 1]->at.line);
	free(keys);
}

static void remember(struct builder *b, const char *anchor, struct bs_yaml *node)
{
	if (anchor)
		*BS_PUSH(b->anchors, b->anchor_count) = (struct anchor){anchor, node};
}

static void place(struct builder *b, struct bs_yaml *node)
{
	if (b->depth == 0)
		b->root = node;
	else
		*BS_PUSH(b->stack[b->depth - 1].children, b->stack[b->depth - 1].count) = node;
}

static const char *token_text(struct builder *b, struct fy_token *token)
{
	size_t len = 0;
	const char *text = token ? fy_token_get_text(token, &len) : NULL;

	return text ? bs_arena_dup(b->arena, text, len) : NULL;
}

static struct bs_yaml *node_new(struct builder *b, enum bs_yaml_kind kind, struct fy_event *event)
{
	struct bs_yaml *node = bs_arena_alloc(b->arena, sizeof *node);
	const struct fy_mark *start = fy_event_start_mark(event), *end = fy_event_end_mark(event);

	node->kind = kind;
	node->weight = node->height = 1;
	node->start = start && start->input_pos <= b->len ? start->input_pos : 0;
	node->end = end && end->input_pos <= b->len ? end->input_pos : node->start;
	node->at = start ? at_byte(b, node->start) : (struct bs_at){b->file, 0, 0};
	if (++b->nodes > BS_YAML_MAX_NODES)
		fail(b, node->at, "the model has more than 100000 values");
	return node;
}

static void add_scalar(struct builder *b, struct fy_event *event)
{
	struct bs_yaml *node = node_new(b, BS_Y_SCALAR, event);
	struct fy_token *token = event->scalar.value;
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
	const char *text = token ? fy_token_get_text(token, &node->len) : NULL;

	node->text = bs_arena_dup(b->arena, text ? text : "", text ? node->len : 0);
	node->plain = style == FYSS_PLAIN && !event->scalar.tag;
	if (strlen(node->text) != node->len)
		fail(b, node->at, "a NUL byte has no place in a model");
	size_t quote = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
	if (quote && b->text[node->start] != '\'' && b->text[node->start] != '"' && node->start) {
		node->start--; /* the mark stands behind the quote */
		node->at = at_byte(b, node->start);
	}
	size_t begin = node->start + quote;
	node->exact = (style == FYSS_PLAIN || quote) && begin + node->len <= b->len &&
		      memcmp(b->text + begin, node->text, node->len) == 0;
	node->text_column = node->at.column + (uint32_t)quote;
	remember(b, token_text(b, event->scalar.anchor), node);
	place(b, node);
}

static void add_alias(struct builder *b, struct fy_event *event)
{
	const char *name = token_text(b, event->alias.anchor);
	size_t pos = fy_event_start_mark(event) ? fy_event_start_mark(event)->input_pos : 0;
	struct bs_at at = at_byte(b, pos - (pos && b->text[pos - 1] == '*')); /* the mark stands behind the star */

	for (size_t i = b->anchor_count; i-- > 0;)
		if (name && strcmp(b->anchors[i].name, name) == 0) {
			place(b, b->anchors[i].node);
			return;
		}
	if (!b->failed)
		bs_problem_add(b->problems, at, "unknown alias '*%s': no anchor '&%s' stands before it",
			       name ? name : "", name ? name : "");
	b->failed = true;
}

static void open_node(struct builder *b, struct fy_event *event, enum bs_yaml_kind kind, struct fy_token *anchor)
{
	struct bs_yaml *node = node_new(b, kind, event);

	if (b->depth == BS_YAML_MAX_DEPTH) {
		fail(b, node->at, "the model is nested more than 64 levels deep");
		return;
	}
	memset(&b->stack[b->depth], 0, sizeof b->stack[b->depth]);
	b->stack[b->depth].node = node;
	b->stack[b->depth].anchor = token_text(b, anchor);
	b->depth++;
}

/* A value that was left out stands nowhere: it is shown where its key or its list is. */
static void inherit_place(struct bs_yaml *node, const struct bs_yaml *from)
{
	if (node->at.line == 0)
		node->at = from->at;
}

static void fill_map(struct builder *b, struct bs_yaml *map, struct bs_yaml **children)
{
	map->pairs = bs_arena_alloc(b->arena, map->count * sizeof *map->pairs);
	for (size_t i = 0; i < map->count; i++) {
		map->pairs[i] = (struct bs_yaml_pair){children[2 * i], children[2 * i + 1]};
		inherit_place(map->pairs[i].key, map);
		inherit_place(map->pairs[i].value, map->pairs[i].key);
		if (map->pairs[i].key->kind != BS_Y_SCALAR) {
			fail(b, map->pairs[i].key->at,
			     "a key must be a plain name; a value that begins with { or [ must be quoted");
			return;
		}
	}
	check_duplicates(b, map);
}

static void close_node(struct builder *b)
{
	b->depth--;
	struct bs_yaml *node = b->stack[b->depth].node;
	struct bs_yaml **children = b->stack[b->depth].children;
	size_t count = b->stack[b->depth].count;

	node->count = node->kind == BS_Y_MAP ? count / 2 : count;
	if (node->kind == BS_Y_MAP)
		fill_map(b, node, children);
	else if (count)
		node->items = bs_arena_dup(b->arena, children, count * sizeof *children);
	for (size_t i = 0; node->kind == BS_Y_LIST && i < count; i++)
		inherit_place(node->items[i], node);
	free(children);
	if (b->failed || !weigh(b, node))
		return;
	remember(b, b->stack[b->depth].anchor, node);
	place(b, node);
}

static void add_event(struct builder *b, struct fy_event *event, size_t *documents)
{
	/* An if chain: -Wswitch-enum would have us list the events that mean nothing here. */
	if (event->type == FYET_SCALAR)
		add_scalar(b, event);
	else if (event->type == FYET_ALIAS)
		add_alias(b, event);
	else if (event->type == FYET_SEQUENCE_START)
		open_node(b, event, BS_Y_LIST, event->sequence_start.anchor);
	else if (event->type == FYET_MAPPING_START)
		open_node(b, event, BS_Y_MAP, event->mapping_start.anchor);
	else if (event->type == FYET_SEQUENCE_END || event->type == FYET_MAPPING_END)
		close_node(b);
	else if (event->type == FYET_DOCUMENT_START && ++*documents == 2)
		fail(b, at_byte(b, fy_event_start_mark(event) ? fy_event_start_mark(event)->input_pos : 0),
		     "a model is one YAML document; remove what follows '---'");
}

/* --- Syntax errors --------------------------------------------------------------------------------- */

/* `{a: ${x}}`: the brace of the placeholder opens a mapping inside of the mapping. */
static bool unquoted_placeholder(const char *line, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (line[i] == '$' && line[i + 1] == '{' && (i == 0 || (line[i - 1] != '"' && line[i - 1] != '\'')) &&
		    memchr(line, '{', i))
			return true;
	return false;
}

static const char *hint(const struct builder *b, uint32_t line)
{
	for (size_t back = 0; back < 2 && back < line; back++) {
		const char *start = b->text + b->lines.starts[line - 1 - back];
		size_t left = b->len - (size_t)(start - b->text);
		const char *end = memchr(start, '\n', left);
		if (unquoted_placeholder(start, end ? (size_t)(end - start) : left))
			return "; a placeholder inside of { } must be quoted: \"${x}\"";
		if (memchr(start, '\t', strspn(start, " \t")))
			return "; indent with spaces, YAML allows no tabs";
	}
	return "";
}

/* The library counts columns in characters. */
static uint32_t byte_column(const struct builder *b, uint32_t line, int column)
{
	size_t pos = b->lines.starts[line - 1], start = pos;

	for (int i = 1; i < column && pos < b->len && b->text[pos] != '\n'; i++) {
		pos++;
		while (pos < b->len && (b->text[pos] & 0xC0) == 0x80)
			pos++;
	}
	return (uint32_t)(pos - start + 1);
}

static void syntax_error(struct builder *b, struct fy_diag *diag)
{
	void *iter = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iter);
	struct bs_at at = {b->file, 1, 1};

	if (b->failed)
		return;
	b->failed = true;
	if (!error) {
		bs_problem_add(b->problems, at, "not YAML");
		return;
	}
	size_t line = error->line > 0 ? (size_t)error->line : 1;
	at.line = (uint32_t)(line < b->lines.count ? line : b->lines.count);
	at.column = byte_column(b, at.line, error->column);
	bs_problem_add(b->problems, at, "not YAML: %s%s", error->msg ? error->msg : "syntax error",
		       hint(b, at.line));
}

/* --- Driving --------------------------------------------------------------------------------------- */

static void builder_release(struct builder *b)
{
	for (size_t i = 0; i < b->depth; i++)
		free(b->stack[i].children);
	free(b->anchors);
	free(b->lines.starts);
}

static void run_parser(struct builder *b, struct fy_diag *diag)
{
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
					    FYPCF_JSON_NONE,
				   .diag = diag};
	struct fy_parser *parser = fy_parser_create(&cfg);
	struct fy_event *event;
	size_t documents = 0;

	if (!parser || fy_parser_set_string(parser, b->text, b->len) < 0)
		fail(b, (struct bs_at){b->file, 1, 1}, "the YAML library cannot be started");
	while (!b->failed && (event = fy_parser_parse(parser))) {
		add_event(b, event, &documents);
		fy_parser_event_free(parser, event);
	}
	if (parser && fy_parser_get_stream_error(parser))
		syntax_error(b, diag);
	fy_parser_destroy(parser);
}

/* The library ends at a NUL or a broken character as if the file did. */
static void check_bytes(struct builder *b)
{
	for (size_t i = 0; i < b->len;) {
		uint32_t c;
		size_t n = bs_utf8_next(b->text + i, b->len - i, &c);
		if (!n || !c) {
			fail(b, at_byte(b, i), n ? "a NUL byte has no place in a model"
						 : "not UTF-8; save the file in that encoding");
			return;
		}
		i += n;
	}
}

struct bs_yaml *bs_yaml_parse(struct bs_arena *arena, const char *file, const char *text, size_t len,
			      struct bs_problems *problems)
{
	struct builder b = {.arena = arena, .file = file, .text = text, .len = len, .problems = problems};
	struct fy_diag_cfg cfg;

	lines_init(&b.lines, text, len);
	fy_diag_cfg_default(&cfg);
	cfg.fp = NULL;
	struct fy_diag *diag = fy_diag_create(&cfg);
	fy_diag_set_collect_errors(diag, true);
	check_bytes(&b);
	if (len && !b.failed)
		run_parser(&b, diag);
	fy_diag_destroy(diag);
	builder_release(&b);
	return b.failed ? NULL : b.root;
}
