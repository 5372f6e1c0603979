/*
 * Sampling: now and then a step is undone and repeated, and both are compared. What differs in a time or
 * a UUID is a volatile column, and is masked in identities from then on; any other difference means that
 * the application keeps state outside its stores, and is said.
 */
#include "explorer.h"

#include "base/mem.h"
#include "world/stores/row.h"

#include <string.h>
#include <time.h>

static bool digits(const char *text, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* 2026-11-24..., or 12:34:56 */
static bool time_text(const char *text, size_t len)
{
	if (len >= 10 && digits(text, 0, 4) && text[4] == '-' && digits(text, 5, 2) && text[7] == '-' &&
	    digits(text, 8, 2))
		return true;
	return len >= 8 && digits(text, 0, 2) && text[2] == ':' && digits(text, 3, 2) && text[5] == ':' &&
	       digits(text, 6, 2);
}

/* RFC 9562 */
static bool uuid_text(const char *text, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
			return false;
	}
	return true;
}

/* Seconds, milliseconds, microseconds or nanoseconds since 1970, in this century. */
static bool time_number(double value)
{
	for (double unit = 1; unit <= 1e9; unit *= 1e3)
		if (value >= 9e8 * unit && value < 4.2e9 * unit)
			return true;
	return false;
}

static double number_of(const struct bs_cell *cell)
{
	BS_AUTOFREE char *token = bs_xstrndup(cell->data, cell->len);

	return strtod(token, NULL);
}

static bool time_cell(const struct bs_cell *cell)
{
	switch (cell->kind) {
	case BS_CELL_INT: return time_number((double)cell->integer);
	case BS_CELL_REAL: return time_number(cell->real);
	case BS_CELL_TEXT: return time_text(cell->data, cell->len);
	case BS_CELL_NUMBER: return time_number(number_of(cell));
	case BS_CELL_BLOB:
	case BS_CELL_NULL:
	case BS_CELL_BOOL:
	case BS_CELL_JSON: break;
	}
	return false;
}

static bool volatile_cell(const struct bs_cell *cell)
{
	if (cell->kind == BS_CELL_TEXT && uuid_text(cell->data, cell->len))
		return true;
	return (cell->kind == BS_CELL_BLOB && cell->len == 16) || time_cell(cell);
}

static bool volatile_value(const struct bs_value *value)
{
	if (value->kind == BS_V_INT)
		return time_number((double)value->integer);
	if (value->kind == BS_V_REAL)
		return time_number(value->real);
	return value->kind == BS_V_TEXT &&
	       (time_text(value->text.data, value->text.len) || uuid_text(value->text.data, value->text.len));
}

struct comparison {
	struct bs_explorer *explorer;
	size_t operation;
	bool learned;
};

static void outside(struct comparison *c, const char *what)
{
	struct bs_explorer *explorer = c->explorer;
	const struct bs_action *action =
		&explorer->model->actions[explorer->model->operations[c->operation].action];

	if (explorer->warned_outside)
		return;
	explorer->warned_outside = true;
	bs_explorer_warn(explorer, "outside-state", action->at,
			 "the application keeps state outside its stores (a cache, a counter); findings are confirmed "
			 "from a clean start, so none is wrong because of it, but some states may be missed",
			 "%s did not do the same when it was repeated from one state: %s", action->name, what);
}

static void compare_images(struct comparison *c, uint32_t table, struct bs_blob a, struct bs_blob b)
{
	const struct bs_table *t = c->explorer->world->stores.tables[table];

	for (size_t i = 0; i < t->column_count; i++) {
		struct bs_blob x, y;
		struct bs_cell p, q;
		if (!bs_row_bytes(a, i, &x) || !bs_row_bytes(b, i, &y) || bs_blob_equal(x, y))
			continue;
		if (t->columns[i].generated || t->columns[i].ref_table >= 0 ||
		    bs_identity_masked(c->explorer->identity, table, (uint32_t)i))
			continue;
		bs_row_cell(a, i, &p);
		bs_row_cell(b, i, &q);
		if (volatile_cell(&p) && volatile_cell(&q)) {
			c->learned |= bs_identity_mask(c->explorer->identity, table, (uint32_t)i);
			continue;
		}
		BS_AUTOFREE char *what = bs_xasprintf("column %s.%s got another value", t->name, t->columns[i].name);
		outside(c, what);
	}
}

static void compare_deltas(struct comparison *c, const struct bs_delta *a, const struct bs_delta *b)
{
	uint32_t count = a ? a->count : 0;

	if (count != (b ? b->count : 0)) {
		BS_AUTOFREE char *what = bs_xasprintf("it changed %u rows, then %u", count, b ? b->count : 0);
		outside(c, what);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct bs_change *x = &a->items[i], *y = &b->items[i];
		if (x->table != y->table || !x->before.data != !y->before.data || !x->after.data != !y->after.data) {
			outside(c, "it changed other rows");
			return;
		}
		if (x->before.data)
			compare_images(c, x->table, x->before, y->before);
		if (x->after.data)
			compare_images(c, x->table, x->after, y->after);
	}
}

static void compare_contexts(struct comparison *c, const struct bs_context *a, const struct bs_context *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct bs_variable_value *x = &a->vars[i], *y = &b->vars[i];
		if (x->table >= 0 || bs_value_equal(&x->value, &y->value))
			continue;
		if (volatile_value(&x->value) && volatile_value(&y->value))
			c->learned |= bs_identity_mask_variable(c->explorer->identity, i);
	}
}

/* Whether a step wrote a time into a column that is not masked yet. */
static bool writes_time(const struct bs_explorer *explorer, const struct bs_delta *delta)
{
	for (uint32_t i = 0; delta && i < delta->count; i++) {
		const struct bs_change *change = &delta->items[i];
		const struct bs_table *table = explorer->world->stores.tables[change->table];
		struct bs_cell cell;
		for (size_t c = 0; change->after.data && c < table->column_count; c++)
			if (!bs_identity_masked(explorer->identity, change->table, (uint32_t)c) &&
			    bs_row_cell(change->after, c, &cell) && time_cell(&cell))
				return true;
	}
	return false;
}

/* Times are often kept in whole seconds: repeated within one, they would look as if they never changed. */
static void await_next_second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	nanosleep(&(struct timespec){.tv_nsec = 999999999 - now.tv_nsec}, NULL);
}

int bs_explorer_sample(struct bs_explorer *explorer, uint32_t from, size_t operation, int status,
		       const struct bs_delta *delta, struct bs_context *context, struct bs_err *err)
{
	struct comparison c = {.explorer = explorer, .operation = operation};
	const struct bs_delta *again;
	struct bs_step step;
	int r = bs_walk_to(&explorer->walk, from, err);

	if (r < 0)
		return r;
	if (!explorer->sampled[operation] && writes_time(explorer, delta))
		await_next_second();
	bs_step_init(&step);
	r = bs_walk_step(&explorer->walk, operation, &step, &again, err);
	if (r == 0 && step.sent && step.response.exchange.outcome == BS_OUTCOME_RESPONSE) {
		if (step.response.exchange.status != status) {
			BS_AUTOFREE char *what = bs_xasprintf("it answered %d, then %d", status,
							      step.response.exchange.status);
			outside(&c, what);
		} else {
			compare_deltas(&c, delta, again);
			compare_contexts(&c, context, step.context);
		}
	}
	bs_step_release(&step);
	if (c.learned)
		bs_explorer_rekey(explorer);
	return r;
}
