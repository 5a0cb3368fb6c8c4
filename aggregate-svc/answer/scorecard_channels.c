/* The channels of the scorecard, beside the others'. */
#include <stdlib.h>

#include "aggregate-svc/answer/scorecard.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__BenchmarkDealerResult Result;
typedef Analytics__Aggregate__V1__ScorecardChannel Channel;

#define CHANNEL(field) ANALYTICS__AGGREGATE__V1__SCORECARD_CHANNEL__OPT_##field

static Channel *channel_message(const struct scorecard *s, const struct channel_mix *mix,
                                size_t channel, struct arena *arena)
{
  const struct dealer_figures *f = &s->of.figures.dealers[s->of.figures.cohort->subject];
  const struct channel_others *o = &mix->others[channel];
  const struct dealer_counts *own = &f->channels[channel];
  Channel *c = ARENA_NEW(arena, Channel);
  analytics__aggregate__v1__scorecard_channel__init(c);
  c->channel = borrow_text(channel_name(channel));
  c->sessions = own->sessions;
  if (f->now.sessions > 0) {
    c->opt_share_case = CHANNEL(SHARE_SHARE);
    c->share = (double)own->sessions / (double)f->now.sessions;
  }
  if (f->lead_event != LEAD_UNKNOWN && own->sessions > 0) {
    c->opt_leads_per_100_case = CHANNEL(LEADS_PER_100_LEADS_PER_100_SESSIONS);
    c->leads_per_100_sessions = 100 * (double)own->leads / (double)own->sessions;
  }
  if (o->has_share) {
    c->opt_benchmark_share_case = CHANNEL(BENCHMARK_SHARE_BENCHMARK_SHARE);
    c->benchmark_share = o->share;
  }
  if (o->has_rate) {
    c->opt_benchmark_leads_case = CHANNEL(BENCHMARK_LEADS_BENCHMARK_LEADS_PER_100_SESSIONS);
    c->benchmark_leads_per_100_sessions = o->rate;
  }
  return c;
}

/* Most sessions first; equal ones in Google's order. */
static int most_sessions_first(const void *a, const void *b)
{
  const Channel *x = *(Channel *const *)a, *y = *(Channel *const *)b;
  if (x->sessions != y->sessions)
    return x->sessions > y->sessions ? -1 : 1;
  size_t i = channel_find(x->channel), k = channel_find(y->channel);
  return (i > k) - (i < k);
}

void scorecard_channels(const struct scorecard *s, const struct channel_mix *mix, Result *r,
                        struct arena *arena)
{
  const struct cohort_figures *figures = &s->of.figures;
  const struct dealer_counts *channels = figures->dealers[figures->cohort->subject].channels;
  r->channels = ARENA_ARRAY(arena, Channel *, CHANNELS);
  for (size_t c = 0; channels != NULL && c < CHANNELS; c++)
    if (channels[c].sessions > 0 || (mix->others[c].has_share && mix->others[c].share > 0))
      r->channels[r->n_channels++] = channel_message(s, mix, c, arena);
  if (r->n_channels > 1)
    qsort(r->channels, r->n_channels, sizeof(*r->channels), most_sessions_first);
}
