/* Puts the answer about landing pages together. */
#include "aggregate-svc/answer/pages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/pages_parts.h"
#include "aggregate-svc/disclosure/forms.h"
#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/verdict/expected.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesResult Result;
typedef Analytics__Aggregate__V1__LandingPage Page;

#define PAGE_HAS(field) ANALYTICS__AGGREGATE__V1__LANDING_PAGE__##field

/* One page while the rows are made. */
struct judged {
  size_t page;
  int64_t sessions;
  struct expected_cell cell;
  const char *label;
};

/* Cells of a page by channel against the rates of its type. With a released rate there is one cell:
 * all of the page against the type. */
static double expect(const struct pages_parts *p, size_t page, bool one_rate)
{
  size_t n = p->channels.n, type = pages_type(p, page);
  AUTO_FREE struct stats_cell *cells = xcalloc(n + 1, sizeof(*cells));
  struct stats_standardised s;
  for (size_t c = 0; c < n; c++) {
    struct stats_ratio own = *breakdown_part(&p->pages, page, c);
    struct stats_cell *to = &cells[one_rate ? 0 : c];
    to->own.numerator += own.numerator;
    to->own.denominator += own.denominator;
    cells[c].peers = p->rates[type * n + c];
  }
  return stats_standardise(cells, n, STATS_Z95, &s) ? s.expected : 0;
}

/* Rows without a page of the website, and types that are none, are not held to anything. */
static bool is_page(const char *template)
{
  return template[0] != '(';
}

static struct judged judged_of(const struct pages_parts *p, const struct pages_question *q,
                               size_t page)
{
  struct judged j = {.page = page, .label = pages_template(p, page)};
  for (size_t c = 0; c < p->channels.n; c++) {
    j.sessions += breakdown_part(&p->pages, page, c)->denominator;
    j.cell.observed += breakdown_part(&p->pages, page, c)->numerator;
  }
  if (is_page(j.label) && p->lead_events[q->of.cohort->subject] != LEAD_UNKNOWN)
    j.cell.expected = expect(p, page, q->from_region && q->of.cohort->outside > 0);
  j.cell.withheld = is_page(j.label) && p->lead_events[q->of.cohort->subject] != LEAD_UNKNOWN &&
                    !disclosure_ok(p->codes[pages_type(p, page)]);
  j.cell.suspect = !subject_usable(&q->of, (size_t)q->of.cohort->subject);
  return j;
}

/* ---------------------------------------------------------------------------- order */

static int group_of_word(enum expected_word w)
{
  return w == EXPECTED_ABOVE ? 0 : w == EXPECTED_BELOW ? 1 : 2;
}

/* Above and below by what is gained or lost, the rest by sessions. */
static int by_word(const void *a, const void *b)
{
  const struct judged *x = a, *y = b;
  int g = group_of_word(x->cell.word), h = group_of_word(y->cell.word);
  if (g != h)
    return g - h;
  double p = g < 2 ? fabs((double)x->cell.observed - x->cell.expected) : (double)x->sessions;
  double r = g < 2 ? fabs((double)y->cell.observed - y->cell.expected) : (double)y->sessions;
  if (p != r)
    return p > r ? -1 : 1;
  return strcmp(x->label, y->label);
}

/* -------------------------------------------------------------------------- messages */

/* With a released rate the interval is widened to steps and q left out, as everywhere. */
static void set_expected(Page *m, const struct expected_cell *c, bool open)
{
  double low = c->low, high = c->high;
  if (!(c->expected > 0) || c->suspect)
    return;
  if (!open) {
    form_interval(100 * c->low, 100 * c->high, &low, &high);
    low /= 100;
    high /= 100;
  }
  m->opt_expected_case = PAGE_HAS(OPT_EXPECTED_EXPECTED);
  m->expected = open ? c->expected : form_expected(c->expected);
  m->opt_ratio_case = PAGE_HAS(OPT_RATIO_RATIO);
  m->ratio = open ? c->ratio : nearbyint(100 * c->ratio) / 100;
  m->opt_ratio_low_case = PAGE_HAS(OPT_RATIO_LOW_RATIO_LOW);
  m->ratio_low = low;
  m->opt_ratio_high_case = PAGE_HAS(OPT_RATIO_HIGH_RATIO_HIGH);
  m->ratio_high = high;
  if (!open || !c->tested)
    return;
  m->opt_q_case = PAGE_HAS(OPT_Q_Q);
  m->q = c->q;
}

static Page *page_message(const struct judged *j, const struct pages_parts *p,
                          const struct pages_question *q, struct arena *arena)
{
  size_t type = pages_type(p, j->page);
  Page *m = ARENA_NEW(arena, Page);
  analytics__aggregate__v1__landing_page__init(m);
  m->page = borrow_text(j->label);
  m->type = borrow_text(p->types.values[type]->label);
  m->sessions = j->sessions;
  m->verdict = borrow_text(expected_word_name(j->cell.word));
  if (p->lead_events[q->of.cohort->subject] != LEAD_UNKNOWN) {
    m->opt_lead_sessions_case = PAGE_HAS(OPT_LEAD_SESSIONS_LEAD_SESSIONS);
    m->lead_sessions = j->cell.observed;
  }
  if (is_page(j->label))
    m->suppressed = borrow_text(disclosure_code_name(p->codes[type]));
  set_expected(m, &j->cell, !q->from_region || q->of.cohort->outside == 0);
  return m;
}

static void add_rows(const struct pages_parts *p, const struct pages_question *q, Result *r,
                     struct arena *arena)
{
  size_t n = 0;
  AUTO_FREE struct judged *list = xcalloc(p->pages.n + 1, sizeof(*list));
  AUTO_FREE struct expected_cell *cells = xcalloc(p->pages.n + 1, sizeof(*cells));
  for (size_t v = 0; v < p->pages.n; v++) {
    list[n] = judged_of(p, q, v);
    n += list[n].sessions > 0 || list[n].cell.observed > 0;
  }
  for (size_t i = 0; i < n; i++) {
    cells[i] = list[i].cell;
    r->page_count += is_page(list[i].label);
  }
  r->tested = (int32_t)expected_judge(cells, n);
  for (size_t i = 0; i < n; i++)
    list[i].cell = cells[i];
  qsort(list, n, sizeof(*list), by_word);
  r->pages = ARENA_ARRAY(arena, Page *, PAGES_ROWS_MAX);
  for (size_t i = 0; i < n && i < PAGES_ROWS_MAX; i++)
    r->pages[r->n_pages++] = page_message(&list[i], p, q, arena);
}

Result *compare_pages(const struct pages_question *q, struct arena *arena)
{
  size_t subject = (size_t)q->of.cohort->subject;
  CLEANUP(pages_parts_free) struct pages_parts p;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__compare_landing_pages_result__init(r);
  pages_parts_make(&p, q, arena);
  struct cohort_figures live = {q->of.cohort, q->of.dealers, q->of.leads};
  struct outside_view shown;
  outside_show(q->of.door, "CompareLandingPages", &live, q->of.notes, arena, &shown);
  r->dealer_id = borrow_text(q->of.cohort->members[subject].dealer_id);
  r->expected_from = borrow_text(q->from_region ? "region" : "own");
  if (p.lead_events[subject] != LEAD_UNKNOWN)
    r->lead_event = q->of.leads->names[p.lead_events[subject]];
  add_rows(&p, q, r, arena);
  pages_words(q, &shown, &p, r, arena);
  return r;
}
