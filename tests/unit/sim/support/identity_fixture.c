/* Calls the simulator's handlers as the listener would. */
#include "tests/unit/sim/support/identity_fixture.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/api/api.h"
#include "ga4-sim/login/login.h"
#include "ga4-sim/switches/control.h"

enum { READ_MAX = 4 << 20 }; /* a fault's body of six million zeros is not parsed */

static struct options options = {.token_lifetime_s = 3599};
static struct sim sim;

struct sim *identity_sim(void)
{
  struct err e = {0};
  if (sim.world == NULL) {
    CU_ASSERT_EQUAL_FATAL(sim_open(&sim, &options, fixture_world(), NULL, &e), ERR_OK);
    snprintf(sim.base_url, sizeof(sim.base_url), "%s", BASE);
  }
  return &sim;
}

void identity_free(void)
{
  if (sim.world != NULL)
    sim_close(&sim);
  sim = (struct sim){0};
  fixture_free();
}

static const char *lookup(void *ctx, bool is_header, const char *name)
{
  const char *const *list = ctx;
  for (; list != NULL && *list != NULL; list += 2)
    if ((is_header && strcasecmp(list[0], name) == 0) ||
        (!is_header && list[0][0] == '?' && strcmp(list[0] + 1, name) == 0))
      return list[1];
  return NULL;
}

struct answer call(const char *method, const char *path, const char *body,
                   const char *const *headers)
{
  struct request q = {.method = method,
                      .path = path,
                      .body = body == NULL ? "" : body,
                      .body_len = body == NULL ? 0 : strlen(body),
                      .lookup = lookup,
                      .lookup_ctx = (void *)(uintptr_t)headers};
  struct reply r;
  q.authorization = request_header(&q, "Authorization");
  request_read_style(&q);
  reply_init(&r);
  if (strncmp(path, "/sim/", 5) == 0)
    control_handle(identity_sim(), &q, &r);
  else if (!identity_handle(identity_sim(), &q, &r))
    api_handle(identity_sim(), &q, &r);
  struct answer a = {.status = r.status,
                     .json = r.body.len <= READ_MAX ? cJSON_Parse(buf_str(&r.body)) : NULL,
                     .header_name = r.header_name};
  snprintf(a.text, sizeof(a.text), "%s", buf_str(&r.body));
  snprintf(a.header_value, sizeof(a.header_value), "%s", r.header_value);
  reply_free(&r);
  return a;
}

void answer_free(struct answer *a)
{
  cJSON_Delete(a->json);
}

struct answer post(const char *path, const char *body, const char *bearer)
{
  AUTO_FREE char *value = bearer == NULL ? NULL : xasprintf("Bearer %s", bearer);
  const char *const headers[] = {bearer == NULL ? NULL : "Authorization", value, NULL};
  return call("POST", path, body, headers);
}

const char *member(const struct answer *a, const char *name)
{
  const char *dot = strchr(name, '.');
  AUTO_FREE char *first = dot == NULL ? NULL : xstrndup(name, (size_t)(dot - name));
  const char *text = dot == NULL ? json_get_string(a->json, name)
                                 : json_get_string(cJSON_GetObjectItem(a->json, first), dot + 1);
  return text == NULL ? "" : text;
}

struct answer control(const char *path, const char *json)
{
  struct answer a = post(path, fixture_json(json), NULL);
  CU_ASSERT_EQUAL(a.status, 200);
  return a;
}

int read_metadata(size_t dealer, const char *bearer)
{
  AUTO_FREE char *path = xasprintf("/v1beta/properties/%s/metadata",
                                   identity_sim()->world->properties[dealer].id_text);
  AUTO_FREE char *value = xasprintf("Bearer %s", bearer);
  const char *const headers[] = {"Authorization", value, NULL};
  struct answer a = call("GET", path, NULL, headers);
  answer_free(&a);
  return a.status;
}

int64_t now_s(void)
{
  return clock_unix_ms() / 1000;
}
