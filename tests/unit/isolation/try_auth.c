/* auth-svc asked with a grant, its own or a forged one. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/isolation/try_parts.h"

size_t try_list_dealers(struct attempt *a)
{
  Analytics__Auth__V1__ListDealersRequest q = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  struct named query = name_dealer(a, (int)pick(4));
  const char *region = pick(2) == 0 ? "" : plan_regions[pick(PLAN_REGIONS)];
  const char *const asked[] = {region};
  struct reply r;
  q.query = pick(2) == 0 ? TEXT("") : query.text;
  q.region = TEXT(region);
  q.limit = (int32_t)pick(30);
  q.offset = pick(3) == 0 ? (int32_t)pick(5) : 0;
  stage_call(&r, a->stage->auth, AUTH, "ListDealers", &q.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  const Analytics__Auth__V1__ListDealersResponse *m = (const void *)r.message;
  if (m != NULL && q.query[0] == '\0' && region[0] == '\0' && (size_t)m->total != a->view.n_direct)
    bad += wrong("list_dealers counts another number of dealers", &r);
  reply_free(&r);
  return bad;
}

size_t try_list_cohorts(struct attempt *a)
{
  Analytics__Auth__V1__ListCohortsRequest q = ANALYTICS__AUTH__V1__LIST_COHORTS_REQUEST__INIT;
  struct reply r;
  size_t due = 0;
  stage_call(&r, a->stage->auth, AUTH, "ListCohorts", &q.base, &a->grant);
  count(a, &r);
  const Analytics__Auth__V1__ListCohortsResponse *m = (const void *)r.message;
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, NULL, 0);
  for (size_t i = 0; i < PLAN_REGIONS; i++)
    due += a->view.known[i];
  for (size_t k = 0; k < a->stage->plan.n_clubs; k++)
    due += a->view.club_known[k];
  if (!a->revoked && (m == NULL || m->n_cohorts != due))
    bad += wrong("list_cohorts lists another number of cohorts", &r);
  reply_free(&r);
  return bad;
}

size_t try_access_token(struct attempt *a)
{
  struct named target = name_dealer(a, (int)pick(4));
  const char *const asked[] = {target.text};
  bool direct = pick(8) != 0;
  struct reply r;
  ask_token(a, &a->grant, direct ? DIRECT : BENCHMARK, &target, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  bool due =
      direct && may_read(a, target.shop) && a->stage->plan.shops[target.shop].fault != SHOP_REVOKED;
  if (r.message != NULL && (!due || owner_of(&r) != target.shop))
    bad += wrong("a token that is not due", &r);
  if (r.message == NULL && due)
    bad += wrong("a token of its own is refused", &r);
  reply_free(&r);
  return bad;
}

/* Several at once: each one that comes is due, and its own dealer's. */
size_t try_access_tokens(struct attempt *a)
{
  enum { DEALERS = 5 };
  Analytics__Auth__V1__GetAccessTokensRequest q =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKENS_REQUEST__INIT;
  struct named targets[DEALERS];
  const char *asked[DEALERS];
  char *refs[DEALERS];
  bool direct = pick(8) != 0;
  struct reply r;
  for (size_t i = 0; i < DEALERS; i++) {
    targets[i] = name_dealer(a, pick(2) == 0 ? 0 : 3);
    asked[i] = refs[i] = targets[i].text;
  }
  q.dealer_refs = refs;
  q.n_dealer_refs = 1 + pick(DEALERS);
  q.purpose = direct ? DIRECT : BENCHMARK;
  stage_call(&r, a->stage->auth, AUTH, "GetAccessTokens", &q.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, q.n_dealer_refs);
  const Analytics__Auth__V1__GetAccessTokensResponse *m = (const void *)r.message;
  if (m != NULL && m->n_answers != q.n_dealer_refs)
    bad += wrong("not an answer for each dealer", &r);
  for (size_t i = 0; m != NULL && i < m->n_answers; i++) {
    const char *token = m->answers[i]->access_token;
    int shop = targets[i].shop;
    bool due = direct && may_read(a, shop) && a->stage->plan.shops[shop].fault != SHOP_REVOKED;
    if (token[0] != '\0' && (!due || plan_marked(token) != shop))
      bad += wrong("a token that is not due", &r);
    a->tally->tokens += token[0] != '\0';
  }
  reply_free(&r);
  return bad;
}

/* A sealed grant that auth-svc did not make like this, or, then true, whose time is over. */
static bool forge(struct attempt *a, struct buf *out)
{
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct sealer *stranger = NULL;
  g.subject = TEXT("ann");
  g.all_dealers = true;
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  g.expires_at = now_s() + 600;
  switch (pick(6)) {
  case 0: /* bits turned anywhere */
    buf_append(out, a->grant.data, a->grant.len);
    for (size_t n = 1 + pick(3), i = 0; i < n; i++)
      out->data[pick(out->len)] ^= (char)(1 << pick(8));
    if (memcmp(out->data, a->grant.data, out->len) == 0)
      out->data[0] ^= 1;
    return false;
  case 1:
    buf_append(out, a->grant.data, pick(a->grant.len));
    return false;
  case 2: /* another key */
    sealer_new(&stranger, "KEY", NULL, "test", NULL);
    seal_message(stranger, SEAL_GRANT, &g.base, out, NULL);
    sealer_unref(stranger);
    return false;
  case 3: /* of another installation with the same key */
    sealer_new(&stranger, "KEY", STAGE_KEY, "elsewhere", NULL);
    seal_message(stranger, SEAL_GRANT, &g.base, out, NULL);
    sealer_unref(stranger);
    return false;
  case 4: /* over */
    g.expires_at = now_s() - (long long)pick(1000);
    seal_message(a->stage->sealer, SEAL_GRANT, &g.base, out, NULL);
    return true;
  default: /* one type passed for the other: the bytes of a grant sealed as a benchmark's */
    seal_message(a->stage->sealer, SEAL_BENCHMARK, &g.base, out, NULL);
    return false;
  }
}

size_t try_forged_grant(struct attempt *a)
{
  static const struct view nothing;
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  struct named target = name_dealer(a, (int)pick(3));
  const char *const asked[] = {target.text};
  struct reply r;
  bool over = forge(a, &sealed);
  const ProtobufCBinaryData grant = {sealed.len, (uint8_t *)sealed.data};
  if (pick(2) == 0) {
    ask_token(a, &grant, pick(2) == 0 ? DIRECT : BENCHMARK, &target, &r);
  } else {
    Analytics__Aggregate__V1__CompareDealerSessionsRequest compare =
        ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
    Analytics__Auth__V1__ListDealersRequest list = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
    Analytics__Auth__V1__ResolveCohortRequest cohort =
        ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
    Analytics__Auth__V1__EndLeaseRequest lease = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__INIT;
    compare.subject = cohort.subject_dealer_id = lease.dealer_ref = target.text;
    lease.target_case = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__TARGET_DEALER_REF;
    lease.uses = 1;
    Analytics__Auth__V1__OwnPropertiesRequest own =
        ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__INIT;
    own.target_case = ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__TARGET_DEALER_REF;
    own.dealer_ref = target.text;
    own.purpose = DIRECT;
    size_t which = pick(over ? 4 : 5); /* EndLease counts for a grant that is just over */
    stage_call(&r, which == 2 ? a->stage->aggregate : a->stage->auth, which == 2 ? AGGREGATE : AUTH,
               which == 0   ? "ListDealers"
               : which == 1 ? "ResolveCohort"
               : which == 2 ? "CompareDealerSessions"
               : which == 3 ? "OwnProperties"
                            : "EndLease",
               which == 0   ? &list.base
               : which == 1 ? &cohort.base
               : which == 2 ? &compare.base
               : which == 3 ? &own.base
                            : &lease.base,
               &grant);
    count(a, &r);
  }
  size_t bad = r.message != NULL ? wrong("a forged grant was taken", &r) : 0;
  bad += scan_reply(&a->stage->plan, &nothing, &r, asked, 1);
  reply_free(&r);
  return bad;
}
