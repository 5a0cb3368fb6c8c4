/* Sort orders of any form as Google's OrderBys. */
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/arguments/ga4.h"
#include "gateway/arguments/internal.h"
#include "gateway/arguments/scalar.h"
#include "gateway/arguments/text.h"

struct order_context {
  const struct repair *r;
  const cJSON *dimensions, *metrics; /* of the report */
};

enum direction { DIRECTION_NONE, ASCENDING, DESCENDING };

static enum direction direction_of(const char *word)
{
  static const struct {
    const char *word;
    enum direction direction;
  } words[] = {{"asc", ASCENDING},
               {"ascending", ASCENDING},
               {"desc", DESCENDING},
               {"descending", DESCENDING}};
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    if (text_same(words[i].word, word))
      return words[i].direction;
  }
  return DIRECTION_NONE;
}

static enum err_code refuse(const struct order_context *c, const struct json_path *path,
                            const char *what)
{
  return json_path_error(c->r->e, ERR_INVALID_ARGUMENT, "bad_order", path,
                         "%s; a sort order is {\"field\":\"sessions\",\"desc\":true}", what);
}

static bool lists(const cJSON *list, const char *name)
{
  const cJSON *item;
  cJSON_ArrayForEach(item, list)
  {
    if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
      return true;
  }
  return false;
}

/* Whether a field is a metric: by the report that it sorts, else by its name. */
static bool is_metric(const struct order_context *c, const char *name)
{
  if (lists(c->metrics, name))
    return true;
  if (lists(c->dimensions, name))
    return false;
  return ga4_find(GA4_METRIC, name) != NULL || ascii_case_find(name, "keyEvents:") == name ||
         ascii_case_find(name, "KeyEventRate:") != NULL;
}

/* -------------------------------------------------------------- "-sessions", "sessions desc" */

static enum err_code from_text(const struct order_context *c, cJSON *item,
                               const struct json_path *path)
{
  AUTO_FREE char *text = text_clean(item->valuestring);
  enum direction direction = DIRECTION_NONE;
  char *name = text, *last = strrchr(text, ' ');
  if (last == NULL)
    last = strrchr(text, ':');
  if (last != NULL && direction_of(last + 1) != DIRECTION_NONE) {
    direction = direction_of(last + 1);
    *last = '\0';
  }
  if (name[0] == '-' && direction == DIRECTION_NONE) {
    direction = DESCENDING;
    name++;
  }
  if (name[0] == '\0' || direction_of(name) != DIRECTION_NONE)
    return refuse(c, path, "the field is missing: it stands beside asc or desc");
  if (strchr(name, ',') != NULL)
    return refuse(c, path, "one item sorts by one field: give a list of them");
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "field", name);
  if (direction != DIRECTION_NONE)
    cJSON_AddBoolToObject(object, "desc", direction == DESCENDING);
  value_become(item, object);
  return ERR_OK;
}

/* -------------------------------------------------------------- objects */

enum order_key { ORDER_OTHER, ORDER_FIELD, ORDER_METRIC, ORDER_DIMENSION, ORDER_DESC, ORDER_WORD };

static enum order_key order_key(const char *name)
{
  static const struct {
    const char *word;
    enum order_key key;
  } keys[] = {{"field", ORDER_FIELD},
              {"fieldname", ORDER_FIELD},
              {"name", ORDER_FIELD},
              {"metric", ORDER_METRIC},
              {"metricname", ORDER_METRIC},
              {"dimension", ORDER_DIMENSION},
              {"dimensionname", ORDER_DIMENSION},
              {"desc", ORDER_DESC},
              {"descending", ORDER_DESC},
              {"order", ORDER_WORD},
              {"direction", ORDER_WORD},
              {"sortorder", ORDER_WORD}};
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    if (text_same(keys[i].word, name))
      return keys[i].key;
  }
  return ORDER_OTHER;
}

/* "order": "desc" as desc; another word is refused. */
static enum err_code take_direction(const struct order_context *c, cJSON *member,
                                    const struct json_path *path)
{
  struct json_path here = JSON_PATH_KEY(path, member->string);
  enum direction direction =
      cJSON_IsString(member) ? direction_of(member->valuestring) : DIRECTION_NONE;
  if (order_key(member->string) == ORDER_WORD && direction == DIRECTION_NONE)
    return refuse(c, &here, "must be asc or desc");
  value_set_name(member, "desc");
  if (direction != DIRECTION_NONE)
    value_become(member, cJSON_CreateBool(direction == DESCENDING));
  else
    scalar_to_bool(member);
  return ERR_OK;
}

/* The field's member as Google's MetricOrderBy or DimensionOrderBy. */
static enum err_code place_field(const struct order_context *c, cJSON *member, enum order_key key,
                                 const struct json_path *path)
{
  struct json_path here = JSON_PATH_KEY(path, member->string);
  enum catalog_meaning meaning = key == ORDER_METRIC      ? CATALOG_METRIC
                                 : key == ORDER_DIMENSION ? CATALOG_DIMENSION
                                                          : CATALOG_ORDER;
  enum err_code code = name_repair(c->r, meaning, member, c->dimensions, &here);
  if (code != ERR_OK)
    return code;
  bool metric = key == ORDER_METRIC || (key == ORDER_FIELD && is_metric(c, member->valuestring));
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, metric ? "metric_name" : "dimension_name", member->valuestring);
  value_become(member, object);
  value_set_name(member, metric ? "metric" : "dimension");
  return ERR_OK;
}

/* Google's own object: its name and the name inside it. */
static enum err_code google_field(const struct order_context *c, cJSON *member, enum order_key key,
                                  const struct json_path *path)
{
  struct json_path here = JSON_PATH_KEY(path, member->string);
  value_set_name(member, key == ORDER_METRIC ? "metric" : "dimension");
  cJSON *item;
  cJSON_ArrayForEach(item, member)
  {
    enum order_key inner = order_key(item->string);
    if (inner != ORDER_METRIC && inner != ORDER_DIMENSION && inner != ORDER_FIELD)
      continue;
    if (inner == ORDER_FIELD || inner == key)
      value_set_name(item, key == ORDER_METRIC ? "metric_name" : "dimension_name");
    struct json_path there = JSON_PATH_KEY(&here, item->string);
    enum err_code code = name_repair(c->r, key == ORDER_METRIC ? CATALOG_METRIC : CATALOG_DIMENSION,
                                     item, c->dimensions, &there);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

/* {"sessions": "desc"} */
static void from_pair(cJSON *item)
{
  cJSON *only = item->child;
  if (only == NULL || only->next != NULL || order_key(only->string) != ORDER_OTHER ||
      !cJSON_IsString(only) || direction_of(only->valuestring) == DIRECTION_NONE)
    return;
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "field", only->string);
  cJSON_AddBoolToObject(object, "desc", direction_of(only->valuestring) == DESCENDING);
  value_become(item, object);
}

static enum err_code refuse_member(const struct order_context *c, const cJSON *member,
                                   const struct json_path *path)
{
  struct json_path here = JSON_PATH_KEY(path, member->string);
  return refuse(c, &here, "not part of a sort order");
}

static enum err_code repair_item(const struct order_context *c, cJSON *item,
                                 const struct json_path *path)
{
  if (cJSON_IsString(item) && !json_text_repair(item)) {
    enum err_code code = from_text(c, item, path);
    if (code != ERR_OK)
      return code;
  }
  if (!cJSON_IsObject(item))
    return refuse(c, path, "is neither a text nor an object");
  from_pair(item);
  cJSON *member;
  cJSON_ArrayForEach(member, item)
  {
    enum order_key key = order_key(member->string);
    enum err_code code = ERR_OK;
    if (key == ORDER_OTHER && !text_same(member->string, "pivot"))
      code = refuse_member(c, member, path);
    else if (key == ORDER_DESC || key == ORDER_WORD)
      code = take_direction(c, member, path);
    else if (key != ORDER_OTHER && cJSON_IsString(member))
      code = place_field(c, member, key, path);
    else if ((key == ORDER_METRIC || key == ORDER_DIMENSION) && cJSON_IsObject(member))
      code = google_field(c, member, key, path);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}

enum err_code order_repair(const struct repair *r, cJSON *orders, const cJSON *dimensions,
                           const cJSON *metrics, const struct json_path *path)
{
  const struct order_context c = {r, dimensions, metrics};
  size_t i = 0;
  cJSON *item;
  cJSON_ArrayForEach(item, orders)
  {
    struct json_path here = JSON_PATH_INDEX(path, i++);
    enum err_code code = repair_item(&c, item, &here);
    if (code != ERR_OK)
      return code;
  }
  return ERR_OK;
}
