/* HTML of the page for operators. */
#ifndef AMCP_GATEWAY_STATUS_PAGE_H
#define AMCP_GATEWAY_STATUS_PAGE_H

#include "common/base/buf.h"
#include "gateway/status/order.h"

enum { PAGE_MAX = 16 << 20 };

/* What is drawn. */
struct page {
  const Analytics__Status__V1__ServiceStatus *status; /* its dealers in the order of `order` */
  struct order order;
  int64_t asked_unix_ms; /* when the services were asked */
};

/* Appends the whole page, every text escaped. */
void page_put(struct buf *out, const struct page *p);

#endif
