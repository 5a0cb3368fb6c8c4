/* Ordering and look-up of the dealers. */
#include "auth-svc/dealers/directory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth-svc/secret/secret.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

static int by_dealer_id(const void *a, const void *b)
{
  return strcmp(((const struct dealer *)a)->dealer_id, ((const struct dealer *)b)->dealer_id);
}

static int by_account_id(const void *a, const void *b)
{
  return strcmp((*(const struct dealer *const *)a)->account_id,
                (*(const struct dealer *const *)b)->account_id);
}

static int by_property_id(const void *a, const void *b)
{
  return strcmp(((const struct property_owner *)a)->property_id,
                ((const struct property_owner *)b)->property_id);
}

static int by_region(const void *a, const void *b)
{
  return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_owner(const void *a, const void *b)
{
  const char *x = **(const char **const *)a, *y = **(const char **const *)b;
  int c = strcasecmp(x, y);
  return c != 0 ? c : strcmp(x, y);
}

/* Regions that differ only in letter case are one region. */
static void index_regions(struct directory *d)
{
  d->regions = arena_xalloc(d->arena, d->n_dealers * sizeof(*d->regions));
  for (size_t i = 0; i < d->n_dealers; i++)
    d->regions[i] = d->dealers[i].region;
  if (d->n_dealers > 0)
    qsort(d->regions, d->n_dealers, sizeof(*d->regions), by_region);
  for (size_t i = 0; i < d->n_dealers; i++)
    if (d->n_regions == 0 || !ascii_case_equal(d->regions[d->n_regions - 1], d->regions[i]))
      d->regions[d->n_regions++] = d->regions[i];
  for (size_t i = 0; i < d->n_dealers; i++)
    d->dealers[i].region_index = directory_region(d, d->dealers[i].region);
}

/* Owners that differ only in letter case are one owner, in the spelling that sorts first. */
static void unify_owners(struct directory *d)
{
  const char ***owners = xcalloc(d->n_dealers + 1, sizeof(*owners));
  for (size_t i = 0; i < d->n_dealers; i++)
    owners[i] = &d->dealers[i].owner;
  if (d->n_dealers > 0)
    qsort(owners, d->n_dealers, sizeof(*owners), by_owner);
  for (size_t i = 1; i < d->n_dealers; i++)
    if (ascii_case_equal(*owners[i - 1], *owners[i]))
      *owners[i] = *owners[i - 1];
  free(owners);
}

static void index_properties(struct directory *d)
{
  size_t n = 0;
  for (size_t i = 0; i < d->n_dealers; i++)
    n += d->dealers[i].n_property_ids;
  d->properties = arena_xalloc(d->arena, n * sizeof(*d->properties));
  for (size_t i = 0; i < d->n_dealers; i++)
    for (size_t j = 0; j < d->dealers[i].n_property_ids; j++)
      d->properties[d->n_properties++] =
          (struct property_owner){d->dealers[i].property_ids[j], &d->dealers[i]};
  if (n > 0)
    qsort(d->properties, n, sizeof(*d->properties), by_property_id);
}

/* Takes a text into a digest, so that neighbouring texts cannot run into each other. */
static void digest_text(uint8_t digest[SHA256_SIZE], const char *text)
{
  uint8_t both[2 * SHA256_SIZE];
  memcpy(both, digest, SHA256_SIZE);
  sha256_of(text, strlen(text), both + SHA256_SIZE);
  sha256_of(both, sizeof(both), digest);
}

static uint64_t digest_assignment(const struct directory *d)
{
  uint8_t digest[SHA256_SIZE] = {0};
  uint64_t out;
  for (size_t i = 0; i < d->n_dealers; i++) {
    const struct dealer *one = &d->dealers[i];
    digest_text(digest, one->dealer_id);
    digest_text(digest, one->account_id);
    for (size_t k = 0; k < one->n_property_ids; k++)
      digest_text(digest, one->property_ids[k]);
    digest_text(digest, "");
  }
  memcpy(&out, digest, sizeof(out));
  return out;
}

struct directory *directory_new(struct arena *arena, const struct dealer *dealers, size_t n)
{
  struct directory *d = arena_xalloc(arena, sizeof(*d));
  d->arena = arena;
  d->dealers = arena_xalloc(arena, n * sizeof(*d->dealers));
  d->by_account = arena_xalloc(arena, n * sizeof(*d->by_account));
  d->n_dealers = n;
  if (n > 0) {
    memcpy(d->dealers, dealers, n * sizeof(*dealers));
    qsort(d->dealers, n, sizeof(*d->dealers), by_dealer_id);
  }
  for (size_t i = 0; i < n; i++) {
    d->dealers[i].index = i;
    d->by_account[i] = &d->dealers[i];
  }
  if (n > 0)
    qsort(d->by_account, n, sizeof(*d->by_account), by_account_id);
  index_regions(d);
  unify_owners(d);
  index_properties(d);
  d->assignment = digest_assignment(d);
  return d;
}

void directory_free(struct directory *d)
{
  if (d != NULL)
    arena_free(d->arena);
}

const struct dealer *directory_by_id(const struct directory *d, const char *dealer_id)
{
  struct dealer key = {.dealer_id = dealer_id};
  if (d->n_dealers == 0)
    return NULL;
  return bsearch(&key, d->dealers, d->n_dealers, sizeof(key), by_dealer_id);
}

const struct dealer *directory_by_account(const struct directory *d, const char *account_id)
{
  struct dealer key = {.account_id = account_id};
  const struct dealer *p = &key;
  if (d->n_dealers == 0)
    return NULL;
  const struct dealer **found =
      bsearch(&p, d->by_account, d->n_dealers, sizeof(*d->by_account), by_account_id);
  return found != NULL ? *found : NULL;
}

const struct dealer *directory_by_name(const struct directory *d, const char *name)
{
  const struct dealer *found = directory_by_id(d, name);
  return found != NULL ? found : directory_by_account(d, name);
}

const struct dealer *directory_by_property(const struct directory *d, const char *property_id)
{
  struct property_owner key = {.property_id = property_id};
  if (d->n_properties == 0)
    return NULL;
  const struct property_owner *found =
      bsearch(&key, d->properties, d->n_properties, sizeof(key), by_property_id);
  return found != NULL ? found->dealer : NULL;
}

size_t directory_region(const struct directory *d, const char *region)
{
  const char **found = d->n_regions == 0 ? NULL
                                         : bsearch(&region, d->regions, d->n_regions,
                                                   sizeof(*d->regions), by_region);
  return found != NULL ? (size_t)(found - d->regions) : d->n_regions;
}

bool dealer_has_labels(const struct dealer *dealer)
{
  for (size_t i = 0; dealer->property_labels != NULL && i < dealer->n_property_ids; i++) {
    if (dealer->property_labels[i] != NULL && dealer->property_labels[i][0] != '\0')
      return true;
  }
  return false;
}

bool dealer_in_group(const struct dealer *dealer, const char *group)
{
  for (size_t i = 0; i < dealer->n_groups; i++)
    if (ascii_case_equal(dealer->groups[i], group))
      return true;
  return false;
}
