/* The page for operators: the state of services and dealers, on a listener of its own.
 *
 *   GET /status              HTML without script; with Accept: application/json the same as JSON
 *   GET /status?sort=COLUMN&order=asc|desc     dealers by a column; the most urgent first without
 * it GET /status/style.css
 *
 * No MCP in here and no credential: the services answer GetStatus to the gateway's certificate, or
 * to anybody where they talk without TLS. Whoever reaches the listener sees the page: it is on
 * loopback, or asks for a client certificate (common/http/pages.h). What was answered is shown for
 * a second to all who ask. */
#ifndef AMCP_GATEWAY_STATUS_H
#define AMCP_GATEWAY_STATUS_H

#include "common/http/pages.h"
#include "common/rpc/rpc.h"
#include "common/status/facts.h"

struct status_page_options {
  struct rpc_channel *auth, *report, *aggregate; /* outlive the page */
  struct status_self self;                       /* the gateway's row */
  const char *listen;                            /* STATUS_LISTEN; NULL: no page */
  struct pages_tls tls;
};

struct status_page;

/* *out is NULL without `listen`. Errors as pages_start(). */
enum err_code status_page_start(struct status_page **out, const struct status_page_options *options,
                                struct err *e);
uint16_t status_page_port(const struct status_page *p);
/* Before the channels end. NULL is fine. */
void status_page_stop(struct status_page *p);

#endif
