/*
 * Expressions: operators by priority, and what Lua takes although no one who writes a rule means it
 * (`not a == b`, `a < b < c`, a comparison with a list written in place).
 */
#include "parser.h"

#include "base/mem.h"

#include <string.h>

void bs_parser_expressions(struct bs_parser *p)
{
	do
		bs_parser_expression(p);
	while (bs_parser_accept(p, ","));
}

static void field(struct bs_parser *p)
{
	if (bs_parser_accept(p, "[")) {
		bs_parser_expression(p);
		bs_parser_expect(p, "]");
		bs_parser_expect(p, "=");
	} else if (p->token.kind == BS_T_NAME || p->token.kind == BS_T_STRING) {
		struct bs_token behind = bs_parser_peek(p);
		if (p->token.kind == BS_T_NAME && bs_token_is(&behind, "=")) {
			bs_parser_next(p);
			bs_parser_next(p);
		} else if (p->token.kind == BS_T_STRING && bs_token_is(&behind, ":")) {
			bs_parser_fail(p, behind.at, "a table is written {name = value}");
		}
	}
	bs_parser_expression(p);
}

static void table(struct bs_parser *p)
{
	bs_parser_expect(p, "{");
	while (!p->failed && !bs_parser_at(p, "}")) {
		field(p);
		if (!bs_parser_accept(p, ",") && !bs_parser_accept(p, ";"))
			break;
	}
	bs_parser_expect(p, "}");
}

static void parameters(struct bs_parser *p)
{
	bs_parser_expect(p, "(");
	while (!p->failed && !bs_parser_at(p, ")")) {
		if (bs_parser_accept(p, "...")) {
			p->vararg = true;
			break;
		}
		bs_parser_declare(p, bs_parser_name(p));
		if (!bs_parser_accept(p, ","))
			break;
	}
	bs_parser_expect(p, ")");
}

void bs_parser_function(struct bs_parser *p)
{
	size_t locals = p->local_count;
	bool vararg = p->vararg;

	p->vararg = false;
	if (p->token.kind == BS_T_NAME)
		bs_parser_fail(p, p->token.at, "a function has no name here; write 'function(x) return ... end'");
	parameters(p);
	bs_parser_block(p);
	bs_parser_expect(p, "end");
	p->vararg = vararg;
	p->local_count = locals;
}

static void call_arguments(struct bs_parser *p)
{
	if (p->token.kind == BS_T_STRING) {
		bs_parser_next(p);
	} else if (bs_parser_at(p, "{")) {
		table(p);
	} else {
		bs_parser_expect(p, "(");
		if (!bs_parser_at(p, ")"))
			bs_parser_expressions(p);
		bs_parser_expect(p, ")");
	}
}

/* Behind a point: a JSON field may well be called "end". */
static void field_name(struct bs_parser *p)
{
	if (p->token.kind == BS_T_KEYWORD)
		bs_parser_fail(p, p->token.at, "'%.*s' is a word of Lua; write [\"%.*s\"] without the point",
			       bs_parser_shown(&p->token), p->token.text, bs_parser_shown(&p->token), p->token.text);
	else if (p->token.kind == BS_T_NUMBER || bs_parser_at(p, "["))
		bs_parser_fail(p, p->token.at, "an element is written list[1], without a point");
	else
		bs_parser_name(p);
}

static enum bs_shape primary(struct bs_parser *p)
{
	if (p->token.kind == BS_T_NAME)
		return bs_parser_read_name(p);
	size_t open = p->token.at;
	bs_parser_expect(p, "(");
	bs_parser_expression(p);
	if (p->token.kind == BS_T_END)
		bs_parser_fail(p, open, "'(' is not closed");
	bs_parser_expect(p, ")");
	return BS_SHAPE_PLAIN;
}

enum bs_shape bs_parser_suffixed(struct bs_parser *p)
{
	enum bs_shape shape = primary(p);

	while (!p->failed) {
		if (bs_parser_accept(p, ".")) {
			field_name(p);
			shape = BS_SHAPE_FIELD;
		} else if (bs_parser_at(p, "[")) {
			bs_parser_next(p);
			bs_parser_expression(p);
			bs_parser_expect(p, "]");
			shape = BS_SHAPE_FIELD;
		} else if (bs_parser_accept(p, ":")) {
			bs_parser_name(p);
			call_arguments(p);
			shape = BS_SHAPE_CALL;
		} else if (bs_parser_at(p, "(") || bs_parser_at(p, "{") || p->token.kind == BS_T_STRING) {
			call_arguments(p);
			shape = BS_SHAPE_CALL;
		} else {
			break;
		}
	}
	return shape;
}

static void no_expression(struct bs_parser *p)
{
	static const char *const statements[] = {"if", "while", "for", "repeat", "local", "do", "goto", "break"};
	const struct bs_token *token = &p->token;

	for (size_t i = 0; i < BS_COUNT(statements); i++)
		if (bs_parser_at(p, statements[i]))
			bs_parser_fail(p, token->at,
				       "'%s' begins a statement; an expression is needed, such as 'a and b or c'",
				       statements[i]);
	if (bs_parser_at(p, "return"))
		bs_parser_fail(p, token->at, "'return' is not needed: write the expression alone");
	else if (bs_parser_at(p, "["))
		bs_parser_fail(p, token->at, "a list is written {1, 2}");
	else if (bs_parser_at(p, "="))
		bs_parser_fail(p, token->at, "'=' does not compare; write '=='");
	else
		bs_parser_unexpected(p, "a value");
}

static enum bs_shape simple(struct bs_parser *p)
{
	if (p->token.kind == BS_T_NAME || bs_parser_at(p, "("))
		return bs_parser_suffixed(p);
	if (bs_parser_at(p, "{")) {
		table(p);
		return BS_SHAPE_TABLE;
	}
	if (bs_parser_accept(p, "function")) {
		bs_parser_function(p);
		return BS_SHAPE_PLAIN;
	}
	if (bs_parser_at(p, "...") && !p->vararg)
		bs_parser_fail(p, p->token.at, "'...' has no place here");
	if (p->token.kind == BS_T_NUMBER || p->token.kind == BS_T_STRING || bs_parser_at(p, "nil") ||
	    bs_parser_at(p, "true") || bs_parser_at(p, "false") || bs_parser_at(p, "..."))
		bs_parser_next(p);
	else
		no_expression(p);
	return BS_SHAPE_PLAIN;
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

static const struct binary *binary_operator(const struct bs_parser *p)
{
	for (size_t i = 0; i < BS_COUNT(binaries); i++)
		if (bs_parser_at(p, binaries[i].text))
			return &binaries[i];
	return NULL;
}

/* Comparisons that Lua takes, and that never mean what they say. */
static void check_comparison(struct bs_parser *p, const struct binary *op, enum bs_shape left, size_t where)
{
	if (left == BS_SHAPE_NOT && !bs_parser_at(p, "not"))
		bs_parser_fail(p, where, "'not a %s b' means '(not a) %s b'; write 'not (a %s b)'", op->text,
			       op->text, op->text);
	else if (left == BS_SHAPE_COMPARISON)
		bs_parser_fail(p, where, "comparisons do not chain; write 'a %s b and b %s c'", op->text, op->text);
}

static enum bs_shape operators(struct bs_parser *p, int limit)
{
	enum bs_shape shape;
	const struct binary *op;

	if (++p->depth > BS_PARSER_DEPTH)
		bs_parser_fail(p, p->token.at, "nested more than %d levels deep", BS_PARSER_DEPTH);
	if (bs_parser_at(p, "not") || bs_parser_at(p, "-") || bs_parser_at(p, "#")) {
		shape = bs_parser_at(p, "not") ? BS_SHAPE_NOT : BS_SHAPE_PLAIN;
		bs_parser_next(p);
		operators(p, UNARY_PRIORITY);
	} else {
		shape = simple(p);
	}
	while (!p->failed && (op = binary_operator(p)) && op->left > limit) {
		size_t where = p->token.at;
		bs_parser_next(p);
		if (bs_parser_at(p, "=") && strchr("+-*/%^", op->text[0]))
			bs_parser_fail(p, where, "an expression changes nothing: '%s=' has no place here", op->text);
		if (op->left == COMPARE_PRIORITY)
			check_comparison(p, op, shape, where);
		enum bs_shape right = operators(p, op->right);
		if (op->left == COMPARE_PRIORITY && (shape == BS_SHAPE_TABLE || right == BS_SHAPE_TABLE))
			bs_parser_fail(p, where,
				       "a list or table written here equals nothing but itself; compare what is in it");
		shape = op->left == COMPARE_PRIORITY ? BS_SHAPE_COMPARISON : BS_SHAPE_PLAIN;
	}
	p->depth--;
	return shape;
}

enum bs_shape bs_parser_expression(struct bs_parser *p)
{
	return operators(p, 0);
}
