/* Resolves the target of a GetAccessToken call. */
#include "auth-svc/rpc/target.h"

#include <string.h>

typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;

static enum err_code take_dealer(struct target *out, const struct snapshot *s,
                                 const struct dealer *d)
{
  *out = (struct target){.dealer = d,
                         .account_id = d->account_id,
                         .credential = snapshot_credential(s, d),
                         .ref = d->dealer_id};
  return ERR_OK;
}

/* The one account of a set-up that has only one, for a grant that covers everything. */
static bool take_only_account(struct target *out, const struct snapshot *s,
                              const struct scope *scope)
{
  if (!scope->grant->all_dealers || snapshot_accounts(s) != 1)
    return false;
  if (s->adc != NULL)
    *out = (struct target){.account_id = ADC_ACCOUNT_ID, .credential = s->adc, .ref = ""};
  else
    take_dealer(out, s, &s->directory->dealers[0]);
  return true;
}

/* Nothing is configured (AUTH_ALLOW_NO_CREDENTIALS). */
static enum err_code without_credentials(struct err *e)
{
  return err_set(e, ERR_FAILED_PRECONDITION, "no_credentials",
                 "this server has no credentials for Google: start it with a dealers file, or with "
                 "GOOGLE_APPLICATION_CREDENTIALS");
}

static enum err_code by_property(struct target *out, const struct snapshot *s,
                                 const struct scope *scope, const char *property, struct err *e)
{
  char asked[SHOWN_SIZE];
  const char *digits = strncmp(property, "properties/", 11) == 0 ? property + 11 : property;
  const struct dealer *d = directory_by_property(s->directory, digits);
  if (scope_sees(scope, d))
    return take_dealer(out, s, d);
  const struct dealer *only = d == NULL ? scope_only_dealer(scope) : NULL;
  if (only != NULL && only->n_property_ids == 0) /* report-svc looks whether it is the dealer's */
    return take_dealer(out, s, only);
  if (take_only_account(out, s, scope))
    return ERR_OK;
  return err_set(e, ERR_NOT_FOUND, "unknown_property",
                 "property_id: no dealer you may read is configured with property \"%s\"; give "
                 "dealer_id as well, list_dealers names them",
                 shown(asked, property));
}

static enum err_code by_account(struct target *out, const struct snapshot *s,
                                const struct scope *scope, const char *account, struct err *e)
{
  char asked[SHOWN_SIZE];
  const struct dealer *d = directory_by_account(s->directory, account);
  if (scope_sees(scope, d))
    return take_dealer(out, s, d);
  if (s->adc != NULL && strcmp(account, ADC_ACCOUNT_ID) == 0 && take_only_account(out, s, scope))
    return ERR_OK;
  return err_set(e, ERR_NOT_FOUND, "unknown_account", "account_id: no account \"%s\"",
                 shown(asked, account));
}

static enum err_code by_default(struct target *out, const struct snapshot *s,
                                const struct scope *scope, struct err *e)
{
  const struct dealer *d = scope_only_dealer(scope);
  if (d != NULL)
    return take_dealer(out, s, d);
  if (take_only_account(out, s, scope))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "no_dealer",
                 "dealer_id: give the dealer; list_dealers names those you may read");
}

/* The dealer that is asked for, when the grant covers it: nearly every call. */
static const struct dealer *asked_dealer(const struct snapshot *s,
                                         const Analytics__Auth__V1__Grant *grant,
                                         const token_request *r)
{
  const struct dealer *d = NULL;
  if (r->target_case == ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF)
    d = directory_by_id(s->directory, r->dealer_ref);
  return scope_grant_sees(grant, d) ? d : NULL;
}

static enum err_code resolve_direct(struct target *out, const struct snapshot *s,
                                    const Analytics__Auth__V1__Grant *grant, const token_request *r,
                                    struct arena *arena, struct err *e)
{
  const struct dealer *d = asked_dealer(s, grant, r);
  enum err_code code;
  if (d != NULL)
    return take_dealer(out, s, d);
  if (snapshot_accounts(s) == 0)
    return without_credentials(e);
  const struct scope *scope = scope_new(arena, s->directory, grant);
  if (scope == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory to work the grant out");
  switch (r->target_case) {
  case ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF:
    code = scope_find_dealer(scope, "dealer_id", r->dealer_ref, &d, e);
    return code == ERR_OK ? take_dealer(out, s, d) : code;
  case ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID:
    return by_property(out, s, scope, r->property_id, e);
  case ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_ACCOUNT_ID:
    return by_account(out, s, scope, r->account_id, e);
  default:
    return by_default(out, s, scope, e);
  }
}

/* ------------------------------------------------------------------- benchmark */

static bool is_member(const Analytics__Auth__V1__BenchmarkGrant *g, const uint8_t *tag)
{
  for (size_t at = 0; at + PEER_TAG_BYTES <= g->members.len; at += PEER_TAG_BYTES)
    if (memcmp(g->members.data + at, tag, PEER_TAG_BYTES) == 0)
      return true;
  return false;
}

/* Tags are looked for as the key of the grant makes them, also while another key seals. */
static enum err_code resolve_member(struct target *out, const struct snapshot *s,
                                    const struct unsealed *grant, const token_request *r,
                                    struct err *e)
{
  char asked[SHOWN_SIZE];
  if (r->target_case != ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF)
    return err_set(e, ERR_INVALID_ARGUMENT, "no_dealer",
                   "dealer_ref: a benchmark names its members by dealer_ref");
  const struct dealer *d = directory_by_id(s->directory, r->dealer_ref);
  bool visible = d != NULL;
  if (!visible)
    d = peers_resolve(s->peers, r->dealer_ref);
  if (d == NULL || !is_member(grant->benchmark, peers_tag(s->peers, grant->key, d, visible)))
    return err_set(e, ERR_NOT_FOUND, "unknown_dealer",
                   "dealer_ref: no dealer \"%s\" in this comparison; resolve the cohort again",
                   shown(asked, r->dealer_ref));
  take_dealer(out, s, d);
  out->ref = r->dealer_ref;
  out->opaque = !visible;
  return ERR_OK;
}

enum err_code target_resolve(struct target *out, const struct snapshot *snapshot,
                             const struct unsealed *grant, const token_request *request,
                             struct arena *arena, struct err *e)
{
  bool direct = request->purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  bool benchmark = request->purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  if (!direct && !benchmark)
    return err_set(e, ERR_INVALID_ARGUMENT, "no_purpose",
                   "purpose: must be PURPOSE_DIRECT or PURPOSE_BENCHMARK");
  if (direct && grant->grant != NULL)
    return resolve_direct(out, snapshot, grant->grant, request, arena, e);
  if (benchmark && grant->benchmark != NULL)
    return resolve_member(out, snapshot, grant, request, e);
  return err_set(e, ERR_PERMISSION_DENIED, "purpose_not_allowed",
                 direct ? "purpose: a benchmark grant is good for aggregates only"
                        : "purpose: a caller's own grant is good for its own dealers' rows only; "
                          "a benchmark needs the grant that ResolveCohort makes");
}
