/* A listening TCP socket. */
#ifndef GA4_SIM_LISTEN_H
#define GA4_SIM_LISTEN_H

#include <stdint.h>

#include "common/base/error.h"

/* Port 0 takes a free one. ERR_UNAVAILABLE names a port that is in use as the reason. */
enum err_code listen_on(const char *host, uint16_t port, int *out, struct err *e);
/* The port of a listening socket; 0 when it has none. */
uint16_t listen_port(int fd);

#endif
