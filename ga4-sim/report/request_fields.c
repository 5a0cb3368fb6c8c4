/* Field names of a request: each becomes SQL, or one of Google's messages. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "ga4-sim/report/conversions.h"
#include "ga4-sim/report/fields.h"
#include "ga4-sim/report/request.h"

#define SCHEMA_HINT                                                                                \
  "For a list of valid dimensions and metrics, see "                                               \
  "https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema "

enum err_code request_invalid(struct err *e, const char *format, ...)
{
  char text[sizeof(e->message)];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s", text);
}

unsigned request_bind(struct report_request *r, const char *text)
{
  if (r->text_count == r->text_capacity) {
    size_t capacity = r->text_capacity == 0 ? 16 : r->text_capacity * 2;
    const char **grown = arena_alloc(r->arena, capacity * sizeof(*grown));
    if (grown == NULL)
      return 1; /* the arena's cap: the statement will not prepare */
    if (r->text_count > 0)
      memcpy(grown, r->texts, r->text_count * sizeof(*grown));
    r->texts = grown;
    r->text_capacity = capacity;
  }
  r->texts[r->text_count++] = text;
  return (unsigned)r->text_count;
}

static enum err_code unknown_field(const char *name, bool metric, struct err *e)
{
  const char *suggestion = field_suggestion(name, metric);
  AUTO_FREE char *prefix =
      suggestion == NULL ? xstrdup("") : xasprintf("Did you mean %s? ", suggestion);
  return request_invalid(e, "%sField %s is not a valid %s.%s" SCHEMA_HINT, prefix, name,
                         metric ? "metric" : "dimension", metric ? "  " : " ");
}

/* What a filter sees where the world has no data. */
#define NOT_SET "'(not set)'"

static bool is_any_metric(const char *name)
{
  return metric_field_find(name) != NULL || strncmp(name, "keyEvents:", 10) == 0;
}

static bool has_many_values(const char *name)
{
  static const char *const many[] = {"landingPage", "landingPagePlusQueryString", "pagePath",
                                     "pageTitle"};
  for (size_t i = 0; i < ARRAY_LEN(many); i++)
    if (strcmp(many[i], name) == 0)
      return true;
  return false;
}

/* The N values with the most visits are kept apart, the others are one row, "(other)". */
static const char *with_other_row(struct report_request *r, const struct field *f)
{
  const char *from = f->needs & NEED_EVENTS
                         ? "events e LEFT JOIN pages p ON p.page_id=e.page_id WHERE e.property_id="
                         : "sessions s WHERE s.property_id=";
  return arena_printf(
      r->arena,
      "CASE WHEN (%s) IN (SELECT %s FROM %s%lld GROUP BY 1 ORDER BY COUNT(*) DESC,1 LIMIT %u) "
      "THEN (%s) ELSE '(other)' END",
      f->sql, f->sql, from, (long long)r->property->property_id, r->conditions.other_after, f->sql);
}

static void note_data_flags(struct report_request *r, const char *name)
{
  static const char *const personal[] = {"city", "region", "country"};
  static const char *const thresholded[] = {"userAgeBracket", "userGender", "brandingInterest",
                                            "audienceId", "audienceName"};
  for (size_t i = 0; i < ARRAY_LEN(thresholded); i++)
    r->potentially_thresholded |= strcmp(thresholded[i], name) == 0;
  r->has_high_cardinality |= has_many_values(name);
  for (size_t i = 0; i < ARRAY_LEN(personal); i++)
    r->has_demographics |= strcmp(personal[i], name) == 0;
}

enum err_code request_dimension_sql(struct report_request *r, const char *name, const char **sql,
                                    struct err *e)
{
  for (size_t i = 0; i < r->dimension_count; i++)
    if (r->dimensions[i].role == ROLE_PLAIN && strcmp(r->dimensions[i].name, name) == 0) {
      *sql = r->dimensions[i].sql;
      return ERR_OK;
    }
  if (r->minutes_ago != NULL && strcmp(name, "minutesAgo") == 0) {
    *sql = arena_printf(r->arena, "printf('%%02d',%s)", r->minutes_ago);
    return *sql == NULL ? request_invalid(e, "The request is too large.") : ERR_OK;
  }
  const struct field *f = dimension_field_find(name);
  if (f != NULL) {
    r->needs |= f->needs;
    note_data_flags(r, f->api_name);
    *sql = f->sql == NULL ? NOT_SET : f->sql;
    if (r->conditions.other_after > 0 && has_many_values(f->api_name))
      *sql = with_other_row(r, f);
    return *sql == NULL ? request_invalid(e, "The request is too large.") : ERR_OK;
  }
  AUTO_BUF struct buf custom = BUF_INIT(512);
  if (dimension_custom_sql(r->property, name, &custom, &r->needs) &&
      (*sql = arena_strdup(r->arena, buf_str(&custom))) != NULL)
    return ERR_OK;
  if (is_any_metric(name))
    return request_invalid(e, "Found duplicate dimensions/metrics.");
  return unknown_field(name, false, e);
}

/* keyEvents:<event>, sessionKeyEventRate:<event>, userKeyEventRate:<event>. */
static enum err_code key_event_sql(struct report_request *r, const char *name, const char **sql,
                                   struct err *e)
{
  static const struct {
    const char *prefix, *format;
  } forms[] = {
      {"keyEvents:", "CAST(key_%zu AS REAL)"},
      {"conversions:", "CAST(key_%zu AS REAL)"},
      {"sessionKeyEventRate:", "COALESCE(CAST(ksessions_%zu AS REAL)/NULLIF(n_sessions,0),0.0)"},
      {"sessionConversionRate:", "COALESCE(CAST(ksessions_%zu AS REAL)/NULLIF(n_sessions,0),0.0)"},
      {"userKeyEventRate:", "COALESCE(CAST(kusers_%zu AS REAL)/NULLIF(n_active,0),0.0)"},
  };
  for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
    size_t n = strlen(forms[i].prefix);
    if (strncmp(name, forms[i].prefix, n) != 0 || !world_is_key_event(r->property, name + n))
      continue;
    size_t k = 0;
    while (k < r->key_event_count && strcmp(r->key_events[k], name + n) != 0)
      k++;
    if (k == REQUEST_MAX_KEY_EVENTS)
      return request_invalid(e, "The request has too many key event metrics.");
    if (k == r->key_event_count)
      r->key_events[r->key_event_count++] = name + n;
    r->needs |= NEED_EVENTS;
    char text[128];
    /* The formats are ours, each with one %zu. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), forms[i].format, k);
#pragma GCC diagnostic pop
    *sql = arena_strdup(r->arena, text);
    return *sql == NULL ? request_invalid(e, "The request is too large.") : ERR_OK;
  }
  return unknown_field(name, true, e);
}

/* What a metric of the schema must go with (checks_fields.c). */
static void note_metric(struct report_request *r, const struct field *f)
{
  for (size_t i = 0; i < r->used_metric_count; i++)
    if (strcmp(r->used_metrics[i], f->api_name) == 0)
      return;
  if (r->used_metric_count < REQUEST_MAX_USED)
    r->used_metrics[r->used_metric_count++] = f->api_name;
}

enum err_code request_metric_sql(struct report_request *r, const char *name, const char **sql,
                                 enum metric_type *type, struct err *e)
{
  for (size_t i = 0; i < r->metric_count; i++)
    if (strcmp(r->metrics[i].name, name) == 0) {
      *sql = r->metrics[i].sql;
      *type = r->metrics[i].type;
      return ERR_OK;
    }
  const struct field *f = metric_field_find(name);
  if (f != NULL)
    note_metric(r, f);
  if (r->conversions != NULL) {
    *sql = conversions_metric_sql(r, name, type);
    return *sql != NULL
               ? ERR_OK
               : request_invalid(e, "The metric %s is not available in conversion reports.", name);
  }
  if (f != NULL) {
    *sql = f->sql == NULL ? "0" : f->sql;
    *type = f->type;
    return ERR_OK;
  }
  const struct custom_metric_form *form = custom_metric_find(r->property, name);
  if (form != NULL) {
    *sql = "0";
    *type = form->type;
    return ERR_OK;
  }
  *type = METRIC_TYPE_FLOAT;
  return key_event_sql(r, name, sql, e);
}
