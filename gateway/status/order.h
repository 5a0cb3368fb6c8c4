/* The order of the dealers on the page. */
#ifndef AMCP_GATEWAY_STATUS_ORDER_H
#define AMCP_GATEWAY_STATUS_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/status/v1/status.pb-c.h"

enum order_column {
  ORDER_STATE, /* the most urgent first */
  ORDER_DEALER,
  ORDER_REPORT,
  ORDER_FAILURES,
  ORDER_QUOTA,
  ORDER_TOKEN,
  ORDER_REGION,
  ORDER_DATA, /* what is not known first */
  ORDER_COLUMNS
};

struct order {
  enum order_column column;
  bool descending;
};

/* "state", as in ?sort=. Static. */
const char *order_name(enum order_column column);
/* Reads ?sort= and ?order=, each NULL for what is usual: by state, ascending. False when one is
 * none of the names. */
bool order_read(struct order *out, const char *sort, const char *order);
/* A list of its own of the rows, sorted; equal ones by dealer_id. n entries. */
void order_rows(Analytics__Status__V1__DealerRow **rows, size_t n, struct order order);

#endif
