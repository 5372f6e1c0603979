/*
 * All places of the pattern that the text so far may have led to are followed at once, so the time is the
 * length of the text times that of the pattern, whatever they are; see match.h. Greedy and lazy repetition
 * differ only in what they capture, which no one asks here.
 */
#include "match.h"

#include <string.h>

/* --- The pattern ------------------------------------------------------------------------------------- */

static void set_add(uint32_t *set, unsigned char c)
{
	set[c / 32] |= UINT32_C(1) << c % 32;
}

static bool set_has(const uint32_t *set, unsigned char c)
{
	return set[c / 32] >> c % 32 & 1;
}

static void set_invert(uint32_t *set)
{
	for (size_t i = 0; i < 8; i++)
		set[i] = ~set[i];
}

static bool between(unsigned c, unsigned from, unsigned to)
{
	return c >= from && c <= to;
}

/* The classes of the C locale: what an API sends has no other. */
static bool in_class(unsigned char letter, unsigned c)
{
	bool digit = between(c, '0', '9'), lower = between(c, 'a', 'z'), upper = between(c, 'A', 'Z');

	switch (letter) {
	case 'a': return lower || upper;
	case 'c': return c < 0x20 || c == 0x7F;
	case 'd': return digit;
	case 'g': return between(c, 0x21, 0x7E);
	case 'l': return lower;
	case 'p': return between(c, 0x21, 0x7E) && !digit && !lower && !upper;
	case 's': return c == ' ' || between(c, '\t', '\r');
	case 'u': return upper;
	case 'w': return digit || lower || upper;
	case 'x': return digit || between(c, 'a', 'f') || between(c, 'A', 'F');
	case 'z': return c == 0; /* of Lua 5.1, and still taken */
	default: return false; /* letters, not an enum */
	}
}

/* %a adds a class, %A what is not in it, %. the point itself. */
static void add_escaped(uint32_t *set, unsigned char letter)
{
	unsigned char lower = letter | 0x20;
	bool is_class = lower >= 'a' && lower <= 'z' && letter >= 'A' && strchr("acdglpsuwxz", lower);

	if (!is_class) {
		set_add(set, letter);
		return;
	}
	for (unsigned c = 0; c < 256; c++)
		if (in_class(lower, c) == (letter == lower))
			set_add(set, (unsigned char)c);
}

struct source {
	const char *text;
	size_t len, at;
	const char *wrong;
};

static bool more(const struct source *s)
{
	return s->at < s->len;
}

static unsigned char take(struct source *s)
{
	return (unsigned char)s->text[s->at++];
}

static void read_set(struct source *s, uint32_t *set)
{
	bool inverted = more(s) && s->text[s->at] == '^';
	bool first = true;

	s->at += inverted;
	for (; more(s) && (first || s->text[s->at] != ']'); first = false) {
		unsigned char c = take(s);
		if (c == '%') {
			if (!more(s))
				break;
			add_escaped(set, take(s));
		} else if (s->len - s->at >= 2 && s->text[s->at] == '-' && s->text[s->at + 1] != ']') {
			unsigned to = (unsigned char)s->text[s->at + 1];
			for (unsigned k = c; k <= to; k++)
				set_add(set, (unsigned char)k);
			s->at += 2;
		} else {
			set_add(set, c);
		}
	}
	if (!more(s)) {
		s->wrong = "']' is missing";
		return;
	}
	s->at++;
	if (inverted)
		set_invert(set);
}

static void read_repeat(struct source *s, struct bs_pattern_item *item)
{
	if (!more(s) || !memchr("?*+-", s->text[s->at], 4))
		return;
	item->repeat = s->text[s->at] == '-' ? '*' : s->text[s->at];
	s->at++;
}

static void read_escape(struct source *s, struct bs_pattern_item *item)
{
	unsigned char c;

	if (!more(s)) {
		s->wrong = "it ends with '%'; a '%' itself is written '%%'";
		return;
	}
	c = take(s);
	if (c == 'b' || between(c, '0', '9')) {
		s->wrong = "'%b' and '%1' to '%9' are not supported";
	} else if (c == 'f') {
		item->repeat = 'f';
		if (!more(s) || take(s) != '[')
			s->wrong = "'[' is missing behind '%f'";
		else
			read_set(s, item->set);
	} else {
		add_escaped(item->set, c);
	}
}

static void read_item(struct source *s, struct bs_pattern_item *item)
{
	unsigned char c = take(s);

	if (c == '%')
		read_escape(s, item);
	else if (c == '[')
		read_set(s, item->set);
	else if (c == '.')
		set_invert(item->set);
	else
		set_add(item->set, c);
	if (item->repeat != 'f')
		read_repeat(s, item);
}

const char *bs_pattern_compile(struct bs_pattern *pattern, const char *text, size_t len)
{
	struct source s = {.text = text, .len = len};
	size_t open = 0;

	pattern->count = 0;
	pattern->to_end = false;
	pattern->from_start = len && text[0] == '^';
	s.at += pattern->from_start;
	while (more(&s) && !s.wrong) {
		char c = s.text[s.at];
		if (c == '$' && s.at + 1 == s.len) {
			pattern->to_end = true;
			s.at++;
		} else if (c == '(' || c == ')') {
			if (c == ')' && !open)
				s.wrong = "')' closes nothing";
			open = c == '(' ? open + 1 : open - 1;
			s.at++;
		} else if (pattern->count == BS_PATTERN_ITEMS) {
			s.wrong = "it has more than 128 items";
		} else {
			pattern->items[pattern->count] = (struct bs_pattern_item){0};
			read_item(&s, &pattern->items[pattern->count++]);
		}
	}
	if (!s.wrong && open)
		s.wrong = "'(' is not closed";
	return s.wrong;
}

/* --- The match --------------------------------------------------------------------------------------- */

static void place_add(uint64_t *places, size_t place)
{
	places[place / 64] |= UINT64_C(1) << place % 64;
}

static bool place_has(const uint64_t *places, size_t place)
{
	return places[place / 64] >> place % 64 & 1;
}

static bool frontier(const struct bs_pattern_item *item, const char *text, size_t len, size_t at)
{
	unsigned char before = at ? (unsigned char)text[at - 1] : 0;
	unsigned char here = at < len ? (unsigned char)text[at] : 0;

	return !set_has(item->set, before) && set_has(item->set, here);
}

/* Adds the places that are reached from those without taking a byte. Items only lead forward: one pass. */
static size_t spread(struct bs_match *match, const char *text, size_t len)
{
	const struct bs_pattern *pattern = match->pattern;
	size_t cost = 0;

	for (size_t i = 0; i < pattern->count; i++) {
		const struct bs_pattern_item *item = &pattern->items[i];
		if (!match->places[i / 64]) { /* none of these 64 */
			i |= 63;
			continue;
		}
		cost++;
		if (place_has(match->places, i) &&
		    (item->repeat == '?' || item->repeat == '*' ||
		     (item->repeat == 'f' && frontier(item, text, len, match->at))))
			place_add(match->places, i + 1);
	}
	return cost;
}

static size_t step(struct bs_match *match, unsigned char c)
{
	const struct bs_pattern *pattern = match->pattern;
	uint64_t after[BS_PATTERN_ITEMS / 64 + 1] = {0};
	size_t cost = 1;

	for (size_t word = 0; word <= pattern->count / 64; word++)
		for (uint64_t left = match->places[word]; left; left &= left - 1) {
			size_t i = word * 64 + (size_t)__builtin_ctzll(left);
			const struct bs_pattern_item *item = &pattern->items[i];
			cost++;
			if (i == pattern->count || item->repeat == 'f' || !set_has(item->set, c))
				continue;
			if (item->repeat == '*' || item->repeat == '+')
				place_add(after, i);
			if (item->repeat != '*')
				place_add(after, i + 1);
		}
	memcpy(match->places, after, sizeof after);
	return cost;
}

void bs_match_begin(struct bs_match *match, const struct bs_pattern *pattern)
{
	*match = (struct bs_match){.pattern = pattern};
	place_add(match->places, 0);
}

static bool is_empty(const struct bs_match *match)
{
	uint64_t any = 0;

	for (size_t i = 0; i < BS_PATTERN_ITEMS / 64 + 1; i++)
		any |= match->places[i];
	return !any;
}

int bs_match_run(struct bs_match *match, const char *text, size_t len, size_t bytes, size_t *ret_cost)
{
	const struct bs_pattern *pattern = match->pattern;

	*ret_cost = 0;
	for (; bytes > 0; bytes--) {
		if (!pattern->from_start)
			place_add(match->places, 0);
		*ret_cost += spread(match, text, len);
		bool reached = place_has(match->places, pattern->count);
		if (reached && (!pattern->to_end || match->at == len))
			return 1;
		if (match->at == len || is_empty(match))
			return 0;
		*ret_cost += step(match, (unsigned char)text[match->at++]);
	}
	return -1;
}
