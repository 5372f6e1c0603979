/* Which revision of which repository a run looks at. */
#ifndef BS_CMD_REVISION_H
#define BS_CMD_REVISION_H

struct bs_revision { /* NULL where not known */
	char *id;
	char *branch;
	char *repository; /* URL, without credentials */
};

void bs_find_revision(const char *folder, struct bs_revision *ret_revision);
void bs_revision_release(struct bs_revision *revision);

#endif
