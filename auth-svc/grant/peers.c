/* Tags of dealers and owners, and the way back. */
#include "auth-svc/grant/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/secret/secret.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

struct peer {
  uint8_t tag[PEER_TAG_BYTES];
  const struct dealer *dealer;
};

struct dealer_tags {
  uint8_t opaque[PEER_TAG_BYTES];
  uint8_t visible[PEER_TAG_BYTES];
};

typedef char cohort_version[16];

struct peers {
  const struct directory *directory;
  size_t n, n_keys;
  struct dealer_tags *tags;          /* by key, then by dealer index */
  uint8_t (*owners)[PEER_TAG_BYTES]; /* by dealer index; of the first key */
  struct peer *by_tag;               /* opaque tags of all keys, in order */
  cohort_version *versions;          /* by key, then by cohort index */
};

static int compare_tags(const void *a, const void *b)
{
  return memcmp(((const struct peer *)a)->tag, ((const struct peer *)b)->tag, PEER_TAG_BYTES);
}

/* Hexadecimal digest of the cohort's id and its members': with the members alone, equal versions
 * would disclose that two cohorts have the same. */
static void digest_members(const struct directory *d, const struct catalogued *c,
                           char hex[SHA256_HEX_SIZE])
{
  AUTO_BUF struct buf ids =
      BUF_INIT((size_t)(DIRECTORY_MAX_DEALERS + 4) * (DIRECTORY_MAX_ID + 1) + 1);
  buf_printf(&ids, "%s\n", c->id);
  for (size_t i = 0; i < c->n_members; i++)
    buf_printf(&ids, "%s\n", d->dealers[c->members[i]].dealer_id);
  sha256_hex(buf_str(&ids), ids.len, hex);
}

/* "v7", or one derived from the members, for each key. */
static void make_versions(struct peers *p, const struct sealer *sealer, size_t cohort)
{
  const struct catalogued *c = &p->directory->cohorts[cohort];
  char hex[SHA256_HEX_SIZE];
  if (c->version == NULL)
    digest_members(p->directory, c, hex);
  for (size_t key = 0; key < p->n_keys; key++) {
    char *out = p->versions[key * p->directory->n_cohorts + cohort];
    uint8_t tag[PEER_TAG_BYTES];
    if (c->version != NULL) {
      snprintf(out, sizeof(cohort_version), "%s", c->version);
      continue;
    }
    seal_tag(sealer, key, "members of cohort", hex, tag);
    snprintf(out, sizeof(cohort_version), "v%02x%02x%02x", tag[0], tag[1], tag[2]);
  }
}

static void tag_dealer(struct peers *p, const struct sealer *sealer, const struct dealer *d)
{
  bool owned = d->owner[0] != '\0';
  seal_tag(sealer, 0, owned ? "owner" : "owner of dealer", owned ? d->owner : d->dealer_id,
           p->owners[d->index]);
  for (size_t key = 0; key < p->n_keys; key++) {
    size_t at = key * p->n + d->index;
    seal_tag(sealer, key, "dealer", d->dealer_id, p->tags[at].opaque);
    seal_tag(sealer, key, "visible dealer", d->dealer_id, p->tags[at].visible);
    memcpy(p->by_tag[at].tag, p->tags[at].opaque, PEER_TAG_BYTES);
    p->by_tag[at].dealer = d;
  }
}

struct peers *peers_new(const struct directory *directory, const struct sealer *sealer)
{
  struct peers *p = xcalloc(1, sizeof(*p));
  p->directory = directory;
  p->n = directory->n_dealers;
  p->n_keys = sealer_n_keys(sealer);
  p->tags = xcalloc(p->n * p->n_keys + 1, sizeof(*p->tags));
  p->by_tag = xcalloc(p->n * p->n_keys + 1, sizeof(*p->by_tag));
  p->owners = xcalloc(p->n + 1, sizeof(*p->owners));
  for (size_t i = 0; i < p->n; i++)
    tag_dealer(p, sealer, &directory->dealers[i]);
  if (p->n > 0)
    qsort(p->by_tag, p->n * p->n_keys, sizeof(*p->by_tag), compare_tags);
  p->versions = xcalloc(directory->n_cohorts * p->n_keys + 1, sizeof(*p->versions));
  for (size_t i = 0; i < directory->n_cohorts; i++)
    make_versions(p, sealer, i);
  return p;
}

void peers_free(struct peers *p)
{
  if (p == NULL)
    return;
  free(p->tags);
  free(p->by_tag);
  free(p->owners);
  free(p->versions);
  free(p);
}

const uint8_t *peers_tag(const struct peers *p, size_t key, const struct dealer *dealer,
                         bool visible)
{
  const struct dealer_tags *t = &p->tags[key * p->n + dealer->index];
  return visible ? t->visible : t->opaque;
}

const char *peers_cohort_version(const struct peers *p, const struct catalogued *c)
{
  return p->versions[c - p->directory->cohorts];
}

bool peers_is_cohort_version(const struct peers *p, const struct catalogued *c, const char *text)
{
  size_t cohort = (size_t)(c - p->directory->cohorts);
  for (size_t key = 0; key < p->n_keys; key++)
    if (strcmp(p->versions[key * p->directory->n_cohorts + cohort], text) == 0)
      return true;
  return false;
}

const uint8_t *peers_owner_tag(const struct peers *p, const struct dealer *dealer)
{
  return p->owners[dealer->index];
}

void peers_write_ref(const uint8_t tag[PEER_TAG_BYTES], char out[PEER_REF_SIZE])
{
  out[0] = '~';
  hex_write(out + 1, tag, PEER_TAG_BYTES);
}

const struct dealer *peers_resolve(const struct peers *p, const char *ref)
{
  struct peer key = {.dealer = NULL};
  if (p->n == 0 || ref[0] != '~' || !hex_read(key.tag, PEER_TAG_BYTES, ref + 1, strlen(ref + 1)))
    return NULL;
  const struct peer *found = bsearch(&key, p->by_tag, p->n * p->n_keys, sizeof(key), compare_tags);
  return found != NULL ? found->dealer : NULL;
}
