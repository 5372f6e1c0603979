/* The scope that the tests of expressions share. */
#include "tests/unit/expr_fixture.h"

#define DOCUMENT                                                                                                       \
	"{\"status\":200,\"order_id\":null,\"text\":\"caf\\u00e9 12\",\"half\":0.5,\"yes\":true,"                       \
	"\"exact\":9007199254740993,\"max\":9223372036854775807,\"min\":-9223372036854775808,"                         \
	"\"huge\":18446744073709551616,\"also_huge\":18446744073709551616,\"huger\":18446744073709551617,"             \
	"\"body\":{\"id\":7,\"total\":null,\"tags\":[\"a\",\"b\"],\"end\":1,\"a-b\":2},"                               \
	"\"twin\":{\"tags\":[\"a\",\"b\"],\"total\":null,\"id\":7,\"a-b\":2,\"end\":1},"                               \
	"\"list\":[{\"id\":1,\"amount\":100,\"refunded\":0},{\"id\":2,\"amount\":50,\"refunded\":70}],"                \
	"\"none\":[],\"nulls\":[1,null,3],\"numbers\":[1,2,3],"                                                        \
	"\"many\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}}"

static int get(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	struct fixture *f = ctx;
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(f->document, name);

	if (strcmp(name, "broken") == 0)
		return bs_err_set(err, BS_ESTORE, "body cannot be read");
	if (strcmp(name, "nul") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_TEXT, .text = {"a\0\xff z", 5}};
	else if (strcmp(name, "headers") == 0)
		*ret_value = (struct bs_value){.kind = BS_V_SCOPE, .scope = &f->headers};
	else if (item)
		*ret_value = bs_value_from_json(item);
	else
		return 0;
	return 1;
}

static int get_header(void *ctx, const char *name, struct bs_value *ret_value, struct bs_err *err)
{
	(void)ctx;
	(void)err;
	if (strcmp(name, "nowhere") == 0)
		return 0;
	*ret_value = bs_value_text(strcmp(name, "content-type") == 0 ? "text/html" : NULL);
	return 1;
}

static const char *header_name(void *ctx, size_t index)
{
	(void)ctx;
	return index == 0 ? "content-type" : NULL;
}

static int call(void *ctx, const char *function, const char *argument, struct bs_value *ret_value,
		struct bs_err *err)
{
	struct fixture *f = ctx;

	if (strcmp(function, "changes") != 0)
		return 0;
	if (strcmp(argument, "orders") != 0)
		return bs_err_set(err, BS_EEXPR, "changes: no store has a table '%s'", argument);
	*ret_value = bs_value_from_json(f->rows);
	return 1;
}

int open_fixture(void **state)
{
	static struct fixture f;
	struct bs_err err = BS_ERR_INIT;

	if (bs_lua_new(&f.lua, &err) < 0 || bs_json_parse(DOCUMENT, strlen(DOCUMENT), &f.document, &err) < 0 ||
	    bs_json_parse("[{\"after\":{\"id\":1}}]", 20, &f.rows, &err) < 0)
		return -1;
	f.scope = (struct bs_scope){.ctx = &f, .get = get, .call = call};
	f.headers = (struct bs_scope){.ctx = &f, .get = get_header, .name = header_name};
	*state = &f;
	return 0;
}

int close_fixture(void **state)
{
	struct fixture *f = *state;

	bs_lua_free(f->lua);
	cJSON_Delete(f->document);
	cJSON_Delete(f->rows);
	return 0;
}

struct bs_expr *compile(struct fixture *f, const char *text)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = NULL;
	size_t offset = 0;

	if (bs_expr_compile(f->lua, text, &expr, &offset, &err) < 0)
		fail_msg("%.200s: %s (at %zu)", text, bs_err_text(&err), offset);
	return expr;
}

char *result(struct fixture *f, const char *text)
{
	struct bs_err err = BS_ERR_INIT;
	struct bs_expr *expr = NULL;
	struct bs_value value;
	char *printed;

	if (bs_expr_compile(f->lua, text, &expr, NULL, &err) < 0) {
		printed = bs_xasprintf("refused: %s", bs_err_text(&err));
	} else if (bs_expr_eval(expr, &f->scope, &value, &err) < 0) {
		printed = bs_xasprintf("error: %s", bs_err_text(&err));
	} else {
		cJSON *json = bs_value_to_json(&value);
		printed = bs_json_print(json, false);
		cJSON_Delete(json);
	}
	bs_expr_free(expr);
	bs_err_release(&err);
	return printed;
}

void check(struct fixture *f, const struct example *table, size_t count)
{
	size_t missed = 0;

	for (size_t i = 0; i < count; i++) {
		BS_AUTOFREE char *got = result(f, table[i].text);
		bool is = strncmp(table[i].expected, "error", 5) == 0 || strncmp(table[i].expected, "refused", 7) == 0
				  ? strncmp(got, table[i].expected, strcspn(table[i].expected, ":")) == 0 &&
					    strstr(got, strchr(table[i].expected, ':') + 2)
				  : strcmp(got, table[i].expected) == 0;
		if (!is)
			print_error("%s\n  gave     %.300s\n  expected %s\n", table[i].text, got, table[i].expected);
		missed += !is;
	}
	assert_int_equal(missed, 0);
}
