/*
 * PostgreSQL, in place: back to the root. The notes of the application and our own sum up to what differs from the
 * root, so that the same is done after a clean start of a run, at its end, and by a later run when this one was
 * killed: they are summed up, and the reverse is put.
 */
#include "postgres.h"

#include "base/mem.h"
#include "delta.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TRIES 20 /* the application may write meanwhile */

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* What was noted up to now, the notes that changes() did not read yet with it. */
static int restore_once(struct bs_postgres *s, struct bs_net *net, uint64_t *ret_rows, struct bs_err *err)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_changes changes;
	size_t count = 0;
	int r = bs_pg_start_changes(s, err); /* what comes later than this makes apply busy */

	if (r == 0)
		r = bs_pg_changes_since_root(s, &changes, err);
	if (r == 0) {
		bs_net_clear(net);
		bs_net_add(net, bs_delta_new(&arena, changes.items, changes.count), BS_UNDO);
		const struct bs_net_row *rows = bs_net_rows(net, &count);
		r = bs_pg_apply(&s->store, rows, count, err);
		for (size_t i = 0; r == 0 && i < count; i++)
			if (rows[i].table < s->table_count)
				*ret_rows += (uint64_t)(rows[i].count < 0 ? -rows[i].count : rows[i].count);
	}
	bs_arena_release(&arena);
	return r;
}

int bs_pg_restore_root(struct bs_postgres *s, uint64_t *ret_rows, struct bs_err *err)
{
	struct bs_net *net = bs_net_new();
	int r = BS_EBUSY;

	*ret_rows = 0;
	for (int try = 0; r == BS_EBUSY && try < TRIES; try++) {
		if (try)
			pause_ms(2L << (try < 8 ? try : 8));
		r = restore_once(s, net, ret_rows, err);
	}
	bs_pg_forget_changes(s);
	bs_net_free(net);
	if (r == BS_EBUSY)
		return bs_err_set(err, BS_ESTORE, "the application keeps writing or keeps a lock: the root could not be put "
				  "back; stop it and run again");
	return r;
}

/* The schema is there, and no run that is alive has it. */
static int restore_leftover(struct bs_postgres *s, struct bs_err *err)
{
	uint64_t rows = 0;
	int r = bs_pg_read_catalogue(s, err);

	if (r == 0)
		r = bs_pg_prepare_apply(s, err);
	if (r == 0)
		r = bs_pg_restore_root(s, &rows, err);
	if (r == 0)
		r = bs_pg_uninstall(s, err);
	bs_pg_forget_catalogue(s); /* what is there now may not be what the application makes of it */
	if (r < 0)
		return bs_err_wrap(err, "what an earlier run left in '%s' could not be put back", s->live_name);
	bs_pg_warn(s, "an earlier run was ended before it could put '%s' back; that was done now: %" PRIu64 " row%s",
		   s->live_name, rows, rows == 1 ? "" : "s");
	return 0;
}

int bs_pg_recover(struct bs_postgres *s, struct bs_err *err)
{
	bool in_place = s->in_place, left = false;
	int r = s->live ? 0 : bs_pg_open_live(s, err);

	if (r == 0)
		r = bs_pg_is_installed(s->live, &left, err);
	if (r == 0 && left) {
		s->in_place = true; /* notes are written as well as read */
		r = restore_leftover(s, err);
		s->in_place = in_place;
		free(s->snapshot);
		s->snapshot = NULL;
	}
	return r;
}
