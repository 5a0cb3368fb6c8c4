/* Headline and caveats of an answer about traffic sources. */
#include <string.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/traffic_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesResult Result;
typedef Analytics__Aggregate__V1__TrafficSource Source;
typedef Analytics__Aggregate__V1__Standing Standing;

enum { HEADLINE_BYTES = 1500, LABEL_BYTES = 60, HEADLINE_SOURCES = 3 };

/* "Direct (index 152)" of each with the word; returns how many there are. */
static size_t put_word(struct buf *b, const Result *r, Standing word, const char *words)
{
  size_t found = 0;
  for (size_t i = 0; i < r->n_sources; i++) {
    const Source *s = r->sources[i];
    if (s->standing != word || ++found > HEADLINE_SOURCES)
      continue;
    buf_puts(b, found == 1 ? words : ", ");
    text_put_clipped(b, s->source, LABEL_BYTES);
    buf_printf(b, " (index %.0f)", s->index);
  }
  if (found > HEADLINE_SOURCES)
    buf_printf(b, " and %zu more", found - HEADLINE_SOURCES);
  return found;
}

static void put_largest(struct buf *b, const Result *r)
{
  const Source *s = r->sources[0];
  buf_puts(b, ": most sessions are from ");
  text_put_clipped(b, s->source, LABEL_BYTES);
  buf_printf(b, " (%.1f %%", 100 * s->share);
  if (s->opt_others_share_case != 0)
    buf_printf(b, ", the others %.1f %%", 100 * s->others_share);
  buf_puts(b, ")");
}

static bool is_suspect(const Result *r)
{
  bool suspect = false;
  for (size_t i = 0; i < r->n_sources; i++)
    suspect =
        suspect || r->sources[i]->standing == ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA;
  return suspect;
}

/* Whether no source can be judged, because the others' lead rates are withheld. */
static bool all_withheld(const Result *r)
{
  size_t withheld = 0, other = 0;
  for (size_t i = 0; i < r->n_sources; i++) {
    withheld += r->sources[i]->standing == ANALYTICS__AGGREGATE__V1__STANDING__BENCHMARK_WITHHELD;
    other += r->sources[i]->standing == ANALYTICS__AGGREGATE__V1__STANDING__TOO_LITTLE_DATA ||
             r->sources[i]->standing == ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE;
  }
  return withheld > 0 && other == 0;
}

static void put_findings(struct buf *b, const Result *r, bool alone)
{
  size_t better =
      put_word(b, r, ANALYTICS__AGGREGATE__V1__STANDING__BETTER, "; better lead rate: ");
  size_t worse = put_word(b, r, ANALYTICS__AGGREGATE__V1__STANDING__WORSE, "; worse lead rate: ");
  if (better + worse > 0)
    return;
  if (is_suspect(r))
    buf_puts(b, "; its data is suspect, so its lead rates are not judged");
  else if (all_withheld(r))
    buf_puts(b, "; the others' lead rates are withheld, so none is judged");
  else if (r->tested > 0)
    buf_printf(b, "; no clear difference in the lead rate of a source (%d tested)", r->tested);
  else
    buf_puts(b, alone ? "; there is no other dealer to compare with"
                      : "; too little data to judge lead rates");
}

static char *headline(const struct traffic_question *q, const Result *r,
                      const struct subject_words *w, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  subject_put_name(&b, &q->of, "it is not compared");
  subject_put_scope(&b, &w->frame);
  bool read = subject_member(&q->of)->state == DEALER_OK;
  if (read && !subject_put_nothing(&b, w, r->sessions) && r->n_sources > 0) {
    put_largest(&b, r);
    put_findings(&b, r, dealer_is_alone(&w->shown->cohort));
  }
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

static int64_t sessions_of(const Result *r, const char *source)
{
  for (size_t i = 0; i < r->n_sources; i++)
    if (strcmp(r->sources[i]->source, source) == 0)
      return r->sources[i]->sessions;
  return 0;
}

static void source_caveats(struct caveats *c, const Result *r, size_t folded)
{
  int64_t self = sessions_of(r, traffic_self), unset = sessions_of(r, breakdown_unset);
  double all = (double)r->sessions;
  if (self > 0)
    caveats_add(c,
                "%.1f %% of the sessions have the dealer's own website as their source, or that of "
                "another dealer of yours or of a tool (credit, trade-in), and are one row, "
                "(self-referral): a visit was cut in two, so the channel that it came from is "
                "lost. Check cross-domain settings and the list of unwanted referrals.",
                100 * (double)self / all);
  if (unset > 0)
    caveats_add(c,
                "%.1f %% of the sessions have no known source: (not set) and empty values are "
                "one row.",
                100 * (double)unset / all);
  if (folded > 0)
    caveats_add(c, "(other) is what the dealer's %zu further source%s ha%s together.", folded,
                text_s(folded), folded == 1 ? "s" : "ve");
}

/* A source whose benchmark is not shown. */
static void withheld_caveat(struct caveats *c, const Result *r)
{
  size_t n = 0;
  for (size_t i = 0; i < r->n_sources; i++)
    n += r->sources[i]->suppressed[0] != '\0';
  if (n > 0)
    caveats_add(c,
                "Figures of the others are withheld for %zu source%s, see `suppressed`: too few "
                "or too unequal dealers have them to hide a single one's.",
                n, text_s(n));
}

void traffic_words(const struct traffic_question *q, const struct outside_view *shown,
                   const struct traffic_parts *p, size_t folded, Result *r, struct arena *arena)
{
  struct subject_words w;
  subject_words_begin(&w, &q->of, shown, q->of.dealers, SUBJECT_FRAME(r), arena);
  dealer_caveats_alone(&w.caveats, &shown->cohort);
  source_caveats(&w.caveats, r, folded);
  withheld_caveat(&w.caveats, r);
  subject_words_end(&w, p->lead_events);
  r->headline = headline(q, r, &w, arena);
}
