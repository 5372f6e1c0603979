/* What happened, and to what: the invocation with its notifications, the revision, the model file, the run's facts. */
#include "sarif.h"
#include "sarif_json.h"

#include "base/mem.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>

/* --- The invocation ------------------------------------------------------------------------------------------ */

/* A run that saw all that it wanted to see, whatever it found: only this makes an absent result mean anything. */
static bool complete(const struct bs_summary *summary)
{
	return !summary->error_count && !bs_words_equal(bs_gate_verdict(summary), "incomplete");
}

static cJSON *notify(cJSON *invocation, const char *level, const char *code, const struct bs_buf *message)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(invocation, "toolExecutionNotifications");
	cJSON *notification = bs_sarif_item(list ? list : bs_sarif_array(invocation, "toolExecutionNotifications"));

	bs_sarif_line(bs_sarif_object(notification, "descriptor"), "id", code);
	bs_sarif_text(notification, "level", level);
	bs_sarif_message(notification, "message", message, BS_SARIF_MESSAGE_MAX);
	return notification;
}

void bs_sarif_notify(cJSON *invocation, const char *level, const char *code, const char *message)
{
	struct bs_buf text = BS_BUF_INIT;

	bs_sarif_say(&text, message);
	notify(invocation, level, code, &text);
	bs_buf_release(&text);
}

static void add_notice(cJSON *invocation, const char *level, const struct bs_ev_notice *notice)
{
	struct bs_ev_notice elsewhere = *notice; /* its place is a location of its own */
	struct bs_buf text = BS_BUF_INIT, words = BS_BUF_INIT;

	elsewhere.at.file = NULL;
	bs_words_notice(&words, &elsewhere);
	bs_sarif_say(&text, bs_buf_text(&words));
	bs_buf_addc(&text, '.');
	bs_buf_release(&words);
	cJSON *notification = notify(invocation, level, bs_words_or(notice->code, level), &text);
	if (notice->at.file)
		cJSON_AddItemToArray(bs_sarif_array(notification, "locations"), bs_sarif_location(&notice->at, NULL));
	bs_buf_release(&text);
}

/* RFC 3339 in UTC; what is no time would make the file invalid. */
static bool is_time(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	size_t n = 0;

	while (shape[n] && (shape[n] == 'd' ? text[n] >= '0' && text[n] <= '9' : text[n] == shape[n]))
		n++;
	return !shape[n] && !text[n];
}

cJSON *bs_sarif_invocation(const struct bs_sarif *sarif)
{
	const struct bs_summary *summary = &sarif->summary;
	cJSON *invocation = cJSON_CreateObject();

	bs_sarif_bool(invocation, "executionSuccessful", complete(summary));
	if (summary->ended) {
		cJSON_AddItemToObject(invocation, "exitCode", bs_json_new_int(summary->end.exit_status));
		bs_sarif_line(invocation, "exitCodeDescription", summary->end.reason);
	}
	if (summary->run.started && is_time(summary->run.started))
		bs_sarif_text(invocation, "startTimeUtc", summary->run.started);
	for (size_t i = 0; i < summary->error_count; i++)
		add_notice(invocation, "error", &summary->errors[i]);
	if (!complete(summary) && !summary->error_count) {
		BS_AUTOFREE char *why = bs_xasprintf("The run is incomplete, so there may be more than it found: %s.",
						     bs_words_or(bs_gate_reason(summary), "no reason is known"));
		bs_sarif_notify(invocation, "error", "incomplete", why);
	}
	for (size_t i = 0; i < summary->warning_count; i++)
		add_notice(invocation, "warning", &summary->warnings[i]);
	return invocation;
}

/* --- What was looked at ------------------------------------------------------------------------------------------ */

/* An absolute URI: a scheme, and nothing in it that has no place in one (RFC 3986 section 2). */
static bool is_url(const char *text)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz+");

	if (!scheme || strncmp(text + scheme, "://", 3) != 0 || !text[scheme + 3])
		return false;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7F || strchr("\"<>\\^`{|}", *c))
			return false;
	return true;
}

static void add_provenance(const struct bs_ev_run_start *start, cJSON *run)
{
	if (!start->repository || !is_url(start->repository) || !start->revision)
		return;
	cJSON *details = bs_sarif_item(bs_sarif_array(run, "versionControlProvenance"));
	bs_sarif_text(details, "repositoryUri", start->repository);
	bs_sarif_line(details, "revisionId", start->revision);
	bs_sarif_line(details, "branch", start->branch);
	bs_sarif_text(bs_sarif_object(details, "mappedTo"), "uriBaseId", BS_SARIF_ROOT);
}

static bool is_sha256(const char *text)
{
	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void add_model(const struct bs_ev_run_start *start, cJSON *run)
{
	static const char *const roles[] = {"userSpecifiedConfiguration"};

	if (!start->model)
		return;
	cJSON *artifact = bs_sarif_item(bs_sarif_array(run, "artifacts"));
	cJSON_AddItemToObject(artifact, "location", bs_sarif_artifact_location(start->model));
	cJSON_AddItemToObject(artifact, "roles", cJSON_CreateStringArray(roles, BS_COUNT(roles)));
	if (is_sha256(start->model_sha256))
		bs_sarif_text(bs_sarif_object(artifact, "hashes"), "sha-256", start->model_sha256);
}

/* GitHub's category is what stands before the last slash: one for each model, or uploads would replace one another. */
static void add_automation(const struct bs_ev_run_start *start, cJSON *run)
{
	BS_AUTOFREE char *name = bs_sarif_one_line(bs_words_or(start->model_name, "model"), BS_SARIF_NAME_MAX / 2);

	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '-';
	BS_AUTOFREE char *id = bs_xasprintf("backstep/%s/", name);
	bs_sarif_line(bs_sarif_object(run, "automationDetails"), "id", id);
}

static void add_root(cJSON *run)
{
	static const char words[] = "The root of the repository that the model lies in.";
	cJSON *root = bs_sarif_object(bs_sarif_object(run, "originalUriBaseIds"), BS_SARIF_ROOT);

	bs_sarif_text(bs_sarif_object(root, "description"), "text", words);
}

static void add_facts(const struct bs_summary *summary, cJSON *run)
{
	const struct bs_ev_run_end *end = &summary->end;
	cJSON *facts = bs_sarif_object(run, "properties");
	BS_AUTOFREE char *seed = bs_xasprintf("%" PRIu64, summary->run.seed);

	bs_sarif_line(facts, "model", summary->run.model_name);
	bs_sarif_line(facts, "target", summary->run.target);
	bs_sarif_text(facts, "seed", seed); /* of 64 bits: more than a reader's numbers hold */
	bs_sarif_line(facts, "failOn", summary->run.gate);
	bs_sarif_line(facts, "gate", bs_gate_verdict(summary));
	bs_sarif_line(facts, "limit", end->limit);
	bs_sarif_number(facts, "states", summary->ended ? end->states : summary->states);
	bs_sarif_number(facts, "steps", summary->ended ? end->steps : summary->steps);
	bs_sarif_number(facts, "violations", summary->ended ? end->violations : summary->violations);
	bs_sarif_number(facts, "elapsedUs", end->elapsed_us);
}

void bs_sarif_describe_run(const struct bs_sarif *sarif, cJSON *run)
{
	bs_sarif_text(run, "language", "en");
	bs_sarif_text(run, "columnKind", "unicodeCodePoints");
	add_automation(&sarif->summary.run, run);
	add_provenance(&sarif->summary.run, run);
	add_root(run);
	add_model(&sarif->summary.run, run);
	add_facts(&sarif->summary, run);
}
