/*
 * A reporter folds the event stream into one format. Reporters know nothing of each other or of the
 * explorer; one that fails is recorded, changes the exit status to 4, and stops no other.
 */
#ifndef BACKSTEP_REPORTER_H
#define BACKSTEP_REPORTER_H

#include <backstep/event.h>
#include <stdio.h>

struct bs_reporter_options {
	const char *path;  /* where to write; NULL: the format's default; "-": standard output */
	const char *profile; /* one of the format's profiles; NULL: its first */
	bool append;       /* markdown: behind what the file holds already, as GitHub's job summary wants it */
	FILE *stream;      /* console: where to print; borrowed; else NULL */
	bool tty;          /* console: stream is a terminal: progress is redrawn */
	bool color;        /* console */
	bool job_log;      /* console: GitHub's runner reads the stream: nothing in it may be taken for its commands */
	unsigned width;    /* console: columns; 0: not known */
};

struct bs_reporter;

struct bs_reporter_profile { /* a variant of a format */
	const char *name, *description;
};

struct bs_reporter_ops {
	const char *name;         /* html */
	const char *description;  /* one line for --help */
	const char *default_path; /* backstep.html; NULL: a stream only */
	const struct bs_reporter_profile *profiles; /* the default first; ends with a NULL name; NULL: it has none */
	int (*open)(const struct bs_reporter_options *options, struct bs_reporter **ret_reporter, struct bs_err *err);
	/* Keeps what it needs: the event's strings are borrowed. */
	void (*on_event)(struct bs_reporter *reporter, const struct bs_event *event);
	/* Writes what is left, under a temporary name that is renamed at the end; frees. Errors: BS_EIO. */
	int (*close)(struct bs_reporter *reporter, struct bs_err *err);
};

/* The first member of every reporter's own struct. */
struct bs_reporter {
	const struct bs_reporter_ops *ops;
};

const struct bs_reporter_ops *bs_reporter_find(const char *name); /* NULL: no such format */
const struct bs_reporter_ops *bs_reporter_at(size_t index);       /* NULL past the last */
bool bs_reporter_has_profile(const struct bs_reporter_ops *ops, const char *profile);

/* Several reporters behind one sink. */
struct bs_fanout;
struct bs_fanout *bs_fanout_new(void);
/* Opens a reporter; a failure is returned and nothing is added. */
int bs_fanout_add(struct bs_fanout *fanout, const struct bs_reporter_ops *ops,
		  const struct bs_reporter_options *options, struct bs_err *err);
struct bs_sink bs_fanout_sink(struct bs_fanout *fanout);
/* Closes all. Returns how many failed; failed(ctx, name, err) is called for each. Frees. */
unsigned bs_fanout_close(struct bs_fanout *fanout,
			 void (*failed)(void *ctx, const char *name, const struct bs_err *err), void *ctx);

#endif
