/* State keys. See identity.h. */
#include "identity.h"

#include "base/buf.h"
#include "base/mem.h"
#include "world/stores/row.h"

#include <inttypes.h>
#include <string.h>

/* A row followed along a path. */
struct entity {
	uint32_t table;
	bool made;              /* on this path: it has no image at the root */
	struct bs_blob root;    /* its image at the root; no data when made */
	struct bs_blob current; /* no data: gone */
	struct bs_blob last;    /* its latest image, also when gone */
	uint32_t name;          /* of those made and not gone, in order: 1, 2, 3 ...; 0: gone */
	uint64_t ahead_ms;      /* where the clock stood when its masked values were written; at the root 0 */
};

struct bs_identity {
	const struct bs_model *model;
	const struct bs_stores *stores;
	bool **masked;    /* [table][column] */
	bool *masked_var; /* [variable] */
	struct entity *entities;
	size_t count;
	struct bs_map by_image; /* from (table, image) to entities that have or had it */
	struct bs_map by_key;   /* from (table, key) to those made: names are looked up here */
	struct bs_buf bytes;    /* what is hashed in the end */
	uint64_t ahead_ms;      /* where the clock stands on the path that is followed */
};

static void mask_configured(struct bs_identity *identity)
{
	const struct bs_stores *stores = identity->stores;

	for (size_t t = 0; t < stores->table_count; t++) {
		const struct bs_table *table = stores->tables[t];
		const struct bs_store_config *config = stores->table_store[t] < identity->model->store_count
							       ? &identity->model->stores[stores->table_store[t]]
							       : NULL;
		for (size_t c = 0; c < table->column_count; c++) {
			BS_AUTOFREE char *name = bs_xasprintf("%s.%s", table->name, table->columns[c].name);
			bool mask = table->columns[c].volatile_default;
			for (size_t i = 0; config && i < config->masked_count; i++)
				mask |= strcmp(config->masked_columns[i], name) == 0;
			identity->masked[t][c] = mask;
		}
	}
}

struct bs_identity *bs_identity_new(const struct bs_model *model, const struct bs_stores *stores)
{
	struct bs_identity *identity = bs_xcalloc(1, sizeof *identity);

	identity->model = model;
	identity->stores = stores;
	bs_buf_init(&identity->bytes, BS_BUF_UNBOUNDED);
	identity->masked = bs_xcalloc(stores->table_count, sizeof *identity->masked);
	for (size_t t = 0; t < stores->table_count; t++)
		identity->masked[t] = bs_xcalloc(stores->tables[t]->column_count, sizeof **identity->masked);
	identity->masked_var = bs_xcalloc(model->var_count, sizeof *identity->masked_var);
	mask_configured(identity);
	return identity;
}

void bs_identity_free(struct bs_identity *identity)
{
	if (!identity)
		return;
	for (size_t t = 0; t < identity->stores->table_count; t++)
		free(identity->masked[t]);
	free(identity->masked);
	free(identity->masked_var);
	free(identity->entities);
	bs_map_release(&identity->by_image);
	bs_map_release(&identity->by_key);
	bs_buf_release(&identity->bytes);
	free(identity);
}

bool bs_identity_mask(struct bs_identity *identity, uint32_t table, uint32_t column)
{
	bool fresh = !identity->masked[table][column];

	identity->masked[table][column] = true;
	return fresh;
}

bool bs_identity_masked(const struct bs_identity *identity, uint32_t table, uint32_t column)
{
	return identity->masked[table][column];
}

bool bs_identity_mask_variable(struct bs_identity *identity, size_t var)
{
	bool fresh = !identity->masked_var[var];

	identity->masked_var[var] = true;
	return fresh;
}

static uint64_t image_hash(uint32_t table, struct bs_blob image)
{
	return bs_hash_bytes(image.data, image.len).lo ^ (table * 0x9E3779B97F4A7C15u);
}

/* The entity that now has this image. */
static struct entity *having(struct bs_identity *identity, uint32_t table, struct bs_blob image, uint64_t hash)
{
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&identity->by_image, hash, &at)) != BS_MAP_NONE) {
		struct entity *entity = &identity->entities[i];
		if (entity->table == table && entity->current.data && bs_blob_equal(entity->current, image))
			return entity;
	}
	return NULL;
}

/* The entity that had this image at the root and is gone: the row is put back as it was. */
static struct entity *gone_from_root(struct bs_identity *identity, uint32_t table, struct bs_blob image,
				     uint64_t hash)
{
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&identity->by_image, hash, &at)) != BS_MAP_NONE) {
		struct entity *entity = &identity->entities[i];
		if (entity->table == table && !entity->made && !entity->current.data &&
		    bs_blob_equal(entity->root, image))
			return entity;
	}
	return NULL;
}

static struct entity *add_entity(struct bs_identity *identity, struct entity fresh, uint64_t hash)
{
	struct entity *entity;

	bs_map_add(&identity->by_image, hash, (uint32_t)identity->count);
	entity = BS_PUSH(identity->entities, identity->count);
	*entity = fresh;
	return entity;
}

static bool masked_differ(const struct bs_identity *identity, uint32_t table, struct bs_blob a, struct bs_blob b)
{
	struct bs_blob x, y;

	for (size_t c = 0; c < identity->stores->tables[table]->column_count; c++)
		if (identity->masked[table][c] && bs_row_bytes(a, c, &x) && bs_row_bytes(b, c, &y) && !bs_blob_equal(x, y))
			return true;
	return false;
}

static void follow_change(struct bs_identity *identity, const struct bs_change *change)
{
	struct entity *entity = NULL;
	uint64_t hash;

	if (change->before.data) {
		hash = image_hash(change->table, change->before);
		entity = having(identity, change->table, change->before, hash);
		if (!entity)
			entity = add_entity(identity,
					    (struct entity){.table = change->table,
							    .root = change->before,
							    .current = change->before,
							    .last = change->before},
					    hash);
		entity->current = change->after;
		if (change->after.data) {
			uint32_t index = (uint32_t)(entity - identity->entities);
			if (identity->ahead_ms && masked_differ(identity, change->table, entity->last, change->after))
				entity->ahead_ms = identity->ahead_ms;
			entity->last = change->after;
			bs_map_add(&identity->by_image, image_hash(change->table, change->after), index);
		}
		return;
	}
	hash = image_hash(change->table, change->after);
	entity = gone_from_root(identity, change->table, change->after, hash);
	if (entity)
		entity->current = entity->root;
	else
		add_entity(identity,
			   (struct entity){.table = change->table,
					   .made = true,
					   .current = change->after,
					   .last = change->after,
					   .ahead_ms = identity->ahead_ms},
			   hash);
}

static void follow_delta(struct bs_identity *identity, const struct bs_delta *delta)
{
	for (uint32_t i = 0; delta && i < delta->count; i++)
		if (!identity->stores->tables[delta->items[i].table]->bookkeeping)
			follow_change(identity, &delta->items[i]);
}

/* A column whose value the application or the store made up, and that names the row. */
static bool renamed(const struct bs_identity *identity, uint32_t table, size_t column)
{
	const struct bs_column *c = &identity->stores->tables[table]->columns[column];

	return c->generated || (c->key && identity->masked[table][column]);
}

static uint64_t key_hash(uint32_t table, size_t column, struct bs_blob cell)
{
	return bs_hash_bytes(cell.data, cell.len).lo ^ ((table * 64 + column + 1) * 0xC2B2AE3D27D4EB4Fu);
}

/* Names those made and not gone, and remembers by which keys all of those made are referred to: a captured
 * identifier may outlive its row. */
static void name_entities(struct bs_identity *identity)
{
	uint32_t next = 1;

	bs_map_clear(&identity->by_key);
	for (size_t i = 0; i < identity->count; i++) {
		struct entity *entity = &identity->entities[i];
		if (!entity->made)
			continue;
		if (entity->current.data)
			entity->name = next++;
		const struct bs_table *table = identity->stores->tables[entity->table];
		for (size_t c = 0; c < table->column_count; c++) {
			struct bs_blob cell;
			if (renamed(identity, entity->table, c) && bs_row_bytes(entity->last, c, &cell))
				bs_map_add(&identity->by_key, key_hash(entity->table, c, cell), (uint32_t)i);
		}
	}
}

/* The row made on this path whose column holds cell: one that is there before one that is gone, as identifiers may
 * be given out again. NULL: there is none. */
static const struct entity *made_with(const struct bs_identity *identity, uint32_t table, size_t column,
				      struct bs_blob cell)
{
	const struct entity *gone = NULL;
	size_t at = 0;
	uint32_t i;
	struct bs_blob own;

	while ((i = bs_map_next(&identity->by_key, key_hash(table, column, cell), &at)) != BS_MAP_NONE) {
		const struct entity *entity = &identity->entities[i];
		if (entity->table != table || !bs_row_bytes(entity->last, column, &own) || !bs_blob_equal(own, cell))
			continue;
		if (entity->current.data)
			return entity;
		gone = entity;
	}
	return gone;
}

static void put(struct bs_identity *identity, char tag, const void *data, size_t len)
{
	uint32_t n = (uint32_t)len;

	bs_buf_addc(&identity->bytes, tag);
	bs_buf_add(&identity->bytes, &n, sizeof n);
	bs_buf_add(&identity->bytes, data, len);
}

static void put_cell(struct bs_identity *identity, const struct entity *entity, size_t column, struct bs_blob cell)
{
	const struct bs_column *c = &identity->stores->tables[entity->table]->columns[column];
	bool null = *(const unsigned char *)cell.data == BS_CELL_NULL;
	const struct entity *other = NULL;

	if (entity->made && renamed(identity, entity->table, column)) {
		put(identity, 'k', &entity->name, sizeof entity->name);
		return;
	}
	if (c->ref_table >= 0 && !null && renamed(identity, (uint32_t)c->ref_table, (size_t)c->ref_column))
		other = made_with(identity, (uint32_t)c->ref_table, (size_t)c->ref_column, cell);
	if (other && other->name)
		put(identity, 'r', &other->name, sizeof other->name);
	else if (identity->masked[entity->table][column] && entity->ahead_ms && !null)
		put(identity, 'w', &entity->ahead_ms, sizeof entity->ahead_ms);
	else if (identity->masked[entity->table][column])
		put(identity, 'm', &null, sizeof null);
	else
		put(identity, 'v', cell.data, cell.len);
}

static void put_row(struct bs_identity *identity, const struct entity *entity)
{
	size_t columns = identity->stores->tables[entity->table]->column_count;
	struct bs_blob cell;

	put(identity, 't', &entity->table, sizeof entity->table);
	if (!entity->current.data)
		put(identity, 'd', "", 0);
	for (size_t c = 0; entity->current.data && c < columns; c++)
		if (bs_row_bytes(entity->current, c, &cell))
			put_cell(identity, entity, c, cell);
}

/* Rows of the root are named by their image there; those changes are ordered by it, not by when they came. */
static int by_root_image(const void *a, const void *b)
{
	const struct entity *x = *(const struct entity *const *)a, *y = *(const struct entity *const *)b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->root.len != y->root.len)
		return x->root.len < y->root.len ? -1 : 1;
	return memcmp(x->root.data, y->root.data, x->root.len);
}

static void put_rows(struct bs_identity *identity)
{
	size_t n = 0;
	BS_AUTOFREE const struct entity **changed = bs_xcalloc(identity->count, sizeof *changed);

	for (size_t i = 0; i < identity->count; i++) {
		const struct entity *entity = &identity->entities[i];
		if (entity->made && entity->current.data)
			put_row(identity, entity);
		else if (!entity->made && !bs_blob_equal(entity->root, entity->current))
			changed[n++] = entity;
	}
	if (n > 1)
		qsort(changed, n, sizeof *changed, by_root_image);
	for (size_t i = 0; i < n; i++) {
		put(identity, 'o', changed[i]->root.data, changed[i]->root.len);
		put_row(identity, changed[i]);
	}
}

/* The row made on this path that the value names. An identifier travels as a number or as text. */
static const struct entity *named_by(const struct bs_identity *identity, uint32_t table,
				     const struct bs_value *value)
{
	struct bs_buf cell = BS_BUF_INIT;
	const struct entity *entity = NULL;

	for (int form = 0; form < 2 && !entity; form++) {
		bs_buf_clear(&cell);
		if (value->kind == BS_V_INT && form == 0)
			bs_row_add_int(&cell, value->integer);
		else if (value->kind == BS_V_TEXT && form == 0)
			bs_row_add_text(&cell, value->text.data, value->text.len);
		else if (value->kind == BS_V_TEXT && value->text.len)
			bs_row_add_int(&cell, strtoll(value->text.data, NULL, 10));
		else
			break;
		struct bs_blob blob = {cell.data, (uint32_t)cell.len};
		for (size_t c = 0; !entity && c < identity->stores->tables[table]->column_count; c++)
			if (renamed(identity, table, c))
				entity = made_with(identity, table, c, blob);
	}
	bs_buf_release(&cell);
	return entity;
}

/* An identifier counts by the row that it names when that was made on this path: by its place there, or as a dead
 * token when it is gone. Rows of the root keep their identifiers, which then count as they are. */
static void put_variable(struct bs_identity *identity, const struct bs_variable_value *var, bool masked)
{
	const struct entity *entity;

	if (var->value.kind == BS_V_NIL) {
		put(identity, 'n', "", 0);
		return;
	}
	entity = var->table >= 0 ? named_by(identity, (uint32_t)var->table, &var->value) : NULL;
	if (entity) {
		put(identity, entity->name ? 'k' : 'x', &entity->name, sizeof entity->name);
		return;
	}
	if (masked) {
		put(identity, 'm', "", 0);
		return;
	}
	cJSON *json = bs_value_to_json(&var->value);
	BS_AUTOFREE char *text = bs_json_print(json, false);
	cJSON_Delete(json);
	put(identity, 'v', text, strlen(text));
}

/* The clock moves before the rows of its step are written. */
static void follow_edge(struct bs_identity *identity, uint32_t operation, const struct bs_delta *delta)
{
	if (operation != BS_AT_ROOT)
		identity->ahead_ms += identity->model->actions[identity->model->operations[operation].action].advance_ms;
	follow_delta(identity, delta);
}

struct bs_hash bs_identity_visible(struct bs_identity *identity, const struct bs_graph *graph, uint32_t parent,
				   uint32_t operation, const struct bs_delta *delta, const struct bs_context *context)
{
	size_t edges;

	bs_map_clear(&identity->by_image);
	bs_buf_clear(&identity->bytes);
	identity->ahead_ms = 0;
	free(identity->entities);
	identity->entities = NULL;
	identity->count = 0;
	if (graph->count) {
		BS_AUTOFREE uint32_t *lineage = bs_graph_lineage(graph, parent, &edges);
		for (size_t i = 0; i < edges; i++) {
			const struct bs_state *state = &graph->states[lineage[i]];
			follow_edge(identity, lineage[i] ? state->operation : BS_AT_ROOT, state->delta);
		}
	}
	follow_edge(identity, operation, delta);
	name_entities(identity);
	put_rows(identity);
	bs_buf_addc(&identity->bytes, 'c');
	for (uint32_t i = 0; i < context->count; i++)
		put_variable(identity, &context->vars[i], identity->masked_var[i]);
	if (identity->ahead_ms)
		put(identity, 'a', &identity->ahead_ms, sizeof identity->ahead_ms);
	return bs_hash_bytes(identity->bytes.data, identity->bytes.len);
}

struct bs_hash bs_identity_key(struct bs_hash visible, const struct bs_memory *memory, uint64_t blind)
{
	struct bs_buf bytes = BS_BUF_INIT;

	if (!memory && !blind)
		return visible;
	bs_buf_add(&bytes, &visible, sizeof visible);
	bs_buf_add(&bytes, &blind, sizeof blind);
	if (memory)
		bs_buf_add(&bytes, memory->items, memory->count * sizeof memory->items[0]);
	struct bs_hash key = bs_hash_bytes(bytes.data, bytes.len);
	bs_buf_release(&bytes);
	return key;
}
