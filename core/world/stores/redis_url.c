/* Redis: where the original is. See redis.h. */
#include "redis.h"

#include "base/mem.h"

#include <string.h>

#define DEFAULT_PORT 6379

void bs_redis_url_release(struct bs_redis_url *url)
{
	free(url->host);
	free(url->user);
	free(url->password);
	*url = (struct bs_redis_url){0};
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoded; NULL where that is not possible, or gives a NUL. */
static char *decoded(const char *text, size_t len)
{
	char *out = bs_xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = high >= 0 ? hex_value(text[i + 2]) : -1;
			if (low < 0 || (high == 0 && low == 0)) {
				free(out);
				return NULL;
			}
			c = (char)(high << 4 | low);
			i += 2;
		}
		out[n++] = c;
	}
	out[n] = 0;
	return out;
}

static bool read_number(const char *text, size_t len, unsigned max, unsigned *ret_value)
{
	unsigned value = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || value > max)
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*ret_value = value;
	return len > 0 && value <= max;
}

/* USER:PASSWORD, :PASSWORD or USER */
static bool read_credentials(const char *text, size_t len, struct bs_redis_url *url)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon ? (size_t)(colon - text) : len;

	if (user_len && !(url->user = decoded(text, user_len)))
		return false;
	return !colon || (url->password = decoded(colon + 1, len - user_len - 1));
}

/* HOST, HOST:PORT, [ADDRESS]:PORT */
static bool read_place(const char *text, size_t len, struct bs_redis_url *url)
{
	bool bracket = len && text[0] == '[';
	const char *end = bracket ? memchr(text, ']', len) : memchr(text, ':', len);
	unsigned port = DEFAULT_PORT;

	if (bracket && !end)
		return false;
	size_t host_len = !end ? len : (size_t)(end - text) - bracket;
	const char *rest = !end ? text + len : end + bracket;
	size_t rest_len = (size_t)(text + len - rest);
	if (rest_len && (rest[0] != ':' || !read_number(rest + 1, rest_len - 1, 65535, &port) || !port))
		return false;
	url->host = bs_xstrndup(text + bracket, host_len);
	url->port = (uint16_t)port;
	return host_len > 0;
}

static bool read_parts(const char *text, struct bs_redis_url *url)
{
	size_t authority = strcspn(text, "/?#");
	const char *at = memrchr(text, '@', authority);
	const char *place = at ? at + 1 : text;
	const char *path = text + authority;

	if (at && !read_credentials(text, (size_t)(at - text), url))
		return false;
	if (!read_place(place, (size_t)(path - place), url))
		return false;
	if (path[0] == '/' && path[1] && !read_number(path + 1, strlen(path + 1), 1000000, &url->db))
		return false;
	return path[0] == '/' || !path[0];
}

int bs_redis_url_read(const char *text, struct bs_redis_url *ret_url, struct bs_err *err)
{
	static const char scheme[] = "redis://";
	struct bs_redis_url url = {0};

	if (strncmp(text, "rediss://", 9) == 0)
		return bs_err_set(err, BS_EMODEL, "a redis store cannot be reached over TLS yet; use redis://HOST:PORT/N");
	if (strncmp(text, scheme, sizeof scheme - 1) != 0 || !read_parts(text + sizeof scheme - 1, &url)) {
		bs_redis_url_release(&url); /* the text may hold a password: it is not repeated */
		return bs_err_set(err, BS_EMODEL,
				  "a redis store's url must be redis://[USER:PASSWORD@]HOST[:PORT][/N], N the number of its "
				  "database");
	}
	*ret_url = url;
	return 0;
}
