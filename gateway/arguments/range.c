/* Ranges of days: two days, one period, or a whole range in one text. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/pbjson/ambiguity.h"
#include "common/pbjson/borrow.h"
#include "gateway/arguments/date.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/text.h"

bool range_of(struct range_fields *out, const ProtobufCMessageDescriptor *message)
{
  *out = (struct range_fields){0};
  size_t n;
  const struct catalog_rule *rules = catalog_rules_of(message, &n);
  for (size_t i = 0; i < n; i++) {
    if (rules[i].meaning == CATALOG_START_DATE)
      out->start = rules[i].field;
    else if (rules[i].meaning == CATALOG_END_DATE)
      out->end = rules[i].field;
  }
  return out->start != NULL && out->end != NULL;
}

/* "today is Monday 2026-11-30 (UTC)" */
static void today_text(const struct repair *r, char out[64])
{
  static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                     "Friday", "Saturday", "Sunday"};
  char date[16];
  clock_format_date(r->today.days, date, sizeof(date));
  snprintf(out, 64, "today is %s %s (%s)", days[(r->today.days + 3) % 7], date, r->today.zone);
}

/* "Wednesday, 04 March 2026" */
static void title_of(char *out, size_t size, const char *date)
{
  int64_t days = 0;
  struct tm tm;
  clock_parse_date(date, &days);
  time_t t = (time_t)(days * 86400);
  gmtime_r(&t, &tm);
  strftime(out, size, "%A, %d %B %Y", &tm);
}

/* For programs: the two days that a text may be. */
static void put_either(struct err *e, const char *text, const struct date_span *span)
{
  Analytics__Error__V1__Ambiguity a = ANALYTICS__ERROR__V1__AMBIGUITY__INIT;
  Analytics__Error__V1__Candidate days[2] = {ANALYTICS__ERROR__V1__CANDIDATE__INIT,
                                             ANALYTICS__ERROR__V1__CANDIDATE__INIT};
  Analytics__Error__V1__Candidate *list[2] = {&days[0], &days[1]};
  char titles[2][40];
  for (int i = 0; i < 2; i++) {
    days[i].value = borrow_text(i == 0 ? span->start : span->other);
    title_of(titles[i], sizeof(titles[i]), days[i].value);
    days[i].title = titles[i];
  }
  a.kind = ANALYTICS__ERROR__V1__KIND__DAY;
  a.asked = borrow_text(text);
  a.candidates = list;
  a.n_candidates = 2;
  ambiguity_put(e, &a);
}

static enum err_code not_a_date(const struct repair *r, const char *text,
                                const struct date_span *span, const struct json_path *path)
{
  char today[64], yesterday[16];
  const char *why = span->why;
  today_text(r, today);
  clock_format_date(r->today.days - 1, yesterday, sizeof(yesterday));
  enum err_code code =
      json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_date", path,
                      "\"%s\" is not a date%s%s; give YYYY-MM-DD (%s), NdaysAgo (28daysAgo), "
                      "yesterday or today, or a whole period alone: \"last month\", \"last 28 "
                      "days\", \"2026-10\", \"2026-Q3\"; %s",
                      JSON_SHOWN(text), why[0] != '\0' ? ": " : "", why, yesterday, today);
  if (span->other[0] != '\0')
    put_either(r->e, text, span);
  return code;
}

/* A period where one day of two is asked for. */
static enum err_code not_one_day(const struct repair *r, const char *text,
                                 const struct date_span *span, const struct json_path *path)
{
  char today[64];
  today_text(r, today);
  return json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_date", path,
                         "\"%s\" is a whole period, %s to %s: give it alone, without the other "
                         "date, or both dates as YYYY-MM-DD; %s",
                         JSON_SHOWN(text), span->start, span->end, today);
}

static const cJSON *member(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void set_member(cJSON *object, const char *name, const char *text)
{
  cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
  if (value != NULL)
    value_set_text(value, xstrdup(text));
  else
    cJSON_AddStringToObject(object, name, text);
}

static void set_range(cJSON *range, const struct range_fields *f, const struct date_span *span)
{
  set_member(range, f->start, span->start);
  set_member(range, f->end, span->end);
}

/* One of two days. Its reading is a note when it was in words or in digits of another order. */
static enum err_code one_day(const struct repair *r, cJSON *range, const char *name, bool first,
                             const struct json_path *path)
{
  cJSON *value = cJSON_GetObjectItemCaseSensitive(range, name);
  if (!cJSON_IsString(value))
    return ERR_OK;
  struct json_path here = JSON_PATH_KEY(path, name);
  struct date_span span;
  AUTO_FREE char *text = text_clean(value->valuestring);
  enum date_kind kind = date_read(&span, text, r->today.days);
  if (kind == DATE_NONE)
    return not_a_date(r, text, &span, &here);
  if (kind == DATE_RECENT)
    return not_one_day(r, text, &span, &here);
  const char *day = first ? span.start : span.end;
  if (kind == DATE_PERIOD || (kind == DATE_DAY && strchr(text, '/') != NULL))
    arguments_note(r->notes, "%s \"%s\" read as %s", name, JSON_SHOWN(text), day);
  value_set_text(value, xstrdup(day));
  return ERR_OK;
}

/* The two parts of "2026-10-01 to 2026-10-31"; false when the text is not of that form. */
static bool split_range(const char *text, char **start, char **end)
{
  static const char *const between[] = {" to ", "..",       " until ",  " through ",
                                        " - ",  " \u2013 ", " \u2014 ", "/"};
  static const char from[] = "from ", both[] = "between ";
  bool joined = ascii_case_find(text, both) == text; /* "between A and B" */
  text += joined ? strlen(both) : ascii_case_find(text, from) == text ? strlen(from) : 0;
  for (size_t i = 0; i < (joined ? 1 : ARRAY_LEN(between)); i++) {
    const char *mark = joined ? " and " : between[i], *at = ascii_case_find(text, mark);
    if (at == NULL || at == text || (mark[0] == '/' && (at - text != 10 || strlen(at) != 11)))
      continue;
    const char *rest = at + strlen(mark) + strspn(at + strlen(mark), ".");
    if (strlen(rest) < 5 || ascii_case_equal(rest, "date"))
      continue;
    AUTO_FREE char *left = xstrdup(text);
    left[at - text] = '\0';
    *start = text_clean(left);
    *end = text_clean(rest);
    return true;
  }
  return false;
}

/* A range in one text, which stands in the member `name`. */
static enum err_code whole_range(const struct repair *r, const struct range_fields *f, cJSON *range,
                                 const char *name, bool *done, const struct json_path *path)
{
  AUTO_FREE char *text = text_clean(member(range, name)->valuestring);
  struct json_path here = JSON_PATH_KEY(path, name);
  struct date_span span;
  AUTO_FREE char *start = NULL;
  AUTO_FREE char *end = NULL;
  enum date_kind kind = date_read(&span, text, r->today.days);
  *done = true;
  if (kind == DATE_PERIOD || kind == DATE_RECENT) {
    set_range(range, f, &span);
    arguments_note(r->notes, "\"%s\" read as %s to %s", JSON_SHOWN(text), span.start, span.end);
    return ERR_OK;
  }
  if (kind == DATE_NONE && split_range(text, &start, &end)) {
    set_member(range, f->start, start);
    set_member(range, f->end, end);
    *done = false; /* two days to read */
    return ERR_OK;
  }
  return kind == DATE_NONE ? not_a_date(r, text, &span, &here)
                           : one_day(r, range, name, name == f->start, path);
}

enum err_code range_repair(const struct repair *r, const struct range_fields *f, cJSON *range,
                           const struct json_path *path)
{
  const cJSON *start = member(range, f->start), *end = member(range, f->end);
  bool has_start = cJSON_IsString(start), has_end = cJSON_IsString(end), done = false;
  bool same = has_start && has_end && text_same(start->valuestring, end->valuestring);
  struct date_span span;
  if (same) {
    AUTO_FREE char *text = text_clean(start->valuestring);
    enum date_kind kind = date_read(&span, text, r->today.days);
    same = kind == DATE_PERIOD || kind == DATE_RECENT;
  }
  if (same || (has_start && end == NULL) || (has_end && start == NULL)) {
    enum err_code code = whole_range(r, f, range, has_start ? f->start : f->end, &done, path);
    if (code != ERR_OK || done)
      return code;
  }
  enum err_code code = one_day(r, range, f->start, true, path);
  return code != ERR_OK ? code : one_day(r, range, f->end, false, path);
}

/* A single day in one text is that day alone; "28daysAgo" may be meant as the days since. */
static enum err_code day_range(const struct repair *r, const struct range_fields *f, cJSON *range,
                               const struct json_path *path)
{
  struct date_span span;
  const char *given = member(range, f->start)->valuestring;
  AUTO_FREE char *text = text_clean(given);
  enum date_kind kind = date_read(&span, text, r->today.days);
  if (kind == DATE_AGO)
    return json_path_error(r->e, ERR_INVALID_ARGUMENT, "bad_date", path,
                           "\"%s\" is one day: give {\"start_date\":\"%s\",\"end_date\":"
                           "\"yesterday\"} for the days since, or the same day twice",
                           JSON_SHOWN(text), span.start);
  if (kind == DATE_DAY)
    set_range(range, f, &span);
  return ERR_OK;
}

static cJSON *text_range(const struct range_fields *f, const char *start, const char *end)
{
  cJSON *range = cJSON_CreateObject();
  cJSON_AddStringToObject(range, f->start, start);
  if (end != NULL)
    cJSON_AddStringToObject(range, f->end, end);
  return range;
}

enum err_code range_from_value(const struct repair *r, const struct range_fields *f, cJSON *value,
                               const struct json_path *path)
{
  char digits[32];
  if (cJSON_IsNumber(value)) {
    snprintf(digits, sizeof(digits), "%.0f", value->valuedouble);
    value_become(value, text_range(f, digits, NULL));
    return day_range(r, f, value, path);
  }
  if (cJSON_IsString(value)) {
    value_become(value, text_range(f, value->valuestring, NULL));
    return day_range(r, f, value, path);
  }
  const cJSON *first = cJSON_GetArrayItem(value, 0), *second = cJSON_GetArrayItem(value, 1);
  if (cJSON_IsArray(value) && cJSON_GetArraySize(value) == 2 && cJSON_IsString(first) &&
      cJSON_IsString(second))
    value_become(value, text_range(f, first->valuestring, second->valuestring));
  return ERR_OK;
}
