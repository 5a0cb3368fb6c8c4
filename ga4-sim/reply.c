/* Builds answers: JSON, Google's error envelope, OAuth errors, HTML. */
#include "ga4-sim/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report.h"

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
  int status = e->code == ERR_INVALID_ARGUMENT    ? 400
               : e->code == ERR_NOT_FOUND         ? 404
               : e->code == ERR_PERMISSION_DENIED ? 403
               : e->code == ERR_UNIMPLEMENTED     ? 501
                                                  : 500;
  reply_google_error(r, status, err_code_name(e->code), e->message, NULL);
}

cJSON *reply_error_info(const char *reason, ...)
{
  cJSON *list = cJSON_CreateArray(), *info = cJSON_CreateObject();
  cJSON_AddStringToObject(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
  cJSON_AddStringToObject(info, "reason", reason);
  cJSON_AddStringToObject(info, "domain", "googleapis.com");
  cJSON *metadata = cJSON_AddObjectToObject(info, "metadata");
  va_list ap;
  va_start(ap, reason);
  const char *key;
  while ((key = va_arg(ap, const char *)) != NULL)
    cJSON_AddStringToObject(metadata, key, va_arg(ap, const char *));
  va_end(ap);
  cJSON_AddItemToArray(list, info);
  return list;
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
