/* The arguments of a plain call. */
#include "gateway/plain/read.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"

struct reading {
  cJSON *object;
  struct err *e;
};

static bool is_text(const char *bytes, size_t len)
{
  return memchr(bytes, '\0', len) == NULL && utf8_valid(bytes, len);
}

/* A second value makes a list of the first. */
static bool put(cJSON *object, const char *name, const char *value)
{
  cJSON *old = cJSON_GetObjectItemCaseSensitive(object, name), *item = cJSON_CreateString(value);
  if (old == NULL)
    return cJSON_AddItemToObject(object, name, item);
  if (cJSON_IsArray(old))
    return cJSON_AddItemToArray(old, item);
  cJSON *list = cJSON_CreateArray();
  cJSON *first = cJSON_DetachItemViaPointer(object, old);
  return cJSON_AddItemToArray(list, first) && cJSON_AddItemToArray(list, item) &&
         cJSON_AddItemToObject(object, name, list);
}

static bool take(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
  struct reading *r = arg;
  if (name_len == 0)
    err_set(r->e, ERR_INVALID_ARGUMENT, "query", "The query holds a value without a name");
  else if (!is_text(name, name_len))
    err_set(r->e, ERR_INVALID_ARGUMENT, "query", "A name in the query is not UTF-8 text");
  else if (!is_text(value, value_len))
    err_set(r->e, ERR_INVALID_ARGUMENT, "query", "%.80s: the value is not UTF-8 text", name);
  else if (!put(r->object, name, value))
    err_set(r->e, ERR_INTERNAL, "query", "%.80s cannot be read", name);
  return r->e->code == ERR_OK;
}

cJSON *read_query(const struct exchange *x, struct err *e)
{
  struct reading r = {cJSON_CreateObject(), e};
  exchange_query(x, take, &r);
  if (e->code == ERR_OK)
    return r.object;
  cJSON_Delete(r.object);
  return NULL;
}

static bool found(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
  (void)name, (void)name_len, (void)value, (void)value_len;
  *(bool *)arg = true;
  return false;
}

cJSON *read_body(const struct exchange *x, const char *body, size_t len, struct err *e)
{
  bool query = false;
  cJSON *object = NULL;
  exchange_query(x, found, &query);
  if (query) {
    err_set(e, ERR_INVALID_ARGUMENT, "query",
            "The arguments of a POST are its body: leave the query out");
    return NULL;
  }
  if (len == 0)
    return cJSON_CreateObject();
  if (json_parse(&object, body, len, NULL, e) != ERR_OK) {
    err_prefix(e, "The body is not well-formed JSON: ");
    return NULL;
  }
  if (cJSON_IsObject(object))
    return object;
  cJSON_Delete(object);
  err_set(e, ERR_INVALID_ARGUMENT, "body", "The body must be a JSON object of arguments");
  return NULL;
}
