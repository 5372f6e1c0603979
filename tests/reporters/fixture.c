/* Feeding the streams: numbers the events, sets their clock, and cuts where a stream is to be cut. See fixture.h. */
#include "fixture.h"

#include <string.h>

#define STEP_NS 1500000 /* between two events */

const char *fixture_name(enum fixture which)
{
	switch (which) {
	case FIXTURE_RICH: return "rich";
	case FIXTURE_CLEAN: return "clean";
	case FIXTURE_HOSTILE: return "hostile";
	case FIXTURE_CUT: return "cut";
	case FIXTURE_CUT_FINDINGS: return "cut-findings";
	case FIXTURE_INTERRUPTED: return "interrupted";
	case FIXTURE_FAILED_START: return "failed-start";
	case FIXTURE_EMPTY: return "empty";
	case FIXTURE_NOTHING: return "nothing";
	case FIXTURE_COUNT: break;
	}
	return "?";
}

void fixture_emit(struct fixture_feeder *feeder, struct bs_event event)
{
	event.seq = ++feeder->seq;
	event.at_ns = feeder->at_ns += STEP_NS;
	if (!feeder->last_seq || event.seq <= feeder->last_seq)
		feeder->sink.emit(feeder->sink.ctx, &event);
}

void fixture_start(struct fixture_feeder *feeder)
{
	fixture_emit(feeder, (struct bs_event){.kind = BS_EVENT_STREAM_START,
					       .stream_start = {.tool = "backstep", .version = "0.1.0"}});
}

/* Finds the event behind which a stream is cut. */
struct cut {
	enum bs_event_kind kind;
	unsigned left; /* of that kind */
	uint64_t seq;
};

static void look_for_cut(void *ctx, const struct bs_event *event)
{
	struct cut *cut = ctx;

	if (event->kind == cut->kind && cut->left && --cut->left == 0)
		cut->seq = event->seq;
}

static void feed_cut(struct fixture_feeder *feeder, enum bs_event_kind kind, unsigned number)
{
	struct cut cut = {.kind = kind, .left = number};
	struct fixture_feeder dry = {.sink = {&cut, look_for_cut}};

	fixture_feed_rich(&dry);
	feeder->last_seq = cut.seq;
	fixture_feed_rich(feeder);
}

void fixture_feed(enum fixture which, struct bs_sink sink)
{
	struct fixture_feeder feeder = {.sink = sink};

	switch (which) {
	case FIXTURE_RICH: fixture_feed_rich(&feeder); break;
	case FIXTURE_CLEAN: fixture_feed_clean(&feeder); break;
	case FIXTURE_HOSTILE: fixture_feed_hostile(&feeder); break;
	case FIXTURE_CUT: feed_cut(&feeder, BS_EVENT_STEP, 3); break;
	case FIXTURE_CUT_FINDINGS: feed_cut(&feeder, BS_EVENT_FINDING, 2); break;
	case FIXTURE_INTERRUPTED: fixture_feed_interrupted(&feeder); break;
	case FIXTURE_FAILED_START: fixture_feed_failed_start(&feeder); break;
	case FIXTURE_EMPTY: fixture_start(&feeder); break;
	case FIXTURE_NOTHING:
	case FIXTURE_COUNT: break;
	}
}

static void to_reporter(void *ctx, const struct bs_event *event)
{
	struct bs_reporter *reporter = ctx;

	reporter->ops->on_event(reporter, event);
}

int fixture_report(enum fixture which, const struct bs_reporter_ops *ops, const struct bs_reporter_options *options,
		   struct bs_err *err)
{
	struct bs_reporter *reporter = NULL;
	int r = ops->open(options, &reporter, err);

	if (r < 0)
		return r;
	fixture_feed(which, (struct bs_sink){reporter, to_reporter});
	return ops->close(reporter, err);
}
