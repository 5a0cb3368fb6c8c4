/* Walks a request body along its message type. */
#include "ga4-sim/report/transcode.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { PATH_MAX_BYTES = 512, DEPTH_MAX = 100, ERRORS_MAX = 64 };

struct walker {
  struct transcode_errors *errors;
  char path[PATH_MAX_BYTES]; /* date_ranges[0].start_date */
  unsigned depth, error_count;
};

void transcode_errors_free(struct transcode_errors *errors)
{
  cJSON_Delete(errors->violations);
  errors->violations = NULL;
  buf_free(&errors->message);
}

static void report(struct walker *w, const char *field, const char *description)
{
  if (w->error_count++ >= ERRORS_MAX)
    return;
  struct transcode_errors *x = w->errors;
  if (x->violations == NULL)
    x->violations = cJSON_CreateArray();
  cJSON *v = cJSON_CreateObject();
  if (field[0] != '\0')
    cJSON_AddStringToObject(v, "field", field);
  cJSON_AddStringToObject(v, "description", description);
  cJSON_AddItemToArray(x->violations, v);
  if (x->message.len > 0)
    buf_putc(&x->message, '\n');
  buf_puts(&x->message, description);
}

static void report_unknown(struct walker *w, const char *name)
{
  AUTO_FREE char *text =
      w->path[0] == '\0'
          ? xasprintf("Invalid JSON payload received. Unknown name \"%s\": Cannot find field.",
                      name)
          : xasprintf(
                "Invalid JSON payload received. Unknown name \"%s\" at '%s': Cannot find field.",
                name, w->path);
  report(w, w->path, text);
}

static void report_value(struct walker *w, const char *type, const cJSON *value)
{
  AUTO_FREE char *shown = cJSON_PrintUnformatted(value);
  AUTO_FREE char *text =
      xasprintf("Invalid value at '%s' (%s), %s", w->path, type, shown == NULL ? "" : shown);
  report(w, w->path, text);
}

/* Appends to the path; returns its former length for path_cut(). */
static size_t path_add(struct walker *w, const char *name, int index)
{
  size_t n = strlen(w->path), was = n;
  if (name != NULL) {
    if (n > 0 && n + 1 < sizeof(w->path))
      w->path[n++] = '.';
    for (; *name != '\0' && n + 2 < sizeof(w->path); name++) {
      if (isupper((unsigned char)*name))
        w->path[n++] = '_';
      w->path[n++] = (char)tolower((unsigned char)*name);
    }
    w->path[n] = '\0';
  } else {
    snprintf(w->path + n, sizeof(w->path) - n, "[%d]", index);
  }
  return was;
}

static void path_cut(struct walker *w, size_t length)
{
  w->path[length] = '\0';
}

bool transcode_name_matches(const char *camel, const char *given)
{
  if (strcmp(camel, given) == 0)
    return true;
  for (; *camel != '\0'; camel++) {
    if (isupper((unsigned char)*camel) && *given++ != '_')
      return false;
    if (*given++ != (char)tolower((unsigned char)*camel))
      return false;
  }
  return *given == '\0';
}

static cJSON *take_message(struct walker *w, const cJSON *in, const struct message_type *type);

static cJSON *take_integer(struct walker *w, const cJSON *in, bool wide)
{
  const char *type = wide ? "TYPE_INT64" : "TYPE_INT32";
  double limit = wide ? 9223372036854775808.0 : 2147483648.0;
  double value = 0;
  bool ok = false;
  if (cJSON_IsNumber(in)) {
    value = in->valuedouble;
    ok = isfinite(value) && value == floor(value);
  } else if (cJSON_IsString(in)) {
    char *end = NULL;
    const char *s = in->valuestring;
    errno = 0;
    value = (double)strtoll(s, &end, 10);
    ok = (isdigit((unsigned char)*s) || *s == '-') && *end == '\0' && errno == 0;
  }
  if (ok && value >= -limit && value < limit)
    return cJSON_CreateNumber(value);
  report_value(w, type, in);
  return NULL;
}

static cJSON *take_double(struct walker *w, const cJSON *in)
{
  if (cJSON_IsNumber(in))
    return cJSON_CreateNumber(in->valuedouble);
  if (cJSON_IsString(in)) {
    char *end = NULL;
    double value = strtod(in->valuestring, &end);
    if (in->valuestring[0] != '\0' && *end == '\0')
      return cJSON_CreateNumber(value);
  }
  report_value(w, "TYPE_DOUBLE", in);
  return NULL;
}

static cJSON *take_enum(struct walker *w, const cJSON *in, const struct enum_type *type)
{
  if (cJSON_IsString(in))
    for (size_t i = 0; i < type->count; i++)
      if (type->names[i] != NULL && strcmp(type->names[i], in->valuestring) == 0)
        return cJSON_CreateNumber((double)i);
  /* Proto3 enums are open: any number passes. */
  if (cJSON_IsNumber(in) && in->valuedouble == floor(in->valuedouble))
    return cJSON_CreateNumber(in->valuedouble);
  AUTO_FREE char *name = xasprintf("type.googleapis.com/%s", type->full_name);
  report_value(w, name, in);
  return NULL;
}

static cJSON *take_value(struct walker *w, const cJSON *in, const struct message_field *f)
{
  switch (f->kind) {
  case KIND_STRING:
    if (cJSON_IsString(in))
      return cJSON_CreateString(in->valuestring);
    report_value(w, "TYPE_STRING", in);
    return NULL;
  case KIND_BOOL:
    if (cJSON_IsBool(in))
      return cJSON_CreateBool(cJSON_IsTrue(in));
    if (cJSON_IsString(in) &&
        (strcmp(in->valuestring, "true") == 0 || strcmp(in->valuestring, "false") == 0))
      return cJSON_CreateBool(in->valuestring[0] == 't');
    report_value(w, "TYPE_BOOL", in);
    return NULL;
  case KIND_INT32:
  case KIND_INT64:
    return take_integer(w, in, f->kind == KIND_INT64);
  case KIND_DOUBLE:
    return take_double(w, in);
  case KIND_ENUM:
    return take_enum(w, in, f->enumeration);
  case KIND_MESSAGE:
    break;
  }
  return take_message(w, in, f->message);
}

static cJSON *take_list(struct walker *w, const cJSON *in, const struct message_field *f)
{
  cJSON *list = cJSON_CreateArray();
  const cJSON *element;
  int i = 0;
  if (!cJSON_IsArray(in)) { /* the front end takes a single value as a list of one */
    size_t was = path_add(w, NULL, 0);
    cJSON *value = take_value(w, in, f);
    if (value != NULL)
      cJSON_AddItemToArray(list, value);
    path_cut(w, was);
    return list;
  }
  cJSON_ArrayForEach(element, in)
  {
    size_t was = path_add(w, NULL, i++);
    cJSON *value = take_value(w, element, f);
    if (value != NULL)
      cJSON_AddItemToArray(list, value);
    path_cut(w, was);
  }
  return list;
}

static void check_oneof(struct walker *w, const struct message_type *type, const cJSON *out,
                        const struct message_field *f)
{
  for (size_t i = 0; f->oneof != NULL && i < type->count; i++) {
    const struct message_field *other = &type->fields[i];
    if (other == f || other->oneof == NULL || strcmp(other->oneof, f->oneof) != 0 ||
        cJSON_GetObjectItemCaseSensitive(out, other->name) == NULL)
      continue;
    AUTO_FREE char *text =
        xasprintf("Invalid value at '%s' (oneof), oneof field '%s' is already set. Cannot set '%s'",
                  w->path, f->oneof, f->name);
    report(w, w->path, text);
  }
}

static void take_field(struct walker *w, const cJSON *in, const struct message_type *type,
                       cJSON *out)
{
  const struct message_field *f = NULL;
  for (size_t i = 0; f == NULL && i < type->count; i++)
    if (transcode_name_matches(type->fields[i].name, in->string))
      f = &type->fields[i];
  if (f == NULL) {
    report_unknown(w, in->string);
    return;
  }
  if (cJSON_IsNull(in))
    return;
  check_oneof(w, type, out, f);
  size_t was = path_add(w, f->name, 0);
  cJSON *value = f->repeated ? take_list(w, in, f) : take_value(w, in, f);
  path_cut(w, was);
  if (value == NULL)
    return;
  cJSON_DeleteItemFromObjectCaseSensitive(out, f->name);
  cJSON_AddItemToObject(out, f->name, value);
}

static cJSON *take_message(struct walker *w, const cJSON *in, const struct message_type *type)
{
  if (!cJSON_IsObject(in)) {
    AUTO_FREE char *name = xasprintf("type.googleapis.com/%s", type->full_name);
    report_value(w, name, in);
    return NULL;
  }
  if (w->depth >= DEPTH_MAX) {
    report(w, w->path, "Message too deep. Max recursion depth reached for key");
    return NULL;
  }
  w->depth++;
  cJSON *out = cJSON_CreateObject();
  const cJSON *member;
  cJSON_ArrayForEach(member, in)
  {
    take_field(w, member, type, out);
  }
  w->depth--;
  return out;
}

/* The line that broke and a caret under the place. */
static void report_syntax(struct walker *w, const char *body, size_t len, const char *where)
{
  size_t at = where == NULL ? len : (size_t)(where - body);
  if (at > len)
    at = len;
  size_t start = at, end = at;
  while (start > 0 && body[start - 1] != '\n' && at - start < 60)
    start--;
  while (end < len && body[end] != '\n' && end - at < 20)
    end++;
  const char *what = at >= len                               ? "Unexpected end of string."
                     : strchr(",]}:", body[at]) != NULL      ? "Expected a value."
                     : isalnum((unsigned char)body[at]) != 0 ? "Unexpected token."
                                                             : "Unknown token.";
  AUTO_FREE char *text = xasprintf("Invalid JSON payload received. %s\n%.*s\n%*s", what,
                                   (int)(end - start), body + start, (int)(at - start + 1), "^");
  report(w, "", text);
}

cJSON *transcode_request(const char *body, size_t len, const struct message_type *type,
                         struct transcode_errors *errors)
{
  struct walker w = {.errors = errors};
  errors->violations = NULL;
  buf_init(&errors->message, 64 * 1024);
  size_t blank = 0;
  while (blank < len && isspace((unsigned char)body[blank]))
    blank++;
  if (blank == len)
    return cJSON_CreateObject();
  const char *where = NULL;
  cJSON *tree = cJSON_ParseWithLengthOpts(body, len, &where, 0);
  const char *rest = where;
  while (tree != NULL && rest < body + len && isspace((unsigned char)*rest))
    rest++;
  if (tree == NULL || rest < body + len) {
    cJSON_Delete(tree);
    report_syntax(&w, body, len, rest);
    return NULL;
  }
  cJSON *out = NULL;
  if (!cJSON_IsObject(tree))
    report(&w, "",
           "Invalid JSON payload received. Unknown name \"\": Root element must be a message.");
  else
    out = take_message(&w, tree, type);
  cJSON_Delete(tree);
  if (w.error_count > 0) {
    cJSON_Delete(out);
    out = NULL;
  }
  return out;
}
