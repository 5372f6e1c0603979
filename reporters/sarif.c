/* SARIF: the fold, and the document around the parts. See sarif.h. */
#include "sarif.h"

#include "base/mem.h"
#include "outfile.h"
#include "reporters.h"
#include "sarif_json.h"
#include "summary_words.h"

#include <string.h>

static const struct bs_sarif_limits github = {
	.results = 25000,
	.steps = 10000,
	.gzip_bytes = 10000000,
};

static int open_sarif(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err)
{
	struct bs_sarif *sarif = bs_xcalloc(1, sizeof *sarif);

	(void)err;
	sarif->reporter.ops = &bs_reporter_sarif;
	sarif->path = bs_xstrdup(options->path ? options->path : bs_reporter_sarif.default_path);
	sarif->limits = github;
	bs_summary_init(&sarif->summary);
	*ret_reporter = &sarif->reporter;
	return 0;
}

static void on_event(struct bs_reporter *reporter, const struct bs_event *event)
{
	bs_summary_event(&((struct bs_sarif *)reporter)->summary, event);
}

static void add_tool(const struct bs_sarif *sarif, cJSON *run)
{
	cJSON *driver = bs_sarif_object(bs_sarif_object(run, "tool"), "driver");

	bs_sarif_text(driver, "name", "Backstep");
	bs_sarif_line(driver, "version", bs_words_or(sarif->summary.stream.version, BS_VERSION));
	bs_sarif_text(driver, "informationUri", bs_words_or(BS_HOMEPAGE, NULL));
	cJSON_AddItemToObject(driver, "rules", bs_sarif_rules(sarif));
}

static char *render(struct bs_sarif *sarif)
{
	cJSON *document = cJSON_CreateObject();

	bs_sarif_collect_rules(sarif);
	bs_sarif_text(document, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	bs_sarif_text(document, "version", "2.1.0");
	cJSON *run = bs_sarif_item(bs_sarif_array(document, "runs"));
	cJSON *invocation = bs_sarif_invocation(sarif);
	add_tool(sarif, run);
	cJSON_AddItemToArray(bs_sarif_array(run, "invocations"), invocation);
	bs_sarif_describe_run(sarif, run);
	bs_sarif_add_results(sarif, run, invocation);
	char *text = bs_json_print(document, false);
	cJSON_Delete(document);
	bs_sarif_release_rules(sarif);
	return text;
}

static int close_sarif(struct bs_reporter *reporter, struct bs_err *err)
{
	struct bs_sarif *sarif = (struct bs_sarif *)reporter;
	BS_AUTOFREE char *text = render(sarif);

	int r = bs_outfile_write(sarif->path, text, strlen(text), err);
	bs_summary_release(&sarif->summary);
	free(sarif->path);
	free(sarif);
	return r;
}

const struct bs_reporter_ops bs_reporter_sarif = {
	.name = "sarif",
	.description = "SARIF 2.1.0 for code scanning: each finding at its line of the model",
	.default_path = "backstep.sarif",
	.open = open_sarif,
	.on_event = on_event,
	.close = close_sarif,
};
