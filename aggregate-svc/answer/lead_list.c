/* Dealers are put together by what their websites count. */
#include "aggregate-svc/answer/lead_list.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__ListMetricsResponse Response;
typedef Analytics__Aggregate__V1__LeadDefinition Row;

enum { BESIDE_MAX = 4 };

/* The dealers that share what `of` counts. */
struct alike {
  struct lead_site of;
  size_t dealers, name_bytes;
  size_t first; /* member */
};

static bool same(const struct lead_site *a, const struct lead_site *b)
{
  return a->event == b->event && a->configured == b->configured && a->contacts == b->contacts &&
         a->told_apart == b->told_apart;
}

/* The most dealers first, then in the order of the cohort. */
static int by_dealers(const void *a, const void *b)
{
  const struct alike *x = a, *y = b;
  if (x->dealers != y->dealers)
    return x->dealers > y->dealers ? -1 : 1;
  return x->first < y->first ? -1 : 1;
}

static size_t put_together(struct alike *out, const struct cohort *c, const struct lead_site *sites)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++) {
    size_t k = 0;
    if (c->members[i].state != DEALER_OK)
      continue;
    while (k < n && !same(&out[k].of, &sites[i]))
      k++;
    if (k == n)
      out[n++] = (struct alike){.of = sites[i], .first = i};
    out[k].dealers++;
    out[k].name_bytes += strlen(c->members[i].name);
  }
  qsort(out, n, sizeof(*out), by_dealers);
  return n;
}

/* --------------------------------------------------------------------------- rows */

static void add_beside(Row *row, const struct lead_site *site, int kind, const char *word)
{
  bool is_lead = site->event != LEAD_UNKNOWN && lead_kind_of(site->event) == (enum lead_kind)kind;
  if ((site->contacts & (1U << kind)) != 0 && !is_lead)
    row->beside[row->n_beside++] = borrow_text(word);
}

static void set_beside(Row *row, const struct lead_site *site, struct arena *arena)
{
  row->beside = ARENA_ARRAY(arena, char *, BESIDE_MAX);
  add_beside(row, site, LEAD_KIND_CALL, "calls");
  add_beside(row, site, LEAD_KIND_CHAT, site->told_apart ? "chats" : "chats or texts");
  if (site->told_apart)
    add_beside(row, site, LEAD_KIND_CHAT, "texts");
  add_beside(row, site, LEAD_KIND_APPOINTMENT, "appointments");
}

static void set_names(Row *row, const struct alike *a, const struct cohort *c,
                      const struct lead_site *sites, struct arena *arena)
{
  row->names = ARENA_ARRAY(arena, char *, a->dealers);
  for (size_t i = a->first; i < c->n; i++)
    if (c->members[i].state == DEALER_OK && same(&sites[i], &a->of))
      row->names[row->n_names++] = borrow_text(c->members[i].name);
}

static Row *row_of(const struct alike *a, const struct lead_events *leads, struct arena *arena)
{
  Row *row = ARENA_NEW(arena, Row);
  analytics__aggregate__v1__lead_definition__init(row);
  row->dealers = (int32_t)a->dealers;
  row->source = borrow_text(a->of.configured ? "configured" : "observed");
  if (a->of.event != LEAD_UNKNOWN) {
    row->lead_event = leads->names[a->of.event];
    row->kind = borrow_text(lead_event_kind(row->lead_event));
  }
  set_beside(row, &a->of, arena);
  return row;
}

/* What is rare is named first, with `left` bytes of names: who is in no named row counts as the
 * others do. */
static void add_rows(Response *out, const struct alike *all, size_t n, const struct cohort *c,
                     const struct lead_events *leads, const struct lead_site *sites, size_t left,
                     struct arena *arena)
{
  out->leads = ARENA_ARRAY(arena, Row *, n + 1);
  out->n_leads = n;
  for (size_t i = n; i-- > 0;) {
    out->leads[i] = row_of(&all[i], leads, arena);
    if (all[i].name_bytes > left)
      continue;
    set_names(out->leads[i], &all[i], c, sites, arena);
    left -= all[i].name_bytes;
  }
}

/* ------------------------------------------------------------------------- caveats */

static void say_without(struct caveats *out, const struct err *without)
{
  static const char nothing[] = "Which event counts as a lead for which dealer is not listed";
  if (strcmp(without->reason, "too_many_dealers") == 0)
    caveats_add(out, "%s of more than %d dealers; compare_dealer_sessions names it for a region.",
                nothing, COHORT_MAX_DEALERS);
  else
    caveats_add(out, "%s: %s.", nothing, without->message);
}

static void say_unknown(struct caveats *out, const struct alike *all, size_t n)
{
  size_t dealers = 0;
  for (size_t i = 0; i < n; i++)
    dealers += all[i].of.event == LEAD_UNKNOWN ? all[i].dealers : 0;
  if (dealers > 0)
    caveats_add(
        out,
        "No lead event is known for %zu dealer%s, whose leads are unknown, not 0: configure "
        "lead_event.",
        dealers, text_s(dealers));
}

static void say_left_out(struct caveats *out, const struct alike *all, size_t shown, size_t n)
{
  size_t dealers = 0;
  for (size_t i = shown; i < n; i++)
    dealers += all[i].dealers;
  if (dealers > 0)
    caveats_add(out,
                "%zu more dealer%s count leads in %zu other ways; compare_dealer_sessions names "
                "their events.",
                dealers, text_s(dealers), n - shown);
}

static void list_sites(Response *out, const struct cohort *c, const struct lead_events *leads,
                       const struct lead_site *sites, size_t name_bytes, struct caveats *caveats)
{
  struct alike *all = ARENA_ARRAY(caveats->arena, struct alike, c->n + 1);
  size_t n = put_together(all, c, sites), shown = n < LEAD_LIST_ROWS ? n : LEAD_LIST_ROWS;
  add_rows(out, all, shown, c, leads, sites, name_bytes, caveats->arena);
  say_unknown(caveats, all, n);
  say_left_out(caveats, all, shown, n);
  caveats_add_missing(caveats, c);
  out->coverage = cohort_coverage(c, caveats->arena);
}

void lead_list(Response *out, const struct cohort *c, const struct lead_events *leads,
               const struct lead_site *sites, size_t name_bytes, const struct err *without,
               struct arena *arena)
{
  struct caveats caveats = {.arena = arena};
  if (without->code == ERR_OK)
    list_sites(out, c, leads, sites, name_bytes, &caveats);
  else
    say_without(&caveats, without);
  out->caveats = caveats.items;
  out->n_caveats = caveats.n;
}
