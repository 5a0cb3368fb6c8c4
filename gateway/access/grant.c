/* What a caller may do, as auth-svc sealed it. */
#include "gateway/access/grant.h"

#include <stdatomic.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "gateway/access/resource.h"
#include "gateway/seal/digest.h"

struct grant {
  atomic_size_t refs;
  atomic_bool refused;
  char *id;
  uint8_t digest[DIGEST_BYTES]; /* of the id */
  void *sealed;
  size_t sealed_len;
  int64_t expires_at;
  uint64_t view;
  bool admin;
  bool scoped;
  char **scopes;
  size_t n_scopes;
};

/* Role and subject name a person or service across tokens; without a subject only the
 * token itself does. */
static char *principal_id(const Analytics__Auth__V1__Grant *g)
{
  if (g->subject != NULL && g->subject[0] != '\0')
    return xasprintf("%d:%s", (int)g->role, g->subject);
  return xasprintf("token:%s", g->principal_id);
}

static uint64_t add_names(uint64_t hash, char *const *names, size_t n)
{
  uint64_t parts[3] = {hash, n, 0};
  for (size_t i = 0; i < n; i++) {
    parts[2] = hash_text(names[i]);
    parts[0] = hash_data(parts, sizeof(parts));
  }
  return hash_data(parts, sizeof(parts));
}

static uint64_t view_of(const Analytics__Auth__V1__Grant *g)
{
  uint64_t hash = (uint64_t)g->role << 1 | (g->all_dealers ? 1U : 0U);
  hash = add_names(hash, g->dealer_ids, g->n_dealer_ids);
  hash = add_names(hash, g->benchmark_regions, g->n_benchmark_regions);
  return add_names(hash, g->benchmark_cohorts, g->n_benchmark_cohorts);
}

struct grant *grant_new(const Analytics__Auth__V1__AuthenticateResponse *response)
{
  struct grant *g = xcalloc(1, sizeof(*g));
  atomic_init(&g->refs, 1);
  atomic_init(&g->refused, false);
  g->id = principal_id(response->grant);
  digest(g->digest, g->id, strlen(g->id));
  g->sealed_len = response->sealed.len;
  g->sealed = xmalloc(g->sealed_len + 1);
  if (g->sealed_len > 0)
    memcpy(g->sealed, response->sealed.data, g->sealed_len);
  g->expires_at = response->grant->expires_at;
  g->view = view_of(response->grant);
  g->admin = response->grant->role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  g->scoped = response->grant->scoped;
  g->n_scopes = response->grant->n_scopes;
  g->scopes = xcalloc(g->n_scopes + 1, sizeof(char *));
  for (size_t i = 0; i < g->n_scopes; i++)
    g->scopes[i] = xstrdup(response->grant->scopes[i]);
  return g;
}

void grant_ref(struct grant *g)
{
  atomic_fetch_add(&g->refs, 1);
}

void grant_unref(struct grant *g)
{
  if (g == NULL || atomic_fetch_sub(&g->refs, 1) != 1)
    return;
  mem_wipe(g->sealed, g->sealed_len);
  free(g->sealed);
  for (size_t i = 0; i < g->n_scopes; i++)
    free(g->scopes[i]);
  free(g->scopes);
  free(g->id);
  free(g);
}

const char *grant_principal_id(const struct grant *g)
{
  return g->id;
}

const uint8_t *grant_principal_digest(const struct grant *g)
{
  return g->digest;
}

const void *grant_sealed(const struct grant *g, size_t *len)
{
  *len = g->sealed_len;
  return g->sealed;
}

bool grant_is_admin(const struct grant *g)
{
  return g->admin;
}

uint64_t grant_view(const struct grant *g)
{
  return g->view;
}

int64_t grant_expires_at(const struct grant *g)
{
  return g->expires_at;
}

void grant_mark_refused(const struct grant *g)
{
  struct grant *own;
  memcpy(&own, &g, sizeof(own)); /* only this flag ever changes */
  atomic_store(&own->refused, true);
}

bool grant_is_refused(const struct grant *g)
{
  return atomic_load(&g->refused);
}

bool grant_has_scopes(const struct grant *g, const char *needed)
{
  return !g->scoped || resource_scopes_suffice(g->scopes, g->n_scopes, needed);
}
