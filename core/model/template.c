/*
 * Text with ${name.path} in it. The segments are slices of the node's text, so that the place of a name within
 * the file can be found again when the names are checked.
 */
#include "loader.h"

#include "base/mem.h"

#include <string.h>

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* name(.key)*: a key may be any JSON key without dots and spaces, an index included. */
static bool is_path(const char *text, size_t len)
{
	bool fresh = true;

	if (!len || !letter(text[0]))
		return false;
	for (size_t i = 0, dots = 0; i < len; i++) {
		if (text[i] == '.' ? fresh : !letter(text[i]) && !digit(text[i]) && !(dots && text[i] == '-'))
			return false;
		fresh = text[i] == '.';
		dots += fresh;
	}
	return !fresh;
}

static bool add_segment(struct bs_loader *l, struct bs_template *template, const char *text, size_t len,
			bool placeholder)
{
	if (len)
		*BS_GROW(l, template->segments, template->count) = (struct bs_segment){text, len, placeholder};
	return true;
}

static bool add_placeholder(struct bs_loader *l, const struct bs_yaml *node, const char *open, const char *close,
			    struct bs_template *template)
{
	struct bs_at at = bs_yaml_at(node, (size_t)(open - node->text));
	const char *name = open + 2;

	if (!close) {
		bs_problem_add(l->problems, at, "the placeholder that begins here has no closing '}'");
		return false;
	}
	size_t len = (size_t)(close - name);
	if (len == strspn(name, " ")) {
		bs_problem_add(l->problems, at, "'${}' names nothing; write ${name}");
		return false;
	}
	if (!is_path(name, len)) {
		bs_problem_add(l->problems, at, "placeholders take names, not expressions; got '${%.*s}'", (int)len,
			       name);
		return false;
	}
	return add_segment(l, template, name, len, true);
}

static bool parse(struct bs_loader *l, const struct bs_yaml *node, struct bs_template *template)
{
	const char *text = node->text, *end = node->text + node->len;
	bool ok = true;

	for (const char *open; text < end && (open = strstr(text, "${"));) {
		const char *close = strchr(open, '}');
		add_segment(l, template, text, (size_t)(open - text), false);
		ok &= add_placeholder(l, node, open, close, template);
		text = close ? close + 1 : end;
	}
	add_segment(l, template, text, (size_t)(end - text), false);
	template->whole = template->count == 1 && template->segments[0].placeholder;
	template->at = node->at;
	return ok;
}

bool bs_read_template(struct bs_loader *l, const struct bs_yaml *node, struct bs_place place, const char *what,
		      struct bs_template *ret_template)
{
	struct bs_template template = {0};
	const char *text;

	if (!bs_read_text(l, node, what, &text) || !parse(l, node, &template))
		return false;
	*ret_template = template;
	*BS_PUSH(l->uses, l->use_count) = (struct bs_use){.place = place, .node = node, .template = template};
	return true;
}
