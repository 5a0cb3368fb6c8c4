/* Reads what a dealer's website calls the models of the vehicle catalogue. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/reader.h"
#include "common/base/mem.h"

enum { VALUE_MAX = 80, MAKE_MAX = 40, MODEL_MAX = 60 };

/* Letters and digits in small letters, the form in which spellings are compared. A byte beyond
 * ASCII counts as it is. Room for VALUE_MAX + 1. */
static void squeeze(char *out, const char *text)
{
  size_t n = 0;
  for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n < VALUE_MAX; p++)
    if (isalnum(*p) || *p >= 0x80)
      out[n++] = (char)tolower(*p);
  out[n] = '\0';
}

static enum err_code check_value(const struct field_at *at, const struct vehicle_override *list,
                                 size_t n)
{
  char value[VALUE_MAX + 1], other[VALUE_MAX + 1];
  squeeze(value, list[n].value);
  if (strlen(value) < 2)
    return field_refuse(at, "value",
                        "must have at least two letters or digits, such as \"Work Truck\"");
  for (size_t i = 0; i < n; i++) {
    squeeze(other, list[i].value);
    if (strcmp(value, other) == 0)
      return field_refuse(at, "value", "is a duplicate of vehicle_overrides[%zu].value", i);
  }
  return ERR_OK;
}

static enum err_code read_one(const struct dealers_reader *r, const cJSON *object,
                              struct vehicle_override *list, size_t n)
{
  static const char *const known[] = {"value", "make", "model"};
  const size_t most[] = {VALUE_MAX, MAKE_MAX, MODEL_MAX};
  const char **const out[] = {&list[n].value, &list[n].make, &list[n].model};
  char path[FIELD_PATH_MAX];
  snprintf(path, sizeof(path), "vehicle_overrides[%zu]", n);
  if (!cJSON_IsObject(object))
    return field_refuse(&r->own, path, "must be an object with value, make and model");
  const struct field_at at = dealers_at(&r->own, path);
  enum err_code code = field_keys(&at, object, known, ARRAY_LEN(known));
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    const char *text = NULL;
    code = first_of(code, field_text(&at, object, known[i], REQUIRED, most[i], &text));
    *out[i] = text != NULL ? arena_xstrdup(r->arena, text) : "";
  }
  return code == ERR_OK ? check_value(&at, list, n) : code;
}

enum err_code dealers_read_overrides(const struct dealers_reader *r, const cJSON *object,
                                     struct dealer *d)
{
  static const char key[] = "vehicle_overrides";
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);
  if (list == NULL)
    return ERR_OK;
  if (!cJSON_IsArray(list))
    return field_refuse(&r->own, key, "must be an array of objects with value, make and model");
  int n = cJSON_GetArraySize(list);
  if (n > DIRECTORY_MAX_OVERRIDES)
    return field_refuse(&r->own, key, "has %d items; at most %d are possible", n,
                        DIRECTORY_MAX_OVERRIDES);
  struct vehicle_override *found = arena_xalloc(r->arena, ((size_t)n + 1) * sizeof(*found));
  enum err_code code = ERR_OK;
  d->vehicle_overrides = found;
  for (const cJSON *v = list->child; v != NULL; v = v->next)
    code = first_of(code, read_one(r, v, found, d->n_vehicle_overrides++));
  return code;
}
