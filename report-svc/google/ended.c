/* Counts of calls by property and hour. */
#include "report-svc/google/ended.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/table.h"

enum { HOUR_S = 3600, KEY = ENDED_ID + 2, COUNT_MAX = UINT16_MAX };

struct reason {
  char name[ENDED_REASON];
  uint16_t by_hour[ENDED_HOURS];
};

struct entry {
  char dealer_id[ENDED_ID];
  int64_t last_at, last_ok_at;
  char last_outcome[ENDED_REASON];
  int64_t hour; /* the newest one counted, since 1970 */
  uint16_t ok[ENDED_HOURS];
  struct reason reasons[ENDED_REASONS]; /* unused ones have no name */
  bool has_quota;
  int32_t hour_left, day_left;
};

struct ended_calls {
  struct table entries; /* by key_of() */
};

struct ended_calls *ended_new(size_t max_entries)
{
  struct ended_calls *s = xcalloc(1, sizeof(*s));
  table_init(&s->entries, sizeof(struct entry), max_entries > 0 ? max_entries : ENDED_ENTRIES_MAX,
             NULL, NULL);
  return s;
}

void ended_free(struct ended_calls *s)
{
  if (s == NULL)
    return;
  table_free(&s->entries);
  free(s);
}

/* ---------------------------------------------------------------------------- hours */

/* Forgets the hours that are a day old. */
static void move_to(struct entry *e, int64_t now_s)
{
  int64_t hour = now_s / HOUR_S;
  int64_t from = hour - e->hour >= ENDED_HOURS ? hour - ENDED_HOURS : e->hour;
  for (; from < hour; from++) {
    size_t at = (size_t)((from + 1) % ENDED_HOURS);
    e->ok[at] = 0;
    for (size_t i = 0; i < ENDED_REASONS; i++)
      e->reasons[i].by_hour[at] = 0;
  }
  if (hour > e->hour)
    e->hour = hour;
}

static uint64_t sum(const uint16_t by_hour[ENDED_HOURS])
{
  uint64_t all = 0;
  for (size_t i = 0; i < ENDED_HOURS; i++)
    all += by_hour[i];
  return all;
}

static void add_one(const struct entry *e, uint16_t by_hour[ENDED_HOURS])
{
  uint16_t *count = &by_hour[e->hour % ENDED_HOURS];
  *count = (uint16_t)(*count + (*count < COUNT_MAX));
}

/* Its place; a new one takes that of the least frequent when there is none left. */
static struct reason *reason_of(struct entry *e, const char *name)
{
  struct reason *least = &e->reasons[0];
  for (size_t i = 0; i < ENDED_REASONS; i++) {
    struct reason *r = &e->reasons[i];
    if (strcmp(r->name, name) == 0)
      return r;
    if (sum(r->by_hour) < sum(least->by_hour))
      least = r;
  }
  memset(least, 0, sizeof(*least));
  snprintf(least->name, sizeof(least->name), "%s", name);
  return least;
}

/* -------------------------------------------------------------------------- entries */

static void key_of(char out[KEY], const struct ended_subject *subject)
{
  bool known = subject->property_id[0] != '\0';
  out[0] = known ? 'p' : 'd';
  out[1] = ':';
  text_copy(out + 2, KEY - 2, known ? subject->property_id : subject->dealer_id);
}

static struct entry *find_or_add(struct ended_calls *s, const struct ended_subject *subject)
{
  char key[KEY];
  key_of(key, subject);
  struct entry *e = table_make(&s->entries, TABLE_TEXT(key));
  if (subject->dealer_id[0] != '\0')
    text_copy(e->dealer_id, sizeof(e->dealer_id), subject->dealer_id);
  return e;
}

static bool is_callers_own(const struct err *e)
{
  static const char *const reasons[] = {"unanswerable", "benchmark_share_spent",
                                        "several_properties"};
  for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
    if (strcmp(e->reason, reasons[i]) == 0)
      return true;
  return e->code == ERR_INVALID_ARGUMENT || e->code == ERR_CANCELLED;
}

void ended_note(struct ended_calls *s, const struct ended_subject *subject, const struct err *e,
                int64_t now_s)
{
  const char *reason = e->reason[0] != '\0' ? e->reason : "failed";
  if (is_callers_own(e) || (subject->property_id[0] == '\0' && subject->dealer_id[0] == '\0'))
    return;
  pthread_mutex_lock(&s->entries.lock);
  struct entry *entry = find_or_add(s, subject);
  move_to(entry, now_s);
  entry->last_at = now_s;
  if (e->code == ERR_OK) {
    entry->last_ok_at = now_s;
    add_one(entry, entry->ok);
  } else {
    add_one(entry, reason_of(entry, reason)->by_hour);
  }
  text_copy(entry->last_outcome, sizeof(entry->last_outcome), e->code == ERR_OK ? "ok" : reason);
  pthread_mutex_unlock(&s->entries.lock);
}

void ended_quota(struct ended_calls *s, const char *property_id, int32_t hour_left,
                 int32_t day_left, int64_t now_s)
{
  pthread_mutex_lock(&s->entries.lock);
  struct entry *e = find_or_add(s, &(struct ended_subject){property_id, ""});
  move_to(e, now_s);
  e->has_quota = true;
  e->hour_left = hour_left;
  e->day_left = day_left;
  pthread_mutex_unlock(&s->entries.lock);
}

/* ------------------------------------------------------------------------------ list */

static int most_first(const void *a, const void *b)
{
  const struct ended_failures *x = a, *y = b;
  return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->reason, y->reason);
}

static void copy_out(struct ended_account *out, struct entry *e, int64_t now_s)
{
  const char *key = table_key(e);
  move_to(e, now_s);
  *out = (struct ended_account){.last_at = e->last_at,
                                .last_ok_at = e->last_ok_at,
                                .ok = sum(e->ok),
                                .has_quota = e->has_quota,
                                .hour_left = e->hour_left,
                                .day_left = e->day_left};
  if (key[0] == 'p')
    snprintf(out->property_id, sizeof(out->property_id), "%s", key + 2);
  memcpy(out->dealer_id, e->dealer_id, sizeof(out->dealer_id));
  memcpy(out->last_outcome, e->last_outcome, sizeof(out->last_outcome));
  for (size_t i = 0; i < ENDED_REASONS; i++) {
    struct ended_failures *f = &out->failures[out->n_failures];
    f->count = sum(e->reasons[i].by_hour);
    memcpy(f->reason, e->reasons[i].name, sizeof(f->reason));
    out->n_failures += f->count > 0;
  }
  qsort(out->failures, out->n_failures, sizeof(*out->failures), most_first);
}

size_t ended_list(struct ended_calls *s, struct ended_account *out, size_t max, int64_t now_s)
{
  size_t n = 0;
  pthread_mutex_lock(&s->entries.lock);
  for (struct entry *e = table_newest(&s->entries); e != NULL && n < max; e = table_older(e))
    copy_out(&out[n++], e, now_s);
  pthread_mutex_unlock(&s->entries.lock);
  return n;
}

size_t ended_count(struct ended_calls *s)
{
  pthread_mutex_lock(&s->entries.lock);
  size_t n = s->entries.order.n;
  pthread_mutex_unlock(&s->entries.lock);
  return n;
}

const char *ended_remedy(const char *reason)
{
  static const struct {
    const char *reason, *remedy;
  } remedies[] = {
      {"certificate_refused",
       "set SSL_CERT_FILE to the CA of the proxy between this service and Google, or check "
       "GA4_DATA_ENDPOINT, GA4_ADMIN_ENDPOINT and the clock"},
      {"not_found", "check the property id; if Google does not answer at all, GA4_DATA_ENDPOINT "
                    "and GA4_ADMIN_ENDPOINT"},
      {"permission_denied",
       "give the dealer's account the Viewer role at the property in Google Analytics"},
      {"no_property", "give the dealer's account access to a property, or configure property_ids"},
      {"quota_exhausted", "wait for the property's quota at Google, or ask for less"},
      {"server_errors", "wait: Google fails at this property"},
      {"timeout", "if this persists, check the network to Google and REPORT_TIMEOUT_MS"},
      {"unavailable", "if this persists, check the network to Google"},
  };
  for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
    if (strcmp(remedies[i].reason, reason) == 0)
      return remedies[i].remedy;
  return "";
}
