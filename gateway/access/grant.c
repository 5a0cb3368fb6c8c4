/* What a caller may do, as auth-svc sealed it. */
#include "gateway/access/grant.h"

#include <stdatomic.h>
#include <string.h>

#include "common/base/mem.h"

struct grant {
  atomic_size_t refs;
  atomic_bool refused;
  char *id;
  void *sealed;
  size_t sealed_len;
  int64_t expires_at;
};

/* Role and subject name a person or service across tokens; without a subject only the
 * token itself does. */
static char *principal_id(const Analytics__Auth__V1__Grant *g)
{
  if (g->subject != NULL && g->subject[0] != '\0')
    return xasprintf("%d:%s", (int)g->role, g->subject);
  return xasprintf("token:%s", g->principal_id);
}

struct grant *grant_new(const Analytics__Auth__V1__AuthenticateResponse *response)
{
  struct grant *g = xcalloc(1, sizeof(*g));
  atomic_init(&g->refs, 1);
  atomic_init(&g->refused, false);
  g->id = principal_id(response->grant);
  g->sealed_len = response->sealed.len;
  g->sealed = xmalloc(g->sealed_len + 1);
  if (g->sealed_len > 0)
    memcpy(g->sealed, response->sealed.data, g->sealed_len);
  g->expires_at = response->grant->expires_at;
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
  free(g->id);
  free(g);
}

const char *grant_principal_id(const struct grant *g)
{
  return g->id;
}

const void *grant_sealed(const struct grant *g, size_t *len)
{
  *len = g->sealed_len;
  return g->sealed;
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
