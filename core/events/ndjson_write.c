/* A walk over the fields of an event that writes them. See ndjson_write.h. */
#include "ndjson_write.h"

#include "fields.h"
#include "json_put.h"

#include <string.h>
#include <strings.h>

static void write_fields(struct bs_buf *out, const struct bs_fields *fields, const void *base);

/* Where a key is the first of its object, its comma is left out. */
static void put_key(struct bs_buf *out, const char *key)
{
	size_t skip = out->len && out->data[out->len - 1] == '{';

	bs_buf_add(out, key + skip, strlen(key) - skip);
}

static void put_object(struct bs_buf *out, const struct bs_fields *fields, const void *base)
{
	bs_buf_addc(out, '{');
	write_fields(out, fields, base);
	bs_buf_addc(out, '}');
}

static void put_texts(struct bs_buf *out, const char *const *texts, size_t count)
{
	bs_buf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i)
			bs_buf_addc(out, ',');
		bs_put_text(out, texts[i]);
	}
	bs_buf_addc(out, ']');
}

static void put_list(struct bs_buf *out, const struct bs_fields *fields, const char *items, size_t count)
{
	bs_buf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i)
			bs_buf_addc(out, ',');
		put_object(out, fields, items + i * fields->size);
	}
	bs_buf_addc(out, ']');
}

static void put_values(struct bs_buf *out, const struct bs_ev_value *values, size_t count)
{
	bs_buf_addc(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			bs_buf_addc(out, ',');
		bs_put_text(out, values[i].name ? values[i].name : "");
		bs_buf_addc(out, ':');
		bs_put_json(out, values[i].json);
	}
	bs_buf_addc(out, '}');
}

/* --- Headers ----------------------------------------------------------------------------------------------- */

static const char *name_of(const struct bs_ev_header *header)
{
	return header->name ? header->name : "";
}

/* The index of the first header at or behind `at` with that name; count when there is none. */
static size_t find_header(const struct bs_ev_header *headers, size_t count, size_t at, const char *name)
{
	while (at < count && strcasecmp(name_of(&headers[at]), name) != 0)
		at++;
	return at;
}

static void put_header(struct bs_buf *out, const struct bs_ev_header *headers, size_t count, size_t first)
{
	const char *name = name_of(&headers[first]);
	size_t next = find_header(headers, count, first + 1, name);

	bs_put_text(out, name);
	bs_buf_addc(out, ':');
	if (next == count) {
		bs_put_text(out, headers[first].value);
		return;
	}
	bs_buf_addc(out, '[');
	bs_put_text(out, headers[first].value);
	for (; next < count; next = find_header(headers, count, next + 1, name)) {
		bs_buf_addc(out, ',');
		bs_put_text(out, headers[next].value);
	}
	bs_buf_addc(out, ']');
}

static void put_headers(struct bs_buf *out, const struct bs_ev_header *headers, size_t count)
{
	bs_buf_addc(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (find_header(headers, count, 0, name_of(&headers[i])) != i)
			continue;
		if (i)
			bs_buf_addc(out, ',');
		put_header(out, headers, count, i);
	}
	bs_buf_addc(out, '}');
}

static bool has_repeated(const struct bs_ev_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (find_header(headers, count, 0, name_of(&headers[i])) != i)
			return true;
	return false;
}

static void put_headers_list(struct bs_buf *out, const struct bs_ev_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bs_buf_adds(out, i ? ",[" : "[[");
		bs_put_text(out, name_of(&headers[i]));
		bs_buf_addc(out, ',');
		bs_put_text(out, headers[i].value);
		bs_buf_addc(out, ']');
	}
	bs_buf_addc(out, ']');
}

/* --- Fields ------------------------------------------------------------------------------------------------ */

static bool is_written(const struct bs_field *field, const void *base)
{
	switch (field->type) {
	case BS_F_NAME:
	case BS_F_FREE: return *BS_FIELD_CONST(char *, base, field->offset);
	case BS_F_PLACE: return BS_FIELD_CONST(struct bs_ev_place, base, field->offset)->file;
	case BS_F_ARRAY:
		return field->array != BS_A_HEADERS_LIST ||
		       has_repeated(*BS_FIELD_CONST(struct bs_ev_header *, base, field->offset),
				    *BS_FIELD_CONST(size_t, base, field->count_offset));
	case BS_F_BOOL:
	case BS_F_INT:
	case BS_F_U32:
	case BS_F_U64:
	case BS_F_OBJECT: return true;
	}
	return false;
}

static void put_array(struct bs_buf *out, const struct bs_field *field, const void *array, size_t count)
{
	switch (field->array) {
	case BS_A_NAMES:
	case BS_A_TEXTS: put_texts(out, array, count); return;
	case BS_A_LIST: put_list(out, field->of, array, count); return;
	case BS_A_ROW:
	case BS_A_VALUES: put_values(out, array, count); return;
	case BS_A_HEADERS: put_headers(out, array, count); return;
	case BS_A_HEADERS_LIST: put_headers_list(out, array, count); return;
	}
}

static void write_field(struct bs_buf *out, const struct bs_field *field, const void *base)
{
	const char *member = (const char *)base + field->offset;
	const void *array;

	switch (field->type) {
	case BS_F_NAME:
	case BS_F_FREE: bs_put_text(out, *BS_FIELD_CONST(char *, member, 0)); return;
	case BS_F_BOOL: bs_buf_adds(out, *BS_FIELD_CONST(bool, member, 0) ? "true" : "false"); return;
	case BS_F_INT: bs_put_i64(out, *BS_FIELD_CONST(int, member, 0)); return;
	case BS_F_U32: bs_put_u64(out, *BS_FIELD_CONST(uint32_t, member, 0)); return;
	case BS_F_U64: bs_put_u64(out, *BS_FIELD_CONST(uint64_t, member, 0)); return;
	case BS_F_OBJECT:
	case BS_F_PLACE: put_object(out, field->of, member); return;
	case BS_F_ARRAY:
		array = *BS_FIELD_CONST(void *, member, 0);
		if (!array && field->array == BS_A_ROW)
			bs_buf_adds(out, "null");
		else
			put_array(out, field, array, *BS_FIELD_CONST(size_t, base, field->count_offset));
		return;
	}
}

static void write_fields(struct bs_buf *out, const struct bs_fields *fields, const void *base)
{
	for (size_t i = 0; i < fields->count; i++) {
		const struct bs_field *field = &fields->items[i];
		if (!is_written(field, base))
			continue;
		put_key(out, field->key);
		write_field(out, field, base);
	}
}

void bs_ndjson_write(struct bs_buf *out, const struct bs_event *event)
{
	bs_buf_adds(out, "{\"v\":");
	bs_put_u64(out, BS_EVENTS_VERSION);
	bs_buf_adds(out, ",\"seq\":");
	bs_put_u64(out, event->seq);
	bs_buf_adds(out, ",\"t_ns\":");
	bs_put_u64(out, event->at_ns);
	bs_buf_adds(out, ",\"type\":");
	bs_put_text(out, bs_event_type(event->kind));
	write_fields(out, bs_fields_of(event->kind), event);
	bs_buf_adds(out, "}\n");
}
