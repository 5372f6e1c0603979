/* PostgreSQL: the driver's table, and the life of a clone. See postgres.h. */
#include "postgres.h"

#include "base/mem.h"
#include "base/now.h"

#include <string.h>
#include <time.h>

#define PATIENCE_MS 5000 /* with an application that holds a lock while tracking begins */
#define NOTES_MAX 1000000
#define BYTES_MAX ((uint64_t)512 << 20)

/* --- Opening and closing ----------------------------------------------------------------------------- */

static void pg_close(struct bs_store *store);

/* In place the application's own database is the live one. */
static void name_live(struct bs_postgres *s)
{
	bs_pg_name_clones(s);
	if (s->in_place) {
		free(s->live_name);
		s->live_name = bs_xstrdup(s->database);
		s->live_url = bs_xstrdup(s->url);
	} else {
		s->live_url = bs_pg_url_with_database(s->url, s->live_name);
	}
}

static int pg_open(const struct bs_store_options *options, struct bs_store **ret_store, struct bs_err *err)
{
	char *location = NULL;

	if (!options->url)
		return bs_err_set(err, BS_EMODEL, "a postgres store needs a url");
	int r = bs_pg_url_read(options->url, &location, NULL, err);
	if (r < 0)
		return r;
	struct bs_postgres *s = bs_xcalloc(1, sizeof *s);
	s->store.ops = &bs_store_postgres;
	s->store.snapshot_alone = !options->in_place;
	s->url = bs_xstrdup(options->url);
	s->location = location;
	s->in_place = options->in_place;
	s->own_note = bs_pg_random() >> 1; /* what an earlier run noted stays another's; and the number is signed */
	s->notes_max = NOTES_MAX;
	s->bytes_max = BYTES_MAX;
	s->stats.mechanism = s->in_place ? "triggers, in place" : "triggers";
	s->stats.location = s->location;
	r = bs_pg_look_at_original(s, err);
	if (r < 0) {
		pg_close(&s->store);
		return r;
	}
	name_live(s);
	*ret_store = &s->store;
	return 0;
}

void bs_pg_end_tracking(struct bs_postgres *s)
{
	bs_pg_close_reader(s);
	bs_pg_finish(&s->live);
	free(s->snapshot);
	free(s->sequence_values);
	free(s->ddl_print);
	s->snapshot = s->sequence_values = s->ddl_print = NULL;
}

/* The root is put back first: where that fails, the notes stay for the next run. */
static void leave_place(struct bs_postgres *s)
{
	uint64_t rows;

	if (!s->installed || (!s->live && bs_pg_open_live(s, NULL) < 0))
		return;
	if (bs_pg_prepare_apply(s, NULL) == 0 && bs_pg_restore_root(s, &rows, NULL) == 0)
		bs_pg_uninstall(s, NULL);
}

static void pg_close(struct bs_store *store)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	if (!s)
		return;
	if (s->in_place) {
		bs_pg_end_tracking(s);
		leave_place(s);
	}
	bs_pg_end_tracking(s);
	if (!s->in_place)
		bs_pg_drop_clones(s);
	bs_pg_finish(&s->admin);
	bs_pg_forget_catalogue(s);
	bs_pg_forget_changes(s);
	for (size_t i = 0; i < s->warning_count; i++)
		free(s->warnings[i]);
	free(s->warnings);
	free(s->url);
	free(s->location);
	free(s->database);
	free(s->live_url);
	free(s->live_name);
	free(s->root_name);
	free(s->lock_name);
	free(s->home);
	free(s);
}

/* --- Tracking ---------------------------------------------------------------------------------------- */

static int measure(struct bs_postgres *s, struct bs_err *err)
{
	PGresult *result BS_CLEANUP(bs_pg_clear) = NULL;
	int r = bs_pg_exec(s->live, "SELECT pg_database_size(current_database())", &result, err);

	if (r == 0)
		s->stats.size_bytes = strtoull(bs_pg_text(result, 0, 0), NULL, 10);
	return r;
}

/* Triggers can be made on a table only when nobody has an open transaction that wrote to it. */
static int install(struct bs_postgres *s, struct bs_err *err)
{
	uint64_t until_ms = bs_now_ms() + PATIENCE_MS;
	int r = bs_pg_install(s, err);

	while (r == BS_EBUSY && bs_now_ms() < until_ms) {
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		r = bs_pg_install(s, err);
	}
	if (r == BS_EBUSY)
		return bs_err_set(err, BS_ESTORE, "the application keeps tables of '%s' locked: it must end its "
				  "transactions before it answers", s->live_name);
	return r;
}

static int start_tracking(struct bs_postgres *s, struct bs_err *err)
{
	bool installed = s->installed;
	int r = bs_pg_open_live(s, err);

	if (r == 0)
		r = bs_pg_read_catalogue(s, err);
	if (r == 0)
		r = bs_pg_check(s, err);
	if (r == 0 && !installed)
		r = install(s, err);
	if (r == 0)
		r = bs_pg_prepare_apply(s, err);
	if (r == 0)
		r = bs_pg_start_changes(s, err);
	if (r == 0)
		r = measure(s, err);
	return r;
}

static int pg_begin(struct bs_store *store, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	bs_pg_end_tracking(s);
	int r = start_tracking(s, err);
	if (r < 0)
		bs_pg_end_tracking(s);
	return r;
}

/* Statements were the old connection's; what was read and put is in the database. */
int bs_pg_reconnect(struct bs_postgres *s, struct bs_err *err)
{
	bs_pg_finish(&s->live);
	int r = bs_pg_open_live(s, err);
	if (r == 0)
		r = bs_pg_prepare_apply(s, err);
	if (r == 0)
		r = bs_pg_prepare_changes(s, err);
	if (r < 0)
		bs_pg_finish(&s->live);
	return r;
}

/* --- Asked by others --------------------------------------------------------------------------------- */

static int pg_recover(struct bs_store *store, struct bs_err *err)
{
	struct bs_postgres *s = (struct bs_postgres *)store;
	int r = bs_pg_open_admin(s, err); /* which looks for clones that nobody has any more */

	if (r == 0 && s->in_place)
		r = bs_pg_recover(s, err);
	bs_pg_end_tracking(s);
	return r;
}

static char *pg_secret(const char *url)
{
	char *password = NULL;

	return bs_pg_url_read(url, NULL, &password, NULL) < 0 ? NULL : password;
}

static const struct bs_table *pg_schema(struct bs_store *store, size_t *ret_count)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	*ret_count = s->schema_count;
	return s->schema;
}

static void pg_stats(struct bs_store *store, struct bs_store_stats *ret_stats)
{
	*ret_stats = ((struct bs_postgres *)store)->stats;
}

static const char *pg_property(struct bs_store *store, const char *name)
{
	return strcmp(name, "url") == 0 ? ((struct bs_postgres *)store)->live_url : NULL;
}

static const char *pg_warning(struct bs_store *store, size_t index)
{
	struct bs_postgres *s = (struct bs_postgres *)store;

	return index < s->warning_count ? s->warnings[index] : NULL;
}

const struct bs_store_ops bs_store_postgres = {
	.name = "postgres",
	.secret = pg_secret,
	.open = pg_open,
	.clone = bs_pg_clone,
	.snapshot = bs_pg_snapshot,
	.begin = pg_begin,
	.changes = bs_pg_changes,
	.apply = bs_pg_apply,
	.digest = bs_pg_digest,
	.query = bs_pg_query,
	.recover = pg_recover,
	.close = pg_close,
	.schema = pg_schema,
	.stats = pg_stats,
	.property = pg_property,
	.warning = pg_warning,
};
