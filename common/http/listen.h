/* Listening sockets: one owner per port, and a message that helps when it is taken. */
#ifndef AMCP_HTTP_LISTEN_H
#define AMCP_HTTP_LISTEN_H

#include <stdint.h>

#include "common/base/error.h"

struct listen_options {
  const char *host;    /* name or address; "" for every address, IPv6 and IPv4 */
  uint16_t port;       /* 0 for any free one */
  int backlog;         /* connections that may wait to be accepted */
  const char *setting; /* the setting that names the port, for messages: "ADMIN_LISTEN" */
};

/* Opens a socket that does not block, is not inherited by programs started later, takes IPv4 too
 * when it is bound to [::], and can be bound again right after its owner has ended, but not while
 * another program listens there. *fd is the caller's to close, *bound the port it got. Errors:
 * ERR_INVALID_ARGUMENT (reason "bad_address") when the host cannot be resolved, ERR_UNAVAILABLE
 * ("address_in_use", "listen_failed") when it cannot be listened on. Thread-safe; may block while
 * a name is resolved. */
enum err_code listen_open(int *fd, uint16_t *bound, const struct listen_options *options,
                          struct err *e);

#endif
