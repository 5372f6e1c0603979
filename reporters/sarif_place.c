/*
 * Places as SARIF has them. A path is bytes and a URI (RFC 3986) is characters, so everything that is not unreserved
 * is percent-encoded, whatever it means in a file name.
 */
#include "sarif_json.h"

#include "base/mem.h"

#include <string.h>

#define LINE_GREATEST 2147483647 /* readers hold it in 32 bits */

static char *encode(const char *prefix, const char *path)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	struct bs_buf uri = BS_BUF_INIT;

	bs_buf_adds(&uri, prefix);
	for (; *path; path++)
		if (strchr(unreserved, *path))
			bs_buf_addc(&uri, *path);
		else
			bs_buf_addf(&uri, "%%%02X", (unsigned)(unsigned char)*path);
	return bs_buf_take(&uri);
}

/* Without what says nothing: "./" before it, and slashes that follow one another. */
static char *tidy(const char *path)
{
	struct bs_buf out = BS_BUF_INIT;

	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	for (; *path; path++)
		if (!(path[0] == '/' && path[1] == '/'))
			bs_buf_addc(&out, *path);
	return out.len ? bs_buf_take(&out) : bs_xstrdup(".");
}

cJSON *bs_sarif_artifact_location(const char *path)
{
	cJSON *location = cJSON_CreateObject();
	BS_AUTOFREE char *tidied = tidy(path);
	BS_AUTOFREE char *uri = encode(*tidied == '/' ? "file://" : "", tidied);

	bs_sarif_text(location, "uri", uri);
	if (*tidied != '/')
		bs_sarif_text(location, "uriBaseId", BS_SARIF_ROOT);
	return location;
}

/* GitHub shows nothing that has no region, so what is about a whole file is about its first line. */
static void add_region(cJSON *physical, const struct bs_ev_place *at)
{
	bool known = at->file && at->line && at->line <= LINE_GREATEST;
	cJSON *region = bs_sarif_object(physical, "region");

	bs_sarif_number(region, "startLine", known ? at->line : 1);
	if (known && at->column && at->column <= LINE_GREATEST)
		bs_sarif_number(region, "startColumn", at->column);
}

cJSON *bs_sarif_location(const struct bs_ev_place *at, const char *otherwise)
{
	cJSON *location = cJSON_CreateObject();
	cJSON *physical = bs_sarif_object(location, "physicalLocation");

	cJSON_AddItemToObject(physical, "artifactLocation",
			      bs_sarif_artifact_location(at->file ? at->file : otherwise ? otherwise : ""));
	add_region(physical, at);
	return location;
}
