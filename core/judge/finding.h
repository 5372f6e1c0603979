/*
 * From violations to findings. A violation seen while exploring is a suspect: its path is replayed from a
 * clean start, shrunk, and the result replayed from clean starts again. Only then are two joined, by
 * fingerprint. What never fails from a clean start is unconfirmed: shown with the likely reason, never
 * gating, and never hiding a later one.
 */
#ifndef BS_JUDGE_FINDING_H
#define BS_JUDGE_FINDING_H

#include "shrink.h"
#include "trace.h"

#include <signal.h>

struct bs_suspect {
	struct bs_signature signature; /* its subject is owned by `subject` */
	char *subject;
	size_t *path;
	size_t length;
	char *message;
	size_t cause; /* numbers what can be told apart before shrinking: rule, subject, last operation, status class */
};

enum bs_verdict { BS_CONFIRMED, BS_FLAKY, BS_UNCONFIRMED };
const char *bs_verdict_name(enum bs_verdict verdict);

#define BS_FINGERPRINT_SIZE 17

struct bs_finding {
	struct bs_signature signature;
	char *subject;
	char fingerprint[BS_FINGERPRINT_SIZE];
	char *message; /* as first seen */
	enum bs_verdict verdict;
	uint32_t confirmed, tries; /* clean replays of the shrunk path that failed, of all */
	size_t *path; /* the shortest that failed cleanly; the original when none did */
	size_t length;
	size_t original_length;
	uint64_t count; /* violations joined in it */
	const char *reason; /* static; why it is not confirmed; NULL */
	struct bs_trace trace; /* the evidence: the last run of path that failed, or the last run */
	unsigned candidates;
};

struct bs_findings {
	struct bs_finding **items;
	size_t count;
};

struct bs_finder {
	struct bs_judge *judge;
	struct bs_runner runner;
	uint32_t confirm; /* clean replays */
	bool rollback;    /* candidates may be run by rollback; else each from a clean start */
	/* Told about phases and progress; may be NULL. */
	void (*progress)(void *ctx, const char *phase, const struct bs_suspect *suspect, size_t length,
			 unsigned candidates);
	void *progress_ctx;
	struct bs_findings findings;
};

/* Judges one suspect: makes a finding, or joins it to one. */
int bs_finder_judge(struct bs_finder *finder, const struct bs_suspect *suspect, struct bs_err *err);

/* Joins a suspect to a confirmed finding whose minimal path is a part of its own: shrinking would try that path
 * first and keep it. False when there is none. */
bool bs_finder_joins(struct bs_finder *finder, const struct bs_suspect *suspect);

/* When all suspects were judged: a finding whose path begins with that of a confirmed one of the same rule is joined to
 * it, being what follows from it; unconfirmed findings are joined to a finding of the same cause, confirmed rather than
 * not, short rather than long. State outside the stores makes one cause show along many paths that a clean start does
 * not confirm; which of them is real was told by then. */
void bs_finder_settle(struct bs_finder *finder);

void bs_finder_release(struct bs_finder *finder);
void bs_suspect_release(struct bs_suspect *suspect);

/* hash(scheme version, rule, subject, operations with their variants): no ids, times, seeds or positions. */
void bs_fingerprint(const struct bs_judge *judge, const struct bs_signature *signature, const size_t *operations,
		    size_t count, char ret_hex[BS_FINGERPRINT_SIZE]);

#endif
