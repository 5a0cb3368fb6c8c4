/* Adds the rows up by landing page and channel, and finds the rates that pages are held to. */
#include "aggregate-svc/answer/pages_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/sliced.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/figures/page.h"
#include "common/base/mem.h"

enum { PAGE, CHANNEL, WEEK = CHANNEL, EVENT }; /* columns of the reports */
enum { LABEL_BYTES = 200, METRIC_BYTES = 160 };

#define RATE_SCALE 100 /* lead sessions per 100 sessions */

size_t pages_type(const struct pages_parts *p, size_t page)
{
  char type[32];
  const char *label = p->pages.values[page]->label;
  snprintf(type, sizeof(type), "%.*s", (int)strcspn(label, "\n"), label);
  return breakdown_find(&p->types, type);
}

const char *pages_template(const struct pages_parts *p, size_t page)
{
  const char *label = p->pages.values[page]->label;
  const char *line = strchr(label, '\n');
  return line != NULL ? line + 1 : label;
}

static const char *channel_of(const struct across_tables *t, size_t member, size_t row)
{
  return breakdown_label(across_text(t, member, row, CHANNEL));
}

static void label_page(const struct pages_question *q, const char *path,
                       char out[static LABEL_BYTES])
{
  char template[PAGE_TEXT_MAX + 1];
  page_template(path, &q->of.names, template);
  snprintf(out, LABEL_BYTES, "%s\n%s", page_type(path), template);
}

/* The report that a part comes from. */
static const struct across_tables *table_of(const struct pages_question *q, bool leads)
{
  return &q->of.tables->of[(leads ? PAGES_LEADS : PAGES_SESSIONS) - 1];
}

/* Whether a row counts: of leads only those of the member's event. */
static bool counts(const struct pages_parts *p, const struct pages_question *q, size_t member,
                   size_t row, bool leads)
{
  int event = p->lead_events[member];
  return !leads ||
         (event != LEAD_UNKNOWN && strcmp(across_text(table_of(q, true), member, row, EVENT),
                                          q->of.leads->names[event]) == 0);
}

static void add(struct stats_ratio *to, int64_t sessions, bool leads)
{
  *(leads ? &to->numerator : &to->denominator) += sessions;
}

/* --------------------------------------------------------------------------- places */

static void propose(struct pages_parts *out, const struct pages_question *q)
{
  const struct across_tables *t = table_of(q, false);
  char label[LABEL_BYTES];
  for (size_t i = 0; i < q->of.cohort->n; i++) {
    bool subject = (long)i == q->of.cohort->subject;
    for (size_t row = 0; q->of.cohort->members[i].state == DEALER_OK && row < t->tables[i].rows;
         row++) {
      const char *path = across_text(t, i, row, PAGE);
      int64_t sessions = table_count(t, i, row, 0);
      breakdown_propose(&out->types, page_type(path), sessions);
      if (!subject)
        continue;
      label_page(q, path, label);
      breakdown_propose(&out->pages, label, sessions);
      breakdown_propose(&out->channels, channel_of(t, i, row), sessions);
    }
  }
}

/* --------------------------------------------------------------------------- counts */

/* Where a row of another dealer counts among the weeks or months of the door; NULL when nowhere. */
static struct stats_ratio *base_cell(struct pages_parts *p, const struct pages_question *q,
                                     size_t type, size_t member, const char *week)
{
  for (size_t k = 0; p->bases != NULL && k < q->of.door->bases[DOOR_NOW].n; k++)
    if (strcmp(p->weeks[k].text, week) == 0)
      return &p->bases[(k * p->types.n + type) * p->types.n_members + member];
  return NULL;
}

/* Adds a member's rows: to its types, to the rates of types by channel where it counts, to the
 * pages where it is the subject. */
static void add_member(struct pages_parts *p, const struct pages_question *q, size_t member,
                       bool leads)
{
  const struct across_tables *t = table_of(q, leads);
  bool subject = (long)member == q->of.cohort->subject;
  bool expected = subject != q->from_region && q->of.cohort->outside * q->from_region == 0 &&
                  p->lead_events[member] == p->lead_events[q->of.cohort->subject] &&
                  (subject || subject_usable(&q->of, member));
  char label[LABEL_BYTES];
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    const char *path = across_text(t, member, row, PAGE);
    int64_t sessions = table_count(t, member, row, 0);
    if (!counts(p, q, member, row, leads))
      continue;
    size_t type = breakdown_find(&p->types, page_type(path));
    size_t channel = breakdown_find(&p->channels, channel_of(t, member, row));
    add(breakdown_part(&p->types, type, member), sessions, leads);
    struct stats_ratio *base =
        subject ? NULL : base_cell(p, q, type, member, across_text(t, member, row, WEEK));
    if (base != NULL)
      add(base, sessions, leads);
    if (expected)
      add(&p->rates[type * p->channels.n + channel], sessions, leads);
    if (!subject)
      continue;
    label_page(q, path, label);
    add(breakdown_part(&p->pages, breakdown_find(&p->pages, label), channel), sessions, leads);
  }
}

/* ------------------------------------------------------------------ outside dealers */

/* The rate of each page type of the outside dealers, in the place of the type's first channel. */
static void ask_outside(struct pages_parts *p, const struct pages_question *q)
{
  AUTO_FREE enum slice_fate *fates = xcalloc(p->types.n + 1, sizeof(*fates));
  int event = p->lead_events[q->of.cohort->subject];
  char metric[METRIC_BYTES];
  snprintf(metric, sizeof(metric), "lead_session_rate %.100s",
           event != LEAD_UNKNOWN ? q->of.leads->names[event] : "");
  struct sliced s = {.q = &q->of,
                     .parts = &p->types,
                     .bases = p->bases,
                     .metric = metric,
                     .dimension = "page_type",
                     .lead_events = p->lead_events,
                     .lead_sessions = true,
                     .scale = RATE_SCALE,
                     .dispersion = 1};
  enum disclosure_code code = sliced_split(&s, fates);
  for (size_t v = 0; v < p->types.n; v++) {
    CLEANUP(door_figure_free) struct door_figure f;
    struct stats_ratio others;
    sliced_release(&s, v, code, fates[v], &f);
    p->codes[v] = f.code;
    if (cell_pool_of_rate(RATE_SCALE, &f, &others))
      p->rates[v * p->channels.n] = others;
  }
}

bool pages_by_week(const struct door *d, bool from_region)
{
  return from_region && d->withheld == DISCLOSURE_RESTRICTED;
}

static void make_bases(struct pages_parts *out, const struct pages_question *q, struct arena *arena)
{
  const struct door_bases *bases = &q->of.door->bases[DOOR_NOW];
  size_t n = bases->n * out->types.n * q->of.cohort->n;
  out->bases = ARENA_ARRAY(arena, struct stats_ratio, n + 1);
  out->weeks = ARENA_ARRAY(arena, struct pages_week, bases->n + 1);
  for (size_t k = 0; k < bases->n; k++)
    lattice_text(q->of.door->period, bases->spans[k], out->weeks[k].text);
}

void pages_parts_make(struct pages_parts *out, const struct pages_question *q, struct arena *arena)
{
  const struct cohort *c = q->of.cohort;
  *out = (struct pages_parts){.lead_events = ARENA_ARRAY(arena, int, c->n + 1)};
  for (size_t i = 0; i < c->n; i++)
    out->lead_events[i] = q->of.dealers[i].lead_event;
  breakdown_init(&out->types, c->n, arena);
  breakdown_init(&out->channels, 0, arena);
  breakdown_init(&out->pages, 0, arena);
  propose(out, q);
  breakdown_choose(&out->types);
  breakdown_choose(&out->channels);
  out->pages.n_members = out->channels.n;
  breakdown_choose(&out->pages);
  out->rates = ARENA_ARRAY(arena, struct stats_ratio, out->types.n * out->channels.n + 1);
  out->codes = ARENA_ARRAY(arena, enum disclosure_code, out->types.n + 1);
  if (pages_by_week(q->of.door, q->from_region))
    make_bases(out, q, arena);
  for (size_t i = 0; i < c->n; i++)
    for (int leads = 0; c->members[i].state == DEALER_OK && leads < 2; leads++)
      add_member(out, q, i, leads != 0);
  if (q->from_region && c->outside > 0)
    ask_outside(out, q);
}

void pages_parts_free(struct pages_parts *p)
{
  breakdown_free(&p->types);
  breakdown_free(&p->channels);
  breakdown_free(&p->pages);
}
