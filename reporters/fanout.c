/* Several reporters behind one sink; what goes wrong in one is told at the end and stops no other. */
#include <backstep/reporter.h>

#include "base/mem.h"

struct bs_fanout {
	struct bs_reporter **reporters;
	size_t count;
};

struct bs_fanout *bs_fanout_new(void)
{
	return bs_xcalloc(1, sizeof(struct bs_fanout));
}

int bs_fanout_add(struct bs_fanout *fanout, const struct bs_reporter_ops *ops,
		  const struct bs_reporter_options *options, struct bs_err *err)
{
	struct bs_reporter *reporter;
	int r = ops->open(options, &reporter, err);

	if (r < 0)
		return r;
	reporter->ops = ops;
	*BS_PUSH(fanout->reporters, fanout->count) = reporter;
	return 0;
}

static void emit(void *ctx, const struct bs_event *event)
{
	struct bs_fanout *fanout = ctx;

	for (size_t i = 0; i < fanout->count; i++)
		fanout->reporters[i]->ops->on_event(fanout->reporters[i], event);
}

struct bs_sink bs_fanout_sink(struct bs_fanout *fanout)
{
	return (struct bs_sink){fanout, emit};
}

unsigned bs_fanout_close(struct bs_fanout *fanout,
			 void (*failed)(void *ctx, const char *name, const struct bs_err *err), void *ctx)
{
	unsigned failures = 0;

	for (size_t i = 0; fanout && i < fanout->count; i++) {
		const struct bs_reporter_ops *ops = fanout->reporters[i]->ops;
		struct bs_err err = BS_ERR_INIT;
		if (ops->close(fanout->reporters[i], &err) < 0) {
			failures++;
			if (failed)
				failed(ctx, ops->name, &err);
		}
		bs_err_release(&err);
	}
	if (fanout)
		free(fanout->reporters);
	free(fanout);
	return failures;
}
