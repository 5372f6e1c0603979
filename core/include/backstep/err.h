/*
 * Errors travel as a negative enum bs_code in the return value and, for people, as a struct bs_err
 * in the last parameter. The core never prints: the text that is set here is what the user reads,
 * so it is lower case, has no full stop, names the cause first and the subject in 'quotes'.
 *
 * err may be NULL everywhere. Functions that fail leave their ret_ parameters untouched.
 * Threads: a bs_err belongs to one thread.
 */
#ifndef BACKSTEP_ERR_H
#define BACKSTEP_ERR_H

#include <stdint.h>

enum bs_code {
	BS_OK = 0,
	BS_EUSAGE = -1,       /* the command line makes no sense; exit status 2 */
	BS_EMODEL = -2,       /* the model makes no sense; exit status 2 */
	BS_ETARGET = -3,      /* the application cannot be started or reached; exit status 3 */
	BS_ESTORE = -4,       /* a data store cannot be reached, read or put back; exit status 3 */
	BS_EEXPR = -5,        /* an expression cannot be evaluated; becomes the violation check-error */
	BS_EIO = -6,          /* a file of ours cannot be read or written; exit status 4 */
	BS_EINTERRUPTED = -7, /* the user asked to stop; exit status 4 */
	BS_EBUSY = -8,        /* a store is locked by the application for now: worth another try */
	BS_EINTERNAL = -9,    /* a promise of this program was broken; exit status 4 */
};

struct bs_err {
	enum bs_code code;
	char *message; /* owned; NULL when no error was set */
};

#define BS_ERR_INIT {BS_OK, NULL}

/* Where something stands in a file. line and column count from 1; 0 is "not known". */
struct bs_at {
	const char *file; /* borrowed: lives as long as the model */
	uint32_t line;
	uint32_t column; /* in bytes */
};

/* Sets code and message (replacing an earlier one) and returns code, so that callers can return it. */
int bs_err_set(struct bs_err *err, enum bs_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message on its way up, and returns the code. */
int bs_err_wrap(struct bs_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message, or a plain text for the code where none was set. Borrowed. */
const char *bs_err_text(const struct bs_err *err);

/* Frees the message and makes err usable again. */
void bs_err_release(struct bs_err *err);

#endif
