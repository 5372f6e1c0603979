/*
 * Tokens of Lua 5.4 (reference manual, section 3.1). Only the shape of numbers and escapes is followed; whether
 * they are right is left to Lua, which compiles the text afterwards.
 *
 * Most slips are seen here: people write the operators of the language that they wrote last.
 */
#include "lex.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <backstep/err.h>
#include <errno.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool bs_token_is(const struct bs_token *token, const char *text)
{
	return (token->kind == BS_T_SYMBOL || token->kind == BS_T_KEYWORD) && strlen(text) == token->len &&
	       memcmp(token->text, text, token->len) == 0;
}

static bool is_keyword(const char *text, size_t len)
{
	static const char *const words[] = {"and",   "break", "do",  "else", "elseif", "end",    "false", "for",
					    "function", "goto", "if", "in",  "local",  "nil",    "not",   "or",
					    "repeat", "return", "then", "true", "until", "while"};

	for (size_t i = 0; i < BS_COUNT(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	return false;
}

/* --- Long brackets, comments, strings --------------------------------------------------------------- */

/* The length of "[==[" at text, or 0. */
static size_t long_open(const char *text, size_t len)
{
	size_t i = 1;

	if (!len || text[0] != '[')
		return 0;
	while (i < len && text[i] == '=')
		i++;
	return i < len && text[i] == '[' ? i + 1 : 0;
}

/* The length of the long string or comment whose bracket of `open` bytes stands at text; 0: it does not end. */
static size_t long_length(const char *text, size_t len, size_t open)
{
	for (size_t i = open; i + open <= len; i++) {
		size_t k = 1;
		if (text[i] != ']')
			continue;
		while (k < open - 1 && text[i + k] == '=')
			k++;
		if (k == open - 1 && text[i + k] == ']')
			return i + open;
	}
	return 0;
}

static int skip_space(const char *text, size_t len, size_t *at, struct bs_err *err)
{
	size_t i = *at;

	for (;;) {
		while (i < len && is_space(text[i]))
			i++;
		*at = i;
		if (len - i < 2 || text[i] != '-' || text[i + 1] != '-')
			return 0;
		size_t open = long_open(text + i + 2, len - i - 2);
		size_t n = open ? long_length(text + i + 2, len - i - 2, open) : 0;
		if (open && !n)
			return bs_err_set(err, BS_EMODEL, "a comment that begins with '--[[' needs ']]'");
		i += 2 + n;
		while (!open && i < len && text[i] != '\n' && text[i] != '\r')
			i++;
	}
}

/* The length of the string that begins at text with a quote, or 0. */
static size_t quoted_length(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == text[0])
			return i + 1;
		if (text[i] == '\n' || text[i] == '\r')
			return 0;
		if (text[i] != '\\' || ++i >= len)
			continue;
		if (text[i] == 'z')
			while (i + 1 < len && is_space(text[i + 1]))
				i++;
		else if (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n')
			i++;
	}
	return 0;
}

static int lex_string(const char *text, size_t len, size_t open, struct bs_token *token, struct bs_err *err)
{
	token->kind = BS_T_STRING;
	token->len = open ? long_length(text, len, open) : quoted_length(text, len);
	if (!token->len)
		return bs_err_set(err, BS_EMODEL, "a text that begins with %.*s does not end", open ? (int)open : 1, text);
	return 0;
}

/* --- Numbers ---------------------------------------------------------------------------------------- */

/* Lua makes an integer that does not fit a float, or wraps it; neither would be what stands there. */
static int check_integer(const struct bs_token *token, bool hex, struct bs_err *err)
{
	size_t i = hex ? 2 : 0;

	while (i < token->len && token->text[i] == '0')
		i++;
	for (size_t k = i; k < token->len; k++)
		if (hex ? !is_hex(token->text[k]) : !is_digit(token->text[k]))
			return 0;
	BS_AUTOFREE char *digits = bs_xstrndup(token->text + i, token->len - i);
	errno = 0;
	(void)(hex ? (long long)strtoull(digits, NULL, 16) : strtoll(digits, NULL, 10));
	if (errno != ERANGE)
		return 0;
	int shown = token->len > 60 ? 60 : (int)token->len;
	return bs_err_set(err, BS_EMODEL,
			  "the number '%.*s' does not fit 64 bits; compare it as a text: tostring(x) == \"%.*s\"",
			  shown, token->text, shown, token->text);
}

static int lex_number(const char *text, size_t len, struct bs_token *token, struct bs_err *err)
{
	bool hex = len > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	size_t i = hex ? 2 : 0;

	while (i < len) {
		bool mark = hex ? text[i] == 'p' || text[i] == 'P' : text[i] == 'e' || text[i] == 'E';
		if (!mark && !is_word(text[i]) && text[i] != '.')
			break;
		i++;
		if (mark && i < len && (text[i] == '+' || text[i] == '-'))
			i++;
	}
	token->kind = BS_T_NUMBER;
	token->len = i;
	return check_integer(token, hex, err);
}

/* --- Symbols, and slips ------------------------------------------------------------------------------ */

static const struct {
	const char *text;
	const char *why;
} slips[] = {
	/* the longer ones first */
	{"!==", "'!==' is written '~='"},
	{"===", "'===' is written '=='"},
	{"!=", "'!=' is written '~='"},
	{"<>", "'<>' is written '~='"},
	{"&&", "'&&' is written 'and'"},
	{"||", "'||' is written 'or'"},
	{"=>", "'=>' is written '>='; a function is written 'function(x) return ... end'"},
	{"->", "a function is written 'function(x) return ... end'"},
	{"=<", "'=<' is written '<='"},
	{"=~", "'=~' is written '~=', or matches(text, pattern)"},
	{"!", "'!' is written 'not'"},
	{"?", "Lua has no 'a ? b : c'; write 'a and b or c'"},
	{"<<", "'<<' works on bits; rules have no use for them"},
	{">>", "'>>' works on bits; rules have no use for them"},
	{"&", "'&' works on bits; write 'and'"},
	{"|", "'|' works on bits; write 'or'"},
	{"${", "placeholders stand in requests; in an expression write the name alone"},
	{"\xE2\x80\x9C", "quotes are written '\"'"}, /* the typographic ones */
	{"\xE2\x80\x9D", "quotes are written '\"'"},
	{"\xE2\x80\x98", "quotes are written '\"'"},
	{"\xE2\x80\x99", "quotes are written '\"'"},
	{"\xC2\xA0", "a no-break space has no place here; write a plain one"},
};

static int explain(const char *text, size_t len, struct bs_err *err)
{
	for (size_t i = 0; i < BS_COUNT(slips); i++) {
		size_t n = strlen(slips[i].text);
		if (n <= len && memcmp(slips[i].text, text, n) == 0)
			return bs_err_set(err, BS_EMODEL, "%s", slips[i].why);
	}
	return 0;
}

static size_t symbol_length(const char *text, size_t len)
{
	static const char *const symbols[] = {"...", "..", "==", "~=", "<=", ">=", "//", "::"};

	for (size_t i = 0; i < BS_COUNT(symbols); i++) {
		size_t n = strlen(symbols[i]);
		if (n <= len && memcmp(symbols[i], text, n) == 0)
			return n;
	}
	return text[0] && strchr("+-*/%^#<>=(){}[];:,.", text[0]) ? 1 : 0;
}

static int lex_symbol(const char *text, size_t len, struct bs_token *token, struct bs_err *err)
{
	uint32_t c;
	int r = explain(text, len, err);

	token->kind = BS_T_SYMBOL;
	token->len = r == 0 ? symbol_length(text, len) : 0;
	if (r < 0 || token->len)
		return r;
	if (text[0] == '~')
		return bs_err_set(err, BS_EMODEL, "'~' works on bits; write 'not', or '~=' for unequal");
	size_t n = bs_utf8_next(text, len, &c);
	if (!n || c < 0x20 || c == 0x7F)
		return bs_err_set(err, BS_EMODEL, "unexpected byte 0x%02x", (unsigned)(unsigned char)text[0]);
	return bs_err_set(err, BS_EMODEL, "unexpected '%.*s'%s", (int)n, text,
			  c < 0x80 ? "" : "; names are made of a-z, A-Z, 0-9 and '_'");
}

static int lex_word(const char *text, size_t len, struct bs_token *token, struct bs_err *err)
{
	size_t i = 0;

	while (i < len && is_word(text[i]))
		i++;
	token->kind = is_keyword(text, i) ? BS_T_KEYWORD : BS_T_NAME;
	token->len = i;
	if (i == 4 && memcmp(text, "_ENV", 4) == 0) /* would give the names of an expression another meaning */
		return bs_err_set(err, BS_EMODEL, "'_ENV' has no place in an expression");
	return 0;
}

int bs_lex(const char *text, size_t len, size_t *at, struct bs_token *ret_token, struct bs_err *err)
{
	int r = skip_space(text, len, at, err);
	const char *rest = text + *at;
	size_t left = len - *at;
	struct bs_token token = {.text = rest, .at = *at};

	if (r < 0)
		return r;
	size_t open = long_open(rest, left);
	if (!left)
		token.kind = BS_T_END;
	else if (open || rest[0] == '"' || rest[0] == '\'')
		r = lex_string(rest, left, open, &token, err);
	else if (is_digit(rest[0]) || (rest[0] == '.' && left > 1 && is_digit(rest[1])))
		r = lex_number(rest, left, &token, err);
	else if (is_word(rest[0]))
		r = lex_word(rest, left, &token, err);
	else
		r = lex_symbol(rest, left, &token, err);
	if (r < 0)
		return r;
	*at += token.len;
	*ret_token = token;
	return 0;
}
