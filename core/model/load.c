/*
 * Loading a model: the file is read whole, parsed into a tree, and the tree is read part by part. Nothing stops
 * at the first problem; only broken YAML leaves no tree to go on with. See loader.h for the parts.
 */
#include "loader.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct bs_buf *out, struct bs_err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bs_err_set(err, BS_EIO, "cannot read '%s': %s", path, strerror(errno));
		if (!bs_buf_add(out, chunk, (size_t)n))
			return bs_err_set(err, BS_EIO, "'%s' is larger than 4 MiB, which no model is", path);
	}
	return 0;
}

static int read_file(const char *path, struct bs_buf *out, struct bs_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return bs_err_set(err, BS_EIO, "cannot read '%s': %s", path, strerror(errno));
	int r = read_all(fd, path, out, err);
	close(fd);
	return r;
}

/* The folder that the path names, with links resolved. */
static int find_folder(struct bs_model *model, struct bs_err *err)
{
	const char *slash = strrchr(model->path, '/');
	BS_AUTOFREE char *folder = slash ? bs_xstrndup(model->path, (size_t)(slash - model->path) + 1)
					 : bs_xstrdup(".");
	BS_AUTOFREE char *real = realpath(folder, NULL);

	if (!real)
		return bs_err_set(err, BS_EIO, "cannot find the folder of '%s': %s", model->path, strerror(errno));
	model->folder = bs_arena_strdup(&model->arena, real);
	return 0;
}

static void read_parts(struct bs_loader *l, const struct bs_yaml *root)
{
	if (root->kind != BS_Y_MAP) {
		bs_problem_add(l->problems, root->at, "a model is a mapping that begins with 'version: 1'; got %s",
			       bs_yaml_describe(l->arena, root));
		return;
	}
	bs_read_config(l, root);
	bs_read_app(l, root);
	bs_read_actions(l, root);
	bs_read_invariants(l, root);
	bs_check_names(l);
	bs_read_secrets(l, root);
	if (!l->problems->errors)
		bs_make_operations(l);
}

static void parse(struct bs_loader *l)
{
	size_t before = l->problems->count;
	const struct bs_yaml *root =
		bs_yaml_parse(l->arena, l->model->path, l->source, l->source_len, l->problems);

	if (root && !(root->kind == BS_Y_SCALAR && root->plain && !root->len))
		read_parts(l, root);
	else if (l->problems->count == before)
		bs_problem_add(l->problems, (struct bs_at){l->model->path, 1, 1},
			       "the model is empty; begin it with 'version: 1'");
	free(l->uses);
	free(l->forgets);
	bs_problems_sort(l->problems);
}

static int load(struct bs_model_box *box, struct bs_buf *text, struct bs_problems *problems, struct bs_err *err)
{
	struct bs_model *model = &box->model;
	struct bs_loader loader = {.box = box, .model = model, .arena = &model->arena, .problems = problems};
	int r = read_file(model->path, text, err);

	if (r == 0)
		r = find_folder(model, err);
	if (r == 0)
		r = bs_lua_new(&model->lua, err);
	if (r < 0)
		return r;
	bs_sha256_hex(bs_buf_text(text), text->len, model->sha256);
	loader.source = bs_buf_text(text);
	loader.source_len = text->len;
	if (text->len >= 3 && memcmp(loader.source, "\xEF\xBB\xBF", 3) == 0) { /* a BOM is no column */
		loader.source += 3;
		loader.source_len -= 3;
	}
	parse(&loader);
	if (!problems->errors)
		return 0;
	return bs_err_set(err, BS_EMODEL, "'%s' has %zu %s", model->path, problems->errors,
			  problems->errors == 1 ? "problem" : "problems");
}

int bs_model_load(const char *path, struct bs_model **ret_model, struct bs_problems *ret_problems,
		  struct bs_err *err)
{
	struct bs_model_box *box = bs_xcalloc(1, sizeof *box);
	struct bs_buf text;

	*ret_problems = (struct bs_problems){0};
	box->model.path = box->model.shown_path = bs_arena_strdup(&box->model.arena, path);
	bs_buf_init(&text, BS_YAML_MAX_BYTES);
	int r = load(box, &text, ret_problems, err);
	bs_buf_release(&text);
	for (size_t i = 0; r < 0 && i < ret_problems->count; i++)
		ret_problems->items[i].at.file = path; /* the model's copy goes with the model */
	if (r < 0)
		bs_model_free(&box->model);
	else
		*ret_model = &box->model;
	return r;
}

void bs_model_show_as(struct bs_model *model, const char *path)
{
	model->shown_path = bs_arena_strdup(&model->arena, path);
}

struct bs_ev_place bs_model_place(const struct bs_model *model, struct bs_at at)
{
	return (struct bs_ev_place){at.file ? model->shown_path : NULL, at.line, at.column};
}

void bs_model_free(struct bs_model *model)
{
	struct bs_model_box *box = (struct bs_model_box *)model;

	if (!model)
		return;
	for (size_t i = 0; i < box->expr_count; i++)
		bs_expr_free(box->exprs[i]);
	free(box->exprs);
	for (size_t i = 0; i < box->value_count; i++)
		cJSON_Delete(box->values[i]);
	free(box->values);
	bs_lua_free(model->lua);
	bs_arena_release(&model->arena);
	free(box);
}
