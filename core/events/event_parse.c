/* A walk over a line that fills the fields of an event: json_take.h takes the line apart. See event_parse.h. */
#include "event_parse.h"

#include "base/mem.h"
#include "fields.h"
#include "json_scan.h"
#include "json_take.h"

#include <inttypes.h>
#include <string.h>

/* --- Arrays ------------------------------------------------------------------------------------------------ */

struct array {
	char *items; /* in the arena; never NULL once begun */
	size_t count;
	size_t size; /* of an item */
};

static struct array array_begin(struct bs_take *p, size_t size)
{
	return (struct array){bs_arena_alloc(p->arena, size), 0, size};
}

/* A zeroed item at the end. The arena keeps what the array has outgrown until the line is done. */
static void *array_add(struct bs_take *p, struct array *array)
{
	size_t n = array->count++;

	if (n && (n & (n - 1)) == 0) { /* full: it holds a power of two */
		char *grown = bs_arena_alloc(p->arena, 2 * n * array->size);
		memcpy(grown, array->items, n * array->size);
		array->items = grown;
	}
	return array->items + n * array->size;
}

static void array_end(const struct array *array, const struct bs_field *field, void *base)
{
	*BS_FIELD(const void *, base, field->offset) = array->items;
	*BS_FIELD(size_t, base, field->count_offset) = array->count;
}

static int read_texts(struct bs_take *p, struct array *array)
{
	int r = 0;

	while (r == 0 && !bs_take_char(p, ']')) {
		r = bs_take_text(p, array_add(p, array));
		bs_take_char(p, ',');
	}
	return r;
}

static int read_values(struct bs_take *p, struct array *array)
{
	while (!bs_take_char(p, '}')) {
		struct bs_ev_value *value = array_add(p, array);
		value->name = bs_take_key(p);
		bs_take_space(p);
		size_t n = bs_scan_value(p->text + p->at, p->len - p->at);
		value->json = bs_arena_dup(p->arena, p->text + p->at, n);
		p->at += n;
		bs_take_char(p, ',');
	}
	return 0;
}

/* A text, or an array of them: the values of one header. */
static int read_header(struct bs_take *p, struct array *array, const char *name)
{
	bool several = bs_take_char(p, '[');
	int r = 0;

	while (r == 0 && !(several && bs_take_char(p, ']'))) {
		struct bs_ev_header *header = array_add(p, array);
		header->name = name;
		r = bs_take_text(p, &header->value);
		if (!several)
			break;
		bs_take_char(p, ',');
	}
	return r;
}

static int read_headers(struct bs_take *p, struct array *array)
{
	int r = 0;

	while (r == 0 && !bs_take_char(p, '}')) {
		const char *name = bs_take_key(p);
		r = read_header(p, array, name);
		bs_take_char(p, ',');
	}
	return r;
}

static int read_headers_list(struct bs_take *p, struct array *array)
{
	int r = 0;

	while (r == 0 && !bs_take_char(p, ']')) {
		struct bs_ev_header *header = array_add(p, array);
		if (!bs_take_char(p, '['))
			return bs_take_wrong(p, "pairs");
		r = bs_take_text(p, &header->name);
		if (r == 0 && !bs_take_char(p, ','))
			return bs_take_wrong(p, "pairs");
		if (r == 0)
			r = bs_take_text(p, &header->value);
		if (r == 0 && !bs_take_char(p, ']'))
			return bs_take_wrong(p, "pairs");
		bs_take_char(p, ',');
	}
	return r;
}

static int read_object(struct bs_take *p, const struct bs_fields *fields, const struct bs_fields *more, void *base);

static int read_list(struct bs_take *p, const struct bs_fields *fields, struct array *array)
{
	int r = 0;

	while (r == 0 && !bs_take_char(p, ']')) {
		r = read_object(p, fields, NULL, array_add(p, array));
		bs_take_char(p, ',');
	}
	return r;
}

/* The character that begins an array of that type, and what people call it. */
static bool begin(struct bs_take *p, enum bs_array_type type, int *ret_error)
{
	bool object = type == BS_A_VALUES || type == BS_A_ROW || type == BS_A_HEADERS;

	*ret_error = 0;
	if (bs_take_null(p))
		return false;
	if (bs_take_char(p, object ? '{' : '['))
		return true;
	*ret_error = bs_take_wrong(p, object ? "an object" : "an array");
	return false;
}

static int read_array(struct bs_take *p, const struct bs_field *field, void *base)
{
	struct array array = {NULL, 0, 0};
	int r;

	if (!begin(p, field->array, &r)) {
		if (r == 0)
			array_end(&array, field, base);
		return r;
	}
	switch (field->array) {
	case BS_A_NAMES:
	case BS_A_TEXTS:
		array = array_begin(p, sizeof(const char *));
		r = read_texts(p, &array);
		break;
	case BS_A_LIST:
		array = array_begin(p, field->of->size);
		r = read_list(p, field->of, &array);
		break;
	case BS_A_VALUES:
	case BS_A_ROW:
		array = array_begin(p, sizeof(struct bs_ev_value));
		r = read_values(p, &array);
		break;
	case BS_A_HEADERS:
		array = array_begin(p, sizeof(struct bs_ev_header));
		r = read_headers(p, &array);
		break;
	case BS_A_HEADERS_LIST:
		array = array_begin(p, sizeof(struct bs_ev_header));
		r = read_headers_list(p, &array);
		break;
	}
	if (r == 0)
		array_end(&array, field, base);
	return r;
}

/* --- Objects ----------------------------------------------------------------------------------------------- */

static int read_field(struct bs_take *p, const struct bs_field *field, void *base)
{
	char *member = (char *)base + field->offset;

	bs_take_space(p);
	switch (field->type) {
	case BS_F_NAME:
	case BS_F_FREE: return bs_take_text(p, BS_FIELD(const char *, member, 0));
	case BS_F_BOOL: return bs_take_bool(p, BS_FIELD(bool, member, 0));
	case BS_F_INT: return bs_take_int(p, BS_FIELD(int, member, 0));
	case BS_F_U32: return bs_take_u32(p, BS_FIELD(uint32_t, member, 0));
	case BS_F_U64: return bs_take_u64(p, UINT64_MAX, BS_FIELD(uint64_t, member, 0));
	case BS_F_OBJECT:
	case BS_F_PLACE: return bs_take_null(p) ? 0 : read_object(p, field->of, NULL, member);
	case BS_F_ARRAY: return read_array(p, field, base);
	}
	return 0;
}

static bool is_key(const struct bs_field *field, const char *key)
{
	size_t n = strlen(key);

	return strncmp(field->key + 2, key, n) == 0 && strcmp(field->key + 2 + n, "\":") == 0;
}

/* Looks from `next` on, where the field is when the line was written by us. */
static const struct bs_field *find(const struct bs_fields *fields, const char *key, size_t *next)
{
	for (size_t i = 0; fields && i < fields->count; i++) {
		size_t k = (*next + i) % fields->count;
		if (is_key(&fields->items[k], key)) {
			*next = k + 1;
			return &fields->items[k];
		}
	}
	return NULL;
}

static int read_object(struct bs_take *p, const struct bs_fields *fields, const struct bs_fields *more, void *base)
{
	size_t next = 0, next_more = 0;
	int r = 0;

	if (!bs_take_char(p, '{'))
		return bs_take_wrong(p, "an object");
	while (r == 0 && !bs_take_char(p, '}')) {
		const char *key = bs_take_key(p);
		const struct bs_field *field = find(more, key, &next_more);
		if (!field)
			field = find(fields, key, &next);
		p->key = key;
		if (field)
			r = read_field(p, field, base);
		else
			bs_take_value(p);
		bs_take_char(p, ',');
	}
	return r;
}

/* --- The envelope ------------------------------------------------------------------------------------------ */

/* Finds the value of a member of the line's object without changing the line. */
static bool member(const struct bs_take *line, const char *name, struct bs_take *ret_value)
{
	struct bs_take p = *line;

	bs_take_char(&p, '{');
	while (!bs_take_char(&p, '}')) {
		bs_take_space(&p);
		size_t n = bs_scan_string(p.text + p.at, p.len - p.at);
		bool found = n == strlen(name) + 2 && memcmp(p.text + p.at + 1, name, n - 2) == 0;
		p.at += n;
		bs_take_char(&p, ':');
		bs_take_space(&p);
		if (found) {
			*ret_value = p;
			return true;
		}
		bs_take_value(&p);
		bs_take_char(&p, ',');
	}
	return false;
}

static int check_version(const struct bs_take *line)
{
	struct bs_take p;
	uint64_t version;

	if (!member(line, "v", &p))
		return bs_err_set(line->err, BS_EUSAGE, "no event: 'v' is missing");
	p.key = "v";
	int r = bs_take_u64(&p, UINT64_MAX, &version);
	if (r == 0 && version != BS_EVENTS_VERSION)
		r = bs_err_set(line->err, BS_EUSAGE,
			       "events of version %" PRIu64 " need another version of backstep; this one reads %d",
			       version, BS_EVENTS_VERSION);
	return r;
}

/* 1 when the type is known. */
static int find_kind(const struct bs_take *line, enum bs_event_kind *ret_kind)
{
	struct bs_take p;

	if (!member(line, "type", &p) || bs_take_peek(&p) != '"')
		return bs_err_set(line->err, BS_EUSAGE, "no event: 'type' is missing");
	const char *type = p.text + p.at + 1;
	size_t n = bs_scan_string(p.text + p.at, p.len - p.at) - 2;
	for (int kind = BS_EVENT_STREAM_START; kind <= BS_EVENT_RUN_END; kind++) {
		const char *known = bs_event_type((enum bs_event_kind)kind);
		if (strlen(known) == n && memcmp(known, type, n) == 0) {
			*ret_kind = (enum bs_event_kind)kind;
			return 1;
		}
	}
	return 0;
}

int bs_event_parse(char *line, size_t len, struct bs_arena *arena, struct bs_event *ret_event, struct bs_err *err)
{
	static const struct bs_field items[] = {
		{.key = ",\"seq\":", .type = BS_F_U64, .offset = offsetof(struct bs_event, seq)},
		{.key = ",\"t_ns\":", .type = BS_F_U64, .offset = offsetof(struct bs_event, at_ns)},
	};
	static const struct bs_fields envelope = {items, BS_COUNT(items), sizeof(struct bs_event)};
	struct bs_take p = {.text = line, .len = len, .arena = arena, .key = "event", .err = err};
	struct bs_event event = {0};

	bs_take_space(&p);
	size_t n = bs_scan_value(line + p.at, len - p.at);
	if (!n || line[p.at] != '{' || p.at + n + bs_scan_space(line + p.at + n, len - p.at - n) != len)
		return bs_err_set(err, BS_EUSAGE, "no event: not an object of valid JSON");
	int r = check_version(&p);
	if (r == 0)
		r = find_kind(&p, &event.kind);
	if (r <= 0)
		return r;
	r = read_object(&p, bs_fields_of(event.kind), &envelope, &event);
	if (r < 0)
		return r;
	*ret_event = event;
	return 1;
}
