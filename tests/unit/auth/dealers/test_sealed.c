/* Sealed dealers files: readable, bound to their places, opened by the loader. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

#define KEY_A "a: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "b: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define DEALER(id, secret, token)                                                                  \
  "{\"dealer_id\":\"" id "\", \"name\":\"N \\u00e9 " id "\",\t\"region\":\"W\",\n"                 \
  "  \"oauth\": {\"client_id\":\"c\", \"client_secret\" : \"" secret "\",\n"                       \
  "   \"refresh_token\":\"" token "\"}, \"properties\": [ \"1" id "\" ] }"
/* Property ids are digits, so dealers are too. */
#define PLAIN                                                                                      \
  "{ \"dealers\" : [\n" DEALER("01", "s3cret-1\\\"",                                               \
                               "r3fresh-1") ",\n" DEALER("02", "s3cret-2", "r3fresh-2") "\n] }\n"

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

/* Seals what is plain, seals again what another key sealed. */
static enum err_code to_primary(void *user, const struct sealed_value *v, enum sealed_edit *edit,
                                struct buf *out, struct err *e)
{
  struct keyring *k = user;
  AUTO_SECRET struct secret *plain = NULL;
  const struct keyring_record record = sealed_record(v->place);
  *edit = SEALED_AS_SEALED;
  if (!v->is_sealed)
    return keyring_seal(out, k, &record, v->text, v->len, e);
  enum err_code code = keyring_open(&plain, k, &record, v->text, v->len, e);
  return code != ERR_OK ? code
                        : keyring_seal(out, k, &record, secret_text(plain), secret_len(plain), e);
}

static enum err_code to_plain(void *user, const struct sealed_value *v, enum sealed_edit *edit,
                              struct buf *out, struct err *e)
{
  AUTO_SECRET struct secret *plain = NULL;
  const struct keyring_record record = sealed_record(v->place);
  enum err_code code = keyring_open(&plain, user, &record, v->text, v->len, e);
  *edit = SEALED_AS_PLAIN;
  if (code == ERR_OK)
    buf_append(out, secret_text(plain), secret_len(plain));
  return code;
}

static char *edited(const char *text, sealed_visit *visit, struct keyring *k)
{
  struct buf out = BUF_INIT(1 << 20);
  struct err e = {0};
  enum err_code code = sealed_text_edit(&out, "f.json", text, strlen(text), visit, k, &e);
  if (code != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  return buf_take(&out, NULL);
}

static enum err_code load(const char *text, const struct sealed_policy *policy, struct err *e)
{
  struct snapshot *s = NULL;
  *e = (struct err){0};
  enum err_code code = snapshot_parse(&s, "f.json", text, strlen(text),
                                      &(struct dealers_options){.sealed = policy}, e);
  snapshot_unref(s);
  return code;
}

/* Swaps the first places of two texts of one length. */
static void swap(char *text, const char *a, const char *b)
{
  size_t n = strcspn(a, "\""); /* sealed texts hold no quote */
  CU_ASSERT_EQUAL_FATAL(n, strcspn(b, "\""));
  char *copy = xstrndup(a, n);
  memcpy(text + (a - text), b, n);
  memcpy(text + (b - text), copy, n);
  free(copy);
}

/* Every value that may differ becomes one word, so that the rest can be compared. */
static void mask_secrets(cJSON *j)
{
  static const char *const names[] = {"client_secret", "refresh_token", "private_key", "X-Any"};
  for (cJSON *c = j->child; c != NULL; c = c->next) {
    bool secret = false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
      secret = secret || (c->string != NULL && strcmp(c->string, names[i]) == 0);
    if (!secret) {
      mask_secrets(c);
      continue;
    }
    cJSON_Delete(c->child);
    cJSON_free(c->valuestring);
    c->child = NULL;
    c->valuestring = xstrdup("(secret)");
    c->type = cJSON_String;
  }
}

/* The JSON of a text without white space, keys in their order; secrets masked if wanted. */
static char *json_of(const char *text, bool mask)
{
  AUTO_JSON cJSON *root = cJSON_Parse(text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(root);
  if (mask)
    mask_secrets(root);
  return cJSON_PrintUnformatted(root);
}

static void expect_same_json(const char *a, const char *b, bool mask)
{
  AUTO_FREE char *one = json_of(a, mask), *two = json_of(b, mask);
  CU_ASSERT_STRING_EQUAL(one, two);
}

static void sealing_changes_the_secrets_and_nothing_else(void)
{
  struct keyring *k = ring_of(KEY_A);
  AUTO_FREE char *sealed = edited(PLAIN, to_primary, k);
  AUTO_FREE char *plain = edited(sealed, to_plain, k);
  CU_ASSERT_PTR_NULL(strstr(sealed, "s3cret"));
  CU_ASSERT_PTR_NULL(strstr(sealed, "r3fresh"));
  CU_ASSERT_PTR_NOT_NULL(strstr(sealed, "\"client_secret\": {\n"));
  expect_same_json(sealed, PLAIN, true);
  expect_same_json(plain, PLAIN, false);
  keyring_unref(k);
}

/* So a diff of a rotation shows the sealed values alone. */
static void sealing_again_changes_no_other_line(void)
{
  struct keyring *old = ring_of(KEY_A), *both = ring_of(KEY_B "\n" KEY_A);
  AUTO_FREE char *before = edited(PLAIN, to_primary, old);
  AUTO_FREE char *after = edited(before, to_primary, both);
  const char *a = before, *b = after;
  size_t changed = 0;
  while (*a != '\0' && *b != '\0') {
    size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
    bool sealed = memmem(a, n, "\"sealed\": \"v1:a:", 15) != NULL;
    changed += sealed;
    CU_ASSERT_EQUAL(n == m && memcmp(a, b, n) == 0, !sealed);
    CU_ASSERT_EQUAL(memmem(b, m, "\"sealed\": \"v1:b:", 15) != NULL, sealed);
    a += n + (a[n] != '\0');
    b += m + (b[m] != '\0');
  }
  CU_ASSERT_EQUAL(changed, 4);
  CU_ASSERT_TRUE(*a == '\0' && *b == '\0');
  keyring_unref(old);
  keyring_unref(both);
}

static void the_loader_opens_what_is_sealed(void)
{
  struct keyring *k = ring_of(KEY_A);
  AUTO_FREE char *sealed = edited(PLAIN, to_primary, k);
  struct sealed_policy policy = {.keyring = k, .require_sealed = true};
  struct snapshot *a = NULL, *b = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(snapshot_parse(&a, "f", sealed, strlen(sealed),
                                       &(struct dealers_options){.sealed = &policy}, &e),
                        ERR_OK);
  CU_ASSERT_EQUAL_FATAL(snapshot_parse(&b, "f", PLAIN, strlen(PLAIN), NULL, &e), ERR_OK);
  for (size_t i = 0; i < 2; i++) /* digests over every secret */
    CU_ASSERT_EQUAL(memcmp(a->credentials[i]->fingerprint, b->credentials[i]->fingerprint, 32), 0);
  snapshot_unref(a);
  snapshot_unref(b);
  keyring_unref(k);
}

static void without_the_key_the_first_dealer_and_field_are_named(void)
{
  struct keyring *k = ring_of(KEY_A), *other = ring_of(KEY_B);
  AUTO_FREE char *sealed = edited(PLAIN, to_primary, k);
  struct sealed_policy policy = {.keyring = other};
  struct err e;
  CU_ASSERT_EQUAL(load(sealed, NULL, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message,
                         "f.json line 8: dealers[0].oauth.client_secret (dealer \"01\"): sealed "
                         "with key \"a\", but AUTH_KEYRING_FILE is not set");
  CU_ASSERT_EQUAL(load(sealed, &policy, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message,
                         "f.json line 8: dealers[0].oauth.client_secret (dealer \"01\"): sealed "
                         "with key \"a\", which is not on the keyring: add it to "
                         "AUTH_KEYRING_FILE");
  keyring_unref(k);
  keyring_unref(other);
}

/* The n-th sealed text of the file. */
static char *nth_sealed(char *text, int n)
{
  for (char *p = text; (p = strstr(p, "v1:a:")) != NULL; p++)
    if (n-- == 0)
      return p;
  return NULL;
}

static void a_value_moved_to_another_dealer_or_field_does_not_open(void)
{
  struct keyring *k = ring_of(KEY_A);
  const struct sealed_policy policy = {.keyring = k};
  static const char plain[] =
      "[" DEALER("01", "12345678", "12345678") "," DEALER("02", "12345678", "12345678") "]";
  static const int pairs[][2] = {{0, 1}, {0, 2}, {1, 3}, {0, 3}};
  AUTO_FREE char *text = edited(plain, to_primary, k);
  for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
    struct err e;
    char *a = nth_sealed(text, pairs[i][0]), *b = nth_sealed(text, pairs[i][1]);
    swap(text, a, b);
    CU_ASSERT_EQUAL(load(text, &policy, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "moved here from another dealer or field"));
    swap(text, a, b);
    CU_ASSERT_EQUAL(load(text, &policy, &e), ERR_OK);
  }
  keyring_unref(k);
}

static void dealers_may_change_places_and_names(void)
{
  struct keyring *k = ring_of(KEY_A);
  const struct sealed_policy policy = {.keyring = k};
  AUTO_FREE char *one = edited("[" DEALER("01", "s", "r") "]", to_primary, k);
  AUTO_FREE char *two = edited("[" DEALER("02", "s", "r") "]", to_primary, k);
  AUTO_FREE char *both = xasprintf("[%.*s,%s", (int)strlen(two) - 3, two + 1, one + 1);
  char *name = strstr(both, "N \u00e9");
  struct err e;
  CU_ASSERT_PTR_NOT_NULL_FATAL(name);
  *name = 'M';
  CU_ASSERT_EQUAL(load(both, &policy, &e), ERR_OK);
  char *id = strstr(both, "\"dealer_id\": \"01\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(id);
  id[15] = '3'; /* an id is what a secret is bound to */
  CU_ASSERT_EQUAL(load(both, &policy, &e), ERR_INVALID_ARGUMENT);
  keyring_unref(k);
}

static void mixed_files_are_refused_unless_allowed(void)
{
  struct keyring *k = ring_of(KEY_A);
  AUTO_FREE char *sealed = edited("[" DEALER("01", "s", "r") "]", to_primary, k);
  *strrchr(sealed, ']') = '\0';
  AUTO_FREE char *mixed = xasprintf("%s,\n" DEALER("02", "s3cret", "r") "]", sealed);
  struct sealed_policy policy = {.keyring = k};
  struct err e;
  CU_ASSERT_EQUAL(load(mixed, &policy, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "[1].oauth.client_secret (dealer \"02\"): is in the "
                                           "clear while 2 other secrets of the file are sealed"));
  CU_ASSERT_PTR_NULL(strstr(e.message, "s3cret"));
  policy.allow_mixed = true;
  CU_ASSERT_EQUAL(load(mixed, &policy, &e), ERR_OK);
  keyring_unref(k);
}

static void plain_files_load_unless_sealing_is_required(void)
{
  struct sealed_policy policy = {.keyring = NULL};
  struct err e;
  CU_ASSERT_EQUAL(load(PLAIN, &policy, &e), ERR_OK);
  policy.require_sealed = true;
  CU_ASSERT_EQUAL(load(PLAIN, &policy, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealers[0].oauth.client_secret (dealer \"01\"): is in "
                                           "the clear and AUTH_REQUIRE_SEALED=true"));
}

static void a_key_is_changed_while_files_of_the_old_one_still_load(void)
{
  struct keyring *old = ring_of(KEY_A), *both = ring_of(KEY_B "\n" KEY_A), *new = ring_of(KEY_B);
  AUTO_FREE char *before = edited(PLAIN, to_primary, old);
  AUTO_FREE char *after = edited(before, to_primary, both);
  const struct sealed_policy with_old = {.keyring = old}, with_both = {.keyring = both},
                             with_new = {.keyring = new};
  struct err e;
  CU_ASSERT_EQUAL(load(before, &with_both, &e), ERR_OK);
  CU_ASSERT_EQUAL(load(after, &with_both, &e), ERR_OK);
  CU_ASSERT_EQUAL(load(after, &with_new, &e), ERR_OK);
  CU_ASSERT_NOT_EQUAL(load(after, &with_old, &e), ERR_OK);
  CU_ASSERT_NOT_EQUAL(load(before, &with_new, &e), ERR_OK);
  keyring_unref(old);
  keyring_unref(both);
  keyring_unref(new);
}

static void misshapen_seals_are_named(void)
{
  static const char *const values[] = {
      "{\"sealed\": 5}",
      "{\"sealed\": \"v1:a:AAAA\"}",
      "{\"sealed\": \"x\", \"more\": 1}",
      "{\"sealed\": \"\"}",
      "{\"sealed\": \"v2:a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
  };
  struct keyring *k = ring_of(KEY_A);
  const struct sealed_policy policy = {.keyring = k};
  for (size_t i = 0; i < ARRAY_LEN(values); i++) {
    AUTO_FREE char *text =
        xasprintf("[{\"dealer_id\":\"01\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],"
                  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":%s,\"refresh_token\":\"r\"}}]",
                  values[i]);
    struct err e;
    CU_ASSERT_EQUAL(load(text, &policy, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "[0].oauth.client_secret (dealer \"01\"): "));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "v1:<key id>:<base64>"));
  }
  keyring_unref(k);
}

static void secrets_are_found_at_any_depth(void)
{
  static const char text[] = "[{\"account_id\":\"a1\",\"credential\":{\"private_key\":\"s3cret-k\","
                             "\"source\":[{\"headers\":"
                             "{\"X-Any\":\"s3cret-h\"},\"client_email\":\"open\"}]}}]";
  struct keyring *k = ring_of(KEY_A);
  AUTO_FREE char *sealed = edited(text, to_primary, k);
  AUTO_FREE char *plain = edited(sealed, to_plain, k);
  CU_ASSERT_PTR_NULL(strstr(sealed, "s3cret"));
  expect_same_json(sealed, text, true);
  expect_same_json(plain, text, false);
  keyring_unref(k);
}

static void a_dealer_without_an_id_cannot_be_sealed(void)
{
  static const char text[] = "[{\"name\":\"N\",\"oauth\":{\"client_secret\":\"s3cret\"}}]";
  struct keyring *k = ring_of(KEY_A);
  AUTO_BUF struct buf out = BUF_INIT(4096);
  struct err e = {0};
  CU_ASSERT_EQUAL(sealed_text_edit(&out, "f.json", text, strlen(text), to_primary, k, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "give the dealer a dealer_id"));
  CU_ASSERT_EQUAL(out.len, 0);
  keyring_unref(k);
}

static void a_file_that_does_not_fit_is_an_error(void)
{
  struct keyring *k = ring_of(KEY_A);
  AUTO_FREE char *sealed = edited(PLAIN, to_primary, k);
  for (size_t max = 1; max < strlen(sealed) + 16; max += 7) {
    AUTO_BUF struct buf out = BUF_SECRET(max);
    struct err e = {0};
    enum err_code code = sealed_text_edit(&out, "f.json", PLAIN, strlen(PLAIN), to_primary, k, &e);
    if (code == ERR_OK)
      CU_ASSERT_EQUAL(out.len, strlen(sealed))
    else
      CU_ASSERT_STRING_EQUAL(e.message, "f.json: the file would become too large");
    if (max < strlen(sealed))
      CU_ASSERT_EQUAL(code, ERR_RESOURCE_EXHAUSTED);
  }
  keyring_unref(k);
}

TEST_MAIN("auth sealed file", TEST(a_file_that_does_not_fit_is_an_error),
          TEST(sealing_changes_the_secrets_and_nothing_else),
          TEST(sealing_again_changes_no_other_line), TEST(the_loader_opens_what_is_sealed),
          TEST(without_the_key_the_first_dealer_and_field_are_named),
          TEST(a_value_moved_to_another_dealer_or_field_does_not_open),
          TEST(dealers_may_change_places_and_names), TEST(mixed_files_are_refused_unless_allowed),
          TEST(plain_files_load_unless_sealing_is_required),
          TEST(a_key_is_changed_while_files_of_the_old_one_still_load),
          TEST(misshapen_seals_are_named), TEST(secrets_are_found_at_any_depth),
          TEST(a_dealer_without_an_id_cannot_be_sealed))
