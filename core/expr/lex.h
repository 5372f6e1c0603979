/* The words of Lua, with their places, and the words of other languages, explained. */
#ifndef BS_EXPR_LEX_H
#define BS_EXPR_LEX_H

#include <stdbool.h>
#include <stddef.h>

struct bs_err;

enum bs_token_kind { BS_T_END, BS_T_NAME, BS_T_KEYWORD, BS_T_NUMBER, BS_T_STRING, BS_T_SYMBOL };

struct bs_token {
	enum bs_token_kind kind;
	const char *text; /* into the source, not terminated */
	size_t at, len;
};

/* Reads the token at or behind *at and moves *at behind it. Fails with BS_EMODEL and *at at the trouble. */
int bs_lex(const char *text, size_t len, size_t *at, struct bs_token *ret_token, struct bs_err *err);

bool bs_token_is(const struct bs_token *token, const char *text); /* never true for strings and numbers */

#endif
