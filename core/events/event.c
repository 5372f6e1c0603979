/* Numbering, timing and cleaning what a run tells. See emit.h. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/now.h"
#include "clean.h"
#include "emit.h"


const char *bs_event_type(enum bs_event_kind kind)
{
	switch (kind) {
	case BS_EVENT_STREAM_START: return "stream.start";
	case BS_EVENT_RUN_START: return "run.start";
	case BS_EVENT_ACTION_DECLARED: return "action.declared";
	case BS_EVENT_INVARIANT_DECLARED: return "invariant.declared";
	case BS_EVENT_APP_READY: return "app.ready";
	case BS_EVENT_STORE_READY: return "store.ready";
	case BS_EVENT_PHASE_START: return "phase.start";
	case BS_EVENT_PHASE_END: return "phase.end";
	case BS_EVENT_STATE_NEW: return "state.new";
	case BS_EVENT_STEP: return "step";
	case BS_EVENT_VIOLATION: return "violation";
	case BS_EVENT_SHRINK_PROGRESS: return "shrink.progress";
	case BS_EVENT_FINDING: return "finding";
	case BS_EVENT_INVARIANT_END: return "invariant.end";
	case BS_EVENT_COVERAGE: return "coverage";
	case BS_EVENT_WARNING: return "warning";
	case BS_EVENT_ERROR: return "error";
	case BS_EVENT_RUN_END: return "run.end";
	}
	return "error";
}

void bs_emitter_init(struct bs_emitter *emitter, struct bs_sink sink, const struct bs_redactor *redactor)
{
	*emitter = (struct bs_emitter){.sink = sink, .redactor = redactor, .since_ns = bs_now_ns()};
}

static bool is_hot(enum bs_event_kind kind)
{
	return kind == BS_EVENT_STEP || kind == BS_EVENT_STATE_NEW;
}

void bs_emit(struct bs_emitter *emitter, const struct bs_event *event)
{
	struct bs_arena arena = BS_ARENA_INIT;
	struct bs_event out = *event;

	out.seq = ++emitter->seq;
	out.at_ns = bs_now_ns() - emitter->since_ns;
	if (!is_hot(event->kind))
		bs_event_clean(&out, emitter->redactor, &arena);
	emitter->sink.emit(emitter->sink.ctx, &out);
	bs_arena_release(&arena);
}
