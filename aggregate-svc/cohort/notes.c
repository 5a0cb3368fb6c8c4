/* Quality notes of reports, and the caveats they become. */
#include "aggregate-svc/cohort/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Ga4__V1beta__ResponseMetaData MetaData;
typedef Analytics__Ga4__V1beta__SamplingMetadata Sampling;

enum { CAVEAT_BYTES = 6000, NAME_BYTES = 80 };

static void add_samples(struct dealer_notes *n, const MetaData *m)
{
  for (size_t i = 0; i < m->n_sampling_metadatas; i++) {
    const Sampling *s = m->sampling_metadatas[i];
    if (s->sampling_space_size <= 0 || s->samples_read_count >= s->sampling_space_size)
      continue;
    double rate = (double)s->samples_read_count / (double)s->sampling_space_size;
    if (!n->sampled || rate < n->sample_rate)
      n->sample_rate = rate;
    n->sampled = true;
  }
}

static void add_truncations(struct dealer_notes *n, const MetaData *m)
{
  for (size_t i = 0; i < m->n_data_truncation_reasons; i++) {
    n->truncated = true;
    if (n->truncation[0] == '\0')
      text_copy(n->truncation, sizeof(n->truncation),
                m->data_truncation_reasons[i]->data_truncation_message);
  }
}

void notes_add(struct dealer_notes *n, const MetaData *m, bool keep_empty)
{
  if (m == NULL)
    return;
  n->thresholding |= m->subject_to_thresholding;
  n->other_row |= m->data_loss_from_other_row;
  n->restricted |= m->schema_restriction_response != NULL &&
                   m->schema_restriction_response->n_active_metric_restrictions > 0;
  add_samples(n, m);
  add_truncations(n, m);
  if (keep_empty && m->empty_reason[0] != '\0') {
    n->empty = true;
    text_copy(n->empty_reason, sizeof(n->empty_reason), m->empty_reason);
  }
  if (n->time_zone[0] == '\0')
    text_copy(n->time_zone, sizeof(n->time_zone), m->time_zone);
  if (n->currency[0] == '\0')
    text_copy(n->currency, sizeof(n->currency), m->currency_code);
}

/* ------------------------------------------------------------------- sentences */

void caveats_add(struct caveats *c, const char *fmt, ...)
{
  char text[CAVEAT_BYTES];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (n < 0)
    return;
  if (c->n == c->cap) {
    size_t cap = c->cap == 0 ? 16 : 2 * c->cap;
    char **items = ARENA_ARRAY(c->arena, char *, cap);
    if (c->n > 0)
      memcpy(items, c->items, c->n * sizeof(*items));
    c->items = items;
    c->cap = cap;
  }
  c->items[c->n++] = arena_strndup(c->arena, text, text_clip(text, sizeof(text) - 1));
}

/* Which member of dealer_notes a filter looks at. */
struct note_filter {
  const struct dealer_notes *notes;
  bool (*has)(const struct dealer_notes *n);
};

static bool has_note(const struct cohort *c, size_t member, const void *arg)
{
  const struct note_filter *f = arg;
  return c->members[member].state == DEALER_OK && f->has(&f->notes[member]);
}

static bool has_thresholding(const struct dealer_notes *n)
{
  return n->thresholding;
}
static bool has_other_row(const struct dealer_notes *n)
{
  return n->other_row;
}
static bool has_restriction(const struct dealer_notes *n)
{
  return n->restricted;
}
static bool has_truncation(const struct dealer_notes *n)
{
  return n->truncated;
}
static bool has_empty_reason(const struct dealer_notes *n)
{
  return n->empty;
}
static bool has_sample(const struct dealer_notes *n)
{
  return n->sampled;
}

/* The names, or NULL when no dealer has the note. */
static const char *names_with(struct caveats *c, const struct cohort *cohort,
                              const struct dealer_notes *notes,
                              bool (*has)(const struct dealer_notes *n))
{
  struct note_filter f = {notes, has};
  if (cohort_count_if(cohort, has_note, &f) == 0)
    return NULL;
  return cohort_names(cohort, has_note, &f, c->arena);
}

static void add_sampling(struct caveats *c, const struct cohort *cohort,
                         const struct dealer_notes *notes)
{
  const char *names = names_with(c, cohort, notes, has_sample);
  double least = 1;
  for (size_t i = 0; i < cohort->n; i++)
    if (cohort->members[i].state == DEALER_OK && notes[i].sampled && notes[i].sample_rate < least)
      least = notes[i].sample_rate;
  if (names != NULL)
    caveats_add(c,
                "Google computed figures from a sample (at least %.1f %% of the events) for: %s.",
                100 * least, names);
}

/* The first text of a visible dealer, in parentheses, else nothing. */
static void first_text(char *out, size_t size, const struct cohort *cohort,
                       const struct dealer_notes *notes, bool truncation)
{
  out[0] = '\0';
  for (size_t i = 0; i < cohort->n; i++) {
    const char *text = truncation ? notes[i].truncation : notes[i].empty_reason;
    if (cohort->members[i].state != DEALER_OK || !cohort->members[i].visible || text[0] == '\0')
      continue;
    snprintf(out, size, " (%s)", text);
    return;
  }
}

void caveats_add_notes(struct caveats *c, const struct cohort *cohort,
                       const struct dealer_notes *notes)
{
  char text[200];
  const char *names;
  add_sampling(c, cohort, notes);
  if ((names = names_with(c, cohort, notes, has_thresholding)) != NULL)
    caveats_add(c, "Google withheld small numbers (thresholding) for: %s.", names);
  if ((names = names_with(c, cohort, notes, has_other_row)) != NULL)
    caveats_add(c, "Google folded rare values into \"(other)\" for: %s.", names);
  if ((names = names_with(c, cohort, notes, has_restriction)) != NULL)
    caveats_add(
        c, "The credential may not see cost or revenue metrics, which come back as 0, for: %s.",
        names);
  if ((names = names_with(c, cohort, notes, has_truncation)) != NULL) {
    first_text(text, sizeof(text), cohort, notes, true);
    caveats_add(c, "Google left out part of the data of the period%s for: %s.", text, names);
  }
  if ((names = names_with(c, cohort, notes, has_empty_reason)) != NULL) {
    first_text(text, sizeof(text), cohort, notes, false);
    caveats_add(c, "Google had no data of the period%s for: %s.", text, names);
  }
}

static bool is_added_up(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct cohort_member *m = &cohort->members[member];
  (void)arg;
  return m->state == DEALER_OK && m->visible && m->properties_read > 1;
}

static bool is_first_only(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct cohort_member *m = &cohort->members[member];
  (void)arg;
  return m->state == DEALER_OK && m->visible && m->properties > 1 && m->properties_read <= 1;
}

/* Dealers with several properties. */
static void add_properties(struct caveats *c, const struct cohort *cohort)
{
  if (cohort_count_if(cohort, is_added_up, NULL) > 0)
    caveats_add(c,
                "All properties of %s are added up; what cannot be added up, such as users, comes "
                "from the default one alone.",
                cohort_names(cohort, is_added_up, NULL, c->arena));
  if (cohort_count_if(cohort, is_first_only, NULL) > 0)
    caveats_add(c, "Only the default one of several properties was read for: %s.",
                cohort_names(cohort, is_first_only, NULL, c->arena));
}

/* "Northgate Ford from 2025-11-03 on, Bay Toyota from 2026-01-12 on and 3 more". */
static size_t put_first_days(struct buf *out, const struct cohort *cohort)
{
  enum { NAMED = 5 };
  char day[16];
  size_t n = 0;
  for (size_t i = 0; i < cohort->n; i++) {
    const struct cohort_member *m = &cohort->members[i];
    if (m->first_day <= 0 || n++ >= NAMED)
      continue;
    clock_format_date(m->first_day, day, sizeof(day));
    buf_puts(out, n == 1 ? "" : ", ");
    text_put_clipped(out, m->name, NAME_BYTES);
    buf_printf(out, " from %s on", day);
  }
  if (n > NAMED)
    buf_printf(out, " and %zu more", n - NAMED);
  return n;
}

static bool has_no_data(const struct cohort *cohort, size_t member, const void *arg)
{
  (void)arg;
  return cohort->members[member].first_day == COHORT_NO_DATA;
}

/* Whose data begins after the period; set of visible dealers alone. */
static void add_first_days(struct caveats *c, const struct cohort *cohort)
{
  AUTO_BUF struct buf days = BUF_INIT(CAVEAT_BYTES / 2);
  if (put_first_days(&days, cohort) > 0)
    caveats_add(c, "The period lies before the first data of: %s.", buf_str(&days));
  if (cohort_count_if(cohort, has_no_data, NULL) > 0)
    caveats_add(c, "No session was ever recorded at: %s.",
                cohort_names(cohort, has_no_data, NULL, c->arena));
}

void caveats_add_missing(struct caveats *c, const struct cohort *cohort)
{
  size_t asked = cohort_asked(cohort), missing = asked - cohort_in_figures(cohort);
  if (missing > 0)
    caveats_add(c, "%zu of %zu dealer%s could not be read and %s in no figure: %s.", missing, asked,
                text_s(asked), missing == 1 ? "is" : "are", cohort_missing_names(cohort, c->arena));
  add_first_days(c, cohort);
  add_properties(c, cohort);
}

/* ------------------------------------------------------- time zones, currencies */

static bool is_listed(char *const *list, size_t n, const char *s)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i], s) == 0)
      return true;
  return false;
}

size_t notes_time_zones(const struct cohort *cohort, const struct dealer_notes *notes,
                        struct arena *arena, char ***out)
{
  size_t n = 0;
  *out = ARENA_ARRAY(arena, char *, cohort->n);
  for (size_t i = 0; i < cohort->n; i++) {
    const struct cohort_member *m = &cohort->members[i];
    if (m->state == DEALER_OK && m->visible && notes[i].time_zone[0] != '\0' &&
        !is_listed(*out, n, notes[i].time_zone))
      (*out)[n++] = (char *)notes[i].time_zone;
  }
  return n;
}

const char *notes_first_zone(const struct cohort *cohort, const struct dealer_notes *notes)
{
  const char *hidden = "";
  for (size_t i = 0; i < cohort->n; i++) {
    if (cohort->members[i].state != DEALER_OK || notes[i].time_zone[0] == '\0')
      continue;
    if (cohort->members[i].visible)
      return notes[i].time_zone;
    if (hidden[0] == '\0')
      hidden = notes[i].time_zone;
  }
  return hidden;
}

const char *notes_shared_currency(const struct cohort *cohort, const struct dealer_notes *notes)
{
  const char *shared = "";
  for (size_t i = 0; i < cohort->n; i++) {
    if (cohort->members[i].state != DEALER_OK || notes[i].currency[0] == '\0')
      continue;
    if (shared[0] != '\0' && strcmp(shared, notes[i].currency) != 0)
      return NULL;
    shared = notes[i].currency;
  }
  return shared;
}
