/* From a link to a connected dealer, and every way in which it does not come to that. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "common/base/mem.h"
#include "tests/unit/auth/connect/stage.h"
#include "tests/unit/harness.h"

static struct stage s;

static void expect_reason(const struct err *e, const char *reason)
{
  if (strcmp(e->reason, reason) != 0)
    printf("\n  wanted %s, got %s: %s\n", reason, e->reason, e->message);
  CU_ASSERT_STRING_EQUAL(e->reason, reason);
}

/* Session of a fresh link for a dealer. */
static const char *started(const char *dealer, const char **state, const char **nonce)
{
  struct err e = {0};
  const char *token = stage_invite(&s, dealer, false, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(token);
  const char *session = stage_start(&s, token, "", state, nonce, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(session);
  return session;
}

static void a_good_consent_connects_and_uses_the_link_up(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  const char *token = stage_invite(&s, "d30", false, &e);
  const char *session = stage_start(&s, token, "", &state, &nonce, &e);
  stage_answer(&s, "1//refresh", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(
      stage_receive(&s, session, state, "the-code", "", "https://accounts.google.com", &e), ERR_OK);
  Analytics__Auth__V1__ShowConsentResponse shown = ANALYTICS__AUTH__V1__SHOW_CONSENT_RESPONSE__INIT;
  CU_ASSERT_EQUAL(connect_show(s.connect, &shown, session, s.directory, s.arena, &e), ERR_OK);
  CU_ASSERT_EQUAL(shown.stage, ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONSENTED);
  CU_ASSERT_STRING_EQUAL(shown.google_account, "owner@lakeside.example");
  CU_ASSERT_STRING_EQUAL(shown.language, "fr");
  CU_ASSERT_EQUAL_FATAL(shown.n_properties, 3);
  CU_ASSERT_STRING_EQUAL(shown.properties[1]->property_id, "3000001");
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK);
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK); /* pressed twice */
  Analytics__Auth__V1__ShowInviteResponse link = ANALYTICS__AUTH__V1__SHOW_INVITE_RESPONSE__INIT;
  CU_ASSERT_EQUAL(connect_show_invite(s.connect, &link, token, s.arena, &e), ERR_NOT_FOUND);
  expect_reason(&e, "invite_over");
  stage_close(&s);
}

static void the_code_is_exchanged_with_its_verifier_and_redirect(void)
{
  struct err e = {0};
  const char *state, *nonce;
  char form[4096];
  stage_open(&s);
  const char *session = started("d30", &state, &nonce);
  stage_answer(&s, "1//refresh", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, session, state, "the-code", "", "", &e), ERR_OK);
  fake_last_form(s.token, form, sizeof(form));
  CU_ASSERT_PTR_NOT_NULL(strstr(form, "code=the-code&"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(form, "redirect_uri=https%3A%2F%2Fset.example%2Fconnect%2Fcallback"));
  const char *verifier = strstr(form, "code_verifier=");
  CU_ASSERT_PTR_NOT_NULL_FATAL(verifier);
  CU_ASSERT_EQUAL(strlen(verifier + 14), 43);
  stage_close(&s);
}

/* A consent up to its finish, with what Google answers. */
static void receive_expecting(const char *refresh, const char *scope, const char *nonce_or_null,
                              const char *reason)
{
  struct err e = {0};
  const char *state, *nonce;
  const char *session = started("d30", &state, &nonce);
  stage_answer(&s, refresh, scope, nonce_or_null != NULL ? nonce_or_null : nonce);
  CU_ASSERT_NOT_EQUAL(stage_receive(&s, session, state, "code", "", "", &e), ERR_OK);
  expect_reason(&e, reason);
  CU_ASSERT_NOT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK);
  AUTO_FREE char *dealers = stage_dealers(&s);
  CU_ASSERT_PTR_NULL(strstr(dealers, "d30"));
}

static void an_answer_that_lacks_something_connects_nobody(void)
{
  stage_open(&s);
  receive_expecting(NULL, STAGE_SCOPES, NULL, "no_refresh_token");
  receive_expecting("1//r", "openid email", NULL, "scope_missing");
  receive_expecting("1//r", STAGE_SCOPES "x", NULL, "scope_missing");
  receive_expecting("1//r", STAGE_SCOPES, "another", "bad_id_token");
  fake_set(s.api, &(struct fake_answer){.status = 200, .body = "{}"});
  receive_expecting("1//r", STAGE_SCOPES, NULL, "no_analytics");
  fake_set(s.api, &(struct fake_answer){.status = 503, .body = "{}"});
  receive_expecting("1//r", STAGE_SCOPES, NULL, "google_slow");
  stage_close(&s);
}

static void a_redirect_is_checked_before_google_is_asked(void)
{
  static const struct {
    const char *state, *code, *error, *issuer, *reason;
  } cases[] = {{"wrong", "c", "", "", "wrong_browser"},
               {"", "c", "", "", "wrong_browser"},
               {NULL, "c", "", "https://evil.example", "wrong_issuer"},
               {NULL, "c", "", "https://accounts.google.com/", "wrong_issuer"},
               {NULL, "", "access_denied", "", "declined"},
               {NULL, "", "admin_policy_enforced", "", "admin_policy"},
               {NULL, "", "server_error", "", "google_refused"},
               {NULL, "", "", "", "google_refused"}};
  stage_open(&s);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct err e = {0};
    const char *state, *nonce;
    const char *session = started("d30", &state, &nonce);
    stage_receive(&s, session, cases[i].state != NULL ? cases[i].state : state, cases[i].code,
                  cases[i].error, cases[i].issuer, &e);
    expect_reason(&e, cases[i].reason);
  }
  CU_ASSERT_EQUAL(fake_hits(s.token), 0);
  stage_close(&s);
}

static void a_code_is_taken_once_and_by_its_browser(void)
{
  struct err e = {0};
  const char *state, *nonce, *other_state, *other_nonce;
  stage_open(&s);
  const char *session = started("d30", &state, &nonce);
  const char *other = started("d31", &other_state, &other_nonce);
  stage_answer(&s, "1//r", STAGE_SCOPES, nonce);
  stage_receive(&s, other, state, "code", "", "",
                &e); /* the victim's link, the attacker's cookie */
  expect_reason(&e, "wrong_browser");
  stage_receive(&s, "", state, "code", "", "", &e);
  expect_reason(&e, "session_over");
  fake_set(s.token, &(struct fake_answer){.status = 503, .body = "{}"});
  stage_receive(&s, session, state, "code", "", "", &e);
  expect_reason(&e, "google_slow");
  stage_receive(&s, session, state, "code", "", "", &e); /* loaded again */
  expect_reason(&e, "interrupted");
  CU_ASSERT_EQUAL(fake_hits(s.token), 1);
  const char *again = stage_start(&s, "", session, &state, &nonce, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(again);
  CU_ASSERT_STRING_NOT_EQUAL(again, session);
  stage_answer(&s, "1//r", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, again, state, "code", "", "", &e), ERR_OK);
  CU_ASSERT_NOT_EQUAL(stage_finish(&s, session, "3000001", &e),
                      ERR_OK); /* the former one is over */
  CU_ASSERT_EQUAL(stage_finish(&s, again, "3000001", &e), ERR_OK);
  stage_close(&s);
}

static void a_link_belongs_to_the_consent_that_came_first(void)
{
  struct err e = {0};
  const char *state, *nonce, *state2, *nonce2;
  stage_open(&s);
  const char *token = stage_invite(&s, "d30", false, &e);
  const char *first = stage_start(&s, token, "", &state, &nonce, &e);
  const char *second = stage_start(&s, token, "", &state2, &nonce2, &e);
  stage_answer(&s, "1//r1", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, first, state, "code", "", "", &e), ERR_OK);
  stage_answer(&s, "1//r2", STAGE_SCOPES, nonce2);
  stage_receive(&s, second, state2, "code", "", "", &e);
  expect_reason(&e, "invite_over");
  CU_ASSERT_PTR_NULL(stage_start(&s, token, "", &state2, &nonce2, &e));
  expect_reason(&e, "invite_over");
  stage_set_clock(stage_clock_s() + CONNECT_SESSION_S); /* the first one went away */
  e = (struct err){0};
  CU_ASSERT_NOT_EQUAL(stage_finish(&s, first, "3000001", &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(stage_start(&s, token, "", &state2, &nonce2, &e));
  stage_close(&s);
}

static void links_end(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  const char *late = stage_invite(&s, "d30", false, &e);
  stage_set_clock(stage_clock_s() + CONNECT_TTL_DEFAULT_S);
  CU_ASSERT_PTR_NULL(stage_start(&s, late, "", &state, &nonce, &e));
  expect_reason(&e, "invite_over");
  const char *revoked = stage_invite(&s, "d30", false, &e);
  Analytics__Auth__V1__ListConnectionsResponse list =
      ANALYTICS__AUTH__V1__LIST_CONNECTIONS_RESPONSE__INIT;
  CU_ASSERT_EQUAL(connect_list(s.connect, &list, s.arena, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(list.n_invites, 1);
  CU_ASSERT_PTR_NULL(strstr(revoked, list.invites[0]->invite_id));
  CU_ASSERT_EQUAL(connect_revoke_invite(s.connect, list.invites[0]->invite_id, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(stage_start(&s, revoked, "", &state, &nonce, &e));
  const char *tried = stage_invite(&s, "d30", false, &e);
  for (int i = 0; i < CONNECT_STARTS_MAX; i++)
    CU_ASSERT_PTR_NOT_NULL(stage_start(&s, tried, "", &state, &nonce, &e));
  CU_ASSERT_PTR_NULL(stage_start(&s, tried, "", &state, &nonce, &e));
  expect_reason(&e, "too_many_tries");
  stage_close(&s);
}

static void who_is_there_already_is_refused_by_name(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  CU_ASSERT_PTR_NULL(stage_invite(&s, "d01", false, &e));
  expect_reason(&e, "dealer_taken");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "d01"));
  CU_ASSERT_PTR_NULL(stage_invite(&s, "d 30", false, &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer_id"));
  CU_ASSERT_PTR_NULL(stage_invite(&s, "d30", true, &e));
  expect_reason(&e, "no_such_dealer");
  const char *session = started("d30", &state, &nonce);
  stage_answer(&s, "1//r", STAGE_SCOPES, nonce);
  stage_receive(&s, session, state, "code", "", "", &e);
  CU_ASSERT_EQUAL(stage_finish(&s, session, "2000001", &e), ERR_ALREADY_EXISTS);
  expect_reason(&e, "property_taken");
  CU_ASSERT_EQUAL(stage_finish(&s, session, "9", &e), ERR_INVALID_ARGUMENT);
  expect_reason(&e, "property_unknown");
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK);
  CU_ASSERT_PTR_NULL(stage_invite(&s, "d30", false, &e));
  expect_reason(&e, "dealer_taken");
  CU_ASSERT_EQUAL(stage_connect(&s, "d31", "3000001", "1//r2", &e), ERR_ALREADY_EXISTS);
  expect_reason(&e, "property_taken");
  stage_close(&s);
}

/* The loader makes of the store's text the dealers that were connected, beside those of a file. */
static struct snapshot *load(const char *file, struct err *e)
{
  AUTO_FREE char *text = stage_dealers(&s);
  struct snapshot *out = NULL;
  const struct sealed_policy policy = {.keyring = s.ring};
  const struct dealers_connected connected = {.text = text, .len = strlen(text)};
  const struct dealers_options options = {.sealed = &policy, .connected = &connected};
  snapshot_parse(&out, "dealers.json", file, strlen(file), &options, e);
  return out;
}

#define FILE_ENTRY(id, property)                                                                   \
  "{\"dealers\":[{\"dealer_id\":\"" id                                                             \
  "\",\"name\":\"N\",\"region\":\"West\",\"properties\":[\"" property                              \
  "\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r\"}}]}"

static void a_connected_dealer_is_one_like_those_of_the_file(void)
{
  struct err e = {0};
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//refresh", &e), ERR_OK);
  AUTO_SNAPSHOT struct snapshot *both = load(FILE_ENTRY("d01", "1"), &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(both);
  CU_ASSERT_EQUAL(both->directory->n_dealers, 2);
  const struct dealer *d = directory_by_id(both->directory, "d30");
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  CU_ASSERT_TRUE(d->connected);
  CU_ASSERT_FALSE(directory_by_id(both->directory, "d01")->connected);
  CU_ASSERT_STRING_EQUAL(d->property_ids[0], "3000001");
  CU_ASSERT_STRING_EQUAL(d->property_labels[0], "Main <site>");
  uint8_t digest[SHA256_SIZE];
  sha256_of("1//refresh", 10, digest);
  CU_ASSERT_TRUE(credential_holds(snapshot_credential(both, d), digest));
  AUTO_SNAPSHOT struct snapshot *alone = load("{\"dealers\":[]}", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(alone);
  CU_ASSERT_EQUAL(alone->directory->n_dealers, 1);
  stage_close(&s);
}

static void a_dealer_or_property_in_both_refuses_the_file_by_name(void)
{
  struct err e = {0};
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//refresh", &e), ERR_OK);
  CU_ASSERT_PTR_NULL(load(FILE_ENTRY("d30", "1"), &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "auth-svc disconnect d30"));
  CU_ASSERT_PTR_NULL(load(FILE_ENTRY("d02", "3000001"), &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "auth-svc disconnect d30"));
  stage_close(&s);
}

static void a_renewal_replaces_the_consent_and_nothing_else(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//old", &e), ERR_OK);
  const char *token = stage_invite(&s, "d30", true, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(token);
  const char *session = stage_start(&s, token, "", &state, &nonce, &e);
  stage_answer(&s, "1//new", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, session, state, "code", "", "", &e), ERR_OK);
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK);
  AUTO_SNAPSHOT struct snapshot *now = load("{\"dealers\":[]}", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(now);
  CU_ASSERT_EQUAL_FATAL(now->directory->n_dealers, 1);
  CU_ASSERT_STRING_EQUAL(now->directory->dealers[0].name, "Lakeside Honda");
  uint8_t digest[SHA256_SIZE];
  sha256_of("1//new", 6, digest);
  CU_ASSERT_TRUE(credential_holds(now->credentials[0], digest));
  stage_close(&s);
}

static void to_forget_one_keeps_the_consent_that_another_rests_on(void)
{
  struct err e = {0};
  struct secret *token = NULL;
  const char *note = NULL;
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//a", &e), ERR_OK);
  CU_ASSERT_EQUAL(stage_connect(&s, "d31", "3000002", "1//b", &e), ERR_OK); /* the same person */
  CU_ASSERT_EQUAL(connect_forget(s.connect, "d30", &token, &note, s.arena, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(token);
  CU_ASSERT_PTR_NOT_NULL(strstr(note, "d31"));
  CU_ASSERT_EQUAL(connect_forget(s.connect, "d31", &token, &note, s.arena, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(secret_text(token), "1//b");
  secret_unref(token);
  CU_ASSERT_EQUAL(connect_forget(s.connect, "d31", &token, &note, s.arena, &e), ERR_NOT_FOUND);
  stage_close(&s);
}

static void what_is_exported_can_be_imported(void)
{
  struct err e = {0};
  struct secret *token = NULL;
  const char *note;
  int32_t n = 0;
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//a", &e), ERR_OK);
  AUTO_FREE char *exported = stage_dealers(&s);
  CU_ASSERT_EQUAL(connect_import(s.connect, exported, s.directory, &n, &e), ERR_ALREADY_EXISTS);
  connect_forget(s.connect, "d30", &token, &note, s.arena, &e);
  secret_unref(token);
  CU_ASSERT_EQUAL(connect_import(s.connect, exported, s.directory, &n, &e), ERR_OK);
  CU_ASSERT_EQUAL(n, 1);
  CU_ASSERT_EQUAL(connect_import(s.connect, FILE_ENTRY("d40", "77"), s.directory, &n, &e), ERR_OK);
  CU_ASSERT_EQUAL(connect_import(s.connect, FILE_ENTRY("d41", "2000001"), s.directory, &n, &e),
                  ERR_ALREADY_EXISTS);
  CU_ASSERT_EQUAL(
      connect_import(s.connect, FILE_ENTRY("d42", "properties/77"), s.directory, &n, &e),
      ERR_ALREADY_EXISTS); /* by either way to write it */
  expect_reason(&e, "property_taken");
  AUTO_FREE char *file = stage_file(&s);
  CU_ASSERT_PTR_NULL(strstr(file, "\"refresh_token\":\"r\"")); /* in the clear no longer */
  AUTO_SNAPSHOT struct snapshot *now = load("{\"dealers\":[]}", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(now);
  CU_ASSERT_EQUAL(now->directory->n_dealers, 2);
  stage_close(&s);
}

TEST_MAIN("auth_connect_consent", TEST(a_good_consent_connects_and_uses_the_link_up),
          TEST(the_code_is_exchanged_with_its_verifier_and_redirect),
          TEST(an_answer_that_lacks_something_connects_nobody),
          TEST(a_redirect_is_checked_before_google_is_asked),
          TEST(a_code_is_taken_once_and_by_its_browser),
          TEST(a_link_belongs_to_the_consent_that_came_first), TEST(links_end),
          TEST(who_is_there_already_is_refused_by_name),
          TEST(a_connected_dealer_is_one_like_those_of_the_file),
          TEST(a_dealer_or_property_in_both_refuses_the_file_by_name),
          TEST(a_renewal_replaces_the_consent_and_nothing_else),
          TEST(to_forget_one_keeps_the_consent_that_another_rests_on),
          TEST(what_is_exported_can_be_imported))
