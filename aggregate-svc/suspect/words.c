/* Words for findings. */
#include "aggregate-svc/suspect/suspect.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"

enum { DATE_BYTES = 16 };

const char *suspect_name(enum suspect_code code)
{
  switch (code) {
  case SUSPECT_TRAFFIC:
    return "suspect_traffic";
  case SUSPECT_GAP:
    return "gap";
  case SUSPECT_LATE_START:
    return "late_start";
  case SUSPECT_DUPLICATES:
    return "duplicate_leads";
  case SUSPECT_KEY_EVENTS:
    return "key_events";
  case SUSPECT_SHIFT:
    return "level_shift";
  case SUSPECT_SELF_REFERRAL:
    return "self_referral";
  case SUSPECT_CODES:
  default:
    return "unknown";
  }
}

static const char *lost_consequence(const struct suspect_finding *f)
{
  return f->effects & EFFECT_NO_RATES
             ? "fewer than 14 days remain, so its rates are left out of every benchmark and get no "
               "verdict; its counts are too low, and no change against another period"
             : "rates are those of the other days; its counts are too low, and no change against "
               "another period";
}

const char *suspect_consequence(enum suspect_code code, const struct suspect_finding *f)
{
  switch (code) {
  case SUSPECT_TRAFFIC:
    return "left out of every benchmark and pool, and gets no verdict";
  case SUSPECT_GAP:
  case SUSPECT_LATE_START:
    return lost_consequence(f);
  case SUSPECT_DUPLICATES:
    return "lead rates count sessions with a lead in place of lead events";
  case SUSPECT_KEY_EVENTS:
    return "engagement is compared only with dealers that have the same frequent key events";
  case SUSPECT_SHIFT:
    return "no change against another period";
  case SUSPECT_SELF_REFERRAL:
    return "the source of these sessions is unknown: read them as self-referral";
  case SUSPECT_CODES:
  default:
    return "";
  }
}

static void put_days(struct buf *b, const struct suspect_finding *f)
{
  char first[DATE_BYTES], last[DATE_BYTES];
  clock_format_date(f->first, first, sizeof(first));
  clock_format_date(f->last, last, sizeof(last));
  if (f->first == f->last)
    buf_printf(b, " (%s)", first);
  else
    buf_printf(b, " (%s to %s)", first, last);
}

void suspect_put(struct buf *b, enum suspect_code code, const struct suspect_finding *f)
{
  switch (code) {
  case SUSPECT_TRAFFIC:
    buf_printf(b, "a wave of sessions without engagement or from far away on %lld day%s",
               (long long)f->days, text_s((size_t)f->days));
    put_days(b, f);
    buf_printf(b, ", %.0f %% of the period's sessions", 100 * f->amount);
    break;
  case SUSPECT_GAP:
    buf_printf(b, "%lld day%s without a session", (long long)f->days, text_s((size_t)f->days));
    put_days(b, f);
    break;
  case SUSPECT_LATE_START:
    buf_puts(b, "no session before the period, nor in its first ");
    buf_printf(b, "%lld day%s", (long long)f->days, text_s((size_t)f->days));
    put_days(b, f);
    break;
  case SUSPECT_DUPLICATES:
    buf_printf(b, "%.1f lead events in each session with a lead", f->amount);
    break;
  case SUSPECT_KEY_EVENTS:
    buf_puts(b, "other frequent key events than the other dealers, which make sessions engaged");
    break;
  case SUSPECT_SHIFT:
    buf_printf(b, "sessions at %.0f %% of their earlier level for %lld days", 100 * f->amount,
               (long long)f->days);
    put_days(b, f);
    buf_puts(b, " while rates rose: consent banner or change of tracking");
    break;
  case SUSPECT_SELF_REFERRAL:
    buf_printf(b, "%.0f %% of the sessions come from its own host or a tool's", 100 * f->amount);
    break;
  case SUSPECT_CODES:
  default:
    break;
  }
}
