/* The list of faults in force. */
#include "ga4-sim/sim/faults.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { FAULTS_MAX = 512, MS_MAX = 600000 };

struct fault {
  int64_t id;
  int64_t property; /* index; -1: everyone */
  enum fault_kind kind;
  unsigned endpoints;
  uint32_t ms;
  int64_t times;    /* left; -1: unlimited */
  int64_t skip;     /* requests that are let through first, left */
  int64_t from_row; /* acts on pages that begin at this row or later */
};

struct faults {
  pthread_mutex_t lock;
  struct fault list[FAULTS_MAX];
  size_t count;
  int64_t next_id;
};

#define API (ENDPOINT_REPORT | ENDPOINT_ADMIN)

static const struct {
  const char *name;
  unsigned endpoints; /* where it acts unless "endpoint" says otherwise */
  uint32_t ms;        /* default */
} kinds[FAULT_KIND_COUNT] = {
    [FAULT_LATENCY] = {"latency", API, 1000},
    [FAULT_401] = {"401", API, 0},
    [FAULT_403] = {"403", API, 0},
    [FAULT_403_SCOPES] = {"403_scopes", API, 0},
    [FAULT_403_DISABLED] = {"403_disabled", API, 0},
    [FAULT_429_HOURLY] = {"429_hourly", API, 0},
    [FAULT_429_DAILY] = {"429_daily", API, 0},
    [FAULT_429_CONCURRENT] = {"429_concurrent", API, 0},
    [FAULT_500] = {"500", API, 0},
    [FAULT_503] = {"503", API, 0},
    [FAULT_HTML_404] = {"html_404", API, 0},
    [FAULT_HTML_502] = {"html_502", API, 0},
    [FAULT_SLOW_BODY] = {"slow_body", API, 2000},
    [FAULT_CUT] = {"cut", API, 0},
    [FAULT_MALFORMED] = {"malformed", API, 0},
    [FAULT_400] = {"400", API, 0},
    [FAULT_NOT_JSON] = {"not_json", API, 0},
    [FAULT_HUGE_BODY] = {"huge_body", API, 0},
    [FAULT_403_RATE] = {"403_rate", API, 0},
    [FAULT_429_THRESHOLDED] = {"429_thresholded", ENDPOINT_REPORT, 0},
    [FAULT_429_SERVER_ERRORS] = {"429_server_errors", ENDPOINT_REPORT, 0},
    [FAULT_EMPTY_OBJECT] = {"empty_object", API, 0},
    [FAULT_ERROR_200] = {"error_200", API, 0},
    [FAULT_UNKNOWN_ENUM] = {"unknown_enum", ENDPOINT_REPORT, 0},
    [FAULT_TIE_REORDER] = {"tie_reorder", ENDPOINT_REPORT, 0},
    [FAULT_NO_FLAVOR] = {"no_flavor", ENDPOINT_METADATA, 0},
    [FAULT_INVALID_GRANT] = {"invalid_grant", ENDPOINT_TOKEN, 0},
    [FAULT_INVALID_CLIENT] = {"invalid_client", ENDPOINT_TOKEN, 0},
    [FAULT_TOKEN_503] = {"token_503", ENDPOINT_TOKEN, 0},
    [FAULT_TOKEN_SLOW] = {"token_slow", ENDPOINT_TOKEN, 2000},
    [FAULT_INVALID_RAPT] = {"invalid_rapt", ENDPOINT_TOKEN, 0},
    [FAULT_DELETED_CLIENT] = {"deleted_client", ENDPOINT_TOKEN, 0},
    [FAULT_UNAUTHORIZED_CLIENT] = {"unauthorized_client", ENDPOINT_TOKEN, 0},
    [FAULT_ADMIN_POLICY] = {"admin_policy_enforced", ENDPOINT_TOKEN, 0},
    [FAULT_INVALID_TARGET] = {"invalid_target", ENDPOINT_STS, 0},
};

struct faults *faults_new(void)
{
  struct faults *f = xcalloc(1, sizeof(*f));
  pthread_mutex_init(&f->lock, NULL);
  f->next_id = 1;
  return f;
}

void faults_free(struct faults *f)
{
  if (f == NULL)
    return;
  pthread_mutex_destroy(&f->lock);
  free(f);
}

static enum err_code bad(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "fault", "%s", text);
}

static enum err_code read_target(const struct world *w, const cJSON *d, int64_t *property,
                                 struct err *e)
{
  const char *dealer = json_get_string(d, "dealer_id");
  const char *account = json_get_string(d, "account_id");
  const char *number = json_get_string(d, "property_id");
  if ((dealer != NULL) + (account != NULL) + (number != NULL) != 1)
    return bad(e, "a fault needs exactly one of dealer_id, account_id, property_id (text; \"*\" "
                  "for everyone)");
  const char *given = dealer != NULL ? dealer : account != NULL ? account : number;
  *property = -1;
  if (strcmp(given, "*") == 0)
    return ERR_OK;
  for (size_t i = 0; i < w->property_count; i++) {
    const struct world_property *p = &w->properties[i];
    const char *own = dealer != NULL ? p->dealer_id : account != NULL ? p->account_id : p->id_text;
    if (strcmp(own, given) == 0)
      *property = (int64_t)i;
  }
  if (*property < 0)
    return err_set(e, ERR_NOT_FOUND, "fault", "the world has no %s \"%s\"",
                   dealer != NULL    ? "dealer_id"
                   : account != NULL ? "account_id"
                                     : "property_id",
                   given);
  return ERR_OK;
}

static enum err_code bad_kind(struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(4096);
  for (int k = 1; k < FAULT_KIND_COUNT; k++)
    buf_printf(&text, "%s%s", k == 1 ? "" : ", ", kinds[k].name);
  return err_set(e, ERR_INVALID_ARGUMENT, "fault", "kind must be one of %s", buf_str(&text));
}

static const char *const endpoint_names[] = {"token", "report",   "admin", "sts",
                                             "iam",   "metadata", "imds"};

static enum err_code read_kind(const cJSON *d, struct fault *out, struct err *e)
{
  const char *kind = json_get_string(d, "kind");
  for (int k = 1; kind != NULL && k < FAULT_KIND_COUNT; k++)
    if (strcmp(kinds[k].name, kind) == 0)
      out->kind = (enum fault_kind)k;
  if (out->kind == FAULT_NONE)
    return bad_kind(e);
  out->endpoints = kinds[out->kind].endpoints;
  const char *endpoint = json_get_string(d, "endpoint");
  if (endpoint == NULL)
    return ERR_OK;
  out->endpoints = 0;
  for (size_t i = 0; i < ARRAY_LEN(endpoint_names); i++)
    if (strcmp(endpoint_names[i], endpoint) == 0)
      out->endpoints = 1U << i;
  bool token_only = out->kind >= FAULT_INVALID_GRANT;
  if (out->endpoints == 0 ||
      (token_only && out->endpoints != ENDPOINT_TOKEN && out->endpoints != ENDPOINT_STS))
    return bad(e, "endpoint must be token, report, admin, sts, iam, metadata or imds, and token or "
                  "sts for the token's own kinds");
  if (out->kind == FAULT_NO_FLAVOR && out->endpoints != ENDPOINT_METADATA)
    return bad(e, "no_flavor is for the endpoint metadata");
  return ERR_OK;
}

static enum err_code read_whole(const cJSON *d, const char *name, int64_t *out, struct err *e)
{
  const cJSON *n = cJSON_GetObjectItemCaseSensitive(d, name);
  if (n == NULL)
    return ERR_OK;
  if (!cJSON_IsNumber(n) || n->valuedouble < 0 || n->valuedouble > 1e9 ||
      n->valuedouble != (double)(int64_t)n->valuedouble)
    return err_set(e, ERR_INVALID_ARGUMENT, "fault",
                   "%s must be a whole number from 0 to 1000000000", name);
  *out = (int64_t)n->valuedouble;
  return ERR_OK;
}

static enum err_code read_numbers(const cJSON *d, struct fault *out, struct err *e)
{
  const cJSON *ms = cJSON_GetObjectItemCaseSensitive(d, "ms");
  const cJSON *times = cJSON_GetObjectItemCaseSensitive(d, "times");
  out->ms = kinds[out->kind].ms;
  out->times = -1;
  if (ms != NULL) {
    if (!cJSON_IsNumber(ms) || ms->valuedouble < 0 || ms->valuedouble > MS_MAX)
      return bad(e, "ms must be a number from 0 to 600000");
    out->ms = (uint32_t)ms->valuedouble;
  }
  if (times != NULL) {
    if (!cJSON_IsNumber(times) || times->valuedouble < 1 || times->valuedouble > 1e9)
      return bad(e, "times must be a number from 1 to 1000000000");
    out->times = (int64_t)times->valuedouble;
  }
  enum err_code code = read_whole(d, "skip", &out->skip, e);
  return code == ERR_OK ? read_whole(d, "from_row", &out->from_row, e) : code;
}

static cJSON *describe(const struct fault *f, const struct world *w)
{
  cJSON *d = cJSON_CreateObject(), *endpoints = cJSON_CreateArray();
  cJSON_AddNumberToObject(d, "id", (double)f->id);
  cJSON_AddStringToObject(d, "dealer_id",
                          f->property < 0 ? "*" : w->properties[f->property].dealer_id);
  cJSON_AddStringToObject(d, "kind", kinds[f->kind].name);
  cJSON_AddNumberToObject(d, "ms", f->ms);
  if (f->times >= 0)
    cJSON_AddNumberToObject(d, "times", (double)f->times);
  if (f->skip > 0)
    cJSON_AddNumberToObject(d, "skip", (double)f->skip);
  if (f->from_row > 0)
    cJSON_AddNumberToObject(d, "from_row", (double)f->from_row);
  for (size_t i = 0; i < ARRAY_LEN(endpoint_names); i++)
    if (f->endpoints & (1U << i))
      cJSON_AddItemToArray(endpoints, cJSON_CreateString(endpoint_names[i]));
  cJSON_AddItemToObject(d, "endpoints", endpoints);
  return d;
}

enum err_code faults_add(struct faults *f, const struct world *w, const cJSON *description,
                         cJSON **added, struct err *e)
{
  struct fault fault = {0};
  if (!cJSON_IsObject(description))
    return bad(e, "a fault is a JSON object, for example {\"dealer_id\":\"d03\",\"kind\":\"503\"}");
  enum err_code code = read_target(w, description, &fault.property, e);
  if (code == ERR_OK)
    code = read_kind(description, &fault, e);
  if (code == ERR_OK)
    code = read_numbers(description, &fault, e);
  if (code != ERR_OK)
    return code;
  pthread_mutex_lock(&f->lock);
  if (f->count == FAULTS_MAX) {
    pthread_mutex_unlock(&f->lock);
    return bad(e, "there are 512 faults already: DELETE /sim/faults first");
  }
  fault.id = f->next_id++;
  f->list[f->count++] = fault;
  pthread_mutex_unlock(&f->lock);
  *added = describe(&fault, w);
  return ERR_OK;
}

static void remove_at(struct faults *f, size_t i)
{
  memmove(&f->list[i], &f->list[i + 1], (f->count - i - 1) * sizeof(f->list[0]));
  f->count--;
}

struct fault_effect faults_take(struct faults *f, int64_t property, enum fault_endpoint endpoint)
{
  return faults_take_at(f, property, endpoint, 0);
}

/* Whether a fault acts on a request; one that is to be let through is counted. */
static bool acts(struct fault *x, int64_t property, enum fault_endpoint endpoint, int64_t row)
{
  if ((x->property >= 0 && x->property != property) || !(x->endpoints & endpoint) ||
      row < x->from_row)
    return false;
  if (x->skip == 0)
    return true;
  x->skip--;
  return false;
}

struct fault_effect faults_take_at(struct faults *f, int64_t property, enum fault_endpoint endpoint,
                                   int64_t row)
{
  struct fault_effect effect = {0};
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count;) {
    struct fault *x = &f->list[i];
    bool delay = x->kind == FAULT_LATENCY || x->kind == FAULT_TOKEN_SLOW;
    if ((!delay && effect.kind != FAULT_NONE) || !acts(x, property, endpoint, row)) {
      i++;
      continue;
    }
    if (delay) {
      effect.delay_ms += x->ms;
    } else {
      effect.kind = x->kind;
      effect.ms = x->ms;
    }
    if (x->times > 0 && --x->times == 0)
      remove_at(f, i);
    else
      i++;
  }
  pthread_mutex_unlock(&f->lock);
  return effect;
}

size_t faults_clear(struct faults *f, int64_t id)
{
  size_t removed = 0;
  pthread_mutex_lock(&f->lock);
  for (size_t i = f->count; i-- > 0;)
    if (id <= 0 || f->list[i].id == id) {
      remove_at(f, i);
      removed++;
    }
  pthread_mutex_unlock(&f->lock);
  return removed;
}

cJSON *faults_list(struct faults *f, const struct world *w)
{
  cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "faults");
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    cJSON_AddItemToArray(list, describe(&f->list[i], w));
  pthread_mutex_unlock(&f->lock);
  return root;
}
