/* Faults of the identity endpoints, each in its endpoint's own form of error. */
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/login/login.h"

static void fail(struct reply *r, enum fault_endpoint endpoint, int status, const char *error,
                 const char *name, const char *text)
{
  if (endpoint == ENDPOINT_TOKEN || endpoint == ENDPOINT_STS) {
    reply_oauth_error(r, status, error, text);
  } else if (endpoint == ENDPOINT_IAM) {
    reply_google_error(r, status, name, text, NULL);
  } else {
    r->status = status;
    r->content_type = "text/html; charset=UTF-8";
    r->pretty = false;
    buf_clear(&r->body);
    buf_printf(&r->body, "<!DOCTYPE html>\n<title>Error %d</title>\n<p>%s\n", status, text);
  }
}

static const struct {
  enum fault_kind kind;
  int status;
  const char *error, *name, *text;
} failures[] = {
    {FAULT_400, 400, "invalid_request", "INVALID_ARGUMENT", "Bad Request"},
    {FAULT_401, 401, "invalid_client", "UNAUTHENTICATED", "Unauthorized"},
    {FAULT_403, 403, "access_denied", "PERMISSION_DENIED", "The caller does not have permission"},
    {FAULT_429_HOURLY, 429, "rate_limit_exceeded", "RESOURCE_EXHAUSTED", "Rate Limit Exceeded"},
    {FAULT_429_DAILY, 429, "rate_limit_exceeded", "RESOURCE_EXHAUSTED", "Rate Limit Exceeded"},
    {FAULT_429_CONCURRENT, 429, "rate_limit_exceeded", "RESOURCE_EXHAUSTED", "Rate Limit Exceeded"},
    {FAULT_500, 500, "internal_failure", "INTERNAL", "Internal error."},
    {FAULT_503, 503, "backend_error", "UNAVAILABLE", "The service is currently unavailable."},
    {FAULT_TOKEN_503, 503, "backend_error", "UNAVAILABLE", "The service is currently unavailable."},
    {FAULT_INVALID_GRANT, 400, "invalid_grant", "INVALID_ARGUMENT",
     "Token has been expired or revoked."},
    {FAULT_INVALID_CLIENT, 401, "invalid_client", "UNAUTHENTICATED",
     "The OAuth client was not found."},
    {FAULT_DELETED_CLIENT, 401, "deleted_client", "UNAUTHENTICATED",
     "The OAuth client was deleted."},
    {FAULT_UNAUTHORIZED_CLIENT, 401, "unauthorized_client", "UNAUTHENTICATED", "Unauthorized"},
    {FAULT_ADMIN_POLICY, 400, "admin_policy_enforced", "INVALID_ARGUMENT",
     "Access to your account data is restricted by policies within your organization."},
    {FAULT_INVALID_TARGET, 400, "invalid_target", "INVALID_ARGUMENT",
     "The target service indicated by the \"audience\" parameters is invalid. This might either "
     "be because the pool or provider is disabled or deleted or because it doesn't exist."},
};

/* The account's session policy asks for a new sign-in. */
static void reply_invalid_rapt(struct reply *r)
{
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "error", "invalid_grant");
  cJSON_AddStringToObject(root, "error_description", "reauth related error (invalid_rapt)");
  cJSON_AddStringToObject(root, "error_uri", "https://support.google.com/a/answer/9368756");
  cJSON_AddStringToObject(root, "error_subtype", "invalid_rapt");
  reply_json(r, 400, root);
  r->no_store = true;
  cJSON_Delete(root);
}

bool identity_fault(struct sim *s, int64_t property, enum fault_endpoint endpoint, struct reply *r)
{
  struct fault_effect x = faults_take(s->faults, property, endpoint);
  sim_wait(s, x.delay_ms);
  if (reply_spoil(r, &x))
    return true;
  if (x.kind == FAULT_INVALID_RAPT) {
    reply_invalid_rapt(r);
    return true;
  }
  for (size_t i = 0; i < ARRAY_LEN(failures); i++)
    if (failures[i].kind == x.kind) {
      fail(r, endpoint, failures[i].status, failures[i].error, failures[i].name, failures[i].text);
      return true;
    }
  return false;
}
