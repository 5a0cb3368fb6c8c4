/* OwnProperties: which of the properties that a dealer's credential can read are the dealer's. It
 * decides over the configuration alone and keeps nothing, so every replica says the same. */
#include <string.h>

#include "auth-svc/dealers/found.h"
#include "auth-svc/rpc/internal.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Auth__V1__OwnPropertiesRequest own_request;
typedef Analytics__Auth__V1__OwnPropertiesResponse own_response;
typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;

/* Whom the token was given for. */
static token_request asked_as(const own_request *r)
{
  token_request asked = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  asked.purpose = r->purpose;
  asked.target_case = (Analytics__Auth__V1__GetAccessTokenRequest__TargetCase)r->target_case;
  asked.dealer_ref = r->dealer_ref; /* each is a text, so all stand in one place */
  return asked;
}

static enum err_code check_seen(const own_request *r, struct err *e)
{
  if (r->n_properties > FOUND_MAX_SEEN)
    return err_set(e, ERR_INVALID_ARGUMENT, "too_many_properties",
                   "properties: %zu; at most %d are looked at", r->n_properties, FOUND_MAX_SEEN);
  for (size_t i = 0; i < r->n_properties; i++) {
    const char *id = r->properties[i]->property_id;
    size_t digits = strspn(id, "0123456789");
    if (digits == 0 || digits > 20 || id[digits] != '\0')
      return err_set(e, ERR_INVALID_ARGUMENT, "bad_property",
                     "properties[%zu].property_id: must be digits", i);
  }
  return ERR_OK;
}

static bool put(own_response *out, size_t n, struct arena *arena)
{
  out->property_ids = ARENA_ARRAY(arena, char *, n + 1);
  out->names = ARENA_ARRAY(arena, char *, n + 1);
  return out->property_ids != NULL && out->names != NULL;
}

static enum err_code no_room(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the properties");
}

/* Those of the file, where the configuration has got some since the token was given. */
static enum err_code take_configured(own_response *out, const struct target *target,
                                     struct arena *arena, struct err *e)
{
  const struct dealer *d = target->dealer;
  if (!put(out, d->n_property_ids, arena))
    return no_room(e);
  for (size_t i = 0; i < d->n_property_ids; i++) {
    out->property_ids[i] = borrow_text(d->property_ids[i]);
    out->names[i] = borrow_text(target->opaque ? "" : d->property_labels[i]);
  }
  out->n_property_ids = out->n_names = d->n_property_ids;
  return ERR_OK;
}

static enum err_code take_found(own_response *out, const struct snapshot *config,
                                const struct dealer *d, const own_request *r, struct arena *arena,
                                struct err *e)
{
  size_t n = r->n_properties;
  struct found_property *seen = ARENA_ARRAY(arena, struct found_property, n + 1);
  if (seen == NULL || !put(out, DIRECTORY_MAX_PROPERTIES, arena))
    return no_room(e);
  for (size_t i = 0; i < n; i++) {
    const Analytics__Auth__V1__ReadableProperty *p = r->properties[i];
    seen[i] = (struct found_property){p->property_id, p->name, p->account_id, p->ordinary};
  }
  enum err_code code = found_own(seen, &n, config->directory, d, e);
  for (size_t i = 0; code == ERR_OK && i < n; i++) {
    out->property_ids[i] = borrow_text(seen[i].property_id);
    out->names[i] = borrow_text(seen[i].name);
    out->n_property_ids = out->n_names = i + 1;
  }
  return code;
}

static enum err_code own_properties(const struct service *s, struct rpc_call *call,
                                    const struct snapshot *config, const own_request *r,
                                    own_response *out, struct facts *f, struct err *e)
{
  struct unsealed grant;
  struct target target;
  struct arena *arena = rpc_call_arena(call);
  token_request asked = asked_as(r);
  enum err_code code = service_check_peer(call, s->options.report_identity, e);
  if (code == ERR_OK)
    code = service_open_grant(call, config, &grant, f, e);
  if (code == ERR_OK)
    code = check_seen(r, e);
  if (code != ERR_OK)
    return code;
  code = target_resolve(&target, config, &grant, &asked, arena, e);
  if (code != ERR_OK) {
    f->requested = service_requested(call, &asked);
    return code;
  }
  facts_of_target(f, &target);
  out->assignment = config->directory->assignment;
  if (target.dealer == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_property",
                   "property_id: must be given, because no dealer is configured");
  return target.dealer->n_property_ids > 0 ? take_configured(out, &target, arena, e)
                                           : take_found(out, config, target.dealer, r, arena, e);
}

void service_own_properties(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  const own_request *r = (const void *)request;
  own_response response = ANALYTICS__AUTH__V1__OWN_PROPERTIES_RESPONSE__INIT;
  struct facts facts = {.event = "own_properties", .purpose = purpose_name(r->purpose)};
  struct err e = {0};
  own_properties(s, call, config, r, &response, &facts, &e);
  service_end_call(s, call, &facts, &response.base, &e);
}
