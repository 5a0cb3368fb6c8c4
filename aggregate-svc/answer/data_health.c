/* Signs of each dealer in sentences, and what the dealers are good for. */
#include "aggregate-svc/answer/data_health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/figures/findings.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CheckDataHealthResult Result;
typedef Analytics__Aggregate__V1__DealerHealth DealerHealth;
typedef Analytics__Aggregate__V1__HealthSign HealthSign;

enum {
  SIGNS_MAX = SUSPECT_CODES + HEALTH_EVENTS_MAX + 8, /* of one dealer */
  SENTENCE_BYTES = 600,
  HEADLINE_BYTES = 1000,
  EVENT_BYTES = 100,
  PLACE_BYTES = 60,
  NAMES_SHOWN = 3,
  TEXT_MOST = 6000, /* bytes of the answer as text, and of the names of columns */
  TEXT_COLUMNS = 100,
};

/* The signs of one dealer while they are collected. */
struct signs {
  const struct cohort_member *member;
  HealthSign **list;
  size_t n;
  struct arena *arena;
};

static void add_sign(struct signs *s, const char *sign, const char *what, const char *unusable)
{
  HealthSign *m = ARENA_NEW(s->arena, HealthSign);
  analytics__aggregate__v1__health_sign__init(m);
  m->dealer_id = borrow_text(s->member->dealer_id);
  m->sign = borrow_text(sign);
  m->what = arena_strdup(s->arena, what);
  m->unusable = borrow_text(unusable);
  s->list[s->n++] = m;
}

/* --------------------------------------------------------------------- what is found */

/* Where a wave or self-referral comes from. */
static void put_origin(struct buf *b, enum suspect_code code, const struct health_dealer *d)
{
  const char *origin = code == SUSPECT_TRAFFIC         ? d->far_place
                       : code == SUSPECT_SELF_REFERRAL ? d->self_source
                                                       : "";
  if (origin[0] == '\0')
    return;
  buf_puts(b, ", most of it from ");
  text_put_clipped(b, origin, PLACE_BYTES);
}

static void add_findings(struct signs *s, const struct health_dealer *d)
{
  for (size_t k = 0; k < SUSPECT_CODES; k++) {
    enum suspect_code code = suspect_by_harm[k];
    const struct suspect_finding *f = &d->findings.of[code];
    AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
    if (!f->found)
      continue;
    suspect_put(&b, code, f);
    put_origin(&b, code, d);
    add_sign(s, suspect_name(code), buf_str(&b), suspect_consequence(code, f));
  }
}

static void add_events(struct signs *s, const struct health_dealer *d)
{
  static const struct {
    const char *sign, *words, *unusable;
  } rows[] = {
      [EVENT_CHANGE_STOPPED] = {"event_stopped", "has not fired since",
                                "figures of this event from that day on, and changes across it"},
      [EVENT_CHANGE_BEGAN] = {"event_began", "fires since",
                              "figures of this event before that day, and changes across it"},
      [EVENT_CHANGE_KEY] = {"key_event_changed", "became or ceased to be a key event on",
                            "changes of engagement and key events across that day"},
  };
  for (size_t i = 0; i < d->n_events; i++) {
    const struct health_event *e = &d->events[i];
    AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
    char day[16];
    clock_format_date(e->day, day, sizeof(day));
    text_put_clipped(&b, e->name, EVENT_BYTES);
    buf_printf(&b, " %s %s", rows[e->change].words, day);
    add_sign(s, rows[e->change].sign, buf_str(&b), rows[e->change].unusable);
  }
}

/* Which of the parameters that tell a vehicle are not registered. */
static void add_missing_dimensions(struct signs *s)
{
  static const struct {
    unsigned bit;
    const char *name;
  } parameters[] = {{VEHICLE_PARAMETER_MAKE, "item_make"},
                    {VEHICLE_PARAMETER_MODEL, "item_model"},
                    {VEHICLE_PARAMETER_CONDITION, "item_condition"},
                    {VEHICLE_PARAMETER_FUEL, "item_fuel_type"}};
  const struct vehicle_settings *v = &s->member->vehicles;
  AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
  size_t n = 0;
  if (v->make[0] != '\0' && v->model[0] != '\0') /* other dimensions are configured */
    return;
  buf_puts(&b, "not registered as custom dimensions: ");
  for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
    if (!(v->registered & parameters[i].bit))
      buf_printf(&b, "%s%s", n++ > 0 ? ", " : "", parameters[i].name);
  const unsigned both = VEHICLE_PARAMETER_MAKE | VEHICLE_PARAMETER_MODEL;
  if (n > 0)
    add_sign(s, "missing_dimensions", buf_str(&b),
             (v->registered & both) == both
                 ? "condition and powertrain of viewed vehicles"
                 : "vehicle models are read from paths and titles of pages, less exactly");
}

static void add_notes(struct signs *s, const struct dealer_notes *n)
{
  char text[100];
  if (n->sampled) {
    snprintf(text, sizeof(text), "Google read %.1f %% of the events and extrapolated",
             100 * n->sample_rate);
    add_sign(s, "sampling", text, "exact counts: they are estimates");
  }
  if (n->thresholding)
    add_sign(s, "thresholding", "Google withholds small numbers, in reports by place above all",
             "sums over rows: they are too low");
  if (n->other_row)
    add_sign(s, "other_row", "Google folds rare values into \"(other)\"",
             "rare values of the dimension");
  if (n->truncated)
    add_sign(s, "truncated", "Google left out part of the data of the period",
             "figures of the days that are missing");
  if (n->restricted)
    add_sign(s, "restricted_metrics", "the credential may not see cost or revenue",
             "cost and revenue: they come back as 0");
}

static void collect(struct signs *s, const struct health_answer *a, size_t member)
{
  const struct health_dealer *d = &a->dealers[member];
  s->member = &a->cohort->members[member];
  s->list = ARENA_ARRAY(s->arena, HealthSign *, SIGNS_MAX);
  add_findings(s, d);
  add_events(s, d);
  if (a->no_lead_event[member])
    add_sign(s, "no_lead_event", "no known lead event fired in 90 days and none is configured",
             "all lead figures: they are unknown, not 0");
  add_missing_dimensions(s);
  add_notes(s, &a->notes[member]);
}

/* ---------------------------------------------------------------------------- dealers */

static const char *use_of(const struct health_dealer *d, size_t n_signs)
{
  unsigned effects = suspect_effects(&d->findings);
  if (effects & EFFECT_NO_POOL)
    return "left_out";
  if (effects & EFFECT_NO_RATES)
    return "rates_left_out";
  return n_signs > 0 ? "caveats" : "no_sign";
}

static DealerHealth *dealer_message(const struct health_answer *a, size_t member, size_t n_signs,
                                    struct arena *arena)
{
  const struct health_dealer *d = &a->dealers[member];
  DealerHealth *m = ARENA_NEW(arena, DealerHealth);
  char day[16] = "";
  analytics__aggregate__v1__dealer_health__init(m);
  if (d->reach.newest > 0)
    clock_format_date(d->reach.newest, day, sizeof(day));
  m->dealer_id = borrow_text(a->cohort->members[member].dealer_id);
  m->name = borrow_text(a->cohort->members[member].name);
  m->use = borrow_text(use_of(d, n_signs));
  m->sessions = d->sessions;
  m->days_without_data = (int32_t)d->days_without;
  m->last_day = arena_strdup(arena, day);
  m->signs = (int32_t)n_signs;
  return m;
}

/* A dealer while the order is made. */
struct looked_at {
  int harm;
  size_t member;
  struct signs signs;
};

static int harm_of(const struct health_dealer *d, size_t n_signs)
{
  unsigned effects = suspect_effects(&d->findings);
  return effects & EFFECT_NO_POOL ? 3 : effects & EFFECT_NO_RATES ? 2 : effects != 0 || n_signs > 0;
}

static int most_harm_first(const void *a, const void *b)
{
  const struct looked_at *x = a, *y = b;
  if (x->harm != y->harm)
    return x->harm > y->harm ? -1 : 1;
  return (x->member > y->member) - (x->member < y->member);
}

/* Adds a dealer and its signs when the page has room for them. */
static bool add_dealer(Result *r, const struct health_answer *a, const struct looked_at *x,
                       struct paging *page, struct arena *arena)
{
  DealerHealth *d = dealer_message(a, x->member, x->signs.n, arena);
  size_t bytes = paging_text_bytes(&d->base);
  for (size_t k = 0; k < x->signs.n; k++)
    bytes += paging_text_bytes(&x->signs.list[k]->base);
  if (!paging_take(page, bytes))
    return false;
  r->dealers[r->n_dealers++] = d;
  for (size_t k = 0; k < x->signs.n; k++)
    r->signs[r->n_signs++] = x->signs.list[k];
  return true;
}

/* A page of the dealers, in what the rest of the answer leaves. */
static void add_dealers(Result *r, const struct health_answer *a, const struct looked_at *list,
                        size_t n, struct arena *arena)
{
  struct paging page = {.offset = a->offset,
                        .limit = a->limit,
                        .left = paging_left(TEXT_MOST, paging_head_bytes(&r->base) + TEXT_COLUMNS)};
  size_t all = 0;
  for (size_t i = 0; i < n; i++)
    all += list[i].signs.n;
  r->dealers = ARENA_ARRAY(arena, DealerHealth *, n);
  r->signs = ARENA_ARRAY(arena, HealthSign *, all);
  for (size_t i = page.offset; i < n && add_dealer(r, a, &list[i], &page, arena); i++)
    ;
  r->next_offset = paging_next(&page, n);
}

/* ----------------------------------------------------------------------------- headline */

/* "3 of 24 dealers are in no benchmark: A, B and C." */
static void put_left_out(struct buf *b, const struct health_answer *a, const struct looked_at *list,
                         size_t n, int harm, const char *words)
{
  size_t k = 0, shown = 0;
  for (size_t i = 0; i < n; i++)
    k += list[i].harm == harm;
  if (k == 0)
    return;
  buf_printf(b, "; %zu %s (", k, words);
  for (size_t i = 0; i < n && shown < NAMES_SHOWN; i++)
    if (list[i].harm == harm) {
      buf_puts(b, shown++ > 0 ? ", " : "");
      text_put_clipped(b, a->cohort->members[list[i].member].name, PLACE_BYTES);
    }
  buf_puts(b, k > shown ? ", ...)" : ")");
}

static char *headline_of(const Result *r, const struct health_answer *a,
                         const struct looked_at *list, size_t n, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  size_t clean = 0;
  for (size_t i = 0; i < n; i++)
    clean += list[i].signs.n == 0;
  buf_printf(&b, "%d of %d dealer%s looked at, %s to %s: %zu without a sign", r->coverage->ok,
             r->coverage->asked, text_s((size_t)r->coverage->asked), r->period->start_date,
             r->period->end_date, clean);
  put_left_out(&b, a, list, n, 3, "left out of every benchmark");
  put_left_out(&b, a, list, n, 2, "left out of benchmarks of rates");
  put_left_out(&b, a, list, n, 1, "with caveats");
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

static void add_caveats(Result *r, const struct health_answer *a,
                        const struct resolved_period *resolved, struct arena *arena)
{
  struct caveats out = {.arena = arena};
  caveats_add_missing(&out, a->cohort);
  if (a->not_visible > 0)
    caveats_add(&out, "%zu dealer%s of the region that you may not see by name %s no part.",
                a->not_visible, text_s(a->not_visible), a->not_visible == 1 ? "takes" : "take");
  caveats_add(&out, "Forms in frames of other sites (finance, scheduling, manufacturers) are not "
                    "visible to Google Analytics, and no sign shows them.");
  period_caveats(&out, a->period, r->period, resolved);
  r->caveats = out.items;
  r->n_caveats = out.n;
}

static const struct suspect_findings *findings_of_dealer(const void *arg, size_t member)
{
  return &((const struct health_dealer *)arg)[member].findings;
}

Result *data_health(const struct health_answer *a, struct arena *arena)
{
  Result *r = ARENA_NEW(arena, Result);
  struct resolved_period resolved;
  AUTO_FREE struct looked_at *list = xcalloc(a->cohort->n + 1, sizeof(*list));
  size_t n = 0;
  analytics__aggregate__v1__check_data_health_result__init(r);
  r->period = period_message(a->period, a->cohort, a->notes, a->now_unix_ms, arena, &resolved);
  r->coverage = cohort_coverage(a->cohort, arena);
  findings_add_left_out(r->coverage, a->cohort, findings_of_dealer, a->dealers, arena);
  for (size_t i = 0; i < a->cohort->n; i++) {
    if (a->cohort->members[i].state != DEALER_OK)
      continue;
    struct looked_at *x = &list[n++];
    x->member = i;
    x->signs.arena = arena;
    collect(&x->signs, a, i);
    x->harm = harm_of(&a->dealers[i], x->signs.n);
  }
  qsort(list, n, sizeof(*list), most_harm_first);
  add_caveats(r, a, &resolved, arena);
  r->headline = headline_of(r, a, list, n, arena);
  add_dealers(r, a, list, n, arena);
  return r;
}
