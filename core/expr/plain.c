/*
 * Lua's messages in the words of this program. Lua says "[string]:1: attempt to index a nil value (global
 * 'body')"; a person who wrote a rule has no chunk, and attempted nothing.
 */
#include "state.h"

#include "base/mem.h"

#include <string.h>

/* "a nil value (field 'total')" taken apart; name is empty where Lua does not know it. */
struct subject {
	const char *type, *name;
	int type_len, name_len;
};

static bool starts(const char *text, const char *with, const char **ret_rest)
{
	size_t len = strlen(with);

	if (strncmp(text, with, len) != 0)
		return false;
	*ret_rest = text + len;
	return true;
}

static struct subject subject_of(const char *text)
{
	struct subject s = {.type = text, .name = ""};
	const char *end;

	(void)starts(s.type, "a ", &s.type);
	end = strstr(s.type, " value");
	s.type_len = (int)(end ? (size_t)(end - s.type) : strlen(s.type));
	const char *open = end ? strchr(end, '\'') : NULL;
	const char *close = open ? strrchr(open + 1, '\'') : NULL;
	if (close) {
		s.name = open + 1;
		s.name_len = (int)(close - s.name > 60 ? 60 : close - s.name);
	}
	return s;
}

/* Which verb of Lua's becomes which. */
static const struct {
	const char *lua, *plain, *hint;
} verbs[] = {
	{"attempt to index ", "cannot read a field of", ""},
	{"attempt to call ", "cannot call", ""},
	{"attempt to perform arithmetic on ", "cannot calculate with", "; tonumber() makes a number of a text"},
	{"attempt to concatenate ", "cannot join to a text:", "; tostring() makes a text of it"},
	{"attempt to get length of ", "cannot count the length of", ""},
};

static bool about_subject(struct bs_buf *out, const char *message)
{
	const char *rest;

	for (size_t i = 0; i < BS_COUNT(verbs); i++) {
		if (!starts(message, verbs[i].lua, &rest))
			continue;
		struct subject s = subject_of(rest);
		bool nil = strncmp(s.type, "nil", 3) == 0;
		if (s.name_len)
			bs_buf_addf(out, "%s '%.*s': it is %s%.*s", verbs[i].plain, s.name_len, s.name, nil ? "" : "a ",
				    s.type_len, s.type);
		else
			bs_buf_addf(out, "%s %s%.*s", verbs[i].plain, nil ? "" : "a ", s.type_len, s.type);
		bool text = strncmp(s.type, "string", 6) == 0;
		if (text == (strstr(verbs[i].hint, "number") != NULL) && !nil)
			bs_buf_adds(out, verbs[i].hint);
		return true;
	}
	return false;
}

static bool about_comparison(struct bs_buf *out, const char *message)
{
	const char *rest, *with;

	if (!starts(message, "attempt to compare ", &rest))
		return false;
	if (starts(rest, "two ", &rest)) {
		int len = (int)(strstr(rest, " value") ? strstr(rest, " value") - rest : (ptrdiff_t)strlen(rest));
		bs_buf_addf(out, "cannot order %.*s and %.*s", len, rest, len, rest);
	} else if ((with = strstr(rest, " with "))) {
		bs_buf_addf(out, "cannot order %.*s and %s", (int)(with - rest), rest, with + 6);
	} else {
		bs_buf_addf(out, "cannot order %s", rest);
	}
	return true;
}

/* "bad argument #1 to 'floor' (number expected, got nil)" */
static bool about_argument(struct bs_buf *out, const char *message)
{
	const char *rest;

	if (!starts(message, "bad argument #", &rest))
		return false;
	int number = (int)strspn(rest, "0123456789");
	const char *name = strchr(rest, '\'');
	const char *end = name ? strchr(name + 1, '\'') : NULL;
	const char *open = end ? strchr(end, '(') : NULL;
	if (!open)
		return false;
	int len = (int)strlen(open + 1) - 1;
	bs_buf_addf(out, "argument %.*s of %.*s(): %.*s", number, rest, (int)(end - name - 1), name + 1, len < 0 ? 0 : len,
		    open + 1);
	return true;
}

void bs_plain_message(struct bs_buf *out, const char *message)
{
	const char *rest = message;

	if (starts(rest, BS_LUA_CHUNK ":", &rest)) {
		rest += strspn(rest, "0123456789");
		(void)starts(rest, ": ", &rest);
	}
	if (about_subject(out, rest) || about_comparison(out, rest) || about_argument(out, rest))
		return;
	if (strncmp(rest, "attempt to perform 'n", 21) == 0 || strstr(rest, "divide by zero"))
		bs_buf_adds(out, "division by zero");
	else if (strstr(rest, "stack overflow"))
		bs_buf_adds(out, "a function calls itself too often");
	else
		bs_buf_adds(out, rest);
}
