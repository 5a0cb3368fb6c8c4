/* Tags of dealers and owners, and the way back. */
#include "auth-svc/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/secret.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

struct peer {
  uint8_t tag[PEER_TAG_BYTES];
  const struct dealer *dealer;
};

struct peers {
  struct peer *by_index;              /* of the directory */
  uint8_t (*visible)[PEER_TAG_BYTES]; /* by index, like the next */
  uint8_t (*owners)[PEER_TAG_BYTES];
  struct peer *by_tag;
  size_t n;
  const struct directory *directory;
  char (*versions)[16]; /* by cohort index */
};

static int compare_tags(const void *a, const void *b)
{
  return memcmp(((const struct peer *)a)->tag, ((const struct peer *)b)->tag, PEER_TAG_BYTES);
}

/* "v7", or the digest of the members' ids. */
static void make_version(const struct directory *d, const struct catalogued *c,
                         const struct sealer *sealer, char out[16])
{
  AUTO_BUF struct buf ids = BUF_INIT((size_t)DIRECTORY_MAX_DEALERS * (DIRECTORY_MAX_ID + 1) + 1);
  AUTO_BUF struct buf hex = BUF_INIT((size_t)2 * SHA256_SIZE);
  uint8_t digest[SHA256_SIZE], tag[PEER_TAG_BYTES];
  if (c->version != NULL) {
    snprintf(out, 16, "%s", c->version);
    return;
  }
  for (size_t i = 0; i < c->n_members; i++)
    buf_printf(&ids, "%s\n", d->dealers[c->members[i]].dealer_id);
  sha256_of(buf_str(&ids), ids.len, digest);
  hex_encode(&hex, digest, sizeof(digest));
  seal_tag(sealer, "members of cohort", buf_str(&hex), tag);
  snprintf(out, 16, "v%02x%02x%02x", tag[0], tag[1], tag[2]);
}

struct peers *peers_new(const struct directory *directory, const struct sealer *sealer)
{
  struct peers *p = xcalloc(1, sizeof(*p));
  p->n = directory->n_dealers;
  p->by_index = xcalloc(p->n + 1, sizeof(*p->by_index));
  p->by_tag = xcalloc(p->n + 1, sizeof(*p->by_tag));
  p->visible = xcalloc(p->n + 1, sizeof(*p->visible));
  p->owners = xcalloc(p->n + 1, sizeof(*p->owners));
  for (size_t i = 0; i < p->n; i++) {
    const struct dealer *d = &directory->dealers[i];
    bool owned = d->owner[0] != '\0';
    p->by_index[i].dealer = d;
    seal_tag(sealer, "dealer", d->dealer_id, p->by_index[i].tag);
    seal_tag(sealer, "visible dealer", d->dealer_id, p->visible[i]);
    seal_tag(sealer, owned ? "owner" : "owner of dealer", owned ? d->owner : d->dealer_id,
             p->owners[i]);
    p->by_tag[i] = p->by_index[i];
  }
  if (p->n > 0)
    qsort(p->by_tag, p->n, sizeof(*p->by_tag), compare_tags);
  p->directory = directory;
  p->versions = xcalloc(directory->n_cohorts + 1, sizeof(*p->versions));
  for (size_t i = 0; i < directory->n_cohorts; i++)
    make_version(directory, &directory->cohorts[i], sealer, p->versions[i]);
  return p;
}

void peers_free(struct peers *p)
{
  if (p == NULL)
    return;
  free(p->by_index);
  free(p->by_tag);
  free(p->visible);
  free(p->owners);
  free(p->versions);
  free(p);
}

const uint8_t *peers_tag(const struct peers *p, const struct dealer *dealer, bool visible)
{
  return visible ? p->visible[dealer->index] : p->by_index[dealer->index].tag;
}

const char *peers_cohort_version(const struct peers *p, const struct catalogued *c)
{
  return p->versions[c - p->directory->cohorts];
}

const uint8_t *peers_owner_tag(const struct peers *p, const struct dealer *dealer)
{
  return p->owners[dealer->index];
}

void peers_write_ref(const uint8_t tag[PEER_TAG_BYTES], char out[PEER_REF_SIZE])
{
  static const char digits[] = "0123456789abcdef";
  *out++ = '~';
  for (size_t i = 0; i < PEER_TAG_BYTES; i++) {
    *out++ = digits[tag[i] >> 4];
    *out++ = digits[tag[i] & 15];
  }
  *out = '\0';
}

static bool read_ref(const char *ref, uint8_t tag[PEER_TAG_BYTES])
{
  if (ref[0] != '~' || strlen(ref) != PEER_REF_SIZE - 1 ||
      strspn(ref + 1, "0123456789abcdef") != 2 * PEER_TAG_BYTES)
    return false;
  for (size_t i = 0; i < PEER_TAG_BYTES; i++) {
    char byte[3] = {ref[1 + 2 * i], ref[2 + 2 * i], '\0'};
    tag[i] = (uint8_t)strtoul(byte, NULL, 16);
  }
  return true;
}

const struct dealer *peers_resolve(const struct peers *p, const char *ref)
{
  struct peer key = {.dealer = NULL};
  if (p->n == 0 || !read_ref(ref, key.tag))
    return NULL;
  const struct peer *found = bsearch(&key, p->by_tag, p->n, sizeof(key), compare_tags);
  return found != NULL ? found->dealer : NULL;
}
