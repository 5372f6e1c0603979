/*
 * The engine alone, on the in-process world: what a step costs and what a state weighs, at three sizes. A cost
 * that grows with the number of steps would show here and nowhere else.
 */
#include "bench.h"
#include "fake/fake_world.h"

#include "base/mem.h"
#include "explore/explorer.h"

#include <malloc.h>
#include <stdio.h>

static const char model_text[] =
	"version: 1\nname: bench\napp: {command: [nothing]}\nactions:\n"
	"  create: {request: POST /orders, with: {amount: [1, 2, 3]}, json: {amount: '${amount}'}, expect: 201,\n"
	"    capture: {id: body.id}}\n"
	"  refund: {request: 'POST /orders/${id}/refund'}\n"
	"  delete: {request: 'DELETE /orders/${id}'}\n"
	"  get: {request: 'GET /orders/${id}'}\n"
	"invariants:\n"
	"  no_error: {severity: critical, holds: status < 500}\n"
	"explore: {max_depth: 30, time: 0s}\n";

static void count_event(void *ctx, const struct bs_event *event)
{
	uint64_t *events = ctx;

	(void)event;
	++*events;
}

static void measure(uint64_t steps)
{
	struct fake_world fake;
	struct bs_emitter emitter;
	struct bs_explorer explorer;
	struct bs_world *world;
	struct bs_err err = BS_ERR_INIT;
	uint64_t events = 0;
	struct bs_model *model = fake_model(model_text);

	fake_init(&fake);
	struct bs_world_options options = fake_options(&fake);
	model->explore.max_steps = steps;
	if (bs_world_open(model, &options, &world, &err) < 0)
		bench_fail(&err);
	bs_emitter_init(&emitter, (struct bs_sink){&events, count_event}, NULL);
	bs_explorer_init(&explorer, model, world, &emitter, NULL);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	if (bs_explorer_root(&explorer, &err) < 0 || bs_explorer_run(&explorer, &err) < 0)
		bench_fail(&err);
	size_t held = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	printf("  %8llu steps  %8zu states  %6.2f us a step  %5zu bytes a state  depth %u\n",
	       (unsigned long long)explorer.steps, explorer.graph.count,
	       (double)explorer.explore_us / (double)explorer.steps, held / explorer.graph.count,
	       explorer.graph.states[explorer.graph.count - 1].depth);
	bs_explorer_release(&explorer);
	bs_world_close(world);
	bs_model_free(model);
	fake_release(&fake);
}

int main(void)
{
	static const uint64_t sizes[] = {1000, 20000, 100000};

	puts("engine alone, in-process world (aim: flat cost a step, under 600 bytes a state)");
	for (size_t i = 0; i < BS_COUNT(sizes); i++)
		measure(sizes[i]);
	return 0;
}
