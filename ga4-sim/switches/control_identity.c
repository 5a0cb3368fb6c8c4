/* /sim/... switches about identities: consents, service accounts, federation, AWS, keys. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"
#include "ga4-sim/switches/control.h"

static void reply_problem(struct reply *r, const struct err *e)
{
  AUTO_JSON cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "error", e->message);
  reply_json(r, e->code == ERR_NOT_FOUND ? 404 : 400, root);
}

static enum err_code bad(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s", text);
}

static enum err_code rotation(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return grants_set_rotation(s->grants, body, out, e);
}

static enum err_code lifetime(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return grants_set_lifetime(s->grants, body, out, e);
}

static enum err_code revocation(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return grants_set_revocation(s->grants, body, out, e);
}

static enum err_code consent(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return grants_set_consent(s->grants, body, out, e);
}

static enum err_code consent_policy(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return consents_set_policy(s->consents, body, out, e);
}

/* As a person does at myaccount.google.com. */
static enum err_code withdraw(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return consents_withdraw(s->consents, body, out, e);
}

/* As if the callers' clocks were that many seconds slow (or fast, below zero). */
static enum err_code set_clock(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  double offset = json_get_number(body, "offset_s", 0);
  if (offset < -1e6 || offset > 1e6)
    return bad(e, "offset_s must be a number of seconds within a million");
  atomic_store(&s->clock_offset_s, (long long)offset);
  *out = cJSON_CreateObject();
  cJSON_AddNumberToObject(*out, "offset_s", (double)(long long)offset);
  return ERR_OK;
}

static enum err_code client(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return grants_set_client(s->grants, body, out, e);
}

static enum err_code federation(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return federation_set(s->federation, body, out, e);
}

static enum err_code outside_issuer(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return issuer_set(s->issuer, body, out, e);
}

static const struct service_account *account_of(struct sim *s, const cJSON *body)
{
  const char *email = json_get_string(body, "email"), *dealer = json_get_string(body, "dealer_id");
  if (email != NULL)
    return service_accounts_by_email(s->service_accounts, email);
  if (dealer != NULL && strcmp(dealer, "*") == 0)
    return service_accounts_of(s->service_accounts, IDENTITY_SERVICE_ACCOUNT);
  for (size_t i = 0; dealer != NULL && i < s->world->property_count; i++)
    if (strcmp(s->world->properties[i].dealer_id, dealer) == 0)
      return service_accounts_of(s->service_accounts, (int64_t)i);
  return NULL;
}

/* The key of an account, made on request; with "state" it sets that first. */
static enum err_code service_account(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  static const char *const states[] = {"active", "key_deleted", "deleted"};
  const struct service_account *a = account_of(s, body);
  const char *state = json_get_string(body, "state");
  AUTO_BUF struct buf key = BUF_INIT(16 * 1024);
  if (a == NULL)
    return err_set(e, ERR_NOT_FOUND, NULL,
                   "no such service account: give the email, a dealer_id, or dealer_id \"*\" for "
                   "the agency's");
  size_t i = 0;
  while (state != NULL && i < ARRAY_LEN(states) && strcmp(states[i], state) != 0)
    i++;
  if (i == ARRAY_LEN(states))
    return bad(e, "state must be active, key_deleted or deleted");
  if (state != NULL)
    service_account_set_state(s->service_accounts, a, (enum service_account_state)i);
  if (!service_account_key_json(s->service_accounts, a, s->base_url, &key))
    return err_set(e, ERR_INTERNAL, NULL, "OpenSSL could not make a key");
  *out = cJSON_Parse(buf_str(&key));
  return ERR_OK;
}

static enum err_code mint(struct sim *s, const char *sub, const char *aud, double expires_in,
                          cJSON **out, struct err *e)
{
  AUTO_BUF struct buf token = BUF_INIT(JWT_MAX);
  if (sub == NULL || sub[0] == '\0')
    return bad(e, "sub must be text, for example " FEDERATION_AGENCY_SUBJECT);
  if (expires_in < -1e6 || expires_in > 1e6)
    return bad(e, "expires_in must be a number of seconds within a million");
  if (!oidc_mint(s, sub, aud == NULL ? FEDERATION_OIDC : aud, (int64_t)expires_in, &token))
    return bad(e, "the claims are too long");
  *out = cJSON_CreateObject();
  cJSON_AddStringToObject(*out, "token", buf_str(&token));
  cJSON_AddNumberToObject(*out, "expires_in", expires_in);
  return ERR_OK;
}

static enum err_code projected_token(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  return mint(s, json_get_string(body, "sub"), json_get_string(body, "aud"),
              json_get_number(body, "expires_in", 3600), out, e);
}

static void add_credentials(cJSON *root, const char *name, const struct aws_credentials *c)
{
  cJSON *json = cJSON_AddObjectToObject(root, name);
  cJSON_AddStringToObject(json, "access_key_id", c->access_key_id);
  cJSON_AddStringToObject(json, "secret_access_key", c->secret_access_key);
  cJSON_AddStringToObject(json, "session_token", c->session_token);
  cJSON_AddStringToObject(json, "arn", c->arn);
}

static void render_aws(struct sim *s, cJSON **out)
{
  struct aws_credentials user, role;
  aws_user_credentials(s->aws, &user);
  aws_role_credentials(s->aws, clock_unix_ms() / 1000, &role);
  *out = cJSON_CreateObject();
  cJSON_AddStringToObject(*out, "region", AWS_REGION_NAME);
  add_credentials(*out, "user", &user);
  add_credentials(*out, "role", &role);
}

static enum err_code rotate_aws(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  (void)e;
  aws_rotate(s->aws, json_get_bool(body, "kill_old", false));
  render_aws(s, out);
  return ERR_OK;
}

static enum err_code rotate_jwks(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  (void)e;
  jwks_rotate(s->jwks, json_get_bool(body, "keep_old", true));
  *out = jwks_render(s->jwks);
  return ERR_OK;
}

static enum err_code mint_jwt(struct sim *s, const cJSON *body, cJSON **out, struct err *e)
{
  AUTO_BUF struct buf token = BUF_INIT(JWT_MAX);
  enum err_code code = jwks_mint(s->jwks, body, &token, e);
  if (code != ERR_OK)
    return code;
  *out = cJSON_CreateObject();
  cJSON_AddStringToObject(*out, "token", buf_str(&token));
  return ERR_OK;
}

static const struct {
  const char *path;
  enum err_code (*set)(struct sim *s, const cJSON *body, cJSON **out, struct err *e);
} switches[] = {
    {"/sim/rotation", rotation},
    {"/sim/tokens", lifetime},
    {"/sim/revocation", revocation},
    {"/sim/clients", client},
    {"/sim/consent", consent},
    {"/sim/consent-screen", consent_policy},
    {"/sim/withdraw", withdraw},
    {"/sim/clock", set_clock},
    {"/sim/federation", federation},
    {"/sim/issuer", outside_issuer},
    {"/sim/service-accounts", service_account},
    {"/sim/projected-token", projected_token},
    {"/sim/aws/rotate", rotate_aws},
    {"/sim/jwks/rotate", rotate_jwks},
    {"/sim/mint-jwt", mint_jwt},
};

static bool post(struct sim *s, const struct request *q, struct reply *r)
{
  for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
    if (strcmp(q->path, switches[i].path) != 0)
      continue;
    AUTO_JSON cJSON *body = NULL;
    AUTO_JSON cJSON *out = NULL;
    struct err e = {0};
    const char *text = q->body_len == 0 ? "{}" : q->body;
    enum err_code code = json_parse(&body, text, strlen(text), NULL, &e);
    if (code == ERR_OK && !cJSON_IsObject(body))
      code = bad(&e, "the body must be a JSON object");
    if (code == ERR_OK)
      code = switches[i].set(s, body, &out, &e);
    if (code == ERR_OK)
      reply_json(r, 200, out);
    else
      reply_problem(r, &e);
    return true;
  }
  return false;
}

/* GET: what a workload would ask a local agent for (url-sourced tokens), AWS keys, JWKS. */
static bool get(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_JSON cJSON *out = NULL;
  struct err e = {0};
  if (strcmp(q->path, "/sim/jwks") == 0)
    out = jwks_render(s->jwks);
  else if (strcmp(q->path, "/sim/aws") == 0)
    render_aws(s, &out);
  else if (strcmp(q->path, "/sim/projected-token") != 0)
    return false;
  else if (mint(s, request_query(q, "sub"), request_query(q, "aud"), 3600, &out, &e) != ERR_OK)
    reply_problem(r, &e);
  if (out != NULL)
    reply_json(r, 200, out);
  return true;
}

bool control_identity(struct sim *s, const struct request *q, struct reply *r)
{
  return strcmp(q->method, "POST") == 0  ? post(s, q, r)
         : strcmp(q->method, "GET") == 0 ? get(s, q, r)
                                         : false;
}
