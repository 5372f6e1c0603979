/*
 * The steps of a finding as a table: what was sent, what came back, what it did to the stores.
 *
 *   1  create_order amount=100   POST /orders            201    db.orders #1   new: amount 100, refunded 0
 *   2  refund_order              POST /orders/1/refund   200    db.orders #1   refunded 0 → 100   ← breaks here
 *
 * Where that is too wide, the changes stand below their step instead: cutting them would cut what matters most.
 */
#include "console.h"

#include "base/mem.h"
#include "summary_words.h"

#include <string.h>

#define MARK "← breaks here"
#define MARK_COLUMNS 13
#define GAP 3          /* between columns */
#define CHANGES_MAX 6  /* of a step; what is left out is counted */
#define COLUMN_MIN 12  /* the narrowest that a cell is cut to */

struct change_cells {
	char *row, *what;
};

struct step_cells {
	char *number, *operation, *request, *status;
	struct change_cells changes[CHANGES_MAX];
	size_t change_count;
	char *more; /* what was left out, in words; NULL: nothing */
	bool fails;
};

struct table {
	struct step_cells *steps;
	size_t count;
	/* The widest cell of each column. */
	unsigned number, operation, request, status, row, what;
	unsigned width; /* of the widest whole line */
};

static unsigned max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* --- Cells ------------------------------------------------------------------------------------------------ */

/* Takes what was composed and leaves it empty. */
static char *cell(struct bs_buf *words)
{
	char *clean = bs_console_clean(bs_buf_text(words));

	bs_buf_clear(words);
	return clean;
}

static void fill_changes(struct step_cells *cells, const struct bs_ev_finding_step *step, struct bs_buf *words)
{
	uint64_t more = step->changes_left_out;

	for (size_t i = 0; i < step->change_count; i++) {
		if (cells->change_count == CHANGES_MAX) {
			more += step->change_count - i;
			break;
		}
		struct change_cells *change = &cells->changes[cells->change_count++];
		bs_words_row(words, &step->changes[i]);
		change->row = cell(words);
		bs_words_change(words, &step->changes[i]);
		change->what = cell(words);
	}
	if (more) {
		bs_buf_adds(words, "and ");
		bs_words_count(words, more, "more row", "more rows");
		cells->more = cell(words);
	}
}

static void fill_step(struct step_cells *cells, const struct bs_ev_finding *finding, size_t index)
{
	const struct bs_ev_finding_step *step = &finding->steps[index];
	struct bs_buf words = BS_BUF_INIT;

	bs_words_number(&words, index + 1);
	cells->number = cell(&words);
	bs_words_operation(&words, step);
	if (bs_words_several_actors(finding))
		bs_buf_addf(&words, " as %s", bs_words_or(step->actor, "?"));
	cells->operation = cell(&words);
	bs_words_request(&words, &step->request);
	cells->request = cell(&words);
	bs_words_status(&words, &step->response);
	cells->status = cell(&words);
	cells->fails = step->fails;
	fill_changes(cells, step, &words);
	bs_buf_release(&words);
}

static void release(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct step_cells *cells = &table->steps[i];
		free(cells->number);
		free(cells->operation);
		free(cells->request);
		free(cells->status);
		free(cells->more);
		for (size_t k = 0; k < cells->change_count; k++) {
			free(cells->changes[k].row);
			free(cells->changes[k].what);
		}
	}
	free(table->steps);
}

/* --- Widths ----------------------------------------------------------------------------------------------- */

static void measure_columns(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct step_cells *cells = &table->steps[i];
		table->number = max(table->number, bs_console_columns(cells->number));
		table->operation = max(table->operation, bs_console_columns(cells->operation));
		table->request = max(table->request, bs_console_columns(cells->request));
		table->status = max(table->status, bs_console_columns(cells->status));
		for (size_t k = 0; k < cells->change_count; k++)
			table->row = max(table->row, bs_console_columns(cells->changes[k].row));
	}
}

/* Up to and with the status. */
static unsigned left_width(const struct table *table)
{
	return 2 + table->number + 2 + table->operation + GAP + table->request + GAP + table->status;
}

static void measure_lines(struct table *table)
{
	unsigned changes = left_width(table) + GAP + 1;

	table->width = left_width(table);
	for (size_t i = 0; i < table->count; i++) {
		const struct step_cells *cells = &table->steps[i];
		unsigned mark = cells->fails ? GAP + MARK_COLUMNS : 0;
		for (size_t k = 0; k < cells->change_count; k++) {
			unsigned what = bs_console_columns(cells->changes[k].what);
			table->width = max(table->width, changes + table->row + GAP + what + (k ? 0 : mark));
		}
		if (!cells->change_count)
			table->width = max(table->width, left_width(table) + mark);
	}
}

/* Cuts the wider of the two columns that can be cut until a line with the mark fits. */
static void narrow(struct table *table, unsigned width)
{
	while (left_width(table) + GAP + MARK_COLUMNS > width) {
		unsigned *wider = table->operation > table->request ? &table->operation : &table->request;
		if (*wider <= COLUMN_MIN)
			break;
		(*wider)--;
	}
	if (table->status > COLUMN_MIN)
		table->status = COLUMN_MIN;
}

/* --- Lines ------------------------------------------------------------------------------------------------ */

static enum bs_style status_style(const char *status)
{
	return status[0] == '2' || status[0] == '3' ? BS_STYLE_PLAIN : BS_STYLE_WARN;
}

static void put_left(struct bs_console *console, const struct table *table, const struct step_cells *cells)
{
	bs_console_blanks(console, 2);
	bs_console_cell(console, BS_STYLE_FAINT, cells->number, table->number);
	bs_console_blanks(console, 2);
	bs_console_cell(console, BS_STYLE_PLAIN, cells->operation, table->operation);
	bs_console_blanks(console, GAP);
	bs_console_cell(console, BS_STYLE_PLAIN, cells->request, table->request);
	bs_console_blanks(console, GAP);
}

static void put_mark(struct bs_console *console, const struct step_cells *cells)
{
	if (!cells->fails)
		return;
	bs_console_blanks(console, GAP);
	bs_console_put(console, BS_STYLE_BAD, MARK);
}

static void put_wide(struct bs_console *console, const struct table *table, const struct step_cells *cells)
{
	unsigned indent = left_width(table) + GAP + 1;

	put_left(console, table, cells);
	bs_console_cell(console, status_style(cells->status), cells->status,
			cells->change_count ? table->status : bs_console_columns(cells->status));
	if (!cells->change_count)
		put_mark(console, cells);
	for (size_t k = 0; k < cells->change_count; k++) {
		bs_console_blanks(console, k ? indent : GAP + 1);
		bs_console_cell(console, BS_STYLE_FAINT, cells->changes[k].row, table->row);
		bs_console_blanks(console, GAP);
		bs_console_put(console, BS_STYLE_PLAIN, cells->changes[k].what);
		if (k == 0)
			put_mark(console, cells);
		if (k + 1 < cells->change_count)
			bs_buf_addc(&console->out, '\n');
	}
	bs_buf_addc(&console->out, '\n');
	if (cells->more)
		bs_console_line(console, BS_STYLE_FAINT, indent, cells->more);
}

static void put_changes_below(struct bs_console *console, const struct step_cells *cells, unsigned indent, unsigned row)
{
	for (size_t k = 0; k < cells->change_count; k++) {
		bs_console_blanks(console, indent);
		bs_console_cell(console, BS_STYLE_FAINT, cells->changes[k].row, row);
		bs_console_blanks(console, GAP);
		bs_console_prose(console, cells->changes[k].what, indent + row + GAP, 3);
	}
	if (cells->more)
		bs_console_line(console, BS_STYLE_FAINT, indent, cells->more);
}

static void put_stacked(struct bs_console *console, const struct table *table, const struct step_cells *cells)
{
	unsigned indent = 2 + table->number + 2 + 2;
	bool room = left_width(table) + GAP + MARK_COLUMNS <= console->width;

	put_left(console, table, cells);
	bs_console_cell(console, status_style(cells->status), cells->status,
			min(bs_console_columns(cells->status), table->status));
	if (room)
		put_mark(console, cells);
	bs_buf_addc(&console->out, '\n');
	if (cells->fails && !room)
		bs_console_line(console, BS_STYLE_BAD, indent, MARK);
	put_changes_below(console, cells, indent, min(table->row, console->width / 3));
}

void bs_console_steps(struct bs_console *console, const struct bs_ev_finding *finding)
{
	struct table table = {.steps = bs_xcalloc(finding->step_count, sizeof *table.steps), .count = finding->step_count};

	for (size_t i = 0; i < table.count; i++)
		fill_step(&table.steps[i], finding, i);
	measure_columns(&table);
	measure_lines(&table);
	bool wide = table.width <= console->width;
	if (!wide)
		narrow(&table, console->width);
	for (size_t i = 0; i < table.count; i++)
		(wide ? put_wide : put_stacked)(console, &table, &table.steps[i]);
	release(&table);
}
