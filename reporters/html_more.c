/* See html_more.h. */
#include "html_more.h"

#include "html_base64.h"
#include "html_write.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

struct part {
	char *text;
	size_t len;
	uint32_t number; /* in the block */
	bool used;
};

struct reference { /* where in a chunk's text data-part="..." belongs */
	size_t offset;
	uint32_t part;
};

struct chunk {
	struct bs_buf text;
	struct reference *references;
	size_t reference_count;
};

struct card {
	xmlNode *whole, *brief;
	size_t whole_bytes, brief_bytes;
	size_t section;
	struct chunk chunk; /* of the whole one */
};

enum { FINDINGS, UNCONFIRMED, SECTIONS };
static const char *const section_ids[SECTIONS] = {"findings", "unconfirmed"};

struct bs_html_more {
	struct part *parts;
	size_t part_count;
	struct bs_map by_hash;
	struct card *cards;
	size_t card_count;
	struct chunk beyond[SECTIONS]; /* the cards that are not in the page */
	size_t beyond_count;
};

struct bs_html_more *bs_html_more_new(void)
{
	struct bs_html_more *more = bs_xcalloc(1, sizeof *more);

	for (size_t i = 0; i < SECTIONS; i++)
		more->beyond[i] = (struct chunk){.text = BS_BUF_INIT};
	return more;
}

static void chunk_release(struct chunk *chunk)
{
	bs_buf_release(&chunk->text);
	free(chunk->references);
}

void bs_html_more_free(struct bs_html_more *more)
{
	for (size_t i = 0; i < more->part_count; i++)
		free(more->parts[i].text);
	for (size_t i = 0; i < more->card_count; i++)
		chunk_release(&more->cards[i].chunk);
	for (size_t i = 0; i < SECTIONS; i++)
		chunk_release(&more->beyond[i]);
	free(more->parts);
	free(more->cards);
	bs_map_release(&more->by_hash);
	free(more);
}

/* --- Parts --- */

static uint32_t intern(struct bs_html_more *more, const char *text, size_t len)
{
	uint64_t hash = bs_hash_bytes(text, len).lo;
	size_t at = 0;
	uint32_t i;

	while ((i = bs_map_next(&more->by_hash, hash, &at)) != BS_MAP_NONE)
		if (more->parts[i].len == len && memcmp(more->parts[i].text, text, len) == 0)
			return i;
	i = (uint32_t)more->part_count;
	bs_map_add(&more->by_hash, hash, i);
	struct part *part = BS_PUSH(more->parts, more->part_count);
	part->len = len;
	part->text = bs_xmemdup(text, len);
	return i;
}

struct writing {
	struct bs_html_more *more;
	struct chunk *chunk;
};

static void refer(void *ctx, struct bs_buf *out, const xmlNode *node)
{
	struct writing *writing = ctx;
	struct bs_buf text = BS_BUF_INIT;
	const xmlNode *hole;

	bs_buf_addc(&text, '>'); /* what stands before it, as that decides about a line's end */
	bs_html_write_content(&text, node, &hole);
	uint32_t part = intern(writing->more, text.data + 1, text.len - 1);
	*BS_PUSH(writing->chunk->references, writing->chunk->reference_count) = (struct reference){out->len, part};
	bs_buf_addf(out, " data-hole=\"%s\"", hole && hole->children ? (const char *)hole->children->content : "");
	bs_buf_release(&text);
}

static void write_card(struct bs_html_more *more, struct chunk *chunk, const xmlNode *card)
{
	struct writing writing = {more, chunk};
	const struct bs_html_shared shared = {refer, &writing};

	bs_html_write_node(&chunk->text, card, &shared);
}

/* --- What comes in --- */

static size_t written_bytes(const xmlNode *node)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_html_write_node(&text, node, NULL);
	size_t bytes = text.len;
	bs_buf_release(&text);
	return bytes;
}

static size_t section_of(const char *id)
{
	return bs_html_is(id, section_ids[UNCONFIRMED]) ? UNCONFIRMED : FINDINGS;
}

void bs_html_more_card(struct bs_html_more *more, const char *into, xmlNode *whole, xmlNode *brief)
{
	struct card *card = BS_PUSH(more->cards, more->card_count);

	*card = (struct card){.whole = whole, .brief = brief, .section = section_of(into), .chunk.text = BS_BUF_INIT};
	write_card(more, &card->chunk, whole);
}

void bs_html_more_add(struct bs_html_more *more, const char *into, xmlNode *card)
{
	write_card(more, &more->beyond[section_of(into)], card);
	more->beyond_count++;
	bs_html_remove(card);
}

/* --- The block --- */

static void use_parts(struct bs_html_more *more, const struct chunk *chunk)
{
	for (size_t i = 0; i < chunk->reference_count; i++)
		more->parts[chunk->references[i].part].used = true;
}

static int by_text(const void *a, const void *b)
{
	const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;

	return strcmp(x->text, y->text);
}

/* In the order of their text, as likeness within reach of the window is what deflate lives on. */
static void write_parts(struct bs_html_more *more, struct bs_buf *out)
{
	struct part **sorted = bs_xcalloc(more->part_count + 1, sizeof *sorted);
	size_t count = 0;

	for (size_t i = 0; i < more->part_count; i++)
		if (more->parts[i].used)
			sorted[count++] = &more->parts[i];
	qsort(sorted, count, sizeof *sorted, by_text);
	for (size_t i = 0; i < count; i++) {
		sorted[i]->number = (uint32_t)i;
		bs_buf_add(out, sorted[i]->text, sorted[i]->len);
		bs_buf_addc(out, BS_HTML_PART_END);
	}
	free(sorted);
}

static void add_chunk(const struct bs_html_more *more, const struct chunk *chunk, struct bs_buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < chunk->reference_count; i++) {
		const struct reference *reference = &chunk->references[i];
		bs_buf_add(out, chunk->text.data + from, reference->offset - from);
		bs_buf_addf(out, " data-part=\"%" PRIu32 "\"", more->parts[reference->part].number);
		from = reference->offset;
	}
	bs_buf_add(out, bs_buf_text(&chunk->text) + from, chunk->text.len - from);
}

static void add_cards(struct bs_html_more *more, size_t section, size_t whole, struct bs_buf *out)
{
	for (size_t i = whole; i < more->card_count; i++)
		if (more->cards[i].section == section)
			add_chunk(more, &more->cards[i].chunk, out);
	add_chunk(more, &more->beyond[section], out);
}

/* The block's HTML when the first `whole` cards are whole in the page. */
static void block_html(struct bs_html_more *more, size_t whole, struct bs_buf *out)
{
	for (size_t i = 0; i < more->part_count; i++)
		more->parts[i].used = false;
	for (size_t i = whole; i < more->card_count; i++)
		use_parts(more, &more->cards[i].chunk);
	for (size_t i = 0; i < SECTIONS; i++)
		use_parts(more, &more->beyond[i]);
	write_parts(more, out);
	for (size_t i = 0; i < SECTIONS; i++)
		add_cards(more, i, whole, out);
}

/* RFC 1951 without a header: what DecompressionStream calls deflate-raw. */
static void deflate_raw(const struct bs_buf *in, struct bs_buf *out)
{
	z_stream stream = {.next_in = (Bytef *)bs_buf_text(in), .avail_in = (uInt)in->len};
	char piece[16384];
	int r;

	if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* only for want of memory */
	do {
		stream.next_out = (Bytef *)piece;
		stream.avail_out = sizeof piece;
		r = deflate(&stream, Z_FINISH);
		bs_buf_add(out, piece, sizeof piece - stream.avail_out);
	} while (r == Z_OK);
	deflateEnd(&stream);
}

static void block(struct bs_html_more *more, size_t whole, struct bs_buf *out)
{
	struct bs_buf html = BS_BUF_INIT, deflated = BS_BUF_INIT;

	block_html(more, whole, &html);
	deflate_raw(&html, &deflated);
	bs_html_base64(out, bs_buf_text(&deflated), deflated.len);
	bs_buf_release(&html);
	bs_buf_release(&deflated);
}

/* --- What stays --- */

/* How many cards are whole in the page. The block is taken to be as large as it can get. */
static size_t count_whole(const struct bs_html_page *page, size_t page_bytes)
{
	struct bs_html_more *more = page->more;
	struct bs_buf largest = BS_BUF_INIT;
	size_t whole = more->card_count < BS_HTML_WHOLE_ALWAYS ? more->card_count : BS_HTML_WHOLE_ALWAYS;
	size_t bytes = page_bytes;

	for (size_t i = whole; i < more->card_count; i++)
		bytes -= more->cards[i].whole_bytes - more->cards[i].brief_bytes;
	block(more, whole, &largest);
	bytes += largest.len;
	bs_buf_release(&largest);
	for (; whole < more->card_count; whole++) {
		bytes += more->cards[whole].whole_bytes - more->cards[whole].brief_bytes;
		if (bytes > BS_HTML_PAGE_BYTES)
			break;
	}
	return whole;
}

/* Measures the cards. Returns the bytes of the page with every one of them whole. */
static size_t measure(const struct bs_html_page *page)
{
	size_t bytes = written_bytes(xmlDocGetRootElement(page->doc));

	for (size_t i = 0; i < page->more->card_count; i++) {
		struct card *card = &page->more->cards[i];
		card->whole_bytes = written_bytes(card->whole);
		card->brief_bytes = written_bytes(card->brief);
		bytes -= card->brief_bytes;
	}
	return bytes;
}

static void say_how_many(xmlNode *note, const struct bs_html_more *more, size_t whole)
{
	size_t beyond = more->beyond_count, brief = more->card_count - whole;

	if (brief)
		bs_html_textf(note, "%zu %s above in brief", brief, bs_html_plural(brief, "finding is", "findings are"));
	if (beyond)
		bs_html_textf(note, "%s%zu more %s not in this list", brief ? ", and " : "", beyond,
			      bs_html_plural(beyond, "is", "are"));
	bs_html_text(note, ". Whole and compressed they are in this page, and its script unpacks them. Where scripts are "
			   "off, ");
	bs_html_leaf(note, "code", NULL, "backstep report");
	bs_html_text(note, " lists everything in any other format from the file of events.");
}

void bs_html_more_fit(struct bs_html_page *page)
{
	struct bs_html_more *more = page->more;
	xmlNode *script = bs_html_slot(page, "more"), *note = bs_html_slot(page, "more-words");
	size_t bytes = measure(page);
	bool all = !more->beyond_count && bytes <= BS_HTML_PAGE_BYTES;
	size_t whole = all ? more->card_count : count_whole(page, bytes);
	struct bs_buf text = BS_BUF_INIT;

	for (size_t i = 0; i < more->card_count; i++)
		bs_html_remove(i < whole ? more->cards[i].brief : more->cards[i].whole);
	if (!more->beyond_count && whole == more->card_count) {
		bs_html_remove(script);
		bs_html_remove(note);
		return;
	}
	block(more, whole, &text);
	bs_html_text_len(script, bs_buf_text(&text), text.len);
	bs_buf_release(&text);
	say_how_many(note, more, whole);
}
