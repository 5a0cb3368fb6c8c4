/* The subcommands, as an operator meets them. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth-svc/identity/jwt.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/side.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define DEALERS                                                                                    \
  "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"West\",\"groups\":[\"g\"],"                  \
  "\"properties\":[\"1\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\","            \
  "\"refresh_token\":\"r3fresh\"}}]\n"

static char folder[] = "/tmp/auth-cli-XXXXXX";
static char text[1 << 18]; /* output of the last program, both streams */

static void remove_folder(void)
{
  AUTO_FREE char *command = xasprintf("rm -rf %s", folder);
  if (system(command) != 0)
    perror(command);
}

static void set_up(void)
{
  static bool done;
  if (!done) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    atexit(remove_folder);
  }
  done = true;
  AUTO_FREE char *command = xasprintf("rm -rf %s/*", folder);
  CU_ASSERT_EQUAL(system(command), 0);
}

/* Runs a shell line in the folder, with $A for the program. Gives its exit code. */
static int sh(const char *variables, const char *line)
{
  AUTO_FREE char *command = xasprintf("cd %s && unset AUTH_KEYRING_FILE; A='%s'; export A; "
                                      "%s%s%s { %s; } 2>&1",
                                      folder, AUTH_SVC, *variables != '\0' ? "export " : "",
                                      variables, *variables != '\0' ? "; " : "", line);
  FILE *f = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t n = fread(text, 1, sizeof(text) - 1, f);
  text[n] = '\0';
  int status = pclose(f);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int got, int wanted, const char *shown)
{
  if (got != wanted || strstr(text, shown) == NULL)
    printf("\n  wanted %d with: %s\n  got %d with: %s\n", wanted, shown, got, text);
  CU_ASSERT_EQUAL(got, wanted);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, shown));
}

static void write_file(const char *name, const char *content)
{
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(content, f);
  fclose(f);
  chmod(path, 0600);
}

static unsigned mode_of(const char *name)
{
  struct stat st;
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  return st.st_mode & 0777;
}

#define RING "AUTH_KEYRING_FILE=ring"

static void every_command_has_help(void)
{
  static const char *const commands[] = {"keygen", "seal",  "unseal", "rotate",  "verify",
                                         "token",  "check", "audit",  "validate"};
  set_up();
  expect(sh("", "$A --help"), 0, "rotate FILE");
  for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
    AUTO_FREE char *help = xasprintf("$A %s --help", commands[i]);
    AUTO_FREE char *wrong = xasprintf("$A %s --nonsense", commands[i]);
    AUTO_FREE char *usage = xasprintf("Usage: auth-svc %s", commands[i]);
    expect(sh("", help), 0, usage);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Exit codes:"));
    expect(sh("", wrong), 2, "");
  }
  expect(sh("", "$A nonsense"), 2, "unknown argument \"nonsense\"");
}

static char *json_of(const char *file)
{
  AUTO_FREE char *show = xasprintf("cat %s", file);
  CU_ASSERT_EQUAL(sh("", show), 0);
  AUTO_JSON cJSON *root = cJSON_Parse(text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(root);
  return cJSON_PrintUnformatted(root);
}

/* Keys in the same order, too. */
static void expect_same_json(const char *a, const char *b)
{
  AUTO_FREE char *one = json_of(a), *two = json_of(b);
  CU_ASSERT_STRING_EQUAL(one, two);
}

static void a_file_is_sealed_rotated_verified_and_unsealed(void)
{
  set_up();
  write_file("d.json", DEALERS);
  write_file("plain.json", DEALERS);
  expect(sh("", "$A seal d.json"), 78, "set AUTH_KEYRING_FILE");
  expect(sh("", "$A keygen --id k1 --add ring"), 0, "k1");
  CU_ASSERT_EQUAL(mode_of("ring"), 0600);
  expect(sh(RING, "$A verify d.json"), 1, "dealer \"d1\" oauth.client_secret: is in the clear");
  expect(sh(RING, "$A seal d.json"), 0, "2 secrets sealed with key \"k1\", 0 were already");
  CU_ASSERT_EQUAL(mode_of("d.json"), 0600);
  expect(sh(RING, "! grep -q -e s3cret -e r3fresh d.json && $A verify d.json"), 0, "2 open, 0 do");
  expect(sh(RING, "$A seal d.json"), 0, "0 secrets sealed with key \"k1\", 2 were already");
  expect(sh(RING, "$A keygen --id k2 --add ring && $A rotate d.json && $A verify d.json"), 0,
         "key \"k2\" (first): 2 secrets");
  expect(sh(RING, "grep -v k1: ring > ring2; AUTH_KEYRING_FILE=ring2 $A verify d.json"), 0,
         "2 open, 0 do not open, 0 in the clear");
  expect(sh(RING, "$A unseal d.json"), 2, "--yes-print-secrets");
  CU_ASSERT_PTR_NULL(strstr(text, "s3cret"));
  expect(sh(RING, "$A unseal d.json -o out.json"), 0, "2 secrets");
  expect_same_json("out.json", "plain.json");
  CU_ASSERT_EQUAL(mode_of("out.json"), 0600);
  expect(sh(RING, "$A unseal --yes-print-secrets d.json"), 0, "s3cret");
  expect(sh(RING, "$A unseal --yes-print-secrets d.json > /dev/full"), 1,
         "cannot write the output");
  expect(sh(RING, "mkfifo pipe; $A unseal d.json -o pipe; e=$?; test -p pipe; rm pipe; exit $e"), 1,
         "it is not a file");
  expect(sh(RING, "$A unseal --nosuch d.json"), 2, "auth-svc unseal: --nosuch: no such option");
  expect(sh("",
            "$A keygen --id m1 --make made && cp made was && $A keygen --make made && cmp made was "
            "&& echo unchanged"),
         0, "m1\nunchanged");
  CU_ASSERT_EQUAL(mode_of("made"), 0600);
  expect(sh("", "$A keygen --add ring --make made"), 2, "give --add or --make, not both");
  expect(sh(RING, "$A keygen --id 'a b'"), 2, "--id: \"a b\" must be 1 to 32 letters");
}

static void a_wrong_key_changes_nothing_and_lists_what_does_not_open(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(RING, "$A keygen --id k1 --add ring && $A seal d.json && cp d.json before && rm ring "
                  "&& $A keygen --id k1 --add ring"),
         0, "k1");
  expect(sh(RING, "$A verify d.json"), 1, "dealer \"d1\" oauth.refresh_token: does not open");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "0 open, 2 do not open, 0 in the clear"));
  expect(sh(RING, "$A rotate d.json"), 1, "(dealer \"d1\"): does not open with key \"k1\"");
  expect(sh(RING, "$A seal d.json"), 1, "does not open");
  expect(sh(RING, "cmp d.json before && ls -A | grep -c auth-svc-"), 1, "0");
}

static void the_file_behind_a_symbolic_link_is_replaced(void)
{
  set_up();
  write_file("real.json", DEALERS);
  expect(sh(RING, "ln -s real.json link.json; $A keygen --add ring && $A seal link.json && "
                  "test -L link.json && grep -c sealed real.json"),
         0, "1");
}

#define SERVE "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_PATH=d.json"
/* Runs the service until it serves (or ends by itself). */
#define START                                                                                      \
  "rm -f log; touch log; $A >> log 2>&1 & P=$!; for i in $(seq 200); do grep -qs serving log && "  \
  "break; kill -0 $P "                                                                             \
  "2>/dev/null || break; sleep 0.05; done; kill -TERM $P 2>/dev/null; wait $P; C=$?; cat log; "    \
  "exit $C"

static void the_service_starts_with_the_key_and_refuses_without(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(SERVE, START), 0, "holds secrets in the clear: auth-svc seal encrypts them");
  expect(sh(SERVE " AUTH_REQUIRE_SEALED=true", START), 78, "AUTH_REQUIRE_SEALED=true: run");
  expect(sh(RING, "$A keygen --id k1 --add ring && $A seal d.json"), 0, "2 secrets");
  expect(sh(SERVE, START), 78,
         "d.json line 9: [0].oauth.client_secret (dealer \"d1\"): sealed with key \"k1\", but "
         "AUTH_KEYRING_FILE is not set");
  expect(sh(SERVE " AUTH_REQUIRE_SEALED=true " RING, START), 0, "\"serving\"");
  CU_ASSERT_PTR_NULL(strstr(text, "s3cret"));
  expect(sh(SERVE " AUTH_REQUIRE_AUDIT=true", "$A"), 78, "AUTH_AUDIT_FILE: must be set because");
  expect(sh(SERVE " AUTH_AUDIT_FSYNC=often", "$A"), 78, "\"often\" must be one of always, second");
  expect(sh(SERVE " AUTH_AUDIT_SINK=file", "$A"), 78,
         "\"file\" must be one of none, stdout, syslog");
  expect(sh(SERVE " AUTH_AUDIT_KEEP_BYTES=1000", "$A"), 78,
         "AUTH_AUDIT_KEEP_BYTES: must be 0 or at least AUTH_AUDIT_MAX_BYTES (67108864)");
  expect(sh(SERVE " AUTH_AUDIT_KEEP_DAYS=30 AUTH_AUDIT_MAX_BYTES=0", "$A"), 78,
         "AUTH_AUDIT_MAX_BYTES: must not be 0 with AUTH_AUDIT_KEEP_BYTES");
}

/* Waits until the audit log shows something n times. */
#define UNTIL(n, text)                                                                             \
  "for i in $(seq 200); do test $(grep -c '" text "' audit.log) -ge " #n " && break; sleep 0.05; " \
  "done; "

static void a_key_is_changed_while_the_service_runs(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(RING, "$A keygen --id k1 --add ring && $A seal d.json && cp d.json old"), 0, "k1");
  expect(sh(SERVE " AUTH_CONFIG_CHECK_S=1 AUTH_AUDIT_FILE=audit.log " RING,
            "$A > log 2>&1 & P=$!; for i in $(seq 200); do grep -q serving log && break; sleep "
            "0.05; done; $A keygen --id k2 --add ring; $A rotate d.json; sleep 0.3; kill -HUP "
            "$P; " UNTIL(
                2, "config_loaded") "grep k2: ring > r; chmod 600 r; mv r ring; cp old d.json; "
                                    "kill -HUP $P; " UNTIL(
                                        1, "config_refused") "kill -TERM $P; wait $P; C=$?; "
                                                             "cat audit.log; exit $C"),
         0, "\"detail\":\"changed while running: 1 dealers");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"event\":\"config_refused\",\"result\":\"failed\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "sealed with key \\\"k1\\\", which is not on the keyring"));
}

static void the_audit_log_of_the_service_verifies_and_tells_of_changes(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(RING, "$A keygen --add ring"), 0, "");
  expect(sh(SERVE " AUTH_AUDIT_FILE=audit.log " RING, START), 0, "\"serving\"");
  expect(sh(RING, "$A audit verify audit.log"), 0, "3 lines, the last has number 3, 0 faults");
  expect(sh(RING, "sed 2d audit.log > cut; $A audit verify cut"), 1,
         "cut line 2: line 2 is missing before it");
  expect(sh(RING, "sed 's/config_loaded/config_lOaded/' audit.log > x; $A audit verify x"), 1,
         "x line 2: was changed");
  expect(sh(RING, "sed -i 3d audit.log; $A audit verify audit.log"), 1,
         "lines after it were cut off");
  expect(sh("", "$A audit verify audit.log"), 78, "is not on the keyring: set AUTH_KEYRING_FILE");
  expect(sh("", "$A audit verify gone"), 1, "cannot open gone");
}

static void audit_verify_says_what_to_do_about_each_kind_of_file(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(RING, "$A keygen --id k1 --add ring"), 0, "");
  /* Each event has a file of its own: a file is not rotated while another thread syncs it, which
   * none does here. */
  expect(sh(SERVE
            " AUTH_AUDIT_MAX_BYTES=100 AUTH_AUDIT_FSYNC=always AUTH_AUDIT_FILE=audit.log " RING,
            START),
         0, "serving");
  expect(sh(RING, "ls audit.log.[0-9]* | wc -l"), 0, "2");
  expect(sh(RING, "$A audit verify audit.log.[0-9]* audit.log"), 0, ", 0 faults");
  expect(sh(RING, "$A audit verify audit.log audit.log.[0-9]*"), 1,
         "give the files of one log, each once and oldest first");
  expect(sh(RING, "$A audit verify $(ls audit.log.[0-9]* | head -1) audit.log"), 1,
         "audit.log line 1: lines 2 to 3 are missing between audit.log.000000000001 and this file");
  expect(sh(RING, "$A audit verify $(ls audit.log.[0-9]* | head -1)"), 0,
         "audit.log.000000000001.head is missing or damaged, so lines cut off the end");
  expect(sh(RING, "cp audit.log x; head -c 30 audit.log.head > x.head; $A audit verify x"), 1,
         "x line 2: its .head file is damaged");
  expect(sh(RING, "rm x.head; : > x; $A audit verify x"), 1, "x line 1: the file is empty");
  expect(sh(RING, "$A audit verify gone"), 1, "cannot open gone: No such file or directory; name");
  expect(sh(RING, "mkdir -p folder; $A audit verify folder"), 1, "cannot read folder");
  expect(sh(RING, "rm ring; $A keygen --id k1 --add ring > x; $A audit verify audit.log"), 1,
         "no line made with key \"k1\" matches: the keyring holds another key by this id");
  expect(sh(RING, "rm ring; $A keygen --id k2 --add ring > x; $A audit verify audit.log"), 78,
         "audit.log line 1: is hashed with key \"k1\", which is not on the keyring");
  expect(sh("", "for i in $(seq 300); do echo nonsense; done > x; $A audit verify x"), 1,
         "... and more");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "300 faults"));
  CU_ASSERT_PTR_NULL(strstr(text, "x line 101:"));
  expect(sh("", "$A audit verify"), 2, "audit verify FILE...");
  expect(sh("", "$A audit check x"), 2, "audit verify FILE...");
}

#define JWT "AUTH_JWT_ISSUER=me AUTH_JWT_HS256_SECRET=" SECRET

static void names_of_a_sealed_file_are_read_without_a_keyring(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(RING, "$A keygen --add ring && $A seal d.json && rm ring"), 0, "secrets sealed");
  expect(sh(JWT, "$A token mint --sub ann --role dealer --dealer d1 --dealers d.json"), 0, "ey");
  expect(sh(JWT, "$A token mint --sub ann --role dealer --dealer d0x --dealers d.json"), 1,
         "the dealers file has no \"d0x\"");
  /* Whose properties are to be found has no credential like another's; nobody looks at them here.
   */
  write_file("e.json", "[{\"dealer_id\":\"e1\",\"name\":\"N\",\"region\":\"West\"},"
                       "{\"dealer_id\":\"e2\",\"name\":\"M\",\"region\":\"West\"}]");
  expect(sh(JWT, "$A token mint --sub ann --role dealer --dealer e2 --dealers e.json"), 0, "ey");
}

static void a_minted_token_is_accepted_and_inspected(void)
{
  set_up();
  write_file("d.json", DEALERS);
  expect(sh(JWT, "$A token mint --sub ann --role dealer --dealer d1 --dealers d.json --ttl 15m "
                 "> t && test $(wc -l < t) = 1 && $A token inspect - < t"),
         0, "accepted: yes");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"dealers\":\t[\"d1\"]"));
  /* The hash is of what is signed, and AUTH_POLICY_FILE takes it as it is printed. */
  expect(sh(JWT, "$A token inspect - < t | grep \"^sha256 $(cut -d. -f1,2 < t | tr '\\n' . | "
                 "sha256sum | cut -c1-64)$\""),
         0, "sha256 ");
  expect(sh(JWT, "echo \"{\\\"revoked\\\":[{\\\"token_sha256\\\":\\\"$($A token inspect - < t | "
                 "sed -n 's/^sha256 //p')\\\"}]}\" > p.json; AUTH_POLICY_FILE=p.json $A token "
                 "inspect - < t"),
         1, "accepted: no: this bearer token has been revoked");
  expect(sh(JWT,
            "echo '{\"revoked\":[{\"subject\":\"ann\"}]}' > p.json; AUTH_POLICY_FILE=p.json $A "
            "token inspect - < t"),
         1, "accepted: no: this subject has been revoked");
  /* Clients of OAuth ask for a token for the endpoint. */
  expect(sh("ANALYTICS_MCP_RESOURCE_URL=https://m.example/mcp " JWT,
            "$A token mint --sub ann --role admin > u; cut -d. -f2 < u | tr '_-' '/+' | base64 -d "
            "2> /dev/null; $A token inspect - < u"),
         0, "accepted: yes");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"aud\":\"https://m.example/mcp\""));
  expect(sh(JWT, "$A token inspect - < u"), 1, "audience");
  expect(sh("AUTH_JWT_ISSUER=other AUTH_JWT_HS256_SECRET=" SECRET, "$A token inspect $(cat t)"), 1,
         "accepted: no: bearer token: wrong issuer");
  expect(sh("", "$A token inspect $(cat t)"), 1,
         "accepted: no: bearer token: signed tokens are not set up here; set AUTH_JWT_KEY_FILE");
  expect(sh("", "$A token inspect junk"), 1, "is not a JWT");
  static const struct {
    const char *options, *message;
    int code;
  } table[] = {
      {"--role admin", "--sub: must name", 2},
      {"--sub a", "--role: must be", 2},
      {"--sub a --role king", "--role: must be", 2},
      {"--sub a --role admin --dealer d1", "--role admin reads everything", 2},
      {"--sub a --role dealer", "needs at least one --dealer", 2},
      {"--sub a --role group", "needs at least one --dealer, --region or --group", 2},
      {"--sub a --role admin --ttl 1y", "--ttl: must be a time", 2},
      {"--sub a --role admin --ttl 91d", "--ttl: must be a time", 2},
      {"--sub a --role admin --ttl 25h", "--ttl: longer than the 86400 s that the service accepts",
       1},
      {"--sub a --role dealer --dealer d2 --dealers d.json", "no \"d2\"; closest: \"d1\"", 1},
      {"--sub a --role group --region Wst --dealers d.json", "closest: \"West\"", 1},
      {"--sub a --role group --group x --dealers d.json", "--group: the dealers file has no", 1},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *line = xasprintf("$A token mint %s", table[i].options);
    expect(sh(JWT, line), table[i].code, table[i].message);
  }
  expect(sh("", "$A token mint --sub a --role admin"), 78, "nothing to sign with");
  expect(sh(JWT " AUTH_JWT_MAX_LIFE_S=604800", "$A token mint --sub a --role admin --ttl 7d > t && "
                                               "$A token inspect - < t"),
         0, "accepted: yes");
  expect(sh(JWT, "$A token inspect - < t"), 1, "lives longer than the 86400 s");
}

static void tokens_are_signed_with_every_kind_of_key(void)
{
  static const enum jwt_alg algs[] = {JWT_RS256, JWT_ES256, JWT_EDDSA};
  set_up();
  for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
    EVP_PKEY *key = maker_key(algs[i]);
    AUTO_FREE char *private_pem = maker_private_pem(key), *public_pem = maker_public_pem(key);
    write_file("key.pem", private_pem);
    write_file("pub.pem", public_pem);
    EVP_PKEY_free(key);
    for (int n = 0; n < 10; n++) /* r or s of ES256 may be short */
      expect(sh("AUTH_JWT_ISSUER=me AUTH_JWT_KEY_FILE=pub.pem",
                "$A token mint --sub a --role admin --key key.pem | $A token inspect"),
             0, "accepted: yes");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, jwt_alg_name(algs[i])));
  }
  expect(sh("AUTH_JWT_ISSUER=me", "$A token mint --sub a --role admin --key pub.pem"), 1,
         "holds no private key in PEM that can sign");
}

#ifdef GA4_SIM
static void check_tells_step_by_step_what_works_and_what_to_do(void)
{
  set_up();
  AUTO_FREE char *line = xasprintf(
      "'%s' --listen 127.0.0.1:0 --dealers 4 --regions 2 --days 10 --db w.db --write-dealers "
      "d.json > sim.log 2>&1 & echo $! > sim.pid; for i in $(seq 300); do grep -q listening "
      "sim.log && test -s d.json && break; sleep 0.05; done; cat sim.log",
      GA4_SIM);
  expect(sh("", line), 0, "listening on");
  AUTO_FREE char *url =
      xstrndup(strstr(text, "http://"), strcspn(strstr(text, "http://"), " \r\n\""));
  AUTO_FREE char *env = xasprintf("GA4_ADMIN_ENDPOINT=%s GA4_DATA_ENDPOINT=%s "
                                  "OAUTH_TOKEN_ENDPOINT=%s/token GA_CREDENTIALS_PATH=d.json " RING,
                                  url, url, url);
  expect(sh(RING, "$A keygen --add ring && $A seal d.json"), 0, "secrets sealed");
  expect(sh(env, "ID=$(grep -o '\"dealer_id\": *\"[^\"]*' d.json | head -1 | sed 's/.*\"//'); $A "
                 "check $ID"),
         0, "ok      runReport");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "ok      accountSummaries"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "ok      metadata"));
  expect(sh(env, "$A check nobody"), 1, "FAILED  dealer");
  expect(sh(env, "$A unseal d.json -o p.json; ID=$(grep -o '\"dealer_id\": *\"[^\"]*' d.json | "
                 "head -1 | sed 's/.*\"//'); sed -i 's/\\(\"refresh_token\": *\"\\)/\\1x/' p.json; "
                 "$A check $ID --dealers p.json"),
         1, "what to do:        the dealer must consent again");
  expect(sh("GA4_ADMIN_ENDPOINT=http://127.0.0.1:1 OAUTH_TOKEN_ENDPOINT=http://127.0.0.1:1/token "
            "GA_CREDENTIALS_PATH=p.json",
            "ID=$(grep -o '\"dealer_id\": *\"[^\"]*' d.json | head -1 | sed 's/.*\"//'); $A check "
            "$ID"),
         1, "the token endpoint gave no usable answer");
  CU_ASSERT_PTR_NULL(strstr(text, "consent")); /* which Google alone can say is missing */
  sh("", "kill $(cat sim.pid)");
}
#endif

TEST_MAIN_SIDE_BY_SIDE("auth cli", TEST(every_command_has_help),
                       TEST(a_file_is_sealed_rotated_verified_and_unsealed),
                       TEST(a_wrong_key_changes_nothing_and_lists_what_does_not_open),
                       TEST(the_file_behind_a_symbolic_link_is_replaced),
                       TEST(the_service_starts_with_the_key_and_refuses_without),
                       TEST(a_key_is_changed_while_the_service_runs),
                       TEST(the_audit_log_of_the_service_verifies_and_tells_of_changes),
                       TEST(audit_verify_says_what_to_do_about_each_kind_of_file),
                       TEST(names_of_a_sealed_file_are_read_without_a_keyring),
                       TEST(a_minted_token_is_accepted_and_inspected),
#ifdef GA4_SIM
                       TEST(check_tells_step_by_step_what_works_and_what_to_do),
#endif
                       TEST(tokens_are_signed_with_every_kind_of_key))
