/* Statements: they stand inside of functions only, and change nothing but locals. */
#include "parser.h"

#include "base/mem.h"

static bool block_ends(const struct bs_parser *p)
{
	return p->token.kind == BS_T_END || bs_parser_at(p, "end") || bs_parser_at(p, "else") ||
	       bs_parser_at(p, "elseif") || bs_parser_at(p, "until");
}

static void nested_block(struct bs_parser *p, const char *end)
{
	size_t locals = p->local_count;

	bs_parser_block(p);
	if (end)
		bs_parser_expect(p, end);
	p->local_count = locals;
}

static void if_statement(struct bs_parser *p)
{
	do {
		bs_parser_next(p); /* if, elseif */
		bs_parser_expression(p);
		bs_parser_expect(p, "then");
		nested_block(p, NULL);
	} while (bs_parser_at(p, "elseif"));
	if (bs_parser_accept(p, "else")) {
		p->else_if |= bs_parser_at(p, "if");
		nested_block(p, NULL);
	}
	bs_parser_expect(p, "end");
}

static void for_statement(struct bs_parser *p)
{
	size_t locals = p->local_count, count = 0;
	struct bs_local vars[16]; /* no one needs more */

	bs_parser_next(p);
	do {
		if (count == BS_COUNT(vars))
			bs_parser_fail(p, p->token.at, "more than %zu variables in one 'for'", BS_COUNT(vars));
		else
			vars[count++] = bs_parser_name(p);
	} while (bs_parser_accept(p, ","));
	if (!bs_parser_accept(p, "="))
		bs_parser_expect(p, "in");
	bs_parser_expressions(p);
	bs_parser_expect(p, "do");
	for (size_t i = 0; i < count; i++)
		bs_parser_declare(p, vars[i]);
	bs_parser_block(p);
	bs_parser_expect(p, "end");
	p->local_count = locals;
}

static void local_statement(struct bs_parser *p)
{
	size_t first = p->local_count;

	bs_parser_next(p);
	if (bs_parser_accept(p, "function")) {
		bs_parser_declare(p, bs_parser_name(p));
		bs_parser_function(p);
		return;
	}
	do {
		bs_parser_declare(p, bs_parser_name(p));
		if (bs_parser_accept(p, "<")) {
			bs_parser_name(p);
			bs_parser_expect(p, ">");
		}
	} while (bs_parser_accept(p, ","));
	if (!bs_parser_accept(p, "="))
		return;
	size_t declared = p->local_count; /* the new ones are not in sight of their own values */
	struct bs_local *hidden = bs_xmemdup(p->locals + first, (declared - first) * sizeof *hidden);
	p->local_count = first;
	bs_parser_expressions(p);
	for (size_t i = 0; i < declared - first; i++)
		bs_parser_declare(p, hidden[i]);
	free(hidden);
}

static void check_target(struct bs_parser *p, enum bs_shape shape, const struct bs_token *first)
{
	if (shape == BS_SHAPE_FREE_NAME)
		bs_parser_fail(p, first->at, "'%.*s' cannot be changed; a new name is declared by 'local'",
			       bs_parser_shown(first), first->text);
	else if (shape != BS_SHAPE_LOCAL_NAME && shape != BS_SHAPE_FIELD)
		bs_parser_fail(p, first->at, "only names and fields can be assigned to");
}

static void expression_statement(struct bs_parser *p)
{
	struct bs_token first = p->token;
	enum bs_shape shape = bs_parser_suffixed(p);

	if (!bs_parser_at(p, "=") && !bs_parser_at(p, ",")) {
		if (!p->failed && shape != BS_SHAPE_CALL)
			bs_parser_fail(p, first.at, "a value alone does nothing; 'return' is missing before it");
		return;
	}
	check_target(p, shape, &first);
	while (bs_parser_accept(p, ",")) {
		first = p->token;
		check_target(p, bs_parser_suffixed(p), &first);
	}
	bs_parser_expect(p, "=");
	bs_parser_expressions(p);
}

static void statement(struct bs_parser *p)
{
	if (bs_parser_at(p, "if")) {
		if_statement(p);
	} else if (bs_parser_at(p, "while")) {
		bs_parser_next(p);
		bs_parser_expression(p);
		bs_parser_expect(p, "do");
		nested_block(p, "end");
	} else if (bs_parser_accept(p, "do")) {
		nested_block(p, "end");
	} else if (bs_parser_at(p, "for")) {
		for_statement(p);
	} else if (bs_parser_accept(p, "repeat")) {
		size_t locals = p->local_count;
		bs_parser_block(p);
		bs_parser_expect(p, "until");
		bs_parser_expression(p); /* which sees the locals of the block */
		p->local_count = locals;
	} else if (bs_parser_at(p, "local")) {
		local_statement(p);
	} else if (bs_parser_at(p, "function")) {
		bs_parser_fail(p, p->token.at, "write 'local function'");
	} else if (bs_parser_accept(p, "goto")) {
		bs_parser_name(p);
	} else if (bs_parser_accept(p, "::")) {
		bs_parser_name(p);
		bs_parser_expect(p, "::");
	} else if (!bs_parser_accept(p, "break") && !bs_parser_accept(p, ";")) {
		if (p->token.kind == BS_T_NAME || bs_parser_at(p, "("))
			expression_statement(p);
		else if (bs_parser_at(p, ")") || bs_parser_at(p, "]") || bs_parser_at(p, "}") || bs_parser_at(p, ","))
			bs_parser_expect(p, "end");
		else
			bs_parser_fail(p, p->token.at, "'return' is missing before '%.*s'",
				       bs_parser_shown(&p->token), p->token.text);
	}
}

void bs_parser_block(struct bs_parser *p)
{
	if (++p->depth > BS_PARSER_DEPTH)
		bs_parser_fail(p, p->token.at, "nested more than %d levels deep", BS_PARSER_DEPTH);
	while (!block_ends(p)) {
		if (!bs_parser_accept(p, "return")) {
			statement(p);
			continue;
		}
		if (!block_ends(p) && !bs_parser_at(p, ";"))
			bs_parser_expressions(p);
		bs_parser_accept(p, ";");
		break;
	}
	p->depth--;
}

