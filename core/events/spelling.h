/*
 * One text in its spellings: "a/b" may stand in an answer as a%2Fb, a\/b or a&#47;b. Reading decodes one unit at
 * a time, so a secret needs no list of its encoded forms, of which there are more than anyone thinks of
 * (which characters are escaped is up to the encoder).
 */
#ifndef BS_EVENTS_SPELLING_H
#define BS_EVENTS_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

enum bs_spelling {
	BS_SPELL_PLAIN,
	BS_SPELL_PERCENT, /* RFC 3986, and '+' for a space as in forms */
	BS_SPELL_JSON,    /* RFC 8259 section 7 */
	BS_SPELL_XML,     /* the entities that XML and HTML share, and character references */
};
#define BS_SPELLINGS 4

/* Whether text (of len bytes) can differ from plain in that spelling at all. */
bool bs_spelling_occurs(enum bs_spelling spelling, const char *text, size_t len);

/* Decodes what stands at text into 1 to 4 bytes. Returns how much of text that is (len > 0: at least 1). ret_count 0
 * means that the end of the text cut it off. */
size_t bs_spelling_next(enum bs_spelling spelling, const char *text, size_t len, char ret_bytes[4], size_t *ret_count);

/* How much of text spells wanted, 0 for "it does not". When the text ends first, `least` bytes of wanted are enough. */
size_t bs_spelling_match(enum bs_spelling spelling, const char *text, size_t len, const char *wanted,
			 size_t wanted_len, size_t least);

#endif
