/*
 * The one request shape. A string is its short form, "METHOD /path"; a mapping has the rest. Actions, setup,
 * observations, ready and reset all come through here; what an owner does not have is refused by name.
 */
#include "loader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void read_method(struct bs_loader *l, const struct bs_yaml *node, size_t len, const char *what,
			struct bs_request *request)
{
	struct bs_suggestion guess;
	char *name = bs_arena_dup(l->arena, node->text, len);

	for (size_t i = 0; i < len; i++)
		name[i] = upper(name[i]);
	bs_suggest_init(&guess, name, len);
	for (size_t i = 0; methods[i]; i++) {
		if (strcmp(methods[i], name) == 0) {
			request->method = methods[i];
			return;
		}
		bs_suggest_offer(&guess, methods[i]);
	}
	BS_AUTOFREE char *suggestion = bs_suggest_text(&guess);
	bs_problem_add(l->problems, node->at, "%s: unknown method '%.*s'%s", what, (int)len, node->text,
		       guess.best ? suggestion : "; there are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS");
}

/* The path as a node of its own, so that its placeholders find their place in the file. */
static const struct bs_yaml *slice(struct bs_loader *l, const struct bs_yaml *node, size_t from)
{
	struct bs_yaml *part = bs_arena_dup(l->arena, node, sizeof *node);

	part->text += from;
	part->len -= from;
	part->text_column += (uint32_t)from;
	part->at = bs_yaml_at(node, from);
	part->plain = false; /* never a number */
	return part;
}

/* What stands in the path as it is, is sent as it is. */
static void check_path(struct bs_loader *l, const struct bs_yaml *node, const struct bs_template *path,
		       const char *what)
{
	for (size_t i = 0; i < path->count; i++) {
		const struct bs_segment *segment = &path->segments[i];
		for (size_t k = 0; !segment->placeholder && k < segment->len; k++)
			if (strchr(" \t\r\n#", segment->text[k])) {
				bs_problem_add(l->problems,
					       bs_yaml_at(node, (size_t)(segment->text + k - node->text)),
					       "%s: a path has no spaces and no '#'; percent-encode them", what);
				return;
			}
	}
}

static void read_line(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place, const char *what,
		      struct bs_request *request)
{
	const char *line;
	BS_AUTOFREE char *subject = bs_xasprintf("the request of %s", what);

	if (!bs_read_text(l, node, subject, &line))
		return;
	size_t method = strcspn(line, " ");
	size_t path = method + strspn(line + method, " ");
	if (line[0] == '/' || !line[path]) {
		bs_problem_add(l->problems, node->at, "%s must be METHOD /path, such as 'GET %s'; got '%s'", subject,
			       line[0] == '/' ? line : "/health", line);
		return;
	}
	read_method(l, node, method, what, request);
	if (line[path] != '/')
		bs_problem_add(l->problems, bs_yaml_at(node, path), "%s: the path must begin with '/'; got '%s'", what,
			       line + path);
	else if (bs_read_template(l, slice(l, node, path), place, subject, &request->path))
		check_path(l, node, &request->path, what);
}

/* --- Fields ---------------------------------------------------------------------------------------- */

/* RFC 9110 section 5.6.2: token. */
static bool header_name(const char *name)
{
	return *name && !name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

void bs_read_fields(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place, const char *what,
		    bool header, struct bs_fields *ret_fields)
{
	if (!bs_read_map(l, node, what))
		return;
	ret_fields->items = bs_arena_alloc(l->arena, node->count * sizeof *ret_fields->items);
	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *key = node->pairs[i].key;
		BS_AUTOFREE char *subject = bs_xasprintf("'%s' in %s", key->text, what);
		struct bs_field *field = &ret_fields->items[ret_fields->count];
		field->name = key->text;
		if (header && !header_name(key->text))
			bs_problem_add(l->problems, key->at, "'%s' is no header name", key->text);
		ret_fields->count += bs_read_template(l, node->pairs[i].value, place, subject, &field->value);
	}
}

/* --- Bodies ---------------------------------------------------------------------------------------- */

static void read_body(struct bs_loader *l, const struct bs_yaml *map, struct bs_place place, const char *what,
		      struct bs_request *request)
{
	static const char *const kinds[] = {"json", "form", "text"};
	const char *first = NULL;

	for (size_t i = 0; i < map->count; i++) {
		const char *key = map->pairs[i].key->text;
		const struct bs_yaml *value = map->pairs[i].value;
		size_t kind = 0;
		while (kind < BS_COUNT(kinds) && strcmp(kinds[kind], key) != 0)
			kind++;
		if (kind == BS_COUNT(kinds))
			continue;
		if (first) {
			bs_problem_add(l->problems, map->pairs[i].key->at,
				       "%s has '%s' and '%s'; a request has one body, remove one", what, first, key);
			continue;
		}
		first = key;
		request->body_kind = kind == 0 ? BS_BODY_JSON : kind == 1 ? BS_BODY_FORM : BS_BODY_TEXT;
		if (kind == 0)
			request->json = bs_read_json(l, value, place);
		else if (kind == 1)
			bs_read_fields(l, value, place, "'form'", false, &request->form);
		else
			bs_read_template(l, value, place, "'text'", &request->text);
	}
}

/* --- expect ---------------------------------------------------------------------------------------- */

static bool three(const char *text)
{
	return strlen(text) == 3 && text[0] >= '0' && text[0] <= '9';
}

/* 201 or 2xx. Returns 1, 0 when the text is something else, or -1 after a problem. */
static int status_range(struct bs_loader *l, const struct bs_yaml *node, struct bs_status_range *ret_range)
{
	const char *t = node->text;

	if (three(t) && (t[1] == 'x' || t[1] == 'X') && (t[2] == 'x' || t[2] == 'X') && t[0] >= '1' && t[0] <= '5') {
		ret_range->low = (t[0] - '0') * 100;
		ret_range->high = ret_range->low + 99;
		return 1;
	}
	if (bs_yaml_type(node) != BS_YT_NUMBER && !(three(t) && strspn(t, "0123456789") == 3))
		return 0;
	if (!three(t) || strspn(t, "0123456789") != 3 || t[0] < '1' || t[0] > '5') {
		bs_problem_add(l->problems, node->at, "a status is between 100 and 599; got '%s'", t);
		return -1;
	}
	ret_range->low = ret_range->high = (int)strtol(t, NULL, 10);
	return 1;
}

static void expect_list(struct bs_loader *l, const struct bs_yaml *node, struct bs_expect *expect)
{
	struct bs_buf text = BS_BUF_INIT;

	if (!node->count)
		bs_problem_add(l->problems, node->at, "'expect' has no status; remove it, or name one");
	expect->ranges = bs_arena_alloc(l->arena, node->count * sizeof *expect->ranges);
	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *item = node->items[i];
		int r = item->kind == BS_Y_SCALAR ? status_range(l, item, &expect->ranges[expect->count]) : 0;
		if (r == 0)
			bs_problem_add(l->problems, item->at,
				       "a list in 'expect' has statuses only, such as 404 or 2xx; got %s",
				       bs_yaml_describe(l->arena, item));
		expect->count += r > 0;
		bs_buf_addf(&text, "%s%s", i ? ", " : "", item->kind == BS_Y_SCALAR ? item->text : "?");
	}
	expect->text = bs_arena_strdup(l->arena, bs_buf_text(&text));
	bs_buf_release(&text);
}

static void read_expect(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place,
			struct bs_expect *expect)
{
	struct bs_status_range range;

	expect->at = node->at;
	if (node->kind == BS_Y_LIST) {
		expect_list(l, node, expect);
		return;
	}
	if (node->kind == BS_Y_MAP) {
		bs_problem_add(l->problems, node->at,
			       "'expect' must be a status, a list of them, or an expression; got a mapping");
		return;
	}
	int r = status_range(l, node, &range);
	expect->text = node->text;
	if (r > 0) {
		expect->ranges = bs_arena_dup(l->arena, &range, sizeof range);
		expect->count = 1;
	} else if (r == 0) {
		expect->expr = bs_read_expr(l, node, place, "'expect'");
	}
}

/* --- capture, forget ------------------------------------------------------------------------------- */

size_t bs_var_index(const struct bs_model *model, const char *name, size_t len)
{
	for (size_t i = 0; i < model->var_count; i++)
		if (strlen(model->vars[i].name) == len && memcmp(model->vars[i].name, name, len) == 0)
			return i;
	return SIZE_MAX;
}

static size_t declare(struct bs_loader *l, const struct bs_yaml *key)
{
	size_t var = bs_var_index(l->model, key->text, key->len);

	if (var == SIZE_MAX) {
		var = l->model->var_count;
		*BS_GROW(l, l->model->vars, l->model->var_count) = (struct bs_variable){.name = key->text, .at = key->at};
	}
	return var;
}

static void read_captures(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place,
			  struct bs_request *request)
{
	if (!bs_read_map(l, node, "'capture'"))
		return;
	request->captures = bs_arena_alloc(l->arena, node->count * sizeof *request->captures);
	for (size_t i = 0; i < node->count; i++) {
		const struct bs_yaml *key = node->pairs[i].key, *value = node->pairs[i].value;
		BS_AUTOFREE char *what = bs_xasprintf("capture '%s'", key->text);
		struct bs_capture *capture = &request->captures[request->capture_count];
		if (!bs_read_identifier(l, key, "a captured variable"))
			continue;
		capture->var = declare(l, key); /* even when the expression is wrong: its uses are not */
		capture->at = key->at;
		if (value->kind == BS_Y_MAP && bs_yaml_get(value, "secret")) {
			bs_problem_add(l->problems, value->at,
				       "a capture is an expression; write %s: %s, and list the name under 'redact'",
				       key->text, "EXPRESSION");
			continue;
		}
		capture->expr = bs_read_expr(l, value, place, what);
		request->capture_count += capture->expr != NULL;
	}
}

/* --- The whole ------------------------------------------------------------------------------------- */

#define REQUEST_KEYS \
	"request", "as", "headers", "query", "json", "form", "text", "expect", "capture", "forget", "timeout", \
		"multipart", "file"

static void check_keys(struct bs_loader *l, const struct bs_yaml *map, enum bs_request_owner owner,
		       const char *what)
{
	static const char *const request_keys[] = {REQUEST_KEYS, NULL};
	static const char *const action_keys[] = {REQUEST_KEYS, "title", "with", "when", "advance", "run",
						  "idempotency_key", NULL};
	static const char *const later[] = {"multipart", "file", "run", "idempotency_key"};

	bs_read_keys(l, map, what, owner == BS_OF_ACTION ? action_keys : request_keys);
	for (size_t i = 0; i < (owner == BS_OF_ACTION ? BS_COUNT(later) : 2); i++)
		bs_read_unsupported(l, map, later[i]);
	for (size_t i = 0; i < map->count && (owner == BS_OF_OBSERVATION || owner == BS_OF_APP); i++) {
		const struct bs_yaml *key = map->pairs[i].key;
		if (strcmp(key->text, "capture") == 0 || strcmp(key->text, "forget") == 0)
			bs_problem_add(l->problems, key->at, "'%s' has no place in %s; only actions and setup keep values",
				       key->text, what);
	}
}

static void check_actor(struct bs_loader *l, const struct bs_yaml *node)
{
	const char *name;

	if (!bs_read_text(l, node, "'as'", &name) || strcmp(name, l->model->actors[0]) == 0)
		return;
	bs_problem_add(l->problems, node->at, "more than one actor is not supported yet; all requests are sent as '%s'",
		       l->model->actors[0]);
}

static void read_rest(struct bs_loader *l, const struct bs_yaml *map, enum bs_request_owner owner,
		      struct bs_place place, const char *what, struct bs_request *request)
{
	bool keeps = owner == BS_OF_ACTION || owner == BS_OF_SETUP;
	struct bs_place judged = keeps ? place : (struct bs_place){BS_AT_EXPECT, 0};
	const struct bs_yaml *node;

	if ((node = bs_yaml_get(map, "as")))
		check_actor(l, node);
	if ((node = bs_yaml_get(map, "headers")))
		bs_read_fields(l, node, place, "'headers'", true, &request->headers);
	if ((node = bs_yaml_get(map, "query")))
		bs_read_fields(l, node, place, "'query'", false, &request->query);
	read_body(l, map, place, what, request);
	if ((node = bs_yaml_get(map, "expect")))
		read_expect(l, node, judged, &request->expect);
	if (keeps && (node = bs_yaml_get(map, "capture")))
		read_captures(l, node, place, request);
	if (keeps && (node = bs_yaml_get(map, "forget")) && bs_read_list(l, node, "'forget'")) {
		(void)BS_PUSH(l->forgets, l->forget_count);
		l->forgets[l->forget_count - 1].request = request;
		l->forgets[l->forget_count - 1].list = node;
	}
	if ((node = bs_yaml_get(map, "timeout")) && bs_read_duration(l, node, "'timeout'", &request->timeout_ms) &&
	    request->timeout_ms == 0)
		bs_problem_add(l->problems, node->at, "'timeout' must be more than 0");
}

void bs_read_request(struct bs_loader *l, const struct bs_yaml *node, enum bs_request_owner owner,
		     struct bs_place place, const char *what, struct bs_request *request)
{
	request->at = node->at;
	if (node->kind == BS_Y_SCALAR) {
		read_line(l, node, place, what, request);
		return;
	}
	if (!bs_read_map(l, node, what))
		return;
	check_keys(l, node, owner, what);
	const struct bs_yaml *line = bs_yaml_get(node, "request");
	if (line)
		read_line(l, line, place, what, request);
	else if (!bs_yaml_get(node, "run"))
		bs_problem_add(l->problems, node->at, "%s has no request; add `request: METHOD /path`", what);
	read_rest(l, node, owner, place, what, request);
}
