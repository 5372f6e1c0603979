/*
 * The files driver: a directory that the application writes (uploads, calendars). Its parts: files_walk.c (what is
 * there), files_read.c (contents), files_objects.c (contents kept aside), files_row.c (files as rows), files_entry.c
 * (files in memory), files_change.c (what changed), files_plan.c and files_apply.c (putting files), files_tree.c (a
 * whole tree), files.c (the driver's table).
 *
 * How it works. The application gets a copy of the directory. Each file, directory and symbolic link below it is one
 * row of the table "files". A step's changes are found by looking at every file's size, times and inode, and by
 * reading those where they moved. Times are coarse: a file that was written in the very tick in which it was read is
 * read again the next time, as git does. Contents are kept aside once, under their SHA-256; images hold that, and what
 * is small and text besides, for people and rules.
 *
 * Putting back. A file that is still there is written in place, so that an application that keeps it open sees what
 * is put back; what was deleted is made again, and what is too much goes. Nothing is freed before everything that
 * needs room has it, so that a full disk leaves all as it was. Times of modification are put back exactly, those of
 * directories are not.
 *
 * Nothing outside is ever touched: every path is opened part by part, without following links. Hard links within the
 * tree stay links. What is no file, directory or symbolic link is refused.
 *
 * Invisible to all this: extended attributes; that two symbolic links are hard links of each other; writes through memory maps that were read before they ended.
 */
#ifndef BS_WORLD_FILES_H
#define BS_WORLD_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "row.h"

#include <backstep/store.h>
#include <sys/stat.h>

extern const struct bs_store_ops bs_store_files;

enum bs_files_type { BS_FILE, BS_DIRECTORY, BS_LINK };

/* What is at a path. */
struct bs_files_entry {
	char *path; /* from the top, without a slash in front */
	uint32_t path_len;
	char *image; /* of the row; NULL: there is nothing */
	uint32_t image_len;
	struct stat st; /* when it was looked at last */
	bool racy;      /* it may have been written since, without a trace in st */
	bool linked;    /* the row says that it is the same file as another */
	uint64_t seen;  /* the walk that saw it last */
	char sha[BS_SHA256_HEX];
};

struct bs_files_entries {
	struct bs_files_entry *items; /* those that are gone stay, without an image */
	size_t count;
	struct bs_map index;
};

/* One thing that a walk found; in order of paths. */
struct bs_files_found {
	const char *path;
	uint32_t path_len;
	struct stat st;
	const struct bs_files_found *same_as; /* the first path of the same file; NULL: it is this, or has no other */
};

struct bs_files_walk {
	struct bs_files_found *items;
	size_t count;
	struct bs_arena arena;
};

/* What an image says; borrowed from it. */
struct bs_files_row {
	struct bs_blob path;
	enum bs_files_type type;
	unsigned mode;
	uint64_t size;
	struct bs_blob same_as; /* no data: none */
	struct bs_blob target;  /* of a symbolic link */
	const char *sha;        /* 64 digits of a file; not terminated */
	uint32_t uid, gid;
	int64_t modified_ns;
};

struct bs_files {
	struct bs_store store; /* first: this is the base */
	char *original; /* the user's directory; may not exist */
	char *folder;   /* ours: live, objects, staging */
	char *live_path;
	int live_fd;    /* -1: there is none */
	int objects_fd; /* contents by their SHA-256 */
	int staging_fd; /* what is made before it goes to its place, and what was taken away */
	uint64_t staged; /* numbers names there */
	struct bs_files_entries original_entries, root, shadow;
	bool has_snapshot, has_original, tracking;
	uint64_t walks;
	size_t entries_max; /* of a tree */

	/* What the last call of changes gave: */
	struct bs_change *changes;
	size_t change_count;
	char **retired; /* images that changes of the last call still show */
	size_t retired_count;

	struct bs_store_stats stats;
};

/* --- files_walk.c ------------------------------------------------------------------------------------ */

/* Everything below the directory. BS_ESTORE: something is there that cannot be put back; it is named. */
int bs_files_walk(const struct bs_files *s, int top_fd, struct bs_files_walk *ret_walk, struct bs_err *err);
void bs_files_walk_release(struct bs_files_walk *walk);
/* Opens the directory that a path is in, following no link; ret_name is the path's last part. -1 with errno. */
int bs_files_open_parent(int top_fd, const char *path, const char **ret_name);
/* Two looks at one file, between which nothing happened that leaves a trace. */
bool bs_files_same_stat(const struct stat *a, const struct stat *b);
int64_t bs_files_ns(struct timespec t);

/* --- files_objects.c --------------------------------------------------------------------------------- */

/* Copies everything from one descriptor to another; -1 with errno. */
int bs_files_copy(int from_fd, int to_fd);
/* A new file in staging, for writing; its name is in ret_name. */
#define BS_FILES_NAME 32
int bs_files_stage(struct bs_files *s, char ret_name[BS_FILES_NAME], struct bs_err *err);
void bs_files_stage_name(struct bs_files *s, char ret_name[BS_FILES_NAME]);
/* Opens contents for reading; -1 with errno. */
int bs_files_object(const struct bs_files *s, const char *sha);

/* --- files_read.c ------------------------------------------------------------------------------------ */

/* The contents of a file: its SHA-256, and the beginning for people. They are kept as an object from then on. */
struct bs_files_contents {
	char sha[BS_SHA256_HEX];
	struct bs_buf shown; /* all of it where it is small; else empty */
	struct stat st;
	bool racy;
};
int bs_files_read(struct bs_files *s, int top_fd, const char *path, struct bs_files_contents *ret_contents,
		  struct bs_err *err);
/* The same without keeping it. */
int bs_files_hash(const struct bs_files *s, int top_fd, const char *path, char ret_sha[BS_SHA256_HEX],
		  struct bs_err *err);
/* Where a symbolic link leads. */
int bs_files_read_link(int top_fd, const char *path, struct bs_buf *ret_target, struct bs_err *err);

/* --- files_row.c ------------------------------------------------------------------------------------- */

extern const struct bs_table bs_files_table;
/* contents: of a file; target: of a symbolic link. */
void bs_files_image(const struct bs_files_found *found, const struct stat *st, const struct bs_files_contents *contents,
		    struct bs_blob target, struct bs_buf *image);
int bs_files_row_read(struct bs_blob image, struct bs_files_row *ret_row, struct bs_err *err);
/* Whether both say the same, when it was written aside. */
bool bs_files_rows_match(struct bs_blob a, struct bs_blob b);

/* --- files_entry.c ----------------------------------------------------------------------------------- */

void bs_files_entries_release(struct bs_files_entries *entries);
struct bs_files_entry *bs_files_find(const struct bs_files_entries *entries, struct bs_blob path);
/* Finds or makes it. Valid until the next call. */
struct bs_files_entry *bs_files_put(struct bs_files_entries *entries, struct bs_blob path);

/* --- files_change.c ---------------------------------------------------------------------------------- */

/* Brings entries up to what is there now, and keeps what differs as the store's changes. */
int bs_files_look(struct bs_files *s, int top_fd, struct bs_files_entries *entries, struct bs_err *err);
int bs_files_changes(struct bs_store *store, struct bs_changes *ret_changes, struct bs_err *err);
void bs_files_forget_changes(struct bs_files *s);
/* Fails with BS_EBUSY when something is not as the shadow has it. */
int bs_files_check_unchanged(struct bs_files *s, struct bs_err *err);
int bs_files_digest(struct bs_store *store, uint64_t *ret_digest, uint64_t *ret_tables, struct bs_err *err);

/* --- files_plan.c ------------------------------------------------------------------------------------ */

/* What is to happen at one path. */
struct bs_files_step {
	struct bs_blob path;
	char *path_text;       /* the same, terminated */
	struct bs_blob remove; /* image that is there; no data: nothing is */
	struct bs_blob put;    /* image that is to be there */
	bool in_place;         /* the file stays and is written */
};

struct bs_files_plan {
	struct bs_files_step *steps; /* in order of paths: a directory before what is in it */
	size_t count;
};

/* BS_ESTORE: what is to be removed is not there. */
int bs_files_plan(const struct bs_files *s, const struct bs_net_row *rows, size_t count, struct bs_files_plan *ret_plan,
		  struct bs_err *err);
void bs_files_plan_release(struct bs_files_plan *plan);

/* --- files_apply.c ----------------------------------------------------------------------------------- */

/* All of a plan, or nothing. */
int bs_files_run(struct bs_files *s, const struct bs_files_plan *plan, struct bs_err *err);
int bs_files_apply(struct bs_store *store, const struct bs_net_row *rows, size_t count, struct bs_err *err);

#endif
