/* /sim/...: fault switches, counters and quota of the simulator itself. */
#include <stdlib.h>
#include <string.h>

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

void control_handle(struct sim *s, const struct request *q, struct reply *r)
{
  if (strcmp(q->path, "/sim/faults") == 0) {
    handle_faults(s, q, r);
  } else if (strcmp(q->path, "/sim/stats") == 0) {
    handle_stats(s, q, r);
  } else if (strcmp(q->path, "/sim/quota") == 0 && strcmp(q->method, "DELETE") == 0) {
    quota_reset(s->quota);
    reply_count(r, "reset", (double)s->world->property_count);
  } else if (!control_identity(s, q, r)) {
    struct err e;
    err_set(
        &e, ERR_NOT_FOUND, NULL,
        "no such control: use GET, POST or DELETE /sim/faults, GET or DELETE /sim/stats, "
        "DELETE /sim/quota, POST /sim/{rotation, tokens, revocation, clients, federation, "
        "service-accounts, projected-token, aws/rotate, jwks/rotate, mint-jwt}, GET /sim/{jwks, "
        "aws, projected-token}");
    reply_control_error(r, &e);
  }
}
