/* What the random calls share. */
#include "tests/unit/isolation/try_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

long long now_s(void)
{
  return (long long)clock_unix_ms() / 1000;
}

size_t wrong(const char *what, const struct reply *r)
{
  printf("\n  %s: %s\n", what, r->error.message);
  return 1;
}

void count(struct attempt *a, const struct reply *r)
{
  a->tally->calls++;
  a->tally->answered += r->message != NULL;
  a->tally->refused += r->message == NULL;
  /* A stream of columns says of each dealer what became of it; that is looked at there. */
  a->answered_though_revoked +=
      a->revoked && r->message != NULL &&
      r->message->descriptor != &analytics__report__v1__fetch_reports_response__descriptor;
}

struct named name_dealer(const struct attempt *a, int kind)
{
  const struct plan *p = &a->stage->plan;
  size_t i = pick(p->n);
  for (size_t k = 0; pick(2) == 0 && k < p->n && !a->view.direct[i]; k++)
    i = (i + 1) % p->n; /* one of its own, often */
  const struct shop *s = &p->shops[i];
  struct named out = {.shop = (int)i, .kind = kind};
  const char *texts[] = {s->id, s->property, s->account, s->name};
  snprintf(out.text, sizeof(out.text), "%s", texts[kind]);
  if (pick(10) == 0) { /* nobody's */
    out.text[strlen(out.text) - 1] ^= 1;
    out.shop = -1;
    for (size_t k = 0; kind == 1 && k < p->n; k++) /* a neighbour's property after all */
      if (strcmp(out.text, p->shops[k].property) == 0)
        out.shop = (int)k;
  }
  /* An admin's unknown property is asked for with the only account there is. */
  if (kind == 1 && p->n == 1 && a->claimant.role == PLAN_ADMIN)
    out.shop = 0;
  return out;
}

bool may_read(const struct attempt *a, int shop)
{
  return shop >= 0 && a->view.direct[shop];
}

void ask_token(struct attempt *a, const ProtobufCBinaryData *grant,
               Analytics__Auth__V1__Purpose purpose, const struct named *target, struct reply *out)
{
  static const Analytics__Auth__V1__GetAccessTokenRequest__TargetCase cases[] = {
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF,
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID,
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_ACCOUNT_ID,
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF};
  Analytics__Auth__V1__GetAccessTokenRequest q =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  q.purpose = purpose;
  q.target_case = cases[target->kind];
  q.dealer_ref = TEXT(target->text); /* one union: the same place for all three */
  stage_call(out, a->stage->auth, AUTH, "GetAccessToken", &q.base, grant);
  count(a, out);
}

/* Whose token it is. */
int owner_of(const struct reply *r)
{
  return plan_marked(
      ((const Analytics__Auth__V1__GetAccessTokenResponse *)r->message)->access_token);
}
