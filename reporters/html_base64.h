/* Base64 (RFC 4648 section 4), for what a page carries that is no text. */
#ifndef BS_REPORTERS_HTML_BASE64_H
#define BS_REPORTERS_HTML_BASE64_H

#include <stddef.h>

struct bs_buf;

void bs_html_base64(struct bs_buf *out, const void *data, size_t len);

#endif
