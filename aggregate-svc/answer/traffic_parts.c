/* Adds the rows of reports up by traffic source. */
#include "aggregate-svc/answer/traffic_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aggregate-svc/disclosure/slices.h"
#include "aggregate-svc/figures/signs.h"
#include "aggregate-svc/stats/stats.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { DATE, CHANNEL, SOURCE, DETAIL, EVENT }; /* columns of the reports */
enum { LABEL_BYTES = 512, HOSTS_MAX = 8, HOST_PERCENT = 5, DAYS_MAX = 4000 };

const char traffic_self[] = "(self-referral)";

const char *traffic_dimension(enum traffic_by by)
{
  static const char *const names[] = {
      [TRAFFIC_BY_CHANNEL] = "sessionDefaultChannelGroup",
      [TRAFFIC_BY_SOURCE_MEDIUM] = "sessionSourceMedium",
      [TRAFFIC_BY_CAMPAIGN] = "sessionCampaignName",
  };
  return names[by];
}

/* ---------------------------------------------------------------------- own hosts */

/* The hosts of a dealer's website: those with 5 % of its sessions or more, because anybody can
 * send hits under another name. */
struct hosts {
  const char *names[HOSTS_MAX];
  size_t n;
};

static const char *without_www(const char *host)
{
  return strncasecmp(host, "www.", 4) == 0 ? host + 4 : host;
}

static struct hosts hosts_of(const struct report_tables *t, size_t member)
{
  const struct across_tables *table = &t->of[TRAFFIC_HOSTS - 1];
  struct hosts out = {.n = 0};
  int64_t all = 0;
  size_t rows = table->tables[member].rows;
  for (size_t row = 0; row < rows; row++)
    all += table_count(table, member, row, 0);
  for (size_t row = 0; row < rows && out.n < HOSTS_MAX; row++) {
    int64_t sessions = table_count(table, member, row, 0);
    if (sessions > 0 && 100 * sessions >= HOST_PERCENT * all)
      out.names[out.n++] = without_www(across_text(table, member, row, 0));
  }
  return out;
}

static bool is_among(const struct hosts *h, const char *source)
{
  for (size_t i = 0; i < h->n; i++)
    if (strcasecmp(h->names[i], without_www(source)) == 0)
      return true;
  return false;
}

/* The hosts by which sessions come from nowhere: a dealer's own, and for the caller's dealers each
 * other's. Those of dealers outside the view are not said by what is folded. */
struct self {
  const struct hosts *of; /* per member */
  const struct cohort *cohort;
  size_t member;
};

static bool is_self(const struct self *s, const char *source)
{
  if (is_among(&s->of[s->member], source) || suspect_tool_host(source))
    return true;
  bool found = false;
  for (size_t i = 0; i < s->cohort->n && !found; i++)
    found = s->cohort->members[i].visible && s->cohort->members[s->member].visible &&
            is_among(&s->of[i], source);
  return found;
}

/* ------------------------------------------------------------------------- labels */

/* The source of a row; the text lives in the table or in space. */
static const char *label_of(const struct traffic_question *q, const struct self *self,
                            const struct across_tables *t, size_t member, size_t row,
                            char space[static LABEL_BYTES])
{
  const char *source = breakdown_label(across_text(t, member, row, SOURCE));
  const char *detail = breakdown_label(across_text(t, member, row, DETAIL));
  if (is_self(self, source))
    return traffic_self;
  if (q->by == TRAFFIC_BY_CHANNEL)
    return breakdown_label(across_text(t, member, row, CHANNEL));
  if (q->by == TRAFFIC_BY_CAMPAIGN)
    return detail;
  if (strcmp(source, breakdown_unset) == 0 && strcmp(detail, breakdown_unset) == 0)
    return breakdown_unset;
  snprintf(space, LABEL_BYTES, "%s / %s", source, detail);
  return space;
}

/* Which sources have a place: of a fixed list all; of any other dimension those of the dealers
 * that the caller may see, because a name of theirs alone could be a dealer's. */
static void propose(struct breakdown *b, const struct traffic_question *q,
                    const struct hosts *hosts)
{
  const struct across_tables *t = &q->of.tables->of[TRAFFIC_SESSIONS - 1];
  bool listed = slices_dimension_is_listed(traffic_dimension(q->by));
  char space[LABEL_BYTES];
  for (size_t i = 0; i < q->of.cohort->n; i++) {
    const struct cohort_member *m = &q->of.cohort->members[i];
    if (m->state != DEALER_OK || (!m->visible && !listed))
      continue;
    struct self self = {hosts, q->of.cohort, i};
    for (size_t row = 0; row < t->tables[i].rows; row++)
      breakdown_propose(b, label_of(q, &self, t, i, row, space), table_count(t, i, row, 0));
  }
  breakdown_choose(b);
}

/* ------------------------------------------------------------------------- counts */

/* Days of one dealer, sources x days, for the over-dispersion. */
struct day_grid {
  struct stats_ratio *cells;
  int64_t first;
  size_t n_days;
};

static int64_t day_of(const char *date)
{
  long x = strtol(date, NULL, 10);
  if (x < 10000101 || x > 99991231)
    return 0;
  return clock_days_from_civil((int)(x / 10000), (unsigned)(x / 100 % 100), (unsigned)(x % 100));
}

static struct day_grid grid_of(const struct across_tables *t, size_t member, size_t n_values)
{
  struct day_grid g = {.first = INT64_MAX};
  int64_t last = INT64_MIN;
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    int64_t day = day_of(across_text(t, member, row, DATE));
    g.first = day < g.first ? day : g.first;
    last = day > last ? day : last;
  }
  if (last >= g.first && last - g.first < DAYS_MAX)
    g.n_days = (size_t)(last - g.first + 1);
  g.cells = xcalloc(g.n_days * n_values + 1, sizeof(*g.cells));
  return g;
}

static struct stats_ratio *grid_cell(const struct day_grid *g, size_t value, const char *date)
{
  int64_t at = day_of(date) - g->first;
  bool inside = at >= 0 && at < (int64_t)g->n_days;
  return inside ? &g->cells[value * g->n_days + (size_t)at] : NULL;
}

/* Where a day of a source counts among the bases of the door; NULL when nowhere. */
static struct stats_ratio *base_cell(const struct traffic_parts *p,
                                     const struct traffic_question *q, size_t value, size_t member,
                                     const char *date)
{
  const struct door_bases *bases = &q->of.door->bases[DOOR_NOW];
  int64_t day = day_of(date);
  for (size_t k = 0; p->bases != NULL && k < bases->n; k++)
    if (day >= bases->spans[k].first && day <= bases->spans[k].last)
      return &p->bases[(k * p->by_source.n + value) * q->of.cohort->n + member];
  return NULL;
}

static void add_sessions(struct traffic_parts *p, const struct traffic_question *q, size_t member,
                         const struct self *self, const struct day_grid *g)
{
  const struct across_tables *t = &q->of.tables->of[TRAFFIC_SESSIONS - 1];
  char space[LABEL_BYTES];
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    size_t v = breakdown_find(&p->by_source, label_of(q, self, t, member, row, space));
    struct stats_ratio *day = grid_cell(g, v, across_text(t, member, row, DATE));
    int64_t sessions = table_count(t, member, row, 0);
    breakdown_part(&p->by_source, v, member)->denominator += sessions;
    struct stats_ratio *base = base_cell(p, q, v, member, across_text(t, member, row, DATE));
    if (base != NULL)
      base->denominator += sessions;
    if (day != NULL)
      day->denominator += sessions;
  }
}

static void add_leads(struct traffic_parts *p, const struct traffic_question *q, size_t member,
                      const struct self *self, const struct day_grid *g)
{
  const struct across_tables *t = &q->of.tables->of[TRAFFIC_LEADS - 1];
  bool by_session = q->of.dealers[member].effects & EFFECT_LEADS_BY_SESSION;
  int event = p->lead_events[member];
  char space[LABEL_BYTES];
  for (size_t row = 0; event != LEAD_UNKNOWN && row < t->tables[member].rows; row++) {
    if (strcmp(across_text(t, member, row, EVENT), q->of.leads->names[event]) != 0)
      continue;
    size_t v = breakdown_find(&p->by_source, label_of(q, self, t, member, row, space));
    struct stats_ratio *day = grid_cell(g, v, across_text(t, member, row, DATE));
    int64_t events = table_count(t, member, row, 0);
    int64_t leads = by_session ? table_count(t, member, row, 1) : events;
    breakdown_part(&p->by_source, v, member)->numerator += leads;
    struct stats_ratio *base = base_cell(p, q, v, member, across_text(t, member, row, DATE));
    if (base != NULL)
      base->numerator += leads;
    if ((long)member == q->of.cohort->subject)
      p->own[v] += events;
    if (day != NULL)
      day->numerator += leads;
  }
}

/* Lead events of a member and sessions with them, over all sources. */
static void count_leads(const struct traffic_question *q, size_t member)
{
  const struct across_tables *t = &q->of.tables->of[TRAFFIC_LEADS - 1];
  int event = q->of.dealers[member].lead_event;
  int64_t events = 0, sessions = 0;
  for (size_t row = 0; event != LEAD_UNKNOWN && row < t->tables[member].rows; row++) {
    if (strcmp(across_text(t, member, row, EVENT), q->of.leads->names[event]) != 0)
      continue;
    events += table_count(t, member, row, 0);
    sessions += table_count(t, member, row, 1);
  }
  signs_add_leads(&q->of.dealers[member], events, sessions, q->of.cohort->members[member].visible);
}

static void add_member(struct traffic_parts *p, const struct traffic_question *q, size_t member,
                       const struct hosts *hosts, struct stats_dispersion *dispersion)
{
  struct self self = {hosts, q->of.cohort, member};
  struct day_grid g = grid_of(&q->of.tables->of[TRAFFIC_SESSIONS - 1], member, p->by_source.n);
  add_sessions(p, q, member, &self, &g);
  add_leads(p, q, member, &self, &g);
  bool counts =
      subject_same_leads(q->of.cohort, p->lead_events, member) && subject_usable(&q->of, member);
  for (size_t v = 0; v < p->by_source.n && counts; v++)
    stats_dispersion_add(dispersion, &g.cells[v * g.n_days], g.n_days, STATS_POISSON);
  free(g.cells);
}

void traffic_parts_make(struct traffic_parts *out, const struct traffic_question *q,
                        struct arena *arena)
{
  const struct cohort *c = q->of.cohort;
  struct stats_dispersion dispersion = {0, 0};
  AUTO_FREE struct hosts *hosts = xcalloc(c->n + 1, sizeof(*hosts));
  out->lead_events = ARENA_ARRAY(arena, int, c->n + 1);
  for (size_t i = 0; i < c->n; i++) {
    out->lead_events[i] = q->of.dealers[i].lead_event;
    if (c->members[i].state != DEALER_OK)
      continue;
    hosts[i] = hosts_of(q->of.tables, i);
    count_leads(q, i);
  }
  breakdown_init(&out->by_source, c->n, arena);
  propose(&out->by_source, q, hosts);
  out->own = ARENA_ARRAY(arena, int64_t, out->by_source.n + 1);
  out->bases = q->of.door->bases[DOOR_NOW].n > 0
                   ? ARENA_ARRAY(arena, struct stats_ratio,
                                 q->of.door->bases[DOOR_NOW].n * out->by_source.n * c->n + 1)
                   : NULL;
  for (size_t i = 0; i < c->n; i++)
    if (c->members[i].state == DEALER_OK)
      add_member(out, q, i, hosts, &dispersion);
  out->phi = stats_dispersion_phi(&dispersion);
}
