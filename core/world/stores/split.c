/* See split.h. */
#include "split.h"

#include <ctype.h>
#include <string.h>

#define TOKEN_MIN 16 /* bytes of letters and digits that are taken for an identifier */

static bool is_identifier(const char *text, size_t len)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)text[i]))
			digits++;
		else if (isalpha((unsigned char)text[i]))
			letters++;
		else if (text[i] != '-' && text[i] != '_')
			return false;
	return len && (digits == len || (len >= TOKEN_MIN && digits && letters));
}

static bool separates(const char *separators, char c)
{
	return c && strchr(separators, c);
}

void bs_split_name(struct bs_blob name, const char *separators, struct bs_buf *pattern, struct bs_blob *ret_id)
{
	const char *text = name.data;
	size_t end = name.len;

	for (;;) { /* from the last part to the first */
		size_t begin = end;
		while (begin && !separates(separators, text[begin - 1]))
			begin--;
		if (is_identifier(text + begin, end - begin)) {
			bs_buf_add(pattern, text, begin);
			bs_buf_addc(pattern, '*');
			bs_buf_add(pattern, text + end, name.len - end);
			*ret_id = (struct bs_blob){text + begin, (uint32_t)(end - begin)};
			return;
		}
		if (!begin)
			break;
		end = begin - 1;
	}
	bs_buf_add(pattern, text, name.len);
	*ret_id = (struct bs_blob){NULL, 0};
}
