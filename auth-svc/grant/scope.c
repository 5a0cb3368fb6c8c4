/* Policy: what a grant lets its holder see. */
#include "auth-svc/grant/scope.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/grant/peers.h"
#include "auth-svc/grant/search.h"
#include "common/base/codec.h"
#include "common/base/nearest.h"
#include "common/pbjson/ambiguity.h"
#include "common/pbjson/borrow.h"

static void mark_direct(struct scope *s, const struct dealer *dealer)
{
  if (dealer == NULL || s->direct[dealer->index])
    return;
  s->direct[dealer->index] = true;
  s->known[dealer->region_index] = true;
  s->n_direct++;
}

static bool named_in_grant(const Analytics__Auth__V1__Grant *grant, const char *id)
{
  for (size_t i = 0; i < grant->n_benchmark_cohorts; i++)
    if (strcmp(grant->benchmark_cohorts[i], id) == 0)
      return true;
  return false;
}

/* A region as the grant's regions say; a named cohort as its list says, unless the rules took
 * it out of benchmarks. */
static void mark_cohort(struct scope *s, size_t i)
{
  const struct catalogued *c = &s->directory->cohorts[i];
  s->cohort_benchmark[i] =
      c->is_region ? s->benchmark[c->region] : c->benchmark && named_in_grant(s->grant, c->id);
  s->cohort_known[i] = s->cohort_benchmark[i];
  for (size_t k = 0; k < c->n_members && !s->cohort_known[i]; k++)
    s->cohort_known[i] = s->direct[c->members[k]];
}

struct scope *scope_new(struct arena *arena, const struct directory *directory,
                        const Analytics__Auth__V1__Grant *grant)
{
  struct scope *s = ARENA_NEW(arena, struct scope);
  bool *direct = ARENA_ARRAY(arena, bool, directory->n_dealers);
  bool *benchmark = ARENA_ARRAY(arena, bool, directory->n_regions);
  bool *known = ARENA_ARRAY(arena, bool, directory->n_regions);
  bool *cohorts = ARENA_ARRAY(arena, bool, 2 * directory->n_cohorts);
  if (s == NULL || direct == NULL || benchmark == NULL || known == NULL || cohorts == NULL)
    return NULL;
  *s = (struct scope){.grant = grant,
                      .directory = directory,
                      .direct = direct,
                      .benchmark = benchmark,
                      .known = known,
                      .cohort_benchmark = cohorts,
                      .cohort_known = cohorts + directory->n_cohorts};
  for (size_t i = 0; grant->all_dealers && i < directory->n_dealers; i++)
    mark_direct(s, &directory->dealers[i]);
  for (size_t i = 0; i < grant->n_dealer_ids; i++)
    mark_direct(s, directory_by_id(directory, grant->dealer_ids[i]));
  for (size_t i = 0; i < grant->n_benchmark_regions; i++) {
    size_t region = directory_region(directory, grant->benchmark_regions[i]);
    if (region < directory->n_regions)
      s->benchmark[region] = s->known[region] = true;
  }
  for (size_t i = 0; i < directory->n_cohorts; i++)
    mark_cohort(s, i);
  return s;
}

bool scope_sees(const struct scope *s, const struct dealer *dealer)
{
  return dealer != NULL && s->direct[dealer->index];
}

bool scope_grant_sees(const Analytics__Auth__V1__Grant *grant, const struct dealer *dealer)
{
  bool sees = dealer != NULL && grant->all_dealers;
  for (size_t i = 0; dealer != NULL && !sees && i < grant->n_dealer_ids; i++)
    sees = strcmp(grant->dealer_ids[i], dealer->dealer_id) == 0;
  return sees;
}

const struct dealer *scope_only_dealer(const struct scope *s)
{
  for (size_t i = 0; s->n_direct == 1 && i < s->directory->n_dealers; i++)
    if (s->direct[i])
      return &s->directory->dealers[i];
  return NULL;
}

bool scope_knows_region(const struct scope *s, size_t region_index)
{
  return region_index < s->directory->n_regions && s->known[region_index];
}

const char *shown(char out[SHOWN_SIZE], const char *text)
{
  size_t n = strnlen(text, 65);
  bool cut = n > 64;
  n = cut ? 64 : n;
  while (cut && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
    n--;
  for (size_t i = 0; i < n; i++)
    out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
  memcpy(out + n, cut ? "..." : "", cut ? 4 : 1);
  return out;
}

/* ------------------------------------------------------------ closest matches */

enum { FITS_SHOWN = 5, REGIONS_BYTES = 400, PART_MIN = 3 };

static unsigned dealer_distance(const char *asked, const struct dealer *d)
{
  unsigned by_id = nearest_distance(asked, d->dealer_id);
  unsigned by_name = nearest_distance(asked, d->name);
  return by_id < by_name ? by_id : by_name;
}

static void list_closest_dealers(const struct scope *s, const char *asked, struct buf *out)
{
  struct nearest best = {0};
  for (size_t i = 0; i < s->directory->n_dealers; i++)
    if (s->direct[i])
      nearest_offer(&best, i, dealer_distance(asked, &s->directory->dealers[i]));
  for (size_t i = 0; i < best.n; i++) {
    const struct dealer *d = &s->directory->dealers[best.item[i]];
    buf_printf(out, "%s\"%s\" %s", i == 0 ? "; closest: " : ", ", d->dealer_id, d->name);
  }
  if (s->directory->n_dealers == 0)
    buf_puts(out, "; no dealers are configured here: give property_id alone");
  else if (best.n == 0)
    buf_puts(out, s->n_direct > 0 ? "; list_dealers names the dealers you may read"
                                  : "; your access covers no configured dealer");
}

static void list_closest_regions(const struct scope *s, const char *asked, struct buf *out)
{
  struct nearest best = {0};
  for (size_t i = 0; i < s->directory->n_regions; i++)
    if (scope_knows_region(s, i))
      nearest_offer(&best, i, nearest_distance(asked, s->directory->regions[i]));
  for (size_t i = 0; i < best.n; i++)
    buf_printf(out, "%s\"%s\"", i == 0 ? "; closest: " : ", ", s->directory->regions[best.item[i]]);
  size_t n = 0, more = 0;
  for (size_t i = 0; i < s->directory->n_regions; i++) {
    bool known = scope_knows_region(s, i);
    bool room = out->len + strlen(s->directory->regions[i]) <= REGIONS_BYTES;
    if (known && room)
      buf_printf(out, "%s\"%s\"", n++ == 0 ? "; regions: " : ", ", s->directory->regions[i]);
    more += known && !room;
  }
  if (more > 0)
    buf_printf(out, " and %zu more, which list_cohorts names", more);
  if (n == 0)
    buf_puts(out, "; list_dealers names the regions you may use");
}

/* Groups can stand where a region is asked for. */
static void list_groups(const struct scope *s, struct buf *out)
{
  size_t n = 0, end = out->len + REGIONS_BYTES;
  for (size_t i = 0; i < s->directory->n_cohorts; i++) {
    const struct catalogued *c = &s->directory->cohorts[i];
    if (c->is_region || !s->cohort_known[i] || out->len + strlen(c->id) > end)
      continue;
    buf_printf(out, "%s\"%s\"", n++ == 0 ? "; groups: " : ", ", c->id);
  }
}

typedef Analytics__Error__V1__Candidate candidate;

static candidate candidate_of(const char *value, const char *title)
{
  candidate c = ANALYTICS__ERROR__V1__CANDIDATE__INIT;
  c.value = borrow_text(value);
  c.title = borrow_text(title);
  return c;
}

/* dealer_id: "ford" matches 3 dealers: "d01" Ford of Reno, ...; give one dealer_id. For programs
 * the candidates as well; of n the first are in `list`. */
static enum err_code several_match(Analytics__Error__V1__Kind kind, const char *field,
                                   const char *text, candidate *list, size_t n, struct err *e)
{
  char asked[SHOWN_SIZE];
  bool dealers = kind == ANALYTICS__ERROR__V1__KIND__DEALER;
  size_t some = n < FITS_SHOWN ? n : FITS_SHOWN;
  candidate *pointers[FITS_SHOWN];
  Analytics__Error__V1__Ambiguity a = ANALYTICS__ERROR__V1__AMBIGUITY__INIT;
  AUTO_BUF struct buf names = BUF_INIT(512);
  for (size_t i = 0; i < some; i++) {
    buf_printf(&names, "%s\"%s\" %s", i == 0 ? "" : ", ", list[i].value, list[i].title);
    pointers[i] = &list[i];
  }
  err_set(e, ERR_INVALID_ARGUMENT, dealers ? "several_dealers" : "several_regions",
          "%s: \"%s\" matches %zu %s: %s%s; give one %s", field, shown(asked, text), n,
          dealers ? "dealers" : "regions and groups", buf_str(&names), n > some ? ", ..." : "",
          dealers ? "dealer_id" : "of their ids");
  a.kind = kind;
  a.asked = borrow_text(text);
  a.candidates = pointers;
  a.n_candidates = some;
  a.more = n > some;
  ambiguity_put(e, &a);
  return ERR_INVALID_ARGUMENT;
}

enum err_code scope_find_dealer(const struct scope *s, const char *field, const char *dealer_id,
                                const struct dealer **out, struct err *e)
{
  const struct dealer *d = directory_by_id(s->directory, dealer_id);
  const struct dealer *fits[FITS_SHOWN];
  candidate list[FITS_SHOWN];
  size_t n = 0;
  *out = scope_sees(s, d) ? d : search_one(s, dealer_id, fits, FITS_SHOWN, &n);
  if (*out != NULL)
    return ERR_OK;
  for (size_t i = 0; i < n && i < FITS_SHOWN; i++)
    list[i] = candidate_of(fits[i]->dealer_id, fits[i]->name);
  if (n > 1)
    return several_match(ANALYTICS__ERROR__V1__KIND__DEALER, field, dealer_id, list, n, e);
  char asked[SHOWN_SIZE];
  AUTO_BUF struct buf text = BUF_INIT(512);
  list_closest_dealers(s, dealer_id, &text);
  return err_set(e, ERR_NOT_FOUND, "unknown_dealer", "%s: no dealer \"%s\"%s", field,
                 shown(asked, dealer_id), buf_str(&text));
}

/* The only known cohort of this id or label, letter case aside; NULL when none or several are. */
static const struct catalogued *cohort_named(const struct scope *s, const char *text)
{
  const struct catalogued *found = NULL;
  for (size_t i = 0; i < s->directory->n_cohorts; i++) {
    const struct catalogued *c = &s->directory->cohorts[i];
    if (!s->cohort_known[i] || !(ascii_case_equal(c->id, text) || ascii_case_equal(c->label, text)))
      continue;
    if (found != NULL)
      return NULL;
    found = c;
  }
  return found;
}

/* Whether a known region or group may be meant: it is called so, or a part of it is. */
static bool may_mean(const struct scope *s, size_t i, const char *text, bool whole)
{
  const struct catalogued *c = &s->directory->cohorts[i];
  if (!s->cohort_known[i])
    return false;
  if (whole)
    return ascii_case_equal(c->id, text) || ascii_case_equal(c->label, text);
  return ascii_case_find(c->id, text) != NULL || ascii_case_find(c->label, text) != NULL;
}

static size_t regions_meant(const struct scope *s, const char *text, bool whole, candidate *list)
{
  size_t n = 0;
  for (size_t i = 0; i < s->directory->n_cohorts; i++) {
    if (!may_mean(s, i, text, whole))
      continue;
    if (n < FITS_SHOWN)
      list[n] = candidate_of(s->directory->cohorts[i].id, s->directory->cohorts[i].label);
    n++;
  }
  return n;
}

/* ERR_OK: the text does not match several. */
static enum err_code several_regions(const struct scope *s, const char *field, const char *text,
                                     struct err *e)
{
  candidate list[FITS_SHOWN];
  size_t n = regions_meant(s, text, true, list);
  if (n < 2 && strlen(text) >= PART_MIN)
    n = regions_meant(s, text, false, list);
  return n < 2 ? ERR_OK
               : several_match(ANALYTICS__ERROR__V1__KIND__REGION, field, text, list, n, e);
}

static const struct catalogued *region_named(const struct scope *s, const char *text)
{
  size_t region = directory_region(s->directory, text);
  return scope_knows_region(s, region) ? catalogue_region(s->directory, region) : NULL;
}

/* Whether the version behind the '@' of an id is that of the cohort. */
static enum err_code check_version(const struct peers *peers, const struct catalogued *c,
                                   const char *field, const char *id, struct err *e)
{
  const char *version = strchr(id, '@');
  char asked[SHOWN_SIZE];
  if (version == NULL || peers == NULL || peers_is_cohort_version(peers, c, version + 1))
    return ERR_OK;
  return err_set(e, ERR_FAILED_PRECONDITION, "cohort_changed",
                 "%s: \"%s\" is not its current version; give \"%s\" or \"%s@%s\"", field,
                 shown(asked, id), c->id, c->id, peers_cohort_version(peers, c));
}

/* The known cohort of an id with a version, as list_cohorts and answers print it; NULL without. */
static const struct catalogued *cohort_of_version(const struct scope *s, const char *id)
{
  size_t len = strcspn(id, "@");
  const struct catalogued *c = id[len] == '@' ? catalogue_find(s->directory, id, len) : NULL;
  return c != NULL && s->cohort_known[c - s->directory->cohorts] ? c : NULL;
}

enum err_code scope_find_region(const struct scope *s, const struct peers *peers, const char *field,
                                const char *region, const struct catalogued **out, struct err *e)
{
  *out = region_named(s, region);
  if (*out == NULL)
    *out = cohort_named(s, region);
  if (*out != NULL)
    return ERR_OK;
  *out = cohort_of_version(s, region);
  if (*out != NULL)
    return check_version(peers, *out, field, region, e);
  if (several_regions(s, field, region, e) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  char asked[SHOWN_SIZE];
  AUTO_BUF struct buf text = BUF_INIT(2 * REGIONS_BYTES + 512);
  list_closest_regions(s, region, &text);
  list_groups(s, &text);
  return err_set(e, ERR_NOT_FOUND, "unknown_region", "%s: no region \"%s\"%s", field,
                 shown(asked, region), buf_str(&text));
}

static void list_closest_cohorts(const struct scope *s, const char *asked, struct buf *out)
{
  struct nearest best = {0};
  for (size_t i = 0; i < s->directory->n_cohorts; i++)
    if (s->cohort_known[i])
      nearest_offer(&best, i, nearest_distance(asked, s->directory->cohorts[i].id));
  for (size_t i = 0; i < best.n; i++)
    buf_printf(out, "%s\"%s\"", i == 0 ? "; closest: " : ", ",
               s->directory->cohorts[best.item[i]].id);
  if (best.n == 0)
    buf_puts(out, "; list_cohorts names those you may use");
}

enum err_code scope_find_cohort(const struct scope *s, const struct peers *peers, const char *id,
                                const struct catalogued **out, struct err *e)
{
  size_t len = strcspn(id, "@");
  const struct catalogued *c = catalogue_find(s->directory, id, len);
  char asked[SHOWN_SIZE];
  if (c == NULL || !s->cohort_known[c - s->directory->cohorts])
    c = cohort_named(s, id);
  if (c == NULL) {
    AUTO_BUF struct buf text = BUF_INIT(512);
    list_closest_cohorts(s, id, &text);
    return err_set(e, ERR_NOT_FOUND, "unknown_cohort", "cohort: no cohort \"%s\"%s",
                   shown(asked, id), buf_str(&text));
  }
  if (check_version(peers, c, "cohort", id, e) != ERR_OK)
    return e->code;
  *out = c;
  return ERR_OK;
}
