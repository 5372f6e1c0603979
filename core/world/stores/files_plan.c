/*
 * Files: what is to be done. A net change becomes one step for each path, which is held against what is known to be
 * there before anything is touched.
 */
#include "files.h"

#include "base/mem.h"

#include <string.h>

struct planning {
	const struct bs_files *s;
	struct bs_files_plan *plan;
	struct bs_map index; /* of steps, by path */
};

static int not_there(struct bs_blob path, struct bs_err *err)
{
	return bs_err_set(err, BS_ESTORE, "'%.*s' is not as it was left, and cannot be put back", (int)path.len,
			  (const char *)path.data);
}

static struct bs_files_step *step_of(struct planning *p, struct bs_blob path)
{
	uint64_t hash = bs_hash_bytes(path.data, path.len).lo;
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&p->index, hash, &at)) != BS_MAP_NONE)
		if (bs_blob_equal(p->plan->steps[i].path, path))
			return &p->plan->steps[i];
	bs_map_add(&p->index, hash, (uint32_t)p->plan->count);
	struct bs_files_step *step = BS_PUSH(p->plan->steps, p->plan->count);
	step->path = path;
	step->path_text = bs_xstrndup(path.data, path.len);
	return step;
}

static struct bs_blob known_image(const struct bs_files *s, struct bs_blob path)
{
	const struct bs_files_entry *entry = bs_files_find(&s->shadow, path);

	return entry && entry->image ? (struct bs_blob){entry->image, entry->image_len} : (struct bs_blob){NULL, 0};
}

static int plan_row(struct planning *p, const struct bs_net_row *net, struct bs_err *err)
{
	struct bs_files_row row;
	int r = bs_files_row_read(net->image, &row, err);

	if (r < 0)
		return r;
	struct bs_files_step *step = step_of(p, row.path);
	bool removes = net->count < 0;
	if ((net->count != 1 && net->count != -1) || (removes ? step->remove : step->put).data)
		return not_there(row.path, err);
	if (removes && !bs_files_rows_match(known_image(p->s, row.path), net->image))
		return not_there(row.path, err);
	if (removes)
		step->remove = known_image(p->s, row.path);
	else
		step->put = net->image;
	return 0;
}

/* A file stays where it is, and is written, unless what it shares with other paths changes. */
static bool stays(const struct bs_files_step *step)
{
	struct bs_files_row was, becomes;

	if (!step->remove.data || !step->put.data || bs_files_row_read(step->remove, &was, NULL) < 0 ||
	    bs_files_row_read(step->put, &becomes, NULL) < 0)
		return false;
	return was.type == becomes.type && was.type != BS_LINK && bs_blob_equal(was.same_as, becomes.same_as);
}

static int finish(struct planning *p, struct bs_err *err)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		struct bs_files_step *step = &p->plan->steps[i];
		if (!step->remove.data && known_image(p->s, step->path).data)
			return not_there(step->path, err);
		step->in_place = stays(step);
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct bs_files_step *x = a, *y = b;

	return strcmp(x->path_text, y->path_text);
}

int bs_files_plan(const struct bs_files *s, const struct bs_net_row *rows, size_t count, struct bs_files_plan *ret_plan,
		  struct bs_err *err)
{
	struct planning p = {.s = s, .plan = ret_plan};
	int r = 0;

	*ret_plan = (struct bs_files_plan){0};
	for (size_t i = 0; r == 0 && i < count; i++)
		r = plan_row(&p, &rows[i], err);
	if (r == 0)
		r = finish(&p, err);
	bs_map_release(&p.index);
	if (r < 0)
		bs_files_plan_release(ret_plan);
	else if (ret_plan->count > 1)
		qsort(ret_plan->steps, ret_plan->count, sizeof *ret_plan->steps, by_path);
	return r;
}

void bs_files_plan_release(struct bs_files_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->steps[i].path_text);
	free(plan->steps);
	*plan = (struct bs_files_plan){0};
}
