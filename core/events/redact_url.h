/* See redact_url.c. */
#ifndef BS_EVENTS_REDACT_URL_H
#define BS_EVENTS_REDACT_URL_H

/* Takes text, gives back the same or a copy without the passwords of URLs in it. Frees what it does not give back. */
char *bs_redact_urls(char *text);

#endif
