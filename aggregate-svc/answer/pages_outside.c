/* What the dealers outside the caller's view give a page to be held to: a rate for each page type,
 * released as the sum of those weeks or months in which it may be. */
#include <stdio.h>
#include <stdlib.h>

#include "aggregate-svc/answer/pages_parts.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/disclosure/split.h"
#include "common/base/mem.h"

enum { METRIC_BYTES = 160, SLICE_BYTES = 256 };

#define RATE_SCALE 100 /* lead sessions per 100 sessions */

static const char dimension[] = "page_type";

bool pages_by_week(const struct door *d, bool from_region)
{
  return from_region && d->withheld == DISCLOSURE_RESTRICTED;
}

static size_t count_bases(const struct pages_parts *p, const struct pages_question *q)
{
  return p->bases != NULL ? q->door->bases[DOOR_NOW].n : 0;
}

/* Whether a member counts the subject's leads and nothing suspect speaks against its rates. */
static bool takes_part(const struct pages_parts *p, const struct pages_question *q, size_t member,
                       const struct dealer_figures *figures)
{
  int event = p->lead_events[q->cohort->subject];
  return q->cohort->members[member].state == DEALER_OK && event != LEAD_UNKNOWN &&
         p->lead_events[member] == event &&
         metric_is_usable(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], figures);
}

static int64_t sessions_in(const struct pages_parts *p, size_t member, size_t base)
{
  int64_t n = 0;
  for (size_t v = 0; v < p->types.n; v++)
    n += pages_base(p, v, member, base)->denominator;
  return n;
}

/* Of the whole period, then of each base: 1 + n_bases rows of members without parts. */
static struct disclosure_member *members_of(const struct pages_parts *p,
                                            const struct pages_question *q)
{
  const struct cohort *c = q->cohort;
  size_t n = c->n, n_bases = count_bases(p, q);
  const struct dealer_figures *of_bases = q->door->bases[DOOR_NOW].figures;
  struct disclosure_member *rows = xcalloc(n * (n_bases + 1) + 1, sizeof(*rows));
  for (size_t i = 0; i < n; i++) {
    struct disclosure_member m = {.visible = c->members[i].visible, .owner = c->members[i].owner};
    rows[i] = m;
    rows[i].contributes =
        takes_part(p, q, i, &q->dealers[i]) && breakdown_total(&p->types, i).denominator > 0;
    for (size_t k = 0; k < n_bases; k++) {
      rows[(k + 1) * n + i] = m;
      rows[(k + 1) * n + i].contributes =
          takes_part(p, q, i, &of_bases[k * n + i]) && sessions_in(p, i, k) > 0;
    }
  }
  return rows;
}

/* A member's part of a type: of the whole period, or of base k - 1. */
static struct stats_ratio part_of(const struct pages_parts *p, size_t type, size_t member, size_t k)
{
  return k == 0 ? *breakdown_part(&p->types, type, member) : *pages_base(p, type, member, k - 1);
}

static struct slice_part *slice_parts(const struct pages_parts *p,
                                      const struct disclosure_member *members, size_t k)
{
  size_t n = p->types.n_members;
  struct slice_part *out = xcalloc(p->types.n * n + 1, sizeof(*out));
  for (size_t v = 0; v < p->types.n; v++)
    for (size_t i = 0; i < n; i++) {
      struct stats_ratio part = part_of(p, v, i, k);
      if (members[i].contributes)
        out[v * n + i] = (struct slice_part){part.denominator, part.numerator};
    }
  return out;
}

static enum disclosure_code split(const struct pages_parts *p, const struct pages_question *q,
                                  const char *metric, enum slice_fate *fates)
{
  size_t n = q->cohort->n, n_bases = count_bases(p, q);
  AUTO_FREE struct disclosure_member *rows = members_of(p, q);
  AUTO_FREE const char **labels = xcalloc(p->types.n + 1, sizeof(*labels));
  AUTO_FREE struct slice_part **parts = xcalloc(n_bases + 2, sizeof(*parts));
  for (size_t v = 0; v < p->types.n; v++)
    labels[v] = p->types.values[v]->label;
  for (size_t k = 0; k <= n_bases; k++)
    parts[k] = slice_parts(p, rows + k * n, k);
  struct split_question s = {metric,
                             dimension,
                             labels,
                             {rows, n, parts[0], p->types.n, true,
                              (const struct slice_part *const *)(parts + 1), n_bases}};
  enum disclosure_code code = split_decide(q->door, &s, fates);
  for (size_t k = 0; k <= n_bases; k++)
    free(parts[k]);
  return code;
}

/* The rate of one page type, in the place of the type's first channel. */
static enum disclosure_code release(struct pages_parts *p, const struct pages_question *q,
                                    const char *metric, size_t type)
{
  size_t n = q->cohort->n, n_bases = count_bases(p, q);
  AUTO_FREE struct disclosure_member *rows = members_of(p, q);
  AUTO_FREE const struct disclosure_member **bases = xcalloc(n_bases + 1, sizeof(*bases));
  CLEANUP(door_figure_free) struct door_figure f;
  struct stats_ratio others;
  char slice[SLICE_BYTES];
  split_slice(slice, sizeof(slice), dimension, p->types.values[type]->label);
  for (size_t k = 0; k <= n_bases; k++)
    for (size_t i = 0; i < n; i++) {
      struct disclosure_member *m = &rows[k * n + i];
      struct stats_ratio part = part_of(p, type, i, k);
      m->numerator = part.numerator;
      m->denominator = part.denominator;
      m->contributes = m->contributes && part.denominator > 0;
    }
  for (size_t k = 0; k < n_bases; k++)
    bases[k] = rows + (k + 1) * n;
  struct door_cell cell = {.metric = metric,
                           .slice = slice,
                           .members = rows,
                           .bases = bases,
                           .n_bases = n_bases,
                           .rate = true,
                           .share = true,
                           .scale = RATE_SCALE,
                           .dispersion = 1};
  door_figure(q->door, &cell, &f);
  if (cell_pool_of_rate(RATE_SCALE, &f, &others))
    p->rates[type * p->channels.n] = others;
  return f.code;
}

void pages_ask_outside(struct pages_parts *p, const struct pages_question *q)
{
  AUTO_FREE enum slice_fate *fates = xcalloc(p->types.n + 1, sizeof(*fates));
  int event = p->lead_events[q->cohort->subject];
  char metric[METRIC_BYTES];
  snprintf(metric, sizeof(metric), "lead_session_rate %.100s",
           event != LEAD_UNKNOWN ? q->leads->names[event] : "");
  enum disclosure_code code = split(p, q, metric, fates);
  for (size_t v = 0; v < p->types.n; v++)
    p->codes[v] = code != DISCLOSURE_RESTRICTED ? code
                  : fates[v] == SLICE_RELEASED  ? release(p, q, metric, v)
                                                : DISCLOSURE_MIN_CONTRIBUTORS;
}
