/* Collects faults and warnings of configuration files and prints them. */
#include "auth-svc/cli/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"

enum { SUMMARY_MAX = 4 << 20 };

void validation_init(struct validation *v)
{
  *v = (struct validation){.faults.list = cJSON_CreateArray(),
                           .warnings.list = cJSON_CreateArray(),
                           .summary = BUF_INIT(SUMMARY_MAX),
                           .members = cJSON_CreateObject()};
}

void validation_clear(struct validation *v)
{
  cJSON_Delete(v->faults.list);
  cJSON_Delete(v->warnings.list);
  cJSON_Delete(v->members);
  buf_free(&v->summary);
}

static const char *text_of(const cJSON *finding, const char *key)
{
  const char *text = json_get_string(finding, key);
  return text != NULL ? text : "";
}

static int by_place(const void *x, const void *y)
{
  const cJSON *a = *(cJSON *const *)x, *b = *(cJSON *const *)y;
  int c = strcmp(text_of(a, "file"), text_of(b, "file"));
  double first = json_get_number(a, "line", 0), second = json_get_number(b, "line", 0);
  if (c == 0)
    c = (first > second) - (first < second);
  return c != 0 ? c : strcmp(text_of(a, "field"), text_of(b, "field"));
}

static void put(cJSON *finding, const char *key, const char *text)
{
  if (*text != '\0')
    cJSON_AddStringToObject(finding, key, text);
}

/* By file, line and field. */
static void sort(cJSON *list)
{
  cJSON *items[VALIDATION_MAX];
  size_t n = 0;
  while (list->child != NULL)
    items[n++] = cJSON_DetachItemViaPointer(list, list->child);
  qsort(items, n, sizeof(items[0]), by_place);
  for (size_t i = 0; i < n; i++)
    cJSON_AddItemToArray(list, items[i]);
}

static void add(struct findings *f, const char *file, size_t line, const char *code,
                const char *field, const char *dealer, const char *text)
{
  if (f->n++ >= VALIDATION_MAX)
    return;
  cJSON *x = cJSON_CreateObject();
  cJSON_AddStringToObject(x, "file", file);
  if (line > 0)
    cJSON_AddNumberToObject(x, "line", (double)line);
  put(x, "code", code);
  put(x, "field", field);
  put(x, "dealer", dealer);
  cJSON_AddStringToObject(x, "message", text);
  cJSON_AddItemToArray(f->list, x);
}

void validation_fault(struct validation *v, const char *file, size_t line, const char *field,
                      const char *dealer, const char *text)
{
  add(&v->faults, file, line, "", field, dealer, text);
}

void validation_fault_of(struct validation *v, const char *file, const char *message)
{
  size_t line = 0, len = strlen(file);
  if (strncmp(message, file, len) == 0 && sscanf(message + len, " line %zu: ", &line) == 1)
    message = strchr(message + len, ':') + 2;
  else if (strncmp(message, file, len) == 0 && sscanf(message + len, ": line %zu, ", &line) == 1)
    message = strchr(message + len, ',') + 2;
  validation_fault(v, file, line, "", "", message);
}

void validation_warn(struct validation *v, const char *code, const char *file, const char *field,
                     const char *fmt, ...)
{
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  add(&v->warnings, file, 0, code, field, "", text);
}

/* ------------------------------------------------------------------------------ text */

/* "dealers.json:14: dealers[2].name (dealer "d03"): ..." as compilers do, for editors. */
static void print_finding(const cJSON *f)
{
  const char *field = text_of(f, "field"), *dealer = text_of(f, "dealer");
  double line = json_get_number(f, "line", 0);
  fputs(text_of(f, "file"), stdout);
  if (line > 0)
    printf(":%.0f", line);
  if (*text_of(f, "code") != '\0')
    fputs(": warning", stdout);
  if (*field != '\0')
    printf(": %s", field);
  if (*dealer != '\0')
    printf(" (dealer \"%s\")", dealer);
  printf(": %s\n", text_of(f, "message"));
}

static void print_findings(const struct findings *f, const char *what)
{
  const cJSON *finding;
  cJSON_ArrayForEach(finding, f->list) print_finding(finding);
  if (f->n > VALIDATION_MAX)
    printf("... and %zu more %s\n", f->n - VALIDATION_MAX, what);
}

static void print_text(struct validation *v, const char *file)
{
  print_findings(&v->faults, "faults");
  print_findings(&v->warnings, "warnings");
  if (v->faults.n > 0) {
    printf("%s: %zu fault%s\n", file, v->faults.n, v->faults.n > 1 ? "s" : "");
    return;
  }
  printf("%s: good", file);
  if (v->warnings.n > 0)
    printf(", with %zu warning%s", v->warnings.n, v->warnings.n > 1 ? "s" : "");
  printf("\n%s", buf_str(&v->summary));
}

/* ------------------------------------------------------------------------------ JSON */

static void print_json(struct validation *v, const char *file)
{
  AUTO_JSON cJSON *out = cJSON_CreateObject();
  cJSON_AddStringToObject(out, "file", file);
  cJSON_AddBoolToObject(out, "valid", v->faults.n == 0);
  cJSON_AddNumberToObject(out, "fault_count", (double)v->faults.n);
  cJSON_AddItemToObject(out, "faults", TAKE_PTR(v->faults.list));
  cJSON_AddNumberToObject(out, "warning_count", (double)v->warnings.n);
  cJSON_AddItemToObject(out, "warnings", TAKE_PTR(v->warnings.list));
  while (v->faults.n == 0 && v->members->child != NULL) {
    cJSON *member = cJSON_DetachItemViaPointer(v->members, v->members->child);
    cJSON_AddItemToObject(out, member->string, member);
  }
  AUTO_FREE char *text = cJSON_PrintUnformatted(out);
  puts(text);
}

void validation_print(struct validation *v, const char *file, bool json)
{
  sort(v->faults.list);
  (json ? print_json : print_text)(v, file);
}
