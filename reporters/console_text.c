/*
 * Text that fits a terminal: cleaned, measured in columns, cut, padded, wrapped and painted. The widths are a
 * short table of our own, because wcwidth() asks the locale, and a report is to be the same everywhere.
 */
#include "console.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

#define ELLIPSIS "…"
#define PROSE_COLUMNS 120 /* longer lines are hard to read */

/* --- Columns -------------------------------------------------------------------------------------------- */

struct range {
	uint32_t first, last;
};

static bool in(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Combining marks, variation selectors, joiners: the common ones of Unicode's Mn and Cf. */
static const struct range zero_wide[] = {
	{0x300, 0x36F},	  {0x483, 0x489},   {0x591, 0x5BD},	{0x610, 0x61A},	  {0x64B, 0x65F},
	{0x900, 0x902},	  {0x93C, 0x93C},   {0x941, 0x948},	{0xE31, 0xE31},	  {0xE34, 0xE3A},
	{0xE47, 0xE4E},	  {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},	{0x200B, 0x200D}, {0x2060, 0x2064},
	{0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},	{0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

/* East Asian Wide and Fullwidth (UAX #11), and emoji. */
static const struct range two_wide[] = {
	{0x1100, 0x115F},   {0x231A, 0x231B},	{0x2E80, 0x303E},   {0x3041, 0x33FF},	{0x3400, 0x4DBF},
	{0x4E00, 0x9FFF},   {0xA000, 0xA4CF},	{0xA960, 0xA97F},   {0xAC00, 0xD7A3},	{0xF900, 0xFAFF},
	{0xFE30, 0xFE6F},   {0xFF00, 0xFF60},	{0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
	{0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static unsigned columns_of(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in(zero_wide, BS_COUNT(zero_wide), c))
		return 0;
	return in(two_wide, BS_COUNT(two_wide), c) ? 2 : 1;
}

/* The bytes of clean text that fit into columns. */
static size_t fit(const char *clean, unsigned columns, unsigned *ret_used)
{
	size_t len = strlen(clean), at = 0;
	unsigned used = 0;
	uint32_t c;

	while (at < len) {
		size_t n = bs_utf8_next(clean + at, len - at, &c);
		unsigned wide = n ? columns_of(c) : 1;
		if (used + wide > columns)
			break;
		used += wide;
		at += n ? n : 1;
	}
	*ret_used = used;
	return at;
}

unsigned bs_console_columns(const char *clean)
{
	unsigned used;

	fit(clean, UINT32_MAX / 2, &used);
	return used;
}

unsigned bs_console_cut(struct bs_buf *out, const char *clean, unsigned columns)
{
	unsigned used;
	size_t n = fit(clean, columns, &used);

	if (!clean[n]) {
		bs_buf_adds(out, clean);
		return used;
	}
	if (!columns)
		return 0;
	n = fit(clean, columns - 1, &used);
	bs_buf_add(out, clean, n);
	bs_buf_adds(out, ELLIPSIS);
	return used + 1;
}

/* --- Cleaning and painting -------------------------------------------------------------------------------- */

char *bs_console_clean(const char *text)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_utf8_clean(&out, text ? text : "", text ? strlen(text) : 0, BS_UTF8_CONSOLE);
	if (!out.data)
		bs_buf_adds(&out, "");
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] == '\t') /* a column would not know where it ends */
			out.data[i] = ' ';
	char *clean = bs_buf_take(&out);
	return clean ? clean : bs_xstrdup("");
}

/* The eight colours of ECMA-48, which follow the palette of the user's terminal. */
static const char *style_code(enum bs_style style)
{
	switch (style) {
	case BS_STYLE_PLAIN: break;
	case BS_STYLE_STRONG: return "1";
	case BS_STYLE_FAINT: return "2";
	case BS_STYLE_BAD: return "1;31";
	case BS_STYLE_WARN: return "33";
	case BS_STYLE_GOOD: return "32";
	case BS_STYLE_NOTE: return "36";
	}
	return NULL;
}

static void put_styled(struct bs_console *console, enum bs_style style, const char *clean, unsigned columns,
		       unsigned *ret_used)
{
	const char *code = console->color && *clean ? style_code(style) : NULL;

	if (code)
		bs_buf_addf(&console->out, "\x1b[%sm", code);
	*ret_used = bs_console_cut(&console->out, clean, columns);
	if (code)
		bs_buf_adds(&console->out, "\x1b[0m");
}

void bs_console_blanks(struct bs_console *console, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		bs_buf_addc(&console->out, ' ');
}

void bs_console_put(struct bs_console *console, enum bs_style style, const char *clean)
{
	unsigned used;

	put_styled(console, style, clean, UINT32_MAX / 2, &used);
}

void bs_console_cell(struct bs_console *console, enum bs_style style, const char *clean, unsigned columns)
{
	unsigned used;

	put_styled(console, style, clean, columns, &used);
	bs_console_blanks(console, columns - used);
}

void bs_console_line(struct bs_console *console, enum bs_style style, unsigned indent, const char *text)
{
	BS_AUTOFREE char *clean = bs_console_clean(text);
	unsigned used;

	bs_console_blanks(console, indent);
	put_styled(console, style, clean, console->width > indent ? console->width - indent : 1, &used);
	bs_buf_addc(&console->out, '\n');
}

/* --- Wrapping ---------------------------------------------------------------------------------------------- */

/* The bytes of the line that begins at clean: up to the last blank that fits, or all that fits of one long word. */
static size_t line_length(const char *clean, unsigned columns)
{
	unsigned used;
	size_t n = fit(clean, columns, &used), at = n;

	if (!clean[n] || clean[n] == ' ')
		return n;
	while (at && clean[at - 1] != ' ')
		at--;
	while (at && clean[at - 1] == ' ')
		at--;
	return at ? at : n ? n : 1;
}

static void put_last_line(struct bs_console *console, const char *clean, unsigned columns)
{
	bs_console_cut(&console->out, clean, columns);
	bs_buf_addc(&console->out, '\n');
}

void bs_console_prose(struct bs_console *console, const char *text, unsigned indent, unsigned lines_max)
{
	BS_AUTOFREE char *clean = bs_console_clean(text);
	unsigned width = console->width < PROSE_COLUMNS ? console->width : PROSE_COLUMNS;
	unsigned columns = width > indent + 20 ? width - indent : 20;
	const char *at = clean + strspn(clean, " ");

	for (unsigned line = 1; line < lines_max; line++) {
		size_t n = line_length(at, columns);
		bs_buf_add(&console->out, at, n);
		bs_buf_addc(&console->out, '\n');
		at += n;
		at += strspn(at, " ");
		if (!*at)
			return;
		bs_console_blanks(console, indent);
	}
	put_last_line(console, at, columns);
}

void bs_console_label(struct bs_console *console, const char *label)
{
	bs_console_blanks(console, 2);
	bs_console_cell(console, BS_STYLE_FAINT, label ? label : "", BS_CONSOLE_LABELS - 2);
}

void bs_console_labelled(struct bs_console *console, const char *label, const char *text, unsigned lines_max)
{
	bs_console_label(console, label);
	bs_console_prose(console, text, BS_CONSOLE_LABELS, lines_max);
}
