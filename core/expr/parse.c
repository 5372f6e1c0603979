/*
 * Tokens, names and the entry of the parser. It is a recursive descent over the grammar of Lua 5.4 (reference
 * manual, section 9) which keeps nothing but the names: those in sight (parameters, locals) and those that are
 * free. See parse.h for why.
 */
#include "parser.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

void bs_parser_fail(struct bs_parser *p, size_t at, const char *format, ...)
{
	va_list args;

	if (p->failed)
		return;
	p->failed = true;
	p->offset = at;
	p->token.kind = BS_T_END;
	va_start(args, format);
	char *message = NULL;
	if (vasprintf(&message, format, args) >= 0)
		bs_err_set(p->err, BS_EMODEL, "%s", message);
	free(message);
	va_end(args);
}

void bs_parser_next(struct bs_parser *p)
{
	if (p->failed)
		return;
	if (bs_lex(p->text, p->len, &p->next_at, &p->token, p->err) < 0) {
		p->failed = true;
		p->offset = p->next_at;
		p->token.kind = BS_T_END;
	}
}

bool bs_parser_at(const struct bs_parser *p, const char *text)
{
	return bs_token_is(&p->token, text);
}

bool bs_parser_accept(struct bs_parser *p, const char *text)
{
	bool is = bs_parser_at(p, text);

	if (is)
		bs_parser_next(p);
	return is;
}

int bs_parser_shown(const struct bs_token *token)
{
	return token->len > 40 ? 40 : (int)token->len;
}

void bs_parser_unexpected(struct bs_parser *p, const char *instead)
{
	if (p->token.kind == BS_T_END)
		bs_parser_fail(p, p->len, "the expression ends too early: %s is missing", instead);
	else
		bs_parser_fail(p, p->token.at, "unexpected '%.*s': %s is missing before it",
			       bs_parser_shown(&p->token), p->token.text, instead);
}

void bs_parser_expect(struct bs_parser *p, const char *text)
{
	if (bs_parser_accept(p, text))
		return;
	if (strcmp(text, "end") == 0 && p->else_if)
		bs_parser_fail(p, p->token.at, "'end' is missing: 'else if' opens another 'if'; write 'elseif'");
	else if (bs_parser_at(p, "="))
		bs_parser_fail(p, p->token.at, "'=' does not compare; write '=='");
	else
		bs_parser_unexpected(p, text[1] ? text : (char[]){'\'', text[0], '\'', 0});
}

/* --- Names ------------------------------------------------------------------------------------------ */

struct bs_local bs_parser_name(struct bs_parser *p)
{
	struct bs_local local = {p->token.text, p->token.len};

	if (p->token.kind == BS_T_NAME)
		bs_parser_next(p);
	else if (p->token.kind == BS_T_KEYWORD)
		bs_parser_fail(p, p->token.at, "'%.*s' is a word of Lua and cannot be a name",
			       bs_parser_shown(&p->token), p->token.text);
	else
		bs_parser_unexpected(p, "a name");
	return local;
}

void bs_parser_declare(struct bs_parser *p, struct bs_local local)
{
	if (!p->failed)
		*BS_PUSH(p->locals, p->local_count) = local;
}

static bool is_local(const struct bs_parser *p, const struct bs_token *token)
{
	for (size_t i = p->local_count; i-- > 0;)
		if (p->locals[i].len == token->len && memcmp(p->locals[i].text, token->text, token->len) == 0)
			return true;
	return false;
}

static const char *foreign(const struct bs_token *token)
{
	static const struct {
		const char *name, *lua;
	} words[] = {{"null", "nil"}, {"NULL", "nil"}, {"None", "nil"}, {"undefined", "nil"}, {"True", "true"},
		     {"TRUE", "true"}, {"False", "false"}, {"FALSE", "false"}, {"AND", "and"}, {"OR", "or"},
		     {"NOT", "not"}};

	for (size_t i = 0; i < BS_COUNT(words); i++)
		if (strlen(words[i].name) == token->len && memcmp(words[i].name, token->text, token->len) == 0)
			return words[i].lua;
	return NULL;
}

static struct bs_free_name *free_name(struct bs_parser *p, const struct bs_token *token)
{
	struct bs_names *names = p->names;

	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->items[i].name.name) == token->len &&
		    memcmp(names->items[i].name.name, token->text, token->len) == 0)
			return &names->items[i];
	if (names->count == BS_EXPR_NAMES_MAX) {
		bs_parser_fail(p, token->at, "more than %d names", BS_EXPR_NAMES_MAX);
		return NULL;
	}
	struct bs_free_name *added = BS_PUSH(names->items, names->count);
	added->name = (struct bs_name){bs_xstrndup(token->text, token->len), token->at};
	return added;
}

/* The token behind the present one. What is wrong with it is said when it is its turn. */
struct bs_token bs_parser_peek(const struct bs_parser *p)
{
	struct bs_parser ahead = *p;

	ahead.err = NULL;
	bs_parser_next(&ahead);
	return ahead.token;
}

/* string.find: known to be absent before anything runs. */
static void check_library(struct bs_parser *p, const struct bs_token *library)
{
	struct bs_token field = bs_parser_at(p, ".") ? bs_parser_peek(p) : (struct bs_token){.kind = BS_T_END};
	BS_AUTOFREE char *why = NULL;

	if (field.kind == BS_T_NAME)
		why = bs_library_lacks(library->text, library->len, field.text, field.len);
	if (why)
		bs_parser_fail(p, field.at, "%s", why);
}

enum bs_shape bs_parser_read_name(struct bs_parser *p)
{
	struct bs_token token = p->token;
	const char *lua = foreign(&token);

	bs_parser_next(p);
	if (p->failed)
		return BS_SHAPE_PLAIN;
	if (is_local(p, &token))
		return BS_SHAPE_LOCAL_NAME;
	if (lua) {
		bs_parser_fail(p, token.at, "'%.*s' is written '%s'", (int)token.len, token.text, lua);
	} else if (bs_is_library(token.text, token.len)) {
		check_library(p, &token);
	} else if (!bs_is_builtin(token.text, token.len)) {
		struct bs_free_name *added = free_name(p, &token);
		if (added)
			added->called |= bs_parser_at(p, "(") || bs_parser_at(p, "{") || p->token.kind == BS_T_STRING;
	}
	return BS_SHAPE_FREE_NAME;
}

/* --- The whole --------------------------------------------------------------------------------------- */

/* Something stands behind the expression. */
static void explain_rest(struct bs_parser *p)
{
	const struct bs_token *token = &p->token;
	const char *lua = token->kind == BS_T_NAME ? foreign(token) : NULL;

	if (lua)
		bs_parser_fail(p, token->at, "'%.*s' is written '%s'", (int)token->len, token->text, lua);
	else if (bs_parser_at(p, "="))
		bs_parser_fail(p, token->at, "'=' does not compare; write '=='");
	else if (bs_parser_at(p, "in"))
		bs_parser_fail(p, token->at, "Lua has no 'a in list'; write any(list, function(x) return x == a end)");
	else if (bs_parser_at(p, ","))
		bs_parser_fail(p, token->at, "an expression has one value; ',' begins another");
	else if (bs_parser_at(p, ")") || bs_parser_at(p, "]") || bs_parser_at(p, "}"))
		bs_parser_fail(p, token->at, "'%.*s' closes nothing", (int)token->len, token->text);
	else if (token->kind == BS_T_KEYWORD || bs_parser_at(p, ";"))
		bs_parser_fail(p, token->at, "unexpected '%.*s': one expression is needed, no statements",
			       (int)token->len, token->text);
	else
		bs_parser_fail(p, token->at, "unexpected '%.*s': an operator is missing before it",
			       bs_parser_shown(token), token->text);
}

int bs_parse_expression(const char *text, struct bs_names *ret_names, size_t *ret_offset, struct bs_err *err)
{
	struct bs_names names = {0};
	struct bs_parser p = {.text = text, .len = strlen(text), .names = &names, .err = err};

	if (p.len > BS_EXPR_BYTES_MAX) {
		bs_parser_fail(&p, 0, "an expression of more than %d bytes", BS_EXPR_BYTES_MAX);
	} else {
		bs_parser_next(&p);
		if (!p.failed && p.token.kind == BS_T_END)
			bs_parser_fail(&p, 0, "the expression is empty");
		else
			bs_parser_expression(&p);
		if (!p.failed && p.token.kind != BS_T_END)
			explain_rest(&p);
	}
	free(p.locals);
	if (p.failed) {
		bs_names_release(&names);
		*ret_offset = p.offset;
		return BS_EMODEL;
	}
	*ret_names = names;
	return 0;
}

void bs_names_release(struct bs_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free((char *)(uintptr_t)names->items[i].name.name);
	free(names->items);
	*names = (struct bs_names){0};
}
