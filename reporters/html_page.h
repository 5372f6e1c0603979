/*
 * The parts of the HTML page. Each function below fills one place of the template (templates/report.html) from
 * the fold of the run, or takes the place away when there is nothing to say. What the page shows is complete
 * without its script; the script only adds.
 */
#ifndef BS_REPORTERS_HTML_PAGE_H
#define BS_REPORTERS_HTML_PAGE_H

#include "html_node.h"
#include "html_states.h"
#include "summary.h"

#include <stdbool.h>

#define BS_HTML_FINDINGS_STATIC 200 /* findings that can be read without the script, see html_more.h */
#define BS_HTML_CHAIN_WHOLE 5       /* steps of a chain that says all of each; a longer one is brief */

struct bs_html_page {
	const struct bs_summary *summary;
	const struct bs_html_states *states;
	xmlDoc *doc;
	struct bs_html_more *more; /* what is compressed (html_more.h) */
	size_t body_room; /* bytes of bodies that are still shown whole; then only their beginnings are */
	size_t *order;    /* of the findings, as they are to be read: what fails the gate and what is severe first */
	bool actors;      /* the steps have more than one */
	bool known;       /* some findings were accepted before */
};

/* The whole page, from the embedded template. The bytes depend on nothing but the two folds. */
int bs_html_render(const struct bs_summary *summary, const struct bs_html_states *states, struct bs_buf *out,
		   struct bs_err *err);

/* The element of the template that is marked data-slot="name"; the mark is removed. Every slot is taken once. */
xmlNode *bs_html_slot(const struct bs_html_page *page, const char *name);

void bs_html_banner(struct bs_html_page *page);   /* html_banner.c: title, verdict, counts, section links */
void bs_html_findings(struct bs_html_page *page); /* html_findings.c: the list, what is apart, what is short */
void bs_html_rules(struct bs_html_page *page);    /* html_rules.c */
void bs_html_notices(struct bs_html_page *page);  /* html_run.c: errors and warnings */
void bs_html_facts(struct bs_html_page *page);    /* html_run.c */
void bs_html_coverage(struct bs_html_page *page); /* html_coverage.c: statuses and latencies */
void bs_html_graph(struct bs_html_page *page);    /* html_graph.c: the explored states */
void bs_html_pairs(struct bs_html_page *page);    /* html_pairs.c */

/* One finding, the index of which is number, as a card without its steps. Returns the card. */
xmlNode *bs_html_finding(struct bs_html_page *page, xmlNode *parent, size_t number);

/* The same in few bytes: what breaks, the sequence, what the rule saw, and how to see it again. */
xmlNode *bs_html_finding_brief(struct bs_html_page *page, xmlNode *parent, size_t number);

/* The parts of a card. */
void bs_html_chain(xmlNode *parent, const struct bs_ev_finding *finding); /* html_chain.c */
void bs_html_effect(xmlNode *parent, const char *tag, const struct bs_ev_change *change);
void bs_html_steps(struct bs_html_page *page, xmlNode *steps, const struct bs_ev_finding *finding); /* html_step.c */
void bs_html_status(xmlNode *parent, const struct bs_ev_message *response);
void bs_html_changes(xmlNode *parent, const struct bs_ev_finding_step *step); /* html_diff.c */
void bs_html_message(struct bs_html_page *page, xmlNode *parent, const struct bs_ev_message *message,
		     bool request); /* html_message.c: a request or a response as text */
/* As a script, and as an issue (html_copy.c). */
void bs_html_copies(const struct bs_html_page *page, xmlNode *parent, const struct bs_ev_finding *finding);

/* JSON text laid out for reading; NULL when it is no JSON (html_json.c). The caller's to free. */
char *bs_html_json(const char *text, size_t len);

/* An operation's name, with its variant apart: create_order amount=100 (html_words.c). */
void bs_html_operation_name(xmlNode *parent, const char *operation, const char *action);

/* The id of a finding's card: "f-" and its fingerprint, kept apart from an earlier equal one. The caller's to free. */
char *bs_html_finding_id(const struct bs_summary *summary, size_t index);

/* Numbers and words (html_words.c). Those that return char * give it to the caller. */
char *bs_html_count(uint64_t n);       /* 1,873 */
char *bs_html_time(uint64_t us);       /* 0.8 ms, 12.4 s */
char *bs_html_bytes(uint64_t bytes);   /* 47 bytes, 1.7 MB */
char *bs_html_sentence(const char *text); /* a capital in front, a full stop behind */
char *bs_html_value(const char *json); /* a JSON value as a person writes it: text without quotes where that is clear */
char *bs_html_place(const char *file, uint32_t line);                  /* payments.yaml:38 */
const char *bs_html_plural(uint64_t n, const char *one, const char *many);
const char *bs_html_reason_phrase(int status);  /* "Created"; "" where there is none */
const char *bs_html_status_class(int status);   /* s2, s3, s4, s5, s0: for colour, beside the number */
const char *bs_html_severity_icon(const char *severity);
const char *bs_html_target(const struct bs_ev_message *request); /* path and query */
bool bs_html_is(const char *text, const char *word);    /* text may be NULL */
bool bs_html_has(const char *text);                     /* not NULL and not empty */

/* A tag with severity in colour, shape and words. */
void bs_html_severity(xmlNode *parent, const char *severity);

/* Names with their values, as a list. */
void bs_html_values(xmlNode *parent, const struct bs_ev_value *values, size_t count);

/* A command that the script gives a button to copy: what is curl, replay, issue or script. */
void bs_html_copyable(xmlNode *parent, const char *what, const char *text);

/* The number of a finding's way in the picture of the states, from 1; 0: it is not drawn (html_graph.c). */
size_t bs_html_way_number(const struct bs_html_page *page, size_t finding);

#endif
