/* Cohorts: filled from auth-svc's answers, shown as coverage and errors. */
#include "aggregate-svc/cohort/cohort.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/rpc/grant_reasons.h"

typedef Analytics__Auth__V1__ResolveCohortResponse Resolved;
typedef Analytics__Auth__V1__ListDealersResponse Listed;
typedef Analytics__Auth__V1__CohortMember ResolvedMember;
typedef Analytics__Auth__V1__Dealer Dealer;
typedef Analytics__Report__V1__Coverage Coverage;
typedef Analytics__Report__V1__DealerFailure DealerFailure;

enum { NAMES_MAX = 5, NAME_BYTES = 200, NAMES_BYTES = 4096 };

/* ------------------------------------------------------------------- filling */

static enum err_code too_many(size_t n, struct err *e)
{
  return err_set(
      e, ERR_INVALID_ARGUMENT, "too_many_dealers",
      "dealer_ids: %zu dealers; at most %d in one call, give a region or fewer dealer_ids", n,
      COHORT_MAX_DEALERS);
}

static enum err_code arena_full(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                 "the descriptions of the dealers are too large; ask for fewer dealers");
}

static bool set_groups(struct cohort_member *m, const Dealer *d, struct arena *arena)
{
  m->groups = ARENA_ARRAY(arena, char *, d->n_groups + 1);
  for (size_t i = 0; m->groups != NULL && i < d->n_groups; i++) {
    m->groups[i] = arena_strdup(arena, d->groups[i]);
    if (m->groups[i] == NULL)
      return false;
    m->n_groups++;
  }
  return m->groups != NULL;
}

static bool set_names(struct vehicle_settings *out, const Analytics__Auth__V1__DealerSettings *s,
                      struct arena *arena)
{
  size_t n = s != NULL ? s->n_vehicle_overrides : 0;
  struct vehicle_name *names = ARENA_ARRAY(arena, struct vehicle_name, n + 1);
  for (size_t i = 0; names != NULL && i < n; i++) {
    const Analytics__Auth__V1__VehicleOverride *o = s->vehicle_overrides[i];
    names[i] = (struct vehicle_name){arena_strdup(arena, o->value), arena_strdup(arena, o->make),
                                     arena_strdup(arena, o->model)};
    if (names[i].value == NULL || names[i].make == NULL || names[i].model == NULL)
      return false;
  }
  out->names = names;
  out->n_names = n;
  return names != NULL;
}

static bool set_dealer(struct cohort_member *m, const Dealer *d, struct arena *arena)
{
  m->properties = d->n_property_ids;
  m->dealer_id = arena_strdup(arena, d->dealer_id);
  m->name = arena_strdup(arena, d->name[0] != '\0' ? d->name : d->dealer_id);
  m->region = arena_strdup(arena, d->region);
  return m->dealer_id != NULL && m->name != NULL && m->region != NULL && set_groups(m, d, arena) &&
         set_names(&m->vehicles, d->settings, arena);
}

typedef Analytics__Auth__V1__DealerSettings Settings;

/* What is not configured is "". */
static bool set_vehicles(struct cohort_member *m, const Settings *s, struct arena *arena)
{
  const Analytics__Auth__V1__VehicleDimensions *v = s != NULL ? s->vehicle_dimensions : NULL;
  const struct {
    const char **to;
    const char *from;
  } texts[] = {{&m->vehicles.make, v != NULL ? v->make : ""},
               {&m->vehicles.model, v != NULL ? v->model : ""},
               {&m->vehicles.condition, v != NULL ? v->condition : ""},
               {&m->vehicles.vdp_path_pattern, s != NULL ? s->vdp_path_pattern : ""}};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    *texts[i].to = texts[i].from[0] == '\0' ? "" : arena_strdup(arena, texts[i].from);
    if (*texts[i].to == NULL)
      return false;
  }
  return true;
}

/* How the website is read; "" for what is not configured. */
static bool set_settings(struct cohort_member *m, const char *lead_event,
                         const Analytics__Auth__V1__DealerSettings *s, struct arena *arena)
{
  m->lead_event = arena_strdup(arena, lead_event);
  m->qualified_session = s == NULL ? "" : arena_strdup(arena, s->qualified_session);
  m->time_zone = s == NULL ? "" : arena_strdup(arena, s->time_zone);
  return m->lead_event != NULL && m->qualified_session != NULL && m->time_zone != NULL &&
         set_vehicles(m, s, arena);
}

static bool set_member(struct cohort_member *m, const ResolvedMember *r, struct arena *arena)
{
  m->visible = r->visible && r->dealer != NULL;
  m->dealer_id = m->name = m->region = "";
  m->ref = arena_strdup(arena, r->dealer_ref);
  m->owner = arena_strdup(arena, r->owner_ref);
  if (m->ref == NULL || m->owner == NULL || !set_settings(m, r->lead_event, r->settings, arena))
    return false;
  return !m->visible || set_dealer(m, r->dealer, arena);
}

static bool set_scope(struct cohort_scope *s, const Analytics__Auth__V1__ReleaseScope *r,
                      struct arena *arena)
{
  *s = (struct cohort_scope){"", "", "", ""};
  if (r == NULL)
    return true;
  s->cohort = arena_strdup(arena, r->cohort);
  s->version = arena_strdup(arena, r->version);
  s->view = arena_strdup(arena, r->view);
  s->viewer = arena_strdup(arena, r->viewer);
  return s->cohort != NULL && s->version != NULL && s->view != NULL && s->viewer != NULL;
}

static enum err_code check_resolved(const Resolved *r, struct err *e)
{
  if (r->n_members > COHORT_MAX_DEALERS)
    return too_many(r->n_members, e);
  if (r->n_members == 0)
    return err_set(e, ERR_NOT_FOUND, "empty_cohort",
                   "no dealer to compare: list_dealers shows dealers and regions");
  if (r->subject_index >= (int64_t)r->n_members)
    return err_set(e, ERR_INTERNAL, "internal", "auth-svc named a subject outside the cohort");
  return ERR_OK;
}

enum err_code cohort_from_resolved(struct cohort *out, const Resolved *r, struct arena *arena,
                                   struct err *e)
{
  enum err_code code = check_resolved(r, e);
  if (code != ERR_OK)
    return code;
  memset(out, 0, sizeof(*out));
  out->n = r->n_members;
  out->members = ARENA_ARRAY(arena, struct cohort_member, r->n_members);
  out->id = arena_strdup(arena, r->cohort_id);
  out->label = arena_strdup(arena, r->label);
  void *sealed = arena_alloc(arena, r->sealed_benchmark.len);
  if (out->members == NULL || out->id == NULL || out->label == NULL || sealed == NULL ||
      !set_scope(&out->scope, r->release_scope, arena))
    return arena_full(e);
  if (r->sealed_benchmark.len > 0)
    memcpy(sealed, r->sealed_benchmark.data, r->sealed_benchmark.len);
  out->sealed = sealed;
  out->sealed_len = r->sealed_benchmark.len;
  for (size_t i = 0; i < out->n; i++) {
    if (!set_member(&out->members[i], r->members[i], arena))
      return arena_full(e);
    out->outside += !out->members[i].visible;
  }
  /* A dealer outside the caller's view cannot be what the answer is about. */
  out->subject =
      r->subject_index < 0 || !out->members[r->subject_index].visible ? -1 : r->subject_index;
  return ERR_OK;
}

enum err_code cohort_add_listed(struct cohort *c, const Listed *r, struct arena *arena,
                                struct err *e)
{
  if (r->total > COHORT_MAX_DEALERS || c->n + r->n_dealers > COHORT_MAX_DEALERS)
    return too_many(r->total > 0 ? (size_t)r->total : c->n + r->n_dealers, e);
  struct cohort_member *all = ARENA_ARRAY(arena, struct cohort_member, c->n + r->n_dealers);
  if (all == NULL)
    return arena_full(e);
  if (c->n > 0)
    memcpy(all, c->members, c->n * sizeof(*all));
  for (size_t i = 0; i < r->n_dealers; i++) {
    struct cohort_member *m = &all[c->n + i];
    m->visible = true;
    m->owner = "";
    if (!set_settings(m, r->dealers[i]->lead_event, r->dealers[i]->settings, arena) ||
        !set_dealer(m, r->dealers[i], arena))
      return arena_full(e);
    m->ref = m->dealer_id;
  }
  c->members = all;
  c->n += r->n_dealers;
  c->scope = (struct cohort_scope){"", "", "", ""};
  c->id = "dealers:visible";
  c->label = "all dealers you may read";
  c->subject = -1;
  return ERR_OK;
}

size_t cohort_keep_visible(struct cohort *c)
{
  size_t kept = 0;
  for (size_t i = 0; i < c->n; i++) {
    if (!c->members[i].visible)
      continue;
    if (c->subject == (long)i)
      c->subject = (long)kept;
    c->members[kept++] = c->members[i];
  }
  size_t dropped = c->n - kept;
  c->n = kept;
  c->outside = 0;
  return dropped;
}

/* ------------------------------------------------------------------- reporting */

size_t cohort_count(const struct cohort *c, enum dealer_state state)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    n += c->members[i].state == state;
  return n;
}

/* Members outside the view in a state. */
static size_t count_outside(const struct cohort *c, enum dealer_state state)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    n += !c->members[i].visible && c->members[i].state == state;
  return n;
}

size_t cohort_asked(const struct cohort *c)
{
  size_t inside = c->n - c->outside;
  return c->outside_frozen ? inside + c->outside_asked : c->n - count_outside(c, DEALER_NOT_ASKED);
}

size_t cohort_in_figures(const struct cohort *c)
{
  size_t ok = cohort_count(c, DEALER_OK);
  return c->outside_frozen ? ok - count_outside(c, DEALER_OK) + c->outside_ok : ok;
}

size_t cohort_count_if(const struct cohort *c, cohort_filter *in, const void *arg)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    n += in(c, i, arg);
  return n;
}

int64_t cohort_first_day(const struct cohort *c)
{
  int64_t first = 0;
  for (size_t i = 0; i < c->n; i++)
    if (c->members[i].first_day > 0 && (first == 0 || c->members[i].first_day < first))
      first = c->members[i].first_day;
  return first;
}

/* The visible members, then the others counted. */
static char *names_of(const struct cohort *c, cohort_filter *in, const void *arg, size_t unseen,
                      struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(NAMES_BYTES);
  size_t visible = 0, item = 0;
  for (size_t i = 0; i < c->n; i++)
    visible += c->members[i].visible && in(c, i, arg);
  size_t named = visible > NAMES_MAX ? NAMES_MAX : visible;
  size_t items = named + (visible > named) + (unseen > 0);
  for (size_t i = 0; i < c->n && item < named; i++) {
    if (!c->members[i].visible || !in(c, i, arg))
      continue;
    text_put_separator(&b, item++, items);
    text_put_clipped(&b, c->members[i].name, NAME_BYTES);
  }
  if (visible > named) {
    text_put_separator(&b, item++, items);
    buf_printf(&b, "%zu more", visible - named);
  }
  if (unseen > 0) {
    text_put_separator(&b, item, items);
    buf_printf(&b, "%zu dealer%s you may not see by name", unseen, text_s(unseen));
  }
  return arena_strdup(arena, buf_str(&b));
}

char *cohort_names(const struct cohort *c, cohort_filter *in, const void *arg, struct arena *arena)
{
  size_t unseen = 0;
  for (size_t i = 0; i < c->n; i++)
    unseen += !c->members[i].visible && in(c, i, arg);
  return names_of(c, in, arg, unseen, arena);
}

static bool is_missing(const struct cohort *c, size_t member, const void *arg)
{
  (void)arg;
  return c->members[member].state != DEALER_OK && c->members[member].state != DEALER_NOT_ASKED;
}

char *cohort_missing_names(const struct cohort *c, struct arena *arena)
{
  size_t seen = 0;
  for (size_t i = 0; i < c->n; i++)
    seen += c->members[i].visible && is_missing(c, i, NULL);
  return names_of(c, is_missing, NULL, cohort_asked(c) - cohort_in_figures(c) - seen, arena);
}

static DealerFailure *failure_of(const struct cohort_member *m, struct arena *arena)
{
  DealerFailure *f = ARENA_NEW(arena, DealerFailure);
  analytics__report__v1__dealer_failure__init(f);
  f->dealer_id = (char *)m->dealer_id;
  f->name = (char *)m->name;
  f->reason = (char *)m->reason;
  f->message = (char *)m->message;
  return f;
}

Coverage *cohort_coverage(const struct cohort *c, struct arena *arena)
{
  Coverage *v = ARENA_NEW(arena, Coverage);
  analytics__report__v1__coverage__init(v);
  v->asked = (int32_t)cohort_asked(c);
  v->ok = (int32_t)cohort_in_figures(c);
  v->failed = ARENA_ARRAY(arena, DealerFailure *, c->n);
  for (size_t i = 0; i < c->n; i++) {
    if (c->members[i].state != DEALER_FAILED)
      continue;
    if (c->members[i].visible)
      v->failed[v->n_failed++] = failure_of(&c->members[i], arena);
    else
      v->failed_undisclosed++;
  }
  if (c->outside_frozen)
    v->failed_undisclosed = (int32_t)(c->outside_asked - c->outside_ok);
  return v;
}

static bool fails_like(const struct cohort *c, size_t member, const void *arg)
{
  const struct cohort_member *m = &c->members[member], *other = arg;
  return m->visible && m->state == DEALER_FAILED && strcmp(m->reason, other->reason) == 0 &&
         strcmp(m->message, other->message) == 0;
}

/* Whether a member was only given up because another one failed: it says nothing about the request
 * where somebody else does. */
static bool given_up(const struct cohort *c, size_t member)
{
  if (c->members[member].code != ERR_CANCELLED)
    return false;
  for (size_t i = 0; i < c->n; i++)
    if (c->members[i].visible && c->members[i].state == DEALER_FAILED &&
        c->members[i].code != ERR_CANCELLED)
      return true;
  return false;
}

/* Whether an earlier member failed in the same way, so that the group was listed. */
static bool listed_before(const struct cohort *c, size_t member)
{
  for (size_t i = 0; i < member; i++)
    if (fails_like(c, i, &c->members[member]))
      return true;
  return false;
}

static void list_failures(const struct cohort *c, struct buf *b, struct arena *arena)
{
  size_t unnamed = 0, given = 0;
  for (size_t i = 0; i < c->n; i++) {
    const struct cohort_member *m = &c->members[i];
    unnamed += !m->visible && m->state == DEALER_FAILED;
    given += given_up(c, i);
    if (!m->visible || given_up(c, i) || listed_before(c, i))
      continue;
    size_t like = cohort_count_if(c, fails_like, m);
    const char *names = cohort_names(c, fails_like, m, arena);
    /* One reason for all: the remedy first, for long lists of names are cut. */
    if (like == c->n && like > 1)
      buf_printf(b, " %s: %s. Asked were %s.", m->reason, m->message, names);
    else
      buf_printf(b, " %s: %s: %s.", names, m->reason, m->message);
  }
  if (given > 0)
    buf_printf(b, " The other%s asked no further.", given == 1 ? " was" : "s were");
  if (unnamed > 0)
    buf_printf(b, " %zu dealer%s you may not see by name failed.", unnamed, text_s(unnamed));
}

/* The first member that was not just given up; NULL when there is none. */
static const struct cohort_member *first_cause(const struct cohort *c)
{
  size_t i = 0;
  while (i < c->n && given_up(c, i))
    i++;
  return i < c->n ? &c->members[i] : NULL;
}

/* The code all failures share; failures that differ say nothing about the request. */
static enum err_code shared_code(const struct cohort *c, const struct cohort_member *first)
{
  enum err_code code = first != NULL ? first->code : ERR_NOT_FOUND;
  for (size_t i = 0; i < c->n; i++)
    if (c->members[i].code != code && c->members[i].state == DEALER_FAILED && !given_up(c, i))
      return ERR_UNAVAILABLE;
  return code == ERR_OK || code == ERR_CANCELLED ? ERR_UNAVAILABLE : code;
}

enum err_code cohort_all_failed(const struct cohort *c, struct err *e)
{
  struct arena *arena = arena_new(SIZE_MAX / 4); /* at most 500 short lists of names */
  AUTO_BUF struct buf b = BUF_INIT(64 * 1024);
  list_failures(c, &b, arena);
  /* The reason of the first dealer, when the caller may know it and all agree. */
  const struct cohort_member *first = first_cause(c);
  enum err_code code = shared_code(c, first);
  const char *reason =
      first != NULL && first->visible && code == first->code ? first->reason : "no_dealer_answered";
  if (cohort_asked(c) == 1)
    err_set(e, code, reason, "The dealer did not answer.%s", buf_str(&b));
  else
    err_set(e, code, reason, "None of the %zu dealers answered.%s", cohort_asked(c), buf_str(&b));
  arena_free(arena);
  return e->code;
}

const struct cohort_member *cohort_share_spent(const struct cohort *c)
{
  for (size_t i = 0; i < c->n; i++) {
    const struct cohort_member *m = &c->members[i];
    if (!m->visible && m->state == DEALER_FAILED && m->code == ERR_RESOURCE_EXHAUSTED &&
        strcmp(m->reason, GRANT_REASON_SHARE_SPENT) == 0)
      return m;
  }
  return NULL;
}
