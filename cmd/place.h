/* How reports name the model's file. */
#ifndef BS_CMD_PLACE_H
#define BS_CMD_PLACE_H

/*
 * The model's path as CI services want it in annotations: relative to the root of the git repository that the model
 * lies in, else to the working directory; path itself where the file lies below neither. folder is the model's,
 * absolute and without links. The caller's to free.
 */
char *bs_place_of_model(const char *folder, const char *path);

#endif
