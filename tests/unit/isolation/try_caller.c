/* Callers and their bearers, drawn at random: what auth-svc must take and what it must not. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/isolation/try_parts.h"

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
    buf_printf(&json, "{\"account_id\":\"%s\",\"refresh_token\":\"%s\"}",
               pick(2) == 0 ? one->account : one->id, one == other ? "1//nobody" : other->refresh);
    break;
  case 6: /* the access token that auth-svc gives out for it (google.c) */
    buf_printf(&json, "{\"account_id\":\"%s\",\"%s\":\"ya29.Q%02zuz\",\"expires_at\":%lld}",
               pick(2) == 0 ? one->account : one->id,
               pick(2) == 0 ? "access_token" : "refresh_token", (size_t)(one - p->shops),
               now_s() + 999);
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
