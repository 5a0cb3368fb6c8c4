/* A program's own facts. */
#include "common/status/facts.h"

#include <unistd.h>

#include "common/pbjson/borrow.h"
#include "common/rpc/rpc.h"

enum { HOST_MAX = 256 };

static Analytics__Status__V1__Certificate *certificate_of(const char *file, struct arena *arena)
{
  Analytics__Status__V1__Certificate *c = ARENA_NEW(arena, Analytics__Status__V1__Certificate);
  if (c == NULL)
    return NULL;
  analytics__status__v1__certificate__init(c);
  c->file = borrow_text(file);
  if (!rpc_certificate_end(file, &c->expires_at))
    c->expires_at = 0;
  return c;
}

static bool add_certificate(Analytics__Status__V1__Service *s, const char *file,
                            struct arena *arena)
{
  if (file == NULL)
    return true;
  s->certificates = ARENA_ARRAY(arena, Analytics__Status__V1__Certificate *, 1);
  if (s->certificates == NULL || (s->certificates[0] = certificate_of(file, arena)) == NULL)
    return false;
  s->n_certificates = 1;
  return true;
}

Analytics__Status__V1__Service *status_service(const struct status_self *self, struct arena *arena)
{
  char host[HOST_MAX] = "";
  Analytics__Status__V1__Service *s = ARENA_NEW(arena, Analytics__Status__V1__Service);
  if (s == NULL)
    return NULL;
  analytics__status__v1__service__init(s);
  gethostname(host, sizeof(host) - 1);
  s->name = borrow_text(self->name);
  s->version = borrow_text(AMCP_VERSION);
  s->replica = arena_strdup(arena, host);
  s->started_at = self->started_at;
  return s->replica != NULL && add_certificate(s, self->cert_file, arena) ? s : NULL;
}
