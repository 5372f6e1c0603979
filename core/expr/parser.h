/*
 * The parser's own: what parse.c (tokens and names), parse_expression.c and parse_statement.c share.
 *
 * Errors are sticky: the first one is kept and every token behind it is the end, so that the functions here
 * need no return codes and all loops stop.
 */
#ifndef BS_EXPR_PARSER_H
#define BS_EXPR_PARSER_H

#include "lex.h"
#include "parse.h"

#define BS_PARSER_DEPTH 150 /* below Lua's own limit of 200 C calls, which has no place in its message */

struct bs_local {
	const char *text;
	size_t len;
};

struct bs_parser {
	const char *text;
	size_t len, next_at;
	struct bs_token token;
	struct bs_local *locals; /* in sight, the innermost last */
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
enum bs_shape {
	BS_SHAPE_PLAIN,
	BS_SHAPE_NOT,
	BS_SHAPE_COMPARISON,
	BS_SHAPE_TABLE,
	BS_SHAPE_FREE_NAME,
	BS_SHAPE_LOCAL_NAME,
	BS_SHAPE_FIELD,
	BS_SHAPE_CALL,
};

/* parse.c */
void bs_parser_fail(struct bs_parser *p, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void bs_parser_next(struct bs_parser *p);
struct bs_token bs_parser_peek(const struct bs_parser *p); /* the token behind the present one */
bool bs_parser_at(const struct bs_parser *p, const char *text);
bool bs_parser_accept(struct bs_parser *p, const char *text); /* goes on when it is there */
void bs_parser_expect(struct bs_parser *p, const char *text); /* fails when it is not */
void bs_parser_unexpected(struct bs_parser *p, const char *instead);
int bs_parser_shown(const struct bs_token *token);            /* its length, for messages */
struct bs_local bs_parser_name(struct bs_parser *p);
void bs_parser_declare(struct bs_parser *p, struct bs_local local);
enum bs_shape bs_parser_read_name(struct bs_parser *p);

/* parse_expression.c */
enum bs_shape bs_parser_expression(struct bs_parser *p);
void bs_parser_expressions(struct bs_parser *p); /* a, b, c */
enum bs_shape bs_parser_suffixed(struct bs_parser *p);
void bs_parser_function(struct bs_parser *p); /* from its parameters on */

/* parse_statement.c */
void bs_parser_block(struct bs_parser *p);

#endif
