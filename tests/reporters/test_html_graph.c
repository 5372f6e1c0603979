/* The picture of the explored states in the page: every finding's way is in it, and what is not drawn is counted. */
#include "page_read.h"

#include "base/mem.h"
#include "reporters/html_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void to_reporter(void *ctx, const struct bs_event *event)
{
	struct bs_reporter *reporter = ctx;

	reporter->ops->on_event(reporter, event);
}

/* --- A stream of its own --- */

/* Three operations from every state: "a" and "b" find states, "c" stays. How deep and how many states. */
struct walk {
	uint64_t states;
	bool whip; /* each state has one child */
	struct bs_ev_finding finding;
};

static void emit(struct bs_reporter *reporter, struct bs_event event)
{
	reporter->ops->on_event(reporter, &event);
}

static void emit_step(struct bs_reporter *reporter, uint64_t from, uint64_t to, const char *operation)
{
	emit(reporter, (struct bs_event){.kind = BS_EVENT_STEP,
					 .step = {.from = from, .to = to, .operation = operation, .status = 200}});
}

static void feed_walk(void *ctx, struct bs_reporter *reporter)
{
	const struct walk *walk = ctx;
	uint32_t *depths = bs_xcalloc(walk->states + 1, sizeof *depths);

	for (uint64_t id = 0; id < walk->states; id++) {
		uint64_t parent = !id ? 0 : walk->whip ? id - 1 : (id - 1) / 2;
		depths[id] = id ? depths[parent] + 1 : 0;
		emit(reporter, (struct bs_event){.kind = BS_EVENT_STATE_NEW, .state = {id, parent, depths[id], "00"}});
		if (id)
			emit_step(reporter, parent, id, id % 2 || walk->whip ? "a" : "b");
		emit_step(reporter, id, id, "c");
	}
	if (walk->finding.step_count)
		emit(reporter, (struct bs_event){.kind = BS_EVENT_FINDING, .finding = walk->finding});
	free(depths);
}

static htmlDocPtr walk_page(struct walk *walk)
{
	BS_AUTOFREE char *text = page_of(feed_walk, walk);

	return page_parse(text);
}

/* The numbers in the dashed boxes, and the states that are drawn by themselves. */
static uint64_t count_states(htmlDocPtr doc)
{
	uint64_t sum = 0;

	for PAGE_EACH(node, page_by_id(doc, "graph")) {
		if (page_has_class(node, "state") || (page_has_class(node, "box") && !page_has_class(node, "replayed")))
			sum++;
		if (!page_has_class(node, "stub"))
			continue;
		xmlChar *text = xmlNodeGetContent(node);
		uint64_t number = 0;
		for (const xmlChar *c = text; *c; c++)
			if (*c >= '0' && *c <= '9')
				number = number * 10 + *c - '0';
		xmlFree(text);
		sum += number;
	}
	return sum;
}

/* --- What is drawn --- */

static void every_state_is_drawn_or_counted(void **state)
{
	static const struct walk walks[] = {{.states = 2},	  {.states = 40},
					    {.states = 5000},	  {.states = 50, .whip = true},
					    {.states = 90, .whip = true}, {.states = 30000}};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(walks); i++) {
		struct walk walk = walks[i];
		htmlDocPtr doc = walk_page(&walk);
		assert_int_equal(count_states(doc), walk.states);
		xmlFreeDoc(doc);
	}
}

static void the_fold_is_bounded_and_still_counts_all(void **state)
{
	struct bs_html_states states;

	(void)state;
	bs_html_states_init(&states);
	for (uint64_t id = 0; id < 3 * BS_HTML_STATES_KEPT; id++) {
		BS_AUTOFREE char *name = bs_xasprintf("op %u", (unsigned)id % 5000);
		struct bs_event found = {.kind = BS_EVENT_STATE_NEW, .state = {id, id / 2, (uint32_t)(id != 0), "00"}};
		struct bs_event step = {.kind = BS_EVENT_STEP, .step = {.from = id / 2, .to = id, .operation = name}};
		bs_html_states_event(&states, &found);
		for (int i = 0; i < 5; i++) {
			bs_html_states_event(&states, &step);
			step.step.operation = "same";
		}
	}
	assert_int_equal(states.total, 3 * BS_HTML_STATES_KEPT);
	assert_int_equal(states.depths[1], 3 * BS_HTML_STATES_KEPT - 1);
	assert_int_equal(states.state_count, BS_HTML_STATES_KEPT);
	assert_int_equal(states.edge_count, BS_HTML_EDGES_KEPT);
	assert_int_equal(states.operation_count, BS_HTML_OPERATIONS_KEPT);
	bs_html_states_release(&states);
}

static void numbers_that_make_no_tree_are_counted_and_nothing_more(void **state)
{
	static const struct bs_ev_state odd[] = {{7, 7, 3, "00"},  {0, 9, 0, "00"}, {5, 99, 1, "00"}, {5, 0, 1, "00"},
						 {5, 0, 1, "00"},  {3, 0, 1, "00"}, {6, 5, 4000000000u, "00"},
						 {UINT64_MAX, 6, 2, "00"}};
	struct bs_html_states states;

	(void)state;
	bs_html_states_init(&states);
	for (size_t i = 0; i < BS_COUNT(odd); i++) {
		struct bs_event event = {.kind = BS_EVENT_STATE_NEW, .state = odd[i]};
		bs_html_states_event(&states, &event);
	}
	assert_int_equal(states.total, BS_COUNT(odd));
	assert_int_equal(states.state_count, 4);
	assert_int_equal(states.states[3].depth, 3);
	bs_html_states_release(&states);
}

static xmlNode *way(htmlDocPtr doc, size_t number)
{
	BS_AUTOFREE char *class = bs_xasprintf("w%zu", number), *id = bs_xasprintf("path-%zu", number);
	xmlNode *node = NULL;

	assert_int_equal(page_count(page_by_id(doc, "graph"), "g", class, &node), 1);
	assert_non_null(page_by_id(doc, id)); /* what singles it out */
	return node;
}

static void every_finding_has_its_way_and_the_list_names_it(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *list = NULL, *graph = page_by_id(doc, "graph"), *link = NULL;

	(void)state;
	size_t cards = page_count(page_by_id(doc, "findings"), "article", "finding", NULL);
	assert_int_equal(page_count(graph, "g", "way", NULL), cards);
	assert_int_equal(page_count(graph, "ol", "paths", &list), 1);
	assert_int_equal(page_count(list, "li", NULL, NULL), cards);
	assert_true(page_count(list, "a", NULL, &link) >= cards);
	BS_AUTOFREE char *to = page_attribute(link, "href");
	assert_string_equal(to, "#f-9f2c41d07be83a65");
	assert_true(page_has_class(way(doc, 1), "critical"));
	assert_true(page_says(graph, "✕ finding 1"));
	assert_true(page_says(list, "create_order(amount=100) → refund_order → refund_order"));
	xmlFreeDoc(doc);
}

static void a_way_goes_through_what_was_explored_and_on_in_what_was_replayed(void **state)
{
	static const struct bs_ev_finding_step steps[] = {
		{.operation = "a"}, {.operation = "b"}, {.operation = "c"}, {.operation = "z"}, {.operation = "y", .fails = true}};
	struct walk walk = {.states = 15, .finding = {.fingerprint = "1", .severity = "high", .steps = steps, .step_count = 5}};
	htmlDocPtr doc = walk_page(&walk);
	xmlNode *graph = page_by_id(doc, "graph"), *path = NULL, *last = NULL;

	(void)state;
	assert_int_equal(page_count(graph, "g", "replayed", NULL), 2);
	assert_int_equal(page_count(graph, "g", "box", NULL), 5); /* the start, a, b, and those two */
	assert_int_equal(page_count(graph, "g", "end", &last), 1);
	assert_true(page_has_class(last, "replayed"));
	assert_int_equal(page_count(way(doc, 1), "path", NULL, &path), 1);
	BS_AUTOFREE char *d = page_attribute(path, "d");
	size_t moves = 0;
	for (const char *c = d; *c; c++)
		moves += *c == 'M';
	assert_int_equal(moves, 5); /* an edge for each step, also where it stayed */
	xmlFreeDoc(doc);
}

static void feed_many(void *ctx, struct bs_reporter *reporter)
{
	fixture_feed_many((struct bs_sink){reporter, to_reporter}, *(size_t *)ctx, 6);
}

static void only_so_many_ways_are_drawn_and_that_is_said(void **state)
{
	size_t findings = 30;
	BS_AUTOFREE char *text = page_of(feed_many, &findings);
	htmlDocPtr doc = page_parse(text);
	xmlNode *graph = page_by_id(doc, "graph");

	(void)state;
	assert_int_equal(page_count(graph, "g", "way", NULL), 12);
	assert_true(page_says(graph, "The sequences of the first 12 of 30 findings are drawn."));
	xmlFreeDoc(doc);
}

static void the_picture_has_a_name_a_description_and_words(void **state)
{
	BS_AUTOFREE char *text = page_of_fixture(FIXTURE_RICH);
	htmlDocPtr doc = page_parse(text);
	xmlNode *svg = NULL;

	(void)state;
	assert_int_equal(page_count(page_by_id(doc, "graph"), "svg", "states", &svg), 1);
	BS_AUTOFREE char *role = page_attribute(svg, "role"), *by = page_attribute(svg, "aria-labelledby");
	BS_AUTOFREE char *with = page_attribute(svg, "aria-describedby");
	assert_string_equal(role, "img");
	assert_true(page_says(page_by_id(doc, by), "by the number of steps"));
	assert_true(page_says(page_by_id(doc, with), "States: 1 after 0, 1 after 1"));
	assert_true(page_says(page_by_id(doc, "graph"), "5 states were reached in 4 steps"));
	xmlFreeDoc(doc);
}

static void nothing_explored_is_no_picture(void **state)
{
	static const enum fixture none[] = {FIXTURE_FAILED_START, FIXTURE_EMPTY, FIXTURE_NOTHING};

	(void)state;
	for (size_t i = 0; i < BS_COUNT(none); i++) {
		BS_AUTOFREE char *text = page_of_fixture(none[i]);
		htmlDocPtr doc = page_parse(text);
		assert_null(page_by_id(doc, "graph"));
		xmlFreeDoc(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_drawn_or_counted),
		cmocka_unit_test(the_fold_is_bounded_and_still_counts_all),
		cmocka_unit_test(numbers_that_make_no_tree_are_counted_and_nothing_more),
		cmocka_unit_test(every_finding_has_its_way_and_the_list_names_it),
		cmocka_unit_test(a_way_goes_through_what_was_explored_and_on_in_what_was_replayed),
		cmocka_unit_test(only_so_many_ways_are_drawn_and_that_is_said),
		cmocka_unit_test(the_picture_has_a_name_a_description_and_words),
		cmocka_unit_test(nothing_explored_is_no_picture),
	};

	if (!page_begin())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	page_end();
	return failed;
}
