/*
 * Secrets are taken out of text before it leaves the core. A secret is known by its value and is found
 *
 *   - as it is, percent-encoded (any of its bytes, either case of the hex digits, + for a space), escaped as in
 *     JSON, escaped as in XML and HTML;
 *   - in base64 and base64url wherever it stands in what was encoded (so also in "user:password" of Basic);
 *   - in hex, upper or lower case;
 *   - cut off by the end of the text, when 8 of its bytes (half of it, but 4, for a shorter secret) are there:
 *     bodies are capped.
 *
 * Of secrets that overlap all is taken. The place says which secret stood there and nothing else, not even its
 * length: "[redacted env.ANN_TOKEN]". That text has no quote and no backslash: it can stand in JSON and in
 * a shell's quotes. The password in a URL (scheme://user:password@host) is taken whether it is known or not.
 *
 * Secrets of less than 4 bytes are not looked for in text: "dev" or "42" stand in half of all answers, and
 * a report full of holes tells where they are more than it hides. In credential headers they are covered.
 * Not found: a secret that the application hashed, compressed, reversed or split.
 *
 * Threads: any number may redact as long as none adds.
 */
#ifndef BS_EVENTS_REDACT_H
#define BS_EVENTS_REDACT_H

#include <stdbool.h>
#include <stddef.h>

struct bs_redactor;
struct bs_redactor *bs_redactor_new(void);
void bs_redactor_free(struct bs_redactor *redactor);

/* label is what people know the secret by ("env.ANN_TOKEN"; NULL: nothing); other characters than letters,
 * digits, '.', '_' and '-' become '_'. Both are copied. White space around the secret does not count. NULL and short
 * secrets are ignored; of two labels for one secret the first stays. */
void bs_redactor_add(struct bs_redactor *redactor, const char *secret, const char *label);

/* Learns the credential that a header carries: what follows the scheme (of Basic, the password as well), or all of it;
 * of cookies each value of 16 bytes or more, as shorter ones are settings ("lang=en"). Other headers: nothing. The
 * label of what is learned is the header's name. */
void bs_redactor_add_header(struct bs_redactor *redactor, const char *name, const char *value);

/* Whether a header of that name (in any case) carries a credential. */
bool bs_redact_is_credential(const char *name);

size_t bs_redactor_count(const struct bs_redactor *redactor); /* how many secrets it knows */

/* Text without secrets. The caller's to free(). NULL gives NULL; without a redactor only URL passwords go. */
char *bs_redact_text(const struct bs_redactor *redactor, const char *text);

/* The same for the value of a header. Headers that carry credentials (Authorization, Cookie, X-Api-Key, ...) lose
 * their value whatever it is; what tells people something stays: the scheme ("Bearer [redacted]"), the names
 * of cookies, the attributes of Set-Cookie. */
char *bs_redact_header(const struct bs_redactor *redactor, const char *name, const char *value);

/* The same for a JSON text, which is JSON afterwards: secrets are looked for in each string as it is meant, and a
 * number that holds one becomes a string. What is no JSON comes back as a string of it, redacted. */
char *bs_redact_json(const struct bs_redactor *redactor, const char *json);

/* The length of what stands for a secret at text ("[redacted]", "[redacted env.ANN_TOKEN]"), 0 when none does. */
size_t bs_redact_marker(const char *text);

#endif
