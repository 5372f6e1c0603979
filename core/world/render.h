/*
 * Request templates filled with values: the model's side of a request becomes the exchange that http.c sends.
 */
#ifndef BS_WORLD_RENDER_H
#define BS_WORLD_RENDER_H

#include "context.h"
#include "http.h"
#include "model/model.h"
#include "stores/stores.h"

/* What placeholders may name. */
struct bs_render {
	const struct bs_model *model;
	const struct bs_stores *stores;
	const struct bs_context *context;     /* NULL: no captured variables here */
	const struct bs_operation *operation; /* its variants; NULL: none */
	const char *unique;                   /* NULL: not available here */
	uint16_t port;
	const char *base_url;
};

/* The value of a placeholder's name (a dotted path into captured JSON included). What it borrows lives as
 * long as what render points to. BS_EEXPR when there is none. */
int bs_render_value(const struct bs_render *render, const char *name, size_t len, struct bs_value *ret_value,
		    struct bs_err *err);

/* As text, without any encoding. The caller's to free. */
int bs_render_text(const struct bs_render *render, const struct bs_template *template, char **ret_text,
		   struct bs_err *err);

/* As JSON text, numbers exact. Appended to out. */
int bs_render_json(const struct bs_render *render, const struct bs_json_template *template, struct bs_buf *out,
		   struct bs_err *err);

/* The whole request. exchange is empty before, and owned by the caller in any case. Values are percent-encoded
 * in the path and the query; a value that would climb the path, or would break out of a header, is
 * BS_EEXPR: the API gave us something that must not be sent. */
int bs_render_request(const struct bs_render *render, const struct bs_request *request,
		      struct bs_exchange *exchange, struct bs_err *err);

#endif
