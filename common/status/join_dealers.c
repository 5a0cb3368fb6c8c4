/* The dealers: consent of auth-svc, reports of report-svc, suspect data and how far it reaches of
 * aggregate-svc. */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/status/join_internal.h"

typedef Analytics__Status__V1__ServiceStatus joined;
typedef Analytics__Status__V1__DealerRow dealer_row;
typedef Analytics__Auth__V1__DealerConsent consent;
typedef Analytics__Report__V1__AccountReports reports;
typedef Analytics__Aggregate__V1__SuspectDealer suspect;
typedef Analytics__Aggregate__V1__DealerFreshness freshness;

/* Google finishes a day within so many days; older data has ended. */
enum { REASONS_MAX = 8, TEXT_MAX = 512, FRESH_DAYS = 3 };

/* What is known of one dealer, of all its properties together. */
struct known {
  const consent *consent;
  const reports *last; /* whose report ended last */
  bool has_quota;
  int32_t quota_left; /* the least of its properties */
  int64_t held_until, gone_until;
  Analytics__Status__V1__Failures failures[REASONS_MAX];
  size_t n_failures;
  const suspect *suspect;
  const freshness *freshness;
  struct map_node by_id;
};

struct property {
  struct map_node by_id;
  struct known *of;
};

/* All dealers, to be found by id and by property. */
struct index {
  struct known *dealers;
  size_t n;
  struct property *properties;
  struct map by_dealer, by_property;
};

/* ---------------------------------------------------------------------------- index */

static size_t count_properties(const struct status_parts *p)
{
  size_t n = 0;
  for (size_t i = 0; i < p->auth->n_dealers; i++)
    n += p->auth->dealers[i]->n_property_ids;
  return n;
}

static void index_dealer(struct index *x, struct known *k, size_t *n_properties)
{
  if (map_find_text(&x->by_dealer, k->consent->dealer_id) == NULL)
    map_add_text(&x->by_dealer, &k->by_id, k->consent->dealer_id);
  for (size_t i = 0; i < k->consent->n_property_ids; i++) {
    const char *id = k->consent->property_ids[i];
    struct property *property = &x->properties[(*n_properties)++];
    property->of = k;
    if (map_find_text(&x->by_property, id) == NULL)
      map_add_text(&x->by_property, &property->by_id, id);
  }
}

static bool index_make(struct index *x, const struct status_parts *p, struct arena *arena)
{
  size_t n_properties = 0;
  x->n = p->auth->n_dealers;
  x->dealers = ARENA_ARRAY(arena, struct known, x->n);
  x->properties = ARENA_ARRAY(arena, struct property, count_properties(p));
  if (x->dealers == NULL || x->properties == NULL)
    return false;
  for (size_t i = 0; i < x->n; i++) {
    x->dealers[i].consent = p->auth->dealers[i];
    index_dealer(x, &x->dealers[i], &n_properties);
  }
  return true;
}

static struct known *dealer_of(const struct index *x, const char *property_id,
                               const char *dealer_id)
{
  struct map_node *found = map_find_text(&x->by_property, property_id);
  if (found != NULL)
    return CONTAINER_OF(found, struct property, by_id)->of;
  found = map_find_text(&x->by_dealer, dealer_id);
  return found != NULL ? CONTAINER_OF(found, struct known, by_id) : NULL;
}

/* -------------------------------------------------------------------------- reports */

static void add_failures(struct known *k, const reports *r)
{
  for (size_t i = 0; i < r->n_failures; i++) {
    size_t at = 0;
    while (at < k->n_failures && strcmp(k->failures[at].reason, r->failures[i]->reason) != 0)
      at++;
    if (at == REASONS_MAX)
      continue;
    if (at == k->n_failures) {
      k->failures[at] = (Analytics__Status__V1__Failures)ANALYTICS__STATUS__V1__FAILURES__INIT;
      k->failures[k->n_failures++].reason = r->failures[i]->reason;
    }
    k->failures[at].count += r->failures[i]->count;
  }
}

static void add_reports(struct known *k, const reports *r)
{
  if (k->last == NULL || r->last_at > k->last->last_at)
    k->last = r;
  if (r->has_quota && (!k->has_quota || r->tokens_left_hour < k->quota_left))
    k->quota_left = r->tokens_left_hour;
  k->has_quota |= r->has_quota;
  k->held_until = r->held_until > k->held_until ? r->held_until : k->held_until;
  k->gone_until = r->quota_gone_until > k->gone_until ? r->quota_gone_until : k->gone_until;
  add_failures(k, r);
}

static void add_data(const struct index *x, const Analytics__Aggregate__V1__AggregateStatus *a)
{
  for (size_t i = 0; i < a->n_suspects; i++) {
    struct known *k = dealer_of(x, "", a->suspects[i]->dealer_id);
    if (k != NULL)
      k->suspect = a->suspects[i];
  }
  for (size_t i = 0; i < a->n_freshness; i++) {
    struct known *k = dealer_of(x, "", a->freshness[i]->dealer_id);
    if (k != NULL)
      k->freshness = a->freshness[i];
  }
}

static void add_known(const struct index *x, const struct status_parts *p)
{
  for (size_t i = 0; p->report != NULL && i < p->report->n_accounts; i++) {
    const reports *r = p->report->accounts[i];
    struct known *k = dealer_of(x, r->property_id, r->dealer_id);
    if (k != NULL)
      add_reports(k, r);
  }
  if (p->aggregate != NULL)
    add_data(x, p->aggregate);
}

/* ----------------------------------------------------------------------------- rows */

static enum status_state state_of(const struct known *k, int64_t now_s)
{
  enum status_state consent_state = status_state_of(k->consent->state);
  if (consent_state <= STATUS_FAILING)
    return consent_state;
  if (k->held_until > now_s)
    return STATUS_HELD;
  if (k->gone_until > now_s)
    return STATUS_NO_QUOTA;
  if (k->last != NULL && strcmp(k->last->last_outcome, "ok") != 0)
    return strcmp(k->last->last_outcome, "quota_exhausted") == 0 ? STATUS_NO_QUOTA : STATUS_FAILING;
  if (k->suspect != NULL)
    return STATUS_SUSPECT;
  return k->last == NULL ? STATUS_NO_REPORT : STATUS_OK;
}

/* Whether more than FRESH_DAYS days after the newest one with data were looked at, and had none. An
 * answer about an earlier period has not looked at them. */
static bool has_ended(const freshness *f)
{
  int64_t newest, looked;
  return f != NULL && clock_parse_date(f->newest_day, &newest) &&
         clock_parse_date(f->looked_through, &looked) && looked - newest > FRESH_DAYS;
}

static char *remedy_of(const struct known *k, enum status_state state, struct arena *arena)
{
  int64_t until = state == STATUS_HELD ? k->held_until : k->gone_until;
  if (k->consent->remedy[0] != '\0')
    return k->consent->remedy;
  if (state == STATUS_SUSPECT)
    return arena_printf(arena, "ask check_data_health about %s", k->consent->dealer_id);
  if ((state == STATUS_HELD || state == STATUS_NO_QUOTA) && until > 0) {
    const char *time = status_time(until, arena);
    return time != NULL ? arena_printf(arena, "wait until %s%s", time,
                                       state == STATUS_HELD ? "" : " at the latest")
                        : NULL;
  }
  if (!status_is_problem(state) && has_ended(k->freshness))
    return arena_printf(arena, "no data since %s as of %s: ask check_data_health about %s",
                        k->freshness->newest_day, k->freshness->looked_through,
                        k->consent->dealer_id);
  return status_is_problem(state) && k->last != NULL ? k->last->remedy : arena_strdup(arena, "");
}

static char *failures_of(const struct known *k, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
  for (size_t i = 0; i < k->n_failures; i++)
    buf_printf(&b, "%s%s %lld", i > 0 ? ", " : "", k->failures[i].reason,
               (long long)k->failures[i].count);
  return arena_strdup(arena, buf_str(&b));
}

static char *signs_of(const struct known *k, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
  for (size_t i = 0; k->suspect != NULL && i < k->suspect->n_signs; i++)
    buf_printf(&b, "%s%s", i > 0 ? ", " : "", k->suspect->signs[i]);
  return arena_strdup(arena, buf_str(&b));
}

static bool fill_reports(dealer_row *row, const struct known *k, struct arena *arena)
{
  row->last_report = status_time(k->last != NULL ? k->last->last_at : 0, arena);
  if (k->last != NULL)
    row->last_outcome = k->last->last_outcome;
  row->quota_left =
      k->has_quota ? arena_printf(arena, "%d", k->quota_left) : arena_strdup(arena, "");
  row->failures = failures_of(k, arena);
  row->suspect = signs_of(k, arena);
  if (k->freshness != NULL)
    row->data_through = k->freshness->newest_day;
  return row->last_report != NULL && row->quota_left != NULL && row->failures != NULL &&
         row->suspect != NULL;
}

static dealer_row *row_of(const struct known *k, int64_t now_s, struct arena *arena)
{
  dealer_row *row = ARENA_NEW(arena, dealer_row);
  if (row == NULL)
    return NULL;
  analytics__status__v1__dealer_row__init(row);
  enum status_state state = state_of(k, now_s);
  row->dealer_id = k->consent->dealer_id;
  row->name = k->consent->name;
  row->state = borrow_text(status_state_name(state));
  row->remedy = remedy_of(k, state, arena);
  row->region = k->consent->region;
  row->origin = borrow_text(k->consent->connected ? "connected" : "file");
  row->last_token = status_time(k->consent->last_token_at, arena);
  return row->remedy != NULL && row->last_token != NULL && fill_reports(row, k, arena) ? row : NULL;
}

static int by_urgency(const void *a, const void *b)
{
  const dealer_row *x = *(dealer_row *const *)a, *y = *(dealer_row *const *)b;
  int by_state = (int)status_state_of(x->state) - (int)status_state_of(y->state);
  return by_state != 0 ? by_state : strcmp(x->dealer_id, y->dealer_id);
}

static bool add_rows(joined *out, const struct index *x, int64_t now_s,
                     struct status_counts *counts, struct arena *arena)
{
  out->dealers = ARENA_ARRAY(arena, dealer_row *, x->n);
  if (out->dealers == NULL)
    return false;
  for (size_t i = 0; i < x->n; i++) {
    dealer_row *row = row_of(&x->dealers[i], now_s, arena);
    if (row == NULL)
      return false;
    out->dealers[out->n_dealers++] = row;
    counts->of[status_state_of(row->state)]++;
  }
  if (x->n > 1)
    qsort(out->dealers, x->n, sizeof(*out->dealers), by_urgency);
  return true;
}

bool status_add_dealers(joined *out, const struct status_parts *p, struct status_counts *counts,
                        struct arena *arena)
{
  struct index x = {0};
  if (p->auth == NULL)
    return true;
  bool room = index_make(&x, p, arena);
  if (room) {
    add_known(&x, p);
    room = add_rows(out, &x, p->now_unix_ms / 1000, counts, arena);
  }
  map_free(&x.by_dealer);
  map_free(&x.by_property);
  return room;
}
