/* JSON-RPC 2.0 messages: what a value is, and how answers are written. */
#include "gateway/mcp/jsonrpc.h"

#include <math.h>
#include <string.h>

/* Largest whole number that a double, and so every JavaScript client, keeps exactly. */
#define MAX_SAFE_INTEGER 9007199254740991.0

bool jsonrpc_id_valid(const cJSON *value)
{
  if (cJSON_IsString(value))
    return strlen(value->valuestring) <= JSONRPC_MAX_ID;
  if (!cJSON_IsNumber(value))
    return false;
  double n = value->valuedouble;
  return fabs(n) <= MAX_SAFE_INTEGER && n == trunc(n);
}

static struct jsonrpc_message invalid(const char *problem)
{
  return (struct jsonrpc_message){.kind = JSONRPC_INVALID, .problem = problem};
}

static struct jsonrpc_message read_response(const cJSON *value)
{
  const cJSON *result = cJSON_GetObjectItemCaseSensitive(value, "result");
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(value, "error");
  if (result == NULL && error == NULL)
    return invalid("method is missing: a message is a request, a notification or a response");
  return (struct jsonrpc_message){.kind = JSONRPC_RESPONSE};
}

struct jsonrpc_message jsonrpc_read(const cJSON *value)
{
  if (!cJSON_IsObject(value))
    return invalid("a message must be a JSON object");
  const cJSON *version = cJSON_GetObjectItemCaseSensitive(value, "jsonrpc");
  if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
    return invalid("jsonrpc must be \"2.0\"");
  const cJSON *method = cJSON_GetObjectItemCaseSensitive(value, "method");
  if (method == NULL)
    return read_response(value);
  if (!cJSON_IsString(method))
    return invalid("method must be a string");
  struct jsonrpc_message m = {.kind = JSONRPC_NOTIFICATION, .method = method->valuestring};
  m.params = cJSON_GetObjectItemCaseSensitive(value, "params");
  if (cJSON_IsNull(m.params)) /* some clients write every member */
    m.params = NULL;
  m.bad_params = m.params != NULL && !cJSON_IsObject(m.params);
  if (m.bad_params)
    m.params = NULL;
  m.id = cJSON_GetObjectItemCaseSensitive(value, "id");
  if (m.id == NULL)
    return m;
  if (!jsonrpc_id_valid(m.id))
    return invalid("id must be a string of at most 1024 bytes or a whole number up to 2^53 - 1");
  m.kind = JSONRPC_REQUEST;
  return m;
}

bool jsonrpc_id_equal(const cJSON *a, const cJSON *b)
{
  if (cJSON_IsString(a) && cJSON_IsString(b))
    return strcmp(a->valuestring, b->valuestring) == 0;
  return cJSON_IsNumber(a) && cJSON_IsNumber(b) && !(a->valuedouble < b->valuedouble) &&
         !(a->valuedouble > b->valuedouble);
}

bool jsonrpc_put_id(struct buf *out, const cJSON *id)
{
  if (cJSON_IsString(id))
    return buf_put_json_string(out, id->valuestring, strlen(id->valuestring));
  return buf_put_whole(out, id->valuedouble < 0, (uint64_t)fabs(id->valuedouble));
}

bool jsonrpc_begin_result(struct buf *out, const cJSON *id)
{
  buf_puts(out, "{\"jsonrpc\":\"2.0\",\"id\":");
  jsonrpc_put_id(out, id);
  return buf_puts(out, ",\"result\":");
}

bool jsonrpc_put_result(struct buf *out, const cJSON *id, const char *result, size_t len)
{
  jsonrpc_begin_result(out, id);
  buf_append(out, result, len);
  return buf_putc(out, '}');
}

bool jsonrpc_put_error(struct buf *out, const cJSON *id, int code, const char *message,
                       const char *data)
{
  buf_puts(out, "{\"jsonrpc\":\"2.0\",");
  if (id != NULL) {
    buf_puts(out, "\"id\":");
    jsonrpc_put_id(out, id);
    buf_putc(out, ',');
  }
  buf_printf(out, "\"error\":{\"code\":%d,\"message\":", code);
  buf_put_json_string(out, message, strlen(message));
  if (data != NULL)
    buf_printf(out, ",\"data\":%s", data);
  return buf_puts(out, "}}");
}
