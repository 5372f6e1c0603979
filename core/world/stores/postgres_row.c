/*
 * PostgreSQL: rows as the server writes them, (1,"a ""b""",), and as images. A row's text is taken apart into columns
 * (PostgreSQL's manual, "Composite Type Input and Output Syntax"), each of which keeps the text that it had, or a
 * form that gives exactly the same value: whole numbers, truth values and bytes. Numbers with a fraction, and
 * documents, stay as they are written, so that nothing is rounded on the way.
 */
#include "postgres.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* From the server's pg_type.dat: these numbers never change. */
enum { BOOL = 16, BYTEA = 17, INT8 = 20, INT2 = 21, INT4 = 23, OID = 26, JSON = 114, FLOAT4 = 700, FLOAT8 = 701,
       NUMERIC = 1700, JSONB = 3802 };

enum bs_cell_kind bs_pg_kind_of_type(uint32_t type)
{
	switch (type) {
	case INT2:
	case INT4:
	case INT8:
	case OID:
		return BS_CELL_INT;
	case BOOL:
		return BS_CELL_BOOL;
	case BYTEA:
		return BS_CELL_BLOB;
	case FLOAT4:
	case FLOAT8:
	case NUMERIC:
		return BS_CELL_NUMBER;
	case JSON:
	case JSONB:
		return BS_CELL_JSON;
	default:
		return BS_CELL_TEXT;
	}
}

/* --- Cells ------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x00ff. False: that is not how the text looks. */
static bool add_bytea(struct bs_buf *image, const char *text, size_t len)
{
	struct bs_buf bytes = BS_BUF_INIT;
	bool ok = len >= 2 && len % 2 == 0 && text[0] == '\\' && text[1] == 'x';

	for (size_t i = 2; ok && i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
		ok = high >= 0 && low >= 0;
		bs_buf_addc(&bytes, (char)(high << 4 | low));
	}
	if (ok)
		bs_row_add_blob(image, bs_buf_text(&bytes), bytes.len);
	bs_buf_release(&bytes);
	return ok;
}

static bool add_int(struct bs_buf *image, const char *text, size_t len)
{
	BS_AUTOFREE char *copy = bs_xstrndup(text, len);
	char *end;

	errno = 0;
	long long value = strtoll(copy, &end, 10);
	if (errno || !len || *end)
		return false;
	bs_row_add_int(image, value);
	return true;
}

/* NaN and Infinity are no numbers to anybody else. */
static bool is_finite(const char *text, size_t len)
{
	return len && strspn(text, "0123456789+-.eE") >= len;
}

void bs_pg_add_cell(struct bs_buf *image, enum bs_cell_kind kind, const char *text, size_t len)
{
	if (kind == BS_CELL_INT && add_int(image, text, len))
		return;
	if (kind == BS_CELL_BLOB && add_bytea(image, text, len))
		return;
	if (kind == BS_CELL_BOOL && len == 1)
		bs_row_add_bool(image, *text == 't');
	else if (kind == BS_CELL_NUMBER && is_finite(text, len))
		bs_row_add_number(image, text, len);
	else if (kind == BS_CELL_JSON)
		bs_row_add_json(image, text, len);
	else
		bs_row_add_text(image, text, len);
}

bool bs_pg_cell_text(const struct bs_cell *cell, struct bs_buf *text)
{
	static const char digits[] = "0123456789abcdef";

	bs_buf_clear(text);
	switch (cell->kind) {
	case BS_CELL_NULL:
		return false;
	case BS_CELL_INT:
		bs_buf_addf(text, "%" PRId64, cell->integer);
		return true;
	case BS_CELL_REAL: /* no row of ours has one */
		bs_buf_addf(text, "%.17g", cell->real);
		return true;
	case BS_CELL_BOOL:
		bs_buf_addc(text, cell->integer ? 't' : 'f');
		return true;
	case BS_CELL_BLOB:
		bs_buf_adds(text, "\\x");
		for (uint32_t i = 0; i < cell->len; i++) {
			bs_buf_addc(text, digits[(unsigned char)cell->data[i] >> 4]);
			bs_buf_addc(text, digits[cell->data[i] & 15]);
		}
		return true;
	case BS_CELL_TEXT:
	case BS_CELL_NUMBER:
	case BS_CELL_JSON:
		break;
	}
	bs_buf_add(text, cell->data ? cell->data : "", cell->len);
	return true;
}

/* --- Rows -------------------------------------------------------------------------------------------- */

struct field {
	size_t start, len; /* in the text without its quotes */
	bool null;
};

/* Reads the field that begins at *at, up to the comma or the closing parenthesis. */
static struct field read_field(const char **at, const char *end, struct bs_buf *plain)
{
	struct field field = {.start = plain->len, .null = true};
	bool quoted = false;

	for (; *at < end && (quoted || (**at != ',' && **at != ')')); (*at)++) {
		field.null = false;
		if (**at == '"' && quoted && *at + 1 < end && (*at)[1] == '"')
			bs_buf_addc(plain, *++*at);
		else if (**at == '"')
			quoted = !quoted;
		else if (**at == '\\' && *at + 1 < end)
			bs_buf_addc(plain, *++*at);
		else
			bs_buf_addc(plain, **at);
	}
	field.len = plain->len - field.start;
	return field;
}

/* False: not exactly count fields. */
static bool read_fields(const char *text, size_t len, struct field *fields, size_t count, struct bs_buf *plain)
{
	const char *at = text + 1, *end = text + len;
	size_t n = 0;

	if (len < 2 || *text != '(' || end[-1] != ')')
		return false;
	for (;;) {
		if (n == count)
			return false;
		fields[n++] = read_field(&at, end, plain);
		if (at >= end || *at == ')')
			break;
		at++;
	}
	return n == count && at == end - 1;
}

int bs_pg_row_to_image(const struct bs_postgres *s, const struct bs_pg_relation *relation, const char *text, size_t len,
		       struct bs_buf *image, struct bs_err *err)
{
	const struct bs_pg_table *table = &s->tables[relation->table];
	BS_AUTOFREE struct field *read = bs_xcalloc(relation->column_count, sizeof *read);
	BS_AUTOFREE struct field *placed = bs_xcalloc(relation->column_count, sizeof *placed);
	struct bs_buf plain = BS_BUF_INIT;
	bool ok = read_fields(text, len, read, relation->column_count, &plain);

	for (size_t i = 0; ok && i < relation->column_count; i++)
		placed[relation->places[i]] = read[i];
	for (size_t i = 0; ok && i < table->column_count; i++)
		if (placed[i].null)
			bs_row_add_null(image);
		else
			bs_pg_add_cell(image, table->columns[i].kind, bs_buf_text(&plain) + placed[i].start, placed[i].len);
	bs_buf_release(&plain);
	if (ok)
		return 0;
	return bs_err_set(err, BS_ESTORE, "a row of table '%s' has other columns than when the run began: the application "
			  "changed the table during the run, which cannot be put back; let setup do that",
			  s->schema[relation->table].name);
}

void bs_pg_image_to_row(struct bs_blob image, struct bs_buf *text)
{
	struct bs_buf value = BS_BUF_INIT;
	struct bs_cell cell;
	size_t offset = 0;

	bs_buf_addc(text, '(');
	for (size_t i = 0; bs_row_next(image, &offset, &cell); i++) {
		if (i)
			bs_buf_addc(text, ',');
		if (!bs_pg_cell_text(&cell, &value))
			continue;
		bs_buf_addc(text, '"');
		for (size_t c = 0; c < value.len; c++) {
			if (value.data[c] == '"' || value.data[c] == '\\')
				bs_buf_addc(text, value.data[c]);
			bs_buf_addc(text, value.data[c]);
		}
		bs_buf_addc(text, '"');
	}
	bs_buf_addc(text, ')');
	bs_buf_release(&value);
}
