/* Which revision of the application a run looks at. */
#ifndef BS_CMD_REVISION_H
#define BS_CMD_REVISION_H

/* NULL where not known; the caller's to free. */
void bs_find_revision(const char *folder, char **ret_revision, char **ret_branch);

#endif
