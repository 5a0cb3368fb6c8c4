/* Resolves cohorts. */
#include "auth-svc/grant/cohort.h"

#include <string.h>

#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/secret/secret.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

/* A cohort in the making. */
struct cohort {
  const struct scope *scope;
  const struct peers *peers;
  struct arena *arena;
  struct err *e;
  bool *member; /* by dealer index */
  size_t n;
  const struct dealer *subject;        /* NULL when there is none */
  const struct catalogued *catalogued; /* NULL for a list of dealers */
  bool whole;                          /* every dealer of it is a member */
};

static enum err_code no_room(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                 "the cohort is too large to answer");
}

static void add(struct cohort *c, const struct dealer *d)
{
  c->n += !c->member[d->index];
  c->member[d->index] = true;
}

/* ----------------------------------------------------------------- membership */

static enum err_code choose_subject(struct cohort *c,
                                    const Analytics__Auth__V1__ResolveCohortRequest *r)
{
  if (r->subject_dealer_id[0] != '\0')
    return scope_find_dealer(c->scope, "subject_dealer_id", r->subject_dealer_id, &c->subject,
                             c->e);
  if (r->n_dealer_ids > 0 || r->region[0] != '\0' || r->cohort[0] != '\0')
    return ERR_OK;
  c->subject = scope_only_dealer(c->scope);
  if (c->subject == NULL)
    return err_set(c->e, ERR_INVALID_ARGUMENT, "no_cohort",
                   "subject_dealer_id: give the dealer to compare, or region or dealer_ids; "
                   "list_dealers names them");
  return ERR_OK;
}

static enum err_code add_listed(struct cohort *c,
                                const Analytics__Auth__V1__ResolveCohortRequest *r)
{
  if (r->n_dealer_ids > COHORT_MAX_MEMBERS)
    return err_set(c->e, ERR_INVALID_ARGUMENT, "too_many_dealers",
                   "dealer_ids: %zu dealers; at most %d", r->n_dealer_ids, COHORT_MAX_MEMBERS);
  for (size_t i = 0; i < r->n_dealer_ids; i++) {
    const struct dealer *d = NULL;
    enum err_code code = scope_find_dealer(c->scope, "dealer_ids", r->dealer_ids[i], &d, c->e);
    if (code != ERR_OK)
      return code;
    add(c, d);
  }
  return ERR_OK;
}

static void add_catalogued(struct cohort *c)
{
  const struct scope *s = c->scope;
  bool benchmark = s->cohort_benchmark[c->catalogued - s->directory->cohorts];
  c->whole = true;
  for (size_t i = 0; i < c->catalogued->n_members; i++) {
    const struct dealer *d = &s->directory->dealers[c->catalogued->members[i]];
    if (benchmark || scope_sees(s, d))
      add(c, d);
    else
      c->whole = false;
  }
}

static enum err_code add_region(struct cohort *c, const char *region)
{
  size_t index = c->subject != NULL ? c->subject->region_index : 0;
  enum err_code code = ERR_OK;
  c->catalogued = catalogue_region(c->scope->directory, index);
  if (region[0] != '\0')
    code = scope_find_region(c->scope, c->peers, "region", region, &c->catalogued, c->e);
  if (code == ERR_OK)
    add_catalogued(c);
  return code;
}

static enum err_code add_cohort(struct cohort *c, const char *id)
{
  enum err_code code = scope_find_cohort(c->scope, c->peers, id, &c->catalogued, c->e);
  if (code == ERR_OK)
    add_catalogued(c);
  return code;
}

static enum err_code collect(struct cohort *c, const Analytics__Auth__V1__ResolveCohortRequest *r)
{
  if (r->cohort[0] != '\0' && (r->n_dealer_ids > 0 || r->region[0] != '\0'))
    return err_set(c->e, ERR_INVALID_ARGUMENT, "dealers_and_region",
                   "cohort: give cohort, region or dealer_ids, only one of them");
  if (r->n_dealer_ids > 0 && r->region[0] != '\0')
    return err_set(c->e, ERR_INVALID_ARGUMENT, "dealers_and_region",
                   "dealer_ids: give dealer_ids or region, not both");
  enum err_code code = choose_subject(c, r);
  if (code == ERR_OK)
    code = r->n_dealer_ids > 0    ? add_listed(c, r)
           : r->cohort[0] != '\0' ? add_cohort(c, r->cohort)
                                  : add_region(c, r->region);
  if (code == ERR_OK && c->subject != NULL)
    add(c, c->subject);
  if (code == ERR_OK && c->n > COHORT_MAX_MEMBERS)
    return err_set(c->e, ERR_INVALID_ARGUMENT, "too_many_dealers",
                   "the cohort has %zu dealers; at most %d can be compared at once", c->n,
                   COHORT_MAX_MEMBERS);
  return code;
}

/* ----------------------------------------------------------------------- names */

/* Hexadecimal digits of the digest of a text; NULL when the arena is full. */
static char *digest_text(struct arena *arena, int digits, const char *text, size_t len)
{
  char hex[SHA256_HEX_SIZE];
  sha256_hex(text, len, hex);
  return arena_printf(arena, "%.*s", digits, hex);
}

/* Digest of the member ids: two cohorts of different members never share an id. Only for
 * cohorts whose members the caller names or sees. */
static char *members_digest(const struct cohort *c)
{
  const struct directory *dir = c->scope->directory;
  AUTO_BUF struct buf text = BUF_INIT((size_t)COHORT_MAX_MEMBERS * (DIRECTORY_MAX_ID + 1));
  for (size_t i = 0; i < dir->n_dealers; i++)
    if (c->member[i])
      buf_printf(&text, "%s\n", dir->dealers[i].dealer_id);
  return digest_text(c->arena, 12, buf_str(&text), text.len);
}

static bool name_list(const struct cohort *c, Analytics__Auth__V1__ResolveCohortResponse *out)
{
  const char *digest = members_digest(c);
  out->cohort_id = digest != NULL ? arena_printf(c->arena, "dealers:%s", digest) : NULL;
  out->label = arena_printf(c->arena, "%zu selected dealer%s", c->n, c->n == 1 ? "" : "s");
  return out->cohort_id != NULL && out->label != NULL;
}

/* Digest of the members of a catalogued cohort: all, or those that the caller sees. */
static char *digest_catalogued(const struct cohort *c, bool seen_only)
{
  const struct directory *dir = c->scope->directory;
  AUTO_BUF struct buf ids =
      BUF_INIT((size_t)(DIRECTORY_MAX_DEALERS + 1) * (DIRECTORY_MAX_ID + 1) + 1);
  buf_puts(&ids, seen_only ? "seen\n" : "members\n");
  for (size_t i = 0; i < c->catalogued->n_members; i++) {
    const struct dealer *d = &dir->dealers[c->catalogued->members[i]];
    if (!seen_only || scope_sees(c->scope, d))
      buf_printf(&ids, "%s\n", d->dealer_id);
  }
  return digest_text(c->arena, 32, buf_str(&ids), ids.len);
}

/* Whether a dealer of the cohort is outside the caller's view. */
static bool has_outsider(const struct cohort *c)
{
  for (size_t i = 0; c->catalogued != NULL && i < c->catalogued->n_members; i++)
    if (c->member[c->catalogued->members[i]] && !c->scope->direct[c->catalogued->members[i]])
      return true;
  return false;
}

/* Without keys: what is kept under it must be found again after a change of keys. Digests of ids
 * disclose to aggregate-svc nothing but a guess that is right in all ids. */
static bool set_release_scope(const struct cohort *c,
                              Analytics__Auth__V1__ResolveCohortResponse *out)
{
  const Analytics__Auth__V1__Grant *g = c->scope->grant;
  const char *who = g->subject[0] != '\0' ? g->subject : g->principal_id;
  if (!has_outsider(c))
    return true;
  Analytics__Auth__V1__ReleaseScope *s = ARENA_NEW(c->arena, Analytics__Auth__V1__ReleaseScope);
  if (s == NULL)
    return false;
  analytics__auth__v1__release_scope__init(s);
  s->cohort = borrow_text(c->catalogued->id);
  s->version = c->catalogued->version != NULL ? borrow_text(c->catalogued->version)
                                              : digest_catalogued(c, false);
  s->view = digest_catalogued(c, true);
  s->viewer = digest_text(c->arena, 32, who, strlen(who));
  out->release_scope = s;
  return s->version != NULL && s->view != NULL && s->viewer != NULL;
}

/* "west@v7"; "west+d01@v7" with a subject from elsewhere, "west/0a1b…@v7" for a part of it. */
static bool name_cohort(const struct cohort *c, Analytics__Auth__V1__ResolveCohortResponse *out)
{
  const struct catalogued *k = c->catalogued;
  const char *extra = "";
  if (k == NULL)
    return name_list(c, out);
  if (!c->whole) {
    const char *digest = members_digest(c);
    extra = digest != NULL ? arena_printf(c->arena, "/%s", digest) : NULL;
  } else if (c->subject != NULL && !catalogue_has(k, c->subject)) {
    extra = arena_printf(c->arena, "+%s", c->subject->dealer_id);
  }
  if (extra == NULL)
    return false;
  out->cohort_id =
      arena_printf(c->arena, "%s%s@%s", k->id, extra, peers_cohort_version(c->peers, k));
  out->label = arena_printf(c->arena, "%s%s", k->label, c->whole ? "" : " (your dealers)");
  return out->cohort_id != NULL && out->label != NULL;
}

/* --------------------------------------------------------------------- members */

typedef Analytics__Auth__V1__VehicleOverride Override;

/* False when the arena is full. */
static bool add_overrides(Analytics__Auth__V1__DealerSettings *m, const struct dealer *d,
                          struct arena *arena)
{
  if (d->n_vehicle_overrides == 0)
    return true;
  Override *all = ARENA_ARRAY(arena, Override, d->n_vehicle_overrides);
  m->vehicle_overrides = ARENA_ARRAY(arena, Override *, d->n_vehicle_overrides);
  if (all == NULL || m->vehicle_overrides == NULL)
    return false;
  for (size_t i = 0; i < d->n_vehicle_overrides; i++) {
    analytics__auth__v1__vehicle_override__init(&all[i]);
    all[i].value = borrow_text(d->vehicle_overrides[i].value);
    all[i].make = borrow_text(d->vehicle_overrides[i].make);
    all[i].model = borrow_text(d->vehicle_overrides[i].model);
    m->vehicle_overrides[m->n_vehicle_overrides++] = &all[i];
  }
  return true;
}

/* NULL when the arena is full. */
static Analytics__Auth__V1__DealerSettings *settings_message(const struct dealer *d,
                                                             struct arena *arena)
{
  Analytics__Auth__V1__DealerSettings *m = ARENA_NEW(arena, Analytics__Auth__V1__DealerSettings);
  Analytics__Auth__V1__VehicleDimensions *v =
      ARENA_NEW(arena, Analytics__Auth__V1__VehicleDimensions);
  if (m == NULL || v == NULL)
    return NULL;
  analytics__auth__v1__dealer_settings__init(m);
  analytics__auth__v1__vehicle_dimensions__init(v);
  m->qualified_session = borrow_text(d->qualified_session);
  m->vdp_path_pattern = borrow_text(d->vdp_path_pattern);
  m->time_zone = borrow_text(d->time_zone);
  char **const fields[VEHICLE_ATTRIBUTES] = {&v->make, &v->model, &v->condition, &v->type,
                                             &v->year};
  for (size_t i = 0; i < VEHICLE_ATTRIBUTES; i++) {
    *fields[i] = borrow_text(d->vehicle_dimensions[i]);
    m->vehicle_dimensions = d->vehicle_dimensions[i][0] != '\0' ? v : m->vehicle_dimensions;
  }
  return m;
}

Analytics__Auth__V1__Dealer *dealer_message(const struct dealer *d, struct arena *arena)
{
  Analytics__Auth__V1__Dealer *m = ARENA_NEW(arena, Analytics__Auth__V1__Dealer);
  if (m == NULL)
    return NULL;
  analytics__auth__v1__dealer__init(m);
  m->dealer_id = borrow_text(d->dealer_id);
  m->name = borrow_text(d->name);
  m->region = borrow_text(d->region);
  m->city = borrow_text(d->city);
  m->state = borrow_text(d->state);
  m->lead_event = borrow_text(d->lead_event);
  m->n_property_ids = d->n_property_ids;
  m->property_ids = borrow_texts(d->property_ids);
  if (dealer_has_labels(d)) {
    m->n_property_labels = d->n_property_ids;
    m->property_labels = borrow_texts(d->property_labels);
  }
  m->n_groups = d->n_groups;
  m->groups = borrow_texts(d->groups);
  m->owner = borrow_text(d->owner);
  m->settings = settings_message(d, arena);
  return m->settings != NULL && add_overrides(m->settings, d, arena) ? m : NULL;
}

static Analytics__Auth__V1__CohortMember *member_message(const struct cohort *c,
                                                         const struct dealer *d)
{
  char ref[PEER_REF_SIZE], owner[PEER_REF_SIZE];
  Analytics__Auth__V1__CohortMember *m = ARENA_NEW(c->arena, Analytics__Auth__V1__CohortMember);
  if (m == NULL)
    return NULL;
  analytics__auth__v1__cohort_member__init(m);
  peers_write_ref(peers_tag(c->peers, 0, d, false), ref);
  peers_write_ref(peers_owner_tag(c->peers, d), owner);
  m->visible = c->scope->direct[d->index];
  m->dealer_ref = m->visible ? borrow_text(d->dealer_id) : arena_strdup(c->arena, ref);
  m->dealer = m->visible ? dealer_message(d, c->arena) : NULL;
  m->owner_ref = arena_strdup(c->arena, owner);
  m->lead_event = borrow_text(d->lead_event);
  m->settings = settings_message(d, c->arena);
  return m->dealer_ref != NULL && m->owner_ref != NULL && m->settings != NULL ? m : NULL;
}

static bool list_members(const struct cohort *c, Analytics__Auth__V1__ResolveCohortResponse *out,
                         Analytics__Auth__V1__BenchmarkGrant *benchmark)
{
  const struct directory *dir = c->scope->directory;
  out->members = ARENA_ARRAY(c->arena, Analytics__Auth__V1__CohortMember *, c->n);
  benchmark->members.data = arena_alloc(c->arena, c->n * PEER_TAG_BYTES);
  if (out->members == NULL || benchmark->members.data == NULL)
    return false;
  out->subject_index = -1;
  for (size_t i = 0; i < dir->n_dealers; i++) {
    const struct dealer *d = &dir->dealers[i];
    if (!c->member[i])
      continue;
    if (c->subject != NULL && c->subject->index == i)
      out->subject_index = (int32_t)out->n_members;
    out->members[out->n_members] = member_message(c, d);
    if (out->members[out->n_members++] == NULL)
      return false;
    memcpy(benchmark->members.data + benchmark->members.len,
           peers_tag(c->peers, 0, d, c->scope->direct[i]), PEER_TAG_BYTES);
    benchmark->members.len += PEER_TAG_BYTES;
  }
  return true;
}

enum err_code cohort_resolve(Analytics__Auth__V1__ResolveCohortResponse **out,
                             Analytics__Auth__V1__BenchmarkGrant **benchmark,
                             const struct scope *scope, const struct peers *peers,
                             const Analytics__Auth__V1__ResolveCohortRequest *request,
                             struct arena *arena, struct err *e)
{
  struct cohort c = {.scope = scope,
                     .peers = peers,
                     .arena = arena,
                     .e = e,
                     .member = ARENA_ARRAY(arena, bool, scope->directory->n_dealers)};
  *out = ARENA_NEW(arena, Analytics__Auth__V1__ResolveCohortResponse);
  *benchmark = ARENA_NEW(arena, Analytics__Auth__V1__BenchmarkGrant);
  if (c.member == NULL || *out == NULL || *benchmark == NULL)
    return no_room(e);
  analytics__auth__v1__resolve_cohort_response__init(*out);
  analytics__auth__v1__benchmark_grant__init(*benchmark);
  enum err_code code = collect(&c, request);
  if (code != ERR_OK)
    return code;
  (*benchmark)->subject = scope->grant->subject;
  (*benchmark)->principal_id = scope->grant->principal_id;
  (*benchmark)->expires_at = scope->grant->expires_at;
  (*benchmark)->grant_id = scope->grant->grant_id;
  (*benchmark)->token_id = scope->grant->token_id;
  bool room =
      list_members(&c, *out, *benchmark) && name_cohort(&c, *out) && set_release_scope(&c, *out);
  return room ? ERR_OK : no_room(e);
}
