/*
 * TCP ports for what this program starts: an application under test, a private server.
 */
#ifndef BS_BASE_PORT_H
#define BS_BASE_PORT_H

#include <backstep/err.h>
#include <stdint.h>

/* A free TCP port on 127.0.0.1, bound and released just now: another program may take it meanwhile. BS_ETARGET: there
 * is none. */
int bs_port_free(uint16_t *ret_port, struct bs_err *err);

#endif
