/* Builds answers: JSON, Google's error envelope, OAuth errors, HTML. */
#include "ga4-sim/sim/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/report.h"

enum { HUGE_BODY = 12 * 1024 * 1024 };

static const char json_type[] = "application/json; charset=UTF-8";

void reply_init(struct reply *r)
{
  *r = (struct reply){.status = 200, .content_type = json_type, .pretty = true};
  buf_init(&r->body, REPORT_MAX_BYTES);
}

void reply_free(struct reply *r)
{
  buf_free(&r->body);
}

void reply_json(struct reply *r, int status, const cJSON *json)
{
  AUTO_FREE char *text = cJSON_PrintUnformatted(json);
  r->status = status;
  r->content_type = json_type;
  buf_clear(&r->body);
  buf_puts(&r->body, text == NULL ? "{}" : text);
}

void reply_google_error(struct reply *r, int status, const char *status_name, const char *message,
                        cJSON *details)
{
  cJSON *root = cJSON_CreateObject();
  cJSON *error = cJSON_AddObjectToObject(root, "error");
  cJSON_AddNumberToObject(error, "code", status);
  cJSON_AddStringToObject(error, "message", message);
  cJSON_AddStringToObject(error, "status", status_name);
  if (details != NULL)
    cJSON_AddItemToObject(error, "details", details);
  reply_json(r, status, root);
  cJSON_Delete(root);
}

void reply_err(struct reply *r, const struct err *e)
{
  int status = e->code == ERR_INVALID_ARGUMENT     ? 400
               : e->code == ERR_NOT_FOUND          ? 404
               : e->code == ERR_PERMISSION_DENIED  ? 403
               : e->code == ERR_UNIMPLEMENTED      ? 501
               : e->code == ERR_RESOURCE_EXHAUSTED ? 429
                                                   : 500;
  reply_google_error(r, status, err_code_name(e->code), e->message, NULL);
}

static cJSON *error_info(const char *reason, const char *domain, va_list ap)
{
  cJSON *list = cJSON_CreateArray(), *info = cJSON_CreateObject();
  cJSON_AddStringToObject(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
  cJSON_AddStringToObject(info, "reason", reason);
  cJSON_AddStringToObject(info, "domain", domain);
  cJSON *metadata = cJSON_AddObjectToObject(info, "metadata");
  const char *key;
  while ((key = va_arg(ap, const char *)) != NULL)
    cJSON_AddStringToObject(metadata, key, va_arg(ap, const char *));
  cJSON_AddItemToArray(list, info);
  return list;
}

cJSON *reply_error_info(const char *reason, ...)
{
  va_list ap;
  va_start(ap, reason);
  cJSON *list = error_info(reason, "googleapis.com", ap);
  va_end(ap);
  return list;
}

cJSON *reply_error_info_of(const char *reason, const char *domain, ...)
{
  va_list ap;
  va_start(ap, domain);
  cJSON *list = error_info(reason, domain, ap);
  va_end(ap);
  return list;
}

#define EXPECTED                                                                                   \
  "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "     \
  "https://developers.google.com/identity/sign-in/web/devconsole-project."

void reply_no_credentials(struct reply *r, const char *rpc, const char *service)
{
  reply_google_error(
      r, 401, "UNAUTHENTICATED", "Request is missing required authentication credential. " EXPECTED,
      reply_error_info("CREDENTIALS_MISSING", "method", rpc, "service", service, NULL));
  snprintf(r->www_authenticate, sizeof(r->www_authenticate),
           "Bearer realm=\"https://accounts.google.com/\"");
}

void reply_bad_credentials(struct reply *r)
{
  reply_google_error(r, 401, "UNAUTHENTICATED",
                     "Request had invalid authentication credentials. " EXPECTED, NULL);
  snprintf(r->www_authenticate, sizeof(r->www_authenticate),
           "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"");
}

void reply_insufficient_scopes(struct reply *r, const char *rpc, const char *service,
                               const char *scope)
{
  reply_google_error(
      r, 403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.",
      reply_error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "method", rpc, "service", service, NULL));
  snprintf(r->www_authenticate, sizeof(r->www_authenticate),
           "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", "
           "scope=\"%s\"",
           scope);
}

static void reply_html(struct reply *r, int status, const char *title, const char *text)
{
  r->status = status;
  r->content_type = "text/html; charset=UTF-8";
  r->pretty = false;
  buf_clear(&r->body);
  buf_printf(&r->body,
             "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error %d (%s)!!1"
             "</title>\n  <p><b>%d.</b> <ins>That\xe2\x80\x99s an error.</ins>\n  <p>%s  "
             "<ins>That\xe2\x80\x99s all we know.</ins>\n",
             status, title, status, text);
}

void reply_not_found(struct reply *r, const char *path)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  buf_puts(&text, "The requested URL <code>");
  for (size_t i = 0; path[i] != '\0' && i < 1024; i++) {
    if (path[i] == '<' || path[i] == '>' || path[i] == '&')
      buf_printf(&text, "&#%d;", path[i]);
    else
      buf_putc(&text, path[i]);
  }
  buf_puts(&text, "</code> was not found on this server.");
  reply_html(r, 404, "Not Found", buf_str(&text));
}

void reply_bad_gateway(struct reply *r)
{
  reply_html(r, 502, "Server Error",
             "The server encountered a temporary error and could not complete your request.<p>"
             "Please try again in 30 seconds.");
}

void reply_oauth_error(struct reply *r, int status, const char *error, const char *description)
{
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "error", error);
  cJSON_AddStringToObject(root, "error_description", description);
  reply_json(r, status, root);
  r->no_store = true;
  cJSON_Delete(root);
}

void reply_header(struct reply *r, const char *name, const char *value)
{
  r->header_name = name;
  snprintf(r->header_value, sizeof(r->header_value), "%s", value);
}

static void reply_huge(struct reply *r)
{
  static const char zeros[] = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,";
  buf_clear(&r->body);
  r->pretty = false;
  buf_puts(&r->body, "{\"padding\":[");
  for (size_t n = 0; n < HUGE_BODY; n += sizeof(zeros) - 1)
    buf_puts(&r->body, zeros);
  buf_puts(&r->body, "0]}");
}

bool reply_spoil(struct reply *r, const struct fault_effect *x)
{
  switch (x->kind) {
  case FAULT_SLOW_BODY:
    r->slow_ms = x->ms;
    return false;
  case FAULT_CUT:
    r->cut = true;
    return false;
  case FAULT_MALFORMED:
    r->malformed = true;
    return false;
  case FAULT_NO_FLAVOR:
    r->header_name = NULL;
    return false;
  case FAULT_HTML_404:
    reply_not_found(r, "/");
    return true;
  case FAULT_HTML_502:
    reply_bad_gateway(r);
    return true;
  case FAULT_NOT_JSON:
    reply_html(r, 200, "Sign in", "Please sign in to the network.");
    return true;
  case FAULT_HUGE_BODY:
    reply_huge(r);
    return true;
  default:
    return false;
  }
}
