/* Looks policies and revocations up. */
#include "auth-svc/identity/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/identity/names.h"
#include "common/base/mem.h"

struct policies *policies_none(void)
{
  struct policies *p = xcalloc(1, sizeof(*p));
  atomic_init(&p->refs, 1);
  return p;
}

struct policies *policies_ref(struct policies *p)
{
  atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
  return p;
}

void policies_unref(struct policies *p)
{
  if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
    return;
  arena_free(p->arena);
  free(p);
}

const struct policy *policies_find(const struct policies *p, const char *identity)
{
  for (size_t i = 0; *identity != '\0' && i < p->n; i++)
    if (strcmp(p->items[i].identity, identity) == 0)
      return &p->items[i];
  return NULL;
}

enum err_code certificate_grant(Analytics__Auth__V1__Grant **out, const struct policies *policies,
                                const char *identity, const struct directory *directory,
                                int64_t now_s, struct arena *arena, struct err *e)
{
  const struct policy *policy = policies_find(policies, identity);
  if (*identity == '\0')
    return err_set(e, ERR_UNAUTHENTICATED, "missing_credentials",
                   "by_certificate: the call came without a client certificate, or with one whose "
                   "name holds control characters; set GRPC_TLS_CERT, "
                   "GRPC_TLS_KEY and GRPC_TLS_CA on both sides, and AUTH_POLICY_FILE here");
  if (policy == NULL)
    return err_set(e, ERR_UNAUTHENTICATED, "invalid_credentials",
                   "by_certificate: no policy for the identity \"%.128s\"; AUTH_POLICY_FILE must "
                   "name it",
                   identity);
  *out = claims_grant(&policy->claims, directory, now_s, arena);
  return *out != NULL ? ERR_OK
                      : err_set(e, ERR_RESOURCE_EXHAUSTED, "grant_too_large",
                                "the policy names too many dealers");
}

/* ------------------------------------------------------------------- revocations */

static int compare(const void *wanted, const void *item)
{
  return strcmp(wanted, *(const char *const *)item);
}

static bool holds(const struct claim_list *list, const char *text)
{
  return list->n > 0 && *text != '\0' &&
         bsearch(text, list->items, list->n, sizeof(list->items[0]), compare) != NULL;
}

enum err_code policies_check_revoked(const struct policies *p, const char *subject,
                                     const char *token_id, const char *token_sha256, struct err *e)
{
  const char *what = holds(&p->subjects, subject)            ? "subject"
                     : holds(&p->token_ids, token_id)        ? "token id"
                     : holds(&p->token_hashes, token_sha256) ? "bearer token"
                                                             : NULL;
  return what == NULL
             ? ERR_OK
             : err_set(e, ERR_UNAUTHENTICATED, "revoked",
                       "this %s has been revoked; ask the operator for another token", what);
}

/* ------------------------------------------------------------------ unknown names */

size_t policies_unknown_names(const struct policies *p, const struct directory *directory,
                              struct buf *out)
{
  struct unknown_names u = {.directory = directory, .out = out};
  for (size_t i = 0; i < p->n; i++) {
    char where[40];
    snprintf(where, sizeof(where), "policies[%zu]", i);
    names_look_up(&u, where, &p->items[i].claims);
  }
  return names_unknown(&u);
}
