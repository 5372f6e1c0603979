/* One walk over the fields of an event that copies what has to change. See emit.h and clean.h. */
#include "clean.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "fields.h"
#include "redact.h"

#include <stdlib.h>
#include <string.h>

struct cleaner {
	const struct bs_redactor *redactor;
	struct bs_arena *arena;
};

static const char *valid(struct cleaner *c, const char *text)
{
	if (!text || bs_utf8_valid(text, strlen(text)))
		return text;
	struct bs_buf clean = BS_BUF_INIT;
	bs_utf8_clean(&clean, text, strlen(text), BS_UTF8_ANY);
	const char *kept = bs_arena_strdup(c->arena, clean.data);
	bs_buf_release(&clean);
	return kept;
}

/* Takes the result of a redaction: keeps the original when nothing was found in it. */
static const char *take(struct cleaner *c, const char *original, char *redacted)
{
	const char *kept = original;

	if (redacted && strcmp(original, redacted) != 0)
		kept = bs_arena_strdup(c->arena, redacted);
	free(redacted);
	return kept;
}

static const char *safe(struct cleaner *c, const char *text)
{
	text = valid(c, text);
	return take(c, text, bs_redact_text(c->redactor, text));
}

static const char *const *clean_texts(struct cleaner *c, const char *const *texts, size_t count, bool names)
{
	const char **copy = bs_arena_alloc(c->arena, count * sizeof *copy);

	for (size_t i = 0; i < count; i++)
		copy[i] = names ? valid(c, texts[i]) : safe(c, texts[i]);
	return copy;
}

static const struct bs_ev_value *clean_values(struct cleaner *c, const struct bs_ev_value *values, size_t count)
{
	struct bs_ev_value *copy = bs_arena_alloc(c->arena, count * sizeof *copy);

	for (size_t i = 0; i < count; i++) {
		const char *json = valid(c, values[i].json);
		copy[i].name = safe(c, values[i].name);
		copy[i].json = take(c, json, bs_redact_json(c->redactor, json));
	}
	return copy;
}

static const struct bs_ev_header *clean_headers(struct cleaner *c, const struct bs_ev_header *headers, size_t count)
{
	struct bs_ev_header *copy = bs_arena_alloc(c->arena, count * sizeof *copy);

	for (size_t i = 0; i < count; i++) {
		const char *value = valid(c, headers[i].value);
		copy[i].name = safe(c, headers[i].name);
		copy[i].value = take(c, value, bs_redact_header(c->redactor, copy[i].name, value));
	}
	return copy;
}

static void clean(struct cleaner *c, const struct bs_fields *fields, void *base);

static void *clean_list(struct cleaner *c, const struct bs_fields *fields, const void *items, size_t count)
{
	char *copy = bs_arena_dup(c->arena, items, count * fields->size);

	for (size_t i = 0; i < count; i++)
		clean(c, fields, copy + i * fields->size);
	return copy;
}

static const void *clean_array(struct cleaner *c, const struct bs_field *field, const void *items, size_t count)
{
	switch (field->array) {
	case BS_A_NAMES: return clean_texts(c, items, count, true);
	case BS_A_TEXTS: return clean_texts(c, items, count, false);
	case BS_A_LIST: return clean_list(c, field->of, items, count);
	case BS_A_VALUES:
	case BS_A_ROW: return clean_values(c, items, count);
	case BS_A_HEADERS: return clean_headers(c, items, count);
	case BS_A_HEADERS_LIST: break; /* the array that BS_A_HEADERS has cleaned */
	}
	return items;
}

static void clean_field(struct cleaner *c, const struct bs_field *field, void *base)
{
	char *member = (char *)base + field->offset;
	const char **text = BS_FIELD(const char *, member, 0);
	const void **items = BS_FIELD(const void *, member, 0);

	switch (field->type) {
	case BS_F_NAME: *text = valid(c, *text); return;
	case BS_F_FREE: *text = safe(c, *text); return;
	case BS_F_BOOL:
	case BS_F_INT:
	case BS_F_U32:
	case BS_F_U64: return;
	case BS_F_OBJECT:
	case BS_F_PLACE: clean(c, field->of, member); return;
	case BS_F_ARRAY:
		if (*items) /* a row that is none stays none */
			*items = clean_array(c, field, *items, *BS_FIELD(size_t, base, field->count_offset));
		return;
	}
}

static void clean(struct cleaner *c, const struct bs_fields *fields, void *base)
{
	for (size_t i = 0; i < fields->count; i++)
		clean_field(c, &fields->items[i], base);
}

void bs_event_clean(struct bs_event *event, const struct bs_redactor *redactor, struct bs_arena *arena)
{
	struct cleaner c = {redactor, arena};

	clean(&c, bs_fields_of(event->kind), event);
}
