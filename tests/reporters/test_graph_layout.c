/* What a reader of the state graph relies on, over trees of many shapes: nothing lies on anything, depth is the column,
 * the limit holds, and the same tree gives the same picture. */
#include "reporters/graph_layout.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS 6

static const struct bs_graph_limits limits = {.columns = COLUMNS, .rows = 9, .column_width = 150, .gap = 8};

struct tree {
	struct bs_graph_node nodes[900];
	size_t count;
	struct bs_graph_column columns[COLUMNS];
	struct bs_graph_size size;
};

static unsigned draw(uint64_t *random, unsigned below)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*random >> 33) % below);
}

static void add(struct tree *tree, uint32_t parent, int height, bool wanted)
{
	struct bs_graph_node *node = &tree->nodes[tree->count];

	*node = (struct bs_graph_node){.parent = parent, .height = height, .wanted = wanted};
	node->depth = tree->count++ ? tree->nodes[parent].depth + 1 : 0;
}

/* From a bush, where nearly all hang on the first nodes, to a whip. */
static struct tree random_tree(uint64_t seed)
{
	struct tree tree = {.count = 0};
	uint64_t random = seed;
	size_t count = 1 + draw(&random, 900), near = 1 + draw(&random, 40);

	add(&tree, 0, 20, false);
	while (tree.count < count) {
		size_t back = seed % 3 ? draw(&random, (unsigned)tree.count) : draw(&random, (unsigned)near) % tree.count;
		int height = 14 + 2 * (int)draw(&random, 12);
		bool wanted = draw(&random, 9) == 0;
		add(&tree, (uint32_t)(seed % 2 ? back : tree.count - 1 - back % tree.count), height, wanted);
	}
	tree.size = bs_graph_layout(tree.nodes, tree.count, &limits, tree.columns);
	return tree;
}

static bool apart(const struct bs_graph_node *a, const struct bs_graph_node *b)
{
	int between = a->y < b->y ? b->y - a->y : a->y - b->y;

	return a->x != b->x || between >= (a->height + b->height) / 2 + limits.gap;
}

static void no_two_nodes_lie_on_each_other_and_all_are_in_the_picture(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct tree tree = random_tree(seed);
		for (size_t i = 0; i < tree.count; i++) {
			const struct bs_graph_node *node = &tree.nodes[i];
			if (!node->shown)
				continue;
			assert_true(node->y - node->height / 2 >= limits.gap);
			assert_true(node->y + node->height / 2 + limits.gap <= tree.size.height);
			assert_true(node->x + limits.column_width / 2 <= tree.size.width);
			for (size_t k = 0; k < i; k++)
				if (tree.nodes[k].shown)
					assert_true(apart(node, &tree.nodes[k]));
		}
	}
}

static void the_column_is_the_depth(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct tree tree = random_tree(seed);
		for (size_t i = 0; i < tree.count; i++)
			if (tree.nodes[i].shown)
				assert_int_equal(tree.nodes[i].x, (int)tree.nodes[i].depth * 150 + 75);
	}
}

static void edges_of_the_tree_do_not_cross(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct tree tree = random_tree(seed);
		for (size_t i = 1; i < tree.count; i++)
			for (size_t k = 1; k < i; k++) {
				const struct bs_graph_node *a = &tree.nodes[i], *b = &tree.nodes[k];
				if (!a->shown || !b->shown || a->depth != b->depth)
					continue;
				int parents = tree.nodes[a->parent].y - tree.nodes[b->parent].y;
				assert_true(parents == 0 || (parents < 0) == (a->y < b->y));
			}
	}
}

static void no_column_has_more_than_the_limit_and_each_counts_what_it_shows(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct tree tree = random_tree(seed);
		uint32_t shown[COLUMNS] = {0};
		for (size_t i = 0; i < tree.count; i++) {
			assert_true(!tree.nodes[i].shown || tree.nodes[i].depth < COLUMNS);
			assert_true(!tree.nodes[i].shown || tree.nodes[tree.nodes[i].parent].shown);
			if (tree.nodes[i].shown)
				shown[tree.nodes[i].depth]++;
		}
		for (size_t c = 0; c < COLUMNS; c++) {
			assert_true(shown[c] <= limits.rows);
			assert_int_equal(shown[c], tree.columns[c].shown);
		}
	}
}

static void wanted_nodes_come_first(void **state)
{
	struct tree tree = {.count = 0};

	(void)state;
	add(&tree, 0, 20, false);
	for (int i = 0; i < 40; i++)
		add(&tree, 0, 20, i == 33);
	add(&tree, 34, 20, true); /* a child of the wanted one */
	bs_graph_layout(tree.nodes, tree.count, &limits, tree.columns);
	assert_true(tree.nodes[34].shown);
	assert_true(tree.nodes[41].shown);
	assert_true(tree.nodes[8].shown);
	assert_false(tree.nodes[9].shown);
	assert_int_equal(tree.columns[1].shown, limits.rows);
}

static void a_long_column_shows_something_of_every_parent(void **state)
{
	struct tree tree = {.count = 0};
	bool seen[8] = {false};

	(void)state;
	add(&tree, 0, 20, false);
	for (int i = 0; i < 7; i++)
		add(&tree, 0, 20, false);
	for (int i = 0; i < 70; i++)
		add(&tree, 1 + (uint32_t)i / 10, 20, false);
	bs_graph_layout(tree.nodes, tree.count, &limits, tree.columns);
	for (size_t i = 8; i < tree.count; i++)
		if (tree.nodes[i].shown)
			seen[tree.nodes[i].parent] = true;
	for (size_t i = 1; i < BS_COUNT(seen); i++)
		assert_true(seen[i]);
	assert_int_equal(tree.columns[2].shown, limits.rows);
}

static void a_single_line_of_states_is_straight(void **state)
{
	struct tree tree = {.count = 0};

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		add(&tree, i ? i - 1 : 0, 20, false);
	bs_graph_layout(tree.nodes, tree.count, &limits, tree.columns);
	for (size_t i = 1; i < tree.count; i++)
		assert_int_equal(tree.nodes[i].y, tree.nodes[0].y);
}

static void the_same_tree_gives_the_same_picture(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tree a = random_tree(seed), b = random_tree(seed);
		for (size_t i = 0; i < a.count; i++) {
			assert_int_equal(a.nodes[i].x, b.nodes[i].x);
			assert_int_equal(a.nodes[i].y, b.nodes[i].y);
		}
	}
	/* And the same one everywhere: these numbers may only change with the layout. */
	struct tree tree = random_tree(7);
	assert_int_equal(tree.size.width, 900);
	assert_int_equal(tree.size.height, 390);
}

static void no_node_is_no_picture(void **state)
{
	struct bs_graph_column columns[COLUMNS];
	struct bs_graph_size size = bs_graph_layout(NULL, 0, &limits, columns);

	(void)state;
	assert_int_equal(size.width, 0);
	assert_int_equal(size.height, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_nodes_lie_on_each_other_and_all_are_in_the_picture),
		cmocka_unit_test(the_column_is_the_depth),
		cmocka_unit_test(edges_of_the_tree_do_not_cross),
		cmocka_unit_test(no_column_has_more_than_the_limit_and_each_counts_what_it_shows),
		cmocka_unit_test(wanted_nodes_come_first),
		cmocka_unit_test(a_long_column_shows_something_of_every_parent),
		cmocka_unit_test(a_single_line_of_states_is_straight),
		cmocka_unit_test(the_same_tree_gives_the_same_picture),
		cmocka_unit_test(no_node_is_no_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
