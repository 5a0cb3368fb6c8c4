/* Draws calls and checks what they bring. */
#include "tests/unit/isolation/try.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/auth/jwt_maker.h"
#include "tests/unit/isolation/scan.h"

#define AUTH (&analytics__auth__v1__auth_service__descriptor)
#define REPORT (&analytics__report__v1__report_service__descriptor)
#define AGGREGATE (&analytics__aggregate__v1__aggregate_service__descriptor)
#define DIRECT ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT
#define BENCHMARK ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK
#define TEXT(s) ((char *)(uintptr_t)(s))

typedef Analytics__Auth__V1__ResolveCohortResponse Cohort;
typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest CompareRequest;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResponse CompareResponse;

static long long now_s(void)
{
  return (long long)clock_unix_ms() / 1000;
}

static size_t wrong(const char *what, const struct reply *r)
{
  printf("\n  %s: %s\n", what, r->error.message);
  return 1;
}

static void count(struct attempt *a, const struct reply *r)
{
  a->tally->calls++;
  a->tally->answered += r->message != NULL;
  a->tally->refused += r->message == NULL;
  /* A stream of columns says of each dealer what became of it; that is looked at there. */
  a->answered_though_revoked +=
      a->revoked && r->message != NULL &&
      r->message->descriptor != &analytics__report__v1__fetch_reports_response__descriptor;
}

/* ------------------------------------------------------------------------ claimants */

static void draw_claimant(const struct plan *p, struct claimant *c)
{
  static const enum plan_role roles[] = {PLAN_DEALER, PLAN_DEALER, PLAN_DEALER, PLAN_GROUP,
                                         PLAN_GROUP};
  *c = (struct claimant){.role = pick(20) == 0 ? PLAN_ADMIN : roles[pick(5)]};
  size_t share = 2 + pick(8);
  for (size_t i = 0; i < p->n; i++)
    c->dealers[i] = pick(share) == 0;
  c->any_region = pick(4) == 0;
  for (size_t i = 0; c->any_region && i < PLAN_REGIONS; i++)
    c->regions[i] = pick(2) == 0;
  c->any_region = c->regions[0] || c->regions[1] || c->regions[2] || c->regions[3];
  for (size_t i = 0; i < PLAN_GROUPS; i++)
    c->groups[i] = pick(5) == 0;
}

/* Names in claims may be written in any case; regions and groups are. */
static void put_cased(struct buf *out, const char *text)
{
  bool shout = pick(3) == 0;
  for (; *text != '\0'; text++)
    buf_putc(out, shout ? (char)toupper((unsigned char)*text) : *text);
}

static void put_claims(const struct plan *p, const struct claimant *c, struct buf *out)
{
  static const char *const roles[] = {"admin", "group", "dealer"};
  buf_printf(out, "\"role\":\"%s\",\"dealers\":[\"no-such-dealer\"", roles[c->role]);
  for (size_t i = 0; i < p->n; i++)
    if (c->dealers[i])
      buf_printf(out, ",\"%s\"", pick(2) == 0 ? p->shops[i].id : p->shops[i].account);
  buf_puts(out, "],\"regions\":[");
  bool first = true;
  for (size_t i = 0; i < PLAN_REGIONS; i++) {
    if (!c->regions[i])
      continue;
    buf_puts(out, first ? "\"" : ",\"");
    put_cased(out, plan_regions[i]);
    buf_puts(out, "\"");
    first = false;
  }
  buf_puts(out, "],\"groups\":[\"none\"");
  for (size_t i = 0; i < PLAN_GROUPS; i++)
    if (c->groups[i])
      buf_printf(out, ",\"Group G%zuz\"", i);
  buf_puts(out, "]");
}

/* The same as a policy, which is read more strictly: names that count for nothing are refused. */
static void put_policy(const struct plan *p, const struct claimant *c, struct buf *out)
{
  AUTO_BUF struct buf claims = BUF_INIT(1 << 16);
  put_claims(p, c, &claims);
  buf_puts(out, "{\"identity\":\"" STAGE_CONSUMER "\",\"subject\":\"robot\",");
  char *groups = strstr(claims.data, ",\"groups\":");
  if (c->role == PLAN_ADMIN)
    buf_puts(out, "\"role\":\"admin\"}");
  else
    buf_printf(out, "%.*s}",
               (int)(c->role == PLAN_DEALER ? (size_t)(groups - claims.data) : claims.len),
               claims.data);
}

/* Others are mapped too, and must lend nothing. */
static void authenticate_by_certificate(struct attempt *a)
{
  AUTO_BUF struct buf json = BUF_INIT(1 << 16);
  buf_puts(&json,
           "{\"policies\":[{\"identity\":\"gateway\",\"subject\":\"g\",\"role\":\"admin\"},");
  put_policy(&a->stage->plan, &a->claimant, &json);
  buf_puts(&json, "]}");
  stage_policies(a->stage, buf_str(&json));
  stage_authenticate(a->stage, NULL, &a->authenticated);
  a->tally->by_certificate++;
}

static void authenticate_by_bearer(struct attempt *a)
{
  AUTO_BUF struct buf claims = BUF_INIT(1 << 16);
  buf_printf(&claims, "\"exp\":%lld,\"jti\":\"token-%zu\",", now_s() + 3600, a->tally->calls);
  put_claims(&a->stage->plan, &a->claimant, &claims);
  a->bearer = stage_jwt(buf_str(&claims), STAGE_SECRET);
  stage_authenticate(a->stage, a->bearer, &a->authenticated);
}

/* The grant names exactly what the claims say. */
static size_t check_grant(const struct attempt *a)
{
  const Analytics__Auth__V1__AuthenticateResponse *m = (const void *)a->authenticated.message;
  const struct plan *p = &a->stage->plan;
  size_t bad = 0, n = 0;
  if (m->grant->all_dealers != (a->claimant.role == PLAN_ADMIN))
    bad += wrong("all_dealers", &a->authenticated);
  for (size_t i = 0; i < p->n; i++) {
    bool named = m->grant->all_dealers;
    for (size_t k = 0; k < m->grant->n_dealer_ids; k++)
      named = named || strcmp(m->grant->dealer_ids[k], p->shops[i].id) == 0;
    n += named;
    if (named != a->view.direct[i])
      bad += wrong("the grant names another set of dealers", &a->authenticated);
  }
  return bad + (n != a->view.n_direct);
}

size_t attempt_begin(struct attempt *a, struct stage *s, struct tally *t)
{
  *a = (struct attempt){.stage = s, .tally = t};
  draw_claimant(&s->plan, &a->claimant);
  plan_view(&s->plan, &a->claimant, &a->view);
  if (pick(3) == 0)
    authenticate_by_certificate(a);
  else
    authenticate_by_bearer(a);
  count(a, &a->authenticated);
  if (a->authenticated.message == NULL)
    return wrong("a good claimant is refused", &a->authenticated);
  a->grant = ((Analytics__Auth__V1__AuthenticateResponse *)a->authenticated.message)->sealed;
  return check_grant(a) + scan_reply(&s->plan, &a->view, &a->authenticated, NULL, 0);
}

/* With its policy still there: being revoked weighs more. */
static void put_revoked(struct attempt *a, const char *field, const char *value)
{
  AUTO_BUF struct buf json = BUF_INIT(1 << 16);
  buf_puts(&json, "{\"policies\":[");
  put_policy(&a->stage->plan, &a->claimant, &json);
  buf_printf(&json, "],\"revoked\":[{\"subject\":\"another\"},{\"%s\":\"%s\"}]}", field, value);
  stage_policies(a->stage, buf_str(&json));
}

size_t attempt_revoke(struct attempt *a)
{
  const Analytics__Auth__V1__Grant *g =
      ((const Analytics__Auth__V1__AuthenticateResponse *)(const void *)a->authenticated.message)
          ->grant;
  struct reply r;
  size_t way = pick(a->bearer != NULL ? 3 : 2);
  put_revoked(a,
              way == 0   ? "subject"
              : way == 1 ? "token_sha256"
                         : "token_id",
              way == 0   ? g->subject
              : way == 1 ? g->principal_id
                         : g->token_id);
  a->revoked = true;
  a->view = (struct view){.n_direct = 0};
  a->tally->revoked++;
  stage_authenticate(a->stage, a->bearer, &r);
  count(a, &r);
  size_t bad =
      strcmp(r.error.reason, "revoked") != 0 ? wrong("no refusal of a revoked one", &r) : 0;
  bad += scan_reply(&a->stage->plan, &a->view, &r, NULL, 0);
  reply_free(&r);
  return bad;
}

void attempt_end(struct attempt *a)
{
  stage_policies(a->stage, NULL);
  reply_free(&a->authenticated);
  free(a->bearer);
}

/* A bearer that must not be taken; nobody may see anything then. */
static char *forged_bearer(const struct attempt *a)
{
  const struct plan *p = &a->stage->plan;
  const struct shop *one = &p->shops[pick(p->n)], *other = &p->shops[pick(p->n)];
  AUTO_BUF struct buf json = BUF_INIT(4096);
  AUTO_BUF struct buf text = BUF_INIT(8192);
  AUTO_FREE char *claims = NULL;
  char *token;
  switch (pick(8)) {
  case 0:
    claims = xasprintf("\"exp\":%lld,\"role\":\"admin\"", now_s() - 31 - (long long)pick(9999));
    return stage_jwt(claims, STAGE_SECRET);
  case 1:
    claims = xasprintf("\"exp\":%lld,\"nbf\":%lld,\"role\":\"admin\"", now_s() + 999, now_s() + 60);
    return stage_jwt(claims, STAGE_SECRET);
  case 2:
    claims = xasprintf("\"exp\":%lld,\"role\":\"admin\"", now_s() + 999);
    return stage_jwt(claims, "another secret of 32 bytes or more....");
  case 3:
    claims = xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"sub\":\"ann\",\"role\":"
                       "\"admin\",\"exp\":%lld}",
                       now_s() + 999);
    return maker_token("{\"alg\":\"none\"}", claims, NULL, NULL);
  case 4: /* one signed bit turned */
    claims =
        xasprintf("\"exp\":%lld,\"role\":\"dealer\",\"dealers\":[\"%s\"]", now_s() + 999, one->id);
    token = stage_jwt(claims, STAGE_SECRET);
    char *payload = strchr(token, '.') + 1;
    payload[pick(strcspn(payload, "."))] ^= 1;
    return token;
  case 5: /* another dealer's proof */
    buf_printf(&json, "{\"account_id\":\"%s\",\"refresh_token\":\"%s\"}", one->account,
               one == other ? "1//nobody" : other->refresh);
    break;
  case 6:
    buf_printf(&json, "{\"account_id\":\"%s\",\"access_token\":\"ya29.%s\",\"expires_at\":%lld}",
               one->account, "nobody", now_s() + 999);
    break;
  default:
    buf_printf(&json, "{\"account_id\":\"%s\"}", one->account);
    break;
  }
  base64_encode(&text, json.data, json.len);
  return xstrdup(buf_str(&text));
}

size_t try_forged_bearer(struct attempt *a)
{
  static const struct view nothing;
  struct reply r;
  AUTO_FREE char *bearer = forged_bearer(a);
  stage_authenticate(a->stage, bearer, &r);
  count(a, &r);
  size_t bad = r.message != NULL ? wrong("a forged bearer was taken", &r) : 0;
  bad += r.message == NULL && r.error.code != ERR_UNAUTHENTICATED;
  bad += scan_reply(&a->stage->plan, &nothing, &r, NULL, 0);
  reply_free(&r);
  return bad;
}

/* -------------------------------------------------------------------------- targets */

/* A text that names a dealer, inside the grant or not, or nobody. */
struct named {
  char text[48];
  int shop; /* -1: nobody */
  int kind; /* 0 dealer id, 1 property, 2 account, 3 other */
};

static struct named name_dealer(const struct attempt *a, int kind)
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
  if (kind == 3)
    out.shop = -1; /* names are no ids */
  return out;
}

static bool may_read(const struct attempt *a, int shop)
{
  return shop >= 0 && a->view.direct[shop];
}

/* ---------------------------------------------------------------------------- rpcs */

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

static void ask_token(struct attempt *a, const ProtobufCBinaryData *grant,
                      Analytics__Auth__V1__Purpose purpose, const struct named *target,
                      struct reply *out)
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
static int owner_of(const struct reply *r)
{
  return plan_marked(
      ((const Analytics__Auth__V1__GetAccessTokenResponse *)r->message)->access_token);
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

/* A sealed grant that auth-svc did not make like this, or whose time is over. */
static void forge(struct attempt *a, struct buf *out)
{
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct sealer *stranger = NULL;
  g.subject = TEXT("ann");
  g.all_dealers = true;
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  g.expires_at = now_s() + 600;
  switch (pick(5)) {
  case 0: /* bits turned anywhere */
    buf_append(out, a->grant.data, a->grant.len);
    for (size_t n = 1 + pick(3), i = 0; i < n; i++)
      out->data[pick(out->len)] ^= (char)(1 << pick(8));
    if (memcmp(out->data, a->grant.data, out->len) == 0)
      out->data[0] ^= 1;
    return;
  case 1:
    buf_append(out, a->grant.data, pick(a->grant.len));
    return;
  case 2: /* another key */
    sealer_new(&stranger, "KEY", NULL, "test", NULL);
    seal_message(stranger, SEAL_GRANT, &g.base, out, NULL);
    sealer_unref(stranger);
    return;
  case 3: /* over */
    g.expires_at = now_s() - (long long)pick(1000);
    seal_message(a->stage->sealer, SEAL_GRANT, &g.base, out, NULL);
    return;
  default: /* one type passed for the other: the bytes of a grant sealed as a benchmark's */
    seal_message(a->stage->sealer, SEAL_BENCHMARK, &g.base, out, NULL);
    return;
  }
}

size_t try_forged_grant(struct attempt *a)
{
  static const struct view nothing;
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  struct named target = name_dealer(a, (int)pick(3));
  const char *const asked[] = {target.text};
  struct reply r;
  forge(a, &sealed);
  const ProtobufCBinaryData grant = {sealed.len, (uint8_t *)sealed.data};
  if (pick(2) == 0) {
    ask_token(a, &grant, pick(2) == 0 ? DIRECT : BENCHMARK, &target, &r);
  } else {
    CompareRequest compare = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
    Analytics__Auth__V1__ListDealersRequest list = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
    Analytics__Auth__V1__ResolveCohortRequest cohort =
        ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
    compare.subject = cohort.subject_dealer_id = target.text;
    size_t which = pick(3);
    stage_call(&r, which == 2 ? a->stage->aggregate : a->stage->auth, which == 2 ? AGGREGATE : AUTH,
               which == 0   ? "ListDealers"
               : which == 1 ? "ResolveCohort"
                            : "CompareDealerSessions",
               which == 0   ? &list.base
               : which == 1 ? &cohort.base
                            : &compare.base,
               &grant);
    count(a, &r);
  }
  size_t bad = r.message != NULL ? wrong("a forged grant was taken", &r) : 0;
  bad += scan_reply(&a->stage->plan, &nothing, &r, asked, 1);
  reply_free(&r);
  return bad;
}

/* -------------------------------------------------------------------------- cohorts */

/* A question over several dealers, and who must answer it. */
struct question {
  struct named ids[3], subject;
  char *id_texts[3];
  size_t n_ids;
  bool with_subject;
  const char *region;
  char club[40]; /* "" for none */
  size_t club_index;
  bool members[PLAN_SHOPS];
  bool valid;
};

static void add_region(const struct attempt *a, struct question *q, size_t region)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (a->stage->plan.shops[i].region == region &&
        (a->view.direct[i] || a->view.benchmark[region]))
      q->members[i] = true;
}

static void add_club(const struct attempt *a, struct question *q, size_t k)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (a->stage->plan.clubs[k].members[i] && (a->view.direct[i] || a->view.club_benchmark[k]))
      q->members[i] = true;
}

static size_t region_index(const char *name)
{
  size_t i = 0;
  while (i < PLAN_REGIONS && strcmp(plan_regions[i], name) != 0)
    i++;
  return i;
}

static int only_dealer(const struct attempt *a)
{
  int only = -1;
  for (size_t i = 0; i < a->stage->plan.n && a->view.n_direct == 1; i++)
    if (a->view.direct[i])
      only = (int)i;
  return only;
}

/* Who is compared, by the words of the .proto. */
static void answerable(const struct attempt *a, struct question *q)
{
  int subject = q->with_subject ? q->subject.shop : -1;
  q->valid = (q->n_ids > 0) + (q->region[0] != '\0') + (q->club[0] != '\0') <= 1;
  if (q->with_subject)
    q->valid = q->valid && q->subject.kind == 0 && may_read(a, subject);
  else if (q->n_ids == 0 && q->region[0] == '\0' && q->club[0] == '\0')
    q->valid = q->valid && (subject = only_dealer(a)) >= 0;
  for (size_t i = 0; i < q->n_ids; i++) {
    q->valid = q->valid && q->ids[i].kind == 0 && may_read(a, q->ids[i].shop);
    if (q->ids[i].shop >= 0)
      q->members[q->ids[i].shop] = true;
  }
  if (q->region[0] != '\0') {
    q->valid = q->valid && a->view.known[region_index(q->region)];
    add_region(a, q, region_index(q->region));
  } else if (q->club[0] != '\0') {
    q->valid =
        q->valid && q->club_index < a->stage->plan.n_clubs && a->view.club_known[q->club_index];
    add_club(a, q, q->club_index < PLAN_CLUBS ? q->club_index : 0);
  } else if (q->n_ids == 0 && subject >= 0) {
    add_region(a, q, a->stage->plan.shops[subject].region);
  }
  if (subject >= 0)
    q->members[subject] = true;
}

static void draw_question(const struct attempt *a, struct question *q)
{
  *q = (struct question){.region = ""};
  size_t form = pick(10);
  if (form < 3)
    q->region = plan_regions[pick(PLAN_REGIONS)];
  if (form == 2 || form == 3)
    q->n_ids = 1 + pick(3);
  for (size_t i = 0; i < q->n_ids; i++) {
    q->ids[i] = name_dealer(a, pick(8) == 0 ? 2 : 0);
    q->id_texts[i] = q->ids[i].text;
  }
  q->club_index = pick(PLAN_CLUBS);
  if (form == 5 || form == 6)
    snprintf(q->club, sizeof(q->club), "club-m%02zuz", q->club_index);
  q->with_subject = form != 4 && pick(4) != 0;
  if (q->with_subject)
    q->subject = name_dealer(a, pick(12) == 0 ? 3 : 0);
  answerable(a, q);
}

static size_t asked_of(const struct question *q, const char *asked[8])
{
  size_t n = 0;
  for (size_t i = 0; i < q->n_ids; i++)
    asked[n++] = q->ids[i].text;
  asked[n++] = q->subject.text;
  asked[n++] = q->region;
  asked[n++] = q->club;
  return n;
}

/* Every member can be fetched for the benchmark as it was named, and in no other way. */
static size_t check_members(struct attempt *a, const struct question *q, const Cohort *c)
{
  size_t bad = 0;
  for (size_t i = 0; i < c->n_members; i++) {
    struct named target = {.shop = plan_marked(c->members[i]->dealer_ref)};
    struct reply r;
    if (pick(3) != 0)
      continue;
    snprintf(target.text, sizeof(target.text), "%s", c->members[i]->dealer_ref);
    if (c->members[i]->visible != (target.shop >= 0) ||
        (target.shop >= 0 && !a->view.direct[target.shop]))
      bad++;
    ask_token(a, &c->sealed_benchmark, BENCHMARK, &target, &r);
    if (r.message != NULL && !q->members[owner_of(&r)])
      bad += wrong("a benchmark token of no member", &r);
    a->tally->members_read += r.message != NULL;
    if (r.message != NULL) /* the token is what was asked for; nothing else may tell whose */
      memset(((Analytics__Auth__V1__GetAccessTokenResponse *)r.message)->access_token, 'x', 9);
    const Analytics__Auth__V1__GetAccessTokenResponse *m = (const void *)r.message;
    for (size_t k = 0; m != NULL && k < m->n_property_ids; k++)
      memset(m->property_ids[k], '0', strlen(m->property_ids[k]));
    bad += scan_reply(&a->stage->plan, &a->view, &r, NULL, 0);
    reply_free(&r);
    ask_token(a, &c->sealed_benchmark, DIRECT, &target, &r);
    bad += r.message != NULL ? wrong("a benchmark grant gave rows", &r) : 0;
    reply_free(&r);
  }
  struct named other = name_dealer(a, 0);
  struct reply r;
  ask_token(a, &c->sealed_benchmark, BENCHMARK, &other, &r);
  if (r.message != NULL && !(may_read(a, other.shop) && q->members[other.shop]))
    bad += wrong("a benchmark token by a name that was not given out", &r);
  reply_free(&r);
  return bad;
}

size_t try_cohort(struct attempt *a)
{
  Analytics__Auth__V1__ResolveCohortRequest m = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  m.subject_dealer_id = q.subject.text;
  m.cohort = q.club;
  stage_call(&r, a->stage->auth, AUTH, "ResolveCohort", &m.base, &a->grant);
  count(a, &r);
  const Cohort *c = (const void *)r.message;
  size_t bad = (c != NULL) != q.valid ? wrong("a cohort that is not due, or is", &r) : 0;
  if (c != NULL && q.valid)
    bad += check_members(a, &q, c);
  /* Which event counts as a lead goes to aggregate-svc, whose answers are scanned for it. */
  for (size_t i = 0; c != NULL && i < c->n_members; i++)
    memset(c->members[i]->lead_event, 'x', strlen(c->members[i]->lead_event));
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}

/* ---------------------------------------------------------------------------- tools */

static char *page_path[] = {TEXT("pagePath")};
static char *event_name[] = {TEXT("eventName")};
static char *sessions[] = {TEXT("sessions"), TEXT("engagedSessions")};

size_t try_run_report(struct attempt *a)
{
  Analytics__Report__V1__RunReportRequest q = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  struct named dealer = name_dealer(a, 0), property = name_dealer(a, 1);
  bool by_dealer = pick(3) != 0, by_property = !by_dealer || pick(3) == 0;
  const char *const asked[] = {dealer.text, property.text, property.text};
  struct reply r;
  q.dealer_id = by_dealer ? dealer.text : TEXT("");
  q.property_id = by_property ? property.text : TEXT("");
  q.dimensions = pick(2) == 0 ? page_path : event_name;
  q.n_dimensions = 1;
  q.metrics = sessions;
  q.n_metrics = 2;
  stage_call(&r, a->stage->report, REPORT, "RunReport", &q.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 3);
  int shop = by_dealer ? dealer.shop : property.shop;
  bool due = may_read(a, shop) && a->stage->plan.shops[shop].fault == SHOP_WELL &&
             (!by_property || property.shop == shop);
  if (by_property && strcmp(property.text, a->stage->plan.shops[0].property) != 0 &&
      a->stage->plan.n == 1)
    due = false; /* Google refuses the only account a property it does not have */
  /* A property that is configured nowhere may be one the dealer's credential can read. */
  if (r.message != NULL && !due)
    bad += wrong("a report that is not due", &r);
  if (r.message == NULL && due)
    bad += wrong("a report of its own is refused", &r);
  reply_free(&r);
  return bad;
}

size_t try_account_summaries(struct attempt *a)
{
  Analytics__Report__V1__GetAccountSummariesRequest q =
      ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_REQUEST__INIT;
  struct named dealer = name_dealer(a, 0);
  const char *const asked[] = {dealer.text};
  bool named = pick(3) != 0;
  struct reply r;
  if (named)
    q.dealer_id = dealer.text;
  stage_call(&r, a->stage->report, REPORT, "GetAccountSummaries", &q.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  if (named && r.message != NULL && !may_read(a, dealer.shop))
    bad += wrong("accounts that are not due", &r);
  reply_free(&r);
  return bad;
}

size_t try_across(struct attempt *a)
{
  Analytics__Aggregate__V1__RunReportAcrossDealersRequest m =
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  m.dimensions = pick(2) == 0 ? page_path : event_name;
  m.n_dimensions = 1;
  m.metrics = sessions;
  m.n_metrics = 2;
  stage_call(&r, a->stage->aggregate, AGGREGATE, "RunReportAcrossDealers", &m.base, &a->grant);
  count(a, &r);
  size_t bad = scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}

static bool any_well(const struct attempt *a, const struct question *q)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (q->members[i] && a->stage->plan.shops[i].fault == SHOP_WELL)
      return true;
  return false;
}

size_t try_compare(struct attempt *a)
{
  CompareRequest m = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  m.subject = q.subject.text;
  m.cohort = q.club;
  stage_call(&r, a->stage->aggregate, AGGREGATE, "CompareDealerSessions", &m.base, &a->grant);
  count(a, &r);
  const CompareResponse *c = (const void *)r.message;
  size_t bad = (c != NULL) != (q.valid && any_well(a, &q))
                   ? wrong("a comparison that is not due, or is", &r)
                   : 0;
  if (c != NULL &&
      c->event_case == ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_RESULT)
    bad += oracle_judge(&a->stage->plan, &a->view, q.members, c->result, &a->tally->disclosure);
  else if (c != NULL)
    bad += wrong("a comparison without a result", &r);
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}

/* aggregate-svc's own rpc, asked by somebody else with a caller's grant. */
size_t try_fetch_reports(struct attempt *a)
{
  Analytics__Report__V1__FetchReportsRequest m = ANALYTICS__REPORT__V1__FETCH_REPORTS_REQUEST__INIT;
  Analytics__Report__V1__ReportQuery query = ANALYTICS__REPORT__V1__REPORT_QUERY__INIT;
  Analytics__Ga4__V1beta__RunReportRequest report =
      ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  Analytics__Ga4__V1beta__Metric metric = ANALYTICS__GA4__V1BETA__METRIC__INIT,
                                 *metrics[] = {&metric};
  Analytics__Report__V1__ReportQuery *queries[] = {&query};
  struct named target = name_dealer(a, 0);
  const char *const asked[] = {target.text};
  char *refs[] = {target.text};
  struct reply r;
  metric.name = sessions[0];
  report.metrics = metrics;
  report.n_metrics = 1;
  query.query_id = 1;
  query.report = &report;
  m.dealer_refs = refs;
  m.n_dealer_refs = 1;
  m.queries = queries;
  m.n_queries = 1;
  m.purpose = pick(2) == 0 ? DIRECT : BENCHMARK;
  stage_call(&r, a->stage->report, REPORT, "FetchReports", &m.base, &a->grant);
  count(a, &r);
  size_t bad = 0;
  const Analytics__Report__V1__FetchReportsResponse *f = (const void *)r.message;
  bool due = m.purpose == DIRECT && may_read(a, target.shop) &&
             a->stage->plan.shops[target.shop].fault == SHOP_WELL;
  if (f != NULL &&
      f->event_case == ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE) {
    bad += (f->dealer_done->code == 0) != due ? wrong("columns that are not due, or are", &r) : 0;
    char *told = f->dealer_done->message; /* may repeat what was asked, as errors do */
    char *at = strstr(told, target.text);
    if (at != NULL)
      memset(at, 'x', strlen(target.text));
  }
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, 1);
  reply_free(&r);
  return bad;
}
