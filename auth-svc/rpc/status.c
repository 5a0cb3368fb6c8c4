/* The rpcs by which operators see the state of the set. */
#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/rpc/internal.h"
#include "common/pbjson/borrow.h"
#include "common/status/gate.h"

typedef Analytics__Auth__V1__AuthorizeStatusResponse authorized;
typedef Analytics__Auth__V1__CohortSize cohort_size;

/* A grant always decides, so that whoever passes its callers' grants on lends them nothing of its
 * own. */
static enum err_code open_status(const struct service *s, struct rpc_call *call,
                                 const struct snapshot *config, struct facts *f, struct err *e)
{
  struct unsealed grant;
  return status_has_grant(call) ? service_open_admin(call, config, &grant, f, e)
                                : service_check_peer(call, s->options.gateway_identity, e);
}

void service_get_status(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  Analytics__Auth__V1__AuthStatus *response = NULL;
  struct facts facts = {.event = "get_status"};
  struct err e = {0};
  (void)request;
  enum err_code code = open_status(s, call, config, &facts, &e);
  if (code == ERR_OK)
    code = service_make_status(&response, s, config, rpc_call_arena(call), &e);
  service_end_call(s, call, &facts, (const void *)response, &e);
}

/* ------------------------------------------------------------------ AuthorizeStatus */

static cohort_size *size_of(const struct directory *d, const struct catalogued *c,
                            struct arena *arena)
{
  cohort_size *size = ARENA_NEW(arena, cohort_size);
  if (size == NULL)
    return NULL;
  analytics__auth__v1__cohort_size__init(size);
  size->id = borrow_text(c->id);
  size->label = borrow_text(c->label);
  size->dealers = (int32_t)c->n_members;
  size->owners = (int32_t)catalogue_owners(d, c->members, c->n_members);
  size->isolates_dealers = !c->benchmark && catalogue_is_benchmark(d, c);
  return size;
}

static enum err_code list_sizes(authorized *out, const struct directory *d, struct arena *arena,
                                struct err *e)
{
  out->cohorts = ARENA_ARRAY(arena, cohort_size *, d->n_cohorts);
  bool room = out->cohorts != NULL;
  for (size_t i = 0; room && i < d->n_cohorts; i++) {
    out->cohorts[i] = size_of(d, &d->cohorts[i], arena);
    room = out->cohorts[i] != NULL;
    out->n_cohorts += room;
  }
  return room ? ERR_OK
              : err_set(e, ERR_RESOURCE_EXHAUSTED, "arena",
                        "not enough memory for the list of cohorts");
}

static enum err_code check_asking(const struct service *s, struct rpc_call *call, struct err *e)
{
  struct err other = {0};
  return service_check_peer(call, s->options.report_identity, &other) == ERR_OK
             ? ERR_OK
             : service_check_peer(call, s->options.aggregate_identity, e);
}

void service_authorize_status(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  authorized response = ANALYTICS__AUTH__V1__AUTHORIZE_STATUS_RESPONSE__INIT;
  struct facts facts = {.event = "authorize_status"};
  struct unsealed grant;
  struct err e = {0};
  (void)request;
  enum err_code code = check_asking(s, call, &e);
  if (code == ERR_OK && status_has_grant(call))
    code = service_open_admin(call, config, &grant, &facts, &e);
  if (code == ERR_OK)
    code = list_sizes(&response, config->directory, rpc_call_arena(call), &e);
  service_end_call(s, call, &facts, &response.base, &e);
}
