/* See html_base64.h. */
#include "html_base64.h"

#include "base/buf.h"

#include <stdint.h>

void bs_html_base64(struct bs_buf *out, const void *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (n > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (n > 2)
			group |= bytes[i + 2];
		char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], '=', '='};
		if (n > 1)
			four[2] = alphabet[group >> 6 & 63];
		if (n > 2)
			four[3] = alphabet[group & 63];
		bs_buf_add(out, four, sizeof four);
	}
}
