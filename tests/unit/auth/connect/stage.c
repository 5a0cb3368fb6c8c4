/* Consents before two fakes. */
#include "tests/unit/auth/connect/stage.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "common/database/database.h"
#include "common/pbjson/borrow.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define SUMMARIES                                                                                  \
  "{\"accountSummaries\":[{\"displayName\":\"Group\",\"propertySummaries\":["                      \
  "{\"property\":\"properties/2000001\",\"displayName\":\"Taken\"},"                               \
  "{\"property\":\"properties/3000001\",\"displayName\":\"Main <site>\"},"                         \
  "{\"property\":\"properties/3000002\",\"displayName\":\"Second\"}]}]}"

static atomic_llong clock_s = 1764460800;

void stage_set_clock(int64_t unix_s)
{
  atomic_store(&clock_s, unix_s);
}

int64_t stage_clock_s(void)
{
  return atomic_load(&clock_s);
}

static int64_t clock_ms(void)
{
  return stage_clock_s() * 1000;
}

struct keyring *stage_ring(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

const char *stage_database(void)
{
  return getenv("AMCP_TEST_DATABASE_URL");
}

char *stage_sql(const char *sql)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  struct database *d = NULL;
  struct err e = {0};
  if (database_open_postgres(&d, stage_database(), "test", &e) != ERR_OK ||
      d->run(d, sql, NULL, 0, &row, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  if (d != NULL)
    d->close(d);
  return row.columns[0] != NULL ? xstrdup(row.columns[0]) : xstrdup("");
}

void stage_server(const char *what)
{
  AUTO_FREE char *command = xasprintf("%s %s", getenv("AMCP_TEST_SERVER"), what);
  CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

struct connect_store_options stage_store(const struct stage *s)
{
  return (struct connect_store_options){.database_url = stage_database(),
                                        .state_dir = s->dir,
                                        .keyring = s->ring,
                                        .unix_ms = clock_ms};
}

static void open_parts(struct stage *s)
{
  struct err e = {0};
  const struct http_client_options http = {.user_agent = "test"};
  const struct connect_store_options store = stage_store(s);
  if (connect_store_open(&s->store, &store, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s->store);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s->http, &http, NULL), ERR_OK);
  const struct connect_options options = {
      .store = s->store,
      .google = {.http = s->http,
                 .client_id = "client",
                 .client_secret = s->client_secret,
                 .redirect_uri = "https://set.example/connect/callback",
                 .token = fake_url(s->token),
                 .revoke = fake_url(s->token),
                 .admin = s->api_url,
                 .data = s->api_url,
                 .timeout_ms = 20000},
      .url = "https://set.example/connect",
      .authorization = "https://accounts.example/o/oauth2/v2/auth"};
  s->connect = connect_new(&options);
}

static void close_parts(struct stage *s)
{
  http_client_free(s->http);
  connect_free(s->connect);
  connect_store_close(s->store);
}

void stage_open(struct stage *s)
{
  stage_set_clock(1764460800);
  if (stage_database() != NULL)
    free(stage_sql("DROP TABLE IF EXISTS connect_schema, connect_state, connect_list"));
  stage_join(s);
}

void stage_join(struct stage *s)
{
  *s = (struct stage){.dir = folder_make(), .ring = stage_ring(STAGE_KEY_1)};
  s->token = fake_start();
  s->api = fake_start();
  s->api_url = xstrndup(fake_url(s->api), strlen(fake_url(s->api)) - strlen("/token"));
  fake_set(s->api, &(struct fake_answer){.status = 200, .body = SUMMARIES});
  s->client_secret = secret_from("client-secret");
  s->world = world_new(3, NULL);
  s->directory = s->world->directory;
  s->arena = arena_new(1 << 22);
  open_parts(s);
}

void stage_reopen(struct stage *s)
{
  close_parts(s);
  s->store = NULL;
  open_parts(s);
}

void stage_close(struct stage *s)
{
  close_parts(s);
  fake_stop(s->token);
  fake_stop(s->api);
  free(s->api_url);
  secret_unref(s->client_secret);
  keyring_unref(s->ring);
  snapshot_unref(s->world);
  arena_free(s->arena);
  AUTO_FREE char *below = xasprintf("%s/connect", s->dir);
  folder_remove(below);
  folder_remove(s->dir);
  free(s->dir);
}

/* ---------------------------------------------------------------------------- steps */

const char *stage_invite(struct stage *s, const char *dealer_id, bool renew, struct err *e)
{
  Analytics__Auth__V1__Invitation invitation = ANALYTICS__AUTH__V1__INVITATION__INIT;
  Analytics__Auth__V1__CreateInviteRequest request =
      ANALYTICS__AUTH__V1__CREATE_INVITE_REQUEST__INIT;
  Analytics__Auth__V1__CreateInviteResponse response =
      ANALYTICS__AUTH__V1__CREATE_INVITE_RESPONSE__INIT;
  invitation.dealer_id = borrow_text(dealer_id);
  invitation.renew = renew;
  invitation.name = borrow_text(renew ? "" : "Lakeside Honda");
  invitation.region = borrow_text(renew ? "" : "West");
  request.invitation = &invitation;
  if (connect_invite(s->connect, &response, &request, s->directory, "ann", s->arena, e) != ERR_OK)
    return NULL;
  return strrchr(response.url, '=') + 1;
}

static const char *argument(struct stage *s, const char *url, const char *name)
{
  AUTO_FREE char *key = xasprintf("&%s=", name);
  const char *found = strstr(url, key);
  CU_ASSERT_PTR_NOT_NULL_FATAL(found);
  found += strlen(key);
  return arena_strndup(s->arena, found, strcspn(found, "&"));
}

const char *stage_start(struct stage *s, const char *token, const char *session, const char **state,
                        const char **nonce, struct err *e)
{
  Analytics__Auth__V1__StartConsentRequest request =
      ANALYTICS__AUTH__V1__START_CONSENT_REQUEST__INIT;
  Analytics__Auth__V1__StartConsentResponse response =
      ANALYTICS__AUTH__V1__START_CONSENT_RESPONSE__INIT;
  request.token = borrow_text(token);
  request.session = borrow_text(session);
  request.language = borrow_text("fr");
  if (connect_start(s->connect, &response, &request, s->arena, e) != ERR_OK)
    return NULL;
  *state = argument(s, response.authorization_url, "state");
  *nonce = argument(s, response.authorization_url, "nonce");
  return response.session;
}

void stage_answer(struct stage *s, const char *refresh_token, const char *scope, const char *nonce)
{
  AUTO_BUF struct buf id = BUF_INIT(4096);
  AUTO_FREE char *claims =
      xasprintf("{\"iss\":\"https://accounts.google.com\",\"aud\":\"client\",\"exp\":99999999999,"
                "\"nonce\":\"%s\",\"sub\":\"1001\",\"email\":\"owner@lakeside.example\"}",
                nonce);
  base64url_encode(&id, claims, strlen(claims));
  snprintf(s->answer, sizeof(s->answer),
           "{\"access_token\":\"ya29.access\",\"token_type\":\"Bearer\",\"expires_in\":3599,"
           "\"scope\":\"%s\",\"id_token\":\"e30.%s.x\"%s%s%s}",
           scope, buf_str(&id), refresh_token != NULL ? ",\"refresh_token\":\"" : "",
           refresh_token != NULL ? refresh_token : "", refresh_token != NULL ? "\"" : "");
  fake_set(s->token, &(struct fake_answer){.status = 200, .body = s->answer});
}

struct received {
  struct wait_once over;
  struct err error;
};

static void on_received(void *user, const struct err *error)
{
  struct received *r = user;
  r->error = *error;
  wait_once_over(&r->over);
}

enum err_code stage_receive(struct stage *s, const char *session, const char *state,
                            const char *code, const char *error, const char *issuer, struct err *e)
{
  struct received r = {.over = WAIT_ONCE_INIT};
  Analytics__Auth__V1__ReceiveConsentRequest request =
      ANALYTICS__AUTH__V1__RECEIVE_CONSENT_REQUEST__INIT;
  request.session = borrow_text(session);
  request.state = borrow_text(state);
  request.code = borrow_text(code);
  request.error = borrow_text(error);
  request.issuer = borrow_text(issuer);
  connect_receive(s->connect, &request, on_received, &r);
  wait_once(&r.over);
  *e = r.error;
  return e->code;
}

enum err_code stage_finish(struct stage *s, const char *session, const char *property,
                           struct err *e)
{
  const char *dealer_id;
  Analytics__Auth__V1__FinishConsentRequest request =
      ANALYTICS__AUTH__V1__FINISH_CONSENT_REQUEST__INIT;
  request.session = borrow_text(session);
  request.property_id = borrow_text(property);
  return connect_finish(s->connect, &request, s->directory, &dealer_id, s->arena, e);
}

enum err_code stage_connect(struct stage *s, const char *dealer_id, const char *property,
                            const char *refresh_token, struct err *e)
{
  const char *state, *nonce, *token = stage_invite(s, dealer_id, false, e);
  const char *session = token != NULL ? stage_start(s, token, "", &state, &nonce, e) : NULL;
  if (session == NULL)
    return e->code;
  stage_answer(s, refresh_token, STAGE_SCOPES, nonce);
  if (stage_receive(s, session, state, "code", "", "", e) != ERR_OK)
    return e->code;
  return stage_finish(s, session, property, e);
}

char *stage_file(const struct stage *s)
{
  struct buf text = {0};
  if (stage_database() != NULL)
    return stage_sql("SELECT string_agg(body, ' ') FROM connect_list");
  AUTO_FREE char *path = xasprintf("%s/connect/connected", s->dir);
  if (file_read(&text, "file", path, 1 << 24, false, NULL) != ERR_OK)
    return xstrdup("");
  return buf_take(&text, NULL);
}

char *stage_dealers(const struct stage *s)
{
  struct buf text = BUF_INIT(1 << 24);
  connect_store_dealers(s->store, &text);
  return buf_take(&text, NULL);
}
