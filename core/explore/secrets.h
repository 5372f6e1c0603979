/*
 * What is secret in a run, and how more of it is learned on the way. Known from the start: values of ${env.NAME} (but
 * those of not_secret), and what the model itself writes into credential headers. Learned whenever something is about to
 * be told: credential headers of answers, and the variables that credential headers of requests are made of, as soon as
 * they are captured: the answer that hands out a token shows it before anybody sends it.
 */
#ifndef BS_EXPLORE_SECRETS_H
#define BS_EXPLORE_SECRETS_H

#include "events/redact.h"
#include "model/model.h"
#include "world/step.h"

struct bs_secrets {
	const struct bs_model *model;
	struct bs_redactor *redactor;
	struct bs_segment *names; /* placeholders of credential headers that the context fills */
	size_t name_count;
};

/* The redactor is borrowed, and given what is known from the start. */
void bs_secrets_init(struct bs_secrets *secrets, const struct bs_model *model, struct bs_redactor *redactor);
void bs_secrets_release(struct bs_secrets *secrets);

/* Learns from a step: its answer's headers, and the context after it. */
void bs_secrets_learn(struct bs_secrets *secrets, const struct bs_step *step);

/* True when so many were learned that no more should be, but for findings: then what a step says must not be told. */
bool bs_secrets_full(const struct bs_secrets *secrets);

#endif
