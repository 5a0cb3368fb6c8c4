/* Lists dealers, filtered and in pages. */
#include "auth-svc/grant/listing.h"

#include <stdlib.h>

#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/search.h"
#include "common/base/codec.h"
#include "common/base/nearest.h"
#include "common/pbjson/borrow.h"

enum { NOTES_MAX = 2 };

/* A dealer of the answer; a lower rank comes first. */
struct hit {
  unsigned rank;
  size_t dealer;
};

/* Part of a text, as it was written. */
static bool contains(const struct dealer *d, const char *query)
{
  const char *const texts[] = {d->dealer_id, d->name, d->city, d->state, d->region};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    if (query[0] == '\0' || ascii_case_find(texts[i], query) != NULL)
      return true;
  return false;
}

static enum err_code check_page(const Analytics__Auth__V1__ListDealersRequest *r, struct err *e)
{
  if (r->limit < 0 || r->limit > LISTING_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_limit", "limit: %d; must be 1 to %d", r->limit,
                   LISTING_MAX);
  if (r->offset < 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_offset", "offset: %d; must be 0 or more",
                   r->offset);
  return ERR_OK;
}

static int compare_hits(const void *a, const void *b)
{
  const struct hit *x = a, *y = b;
  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  return x->dealer < y->dealer ? -1 : x->dealer > y->dealer;
}

/* Dealers of a region or group, or all, that hold the text, then those that its words fit, best
 * first. Returns how many. */
static size_t find_hits(struct hit *hits, const struct scope *s, const char *query,
                        const struct catalogued *area)
{
  struct words search;
  size_t n = 0;
  search_read(&search, query);
  for (size_t i = 0; i < s->directory->n_dealers; i++) {
    const struct dealer *d = &s->directory->dealers[i];
    if (!scope_sees(s, d) || (area != NULL && !catalogue_has(area, d)))
      continue;
    unsigned rank = contains(d, query) ? 0 : search_dealer(&search, d);
    if (rank < WORDS_FAR)
      hits[n++] = (struct hit){rank, i};
  }
  qsort(hits, n, sizeof(*hits), compare_hits);
  return n;
}

/* The closest names where nothing fits. */
static size_t find_closest(struct hit *hits, const struct scope *s, const char *query)
{
  struct nearest best = {0};
  for (size_t i = 0; i < s->directory->n_dealers; i++) {
    if (scope_sees(s, &s->directory->dealers[i]))
      nearest_offer(&best, i,
                    nearest_within(query, s->directory->dealers[i].name, nearest_wanted(&best)));
  }
  for (size_t i = 0; i < best.n; i++)
    hits[i] = (struct hit){best.distance[i], best.item[i]};
  return best.n;
}

static void put_note(Analytics__Auth__V1__ListDealersResponse *out, const char *note)
{
  out->notes[out->n_notes++] = borrow_text(note);
}

static bool has_dealer_without_property(const Analytics__Auth__V1__ListDealersResponse *r)
{
  for (size_t i = 0; i < r->n_dealers; i++)
    if (r->dealers[i]->n_property_ids == 0)
      return true;
  return false;
}

static bool fill_page(Analytics__Auth__V1__ListDealersResponse *out, const struct scope *s,
                      const Analytics__Auth__V1__ListDealersRequest *r,
                      const struct catalogued *area, struct arena *arena)
{
  size_t limit = r->limit == 0 ? LISTING_DEFAULT : (size_t)r->limit, offset = (size_t)r->offset;
  struct hit *hits = ARENA_ARRAY(arena, struct hit, s->directory->n_dealers);
  out->dealers = ARENA_ARRAY(arena, Analytics__Auth__V1__Dealer *, limit);
  out->notes = ARENA_ARRAY(arena, char *, NOTES_MAX);
  if (out->dealers == NULL || hits == NULL || out->notes == NULL)
    return false;
  size_t total = find_hits(hits, s, r->query, area);
  if (total == 0 && r->query[0] != '\0' && area == NULL) {
    total = find_closest(hits, s, r->query);
    if (total > 0)
      put_note(out, "no dealer matches the query; these have the closest names");
  }
  for (size_t i = offset; i < total && out->n_dealers < limit; i++) {
    out->dealers[out->n_dealers] = dealer_message(&s->directory->dealers[hits[i].dealer], arena);
    if (out->dealers[out->n_dealers++] == NULL)
      return false;
  }
  if (has_dealer_without_property(out))
    put_note(out,
             "dealers without property_ids have none configured: theirs are found in Google "
             "Analytics at the first report; get_account_summaries shows what their logins can "
             "read");
  size_t end = offset + out->n_dealers;
  out->total = (int32_t)total;
  out->next_offset = out->n_dealers > 0 && end < total ? (int32_t)end : 0;
  return true;
}

/* Regions that may be named, whatever the filter. */
static bool fill_regions(Analytics__Auth__V1__ListDealersResponse *out, const struct scope *s,
                         struct arena *arena)
{
  const struct directory *dir = s->directory;
  size_t n = 0;
  out->regions = ARENA_ARRAY(arena, char *, dir->n_regions);
  for (size_t i = 0; out->regions != NULL && i < dir->n_regions; i++)
    if (s->known[i])
      out->regions[n++] = borrow_text(dir->regions[i]);
  out->n_regions = n;
  return out->regions != NULL;
}

enum err_code listing_make(Analytics__Auth__V1__ListDealersResponse **out,
                           const struct scope *scope,
                           const Analytics__Auth__V1__ListDealersRequest *request,
                           struct arena *arena, struct err *e)
{
  const struct catalogued *area = NULL;
  enum err_code code = check_page(request, e);
  if (code == ERR_OK && request->region[0] != '\0')
    code = scope_find_region(scope, NULL, "region", request->region, &area, e);
  if (code != ERR_OK)
    return code;
  *out = ARENA_NEW(arena, Analytics__Auth__V1__ListDealersResponse);
  if (*out != NULL)
    analytics__auth__v1__list_dealers_response__init(*out);
  if (*out == NULL || !fill_page(*out, scope, request, area, arena) ||
      !fill_regions(*out, scope, arena))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                   "limit: the answer is too large; ask for fewer dealers");
  return ERR_OK;
}
