/* Admission, freezing and release of figures of dealers outside a caller's view. */
#include "aggregate-svc/disclosure/door.h"

#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/door_private.h"
#include "aggregate-svc/stats/stats.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { DAY_MS = 86400000, LOG_BYTES = 4000, LOG_NAME_BYTES = 320 };

/* The cell that says how many dealers answered, and the text of outside.h. */
static const char coverage_metric[] = "#dealers", text_metric[] = "#text";

/* A refusal holds for a day: then the figure is looked at again, for an operator may have changed
 * the policy, or a dealer may have given its consent again. */
enum { REFUSAL_MS = DAY_MS };

void door_init(struct door *d, const struct door_options *options, struct cohort *cohort,
               int64_t now_unix_ms)
{
  *d = (struct door){.options = *options,
                     .cohort = cohort,
                     .now_unix_ms = now_unix_ms,
                     .withheld = DISCLOSURE_OPEN,
                     .unasked = DISCLOSURE_OPEN,
                     .log = BUF_INIT(LOG_BYTES)};
}

void door_close(struct door *d)
{
  buf_free(&d->log);
}

struct release_key door_key(const struct door *d, const char *metric, const char *slice,
                            struct lattice_span period)
{
  const struct cohort_scope *s = &d->cohort->scope;
  return (struct release_key){s->cohort, s->view, metric, slice, period.first, period.last};
}

static struct release_viewer viewer_of(const struct door *d)
{
  return (struct release_viewer){d->cohort->scope.viewer, d->now_unix_ms / DAY_MS,
                                 d->options.cells_per_day};
}

enum release_outcome door_take(struct door *d, const struct release_key *key,
                               const struct release_record *candidate, struct release_record *out,
                               bool *reached)
{
  struct err e = {0};
  struct release_viewer viewer = viewer_of(d);
  enum release_outcome outcome = RELEASE_NONE;
  *out = (struct release_record){0};
  *reached = d->options.store != NULL &&
             release_store_take(d->options.store, key, d->cohort->scope.version, &viewer, candidate,
                                &outcome, out, &e) == ERR_OK;
  if (!*reached)
    log_warn("a release could not be looked up", LOG_S("error", e.message));
  return *reached ? outcome : RELEASE_NONE;
}

/* ---------------------------------------------------------------------- admission */

/* A question over other owners' dealers costs their quota: one from the budget. */
static enum disclosure_code charge(struct door *d)
{
  struct release_viewer viewer = viewer_of(d);
  struct err e = {0};
  bool spent = false;
  if (release_store_charge(d->options.store, &viewer, &spent, &e) != ERR_OK)
    return DISCLOSURE_NOT_READY;
  return spent ? DISCLOSURE_BUDGET : DISCLOSURE_RESTRICTED;
}

static void show_coverage(struct door *d, const struct release_record *kept)
{
  d->cohort->outside_frozen = true;
  d->cohort->outside_asked = (size_t)kept->asked;
  d->cohort->outside_ok = (size_t)kept->dealers;
}

/* Free where the same was answered before. */
static enum disclosure_code admit_viewer(struct door *d)
{
  struct release_key key = door_key(d, coverage_metric, "", d->period);
  struct release_record found;
  bool reached;
  bool kept = door_take(d, &key, NULL, &found, &reached) == RELEASE_FROZEN;
  d->kept_only = kept && d->kept_first;
  if (d->kept_only)
    show_coverage(d, &found);
  release_record_free(&found);
  if (!reached)
    return DISCLOSURE_NOT_READY;
  return kept ? DISCLOSURE_RESTRICTED : charge(d);
}

static enum disclosure_code admission(struct door *d, bool relative)
{
  if (d->cohort->outside == 0)
    return DISCLOSURE_OPEN;
  if (relative || lattice_of(d->period) == LATTICE_NONE)
    return DISCLOSURE_NOT_IN_LATTICE;
  if (d->period.last > lattice_complete_through(d->now_unix_ms))
    return DISCLOSURE_NOT_READY;
  return admit_viewer(d);
}

static void set_outside(struct door *d, enum dealer_state state)
{
  for (size_t i = 0; i < d->cohort->n; i++)
    if (!d->cohort->members[i].visible)
      d->cohort->members[i].state = state;
}

void door_admit(struct door *d, struct lattice_span period, bool relative)
{
  d->period = period;
  d->withheld = admission(d, relative);
  if (d->withheld == DISCLOSURE_OPEN || (d->withheld == DISCLOSURE_RESTRICTED && !d->kept_only))
    return;
  set_outside(d, DEALER_NOT_ASKED);
}

bool door_reopen(struct door *d)
{
  enum disclosure_code code = charge(d);
  d->missing = false;
  if (code != DISCLOSURE_RESTRICTED) {
    d->unasked = code;
    return false;
  }
  d->kept_only = false;
  set_outside(d, DEALER_PENDING);
  return true;
}

/* --------------------------------------------------------------------- settlement */

/* Whether a failure may be over in a moment. One that lasts (consent withdrawn, no access, a
 * property that is gone) leaves the dealer out; a slow minute, or a quota that somebody spent,
 * must not freeze a benchmark without it. */
static bool is_passing(const struct cohort_member *m)
{
  if (m->state == DEALER_PENDING)
    return true;
  if (m->state != DEALER_FAILED)
    return false;
  switch (m->code) {
  case ERR_INVALID_ARGUMENT:
  case ERR_NOT_FOUND:
  case ERR_PERMISSION_DENIED:
  case ERR_FAILED_PRECONDITION:
  case ERR_UNAUTHENTICATED:
  case ERR_DATA_LOSS:
  case ERR_UNIMPLEMENTED:
    return false;
  default:
    return true;
  }
}

void door_retry(struct door *d)
{
  for (size_t i = 0; i < d->cohort->n; i++)
    if (!d->cohort->members[i].visible && is_passing(&d->cohort->members[i]))
      d->cohort->members[i].state = DEALER_PENDING;
}

void door_settle(struct door *d)
{
  struct release_record now = {0}, kept;
  bool reached;
  if (d->withheld != DISCLOSURE_RESTRICTED || d->kept_only)
    return;
  d->late = false;
  for (size_t i = 0; i < d->cohort->n; i++) {
    const struct cohort_member *m = &d->cohort->members[i];
    now.asked += !m->visible;
    now.dealers += !m->visible && m->state == DEALER_OK;
    d->late = d->late || (!m->visible && is_passing(m));
  }
  d->spent = cohort_share_spent(d->cohort);
  struct release_key key = door_key(d, coverage_metric, "", d->period);
  enum release_outcome outcome =
      door_take(d, &key, d->late || now.dealers == 0 ? NULL : &now, &kept, &reached);
  if (outcome == RELEASE_FROZEN || outcome == RELEASE_NEW)
    show_coverage(d, &kept);
  release_record_free(&kept);
}

char *door_keep_text(struct door *d, const char *of, const char *now)
{
  struct release_key key = door_key(d, text_metric, of, d->period);
  struct err e = {0};
  char *kept = NULL;
  bool reached = d->options.store != NULL &&
                 release_store_text(d->options.store, &key, "", now, 0, &kept, &e) == ERR_OK;
  if (!reached)
    log_warn("what is kept of dealers outside a view could not be looked up",
             LOG_S("error", e.message));
  d->missing = d->missing || (d->kept_only && kept == NULL);
  return kept;
}

/* ------------------------------------------------------------------------ figures */

static struct disclosure_cell as_cell(const struct door *d, const struct door_cell *cell,
                                      const struct disclosure_member *members)
{
  return (struct disclosure_cell){members, d->cohort->n, cell->rate, cell->share};
}

/* Whether nobody outside is in one of the weeks or months, and somebody in another. */
static bool has_gap(const struct door *d, const struct door_cell *cell)
{
  size_t empty = 0;
  if (cell->slice[0] != '\0')
    return cell->gap;
  for (size_t i = 0; i < cell->n_bases; i++)
    empty += disclosure_is_empty(cell->bases[i], d->cohort->n);
  return empty > 0 && empty < cell->n_bases;
}

static enum disclosure_code judge_all(const struct door *d, const struct door_cell *cell,
                                      const struct disclosure_member *whole)
{
  struct disclosure_cell of = as_cell(d, cell, whole);
  enum disclosure_code code = disclosure_cell_allowed(&d->options.policy, &of);
  if (code == DISCLOSURE_RESTRICTED && has_gap(d, cell))
    code = DISCLOSURE_MIN_CONTRIBUTORS;
  for (size_t i = 0; i < cell->n_bases && code == DISCLOSURE_RESTRICTED; i++) {
    of = as_cell(d, cell, cell->bases[i]);
    code = disclosure_base_allowed(&d->options.policy, &of);
  }
  return code;
}

/* Whether nobody has anything in any week: then there is nothing to add up. */
static bool is_empty(const struct door *d, const struct door_cell *cell)
{
  bool any = false;
  for (size_t b = 0; b < cell->n_bases; b++)
    for (size_t i = 0; i < d->cohort->n; i++)
      any = any || (!cell->bases[b][i].visible && cell->bases[b][i].denominator != 0);
  return !any;
}

/* Of a period of several weeks or months the figure is the sum of theirs, with the dealers that
 * each of them has: so no two releases differ by a dealer in the days that they share. */
static struct disclosure_member *whole_of(const struct door *d, const struct door_cell *cell)
{
  size_t n = d->cohort->n;
  bool empty = is_empty(d, cell);
  struct disclosure_member *out = xcalloc(n + 1, sizeof(*out));
  for (size_t i = 0; i < n; i++) {
    out[i] = cell->members[i];
    if (empty)
      continue;
    out[i].contributes = false;
    out[i].numerator = out[i].denominator = 0;
  }
  for (size_t b = 0; b < cell->n_bases; b++)
    for (size_t i = 0; i < n; i++) {
      const struct disclosure_member *m = &cell->bases[b][i];
      if (!m->contributes)
        continue;
      out[i].contributes = true;
      if (__builtin_add_overflow(out[i].numerator, m->numerator, &out[i].numerator) ||
          __builtin_add_overflow(out[i].denominator, m->denominator, &out[i].denominator))
        out[i].denominator = -1; /* which the policy refuses */
    }
  return out;
}

/* The pool and the values of the dealers outside that have one. False when a sum overflows. */
static bool pool(const struct door *d, const struct door_cell *cell,
                 const struct disclosure_member *whole, struct release_record *out)
{
  bool fits = true;
  *out = (struct release_record){.dispersion = cell->dispersion,
                                 .values = xcalloc(d->cohort->n + 1, sizeof(*out->values))};
  for (size_t i = 0; i < d->cohort->n; i++) {
    const struct disclosure_member *m = &whole[i];
    out->asked += !m->visible;
    if (m->visible || !m->contributes)
      continue;
    fits = fits && !__builtin_add_overflow(out->numerator, m->numerator, &out->numerator) &&
           !__builtin_add_overflow(out->denominator, m->denominator, &out->denominator);
    if (cell->rate && m->denominator <= 0) /* in the growth of a count what began from nothing */
      continue;
    double count = (double)m->denominator;
    out->values[out->n_values++] = cell->rate ? cell->scale * (double)m->numerator / count : count;
    out->dealers++;
  }
  stats_sort(out->values, out->n_values);
  return fits && out->denominator > 0;
}

static struct lattice_span period_of(const struct door *d, const struct door_cell *cell)
{
  return cell->period.first == 0 && cell->period.last == 0 ? d->period : cell->period;
}

static bool is_lasting(enum disclosure_code code)
{
  return code == DISCLOSURE_MIN_CONTRIBUTORS || code == DISCLOSURE_MIN_OWNERS ||
         code == DISCLOSURE_DOMINANCE || code == DISCLOSURE_P_PERCENT ||
         code == DISCLOSURE_MIN_VOLUME || code == DISCLOSURE_COHORT_CHANGED;
}

enum disclosure_code door_refusal(struct door *d, const struct release_key *key,
                                  enum disclosure_code now)
{
  const char *candidate = is_lasting(now) ? disclosure_code_name(now) : NULL;
  AUTO_FREE char *kept = NULL;
  struct err e = {0};
  if (release_store_text(d->options.store, key, d->cohort->scope.version, candidate, REFUSAL_MS,
                         &kept, &e) != ERR_OK ||
      kept == NULL)
    return now;
  for (int code = DISCLOSURE_OPEN; code <= DISCLOSURE_BUDGET; code++)
    if (is_lasting((enum disclosure_code)code) &&
        strcmp(disclosure_code_name((enum disclosure_code)code), kept) == 0)
      return (enum disclosure_code)code;
  return now;
}

/* Decides on a figure that is new, and keeps it, or why it is withheld. */
static enum disclosure_code decide(struct door *d, const struct door_cell *cell,
                                   const struct release_key *key, struct release_record *out)
{
  struct release_record candidate = {0};
  bool reached = true;
  enum release_outcome outcome = RELEASE_NONE;
  AUTO_FREE struct disclosure_member *whole = whole_of(d, cell);
  enum disclosure_code code = judge_all(d, cell, whole);
  if (code == DISCLOSURE_RESTRICTED && !pool(d, cell, whole, &candidate))
    code = DISCLOSURE_MIN_VOLUME;
  if (code == DISCLOSURE_RESTRICTED)
    outcome = door_take(d, key, &candidate, out, &reached);
  release_record_free(&candidate);
  if (!reached)
    return DISCLOSURE_NOT_READY;
  if (outcome == RELEASE_FROZEN || outcome == RELEASE_NEW)
    return DISCLOSURE_RESTRICTED;
  if (outcome == RELEASE_SPENT)
    return DISCLOSURE_BUDGET;
  return door_refusal(d, key, outcome == RELEASE_CHANGED ? DISCLOSURE_COHORT_CHANGED : code);
}

enum disclosure_code door_unasked(struct door *d)
{
  d->missing = d->missing || d->unasked == DISCLOSURE_OPEN;
  return d->unasked == DISCLOSURE_OPEN ? DISCLOSURE_NOT_READY : d->unasked;
}

/* Looks the figure up, or decides on it. */
static enum disclosure_code release(struct door *d, const struct door_cell *cell,
                                    struct release_record *out)
{
  struct release_key key = door_key(d, cell->metric, cell->slice, period_of(d, cell));
  bool reached;
  if (door_take(d, &key, NULL, out, &reached) == RELEASE_FROZEN)
    return DISCLOSURE_RESTRICTED;
  if (!reached)
    return DISCLOSURE_NOT_READY;
  enum disclosure_code code = door_refusal(d, &key, DISCLOSURE_OPEN);
  if (code == DISCLOSURE_OPEN && d->kept_only) {
    code = door_unasked(d);
  } else if (code == DISCLOSURE_OPEN) {
    code = d->late ? DISCLOSURE_NOT_READY : decide(d, cell, &key, out);
  }
  if (code != DISCLOSURE_RESTRICTED && code != DISCLOSURE_BUDGET && !d->missing)
    release_store_count_withheld(d->options.store);
  return code;
}

static void show(const struct door *d, const struct door_cell *cell, struct door_figure *out)
{
  const struct disclosure_policy *p = &d->options.policy;
  const struct release_record *r = &out->record;
  out->asked = r->asked;
  out->dealers = r->dealers;
  if (!cell->rate)
    return;
  out->pooled = form_pooled(cell->scale * (double)r->numerator / (double)r->denominator);
  out->typical = form_typical(r->values, r->n_values, (size_t)p->min_quantile_members,
                              (size_t)p->min_contributors);
}

/* For audit, each figure once. */
static void note_release(struct door *d, const struct door_cell *cell)
{
  char name[LOG_NAME_BYTES], first[16] = "", last[16] = "";
  struct lattice_span p = period_of(d, cell);
  bool other = p.first != d->period.first || p.last != d->period.last;
  if (other) {
    clock_format_date(p.first, first, sizeof(first));
    clock_format_date(p.last, last, sizeof(last));
  }
  snprintf(name, sizeof(name), "%.200s%s%.80s%s%s%s%s,", cell->metric,
           cell->slice[0] != '\0' ? " " : "", cell->slice, other ? " " : "", first,
           other ? ".." : "", last);
  if (strstr(buf_str(&d->log), name) != NULL)
    return;
  d->released++;
  buf_puts(&d->log, name);
}

void door_figure(struct door *d, const struct door_cell *cell, struct door_figure *out)
{
  *out = (struct door_figure){.code = d->withheld};
  if (out->code == DISCLOSURE_RESTRICTED && lattice_of(period_of(d, cell)) == LATTICE_NONE)
    out->code = DISCLOSURE_NOT_IN_LATTICE; /* the month before a month may be shorter */
  if (out->code == DISCLOSURE_RESTRICTED)
    out->code = release(d, cell, &out->record);
  if (out->code != DISCLOSURE_RESTRICTED)
    return;
  show(d, cell, out);
  note_release(d, cell);
}

void door_figure_free(struct door_figure *f)
{
  release_record_free(&f->record);
}

/* -------------------------------------------------------------------------- words */

static void put_span(struct buf *out, struct lattice_span s)
{
  char first[16], last[16];
  clock_format_date(s.first, first, sizeof(first));
  clock_format_date(s.last, last, sizeof(last));
  buf_printf(out, "%s to %s", first, last);
}

static void put_nearest(const struct door *d, struct buf *out)
{
  struct lattice_nearest near =
      lattice_nearest(d->period, lattice_complete_through(d->now_unix_ms));
  put_span(out, near.weeks);
  buf_puts(out, " (weeks) and ");
  put_span(out, near.months);
  buf_puts(out, " (months)");
}

/* Rounded up to a time by which the attempt has ended, if all goes well. */
static void put_again(const struct door *d, struct buf *out)
{
  enum { SECOND_MS = 1000, ATTEMPT_MS = 5000, DATE_LEN = 11, TIME_LEN = 8 };
  char text[32];
  if (d->again_unix_ms == 0) {
    buf_puts(out, "ask again in a few minutes.");
    return;
  }
  clock_format_rfc3339(d->again_unix_ms + ATTEMPT_MS + SECOND_MS - 1, text, sizeof(text));
  buf_printf(out, "the service asks it again by itself: ask again after %.*sZ.", TIME_LEN,
             text + DATE_LEN);
}

void door_explain(const struct door *d, struct buf *out)
{
  if (d->withheld == DISCLOSURE_NOT_IN_LATTICE) {
    buf_puts(out, "Benchmarks over dealers that you may not see are given for whole ISO weeks "
                  "(Monday to Sunday) or whole calendar months, as dates; the nearest are ");
    put_nearest(d, out);
    buf_puts(out, ".");
  } else if (d->withheld == DISCLOSURE_BUDGET || d->unasked == DISCLOSURE_BUDGET) {
    buf_printf(out,
               "You have asked for %lld new figures over dealers that you may not see today, which "
               "is the limit; those asked for before are still answered, new ones tomorrow (UTC).",
               (long long)d->options.cells_per_day);
  } else if (d->withheld == DISCLOSURE_NOT_READY &&
             d->period.last > lattice_complete_through(d->now_unix_ms)) {
    buf_puts(out, "Benchmarks over dealers that you may not see are given once the period is "
                  "complete; the nearest that are complete are ");
    put_nearest(d, out);
    buf_puts(out, ".");
  } else if (d->withheld == DISCLOSURE_NOT_READY || d->unasked == DISCLOSURE_NOT_READY) {
    buf_puts(out, "Benchmarks over dealers that you may not see are not available at the moment; "
                  "ask again later.");
  } else if (d->spent != NULL) {
    buf_printf(out, "New benchmarks over dealers that you may not see are withheld: %s.",
               d->spent->message);
  } else if (d->late) {
    buf_puts(out, "A dealer that you may not see did not answer in time, so new benchmarks are "
                  "withheld (not_ready) until it has; ");
    put_again(d, out);
  }
}
