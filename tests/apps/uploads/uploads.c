/*
 * A test application that keeps texts in a directory: N.txt is the text, and N.preview its beginning, made when it is
 * first asked for. The bug is that deleting a text leaves its preview, so that
 *
 *   create, preview, delete, preview
 *
 * still shows how the deleted text began. With --fixed the preview goes with the text.
 *
 *   uploads --port N --db DIRECTORY
 */
#include "../common/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 1000
#define PREVIEW_BYTES 5

struct uploads {
	bool fixed;
	int dir;
};

static void name_file(int64_t id, const char *kind, char name[64])
{
	snprintf(name, 64, "%" PRId64 ".%s", id, kind);
}

static bool read_file(const struct uploads *uploads, int64_t id, const char *kind, char text[TEXT_MAX + 1])
{
	char name[64];

	name_file(id, kind, name);
	int fd = openat(uploads->dir, name, O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, TEXT_MAX);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n >= 0;
}

/* As it should be: another file takes the name when it is whole. */
static bool write_file(const struct uploads *uploads, int64_t id, const char *kind, const char *text, size_t len)
{
	char name[64];

	name_file(id, kind, name);
	int fd = openat(uploads->dir, ".new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;
	if (fd >= 0)
		close(fd);
	if (good && renameat(uploads->dir, ".new", uploads->dir, name) == 0)
		return true;
	fprintf(stderr, "uploads: %s: %s\n", name, strerror(errno));
	return false;
}

static void answer_text(struct app_call *call, unsigned status, const char *field, const char *text)
{
	cJSON *json = cJSON_CreateObject();

	app_put_integer(json, "id", call->id);
	cJSON_AddStringToObject(json, field, text);
	app_answer(call, status, json);
}

static void create_upload(struct app_call *call)
{
	const struct uploads *uploads = call->app;
	char there[TEXT_MAX + 1];
	const char *text;

	if (!app_get_text(call, "text", TEXT_MAX, &text))
		return;
	call->id = 1;
	while (read_file(uploads, call->id, "txt", there))
		call->id++;
	if (write_file(uploads, call->id, "txt", text, strlen(text)))
		answer_text(call, MHD_HTTP_CREATED, "text", text);
	else
		app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "cannot write");
}

static void get_upload(struct app_call *call)
{
	char text[TEXT_MAX + 1];

	if (read_file(call->app, call->id, "txt", text))
		answer_text(call, MHD_HTTP_OK, "text", text);
	else
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such upload");
}

static void get_preview(struct app_call *call)
{
	const struct uploads *uploads = call->app;
	char text[TEXT_MAX + 1];

	if (!read_file(uploads, call->id, "preview", text)) {
		if (!read_file(uploads, call->id, "txt", text)) {
			app_refuse(call, MHD_HTTP_NOT_FOUND, "no such upload");
			return;
		}
		if (strlen(text) > PREVIEW_BYTES)
			text[PREVIEW_BYTES] = 0;
		if (!write_file(uploads, call->id, "preview", text, strlen(text))) {
			app_refuse(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "cannot write");
			return;
		}
	}
	answer_text(call, MHD_HTTP_OK, "preview", text);
}

static void delete_upload(struct app_call *call)
{
	const struct uploads *uploads = call->app;
	char name[64];

	name_file(call->id, "txt", name);
	if (unlinkat(uploads->dir, name, 0) < 0) {
		app_refuse(call, MHD_HTTP_NOT_FOUND, "no such upload");
		return;
	}
	name_file(call->id, "preview", name);
	if (uploads->fixed) /* the bug is the lack of this */
		unlinkat(uploads->dir, name, 0);
	app_answer(call, MHD_HTTP_NO_CONTENT, NULL);
}

static const struct app_route routes[] = {
	{"GET", "/health", app_health},
	{"POST", "/uploads", create_upload},
	{"GET", "/uploads/{id}", get_upload},
	{"GET", "/uploads/{id}/preview", get_preview},
	{"DELETE", "/uploads/{id}", delete_upload},
};

int main(int argc, char **argv)
{
	struct uploads uploads = {0};
	struct app_options options;
	int status = app_parse(argc, argv, true, &options);

	if (status)
		return status;
	uploads.fixed = options.fixed;
	uploads.dir = open(options.db, O_RDONLY | O_DIRECTORY);
	if (uploads.dir < 0) {
		fprintf(stderr, "uploads: %s: %s\n", options.db, strerror(errno));
		return 1;
	}
	status = app_serve("uploads", options.port, routes, sizeof routes / sizeof *routes, &uploads);
	close(uploads.dir);
	return status;
}
