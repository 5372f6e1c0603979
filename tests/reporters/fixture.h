/*
 * Event streams with fixed content, clock and numbers, for every reporter's tests. What a golden file holds
 * comes from here and from nowhere else.
 */
#ifndef BS_TESTS_REPORTERS_FIXTURE_H
#define BS_TESTS_REPORTERS_FIXTURE_H

#include <backstep/reporter.h>

enum fixture {
	FIXTURE_RICH,         /* held, violated, unreached and erring rules; confirmed, flaky, unconfirmed findings */
	FIXTURE_CLEAN,        /* nothing to be found: the gate passes */
	FIXTURE_HOSTILE,      /* an API that writes control bytes, escapes, markup and 10 kB into everything it can */
	FIXTURE_CUT,          /* the rich stream, cut in the middle of exploring: no run.end */
	FIXTURE_CUT_FINDINGS, /* cut between its findings */
	FIXTURE_INTERRUPTED,  /* ended by the user: violations were seen, none was judged */
	FIXTURE_FAILED_START, /* the application never got ready */
	FIXTURE_EMPTY,        /* stream.start and nothing more */
	FIXTURE_NOTHING,      /* not one event */
	FIXTURE_COUNT
};

const char *fixture_name(enum fixture which); /* "rich" */

void fixture_feed(enum fixture which, struct bs_sink sink);

/* Opens a reporter, feeds it and closes it. The return value is that of close. */
int fixture_report(enum fixture which, const struct bs_reporter_ops *ops, const struct bs_reporter_options *options,
		   struct bs_err *err);

/* A run with that many findings of that many steps each (at least 1), for what a report weighs. */
void fixture_feed_many(struct bs_sink sink, size_t findings, size_t steps);

/* The streams, for fixture_feed. */
struct fixture_feeder {
	struct bs_sink sink;
	uint64_t seq, at_ns;
	uint64_t last_seq; /* events after this one are lost; 0: none is */
};
void fixture_emit(struct fixture_feeder *feeder, struct bs_event event);
void fixture_feed_rich(struct fixture_feeder *feeder);
void fixture_emit_findings(struct fixture_feeder *feeder); /* those of the rich stream */
void fixture_feed_hostile(struct fixture_feeder *feeder);
void fixture_feed_clean(struct fixture_feeder *feeder);
void fixture_feed_interrupted(struct fixture_feeder *feeder);
void fixture_feed_failed_start(struct fixture_feeder *feeder);
void fixture_start(struct fixture_feeder *feeder); /* stream.start */

#endif
