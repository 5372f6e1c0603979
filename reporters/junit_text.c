/* Findings as plain text, and text that is fit for XML. See junit_text.h. */
#include "junit_text.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "summary_gate.h"
#include "summary_words.h"

#include <inttypes.h>
#include <string.h>

/* --- Findings ------------------------------------------------------------------------------------------------ */

/* The place comes first, and once more in the form of a stack trace: there dorny/test-reporter looks for it. */
static void heading(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	if (finding->at.file) {
		bs_words_place(out, &finding->at);
		bs_buf_adds(out, ": ");
	}
	bs_buf_addf(out, "%s\n", bs_words_headline(finding));
	if (bs_words_message(finding))
		bs_buf_addf(out, "%s\n", bs_words_message(finding));
	bs_buf_addf(out, "%s, ", bs_words_or(finding->severity, "?"));
	bs_words_verdict(out, finding);
	bs_buf_addf(out, ", fingerprint %s, ", bs_words_or(finding->fingerprint, "?"));
	bs_words_count(out, finding->count, "violation", "violations");
	bs_buf_adds(out, "; ");
	bs_gate_words(out, summary, finding);
	bs_buf_addc(out, '\n');
	if (finding->at.file && finding->at.line) {
		bs_buf_addf(out, "    at %s (", bs_words_or(finding->rule, "?"));
		bs_words_place(out, &finding->at);
		bs_buf_adds(out, ")\n");
	}
	bs_buf_addc(out, '\n');
}

static void steps(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct bs_ev_finding_step *step = &finding->steps[i];
		bs_buf_addf(out, "  %zu. ", i + 1);
		bs_words_operation(out, step);
		bs_buf_adds(out, "   ");
		bs_words_request(out, &step->request);
		bs_buf_adds(out, " → ");
		bs_words_status(out, &step->response);
		bs_buf_adds(out, step->fails ? "   ← breaks here\n" : "\n");
		for (size_t k = 0; k < step->change_count; k++) {
			bs_buf_adds(out, "       ");
			bs_words_row(out, &step->changes[k]);
			bs_buf_adds(out, "   ");
			bs_words_change(out, &step->changes[k]);
			bs_buf_addc(out, '\n');
		}
		if (step->changes_left_out)
			bs_buf_addf(out, "       and %" PRIu64 " more rows\n", step->changes_left_out);
	}
	bs_buf_adds(out, finding->step_count ? "\n" : "");
}

static void commands(struct bs_buf *out, const struct bs_ev_finding *finding)
{
	bool based = false;

	if (finding->replay)
		bs_buf_addf(out, "reproduce: %s\n", finding->replay);
	for (size_t i = 0; i < finding->step_count; i++) {
		if (!finding->steps[i].curl)
			continue;
		if (!based)
			bs_buf_adds(out, "by hand, with BASE_URL set to where the application runs:\n");
		bs_buf_adds(out, "  ");
		bs_words_command(out, finding->steps[i].curl);
		bs_buf_addc(out, '\n');
		based = true;
	}
}

void bs_junit_line(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	bs_words_verdict(out, finding);
	bs_buf_addf(out, ", %s, ", bs_words_or(finding->severity, "?"));
	bs_gate_words(out, summary, finding);
	bs_buf_adds(out, ": ");
	bs_words_chain(out, finding, " → ");
}

void bs_junit_story(struct bs_buf *out, const struct bs_summary *summary, const struct bs_ev_finding *finding)
{
	heading(out, summary, finding);
	steps(out, finding);
	if (finding->read_count) {
		bs_buf_adds(out, "the rule saw: ");
		bs_words_reads(out, finding);
		bs_buf_addc(out, '\n');
	}
	bs_buf_adds(out, "sequence: ");
	bs_words_length(out, finding);
	bs_buf_addc(out, '\n');
	if (finding->reason)
		bs_buf_addf(out, "reason: %s\n", finding->reason);
	commands(out, finding);
}

/* --- Text for XML ---------------------------------------------------------------------------------------------- */

static void cut(struct bs_buf *text, size_t bytes)
{
	if (text->len <= bytes)
		return;
	text->len = bs_utf8_fit(text->data, text->len, bytes);
	bs_buf_adds(text, "…");
}

char *bs_junit_clean(const char *text, size_t line_bytes)
{
	struct bs_buf out = BS_BUF_INIT;

	bs_utf8_clean(&out, text ? text : "", text ? strlen(text) : 0, BS_UTF8_XML);
	for (size_t i = 0; line_bytes && i < out.len; i++)
		if (out.data[i] == '\n' || out.data[i] == '\r' || out.data[i] == '\t')
			out.data[i] = ' ';
	if (line_bytes)
		cut(&out, line_bytes);
	if (!out.len)
		return bs_xstrdup("");
	return bs_buf_take(&out);
}

char *bs_junit_clean_output(const char *text)
{
	static const char order[] = "[[ATTACHMENT";
	BS_AUTOFREE char *clean = bs_junit_clean(text, 0);
	struct bs_buf out = BS_BUF_INIT;
	const char *at = clean;

	for (const char *next; (next = strcasestr(at, order)); at = next + 1) {
		bs_buf_add(&out, at, (size_t)(next - at) + 1);
		bs_buf_addc(&out, ' ');
	}
	bs_buf_adds(&out, at);
	return bs_buf_take(&out);
}
