/* Confirming, shrinking, joining. See finding.h. */
#include "finding.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define FINGERPRINT_SCHEME "backstep/1"

const char *bs_verdict_name(enum bs_verdict verdict)
{
	switch (verdict) {
	case BS_CONFIRMED: return "confirmed";
	case BS_FLAKY: return "flaky";
	case BS_UNCONFIRMED: return "unconfirmed";
	}
	return "?";
}

void bs_suspect_release(struct bs_suspect *suspect)
{
	free(suspect->subject);
	free(suspect->path);
	free(suspect->message);
	*suspect = (struct bs_suspect){0};
}

void bs_fingerprint(const struct bs_judge *judge, const struct bs_signature *signature, const size_t *operations,
		    size_t count, char ret_hex[BS_FINGERPRINT_SIZE])
{
	struct bs_buf bytes = BS_BUF_INIT;
	const char *subject = signature->subject ? signature->subject : "";

	bs_buf_addf(&bytes, "%s\n%s\n%s", FINGERPRINT_SCHEME, judge->rules.items[signature->rule].name, subject);
	for (size_t i = 0; i < count; i++)
		bs_buf_addf(&bytes, "\n%s", judge->model->operations[operations[i]].label);
	snprintf(ret_hex, BS_FINGERPRINT_SIZE, "%016" PRIx64, bs_hash_bytes(bytes.data, bytes.len).hi);
	bs_buf_release(&bytes);
}

static void finding_free(struct bs_finding *finding)
{
	bs_trace_release(&finding->trace);
	free(finding->subject);
	free(finding->message);
	free(finding->path);
	free(finding);
}

void bs_finder_release(struct bs_finder *finder)
{
	for (size_t i = 0; i < finder->findings.count; i++)
		finding_free(finder->findings.items[i]);
	free(finder->findings.items);
	finder->findings = (struct bs_findings){0};
}

static bool same_subject(const struct bs_signature *a, const struct bs_signature *b)
{
	return a->subject && b->subject ? strcmp(a->subject, b->subject) == 0 : a->subject == b->subject;
}

static bool same_cause(const struct bs_signature *a, const struct bs_signature *b)
{
	return a->rule == b->rule && a->status_class == b->status_class && same_subject(a, b);
}

/* Whether part comes in path in that order, its last operation being the path's last. */
static bool is_part(const size_t *part, size_t part_count, const size_t *path, size_t count)
{
	size_t found = 0;

	if (!part_count || part_count > count || part[part_count - 1] != path[count - 1])
		return false;
	for (size_t i = 0; i + 1 < count && found + 1 < part_count; i++)
		found += path[i] == part[found];
	return found + 1 == part_count;
}

bool bs_finder_joins(struct bs_finder *finder, const struct bs_suspect *suspect)
{
	for (size_t i = 0; i < finder->findings.count; i++) {
		struct bs_finding *finding = finder->findings.items[i];
		if (finding->verdict != BS_UNCONFIRMED && same_cause(&finding->signature, &suspect->signature) &&
		    is_part(finding->path, finding->length, suspect->path, suspect->length)) {
			finding->count++;
			return true;
		}
	}
	return false;
}

static bool better(const struct bs_finding *a, const struct bs_finding *b)
{
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict;
	return a->length < b->length;
}

/* The finding that an unconfirmed one is joined to; NULL: it stands for itself. */
static struct bs_finding *host_of(const struct bs_findings *findings, const struct bs_finding *finding)
{
	struct bs_finding *best = NULL;
	bool past = false;

	for (size_t i = 0; i < findings->count; i++) {
		struct bs_finding *other = findings->items[i];
		past |= other == finding;
		if (other != finding && same_cause(&other->signature, &finding->signature) &&
		    other->path[other->length - 1] == finding->path[finding->length - 1] &&
		    (better(other, finding) || (!better(finding, other) && !past)) &&
		    (!best || better(other, best)))
			best = other;
	}
	return best;
}

/* The confirmed finding of the same rule whose path is the beginning of this one's: the rule was broken before the last
 * step, which only shows it once more. */
static struct bs_finding *beginning_of(const struct bs_findings *findings, const struct bs_finding *finding)
{
	for (size_t i = 0; i < findings->count; i++) {
		struct bs_finding *other = findings->items[i];
		if (other->verdict == BS_CONFIRMED && other->length < finding->length &&
		    other->signature.rule == finding->signature.rule &&
		    same_subject(&other->signature, &finding->signature) &&
		    memcmp(other->path, finding->path, other->length * sizeof *other->path) == 0)
			return other;
	}
	return NULL;
}

void bs_finder_settle(struct bs_finder *finder)
{
	struct bs_findings *findings = &finder->findings;

	for (size_t i = findings->count; i-- > 0;) {
		struct bs_finding *finding = findings->items[i];
		struct bs_finding *host = beginning_of(findings, finding);
		if (!host && finding->verdict == BS_UNCONFIRMED)
			host = host_of(findings, finding);
		if (!host)
			continue;
		host->count += finding->count;
		finding_free(finding);
		memmove(&findings->items[i], &findings->items[i + 1],
			(--findings->count - i) * sizeof findings->items[0]);
	}
}

/* --- Running candidates ---------------------------------------------------------------------------- */

struct search {
	struct bs_finder *finder;
	const struct bs_suspect *suspect;
	bool clean;
	size_t shortest;
	struct bs_shrink shrink;
};

static void tell(const struct search *search, const char *phase, size_t length)
{
	struct bs_finder *finder = search->finder;

	if (finder->progress)
		finder->progress(finder->progress_ctx, phase, search->suspect, length, search->shrink.candidates);
}

static int candidate_fails(void *ctx, const size_t *operations, size_t count, struct bs_err *err)
{
	struct search *search = ctx;
	struct bs_trace trace = {0};
	const struct bs_runner *runner = &search->finder->runner;
	int r = runner->run_path(runner->ctx, operations, count, search->clean, &trace, err);

	if (r == 0)
		r = bs_trace_shows(&trace, &search->suspect->signature) != NULL;
	bs_trace_release(&trace);
	if (r == 1 && count < search->shortest) {
		search->shortest = count;
		tell(search, "shrink", count);
	}
	return r;
}

/* Replays finding->path from clean starts. Keeps the last trace that failed, or the last one. */
static int replay(struct search *search, struct bs_finding *finding, uint32_t tries, bool until_failure,
		  struct bs_err *err)
{
	const struct bs_runner *runner = &search->finder->runner;

	finding->tries = finding->confirmed = 0;
	for (uint32_t i = 0; i < tries; i++) {
		struct bs_trace trace = {0};
		int r = runner->run_path(runner->ctx, finding->path, finding->length, true, &trace, err);
		if (r < 0) {
			bs_trace_release(&trace);
			return r;
		}
		bool failed = bs_trace_shows(&trace, &finding->signature) != NULL;
		finding->tries++;
		finding->confirmed += failed;
		if (failed || !finding->confirmed) {
			bs_trace_release(&finding->trace);
			finding->trace = trace;
		} else {
			bs_trace_release(&trace);
		}
		tell(search, "confirm", finding->length);
		if (failed && until_failure)
			break;
	}
	return 0;
}

static int shrink_from_original(struct search *search, struct bs_finding *finding, bool clean, struct bs_err *err)
{
	search->clean = clean;
	search->shortest = search->suspect->length;
	memcpy(finding->path, search->suspect->path, search->suspect->length * sizeof *finding->path);
	finding->length = search->suspect->length;
	return bs_shrink_path(&search->shrink, finding->path, &finding->length, err);
}

static int shrink_and_confirm(struct search *search, struct bs_finding *finding, struct bs_err *err)
{
	bool clean = !search->finder->rollback;
	int r = shrink_from_original(search, finding, clean, err);

	if (r == 0)
		r = replay(search, finding, search->finder->confirm, false, err);
	if (r < 0 || finding->confirmed || clean)
		return r;
	/* What failed by rollback does not fail by itself: trust only clean starts from here on. */
	r = shrink_from_original(search, finding, true, err);
	return r < 0 ? r : replay(search, finding, search->finder->confirm, false, err);
}

static void judge_ratio(struct bs_finding *finding)
{
	if (finding->confirmed == finding->tries) {
		finding->verdict = BS_CONFIRMED;
	} else if (finding->confirmed) {
		finding->verdict = BS_FLAKY;
		finding->reason = "it failed in some clean replays and not in others: timing, or state that the "
				  "model does not control";
	} else {
		finding->verdict = BS_UNCONFIRMED;
		finding->reason = "it was seen while exploring and never from a clean start: the application may "
				  "keep state outside its stores, which rollback does not reach";
	}
}

static void join_or_add(struct bs_finder *finder, struct bs_finding *finding)
{
	bs_fingerprint(finder->judge, &finding->signature, finding->path, finding->length, finding->fingerprint);
	for (size_t i = 0; i < finder->findings.count; i++) {
		struct bs_finding *known = finder->findings.items[i];
		if (strcmp(known->fingerprint, finding->fingerprint) != 0)
			continue;
		known->count++;
		if (known->verdict == BS_UNCONFIRMED && finding->verdict != BS_UNCONFIRMED) {
			finding->count = known->count;
			finder->findings.items[i] = finding;
			finding = known;
		}
		finding_free(finding);
		return;
	}
	*BS_PUSH(finder->findings.items, finder->findings.count) = finding;
}

int bs_finder_judge(struct bs_finder *finder, const struct bs_suspect *suspect, struct bs_err *err)
{
	struct bs_finding *finding = bs_xcalloc(1, sizeof *finding);
	struct search search = {.finder = finder, .suspect = suspect};

	search.shrink = (struct bs_shrink){.model = finder->judge->model, .ctx = &search, .fails = candidate_fails};
	finding->subject = bs_xstrdup(suspect->subject);
	finding->signature = suspect->signature;
	finding->signature.subject = finding->subject;
	finding->path = bs_xmemdup(suspect->path, suspect->length * sizeof *suspect->path);
	finding->length = finding->original_length = suspect->length;
	finding->message = bs_xstrdup(suspect->message);
	finding->count = 1;
	int r = replay(&search, finding, finder->confirm, true, err);
	if (r == 0 && finding->confirmed)
		r = shrink_and_confirm(&search, finding, err);
	if (r < 0) {
		finding_free(finding);
		return r;
	}
	if (!finding->confirmed && finding->length != suspect->length) {
		/* It failed cleanly once, and what is left of it does not any more: the original stays the evidence. */
		memcpy(finding->path, suspect->path, suspect->length * sizeof *finding->path);
		finding->length = suspect->length;
		r = replay(&search, finding, finder->confirm, false, err);
		if (r < 0) {
			finding_free(finding);
			return r;
		}
	}
	judge_ratio(finding);
	finding->candidates = search.shrink.candidates;
	join_or_add(finder, finding);
	return 0;
}
