/* Error text: set at the cause, wrapped with context on the way up. See backstep/err.h. */
#include <backstep/err.h>

#include "mem.h"

#include <stdarg.h>
#include <stdio.h>

int bs_err_set(struct bs_err *err, enum bs_code code, const char *format, ...)
{
	va_list args;
	char *message = NULL;

	if (!err)
		return code;
	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		abort();
	va_end(args);
	free(err->message);
	err->message = message;
	err->code = code;
	return code;
}

int bs_err_wrap(struct bs_err *err, const char *format, ...)
{
	va_list args;
	char *context = NULL;

	if (!err)
		return BS_EINTERNAL;
	va_start(args, format);
	if (vasprintf(&context, format, args) < 0)
		abort();
	va_end(args);
	char *message = bs_xasprintf("%s: %s", context, bs_err_text(err));
	free(context);
	free(err->message);
	err->message = message;
	return err->code;
}

const char *bs_err_text(const struct bs_err *err)
{
	if (err->message)
		return err->message;
	switch (err->code) {
	case BS_OK: return "no error";
	case BS_EUSAGE: return "bad usage";
	case BS_EMODEL: return "the model is not valid";
	case BS_ETARGET: return "the application cannot be reached";
	case BS_ESTORE: return "a store cannot be reached";
	case BS_EEXPR: return "an expression cannot be evaluated";
	case BS_EIO: return "a file cannot be read or written";
	case BS_EINTERRUPTED: return "interrupted";
	case BS_EBUSY: return "a store is locked by the application";
	case BS_EINTERNAL: return "internal error";
	}
	return "unknown error";
}

void bs_err_release(struct bs_err *err)
{
	if (!err)
		return;
	free(err->message);
	err->message = NULL;
	err->code = BS_OK;
}
