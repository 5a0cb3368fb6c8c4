/* Cells of the mix from figures or from what is released, standardised and decomposed. */
#include "aggregate-svc/answer/channel_mix.h"

#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"

/* Released rates become parts of so many sessions in all. */
#define RELEASED_SESSIONS 1e9

enum { SLICE_BYTES = 80 };

static struct stats_ratio parts_of(const struct cohort_figures *c, enum metric_id metric,
                                   size_t member, size_t channel)
{
  const struct dealer_counts *channels = c->dealers[member].channels;
  return channels == NULL ? (struct stats_ratio){0, 0}
                          : metric_parts_of(&dealer_metrics[metric], &channels[channel]);
}

static struct stats_ratio parts_in(const struct benchmarked *b, enum metric_id metric,
                                   size_t member, size_t channel)
{
  return parts_of(&b->figures, metric, member, channel);
}

/* ------------------------------------------------------------------- open figures */

/* The others of a group in one channel; false on overflow. */
static bool pool_in(const struct benchmarked *b, struct metric_group g, size_t member,
                    size_t channel, struct stats_ratio *out)
{
  *out = (struct stats_ratio){0, 0};
  for (size_t i = 0; i < b->figures.cohort->n; i++) {
    struct stats_ratio two[2] = {*out, parts_in(b, g.metric, i, channel)};
    if (i != member && group_counts(&b->figures, g, i) && !stats_pool(two, 2, out))
      return false;
  }
  return true;
}

static void fill_open(struct channel_mix *out, const struct benchmarked *b, size_t member)
{
  struct metric_group all = group_of(&b->figures, METRIC_ENGAGEMENT_RATE, member);
  struct metric_group leads = group_of(&b->figures, METRIC_LEADS_PER_100_SESSIONS, member);
  CLEANUP(group_free)
  struct group_values others = group_gather(&b->figures, all, (long)member, GROUP_ALL);
  for (size_t c = 0; c < CHANNELS; c++) {
    struct channel_others *o = &out->others[c];
    struct stats_ratio parts;
    if (others.pool.denominator > 0 && pool_in(b, all, member, c, &parts)) {
      o->share = (double)parts.denominator / (double)others.pool.denominator;
      o->has_share = true;
    }
    o->has_rate = group_has(&b->figures, leads, member) && pool_in(b, leads, member, c, &parts) &&
                  metric_value(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], parts, &o->rate);
  }
}

/* --------------------------------------------------------------- released figures */

/* The parts of every channel and member: a rate in the channel, or the channel's part of all. */
struct channel_parts {
  struct slice_part *slices; /* for slices.h: channels x members */
  struct stats_ratio *parts; /* likewise */
};

static void channel_parts_free(struct channel_parts *p)
{
  free(p->slices);
  free(p->parts);
}

static struct channel_parts collect(const struct cohort_figures *figures, enum metric_id metric,
                                    bool share)
{
  size_t n = figures->cohort->n;
  struct channel_parts p = {xcalloc(CHANNELS * n + 1, sizeof(*p.slices)),
                            xcalloc(CHANNELS * n + 1, sizeof(*p.parts))};
  for (size_t c = 0; c < CHANNELS; c++)
    for (size_t i = 0; i < n; i++) {
      struct stats_ratio x = parts_of(figures, metric, i, c);
      int64_t sessions = x.denominator;
      p.slices[c * n + i] = (struct slice_part){sessions, share ? 0 : x.numerator};
      p.parts[c * n + i] =
          share ? (struct stats_ratio){sessions, figures->dealers[i].now.sessions} : x;
    }
  return p;
}

/* The same in each week or month that the door looks at; pointers are NULL where it has none. */
struct channel_bases {
  size_t n;
  struct channel_parts *of;
  const struct slice_part **slices;
  const struct stats_ratio **rows; /* of the channel that is asked for */
};

static void channel_bases_free(struct channel_bases *b)
{
  for (size_t k = 0; k < b->n; k++)
    channel_parts_free(&b->of[k]);
  free(b->of);
  free(b->slices);
  free(b->rows);
}

static struct channel_bases collect_bases(const struct benchmarked *b, enum metric_id metric,
                                          bool share)
{
  const struct door_bases *bases = &b->door->bases[DOOR_NOW];
  struct channel_bases out = {.n = bases->n};
  if (out.n == 0)
    return out;
  out.of = xcalloc(out.n, sizeof(*out.of));
  out.slices = xcalloc(out.n, sizeof(*out.slices));
  out.rows = xcalloc(out.n, sizeof(*out.rows));
  for (size_t k = 0; k < out.n; k++) {
    struct cohort_figures base = {b->door->cohort, bases->figures + k * b->door->cohort->n,
                                  b->figures.leads};
    out.of[k] = collect(&base, metric, share);
    out.slices[k] = out.of[k].slices;
  }
  return out;
}

/* Asks the door for a figure of each channel that may be named. */
static void release(const struct benchmarked *b, struct metric_group g, bool share,
                    struct channel_mix *out)
{
  struct cohort_figures live = cell_live(b->door, &b->figures);
  size_t n = live.cohort->n;
  CLEANUP(channel_parts_free) struct channel_parts p = collect(&live, g.metric, share);
  CLEANUP(channel_bases_free) struct channel_bases bases = collect_bases(b, g.metric, share);
  const char *labels[CHANNELS], *metric = share ? "channel_share" : "";
  enum slice_fate fates[CHANNELS];
  for (size_t c = 0; c < CHANNELS; c++)
    labels[c] = channel_name(c);
  struct cell_dimension d = {metric,       channel_dimension, labels, p.slices,
                             bases.slices, CHANNELS,          share};
  enum disclosure_code code = cell_split(b->door, &live, g, &d, fates);
  for (size_t c = 0; c < CHANNELS && code == DISCLOSURE_RESTRICTED; c++) {
    char name[SLICE_BYTES];
    CLEANUP(door_figure_free) struct door_figure f = {.code = DISCLOSURE_MIN_VOLUME};
    split_slice(name, sizeof(name), channel_dimension, labels[c]);
    for (size_t k = 0; k < bases.n; k++)
      bases.rows[k] = bases.of[k].parts + c * n;
    struct cell_slice slice = {metric, name, p.parts + c * n, bases.rows, share};
    if (fates[c] != SLICE_RELEASED)
      continue;
    cell_figure_of_slice(b->door, &live, g, &slice, &f);
    if (f.code != DISCLOSURE_RESTRICTED)
      continue;
    out->others[c].has_share |= share;
    out->others[c].has_rate |= !share;
    *(share ? &out->others[c].share : &out->others[c].rate) = f.pooled;
  }
}

static void fill_released(struct channel_mix *out, const struct benchmarked *b, size_t member)
{
  struct metric_group leads = group_of(&b->figures, METRIC_LEADS_PER_100_SESSIONS, member);
  release(b, group_of(&b->figures, METRIC_ENGAGEMENT_RATE, member), true, out);
  if (!group_has(&b->figures, leads, member))
    return;
  release(b, leads, false, out);
  CLEANUP(door_figure_free) struct door_figure f;
  cell_figure(b->door, &b->figures, leads, CELL_NOW, &f);
  out->has_pool = f.code == DISCLOSURE_RESTRICTED && f.pooled > 0;
  out->pool = f.pooled;
}

void channel_mix_of(struct channel_mix *out, const struct benchmarked *b, size_t member)
{
  *out = (struct channel_mix){.restricted = b->figures.cohort->outside > 0};
  if (b->figures.dealers[member].channels == NULL)
    return;
  if (out->restricted)
    fill_released(out, b, member);
  else
    fill_open(out, b, member);
}

/* ------------------------------------------------------------------------ effects */

/* A cell per channel. False on overflow. */
static bool open_cells(const struct benchmarked *b, struct metric_group g, size_t member,
                       struct stats_cell *cells)
{
  for (size_t c = 0; c < CHANNELS; c++) {
    cells[c].own = parts_in(b, g.metric, member, c);
    if (!pool_in(b, g, member, c, &cells[c].peers))
      return false;
  }
  return true;
}

static struct stats_ratio as_parts(double share, double per_100)
{
  double sessions = share * RELEASED_SESSIONS;
  return (struct stats_ratio){llround(sessions * per_100 / 100), llround(sessions)};
}

/* Channels whose share is not released are one cell, the last: the rest of the others' sessions. A
 * rate that is not released is the pool's. False without a share. */
static bool released_cells(const struct channel_mix *mix, const struct benchmarked *b,
                           enum metric_id metric, size_t member, struct stats_cell *cells)
{
  double rest = 1;
  bool any = false, fits = true;
  cells[CHANNELS] = (struct stats_cell){{0, 0}, {0, 0}};
  for (size_t c = 0; c < CHANNELS; c++) {
    const struct channel_others *o = &mix->others[c];
    struct stats_ratio own = parts_in(b, metric, member, c);
    cells[c] = (struct stats_cell){{0, 0}, {0, 0}};
    any = any || o->has_share;
    if (o->has_share) {
      cells[c] = (struct stats_cell){own, as_parts(o->share, o->has_rate ? o->rate : mix->pool)};
      rest -= o->share;
    } else {
      struct stats_ratio two[2] = {cells[CHANNELS].own, own};
      fits = fits && stats_pool(two, 2, &cells[CHANNELS].own);
    }
  }
  cells[CHANNELS].peers = as_parts(rest > 0 ? rest : 0, mix->pool);
  return any && fits;
}

static bool make_cells(const struct channel_mix *mix, const struct benchmarked *b,
                       struct metric_group g, size_t member, struct stats_cell *cells)
{
  if (!mix->restricted)
    return open_cells(b, g, member, cells);
  return g.metric == METRIC_LEADS_PER_100_SESSIONS && mix->has_pool &&
         released_cells(mix, b, g.metric, member, cells);
}

bool channel_mix_effect(const struct channel_mix *mix, const struct benchmarked *b,
                        enum metric_id metric, size_t member, double phi,
                        struct channel_effect *out)
{
  const struct dealer_metric *m = &dealer_metrics[metric];
  struct metric_group g = group_of(&b->figures, metric, member);
  struct stats_cell cells[CHANNELS + 1] = {0};
  struct stats_standardised s;
  struct stats_gap gap;
  if (!metric_is_rate(m) || b->figures.dealers[member].channels == NULL ||
      !group_has(&b->figures, g, member) || !make_cells(mix, b, g, member, cells) ||
      !stats_standardise(cells, CHANNELS + 1, STATS_Z95, &s) ||
      !stats_kitagawa(cells, CHANNELS + 1, NULL, &gap))
    return false;
  double width = STATS_Z95 * s.se * sqrt(phi);
  *out = (struct channel_effect){.index = mix->restricted ? nearbyint(s.index) : s.index,
                                 .has_interval = !mix->restricted && s.se > 0,
                                 .low = s.index * exp(-width),
                                 .high = s.index * exp(width),
                                 .gap_mix = m->scale * gap.mix,
                                 .gap_rate = m->scale * gap.rate};
  return true;
}
