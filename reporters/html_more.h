/*
 * What a page carries compressed. The first 200 findings stand in it, whole as long as there is room, and then in
 * brief: enough to read and to replay them. Those in brief, and those beyond, are whole in one block that the script
 * unpacks:
 *
 *   <script type="application/octet-stream" id="more-findings" data-encoding="deflate-raw"> base64 </script>
 *
 * holds HTML, written by the same code as the page: first the parts, which are what several steps have in common, each
 * ended by a form feed; then the cards, those that count before those that could not be confirmed. An element
 *
 *   <details class="step" data-part="N" data-hole="TEXT"></details>
 *
 * has the content of the Nth part, from 0, with TEXT in place of the vertical tab in it. No text of a page can hold
 * these two characters, nor an unescaped ">", so both can be done on the text. With its parts filled in, a card is
 * what it would be in a page without a limit, but for the sources to copy that its script can make (issue, script).
 * One whose id an article.brief of the page has takes its place.
 *
 * The same step makes the same part, as every finding was replayed from the same start: that is what makes a
 * thousand findings small.
 */
#ifndef BS_REPORTERS_HTML_MORE_H
#define BS_REPORTERS_HTML_MORE_H

#include "html_page.h"

#define BS_HTML_PAGE_BYTES ((size_t)690000) /* what a page should weigh at most */
#define BS_HTML_PART_END '\f'
#define BS_HTML_WHOLE_ALWAYS 3              /* cards that are whole whatever they weigh */

struct bs_html_more *bs_html_more_new(void);
void bs_html_more_free(struct bs_html_more *more);

/* A finding in the page, as a whole card and in brief: one of the two will be removed. In the order of the page. What
 * is added to the whole one after this call is in the page only. into: the id of the section. */
void bs_html_more_card(struct bs_html_more *more, const char *into, xmlNode *whole, xmlNode *brief);

/* A card that is not in the page but in the block; it is freed. */
void bs_html_more_add(struct bs_html_more *more, const char *into, xmlNode *card);

/* Once the rest of the page is there: takes out what is too much, and fills the block or removes it. */
void bs_html_more_fit(struct bs_html_page *page);

#endif
