/* /sim/...: fault switches, counters and quota of the simulator itself. */
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "ga4-sim/switches/control.h"

static void reply_control_error(struct reply *r, const struct err *e)
{
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "error", e->message);
  reply_json(r, e->code == ERR_NOT_FOUND ? 404 : 400, root);
  cJSON_Delete(root);
}

static void reply_count(struct reply *r, const char *name, double n)
{
  cJSON *root = cJSON_CreateObject();
  cJSON_AddNumberToObject(root, name, n);
  reply_json(r, 200, root);
  cJSON_Delete(root);
}

static void add_fault(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_JSON cJSON *body = NULL;
  AUTO_JSON cJSON *added = NULL;
  struct err e = {0};
  if (json_parse(&body, q->body, q->body_len, NULL, &e) != ERR_OK ||
      faults_add(s->faults, s->world, body, &added, &e) != ERR_OK)
    reply_control_error(r, &e);
  else
    reply_json(r, 200, added);
}

static void handle_faults(struct sim *s, const struct request *q, struct reply *r)
{
  if (strcmp(q->method, "POST") == 0) {
    add_fault(s, q, r);
  } else if (strcmp(q->method, "DELETE") == 0) {
    const char *given = request_query(q, "id");
    int64_t id = given == NULL ? 0 : strtoll(given, NULL, 10);
    reply_count(r, "removed", (double)faults_clear(s->faults, id));
  } else {
    cJSON *list = faults_list(s->faults, s->world);
    reply_json(r, 200, list);
    cJSON_Delete(list);
  }
}

static void handle_stats(struct sim *s, const struct request *q, struct reply *r)
{
  if (strcmp(q->method, "DELETE") == 0)
    stats_reset(s->stats);
  cJSON *stats = stats_render(s->stats, s->world);
  reply_json(r, 200, stats);
  cJSON_Delete(stats);
}

static void set_conditions(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_JSON cJSON *body = NULL;
  struct err e = {0};
  if (strcmp(q->method, "DELETE") == 0) {
    conditions_clear(s->conditions);
    reply_count(r, "reset", (double)s->world->property_count);
  } else if (json_parse(&body, q->body, q->body_len, NULL, &e) != ERR_OK ||
             conditions_set(s->conditions, s->world, body, &e) != ERR_OK) {
    reply_control_error(r, &e);
  } else {
    reply_json(r, 200, body);
  }
}

/* What a property has used of its quotas, of both projects. */
static void use_quota(struct sim *s, const cJSON *body, size_t property)
{
  const struct quota_used used = {
      .tokens_day = (int64_t)json_get_number(body, "tokens_day", -1),
      .tokens_hour = (int64_t)json_get_number(body, "tokens_hour", -1),
      .tokens_project_hour = (int64_t)json_get_number(body, "tokens_project_hour", -1),
      .thresholded_hour = (int64_t)json_get_number(body, "thresholded_hour", -1)};
  for (int category = 0; category < QUOTA_CATEGORIES; category++)
    for (unsigned project = 0; project < QUOTA_PROJECTS; project++)
      quota_set_used(s->quota,
                     (struct quota_account){property, (enum quota_category)category, project},
                     &used, clock_unix_ms());
}

static void set_quota(struct sim *s, const struct request *q, struct reply *r)
{
  AUTO_JSON cJSON *body = NULL;
  struct err e = {0};
  double n = 0;
  if (json_parse(&body, q->body, q->body_len, NULL, &e) != ERR_OK) {
    reply_control_error(r, &e);
    return;
  }
  const char *dealer = json_get_string(body, "dealer_id");
  const cJSON *advance = cJSON_GetObjectItemCaseSensitive(body, "advance_s");
  if (cJSON_IsNumber(advance))
    quota_advance(s->quota, (int64_t)advance->valuedouble * 1000);
  for (size_t i = 0; dealer != NULL && i < s->world->property_count; i++)
    if (strcmp(dealer, "*") == 0 || strcmp(dealer, s->world->properties[i].dealer_id) == 0) {
      use_quota(s, body, i);
      n++;
    }
  reply_count(r, "set", n);
}

void control_handle(struct sim *s, const struct request *q, struct reply *r)
{
  if (strcmp(q->path, "/sim/faults") == 0) {
    handle_faults(s, q, r);
  } else if (strcmp(q->path, "/sim/stats") == 0) {
    handle_stats(s, q, r);
  } else if (strcmp(q->path, "/sim/quota") == 0 && strcmp(q->method, "DELETE") == 0) {
    quota_reset(s->quota);
    reply_count(r, "reset", (double)s->world->property_count);
  } else if (strcmp(q->path, "/sim/quota") == 0 && strcmp(q->method, "POST") == 0) {
    set_quota(s, q, r);
  } else if (strcmp(q->path, "/sim/conditions") == 0 && strcmp(q->method, "GET") != 0) {
    set_conditions(s, q, r);
  } else if (!control_identity(s, q, r)) {
    struct err e;
    err_set(
        &e, ERR_NOT_FOUND, NULL,
        "no such control: use GET, POST or DELETE /sim/faults, GET or DELETE /sim/stats, "
        "POST or DELETE /sim/quota, POST or DELETE /sim/conditions, POST /sim/{rotation, tokens, "
        "consent-screen, withdraw, "
        "revocation, clients, federation, issuer, "
        "service-accounts, projected-token, aws/rotate, jwks/rotate, mint-jwt}, GET /sim/{jwks, "
        "aws, projected-token}");
    reply_control_error(r, &e);
  }
}
