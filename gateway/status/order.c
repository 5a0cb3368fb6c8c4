/* Sorting by column. */
#include "gateway/status/order.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/status/join.h"

typedef Analytics__Status__V1__DealerRow row;

static const char *const names[ORDER_COLUMNS] = {"state", "dealer", "report", "failures",
                                                 "quota", "token",  "region", "data"};

const char *order_name(enum order_column column)
{
  return names[column];
}

bool order_read(struct order *out, const char *sort, const char *order)
{
  int column = 0;
  *out = (struct order){ORDER_STATE, false};
  while (sort != NULL && column < ORDER_COLUMNS && strcmp(names[column], sort) != 0)
    column++;
  if (column == ORDER_COLUMNS)
    return false;
  out->column = (enum order_column)column;
  out->descending = order != NULL && strcmp(order, "desc") == 0;
  return order == NULL || out->descending || strcmp(order, "asc") == 0;
}

/* Of "timeout 3, invalid_grant 2". */
static long failures_of(const row *r)
{
  long all = 0;
  for (const char *p = r->failures; (p = strchr(p, ' ')) != NULL;)
    all += strtol(++p, NULL, 10); /* 0 where another reason begins */
  return all;
}

static int by_number(long a, long b)
{
  return (a > b) - (a < b);
}

/* What is not known stands behind what is. */
static long quota_of(const row *r)
{
  return r->quota_left[0] == '\0' ? __LONG_MAX__ : strtol(r->quota_left, NULL, 10);
}

static int compare(const row *x, const row *y, enum order_column column)
{
  switch (column) {
  case ORDER_STATE:
    return by_number(status_state_of(x->state), status_state_of(y->state));
  case ORDER_DEALER:
    return strcasecmp(x->name, y->name);
  case ORDER_REPORT:
    return strcmp(x->last_report, y->last_report);
  case ORDER_FAILURES:
    return by_number(failures_of(x), failures_of(y));
  case ORDER_QUOTA:
    return by_number(quota_of(x), quota_of(y));
  case ORDER_TOKEN:
    return strcmp(x->last_token, y->last_token);
  case ORDER_REGION:
    return strcasecmp(x->region, y->region);
  case ORDER_DATA:
    return strcmp(x->data_through, y->data_through);
  case ORDER_COLUMNS:
  default:
    return 0;
  }
}

static int by_order(const void *a, const void *b, void *user)
{
  const row *x = *(row *const *)a, *y = *(row *const *)b;
  const struct order *order = user;
  int way = compare(x, y, order->column);
  if (way == 0)
    return strcmp(x->dealer_id, y->dealer_id);
  return order->descending ? -way : way;
}

void order_rows(row **rows, size_t n, struct order order)
{
  if (n > 1)
    qsort_r(rows, n, sizeof(*rows), by_order, &order);
}
