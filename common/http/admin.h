/* The small listener for operators: /livez, /readyz, /metrics. Plain HTTP, no secrets. */
#ifndef AMCP_HTTP_ADMIN_H
#define AMCP_HTTP_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct admin;

struct admin_options {
  const char *listen; /* host:port; port 0 takes a free one; NULL for no listener */
  /* Whether the program can serve. Appends one line per condition to detail:
   * "ok dealers: 24 loaded". Called on the listener's thread. NULL means always. */
  bool (*ready)(void *user, struct buf *detail);
  void *user;
};

/* /livez 200 "ok"; /readyz 200 or 503 with the detail; /metrics in Prometheus' format;
 * others 404, other methods 405. A busy port is ERR_UNAVAILABLE with the address. Without
 * `listen`, *out is NULL, with which the two functions at the end do nothing. */
enum err_code admin_start(struct admin **out, const struct admin_options *options, struct err *e);
uint16_t admin_port(const struct admin *a);
/* Makes /readyz answer 503 "draining" from now on. */
void admin_set_draining(struct admin *a);
void admin_stop(struct admin *a);

#endif
