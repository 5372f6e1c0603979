/*
 * Packed rows. An image is a run of cells: one byte of kind, then
 *   null   nothing
 *   int    8 bytes, little endian
 *   real   8 bytes, the IEEE bits
 *   text   4 bytes of length, the bytes
 *   blob   4 bytes of length, the bytes
 *   bool   1 byte, 0 or 1
 *   number 4 bytes of length, a decimal number as the store writes it: exact, whatever its size
 *   json   4 bytes of length, a document as the store writes it
 * Equal rows have equal bytes and nothing else does, so images are compared and hashed as bytes.
 */
#ifndef BS_WORLD_ROW_H
#define BS_WORLD_ROW_H

#include "base/buf.h"
#include "base/json.h"

#include <backstep/store.h>

enum bs_cell_kind {
	BS_CELL_NULL,
	BS_CELL_INT,
	BS_CELL_REAL,
	BS_CELL_TEXT,
	BS_CELL_BLOB,
	BS_CELL_BOOL,
	BS_CELL_NUMBER,
	BS_CELL_JSON,
};

struct bs_cell {
	enum bs_cell_kind kind;
	int64_t integer; /* int and bool */
	double real;
	const char *data; /* text, blob, number and json: borrowed from the image, not terminated */
	uint32_t len;
};

void bs_row_add_null(struct bs_buf *image);
void bs_row_add_int(struct bs_buf *image, int64_t value);
void bs_row_add_real(struct bs_buf *image, double value);
void bs_row_add_text(struct bs_buf *image, const char *data, size_t len);
void bs_row_add_blob(struct bs_buf *image, const void *data, size_t len);
void bs_row_add_bool(struct bs_buf *image, bool value);
void bs_row_add_number(struct bs_buf *image, const char *data, size_t len);
void bs_row_add_json(struct bs_buf *image, const char *data, size_t len);

/* Reads the cell at *offset and moves *offset behind it; false at the end, also of an image that was cut short. */
bool bs_row_next(struct bs_blob image, size_t *offset, struct bs_cell *ret_cell);
/* The cell at index; false when there are fewer. */
bool bs_row_cell(struct bs_blob image, size_t index, struct bs_cell *ret_cell);
/* The cell's bytes within the image, kind byte included: for hashing and comparing. */
bool bs_row_bytes(struct bs_blob image, size_t index, struct bs_blob *ret_bytes);

bool bs_blob_equal(struct bs_blob a, struct bs_blob b);

/* For people and rules: numbers as numbers, text as text, a document as what it says, a blob as
 * "x'0a1b…' (1234 bytes)". The caller's. */
cJSON *bs_cell_to_json(const struct bs_cell *cell);
/* {column: value}, hidden columns left out; null when the image is no row. The caller's. */
cJSON *bs_row_to_json(const struct bs_table *table, struct bs_blob image);

#endif
