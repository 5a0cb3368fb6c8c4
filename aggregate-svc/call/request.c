/* Checks of requests. */
#include "aggregate-svc/call/request.h"

#include <string.h>

#include "aggregate-svc/cohort/cohort.h"

enum { ID_BYTES_MAX = 128 * 4, NAME_BYTES_MAX = 256 * 4 };

static enum err_code invalid(struct err *e, const char *field, size_t i, const char *what)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s[%zu]: %s", field, i, what);
}

enum err_code request_check_dealers(char *const *dealer_ids, size_t n, const char *region,
                                    struct err *e)
{
  if (n > 0 && region[0] != '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "region: give dealer_ids or region, not both");
  if (strlen(region) > ID_BYTES_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "region: longer than 128 characters; list_dealers shows the regions");
  if (n > COHORT_MAX_DEALERS)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "dealer_ids: %zu items; at most %d, or give a region", n, COHORT_MAX_DEALERS);
  for (size_t i = 0; i < n; i++) {
    if (dealer_ids[i][0] == '\0')
      return invalid(e, "dealer_ids", i, "empty; list_dealers shows the ids");
    if (strlen(dealer_ids[i]) > ID_BYTES_MAX)
      return invalid(e, "dealer_ids", i, "longer than 128 characters; list_dealers shows the ids");
  }
  return ERR_OK;
}

enum err_code request_period(struct period *out, const Analytics__Ga4__V1beta__DateRange *range,
                             int64_t now_unix_ms, struct err *e)
{
  if (range == NULL)
    return period_parse(out, false, NULL, NULL, now_unix_ms, e);
  return period_parse(out, true, range->start_date, range->end_date, now_unix_ms, e);
}

enum err_code request_check_names(const char *field, char *const *names, size_t n, size_t max,
                                  struct err *e)
{
  if (n > max)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s: %zu items; at most %zu", field,
                   n, max);
  for (size_t i = 0; i < n; i++) {
    if (names[i][0] == '\0')
      return invalid(e, field, i, "empty; give a GA4 API name");
    if (strlen(names[i]) > NAME_BYTES_MAX)
      return invalid(e, field, i, "longer than 256 characters; give a GA4 API name");
    for (size_t k = 0; k < i; k++)
      if (strcmp(names[i], names[k]) == 0)
        return invalid(e, field, i, "given twice");
  }
  return ERR_OK;
}
