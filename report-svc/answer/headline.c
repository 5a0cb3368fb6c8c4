/* Headlines of reports. */
#include "report-svc/answer/headline.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/request/request.h"

/* Names of the API that people have a word for. */
static const struct {
  const char *name, *word;
} words[] = {
    {"defaultChannelGroup", "channel"},
    {"deviceCategory", "device"},
    {"engagedSessions", "engaged sessions"},
    {"engagementRate", "engagement rate"},
    {"eventCount", "events"},
    {"eventName", "event"},
    {"keyEvents", "key events"},
    {"landingPage", "landing page"},
    {"newUsers", "new users"},
    {"pagePath", "page"},
    {"screenPageViews", "page views"},
    {"sessionDefaultChannelGroup", "channel"},
    {"sessionMedium", "medium"},
    {"sessionSource", "source"},
    {"sessionSourceMedium", "source and medium"},
    {"totalUsers", "users"},
    {"yearMonth", "month"},
};

static const char *word_of(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(words); i++)
    if (strcmp(words[i].name, name) == 0)
      return words[i].word;
  return name;
}

const char *headline_s(int64_t n)
{
  return n == 1 ? "" : "s";
}

void headline_put_dealer(struct buf *out, const struct token *t, const char *property)
{
  if (t->dealer_name[0] != '\0')
    buf_printf(out, "%.120s (%.80s)", t->dealer_name, t->dealer_ref);
  else
    buf_puts(out, t->dealer_ref[0] != '\0' ? t->dealer_ref : property);
}

/* "sessions, engaged sessions and 3 more" */
static void put_names(struct buf *out, const char *const *names, size_t n)
{
  enum { NAMED = 3 };
  size_t shown = n <= NAMED ? n : NAMED;
  for (size_t i = 0; i < shown; i++)
    buf_printf(out, "%s%.60s", i == 0 ? "" : i + 1 == n ? " and " : ", ", word_of(names[i]));
  if (n > shown)
    buf_printf(out, " and %zu more", n - shown);
}

static void put_extent(struct buf *out, const struct headline *h)
{
  if (h->rows == 0)
    buf_puts(out, "No rows");
  else if (h->first == 0 && h->rows >= h->row_count)
    buf_printf(out, "%" PRId64 " row%s", h->rows, headline_s(h->rows));
  else
    buf_printf(out, "Rows %" PRId64 " to %" PRId64 " of %" PRId64, h->first + 1, h->first + h->rows,
               h->row_count);
}

void headline_put_report(struct buf *out, const struct headline *h, const struct token *t,
                         const char *property)
{
  const char *metrics[REQUEST_MAX_METRICS], *dimensions[REQUEST_MAX_DIMENSIONS];
  size_t n_metrics = 0, n_dimensions = 0;
  for (size_t i = 0; i < h->n_metrics && n_metrics < REQUEST_MAX_METRICS; i++)
    if (!ga4_is_hidden(&h->definitions, h->metrics[i]))
      metrics[n_metrics++] = h->metrics[i];
  for (; n_dimensions < h->n_dimensions && n_dimensions < REQUEST_MAX_DIMENSIONS; n_dimensions++)
    dimensions[n_dimensions] = h->dimensions[n_dimensions];
  put_extent(out, h);
  buf_puts(out, " of ");
  put_names(out, n_metrics > 0 ? metrics : dimensions, n_metrics > 0 ? n_metrics : n_dimensions);
  if (n_metrics > 0 && n_dimensions > 0) {
    buf_puts(out, " by ");
    put_names(out, dimensions, n_dimensions);
  }
  buf_puts(out, " for ");
  headline_put_dealer(out, t, property);
  for (size_t i = 0; i < h->n_ranges; i++) {
    buf_puts(out, i == 0 ? ", " : i + 1 == h->n_ranges ? " and " : ", ");
    answer_put_days(out, &h->ranges[i]);
  }
}
