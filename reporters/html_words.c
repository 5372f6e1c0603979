/* Small words of the page. How numbers are written is shared with the reports in plain text (summary_words.h). */
#include "html_page.h"

#include "summary_words.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

char *bs_html_count(uint64_t n)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_words_number(&out, n);
	return bs_buf_take(&out);
}

char *bs_html_time(uint64_t us)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_words_us(&out, us);
	return bs_buf_take(&out);
}

char *bs_html_bytes(uint64_t bytes)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_words_size(&out, bytes);
	return bs_buf_take(&out);
}

char *bs_html_sentence(const char *text)
{
	size_t len = strlen(text);
	char *out = bs_xasprintf("%s%s", text, len && strchr(".!?", text[len - 1]) ? "" : ".");

	if (*out >= 'a' && *out <= 'z')
		*out = (char)(*out - 'a' + 'A');
	return out;
}

/* Text that could be taken for another kind of value, or for nothing at all, keeps its quotes. */
static bool clear_without_quotes(const char *text)
{
	size_t len = strlen(text);
	cJSON *other;

	if (!len || text[0] == ' ' || text[len - 1] == ' ')
		return false;
	if (bs_json_parse(text, len, &other, NULL) == 0) {
		cJSON_Delete(other);
		return false;
	}
	return true;
}

char *bs_html_value(const char *json)
{
	cJSON *value;
	char *text;

	if (!json)
		return bs_xstrdup("");
	if (*json != '"' || bs_json_parse(json, strlen(json), &value, NULL) < 0)
		return bs_xstrdup(json);
	text = bs_xstrdup(clear_without_quotes(value->valuestring) ? value->valuestring : json);
	cJSON_Delete(value);
	return text;
}

char *bs_html_place(const char *file, uint32_t line)
{
	if (!file)
		return NULL;
	return line ? bs_xasprintf("%s:%" PRIu32, file, line) : bs_xstrdup(file);
}

const char *bs_html_plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* RFC 9110 section 15, RFC 6585, RFC 7725. */
const char *bs_html_reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"},
		{301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
		{307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"},
		{401, "Unauthorized"}, {402, "Payment Required"}, {403, "Forbidden"}, {404, "Not Found"},
		{405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
		{410, "Gone"}, {412, "Precondition Failed"}, {413, "Content Too Large"},
		{415, "Unsupported Media Type"}, {422, "Unprocessable Content"}, {423, "Locked"},
		{428, "Precondition Required"}, {429, "Too Many Requests"},
		{451, "Unavailable For Legal Reasons"}, {500, "Internal Server Error"}, {501, "Not Implemented"},
		{502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < BS_COUNT(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "";
}

const char *bs_html_status_class(int status)
{
	static const char *const classes[] = {"s0", "s2", "s2", "s3", "s4", "s5"};

	return status > 0 && status < 600 ? classes[status / 100] : "s0";
}

bool bs_html_is(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

bool bs_html_has(const char *text)
{
	return text && *text;
}

const char *bs_html_target(const struct bs_ev_message *request)
{
	if (bs_html_has(request->target))
		return request->target;
	return request->url ? request->url : "";
}

const char *bs_html_severity_icon(const char *severity)
{
	static const char *const known[] = {"critical", "high", "medium", "low"};

	for (size_t i = 0; i < BS_COUNT(known); i++)
		if (bs_html_is(severity, known[i]))
			return known[i];
	return "low";
}

/* The shape comes from the style, beside the word. */
void bs_html_severity(xmlNode *parent, const char *severity)
{
	xmlNode *tag = bs_html_leaf(parent, "b", "sev", severity);

	bs_html_class(tag, bs_html_severity_icon(severity));
}

void bs_html_values(xmlNode *parent, const struct bs_ev_value *values, size_t count)
{
	xmlNode *list = bs_html_add(parent, "dl", "values");

	for (size_t i = 0; i < count; i++) {
		BS_AUTOFREE char *value = bs_html_value(values[i].json);
		xmlNode *pair = bs_html_add(list, "div", NULL);
		bs_html_leaf(pair, "dt", NULL, values[i].name);
		bs_html_leaf(pair, "dd", NULL, value);
	}
}

void bs_html_copyable(xmlNode *parent, const char *what, const char *text)
{
	xmlNode *line = bs_html_add(parent, "div", "replay");

	bs_html_attr(bs_html_leaf(line, "code", "copy-source", text), "data-copy", what);
}

/* The label is action(variants). Where it has another form it is shown as it is. */
void bs_html_operation_name(xmlNode *parent, const char *operation, const char *action)
{
	size_t len = operation ? strlen(operation) : 0, name = action ? strlen(action) : 0;

	if (name && len > name + 2 && strncmp(operation, action, name) == 0 && operation[name] == '(' &&
	    operation[len - 1] == ')') {
		bs_html_leaf(parent, "b", NULL, action);
		bs_html_text(parent, " ");
		bs_html_text_len(bs_html_add(parent, "code", NULL), operation + name + 1, len - name - 2);
	} else {
		bs_html_leaf(parent, "b", NULL, operation ? operation : action);
	}
}
