/*
 * PostgreSQL: the URL. The application gets what the user gave, with only the database changed, so that whatever else
 * stands in it (hosts, a password, options) reaches it as it was written.
 */
#include "postgres.h"

#include "base/mem.h"

#include <string.h>

static bool is_uri(const char *url)
{
	return strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0;
}

static void add_percent(struct bs_buf *out, const char *text)
{
	for (; *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9') || strchr("-_.~", *text);
		if (plain)
			bs_buf_addc(out, *text);
		else
			bs_buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

/* The parameters without dbname, which would win over the path. */
static void add_parameters(struct bs_buf *out, const char *query)
{
	char mark = '?';

	while (*query) {
		size_t len = strcspn(query, "&");
		if (len && strncmp(query, "dbname=", 7) != 0) {
			bs_buf_addc(out, mark);
			bs_buf_add(out, query, len);
			mark = '&';
		}
		query += len + (query[len] == '&');
	}
}

/* scheme://authority[/database][?parameters] */
static void change_uri(struct bs_buf *out, const char *url, const char *database)
{
	const char *authority = strstr(url, "://") + 3;
	const char *end = authority + strcspn(authority, "/?");
	const char *query = strchr(end, '?');

	bs_buf_add(out, url, (size_t)(end - url));
	bs_buf_addc(out, '/');
	add_percent(out, database);
	if (query)
		add_parameters(out, query + 1);
}

/* key = 'value' ...: the last one counts. */
static void change_words(struct bs_buf *out, const char *url, const char *database)
{
	bs_buf_addf(out, "%s dbname='", url);
	for (; *database; database++) {
		if (*database == '\'' || *database == '\\')
			bs_buf_addc(out, '\\');
		bs_buf_addc(out, *database);
	}
	bs_buf_addc(out, '\'');
}

char *bs_pg_url_with_database(const char *url, const char *database)
{
	struct bs_buf out = BS_BUF_INIT;

	if (is_uri(url))
		change_uri(&out, url, database);
	else
		change_words(&out, url, database);
	return bs_buf_take(&out);
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

int bs_pg_url_read(const char *url, char **ret_location, char **ret_password, struct bs_err *err)
{
	char *why = NULL;
	PQconninfoOption *options = NULL;

	/* What libpq says of a bad one repeats parts of it, maybe the password; so it is not said. */
	if (is_uri(url) || strchr(url, '='))
		options = PQconninfoParse(url, &why);
	PQfreemem(why);
	if (!options)
		return bs_err_set(err, BS_EMODEL, "the url of a postgres store must be "
				  "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or words such as host=... dbname=...");
	const char *host = option(options, "host"), *port = option(options, "port");
	const char *database = option(options, "dbname"), *password = option(options, "password");
	if (ret_location)
		*ret_location = bs_xasprintf("postgresql://%s%s%s/%s", host ? host : "localhost", port ? ":" : "",
					     port ? port : "", database ? database : "");
	if (ret_password)
		*ret_password = password && *password ? bs_xstrdup(password) : NULL;
	PQconninfoFree(options);
	return 0;
}
