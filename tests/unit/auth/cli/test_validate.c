/* auth-svc validate, as an operator or a pipeline meets it. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

#define OAUTH                                                                                      \
  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\"}"

static char *folder;
static char text[1 << 18]; /* output of the last program, both streams */

static void remove_folder(void)
{
  folder_remove(folder);
  free(folder);
}

/* Runs a shell line in the folder, with $A for the program; gives its exit code. Nothing of the
 * set's own variables comes from outside. */
static int sh(const char *line)
{
  if (folder == NULL) {
    folder = folder_make();
    atexit(remove_folder);
  }
  AUTO_FREE char *command =
      xasprintf("cd %s && A='%s'; { env -i PATH=\"$PATH\" HOME=%s A=\"$A\" sh -c '%s'; } 2>&1",
                folder, AUTH_SVC, folder, line);
  FILE *f = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t n = fread(text, 1, sizeof(text) - 1, f);
  text[n] = '\0';
  int status = pclose(f);
  CU_ASSERT_PTR_NULL(strstr(text, "s3cret")); /* whatever it was asked for */
  CU_ASSERT_PTR_NULL(strstr(text, "r3fresh"));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void put(const char *name, const char *content)
{
  if (folder == NULL)
    (void)sh("true");
  folder_write(folder, name, content);
}

static void expect(const char *line, int code, const char *output)
{
  int got = sh(line);
  if (got != code || strcmp(text, output) != 0)
    printf("\n  %s\n  wanted %d with:\n%s\n  got %d with:\n%s\n", line, code, output, got, text);
  CU_ASSERT_EQUAL(got, code);
  CU_ASSERT_STRING_EQUAL(text, output);
}

static void expect_part(const char *line, int code, const char *part)
{
  int got = sh(line);
  if (got != code || strstr(text, part) == NULL)
    printf("\n  %s\n  wanted %d with:\n%s\n  got %d with:\n%s\n", line, code, part, got, text);
  CU_ASSERT_EQUAL(got, code);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

/* n dealers of n owners in the region West. */
static void put_crowd(const char *name, size_t n, const char *more)
{
  AUTO_BUF struct buf j = BUF_INIT(4 << 20);
  buf_puts(&j, "{\"dealers\":[\n");
  for (size_t i = 0; i < n; i++)
    buf_printf(&j,
               "{\"dealer_id\":\"d%zu\",\"name\":\"N\",\"region\":\"West\",\"owner\":\"O%zu\","
               "\"properties\":[\"%zu\"]," OAUTH "}%s\n",
               i, i, 100 + i, i + 1 < n ? "," : "");
  buf_printf(&j, "]%s}\n", more);
  put(name, buf_str(&j));
}

/* ------------------------------------------------------------------------------ good */

static void a_good_file_is_summed_up(void)
{
  put_crowd("west.json", 6, ",\"cohorts\":[{\"id\":\"best\",\"dealers\":[\"d1\",\"d2\"]}]");
  expect("$A validate west.json", 0,
         "west.json: warning: 12 secrets stand in the clear; auth-svc seal encrypts them, "
         "AUTH_REQUIRE_SEALED=true refuses them\n"
         "west.json: warning: cohort best: 2 dealers of 2 owners: benchmarks stay withheld from "
         "callers "
         "who may not read all of its dealers (needs 6 dealers of 3 owners)\n"
         "west.json: good, with 2 warnings\n"
         "  dealers      6, with 6 properties\n"
         "  credentials  oauth 6\n"
         "  secrets      0 sealed, 12 in the clear\n"
         "  region       West (west), dealers 6, owners 6, benchmarks given\n"
         "  cohort       best (best), dealers 2, owners 2, benchmarks withheld\n");
}

static void without_a_file_it_reads_what_the_service_would(void)
{
  put_crowd("west.json", 6, "");
  expect_part("GA_CREDENTIALS_PATH=west.json $A validate", 0, "west.json: good");
  expect_part("GA_CREDENTIALS_JSON=\"$(cat west.json)\" $A validate", 0,
              "GA_CREDENTIALS_JSON: good");
  expect_part("mkdir -p config && cp west.json config/dealers.json && $A validate", 0,
              "config/dealers.json: good");
  expect("rm -r config; $A validate", 78,
         "config/dealers.json: dealers file: cannot open config/dealers.json: No such file or "
         "directory\nconfig/dealers.json: 1 fault\n");
}

static void what_works_otherwise_than_it_looks_is_warned_of(void)
{
  put("few.json", "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"East\",\"owner\":\"O\","
                  "\"properties\":[\"1\"]," OAUTH "},\n{\"dealer_id\":\"d2\",\"name\":\"N\","
                  "\"region\":\"East\",\"properties\":[\"2\"]," OAUTH "}]");
  expect_part(
      "$A validate few.json", 0,
      "few.json: warning: region East: 2 dealers of 2 owners: benchmarks stay withheld from "
      "callers who may not read all of its dealers (needs 6 dealers of 3 owners)");
  expect_part("$A validate few.json", 0, "warning: 1 dealer has no owner;");
  expect_part("chmod 644 few.json; $A validate few.json", 0,
              "few.json: warning: others may read or write the file (mode 644); chmod 600 it");
  put_crowd(
      "over.json", 7,
      ",\"cohorts\":[{\"id\":\"c\",\"dealers\":[\"d1\",\"d2\",\"d3\",\"d4\",\"d5\",\"d6\"]}]");
  expect_part("AUTH_COHORT_RULES=warn $A validate over.json", 0,
              "warning: cohort c: differs from another by too few dealers: benchmarks stay "
              "withheld from callers who may not read all of its dealers "
              "(AUTH_COHORT_RULES=warn)");
  expect_part("$A validate over.json", 78, "over.json:9: cohorts[0]: cohorts \"c\" and \"west\"");
}

static void put_secret(const char *secret)
{
  AUTO_FREE char *json = xasprintf(
      "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"East\",\"owner\":\"O\","
      "\"properties\":[\"1\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\","
      "\"refresh_token\":\"%s\"}}]",
      secret);
  put("odd.json", json);
}

static void secrets_that_cannot_be_meant_are_warned_of(void)
{
  static const struct {
    const char *secret, *warning;
  } cases[] = {
      {"1//replace-me", "is a placeholder"},
      {"<refresh token>", "is a placeholder"},
      {"YOUR_REFRESH_TOKEN", "is a placeholder"},
      {" r3fresh", "begins or ends with a blank or a line end"},
      {"r3fresh ", "begins or ends with a blank or a line end"},
      {"\\\"r3fresh\\\"", "has quotes of its own"},
      {"'r3fresh'", "has quotes of its own"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    put_secret(cases[i].secret);
    AUTO_FREE char *wanted =
        xasprintf("odd.json: warning: [0].oauth.refresh_token: %s", cases[i].warning);
    expect_part("$A validate odd.json", 0, wanted);
  }
  put_secret("r3fresh\\n");
  expect_part("$A validate odd.json", 78, "holds a control character, such as a tab or a line end");
  put_secret("r3fresh");
  CU_ASSERT_EQUAL(sh("$A validate odd.json"), 0);
  CU_ASSERT_PTR_NULL(strstr(text, "oauth.refresh_token"));
}

static void names_that_differ_in_blanks_and_letter_case_are_one(void)
{
  put("names.json",
      "[{\"dealer_id\":\"d1\",\"name\":\" N \",\"region\":\"East\",\"owner\":\"Owner\","
      "\"properties\":[\"1\"]," OAUTH "},{\"dealer_id\":\"d2\",\"name\":\"N\",\"region\":"
      "\" east \",\"owner\":\" OWNER\",\"properties\":[\"2\"]," OAUTH "}]");
  expect_part("$A validate names.json", 0, "dealers 2, owners 1, benchmarks withheld");
}

/* ---------------------------------------------------------------------------- faults */

static void what_editors_make_of_a_file_is_named(void)
{
  put_crowd("west.json", 6, "");
  expect_part("printf \"\\\\357\\\\273\\\\277\" > bom.json; cat west.json >> bom.json; $A validate "
              "bom.json",
              78, "bom.json:1: column 1: the text begins with a byte order mark (BOM)");
  expect_part("iconv -f utf-8 -t utf-16 west.json > u.json; $A validate u.json", 78,
              "u.json:1: column 1: the text is UTF-16: save it as UTF-8");
  expect_part("iconv -f utf-8 -t utf-16be west.json > u.json; $A validate u.json", 78,
              "u.json:1: column 1: the text is UTF-16: save it as UTF-8");
  expect_part("sed \"s/^]/,]/\" west.json > comma.json; $A validate comma.json", 78,
              "comma.json:8: column 1: a comma before");
  expect_part("sed \"s/$/\\\\r/\" west.json > crlf.json; $A validate crlf.json", 0,
              "crlf.json: warning: lines end with CR LF, as on Windows");
}

static const char many_faults[] =
    "{\n"
    "  \"dealers\": [\n"
    "    {\"dealer_id\": \"d1\",\n"
    "     \"name\": \"\",\n"
    "     \"regoin\": \"W\",\n"
    "     \"properties\": [\"x\", \"2\", \"2\"],\n"
    "     \"oauth\": {\"client_id\": \"c\",\n"
    "       \"refresh_token\": \"r3fresh\"}\n"
    "    },\n"
    "    {\"dealer_id\": \"d1\", \"name\": \"N\", \"region\": \"W\", \"properties\": [\"3\"],\n"
    "     \"lead_event\": \"a b\",\n"
    "     \"vehicle_dimensions\": {\"make\": \"!\", \"modle\": \"y\"}, \"adc\": false},\n"
    "    7\n"
    "  ],\n"
    "  \"cohorts\": [{\"id\": \"X\"}, {\"id\": \"c\", \"region\": \"nowhere\"}],\n"
    "  \"more\\nlines\": \"s3cret\"\n"
    "}\n";

static void every_fault_is_told_at_its_line(void)
{
  put("bad.json", many_faults);
  expect(
      "$A validate bad.json", 78,
      "bad.json:1: more?lines: unknown key; known are dealers, cohorts, $schema\n"
      "bad.json:3: dealers[0].region (dealer \"d1\"): missing; must be a non-empty string\n"
      "bad.json:4: dealers[0].name (dealer \"d1\"): must be a non-empty string\n"
      "bad.json:5: dealers[0].regoin (dealer \"d1\"): unknown key; did you mean \"region\"?\n"
      "bad.json:6: dealers[0].properties[0] (dealer \"d1\"): must be a GA4 property id: a string "
      "of digits such as \"213025502\", or \"properties/213025502\"\n"
      "bad.json:6: dealers[0].properties[2] (dealer \"d1\"): property 2 is listed twice\n"
      "bad.json:7: dealers[0].oauth.client_secret (dealer \"d1\"): missing; must be a non-empty "
      "string\n"
      "bad.json:10: dealers[1].dealer_id (dealer \"d1\"): \"d1\" is used by dealers[0] (dealer "
      "\"d1\") already; dealer ids and account ids share one space, because a token may name a "
      "dealer by either\n"
      "bad.json:11: dealers[1].lead_event (dealer \"d1\"): must be a GA4 event name: a letter, "
      "then letters, digits and _, at most 40; such as \"generate_lead\"\n"
      "bad.json:12: dealers[1].adc (dealer \"d1\"): must be true; leave it out for another "
      "credential\n"
      "bad.json:12: dealers[1].vehicle_dimensions.make (dealer \"d1\"): must be the API name of "
      "a GA4 dimension, such as \"customEvent:item_make\"\n"
      "bad.json:12: dealers[1].vehicle_dimensions.modle (dealer \"d1\"): unknown key; did you "
      "mean \"model\"?\n"
      "bad.json:13: dealers[2]: must be an object: a dealer with dealer_id, name, region and a "
      "credential\n"
      "bad.json:15: cohorts[0]: must have exactly one of dealers, region and group\n"
      "bad.json:15: cohorts[0].id: may hold lower-case letters, digits and . _ - only\n"
      "bad.json: 15 faults\n");
}

static void faults_of_the_json_have_their_line(void)
{
  put("syntax.json", "{\"dealers\":\n [\n  {\"dealer_id\": d1}]}");
  expect_part("$A validate syntax.json", 78, "syntax.json:3: column ");
  put("syntax.json", "[{\"a\":1,\n\"a\":2}]");
  expect_part("$A validate syntax.json", 78, "syntax.json:2: column 5: name \"a\" occurs twice");
  put("syntax.json", "");
  expect_part("$A validate syntax.json", 78, "syntax.json:1: column 1: ");
}

static void cohorts_are_looked_up_once_the_dealers_are_right(void)
{
  put("cohorts.json", "{\"dealers\":[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\","
                      "\"properties\":[\"1\"]," OAUTH "}],\n\"cohorts\":[\n"
                      "{\"id\":\"a\",\"region\":\"X\"},\n{\"id\":\"b\",\"group\":\"g\"},\n"
                      "{\"id\":\"c\",\"dealers\":[\"d9\"]},\n{\"id\":\"c\",\"region\":\"W\"}]}");
  expect("$A validate cohorts.json", 78,
         "cohorts.json:3: cohorts[0].region: no dealer is in region \"X\"\n"
         "cohorts.json:4: cohorts[1].group: no dealer has the group \"g\"\n"
         "cohorts.json:5: cohorts[2].dealers[0]: no dealer has the dealer_id \"d9\"\n"
         "cohorts.json: 3 faults\n");
}

static void thousands_of_faults_are_counted_and_some_told(void)
{
  AUTO_BUF struct buf j = BUF_INIT(4 << 20);
  buf_putc(&j, '[');
  for (size_t i = 0; i < 5000; i++)
    buf_printf(
        &j, "%s\n{\"dealer_id\":\"d%zu\",\"region\":\"West\",\"properties\":[\"%zu\"]," OAUTH "}",
        i > 0 ? "," : "", i, 100 + i);
  buf_puts(&j, "]");
  put("thousands.json", buf_str(&j));
  int64_t start = clock_mono_ms();
  expect_part("$A validate thousands.json", 78,
              "\n... and 4800 more faults\nthousands.json: 5000 "
              "faults\n");
  CU_ASSERT(clock_mono_ms() - start < 20000);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "thousands.json:201: [199].name (dealer \"d199\"): missing"));
}

/* --------------------------------------------------------------------------- secrets */

static void sealed_secrets_open_with_the_ring_of_the_service(void)
{
  put_crowd("sealed.json", 2, "");
  expect_part("$A keygen --id k1 --add ring && AUTH_KEYRING_FILE=ring $A seal sealed.json", 0,
              "4 secrets sealed");
  expect_part("AUTH_KEYRING_FILE=ring $A validate sealed.json", 0,
              "  secrets      4 sealed, 0 in the clear\n");
  CU_ASSERT_PTR_NULL(strstr(text, "in the clear;"));
  expect_part("$A validate sealed.json", 78,
              "sealed.json:13: dealers[0].oauth.refresh_token (dealer \"d0\"): sealed with key "
              "\"k1\", but AUTH_KEYRING_FILE is not set\n");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "sealed.json: 4 faults\n")); /* and none about empty fields */
  expect_part("sed s/\\\"d0\\\"/\\\"d7\\\"/ sealed.json > moved.json; AUTH_KEYRING_FILE=ring $A "
              "validate moved.json",
              78, "moved.json:10: dealers[0].oauth.client_secret (dealer \"d7\"): ");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "moved.json: 2 faults\n"));
}

static void secrets_in_the_clear_are_refused_where_the_service_refuses_them(void)
{
  put_crowd("plain.json", 2, "");
  expect_part("AUTH_REQUIRE_SEALED=true $A validate plain.json", 78,
              "plain.json:3: dealers[1].oauth.client_secret (dealer \"d1\"): is in the clear and "
              "AUTH_REQUIRE_SEALED=true: run auth-svc seal on the file\n");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "plain.json: 4 faults\n"));
  expect_part("$A keygen --id k --add ring3 && export AUTH_KEYRING_FILE=ring3 && "
              "$A seal plain.json && sed -z \"s/{[^{}]*sealed[^}]*}/\\\"r3fresh\\\"/; "
              "s//\\\"r3fresh\\\"/\" "
              "plain.json > m.json "
              "&& $A validate m.json",
              78, "is in the clear while 2 other secrets of the file are sealed");
  expect_part("AUTH_ALLOW_PLAINTEXT_SECRETS=true AUTH_KEYRING_FILE=ring3 $A validate m.json", 0,
              "2 sealed, 2 in the clear");
}

static void no_network_is_asked(void)
{
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(at);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, len), 0);
  CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
  CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&at, &len), 0);
  put("adc.json", "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],"
                  "\"adc\":true}]");
  AUTO_FREE char *line =
      xasprintf("GCE_METADATA_HOST=127.0.0.1:%d $A validate adc.json", ntohs(at.sin_port));
  expect_part(line, 0,
              "adc.json: warning: \"adc\": true finds no credential file here; where the "
              "service runs, the metadata server must answer");
  struct pollfd p = {.fd = fd, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&p, 1, 50), 0); /* nobody knocked */
  close(fd);
  expect_part("NO_GCE_CHECK=true $A validate adc.json", 78,
              "adc.json:1: [0].adc (dealer \"d1\"): no Application Default Credentials");
}

/* -------------------------------------------------------------------------- policies */

static void the_policy_file_is_checked_too(void)
{
  put_crowd("west.json", 6, "");
  put("policies.json", "{\"policies\":[\n{\"identity\":\"a\",\"subject\":\"s\",\"role\":\"group\","
                       "\"regions\":[\"West\",\"Eats\"]}],\"revoked\":[{\"subject\":\"x\"}]}");
  expect_part("$A validate west.json --policies policies.json", 0,
              "policies.json: warning: 1 name that no dealer, region or group has: ");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Eats"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "  policies     1, revoked 1\n"));
  put("policies.json",
      "{\"policies\":[\n{\"identity\":\"a\",\"subject\":\"s\",\"role\":\"boss\"}]}");
  expect_part("AUTH_POLICY_FILE=policies.json $A validate west.json", 78,
              "policies.json:2: policies[0].role (identity \"a\"): must be ");
  expect_part("$A validate west.json --policies none.json", 78, "none.json: ");
}

/* --------------------------------------------------------------------------- issuers */

static void every_fault_of_the_issuers_file_is_listed(void)
{
  put_crowd("west.json", 6, "");
  put("issuers.json", "{\"issuers\":[\n{\"issuer\":\"https://id.example\",\"name\":\"id\",\n"
                      "\"audiences\":[\"mcp\"],\"rules\":[{\"claim\":\"g\",\"role\":\"group\","
                      "\"regions\":[\"West\",\"Eats\"]}]}]}");
  expect_part("$A validate west.json --issuers issuers.json", 0,
              "issuers.json: warning: 1 name that no dealer, region or group has: "
              "issuers[0].rules[0].regions \"Eats\"");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "  issuers      1, with 1 rules\n"));
  put("issuers.json", "{\"issuers\":[\n{\"issuer\":\"http://id.example\",\"name\":\"id\",\n"
                      "\"rules\":[{\"claim\":\"g\",\n\"role\":\"boss\"}]}]}");
  expect_part("AUTH_ISSUERS_FILE=issuers.json $A validate west.json", 78,
              "issuers.json:2: issuers[0].issuer: must be an https URL");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "issuers.json:2: issuers[0].audiences: missing; name what"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(text, "issuers.json:4: issuers[0].rules[0].role: must be \"admin\", \"group\""));
  expect_part("$A validate west.json --issuers none.json", 78, "none.json: ");
}

/* ------------------------------------------------------------------------------ JSON */

static cJSON *output(void)
{
  cJSON *root = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(json_parse(&root, text, strlen(text), NULL, &e), ERR_OK);
  return root;
}

static const cJSON *at(const cJSON *root, const char *list, int i)
{
  return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, list), i);
}

static void json_is_for_programs(void)
{
  put("bad.json", many_faults);
  CU_ASSERT_EQUAL(sh("$A validate bad.json --format json"), 78);
  AUTO_JSON cJSON *bad = output();
  CU_ASSERT_FALSE(json_get_bool(bad, "valid", true));
  CU_ASSERT_EQUAL(json_get_number(bad, "fault_count", 0), 15);
  const cJSON *fault = at(bad, "faults", 6);
  CU_ASSERT_STRING_EQUAL(json_get_string(fault, "file"), "bad.json");
  CU_ASSERT_EQUAL(json_get_number(fault, "line", 0), 7);
  CU_ASSERT_STRING_EQUAL(json_get_string(fault, "field"), "dealers[0].oauth.client_secret");
  CU_ASSERT_STRING_EQUAL(json_get_string(fault, "dealer"), "d1");
  CU_ASSERT_STRING_EQUAL(json_get_string(fault, "message"), "missing; must be a non-empty string");
  put_crowd("west.json", 6, "");
  CU_ASSERT_EQUAL(sh("$A validate --format json west.json"), 0);
  AUTO_JSON cJSON *good = output();
  CU_ASSERT_TRUE(json_get_bool(good, "valid", false));
  CU_ASSERT_EQUAL(json_get_number(good, "dealers", 0), 6);
  CU_ASSERT_EQUAL(json_get_number(good, "regions", 0), 1);
  CU_ASSERT_STRING_EQUAL(json_get_string(at(good, "warnings", 0), "code"), "plain_secrets");
  CU_ASSERT_STRING_EQUAL(json_get_string(at(good, "cohorts", 0), "id"), "west");
  CU_ASSERT_TRUE(json_get_bool(at(good, "cohorts", 0), "benchmark", false));
  const cJSON *kinds = cJSON_GetObjectItemCaseSensitive(good, "credentials");
  CU_ASSERT_EQUAL(json_get_number(kinds, "oauth", 0), 6);
}

static void wrong_usage_and_wrong_settings_are_told_apart(void)
{
  put_crowd("west.json", 6, "");
  expect("$A validate a b", 2, "auth-svc validate: takes one FILE; see --help\n");
  expect("$A validate --format xml a", 2,
         "auth-svc validate: --format: must be text or json; see --help\n");
  expect("AUTH_COHORT_RULES=maybe $A validate west.json", 78,
         "auth-svc validate: AUTH_COHORT_RULES: must be strict or warn\n");
  expect_part("$A validate --help", 0,
              "Usage: auth-svc validate [FILE] [--policies FILE] [--issuers FILE]");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong"));
  expect_part("$A --help", 0, "validate [FILE]     check a dealers file before it is deployed");
}

TEST_MAIN("auth validate", TEST(a_good_file_is_summed_up),
          TEST(without_a_file_it_reads_what_the_service_would),
          TEST(secrets_that_cannot_be_meant_are_warned_of),
          TEST(names_that_differ_in_blanks_and_letter_case_are_one),
          TEST(what_editors_make_of_a_file_is_named),
          TEST(what_works_otherwise_than_it_looks_is_warned_of),
          TEST(every_fault_is_told_at_its_line), TEST(faults_of_the_json_have_their_line),
          TEST(cohorts_are_looked_up_once_the_dealers_are_right),
          TEST(thousands_of_faults_are_counted_and_some_told),
          TEST(sealed_secrets_open_with_the_ring_of_the_service),
          TEST(secrets_in_the_clear_are_refused_where_the_service_refuses_them),
          TEST(no_network_is_asked), TEST(the_policy_file_is_checked_too),
          TEST(every_fault_of_the_issuers_file_is_listed), TEST(json_is_for_programs),
          TEST(wrong_usage_and_wrong_settings_are_told_apart))
