/* What the store of connected dealers survives, and what is on disk of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/mem.h"
#include "tests/unit/auth/connect/stage.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

static struct stage s;

static void no_secret_is_on_disk(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  const char *token = stage_invite(&s, "d31", false, &e);
  const char *session = stage_start(&s, token, "", &state, &nonce, &e);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//refresh", &e), ERR_OK);
  AUTO_FREE char *file = stage_file(&s);
  const char *const secrets[] = {token, session, state, "1//refresh", "client-secret"};
  for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
    CU_ASSERT_PTR_NULL(strstr(file, secrets[i]));
  CU_ASSERT_PTR_NOT_NULL(strstr(file, "v1:k1:"));
  stage_close(&s);
}

static void a_restart_between_consent_and_redirect_loses_nothing(void)
{
  struct err e = {0};
  const char *state, *nonce;
  stage_open(&s);
  const char *token = stage_invite(&s, "d30", false, &e);
  stage_reopen(&s);
  const char *session = stage_start(&s, token, "", &state, &nonce, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(session);
  stage_reopen(&s);
  stage_answer(&s, "1//refresh", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, session, state, "code", "", "", &e), ERR_OK);
  stage_reopen(&s);
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000001", &e), ERR_OK);
  stage_reopen(&s);
  AUTO_FREE char *dealers = stage_dealers(&s);
  CU_ASSERT_PTR_NOT_NULL(strstr(dealers, "\"d30\""));
  stage_close(&s);
}

static void limit_files(rlim_t bytes)
{
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &limit);
}

static void a_change_that_is_not_stored_is_not_made(void)
{
  struct err e = {0};
  const char *state, *nonce;
  if (stage_database() != NULL)
    return; /* a limit on files is none on the server's */
  signal(SIGXFSZ, SIG_IGN);
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//a", &e), ERR_OK);
  const char *token = stage_invite(&s, "d31", false, &e);
  const char *session = stage_start(&s, token, "", &state, &nonce, &e);
  stage_answer(&s, "1//b", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&s, session, state, "code", "", "", &e), ERR_OK);
  limit_files(64);
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000002", &e), ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.reason, "state_unwritable");
  limit_files(RLIM_INFINITY);
  AUTO_FREE char *dealers = stage_dealers(&s);
  CU_ASSERT_PTR_NULL(strstr(dealers, "\"d31\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(dealers, "\"d30\""));
  CU_ASSERT_EQUAL(stage_finish(&s, session, "3000002", &e), ERR_OK); /* the disk is back */
  stage_reopen(&s);
  AUTO_FREE char *both = stage_dealers(&s);
  CU_ASSERT_PTR_NOT_NULL(strstr(both, "\"d31\""));
  stage_close(&s);
}

static void a_new_key_seals_everything_again(void)
{
  struct err e = {0};
  struct key_use use = {0};
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//a", &e), ERR_OK);
  struct keyring *only_new = stage_ring(STAGE_KEY_2), *both = stage_ring(STAGE_KEY_2 STAGE_KEY_1);
  CU_ASSERT_EQUAL(connect_store_check_keyring(s.store, only_new, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_EQUAL(connect_store_check_keyring(s.store, both, &e), ERR_OK);
  connect_store_set_keyring(s.store, both);
  connect_store_key_use(s.store, &use);
  CU_ASSERT_EQUAL(use.n, 1);
  CU_ASSERT_STRING_EQUAL(use.keys[0].id, "k2");
  CU_ASSERT_EQUAL(connect_store_check_keyring(s.store, only_new, &e), ERR_OK);
  keyring_unref(s.ring);
  s.ring = only_new;
  stage_reopen(&s); /* opens with the new key alone */
  keyring_unref(both);
  stage_close(&s);
}

static enum err_code open_now(struct err *e)
{
  struct connect_store *store = NULL;
  const struct connect_store_options options = stage_store(&s);
  enum err_code code = connect_store_open(&store, &options, e);
  connect_store_close(store);
  return code;
}

static void a_file_that_is_not_ours_is_refused_and_left_alone(void)
{
  struct err e = {0};
  if (stage_database() != NULL)
    return;
  stage_open(&s);
  CU_ASSERT_EQUAL(stage_connect(&s, "d30", "3000001", "1//a", &e), ERR_OK);
  CU_ASSERT_EQUAL(open_now(&e), ERR_UNAVAILABLE); /* we have it */
  CU_ASSERT_STRING_EQUAL(e.reason, "state_in_use");
  AUTO_FREE char *good = stage_file(&s);
  AUTO_FREE char *dir = xasprintf("%s/connect", s.dir);
  connect_store_close(s.store);
  folder_write(dir, "connected", "{\"invites\":[]}");
  CU_ASSERT_EQUAL(open_now(&e), ERR_DATA_LOSS);
  AUTO_FREE char *still = stage_file(&s);
  CU_ASSERT_STRING_EQUAL(still, "{\"invites\":[]}");
  char *moved = strstr(good, "v1:k1:"); /* a value that was changed */
  moved[20] = moved[20] == 'A' ? 'B' : 'A';
  folder_write(dir, "connected", good);
  CU_ASSERT_NOT_EQUAL(open_now(&e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "d30"));
  folder_write(dir, "connected", "{\"invites\":[],\"sessions\":[],\"dealers\":[]}");
  folder_write(dir, "connected.new", "half a"); /* of a process that was killed */
  const struct connect_store_options options = stage_store(&s);
  CU_ASSERT_EQUAL(connect_store_open(&s.store, &options, &e), ERR_OK);
  stage_close(&s);
}

TEST_MAIN("auth_connect_store", TEST(no_secret_is_on_disk),
          TEST(a_restart_between_consent_and_redirect_loses_nothing),
          TEST(a_change_that_is_not_stored_is_not_made), TEST(a_new_key_seals_everything_again),
          TEST(a_file_that_is_not_ours_is_refused_and_left_alone))
