/* Packed rows. See row.h. */
#include "row.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define BLOB_SHOWN 16 /* bytes of a blob that people see */

static void add_kind(struct bs_buf *image, enum bs_cell_kind kind)
{
	bs_buf_addc(image, (char)kind);
}

static void add_bits(struct bs_buf *image, uint64_t bits, unsigned bytes)
{
	unsigned char little[8];

	for (unsigned i = 0; i < bytes; i++)
		little[i] = (unsigned char)(bits >> (8 * i));
	bs_buf_add(image, little, bytes);
}

static uint64_t read_bits(const unsigned char *data, unsigned bytes)
{
	uint64_t bits = 0;

	for (unsigned i = bytes; i-- > 0;)
		bits = bits << 8 | data[i];
	return bits;
}

void bs_row_add_null(struct bs_buf *image)
{
	add_kind(image, BS_CELL_NULL);
}

void bs_row_add_int(struct bs_buf *image, int64_t value)
{
	add_kind(image, BS_CELL_INT);
	add_bits(image, (uint64_t)value, 8);
}

void bs_row_add_real(struct bs_buf *image, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	add_kind(image, BS_CELL_REAL);
	add_bits(image, bits, 8);
}

static void add_bytes(struct bs_buf *image, enum bs_cell_kind kind, const void *data, size_t len)
{
	add_kind(image, kind);
	add_bits(image, len, 4);
	if (len)
		bs_buf_add(image, data, len);
}

void bs_row_add_text(struct bs_buf *image, const char *data, size_t len)
{
	add_bytes(image, BS_CELL_TEXT, data, len);
}

void bs_row_add_blob(struct bs_buf *image, const void *data, size_t len)
{
	add_bytes(image, BS_CELL_BLOB, data, len);
}

void bs_row_add_bool(struct bs_buf *image, bool value)
{
	add_kind(image, BS_CELL_BOOL);
	add_bits(image, value, 1);
}

void bs_row_add_number(struct bs_buf *image, const char *data, size_t len)
{
	add_bytes(image, BS_CELL_NUMBER, data, len);
}

void bs_row_add_json(struct bs_buf *image, const char *data, size_t len)
{
	add_bytes(image, BS_CELL_JSON, data, len);
}

/* Bytes of the cell that begins at `at`, of which `left` are there; 0 when it is none. */
static size_t cell_size(const unsigned char *at, size_t left)
{
	size_t size = 0;

	switch ((enum bs_cell_kind)at[0]) {
	case BS_CELL_NULL:
		size = 1;
		break;
	case BS_CELL_INT:
	case BS_CELL_REAL:
		size = 9;
		break;
	case BS_CELL_BOOL:
		size = 2;
		break;
	case BS_CELL_TEXT:
	case BS_CELL_BLOB:
	case BS_CELL_NUMBER:
	case BS_CELL_JSON:
		size = left < 5 ? 5 : 5 + (size_t)read_bits(at + 1, 4);
		break;
	}
	return size <= left ? size : 0;
}

bool bs_row_next(struct bs_blob image, size_t *offset, struct bs_cell *ret_cell)
{
	if (!image.data || *offset >= image.len)
		return false;
	const unsigned char *at = (const unsigned char *)image.data + *offset;
	size_t size = cell_size(at, image.len - *offset);
	if (!size)
		return false;
	struct bs_cell cell = {.kind = (enum bs_cell_kind)at[0]};
	if (cell.kind == BS_CELL_INT) {
		cell.integer = (int64_t)read_bits(at + 1, 8);
	} else if (cell.kind == BS_CELL_REAL) {
		uint64_t bits = read_bits(at + 1, 8);
		memcpy(&cell.real, &bits, sizeof bits);
	} else if (cell.kind == BS_CELL_BOOL) {
		cell.integer = at[1];
	} else if (cell.kind != BS_CELL_NULL) {
		cell.data = (const char *)at + 5;
		cell.len = (uint32_t)(size - 5);
	}
	*offset += size;
	*ret_cell = cell;
	return true;
}

bool bs_row_cell(struct bs_blob image, size_t index, struct bs_cell *ret_cell)
{
	size_t offset = 0;

	for (size_t i = 0; bs_row_next(image, &offset, ret_cell); i++)
		if (i == index)
			return true;
	return false;
}

bool bs_row_bytes(struct bs_blob image, size_t index, struct bs_blob *ret_bytes)
{
	size_t offset = 0, start = 0;
	struct bs_cell cell;

	for (size_t i = 0; bs_row_next(image, &offset, &cell); i++, start = offset)
		if (i == index) {
			*ret_bytes = (struct bs_blob){(const char *)image.data + start, (uint32_t)(offset - start)};
			return true;
		}
	return false;
}

bool bs_blob_equal(struct bs_blob a, struct bs_blob b)
{
	if (!a.data || !b.data)
		return !a.data && !b.data;
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static cJSON *blob_to_json(const struct bs_cell *cell)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_buf_adds(&text, "x'");
	for (uint32_t i = 0; i < cell->len && i < BLOB_SHOWN; i++)
		bs_buf_addf(&text, "%02x", (unsigned char)cell->data[i]);
	if (cell->len > BLOB_SHOWN)
		bs_buf_addf(&text, "…' (%" PRIu32 " bytes)", cell->len);
	else
		bs_buf_addc(&text, '\'');
	cJSON *json = bs_json_new_text(bs_buf_text(&text), text.len);
	bs_buf_release(&text);
	return json;
}

/* What only the store takes for JSON (a NUL in a string, a nesting without end) is shown as its text. */
static cJSON *document_to_json(const struct bs_cell *cell)
{
	cJSON *json = NULL;

	if (bs_json_parse(cell->data, cell->len, &json, NULL) < 0)
		return bs_json_new_text(cell->data, cell->len);
	return json;
}

cJSON *bs_cell_to_json(const struct bs_cell *cell)
{
	switch (cell->kind) {
	case BS_CELL_NULL:
		break;
	case BS_CELL_INT:
		return bs_json_new_int(cell->integer);
	case BS_CELL_REAL:
		return bs_json_new_real(cell->real);
	case BS_CELL_TEXT:
		return bs_json_new_text(cell->data, cell->len);
	case BS_CELL_BLOB:
		return blob_to_json(cell);
	case BS_CELL_BOOL:
		return cJSON_CreateBool(cell->integer != 0);
	case BS_CELL_NUMBER:
		return bs_json_new_number(cell->data, cell->len);
	case BS_CELL_JSON:
		return document_to_json(cell);
	}
	return cJSON_CreateNull();
}

cJSON *bs_row_to_json(const struct bs_table *table, struct bs_blob image)
{
	struct bs_cell cell;
	size_t offset = 0;

	if (!image.data)
		return cJSON_CreateNull();
	cJSON *row = cJSON_CreateObject();
	for (size_t i = 0; i < table->column_count && bs_row_next(image, &offset, &cell); i++)
		if (!table->columns[i].hidden)
			cJSON_AddItemToObject(row, table->columns[i].name, bs_cell_to_json(&cell));
	return row;
}
