/*
 * Building SARIF's objects. Text is made fit for where it goes by the function that puts it there:
 *
 *   exact text   bodies, headers: what was sent and answered, with only invalid UTF-8 replaced
 *   a line       ids, names: control and bidirectional characters are made visible, no line break, a greatest length
 *   a message    a line in which nothing is a link or a placeholder but what we put there (sections 3.11.5 and 3.11.6)
 *   a URI        percent-encoded
 */
#ifndef BS_REPORTERS_SARIF_JSON_H
#define BS_REPORTERS_SARIF_JSON_H

#include "base/buf.h"
#include "base/json.h"

#include <backstep/event.h>

#define BS_SARIF_NAME_MAX 255 /* bytes of an id or a name: GitHub's limit */
#define BS_SARIF_TEXT_MAX 4096     /* of what is put into a message */
#define BS_SARIF_MESSAGE_MAX 16384 /* of all of it */

/* Adding to an object. All return what was added, which belongs to the parent. Text that is NULL is not added. */
cJSON *bs_sarif_object(cJSON *parent, const char *key);
cJSON *bs_sarif_array(cJSON *parent, const char *key);
cJSON *bs_sarif_text(cJSON *parent, const char *key, const char *exact);
cJSON *bs_sarif_line(cJSON *parent, const char *key, const char *text);
cJSON *bs_sarif_number(cJSON *parent, const char *key, uint64_t number); /* as text beyond what a double holds */
cJSON *bs_sarif_bool(cJSON *parent, const char *key, bool value);
/* {"text": message}, of at most max bytes; an empty one is no message, and not added. */
cJSON *bs_sarif_message(cJSON *parent, const char *key, const struct bs_buf *message, size_t max);
cJSON *bs_sarif_item(cJSON *array); /* an object at its end */
/* Adds text under a key that comes from an API; a key that is there gets ", " and the text behind what it has. */
void bs_sarif_join(cJSON *parent, const char *key, const char *exact);

/* Appends to a message. */
void bs_sarif_say(struct bs_buf *message, const char *text);
/* The same as a link to the related location of that id (section 3.11.6). */
void bs_sarif_say_link(struct bs_buf *message, const char *text, unsigned id);
/* Text on one line, cut to max bytes. The caller's to free(). */
char *bs_sarif_one_line(const char *text, size_t max);

/* {"physicalLocation": ...} at a place, its path relative to the root of the sources or a file: URI. A place without a
 * line is the beginning of its file; without a file, of `otherwise`. */
cJSON *bs_sarif_location(const struct bs_ev_place *at, const char *otherwise);
cJSON *bs_sarif_artifact_location(const char *path);

#define BS_SARIF_ROOT "%SRCROOT%"

#endif
