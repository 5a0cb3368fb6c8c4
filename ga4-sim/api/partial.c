/* A mask is an object by field name: true keeps the whole field, an object a part of it. Its depth
 * is that of the message type, which is not recursive. */
#include "ga4-sim/api/partial.h"

#include <ctype.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"

enum { NAME_MAX_BYTES = 64 };

struct parser {
  const char *at;
  struct err *e;
};

static bool refuse(struct parser *p, const char *path)
{
  err_set(p->e, ERR_INVALID_ARGUMENT, NULL,
          "Error expanding 'fields' parameter. Cannot find matching fields for path '%s'.", path);
  return false;
}

static void read_name(struct parser *p, char out[NAME_MAX_BYTES])
{
  size_t n = 0;
  while ((isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == '*') &&
         n + 1 < NAME_MAX_BYTES)
    out[n++] = *p->at++;
  out[n] = '\0';
}

/* The mask within a field; NULL when the field is kept whole already. */
static cJSON *within(cJSON *mask, const struct message_field *f)
{
  cJSON *known = cJSON_GetObjectItemCaseSensitive(mask, f->name);
  if (mask == NULL || cJSON_IsTrue(known))
    return NULL;
  return known != NULL ? known : cJSON_AddObjectToObject(mask, f->name);
}

static bool read_item(struct parser *p, const struct message_type *type, cJSON *mask);

static bool read_list(struct parser *p, const struct message_type *type, cJSON *mask)
{
  while (read_item(p, type, mask)) {
    if (*p->at != ',')
      return true;
    p->at++;
  }
  return false;
}

/* What follows a name: nothing, /NAME, .NAME or (LIST). mask NULL: only checked. */
static bool read_rest(struct parser *p, const struct message_field *f, cJSON *mask)
{
  bool group = *p->at == '(';
  if (!group && *p->at != '/' && *p->at != '.') {
    if (mask != NULL) {
      cJSON_DeleteItemFromObjectCaseSensitive(mask, f->name);
      cJSON_AddTrueToObject(mask, f->name);
    }
    return true;
  }
  if (f->message == NULL)
    return refuse(p, f->name);
  cJSON *inner = within(mask, f);
  p->at++;
  if (!group)
    return read_item(p, f->message, inner);
  if (!read_list(p, f->message, inner))
    return false;
  return *p->at++ == ')' || refuse(p, f->name);
}

/* One name, or * for all of the message, each with what follows. */
static bool read_item(struct parser *p, const struct message_type *type, cJSON *mask)
{
  char name[NAME_MAX_BYTES];
  read_name(p, name);
  const char *rest = p->at;
  bool all = strcmp(name, "*") == 0, found = false;
  for (size_t i = 0; i < type->count; i++) {
    if (!all && !transcode_name_matches(type->fields[i].name, name))
      continue;
    p->at = rest;
    found = true;
    if (!read_rest(p, &type->fields[i], mask))
      return false;
  }
  return found || refuse(p, name);
}

cJSON *partial_read(const char *text, const struct message_type *type, struct err *e)
{
  struct parser p = {.at = text, .e = e};
  cJSON *mask = cJSON_CreateObject();
  if (read_list(&p, type, mask) && (*p.at == '\0' || refuse(&p, p.at)))
    return mask;
  cJSON_Delete(mask);
  return NULL;
}

void partial_apply(cJSON *message, const cJSON *mask)
{
  cJSON *child = message->child, *next;
  for (; child != NULL; child = next) {
    next = child->next;
    const cJSON *kept = cJSON_GetObjectItemCaseSensitive(mask, child->string);
    if (kept == NULL) {
      cJSON_Delete(cJSON_DetachItemViaPointer(message, child));
    } else if (cJSON_IsObject(kept) && cJSON_IsArray(child)) {
      cJSON *element;
      cJSON_ArrayForEach(element, child)
      {
        partial_apply(element, kept);
      }
    } else if (cJSON_IsObject(kept)) {
      partial_apply(child, kept);
    }
  }
}
