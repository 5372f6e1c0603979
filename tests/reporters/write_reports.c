/* Every stream of fixture.h in every format that is a file, for validators and browsers: write_reports FOLDER makes
 * FOLDER/rich.html, FOLDER/rich.junit and so on. */
#include "fixture.h"

#include "base/mem.h"

#include <stdio.h>
#include <sys/stat.h>

static int write_one(const char *folder, enum fixture which, const struct bs_reporter_ops *ops)
{
	BS_AUTOFREE char *path = bs_xasprintf("%s/%s.%s", folder, fixture_name(which), ops->name);
	struct bs_reporter_options options = {.path = path};
	struct bs_err err = BS_ERR_INIT;
	int r = fixture_report(which, ops, &options, &err);

	if (r < 0)
		fprintf(stderr, "write_reports: %s\n", bs_err_text(&err));
	bs_err_release(&err);
	return r;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: write_reports FOLDER\n");
		return 2;
	}
	mkdir(argv[1], 0777); /* may be there; what is wrong with it is said by the first report */
	for (size_t i = 0; bs_reporter_at(i); i++)
		for (int which = 0; bs_reporter_at(i)->default_path && which < FIXTURE_COUNT; which++)
			if (write_one(argv[1], (enum fixture)which, bs_reporter_at(i)) < 0)
				return 1;
	return 0;
}
