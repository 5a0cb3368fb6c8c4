/* Reads the catalogue of cohorts of the dealers file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/dealers/reader.h"
#include "auth-svc/dealers/unions.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* The catalogue in the making: named and configured regions first, then the other regions. */
struct maker {
  const struct dealers_reader *r;
  struct directory *d; /* NULL: the dealers have faults, members are not looked up */
  struct catalogued *cohorts;
  size_t n;
  struct field_at at; /* the cohort being read */
  bool *member;       /* by dealer index, of that */
};

/* -------------------------------------------------------------------------- fields */

static enum err_code read_text(const struct maker *m, const cJSON *object, const char *key,
                               size_t max, const char **out)
{
  const char *text = NULL;
  enum err_code code = field_text(&m->at, object, key, OPTIONAL, max, &text);
  if (text != NULL)
    *out = arena_xstrdup(m->r->arena, text);
  return code;
}

static enum err_code read_id(const struct maker *m, const cJSON *object, struct catalogued *c)
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  enum err_code code = read_text(m, object, "id", DIRECTORY_MAX_ID, &c->id);
  if (code != ERR_OK)
    return code;
  if (c->id == NULL)
    return field_refuse(&m->at, "id", "missing; must be a name such as \"toyota-west\"");
  if (c->id[strspn(c->id, alphabet)] != '\0')
    return field_refuse(&m->at, "id", "may hold lower-case letters, digits and . _ - only");
  for (size_t k = 0; k < m->n; k++)
    if (strcmp(m->cohorts[k].id, c->id) == 0)
      return field_refuse(&m->at, "id", "\"%s\" is used by cohorts[%zu] already", c->id,
                          m->cohorts[k].place);
  return ERR_OK;
}

static enum err_code read_version(const struct maker *m, const cJSON *object, struct catalogued *c)
{
  int64_t version = 0;
  enum err_code code = field_number(&m->at, object, "version", 1, 1000000000, "", &version);
  if (version > 0)
    c->version = arena_printf(m->r->arena, "v%lld", (long long)version);
  return code;
}

/* ------------------------------------------------------------------------- members */

static enum err_code add_dealers(const struct maker *m, const cJSON *list)
{
  size_t k = 0;
  if (!cJSON_IsArray(list) || list->child == NULL)
    return field_refuse(&m->at, "dealers", "must be a non-empty array of dealer ids");
  for (const cJSON *v = list->child; v != NULL; v = v->next, k++) {
    char field[40];
    snprintf(field, sizeof(field), "dealers[%zu]", k);
    if (!cJSON_IsString(v))
      return field_refuse(&m->at, field, "must be a dealer_id of this file");
    const struct dealer *d = m->d != NULL ? directory_by_id(m->d, v->valuestring) : NULL;
    if (m->d == NULL)
      continue;
    if (d == NULL)
      return field_refuse(&m->at, field, "no dealer has the dealer_id \"%.64s\"%s", v->valuestring,
                          directory_by_account(m->d, v->valuestring) != NULL
                              ? ", it is an account_id: name the dealer_id"
                              : "");
    if (m->member[d->index])
      return field_refuse(&m->at, field, "dealer \"%s\" is listed twice", d->dealer_id);
    m->member[d->index] = true;
  }
  return ERR_OK;
}

static enum err_code add_region(const struct maker *m, const char *region, struct catalogued *c)
{
  c->region = directory_region(m->d, region);
  if (c->region == m->d->n_regions)
    return field_refuse(&m->at, "region", "no dealer is in region \"%.64s\"", region);
  for (size_t k = 0; k < m->n; k++)
    if (m->cohorts[k].region == c->region)
      return field_refuse(&m->at, "region", "cohorts[%zu] is this region already",
                          m->cohorts[k].place);
  for (size_t k = 0; k < m->d->n_dealers; k++)
    m->member[k] = m->d->dealers[k].region_index == c->region;
  return ERR_OK;
}

static enum err_code add_group(const struct maker *m, const char *group)
{
  size_t n = 0;
  for (size_t k = 0; k < m->d->n_dealers; k++) {
    m->member[k] = dealer_in_group(&m->d->dealers[k], group);
    n += m->member[k];
  }
  return n > 0 ? ERR_OK : field_refuse(&m->at, "group", "no dealer has the group \"%.64s\"", group);
}

static void take_members(const struct maker *m, struct catalogued *c)
{
  size_t n = 0;
  for (size_t k = 0; k < m->d->n_dealers; k++)
    n += m->member[k];
  c->members = arena_xalloc(m->r->arena, (n + 1) * sizeof(*c->members));
  for (size_t k = 0; k < m->d->n_dealers; k++)
    if (m->member[k])
      c->members[c->n_members++] = (uint16_t)k;
  c->benchmark = catalogue_is_benchmark(m->d, c);
}

static enum err_code read_members(const struct maker *m, const cJSON *object, struct catalogued *c)
{
  const cJSON *dealers = cJSON_GetObjectItemCaseSensitive(object, "dealers");
  const char *region = NULL, *group = NULL;
  enum err_code code = read_text(m, object, "region", DIRECTORY_MAX_TEXT, &region);
  if (code == ERR_OK)
    code = read_text(m, object, "group", DIRECTORY_MAX_TEXT, &group);
  if (code != ERR_OK)
    return code;
  if ((dealers != NULL) + (region != NULL) + (group != NULL) != 1)
    return field_refuse(&m->at, "", "must have exactly one of dealers, region and group");
  if (m->d == NULL)
    return dealers != NULL ? add_dealers(m, dealers) : ERR_OK;
  memset(m->member, 0, m->d->n_dealers);
  code = dealers != NULL  ? add_dealers(m, dealers)
         : region != NULL ? add_region(m, region, c)
                          : add_group(m, group);
  if (code == ERR_OK)
    take_members(m, c);
  return code;
}

static enum err_code read_cohort(struct maker *m, size_t i, const cJSON *object)
{
  static const char *const known[] = {"id", "label", "version", "dealers", "region", "group"};
  struct catalogued c = {.region = m->d != NULL ? m->d->n_regions : 0};
  m->at = field_item(&m->r->top, "cohorts", i);
  if (!cJSON_IsObject(object))
    return field_refuse(&m->at, "",
                        "must be an object with id and one of dealers, region and group");
  enum err_code code = field_keys(&m->at, object, known, ARRAY_LEN(known));
  code = first_of(code, read_id(m, object, &c));
  code = first_of(code, read_text(m, object, "label", DIRECTORY_MAX_TEXT, &c.label));
  code = first_of(code, read_version(m, object, &c));
  code = first_of(code, read_members(m, object, &c));
  if (code != ERR_OK)
    return code;
  if (c.label == NULL)
    c.label = m->d != NULL && c.region < m->d->n_regions ? m->d->regions[c.region] : c.id;
  c.place = i;
  m->cohorts[m->n++] = c;
  return ERR_OK;
}

/* -------------------------------------------------------------------------- regions */

static bool id_is_free(const struct maker *m, const char *id)
{
  for (size_t k = 0; k < m->n; k++)
    if (strcmp(m->cohorts[k].id, id) == 0)
      return false;
  return true;
}

/* Every region is a cohort, written or not. */
static void add_unwritten_region(struct maker *m, size_t region)
{
  struct catalogued c = {.region = region, .label = m->d->regions[region]};
  const char *slug = catalogue_slug(m->d->arena, c.label);
  for (int k = 2; c.id == NULL; k++) {
    c.id = id_is_free(m, slug) ? slug : NULL;
    if (c.id == NULL)
      slug = arena_printf(m->d->arena, "%s-%d", catalogue_slug(m->d->arena, c.label), k);
  }
  for (size_t k = 0; k < m->d->n_dealers; k++)
    m->member[k] = m->d->dealers[k].region_index == region;
  take_members(m, &c);
  m->cohorts[m->n++] = c;
}

static void add_unwritten_regions(struct maker *m)
{
  size_t written = m->n;
  for (size_t region = 0; region < m->d->n_regions; region++) {
    bool found = false;
    for (size_t k = 0; k < written; k++)
      found = found || m->cohorts[k].region == region;
    if (!found)
      add_unwritten_region(m, region);
  }
}

/* --------------------------------------------------------------------------- rules */

/* Refuses the file; or, where that is asked for, takes the later, never a region, out of
 * benchmarks. */
static enum err_code check_pair(const struct maker *m, struct catalogued *a, struct catalogued *b)
{
  bool regions = a->region < m->d->n_regions && b->region < m->d->n_regions;
  if (regions || !catalogue_conflict(m->d, a, b)) /* regions have no dealer in common */
    return ERR_OK;
  struct catalogued *later = b->region < m->d->n_regions ? a : b;
  const struct field_at at = field_item(&m->r->top, "cohorts", later->place);
  if (!m->r->warn_of_cohorts)
    return field_refuse(
        &at, "",
        "cohorts \"%s\" and \"%s\" differ by fewer than %d dealers of %d owners, so that one "
        "subtracted from the other would disclose single dealers' figures; change their members, "
        "or start with AUTH_COHORT_RULES=warn, which takes \"%s\" out of benchmarks",
        a->id, b->id, CATALOGUE_MIN_CONTRIBUTORS, CATALOGUE_MIN_OWNERS, later->id);
  log_warn("a cohort is taken out of benchmarks: it differs from another by too few dealers",
           LOG_S("cohort", later->id), LOG_S("other", later == a ? b->id : a->id));
  later->benchmark = false;
  return ERR_OK;
}

static bool with_region(const struct maker *m, size_t i, size_t k)
{
  return m->cohorts[i].region < m->d->n_regions || m->cohorts[k].region < m->d->n_regions;
}

static void list_cohorts(const struct maker *m, const struct isolation *found, struct buf *out)
{
  for (size_t i = 0; i < found->n && i < UNIONS_NAMED; i++)
    buf_printf(out, "%s\"%s\"",
               i == 0              ? ""
               : i + 1 == found->n ? " and "
                                   : ", ",
               m->cohorts[found->cohorts[i]].id);
  if (found->n > UNIONS_NAMED)
    buf_printf(out, " and %zu more", found->n - UNIONS_NAMED);
}

static enum err_code refuse_union(const struct maker *m, const struct catalogued *c,
                                  const struct isolation *found)
{
  AUTO_BUF struct buf names = BUF_INIT(512);
  const struct field_at at = field_item(&m->r->top, "cohorts", c->place);
  if (found->too_large)
    return field_refuse(&at, "",
                        "the cohorts overlap in too many ways for it to be checked that no sum "
                        "and difference of them discloses single dealers; write fewer cohorts, or "
                        "cohorts that are unions of regions");
  list_cohorts(m, found, &names);
  return field_refuse(&at, "",
                      "cohorts %s, added and subtracted, leave %zu dealer%s (dealer \"%s\"%s), "
                      "fewer than %d of %d owners, so that together they would disclose single "
                      "dealers' figures; change their members, or start with "
                      "AUTH_COHORT_RULES=warn, which takes \"%s\" out of benchmarks",
                      buf_str(&names), found->dealers, found->dealers == 1 ? "" : "s",
                      m->d->dealers[found->dealer].dealer_id,
                      found->dealers == 1 ? "" : " among them", CATALOGUE_MIN_CONTRIBUTORS,
                      CATALOGUE_MIN_OWNERS, c->id);
}

/* One named cohort after the other joins the regions and those that passed before it. */
static enum err_code join_one_by_one(const struct maker *m, const bool *released)
{
  enum err_code code = ERR_OK;
  struct isolation found;
  bool all = m->r->watch != NULL; /* each takes up to a second */
  for (size_t i = 0; i < m->n && (code == ERR_OK || all); i++) {
    struct catalogued *c = &m->cohorts[i];
    if (!released[i] || c->benchmark)
      continue;
    c->benchmark = true;
    if (!unions_isolate(m->d, m->cohorts, m->n, &found))
      continue;
    c->benchmark = false;
    if (m->r->warn_of_cohorts)
      log_warn("a cohort is taken out of benchmarks: together with others it isolates dealers",
               LOG_S("cohort", c->id));
    else if (found.n != 2) /* refused as a pair already */
      code = first_of(code, refuse_union(m, c, &found));
  }
  return code;
}

/* Combinations of more than two cohorts. */
static enum err_code check_unions(const struct maker *m)
{
  struct isolation found;
  if (!unions_isolate(m->d, m->cohorts, m->n, &found))
    return ERR_OK;
  AUTO_FREE bool *released = xcalloc(m->n + 1, sizeof(*released));
  for (size_t i = 0; i < m->n; i++) {
    released[i] = m->cohorts[i].benchmark;
    m->cohorts[i].benchmark = released[i] && m->cohorts[i].region < m->d->n_regions;
  }
  return join_one_by_one(m, released);
}

/* Regions against named cohorts first: a cohort that they push out pushes no other out. */
static enum err_code check_rules(const struct maker *m)
{
  enum err_code code = ERR_OK;
  for (int regions = 1; regions >= 0; regions--)
    for (size_t i = 0; i < m->n; i++)
      for (size_t k = i + 1; k < m->n; k++)
        if (with_region(m, i, k) == (regions == 1))
          code = first_of(code, check_pair(m, &m->cohorts[i], &m->cohorts[k]));
  return first_of(code, check_unions(m));
}

/* Regions first, then by id. */
static int in_order(const void *a, const void *b)
{
  const struct catalogued *x = a, *y = b;
  if (x->is_region != y->is_region)
    return x->is_region ? -1 : 1;
  return strcmp(x->id, y->id);
}

static enum err_code read_all(struct maker *m, const cJSON *list)
{
  enum err_code code = ERR_OK;
  size_t i = 0;
  for (const cJSON *v = list != NULL ? list->child : NULL; v != NULL; v = v->next)
    code = first_of(code, read_cohort(m, i++, v));
  if (code != ERR_OK || m->d == NULL)
    return code;
  add_unwritten_regions(m);
  return check_rules(m);
}

enum err_code dealers_read_cohorts(const struct dealers_reader *r, const cJSON *root,
                                   struct directory *d)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "cohorts");
  struct maker m = {.r = r, .d = d};
  int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
  if (list != NULL && (!cJSON_IsArray(list) || n > CATALOGUE_MAX))
    return field_refuse(&r->top, "cohorts", "must be an array of at most %d cohorts",
                        CATALOGUE_MAX);
  AUTO_FREE bool *member = xcalloc(d != NULL ? d->n_dealers + 1 : 1, sizeof(bool));
  m.member = member;
  m.cohorts = arena_xalloc(m.r->arena,
                           ((size_t)n + (d != NULL ? d->n_regions : 0) + 1) * sizeof(*m.cohorts));
  enum err_code code = read_all(&m, list);
  if (code != ERR_OK || d == NULL)
    return code;
  for (size_t i = 0; i < m.n; i++)
    m.cohorts[i].is_region = m.cohorts[i].region < d->n_regions;
  qsort(m.cohorts, m.n, sizeof(*m.cohorts), in_order);
  d->cohorts = m.cohorts;
  d->n_cohorts = m.n;
  return ERR_OK;
}
