/* Ratios as percents, rounded where the others may not be seen. */
#include "aggregate-svc/answer/change_form.h"

#include <math.h>

#include "aggregate-svc/disclosure/forms.h"

static double percent(double ratio)
{
  return 100 * (ratio - 1);
}

static double shown(double ratio, bool restricted)
{
  return restricted ? nearbyint(percent(ratio)) : percent(ratio);
}

static void set_relative(struct change_form *out, const struct stats_change *c, bool restricted)
{
  double low = 100 * c->low, high = 100 * c->high;
  if (restricted)
    form_interval(low, high, &low, &high);
  out->relative = shown(c->ratio, restricted);
  out->relative_low = low - 100;
  out->relative_high = high - 100;
}

struct change_form change_form_of(const struct change_row *row, bool restricted)
{
  struct change_form out = {.has_own = row->own.known,
                            .has_own_interval = row->own.known && row->own.change.high > 0,
                            .has_market = row->market.known,
                            .has_relative = row->has_relative};
  if (out.has_own)
    out.own = percent(row->own.change.ratio);
  if (out.has_own_interval) {
    out.own_low = percent(row->own.change.low);
    out.own_high = percent(row->own.change.high);
  }
  if (out.has_market)
    out.market = shown(row->market.change.ratio, restricted);
  if (out.has_relative)
    set_relative(&out, &row->relative, restricted);
  return out;
}
