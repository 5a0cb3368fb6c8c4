/* Headline and caveats of an answer about landing pages. */
#include <string.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/pages_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesResult Result;
typedef Analytics__Aggregate__V1__LandingPage Page;

enum { HEADLINE_BYTES = 1500, LABEL_BYTES = 80, HEADLINE_PAGES = 3 };

/* "/specials/ (3 leads, expected 9.6)" of each with the verdict; returns how many there are. */
static size_t put_pages(struct buf *b, const Result *r, const char *verdict, const char *words)
{
  size_t found = 0;
  for (size_t i = 0; i < r->n_pages; i++) {
    const Page *p = r->pages[i];
    if (strcmp(p->verdict, verdict) != 0 || ++found > HEADLINE_PAGES)
      continue;
    buf_puts(b, found == 1 ? words : ", ");
    text_put_clipped(b, p->page, LABEL_BYTES);
    buf_printf(b, " (%lld lead sessions, expected %.3g)", (long long)p->lead_sessions, p->expected);
  }
  if (found > HEADLINE_PAGES)
    buf_printf(b, " and %zu more", found - HEADLINE_PAGES);
  return found;
}

/* Why the others' rate is withheld for the largest page of which it is; NULL for none. */
static const char *withheld_code(const Result *r)
{
  for (size_t i = 0; i < r->n_pages; i++)
    if (r->pages[i]->suppressed[0] != '\0')
      return r->pages[i]->suppressed;
  return NULL;
}

static void put_findings(struct buf *b, const Result *r, bool suspect, bool alone)
{
  size_t below = put_pages(b, r, "below_expected", ": fewer leads than expected: ");
  size_t above = put_pages(b, r, "above_expected",
                           below > 0 ? "; more than expected: " : ": more leads than expected: ");
  if (below + above > 0)
    return;
  if (suspect)
    buf_puts(b, ": its data is suspect, so its pages are not judged");
  else if (alone)
    buf_puts(b, ": there is no other dealer to compare with");
  else if (r->tested == 0 && withheld_code(r) != NULL)
    buf_printf(b, ": the others' rates are withheld (%s), so no page is judged by them",
               text_withheld(withheld_code(r)));
  else if (r->tested > 0)
    buf_printf(b, ": no landing page has clearly more or fewer leads than expected (%d tested)",
               r->tested);
  else
    buf_puts(b, ": no landing page has enough leads to be judged");
}

static char *headline(const struct pages_question *q, const Result *r,
                      const struct subject_words *w, int64_t sessions, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  subject_put_name(&b, &q->of, "its pages are not compared");
  if (q->from_region)
    subject_put_scope(&b, &w->frame);
  else
    buf_printf(&b, " against its own rates, %s to %s", r->period->start_date, r->period->end_date);
  if (subject_member(&q->of)->state == DEALER_OK && !subject_put_nothing(&b, w, sessions))
    put_findings(&b, r, !subject_usable(&q->of, (size_t)q->of.cohort->subject),
                 q->from_region && dealer_is_alone(q->of.cohort));
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* Sessions of the subject on pages of a type. */
static int64_t sessions_of(const struct pages_parts *p, size_t subject, const char *type)
{
  for (size_t v = 0; v < p->types.n; v++)
    if (strcmp(p->types.values[v]->label, type) == 0)
      return breakdown_part(&p->types, v, subject)->denominator;
  return 0;
}

static void page_caveats(struct caveats *c, const struct pages_question *q,
                         const struct pages_parts *p, const Result *r)
{
  size_t subject = (size_t)q->of.cohort->subject;
  int64_t unset = sessions_of(p, subject, breakdown_unset);
  double all = (double)breakdown_total(&p->types, subject).denominator;
  if (q->of.cohort->members[subject].state != DEALER_OK)
    return;
  caveats_add(c, "Ids, VINs and years in paths are folded, and vehicle pages are by model; a page "
                 "is compared with its own type only.");
  if (unset > 0)
    caveats_add(c,
                "%.1f %% of the sessions have no landing page: (not set) and empty values are one "
                "row.",
                100 * (double)unset / all);
  if (q->from_region)
    dealer_caveats_alone(c, q->of.cohort);
  if (q->from_region && q->of.cohort->outside > 0)
    caveats_add(c, "The others' rates are by page type alone, not by channel: a page with unusual "
                   "channels can differ for that reason.");
  dealer_caveats_names(c, &q->of.cohort->members[subject], 1);
  if (r->page_count > (int32_t)r->n_pages)
    caveats_add(c, "There are %d landing pages, of which the first rows are shown.", r->page_count);
}

void pages_words(const struct pages_question *q, const struct outside_view *shown,
                 const struct pages_parts *p, Result *r, struct arena *arena)
{
  struct subject_words w;
  subject_words_begin(&w, &q->of, shown, q->of.dealers, SUBJECT_FRAME(r), arena);
  page_caveats(&w.caveats, q, p, r);
  subject_words_end(&w, p->lead_events);
  int64_t sessions = breakdown_total(&p->types, (size_t)q->of.cohort->subject).denominator;
  r->headline = headline(q, r, &w, sessions, arena);
}
