/*
 * A recursive descent over the grammar of Lua 5.4 (reference manual, section 9), which keeps nothing but the
 * names: those in sight (parameters, locals) and those that are free. See parse.h for why.
 *
 * Errors are sticky: the first one is kept and every token behind it is the end, so that the functions here
 * need no return codes and all loops stop.
 */
#include "parse.h"

#include "base/mem.h"
#include "lex.h"

#include <stdarg.h>
#include <string.h>

#define DEPTH_MAX 150 /* below Lua's own limit of 200 C calls, which has no place in its message */

struct local {
	const char *text;
	size_t len;
};

struct parser {
	const char *text;
	size_t len, next_at;
	struct bs_token token;
	struct local *locals;
	size_t local_count;
	struct bs_names *names;
	size_t depth;
	bool vararg;
	bool else_if; /* "else if" was seen: the likely reason for a missing end */
	bool failed;
	size_t offset;
	struct bs_err *err;
};

/* What an expression is at its top, for the slips that are legal Lua. */
enum shape { PLAIN, NOT, COMPARISON, TABLE, FREE_NAME, LOCAL_NAME, FIELD, CALL };

static enum shape expression(struct parser *p);
static void block(struct parser *p);

__attribute__((format(printf, 3, 4))) static void fail(struct parser *p, size_t at, const char *format, ...)
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

static void next(struct parser *p)
{
	if (p->failed)
		return;
	if (bs_lex(p->text, p->len, &p->next_at, &p->token, p->err) < 0) {
		p->failed = true;
		p->offset = p->next_at;
		p->token.kind = BS_T_END;
	}
}

static bool at(const struct parser *p, const char *text)
{
	return bs_token_is(&p->token, text);
}

static bool accept(struct parser *p, const char *text)
{
	bool is = at(p, text);

	if (is)
		next(p);
	return is;
}

static int shown(const struct bs_token *token)
{
	return token->len > 40 ? 40 : (int)token->len;
}

static void unexpected(struct parser *p, const char *instead)
{
	if (p->token.kind == BS_T_END)
		fail(p, p->len, "the expression ends too early: %s is missing", instead);
	else
		fail(p, p->token.at, "unexpected '%.*s': %s is missing before it", shown(&p->token), p->token.text,
		     instead);
}

static void expect(struct parser *p, const char *text)
{
	if (accept(p, text))
		return;
	if (strcmp(text, "end") == 0 && p->else_if)
		fail(p, p->token.at, "'end' is missing: 'else if' opens another 'if'; write 'elseif'");
	else if (at(p, "="))
		fail(p, p->token.at, "'=' does not compare; write '=='");
	else
		unexpected(p, text[1] ? text : (char[]){'\'', text[0], '\'', 0});
}

/* --- Names ------------------------------------------------------------------------------------------ */

static struct local name(struct parser *p)
{
	struct local local = {p->token.text, p->token.len};

	if (p->token.kind == BS_T_NAME)
		next(p);
	else if (p->token.kind == BS_T_KEYWORD)
		fail(p, p->token.at, "'%.*s' is a word of Lua and cannot be a name", shown(&p->token), p->token.text);
	else
		unexpected(p, "a name");
	return local;
}

static void declare(struct parser *p, struct local local)
{
	if (!p->failed)
		*BS_PUSH(p->locals, p->local_count) = local;
}

static bool is_local(const struct parser *p, const struct bs_token *token)
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

static struct bs_free_name *free_name(struct parser *p, const struct bs_token *token)
{
	struct bs_names *names = p->names;

	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->items[i].name.name) == token->len &&
		    memcmp(names->items[i].name.name, token->text, token->len) == 0)
			return &names->items[i];
	if (names->count == BS_EXPR_NAMES_MAX) {
		fail(p, token->at, "more than %d names", BS_EXPR_NAMES_MAX);
		return NULL;
	}
	struct bs_free_name *added = BS_PUSH(names->items, names->count);
	added->name = (struct bs_name){bs_xstrndup(token->text, token->len), token->at};
	return added;
}

/* The token behind the present one. What is wrong with it is said when it is its turn. */
static struct bs_token peek(const struct parser *p)
{
	struct parser ahead = *p;

	ahead.err = NULL;
	next(&ahead);
	return ahead.token;
}

/* string.find: known to be absent before anything runs. */
static void check_library(struct parser *p, const struct bs_token *library)
{
	struct bs_token field = at(p, ".") ? peek(p) : (struct bs_token){.kind = BS_T_END};
	BS_AUTOFREE char *why = NULL;

	if (field.kind == BS_T_NAME)
		why = bs_library_lacks(library->text, library->len, field.text, field.len);
	if (why)
		fail(p, field.at, "%s", why);
}

static enum shape name_read(struct parser *p)
{
	struct bs_token token = p->token;
	const char *lua = foreign(&token);

	next(p);
	if (p->failed)
		return PLAIN;
	if (is_local(p, &token))
		return LOCAL_NAME;
	if (lua) {
		fail(p, token.at, "'%.*s' is written '%s'", (int)token.len, token.text, lua);
	} else if (bs_is_library(token.text, token.len)) {
		check_library(p, &token);
	} else if (!bs_is_builtin(token.text, token.len)) {
		struct bs_free_name *added = free_name(p, &token);
		if (added)
			added->called |= at(p, "(") || at(p, "{") || p->token.kind == BS_T_STRING;
	}
	return FREE_NAME;
}

/* --- Expressions ------------------------------------------------------------------------------------- */

static void expressions(struct parser *p)
{
	do
		expression(p);
	while (accept(p, ","));
}

static void field(struct parser *p)
{
	if (accept(p, "[")) {
		expression(p);
		expect(p, "]");
		expect(p, "=");
	} else if (p->token.kind == BS_T_NAME || p->token.kind == BS_T_STRING) {
		struct bs_token behind = peek(p);
		if (p->token.kind == BS_T_NAME && bs_token_is(&behind, "=")) {
			next(p);
			next(p);
		} else if (p->token.kind == BS_T_STRING && bs_token_is(&behind, ":")) {
			fail(p, behind.at, "a table is written {name = value}");
		}
	}
	expression(p);
}

static void table(struct parser *p)
{
	expect(p, "{");
	while (!p->failed && !at(p, "}")) {
		field(p);
		if (!accept(p, ",") && !accept(p, ";"))
			break;
	}
	expect(p, "}");
}

static void parameters(struct parser *p)
{
	expect(p, "(");
	while (!p->failed && !at(p, ")")) {
		if (accept(p, "...")) {
			p->vararg = true;
			break;
		}
		declare(p, name(p));
		if (!accept(p, ","))
			break;
	}
	expect(p, ")");
}

static void function_body(struct parser *p)
{
	size_t locals = p->local_count;
	bool vararg = p->vararg;

	p->vararg = false;
	if (p->token.kind == BS_T_NAME)
		fail(p, p->token.at, "a function has no name here; write 'function(x) return ... end'");
	parameters(p);
	block(p);
	expect(p, "end");
	p->vararg = vararg;
	p->local_count = locals;
}

static void call_arguments(struct parser *p)
{
	if (p->token.kind == BS_T_STRING) {
		next(p);
	} else if (at(p, "{")) {
		table(p);
	} else {
		expect(p, "(");
		if (!at(p, ")"))
			expressions(p);
		expect(p, ")");
	}
}

/* Behind a point: a JSON field may well be called "end". */
static void field_name(struct parser *p)
{
	if (p->token.kind == BS_T_KEYWORD)
		fail(p, p->token.at, "'%.*s' is a word of Lua; write [\"%.*s\"] without the point", shown(&p->token),
		     p->token.text, shown(&p->token), p->token.text);
	else if (p->token.kind == BS_T_NUMBER || at(p, "["))
		fail(p, p->token.at, "an element is written list[1], without a point");
	else
		name(p);
}

static enum shape primary(struct parser *p)
{
	if (p->token.kind == BS_T_NAME)
		return name_read(p);
	size_t open = p->token.at;
	expect(p, "(");
	expression(p);
	if (p->token.kind == BS_T_END)
		fail(p, open, "'(' is not closed");
	expect(p, ")");
	return PLAIN;
}

static enum shape suffixed(struct parser *p)
{
	enum shape shape = primary(p);

	while (!p->failed) {
		if (accept(p, ".")) {
			field_name(p);
			shape = FIELD;
		} else if (at(p, "[")) {
			next(p);
			expression(p);
			expect(p, "]");
			shape = FIELD;
		} else if (accept(p, ":")) {
			name(p);
			call_arguments(p);
			shape = CALL;
		} else if (at(p, "(") || at(p, "{") || p->token.kind == BS_T_STRING) {
			call_arguments(p);
			shape = CALL;
		} else {
			break;
		}
	}
	return shape;
}

static void no_expression(struct parser *p)
{
	static const char *const statements[] = {"if", "while", "for", "repeat", "local", "do", "goto", "break"};
	const struct bs_token *token = &p->token;

	for (size_t i = 0; i < BS_COUNT(statements); i++)
		if (at(p, statements[i]))
			fail(p, token->at, "'%s' begins a statement; an expression is needed, such as 'a and b or c'",
			     statements[i]);
	if (at(p, "return"))
		fail(p, token->at, "'return' is not needed: write the expression alone");
	else if (at(p, "["))
		fail(p, token->at, "a list is written {1, 2}");
	else if (at(p, "="))
		fail(p, token->at, "'=' does not compare; write '=='");
	else
		unexpected(p, "a value");
}

static enum shape simple(struct parser *p)
{
	if (p->token.kind == BS_T_NAME || at(p, "("))
		return suffixed(p);
	if (at(p, "{")) {
		table(p);
		return TABLE;
	}
	if (accept(p, "function")) {
		function_body(p);
		return PLAIN;
	}
	if (at(p, "...") && !p->vararg)
		fail(p, p->token.at, "'...' has no place here");
	if (p->token.kind == BS_T_NUMBER || p->token.kind == BS_T_STRING || at(p, "nil") || at(p, "true") ||
	    at(p, "false") || at(p, "..."))
		next(p);
	else
		no_expression(p);
	return PLAIN;
}

static const struct binary {
	const char *text;
	int left, right; /* priorities; right < left: associates to the right */
} binaries[] = {{"or", 1, 1},  {"and", 2, 2}, {"==", 3, 3},   {"~=", 3, 3},   {"<", 3, 3},
		{"<=", 3, 3},  {">", 3, 3},   {">=", 3, 3},   {"..", 9, 8},   {"+", 10, 10},
		{"-", 10, 10}, {"*", 11, 11}, {"/", 11, 11},  {"//", 11, 11}, {"%", 11, 11},
		{"^", 14, 13}};
#define UNARY_PRIORITY 12
#define COMPARE_PRIORITY 3

static const struct binary *binary_operator(const struct parser *p)
{
	for (size_t i = 0; i < BS_COUNT(binaries); i++)
		if (at(p, binaries[i].text))
			return &binaries[i];
	return NULL;
}

/* Comparisons that Lua takes, and that never mean what they say. */
static void check_comparison(struct parser *p, const struct binary *op, enum shape left, size_t where)
{
	if (left == NOT && !at(p, "not"))
		fail(p, where, "'not a %s b' means '(not a) %s b'; write 'not (a %s b)'", op->text, op->text, op->text);
	else if (left == COMPARISON)
		fail(p, where, "comparisons do not chain; write 'a %s b and b %s c'", op->text, op->text);
}

static enum shape operators(struct parser *p, int limit)
{
	enum shape shape;
	const struct binary *op;

	if (++p->depth > DEPTH_MAX)
		fail(p, p->token.at, "nested more than %d levels deep", DEPTH_MAX);
	if (at(p, "not") || at(p, "-") || at(p, "#")) {
		shape = at(p, "not") ? NOT : PLAIN;
		next(p);
		operators(p, UNARY_PRIORITY);
	} else {
		shape = simple(p);
	}
	while (!p->failed && (op = binary_operator(p)) && op->left > limit) {
		size_t where = p->token.at;
		next(p);
		if (at(p, "=") && strchr("+-*/%^", op->text[0]))
			fail(p, where, "an expression changes nothing: '%s=' has no place here", op->text);
		if (op->left == COMPARE_PRIORITY)
			check_comparison(p, op, shape, where);
		enum shape right = operators(p, op->right);
		if (op->left == COMPARE_PRIORITY && (shape == TABLE || right == TABLE))
			fail(p, where, "a list or table written here equals nothing but itself; compare what is in it");
		shape = op->left == COMPARE_PRIORITY ? COMPARISON : PLAIN;
	}
	p->depth--;
	return shape;
}

static enum shape expression(struct parser *p)
{
	return operators(p, 0);
}

/* --- Statements, inside functions --------------------------------------------------------------------- */

static bool block_ends(const struct parser *p)
{
	return p->token.kind == BS_T_END || at(p, "end") || at(p, "else") || at(p, "elseif") || at(p, "until");
}

static void nested_block(struct parser *p, const char *end)
{
	size_t locals = p->local_count;

	block(p);
	if (end)
		expect(p, end);
	p->local_count = locals;
}

static void if_statement(struct parser *p)
{
	do {
		next(p); /* if, elseif */
		expression(p);
		expect(p, "then");
		nested_block(p, NULL);
	} while (at(p, "elseif"));
	if (accept(p, "else")) {
		p->else_if |= at(p, "if");
		nested_block(p, NULL);
	}
	expect(p, "end");
}

static void for_statement(struct parser *p)
{
	size_t locals = p->local_count, count = 0;
	struct local vars[16]; /* no one needs more */

	next(p);
	do {
		if (count == BS_COUNT(vars))
			fail(p, p->token.at, "more than %zu variables in one 'for'", BS_COUNT(vars));
		else
			vars[count++] = name(p);
	} while (accept(p, ","));
	if (!accept(p, "="))
		expect(p, "in");
	expressions(p);
	expect(p, "do");
	for (size_t i = 0; i < count; i++)
		declare(p, vars[i]);
	block(p);
	expect(p, "end");
	p->local_count = locals;
}

static void local_statement(struct parser *p)
{
	size_t first = p->local_count;

	next(p);
	if (accept(p, "function")) {
		declare(p, name(p));
		function_body(p);
		return;
	}
	do {
		declare(p, name(p));
		if (accept(p, "<")) {
			name(p);
			expect(p, ">");
		}
	} while (accept(p, ","));
	if (!accept(p, "="))
		return;
	size_t declared = p->local_count; /* the new ones are not in sight of their own values */
	struct local *hidden = bs_xmemdup(p->locals + first, (declared - first) * sizeof *hidden);
	p->local_count = first;
	expressions(p);
	for (size_t i = 0; i < declared - first; i++)
		declare(p, hidden[i]);
	free(hidden);
}

static void check_target(struct parser *p, enum shape shape, const struct bs_token *first)
{
	if (shape == FREE_NAME)
		fail(p, first->at, "'%.*s' cannot be changed; a new name is declared by 'local'", shown(first),
		     first->text);
	else if (shape != LOCAL_NAME && shape != FIELD)
		fail(p, first->at, "only names and fields can be assigned to");
}

static void expression_statement(struct parser *p)
{
	struct bs_token first = p->token;
	enum shape shape = suffixed(p);

	if (!at(p, "=") && !at(p, ",")) {
		if (!p->failed && shape != CALL)
			fail(p, first.at, "a value alone does nothing; 'return' is missing before it");
		return;
	}
	check_target(p, shape, &first);
	while (accept(p, ",")) {
		first = p->token;
		check_target(p, suffixed(p), &first);
	}
	expect(p, "=");
	expressions(p);
}

static void statement(struct parser *p)
{
	if (at(p, "if")) {
		if_statement(p);
	} else if (at(p, "while")) {
		next(p);
		expression(p);
		expect(p, "do");
		nested_block(p, "end");
	} else if (accept(p, "do")) {
		nested_block(p, "end");
	} else if (at(p, "for")) {
		for_statement(p);
	} else if (accept(p, "repeat")) {
		size_t locals = p->local_count;
		block(p);
		expect(p, "until");
		expression(p); /* which sees the locals of the block */
		p->local_count = locals;
	} else if (at(p, "local")) {
		local_statement(p);
	} else if (at(p, "function")) {
		fail(p, p->token.at, "write 'local function'");
	} else if (accept(p, "goto")) {
		name(p);
	} else if (accept(p, "::")) {
		name(p);
		expect(p, "::");
	} else if (!accept(p, "break") && !accept(p, ";")) {
		if (p->token.kind == BS_T_NAME || at(p, "("))
			expression_statement(p);
		else if (at(p, ")") || at(p, "]") || at(p, "}") || at(p, ","))
			expect(p, "end");
		else
			fail(p, p->token.at, "'return' is missing before '%.*s'", shown(&p->token), p->token.text);
	}
}

static void block(struct parser *p)
{
	if (++p->depth > DEPTH_MAX)
		fail(p, p->token.at, "nested more than %d levels deep", DEPTH_MAX);
	while (!block_ends(p)) {
		if (!accept(p, "return")) {
			statement(p);
			continue;
		}
		if (!block_ends(p) && !at(p, ";"))
			expressions(p);
		accept(p, ";");
		break;
	}
	p->depth--;
}

/* --- The whole --------------------------------------------------------------------------------------- */

/* Something stands behind the expression. */
static void explain_rest(struct parser *p)
{
	const struct bs_token *token = &p->token;
	const char *lua = token->kind == BS_T_NAME ? foreign(token) : NULL;

	if (lua)
		fail(p, token->at, "'%.*s' is written '%s'", (int)token->len, token->text, lua);
	else if (at(p, "="))
		fail(p, token->at, "'=' does not compare; write '=='");
	else if (at(p, "in"))
		fail(p, token->at, "Lua has no 'a in list'; write any(list, function(x) return x == a end)");
	else if (at(p, ","))
		fail(p, token->at, "an expression has one value; ',' begins another");
	else if (at(p, ")") || at(p, "]") || at(p, "}"))
		fail(p, token->at, "'%.*s' closes nothing", (int)token->len, token->text);
	else if (token->kind == BS_T_KEYWORD || at(p, ";"))
		fail(p, token->at, "unexpected '%.*s': one expression is needed, no statements", (int)token->len,
		     token->text);
	else
		fail(p, token->at, "unexpected '%.*s': an operator is missing before it", shown(token), token->text);
}

int bs_parse_expression(const char *text, struct bs_names *ret_names, size_t *ret_offset, struct bs_err *err)
{
	struct bs_names names = {0};
	struct parser p = {.text = text, .len = strlen(text), .names = &names, .err = err};

	if (p.len > BS_EXPR_BYTES_MAX) {
		fail(&p, 0, "an expression of more than %d bytes", BS_EXPR_BYTES_MAX);
	} else {
		next(&p);
		if (!p.failed && p.token.kind == BS_T_END)
			fail(&p, 0, "the expression is empty");
		else
			expression(&p);
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
