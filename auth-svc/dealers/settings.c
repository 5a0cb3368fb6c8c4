/* Reads how a dealer's website is read, and checks each setting against what it names. */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/dealers/reader.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/zone.h"

enum { EVENT_NAME_MAX = 40, PATTERN_MAX = 512, DIMENSION_MAX = 80 };

/* ---------------------------------------------------------------------- time zone */

/* Without a database only the form can be checked; with one, "America/New_Yrok" is caught
 * at the start and not in an answer. */
static enum err_code check_time_zone(const struct dealers_reader *r, const char *s)
{
  int32_t offset_s;
  if (s[0] == '\0')
    return ERR_OK;
  if (!zone_is_name(s))
    return field_refuse(&r->own, "time_zone", "must be an IANA name such as \"America/Chicago\"");
  if (access(zone_folder(), R_OK) == 0 && !zone_offset(s, clock_unix_ms() / 1000, &offset_s))
    return field_refuse(&r->own, "time_zone",
                        "no time zone \"%.60s\" in %s; must be an IANA name such as "
                        "\"America/Chicago\"",
                        s, zone_folder());
  return ERR_OK;
}

/* -------------------------------------------------------------------------- events */

/* GA4's own rules: a letter, then letters, digits and _, at most 40. */
static bool is_event_name(const char *s)
{
  size_t n = strlen(s);
  bool good = n > 0 && n <= EVENT_NAME_MAX && isalpha((unsigned char)s[0]);
  for (size_t i = 0; i < n; i++)
    good = good && (isalnum((unsigned char)s[i]) || s[i] == '_');
  return good;
}

static enum err_code check_lead_event(const struct dealers_reader *r, const char *s)
{
  return s[0] == '\0' || is_event_name(s)
             ? ERR_OK
             : field_refuse(&r->own, "lead_event",
                            "must be a GA4 event name: a letter, then letters, digits and _, at "
                            "most 40; such as \"generate_lead\"");
}

static enum err_code check_qualified_session(const struct dealers_reader *r, const char *s)
{
  static const char *const fixed[] = {"engaged", "inventory_page", "vdp_view"};
  if (TEXT_IS_IN(fixed, s) || s[0] == '\0' ||
      (strncmp(s, "event:", 6) == 0 && is_event_name(s + 6)))
    return ERR_OK;
  return field_refuse(&r->own, "qualified_session",
                      "must be \"engaged\", \"inventory_page\", \"vdp_view\" or \"event:\" and a "
                      "GA4 event name, such as \"event:asc_item_pageview\"");
}

/* ------------------------------------------------------------------------- pattern */

static bool known_group(const char *name, size_t len)
{
  static const char *const names[] = {"make", "model", "year", "condition", "type", "vin", "stock"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
      return true;
  return false;
}

/* Turns one "(?…" into what POSIX knows. `p` stands behind "(?". */
static const char *translate_group(const char *p, struct buf *out, size_t *groups, const char **why)
{
  buf_putc(out, '(');
  if (*p == ':')
    return p + 1;
  p += *p == 'P';
  size_t len = *p == '<' ? strcspn(p + 1, ">") : 0;
  *why = *p != '<' || p[1 + len] != '>' ? "groups are ( ), (?: ) or (?P<name> )"
         : known_group(p + 1, len)      ? NULL
                                   : "a group must be one of make, model, year, condition, type, "
                                     "vin, stock";
  (*groups)++;
  return *why == NULL ? p + len + 2 : p;
}

/* To POSIX extended: named groups lose their names, \d becomes [0-9]. */
static bool translate(const char *pattern, struct buf *out, size_t *groups, const char **why)
{
  bool in_set = false;
  for (const char *p = pattern; *p != '\0' && *why == NULL;) {
    if (*p == '\\' && p[1] == 'd') {
      buf_puts(out, in_set ? "0-9" : "[0-9]");
      p += 2;
    } else if (*p == '\\' && p[1] != '\0') {
      buf_append(out, p, 2);
      p += 2;
    } else if (!in_set && p[0] == '(' && p[1] == '?') {
      p = translate_group(p + 2, out, groups, why);
    } else {
      in_set = *p == '[' ? true : *p == ']' ? false : in_set;
      buf_putc(out, *p++);
    }
  }
  return *why == NULL && !out->failed;
}

/* Compiled here only to be checked; who uses it compiles it for itself. */
static enum err_code check_pattern(const struct dealers_reader *r, const char *pattern)
{
  AUTO_BUF struct buf posix = BUF_INIT((size_t)8 * PATTERN_MAX);
  char text[160] = "";
  const char *why = NULL;
  size_t groups = 0;
  regex_t compiled;
  if (pattern[0] == '\0')
    return ERR_OK;
  if (!translate(pattern, &posix, &groups, &why))
    return field_refuse(&r->own, "vdp_path_pattern", "%s", why != NULL ? why : "too long");
  int code = regcomp(&compiled, buf_str(&posix), REG_EXTENDED);
  if (code != 0) {
    regerror(code, &compiled, text, sizeof(text));
    return field_refuse(&r->own, "vdp_path_pattern", "is not a regular expression: %s", text);
  }
  regfree(&compiled);
  if (groups == 0)
    return field_refuse(&r->own, "vdp_path_pattern",
                        "has no named group; write for example "
                        "\"^/(?:new|used)/(?P<make>[^/]+)/(?P<model>[^/]+)/\"");
  return ERR_OK;
}

/* ------------------------------------------------------------------------ reading */

static enum err_code read_optional(const struct dealers_reader *r, const cJSON *object,
                                   const char *path, const char *key, size_t max, const char **out)
{
  const struct field_at at = dealers_at(&r->own, path);
  const char *text = NULL;
  enum err_code code = field_text(&at, object, key, OPTIONAL, max, &text);
  *out = text != NULL ? arena_xstrdup(r->arena, text) : "";
  return code;
}

static enum err_code read_qualified_session(const struct dealers_reader *r, const cJSON *object,
                                            struct dealer *d)
{
  static const char key[] = "qualified_session";
  enum err_code code = read_optional(r, object, "", key, EVENT_NAME_MAX + 6, &d->qualified_session);
  return code == ERR_OK ? check_qualified_session(r, d->qualified_session) : code;
}

static enum err_code read_pattern(const struct dealers_reader *r, const cJSON *object,
                                  struct dealer *d)
{
  static const char key[] = "vdp_path_pattern";
  enum err_code code = read_optional(r, object, "", key, PATTERN_MAX, &d->vdp_path_pattern);
  return code == ERR_OK ? check_pattern(r, d->vdp_path_pattern) : code;
}

/* API names of dimensions: "customEvent:item_make", "itemBrand". */
static bool is_dimension(const char *s)
{
  for (size_t i = 0; s[i] != '\0'; i++)
    if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != ':')
      return false;
  return s[0] == '\0' || isalpha((unsigned char)s[0]);
}

static enum err_code read_dimension(const struct dealers_reader *r, const cJSON *list,
                                    const char *key, const char **out)
{
  char field[FIELD_PATH_MAX];
  snprintf(field, sizeof(field), "vehicle_dimensions.%s", key);
  enum err_code code = read_optional(r, list, "vehicle_dimensions", key, DIMENSION_MAX, out);
  if (code != ERR_OK || is_dimension(*out))
    return code;
  return field_refuse(&r->own, field,
                      "must be the API name of a GA4 dimension, such as \"customEvent:item_make\"");
}

static enum err_code read_vehicle_dimensions(const struct dealers_reader *r, const cJSON *object,
                                             struct dealer *d)
{
  static const char *const known[VEHICLE_ATTRIBUTES] = {"make", "model", "condition", "type",
                                                        "year"};
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "vehicle_dimensions");
  for (size_t i = 0; i < VEHICLE_ATTRIBUTES; i++)
    d->vehicle_dimensions[i] = "";
  if (list == NULL)
    return ERR_OK;
  if (!cJSON_IsObject(list))
    return field_refuse(&r->own, "vehicle_dimensions",
                        "must be an object with make, model, condition, type or year");
  const struct field_at at = dealers_at(&r->own, "vehicle_dimensions");
  enum err_code code = field_keys(&at, list, known, VEHICLE_ATTRIBUTES);
  for (size_t i = 0; i < VEHICLE_ATTRIBUTES; i++)
    code = first_of(code, read_dimension(r, list, known[i], &d->vehicle_dimensions[i]));
  return code;
}

enum err_code dealers_read_settings(struct dealers_reader *r, const cJSON *object, struct dealer *d)
{
  enum err_code code = check_lead_event(r, d->lead_event);
  code = first_of(code, check_time_zone(r, d->time_zone));
  code = first_of(code, read_qualified_session(r, object, d));
  code = first_of(code, read_pattern(r, object, d));
  code = first_of(code, read_vehicle_dimensions(r, object, d));
  return first_of(code, dealers_read_overrides(r, object, d));
}
