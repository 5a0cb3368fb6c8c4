/* The dealers file: what is taken, and how what is not is refused. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/config/snapshot.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define OAUTH                                                                                      \
  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\"}"
#define BASE "\"name\":\"N\",\"region\":\"West\",\"properties\":[\"1\"]," OAUTH

static void loads_the_documented_form(void)
{
  struct snapshot *s = world_parse(
      "{\"dealers\":[\n"
      " {\"dealer_id\":\"d2\",\"account_id\":\"acc\",\"name\":\"Two\",\"region\":\"West\",\n"
      "  \"city\":\"Reno\",\"state\":\"NV\",\"owner\":\"O\",\"groups\":[\"g1\",\"g2\"],\n"
      "  \"lead_event\":\"generate_lead\",\"time_zone\":\"America/Chicago\",\n"
      "  \"properties\":[\"10\",\"properties/11\",{\"property_id\":\"12\",\"display_name\":\"x\"},"
      "{\"property_id\":\"properties/13\"}]," OAUTH "},\n"
      " {\"dealer_id\":\"d1\",\"name\":\"One\",\"region\":\"west\",\"properties\":[\"20\"]," OAUTH
      "}]}");
  const struct directory *d = s->directory;
  CU_ASSERT_EQUAL_FATAL(d->n_dealers, 2);
  CU_ASSERT_STRING_EQUAL(d->dealers[0].dealer_id, "d1");
  CU_ASSERT_STRING_EQUAL(d->dealers[0].account_id, "d1"); /* takes the other's place */
  CU_ASSERT_STRING_EQUAL(d->dealers[0].city, "");
  const struct dealer *two = directory_by_account(d, "acc");
  CU_ASSERT_PTR_NOT_NULL_FATAL(two);
  CU_ASSERT_STRING_EQUAL(two->dealer_id, "d2");
  CU_ASSERT_EQUAL(two->n_property_ids, 4);
  CU_ASSERT_STRING_EQUAL(two->property_ids[3], "13");
  CU_ASSERT_PTR_EQUAL(directory_by_property(d, "12"), two);
  CU_ASSERT_PTR_NULL(directory_by_property(d, "properties/12"));
  CU_ASSERT_STRING_EQUAL(two->lead_event, "generate_lead");
  CU_ASSERT_TRUE(dealer_in_group(two, "G2"));
  CU_ASSERT_EQUAL(d->n_regions, 1); /* letter case makes no second region */
  CU_ASSERT_EQUAL(directory_region(d, "WEST"), 0);
  CU_ASSERT_STRING_EQUAL(s->credentials[0]->kind->name, "authorized_user");
  uint8_t digest[SHA256_SIZE];
  sha256_of("r3fresh", 7, digest);
  CU_ASSERT_TRUE(credential_holds(snapshot_credential(s, two), digest));
  snapshot_unref(s);
}

static void properties_have_a_name_and_a_type(void)
{
  struct snapshot *s = world_parse(
      "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"West\"," OAUTH ",\"properties\":["
      "{\"property_id\":\"1\",\"name\":\"Main Website\",\"type\":\"web\"},"
      "{\"property_id\":\"2\",\"display_name\":\"Shop\"},"
      "{\"property_id\":\"3\",\"type\":\"ios\"},\"4\"]}]");
  static const char *const expected[] = {"Main Website (web)", "Shop", "ios", ""};
  const struct dealer *d = &s->directory->dealers[0];
  CU_ASSERT_EQUAL_FATAL(d->n_property_ids, 4);
  for (size_t i = 0; i < 4; i++)
    CU_ASSERT_STRING_EQUAL(d->property_labels[i], expected[i]);
  CU_ASSERT_TRUE(dealer_has_labels(d));
  snapshot_unref(s);
  s = world_parse("[{\"account_id\":\"a\"," BASE "}]");
  CU_ASSERT_FALSE(dealer_has_labels(&s->directory->dealers[0]));
  snapshot_unref(s);
}

/* The example that customers start from, word for word: digits as account ids, an object for each
 * property. */
#define SAMPLE(account, dealer, name, city, property)                                              \
  "    {\n"                                                                                        \
  "      \"account_id\": \"" account "\",\n"                                                       \
  "      \"dealer_id\": \"" dealer "\",\n"                                                         \
  "      \"name\": \"" name "\",\n"                                                                \
  "      \"region\": \"northeast\",\n"                                                             \
  "      \"city\": \"" city "\",\n"                                                                \
  "      \"state\": \"MA\",\n"                                                                     \
  "      \"oauth\": {\n"                                                                           \
  "        \"client_id\": \"YOUR_CLIENT_ID.apps.googleusercontent.com\",\n"                        \
  "        \"client_secret\": \"GOCSPX-YOUR_CLIENT_SECRET\",\n"                                    \
  "        \"refresh_token\": \"1//YOUR_REFRESH_TOKEN\",\n"                                        \
  "        \"token_uri\": \"https://oauth2.googleapis.com/token\"\n"                               \
  "      },\n"                                                                                     \
  "      \"properties\": [\n"                                                                      \
  "        {\n"                                                                                    \
  "          \"property_id\": \"" property "\",\n"                                                 \
  "          \"name\": \"Main Website\",\n"                                                        \
  "          \"type\": \"web\"\n"                                                                  \
  "        }\n"                                                                                    \
  "      ]\n"                                                                                      \
  "    }"

static void the_example_customers_start_from_loads(void)
{
  struct snapshot *s = world_parse("{\n  \"dealers\": [\n" SAMPLE(
      "12345678", "dealer_001", "Sample Dealer - Downtown", "Boston",
      "123456789") ",\n" SAMPLE("87654321", "dealer_002", "Sample Dealer - Westside", "Cambridge",
                                "987654321") "\n  ]\n}\n");
  const struct dealer *d = directory_by_account(s->directory, "87654321");
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  CU_ASSERT_STRING_EQUAL(d->dealer_id, "dealer_002");
  CU_ASSERT_STRING_EQUAL(d->city, "Cambridge");
  CU_ASSERT_STRING_EQUAL(d->state, "MA");
  CU_ASSERT_STRING_EQUAL(d->property_ids[0], "987654321");
  CU_ASSERT_STRING_EQUAL(d->property_labels[0], "Main Website (web)");
  CU_ASSERT_EQUAL(s->directory->n_dealers, 2);
  snapshot_unref(s);
}

/* The other example, without places and without properties: those are found in Google. */
#define SHORT_SAMPLE(account, dealer, name, secret)                                                \
  "    {\n"                                                                                        \
  "      \"account_id\": \"" account "\",\n"                                                       \
  "      \"dealer_id\": \"" dealer "\",\n"                                                         \
  "      \"name\": \"" name "\",\n"                                                                \
  "      \"region\": \"northeast\",\n"                                                             \
  "      \"oauth\": {\n"                                                                           \
  "        \"client_id\": \"" secret ".apps.googleusercontent.com\",\n"                            \
  "        \"client_secret\": \"GOCSPX-" secret "\",\n"                                            \
  "        \"refresh_token\": \"1//" secret "\",\n"                                                \
  "        \"token_uri\": \"https://oauth2.googleapis.com/token\"\n"                               \
  "      }\n"                                                                                      \
  "    }"

static void the_example_without_properties_loads(void)
{
  struct snapshot *s = world_parse("{\n  \"dealers\": [\n" SHORT_SAMPLE(
      "12345678", "dealer_123", "Acme Auto - Downtown",
      "xxx") ",\n" SHORT_SAMPLE("87654321", "dealer_456", "Acme Auto - Westside",
                                "yyy") "\n  ]\n}\n");
  CU_ASSERT_EQUAL_FATAL(s->directory->n_dealers, 2);
  CU_ASSERT_EQUAL(s->directory->n_properties, 0);
  const struct dealer *d = directory_by_id(s->directory, "dealer_456");
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  CU_ASSERT_STRING_EQUAL(d->name, "Acme Auto - Westside");
  CU_ASSERT_STRING_EQUAL(d->account_id, "87654321");
  CU_ASSERT_EQUAL(d->n_property_ids, 0);
  CU_ASSERT_FALSE(dealer_has_labels(d));
  snapshot_unref(s);
}

static void loads_a_bare_array_and_an_account_alone(void)
{
  struct snapshot *s = world_parse("[{\"account_id\":\"a\"," BASE "}]");
  CU_ASSERT_STRING_EQUAL(s->directory->dealers[0].dealer_id, "a");
  snapshot_unref(s);
}

struct bad {
  const char *text;
  const char *expect; /* part of the message */
};

static void check_bad(const struct bad *b)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  enum err_code code = snapshot_parse(&s, "dealers.json", b->text, strlen(b->text), NULL, &e);
  bool good = code == ERR_INVALID_ARGUMENT && strstr(e.message, b->expect) != NULL &&
              strstr(e.message, "s3cret") == NULL && strstr(e.message, "r3fresh") == NULL;
  if (!good)
    printf("\n  text   %s\n  want   %s\n  got    %s\n", b->text, b->expect, e.message);
  CU_ASSERT_TRUE(good);
  if (code == ERR_OK)
    snapshot_unref(s);
}

static void names_file_line_field_and_dealer_of_every_fault(void)
{
  static const struct bad table[] = {
      {"{\"dealers\":[\n{\"dealer_id\":\"d1\"," BASE "},\n{\"dealer_id\":\"d2\",\"name\":\"N\","
       "\"region\":\"W\",\n\"properties\":[\"2\"],\"oauth\":{\"client_id\":\"c\",\n"
       "\"client_secret\":\"s3cret\",\n\"refresh_token\":\"\"}}]}",
       "dealers.json line 6: dealers[1].oauth.refresh_token (dealer \"d2\"): must be a non-empty "
       "string"},
      {"{\"dealers\":[\n\n{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\n"
       "\"properties\":[\"2\"],\n\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\"}}]}",
       "dealers.json line 5: dealers[0].oauth.refresh_token (dealer \"d1\"): missing"},
      {"[\n{\"account_id\":\"a\",\"name\":7," OAUTH "}]",
       "dealers.json line 2: [0].name (dealer \"a\"): must be a non-empty string"},
      {"[\n{\"name\":\"N\"}]", "line 2: [0].dealer_id: missing; give dealer_id, account_id"},
      {"[\n7]", "line 2: [0]: must be an object"},
      {"{\"dealers\":\n{}}", "line 2: dealers: must be an array of dealers"},
      {"{\"dealers\":[]}", "dealers: has 0 dealers"},
      {"[]", "has 0 dealers"},
      {"7", "dealers.json line 1: must be an object with \"dealers\", or an array of dealers"},
      {"{}", "dealers.json line 1: dealers: missing; must be an array"},
      {"{\"$schema\":1,\"dealers\":[]}", "line 1: $schema: must be a string"},
      {"{\"dealers\":[],\n\"extra\":1}", "line 2: extra: unknown key"},
      {"{\"dealers\":[\n{\"dealer_id\":\"d1\",\n\"nmae\":\"N\"," BASE "}]}",
       "line 3: dealers[0].nmae (dealer \"d1\"): unknown key; did you mean \"name\"?"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],\"oauth\":"
       "{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_tokn\":\"r3fresh\"}}]",
       "[0].oauth.refresh_tokn (dealer \"d1\"): unknown key; did you mean \"refresh_token\"?"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"properties\":[\"1\"]," OAUTH "}]",
       "[0].region (dealer \"d1\"): missing"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[]," OAUTH "}]",
       "[0].properties (dealer \"d1\"): must be a non-empty array"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\",\n\"x1\"]"
       "," OAUTH "}]",
       "line 2: [0].properties[1] (dealer \"d1\"): must be a GA4 property id"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[12]," OAUTH "}]",
       "[0].properties[0] (dealer \"d1\"): must be a GA4 property id"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[{\"id\":\"1\"}]"
       "," OAUTH "}]",
       "[0].properties[0].id (dealer \"d1\"): unknown key"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[{\"property_id\":"
       "\"UA-1\"}]," OAUTH "}]",
       "[0].properties[0].property_id (dealer \"d1\"): must be a GA4 property id"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\"," OAUTH ",\"properties\":["
       "{\"property_id\":\"1\",\"type\":\"watch\"}]}]",
       "[0].properties[0] (dealer \"d1\"): type must be one of web, ios, android, app"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\"," OAUTH ",\"properties\":["
       "{\"property_id\":\"1\",\"name\":\"a\",\"display_name\":\"b\"}]}]",
       "[0].properties[0] (dealer \"d1\"): name and display_name mean the same; give one of them"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"]}]",
       "[0] (dealer \"d1\"): has no credential; give exactly one of oauth, service_account"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],\"oauth\":"
       "{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\","
       "\"token_uri\":\"ftp://x/\"}}]",
       "[0].oauth.token_uri (dealer \"d1\"): must be an https URL"},
      {"[{\"dealer_id\":\"d1\"," BASE "},\n{\"dealer_id\":\"d1\"," BASE "}]",
       "line 2: [1].dealer_id (dealer \"d1\"): \"d1\" is used by dealers[0] (dealer \"d1\") "
       "already"},
      {"[{\"dealer_id\":\"d1\",\"account_id\":\"a\"," BASE
       "},\n{\"dealer_id\":\"d2\",\"account_id\":\"a\"," BASE "}]",
       "line 2: [1].account_id (dealer \"d2\"): \"a\" is used by dealers[0] (dealer \"d1\") "
       "already"},
      {"[{\"dealer_id\":\"d1\",\"account_id\":\"d2\"," BASE "},\n{\"dealer_id\":\"d2\"," BASE "}]",
       "[1].dealer_id (dealer \"d2\"): \"d2\" is used by dealers[0] (dealer \"d1\") already"},
      {"[{\"dealer_id\":\"d1\"," BASE "},\n{\"dealer_id\":\"d2\"," BASE "}]",
       "line 2: [1].properties[0] (dealer \"d2\"): property 1 belongs to dealers[0] (dealer "
       "\"d1\") already"},
      {"[{\"dealer_id\":\"d1\"," BASE
       "},\n{\"dealer_id\":\"d2\",\"name\":\"N\",\"region\":\"W\"," OAUTH "}]",
       "[1].properties (dealer \"d2\"): missing, and dealers[0] (dealer \"d1\") has the same "
       "credential"},
      {"[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\"," OAUTH
       "},\n{\"dealer_id\":\"d2\"," BASE "}]",
       "line 1: [0].properties (dealer \"d1\"): missing, and dealers[1] (dealer \"d2\") has the "
       "same credential: which properties are whose cannot be found in Google Analytics; name "
       "them"},
      {"[{\"dealer_id\":\"d 1\"," BASE "}]", "[0].dealer_id (dealer \"d 1\"): may hold letters"},
      {"[{\"dealer_id\":\"~d1\"," BASE "}]", "[0].dealer_id (dealer \"~d1\"): may hold letters"},
      {"[{\"dealer_id\":\"d1\",\"groups\":\"g\"," BASE "}]",
       "[0].groups (dealer \"d1\"): must be an array of strings"},
      {"[{\"dealer_id\":\"d1\",\"groups\":[\"\"]," BASE "}]",
       "[0].groups[0] (dealer \"d1\"): must be a non-empty string"},
      {"[{\"dealer_id\":\"d1\",\"lead_event\":\"1 lead\"," BASE "}]",
       "[0].lead_event (dealer \"d1\"): must be a GA4 event name"},
      {"[{\"dealer_id\":\"d1\",\"time_zone\":\"Mars Time\"," BASE "}]",
       "[0].time_zone (dealer \"d1\"): must be an IANA name"},
      {"[{\"dealer_id\":\"d1\",\"city\":\"a\\tb\"," BASE "}]",
       "[0].city (dealer \"d1\"): holds a control character"},
      {"{\"dealers\":[\n{\"dealer_id\":\"d1\",,}]}", "dealers.json: line 2, column"},
      {"{\"dealers\":[{\"dealer_id\":\"d1\",\"dealer_id\":\"d2\"}]}",
       "dealers.json: line 1, column 43: name \"dealer_id\" occurs twice"},
      {"", "dealers.json: "},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++)
    check_bad(&table[i]);
}

/* A token that names a dealer by this text would open one or the other. */
static void one_text_cannot_name_two_dealers(void)
{
  static const struct bad table[] = {
      {"[{\"dealer_id\":\"north\",\"account_id\":\"both\"," BASE "},\n{\"dealer_id\":\"both\"," BASE
       "}]",
       "dealers.json line 2: [1].dealer_id (dealer \"both\"): \"both\" is used by dealers[0] "
       "(dealer "
       "\"north\") already; dealer ids and account ids share one space, because a token may name a "
       "dealer by either"},
      {"[{\"dealer_id\":\"both\"," BASE "},\n{\"dealer_id\":\"south\",\"account_id\":\"both\"," BASE
       "}]",
       "dealers.json line 2: [1].account_id (dealer \"south\"): \"both\" is used by dealers[0] "
       "(dealer "
       "\"both\") already; dealer ids and account ids share one space, because a token may name a "
       "dealer by either"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++)
    check_bad(&table[i]);
}

static void refuses_what_is_too_long_or_too_many(void)
{
  struct buf text = BUF_INIT(1 << 20);
  buf_puts(&text, "[{\"dealer_id\":\"d1\",\"city\":\"");
  for (int i = 0; i < 129; i++)
    buf_putc(&text, 'x');
  buf_puts(&text, "\"," BASE "}]");
  check_bad(&(struct bad){buf_str(&text), "[0].city (dealer \"d1\"): longer than 128 bytes"});
  buf_clear(&text);
  buf_puts(&text, "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"");
  for (int i = 2; i <= 51; i++)
    buf_printf(&text, ",\"%d\"", i);
  buf_puts(&text, "]," OAUTH "}]");
  check_bad(&(struct bad){buf_str(&text),
                          "[0].properties (dealer \"d1\"): has 51 items; at most 50 are possible"});
  buf_free(&text);
}

static void a_missing_file_is_named(void)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(snapshot_load(&s, "/nonexistent/dealers.json", NULL, &e), ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "GA_CREDENTIALS_PATH: cannot open "
                                           "/nonexistent/dealers.json: No such file"));
}

/* Runs fn with standard error going to a file, and gives what was written. */
static char *captured_stderr(void (*fn)(const char *), const char *arg)
{
  char path[] = "/tmp/auth-test-XXXXXX";
  int fd = mkstemp(path), saved = dup(2);
  dup2(fd, 2);
  fn(arg);
  dup2(saved, 2);
  close(saved);
  char *text = xcalloc(1, 4096);
  CU_ASSERT_TRUE(pread(fd, text, 4095, 0) >= 0);
  close(fd);
  unlink(path);
  return text;
}

static void load_and_drop(const char *path)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(snapshot_load(&s, path, NULL, &e), ERR_OK);
  snapshot_unref(s);
}

static void a_file_others_may_read_is_loaded_with_a_warning(void)
{
  char path[] = "/tmp/auth-dealers-XXXXXX";
  int fd = mkstemp(path);
  const char text[] = "[{\"dealer_id\":\"d1\"," BASE "}]";
  CU_ASSERT_EQUAL(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
  close(fd);
  chmod(path, 0644);
  AUTO_FREE char *loud = captured_stderr(load_and_drop, path);
  chmod(path, 0600);
  AUTO_FREE char *quiet = captured_stderr(load_and_drop, path);
  CU_ASSERT_PTR_NOT_NULL(strstr(loud, "open to others"));
  CU_ASSERT_PTR_NULL(strstr(loud, "r3fresh"));
  CU_ASSERT_PTR_NULL(strstr(quiet, "open to others"));
  unlink(path);
}

static void takes_thousands_of_dealers(void)
{
  struct snapshot *s = world_new(3000, NULL);
  CU_ASSERT_EQUAL(s->directory->n_dealers, 3000);
  CU_ASSERT_EQUAL(s->directory->n_regions, 3);
  const struct dealer *d = directory_by_property(s->directory, "2002999");
  CU_ASSERT_STRING_EQUAL(d != NULL ? d->dealer_id : "", "d2999");
  uint8_t digest[SHA256_SIZE];
  sha256_of("refresh-token-2999", 18, digest);
  CU_ASSERT_TRUE(d != NULL && credential_holds(snapshot_credential(s, d), digest));
  snapshot_unref(s);
}

TEST_MAIN("auth dealers file", TEST(the_example_customers_start_from_loads),
          TEST(the_example_without_properties_loads), TEST(loads_the_documented_form),
          TEST(properties_have_a_name_and_a_type), TEST(loads_a_bare_array_and_an_account_alone),
          TEST(names_file_line_field_and_dealer_of_every_fault),
          TEST(one_text_cannot_name_two_dealers), TEST(refuses_what_is_too_long_or_too_many),
          TEST(a_missing_file_is_named), TEST(a_file_others_may_read_is_loaded_with_a_warning),
          TEST(takes_thousands_of_dealers))
