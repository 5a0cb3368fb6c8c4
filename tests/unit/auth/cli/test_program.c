/* The program: refuses what is wrong with a message, serves, stops cleanly, keeps secrets. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/side.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DEALERS                                                                                    \
  "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],\"oauth\":"       \
  "{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\"}}]"

struct program {
  pid_t pid;
  int out;          /* its output, both streams */
  char text[16384]; /* what was read of it */
  size_t len;
};

static char folder[] = "/tmp/auth-program-XXXXXX";

static void write_file(const char *name, const char *text)
{
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
  chmod(path, 0600);
}

static void remove_folder(void)
{
  static const char *const files[] = {"dealers.json",  "bad.json",    "adc.json",
                                      "live.json",     "state/lock",  "state/refresh-tokens",
                                      "state",         "mapped.json", "seal.key",
                                      "policies.json", "named.json",  "key.json"};
  for (size_t i = 0; i < ARRAY_LEN(files); i++) {
    AUTO_FREE char *path = xasprintf("%s/%s", folder, files[i]);
    remove(path);
  }
  rmdir(folder);
}

static void set_up(void)
{
  static bool done;
  if (done)
    return;
  done = true;
  atexit(remove_folder);
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
  write_file("dealers.json", DEALERS);
  write_file("bad.json", "[\n{\"dealer_id\":\"d1\"}]");
  write_file("mapped.json", "{\"policies\":[{\"identity\":\"x\",\"subject\":\"x\",\"role\":"
                            "\"admin\"}]}");
}

/* Starts auth-svc in the folder with these variables ("A=1 B=2") and nothing else. */
static void start(struct program *p, const char *variables)
{
  int pipes[2];
  set_up();
  *p = (struct program){0};
  CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
  p->pid = fork();
  if (p->pid == 0) {
    AUTO_FREE char *copy = xstrdup(variables);
    char *env[32] = {NULL}, *rest = copy;
    size_t n = 0;
    for (char *v = strsep(&rest, " "); v != NULL && n < 31; v = strsep(&rest, " "))
      env[n++] = v;
    dup2(pipes[1], 1);
    dup2(pipes[1], 2);
    if (chdir(folder) == 0)
      execle(AUTH_SVC, "auth-svc", (char *)NULL, env);
    _exit(127);
  }
  close(pipes[1]);
  p->out = pipes[0];
}

/* Reads until `until` shows or the program ends. */
static bool read_until(struct program *p, const char *until)
{
  while (until == NULL || strstr(p->text, until) == NULL) {
    ssize_t n = read(p->out, p->text + p->len, sizeof(p->text) - 1 - p->len);
    if (n <= 0)
      return false;
    p->len += (size_t)n;
  }
  return true;
}

static int end(struct program *p, int signal)
{
  int status = 0;
  if (signal != 0)
    kill(p->pid, signal);
  read_until(p, NULL);
  waitpid(p->pid, &status, 0);
  close(p->out);
  CU_ASSERT_PTR_NULL(strstr(p->text, "s3cret"));
  CU_ASSERT_PTR_NULL(strstr(p->text, "r3fresh"));
  CU_ASSERT_PTR_NULL(strstr(p->text, "00112233"));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define GOOD "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_PATH=dealers.json"

static void wrong_settings_end_the_start_with_the_variables_name(void)
{
  static const struct {
    const char *variables, *message;
  } table[] = {
      {"GRPC_LISTEN=nowhere", "GRPC_LISTEN"},
      {"ADMIN_LISTEN=nowhere", "ADMIN_LISTEN=nowhere: expected host:port, :port or off"},
      {"ENABLE_AUTH=perhaps", "ENABLE_AUTH"},
      {"LOG_LEVEL=loud", "auth-svc: LOG_LEVEL=loud: expected DEBUG"},
      {"FASTMCP_LOG_LEVEL=loud", "auth-svc: FASTMCP_LOG_LEVEL=loud: expected DEBUG"},
      {"AUTH_TOKEN_TIMEOUT_MS=5", "AUTH_TOKEN_TIMEOUT_MS"},
      {"OAUTH_TOKEN_ENDPOINT=token", "OAUTH_TOKEN_ENDPOINT: must be an http or https URL"},
      {"OAUTH_TOKEN_ENDPOINT=http://ga4-sim:8089/token",
       "OAUTH_TOKEN_ENDPOINT: must be an https URL: refresh tokens would travel in the clear"},
      {"AUTH_ALLOW_HTTP_TOKEN_HOST=ga4-sim OAUTH_TOKEN_ENDPOINT=http://other:8089/token",
       "OAUTH_TOKEN_ENDPOINT: must be an https URL"},
      {"AUTH_ALLOW_HTTP_TOKEN_HOST=http://ga4-sim", "AUTH_ALLOW_HTTP_TOKEN_HOST: must be the name"},
      {"AUTH_ALLOW_HTTP_TOKEN_HOST=oauth2.googleapis.com",
       "AUTH_ALLOW_HTTP_TOKEN_HOST: must not be a host of Google"},
      {"AUTH_SEAL_KEY=0011", "AUTH_SEAL_KEY: key 1 must be at least 32"},
      {"AUTH_SEAL_KEY=" KEY " AUTH_SEAL_KEY_FILE=x", "AUTH_SEAL_KEY: set it or"},
      {"AUTH_SEAL_KEY_FILE=gone", "AUTH_SEAL_KEY_FILE: cannot open gone"},
      {"AUTH_JWT_KEY_FILE=dealers.json", "AUTH_JWT_ISSUER: must be set"},
      {"AUTH_JWT_KEY_FILE=gone AUTH_JWT_ISSUER=i", "AUTH_JWT_KEY_FILE: cannot open gone"},
      {"AUTH_JWT_HS256_SECRET=short AUTH_JWT_ISSUER=i", "AUTH_JWT_HS256_SECRET: must be at least"},
      {"AUTH_JWT_AUDIENCE=a ANALYTICS_MCP_RESOURCE_URL=https://m.example/mcp",
       "leave AUTH_JWT_AUDIENCE out, or set both to the same"},
      {"GRPC_TLS_CERT=x", "GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA: give all three"},
      {"AUTH_ACCOUNT_TOKENS=access_token", "AUTH_ACCOUNT_TOKENS: must be refresh_token or off"},
      {"AUTH_ACCOUNT_TOKENS=off AUTH_ALLOW_UNSIGNED_TOKENS=true",
       "AUTH_ALLOW_UNSIGNED_TOKENS: contradicts AUTH_ACCOUNT_TOKENS=off"},
      {"GRPC_LISTEN=0.0.0.0:0 AUTH_ALLOW_UNSIGNED_TOKENS=true",
       "AUTH_ALLOW_UNSIGNED_TOKENS: refused because GRPC_LISTEN is not a loopback"},
      {"GA_CREDENTIALS_PATH=gone.json", "GA_CREDENTIALS_PATH: cannot open gone.json"},
      {"GA_CREDENTIALS_PATH=bad.json", "bad.json line 2: [0].name (dealer \"d1\"): missing"},
      {"GA_CREDENTIALS_PATH=dealers.json GA_CREDENTIALS_JSON=[]", "GA_CREDENTIALS_JSON: set it or"},
      {"GA_CREDENTIALS_JSON=[{\"dealer_id\":\"d1\"}]",
       "GA_CREDENTIALS_JSON line 1: [0].name (dealer \"d1\"): missing"},
      {"GA_CREDENTIALS_PATH=dealers.json AUTH_STATE_DIR=state",
       "AUTH_STATE_DIR: refresh tokens would be stored there unsealed"},
      {"GA_CREDENTIALS_PATH=dealers.json AUTH_STATE_DIR=dealers.json AUTH_STATE_PLAINTEXT=true",
       "AUTH_STATE_DIR: cannot open the folder in dealers.json"},
      {"GA_CREDENTIALS_PATH=dealers.json GRPC_TLS_CERT=gone GRPC_TLS_KEY=gone GRPC_TLS_CA=gone",
       "GRPC_TLS_CERT: cannot read gone: No such file or directory"},
      {"GA_CREDENTIALS_PATH=dealers.json AUTH_JWT_ISSUER=i "
       "AUTH_JWT_JWKS_URL=http://issuer.example/",
       "AUTH_JWT_JWKS_URL: must be an https URL"},
      {"AUTH_AUDIT_FILE=dealers.json",
       "AUTH_AUDIT_FILE: dealers.json is not an audit log, and is left as it is"},
      {"AUTH_CONFIG_CHECK_S=0", "AUTH_CONFIG_CHECK_S"},
      {"AUTH_COHORT_RULES=wran", "AUTH_COHORT_RULES: must be strict or warn"},
      {"AUTH_POLICY_FILE=gone", "AUTH_POLICY_FILE: cannot open gone"},
      {"AUTH_POLICY_FILE=bad.json", "bad.json line 1: the file: must be an object"},
      {"AUTH_POLICY_FILE=mapped.json",
       "mapped.json gives rights by certificate (policies), which needs mutual TLS: set "
       "GRPC_TLS_CERT"},
      {"AUTH_GRANT_AUDIENCE=" KEY KEY "x", "AUTH_GRANT_AUDIENCE: longer than 128 bytes"},
      {"AUTH_REFRESH_IN_USE_S=5", "AUTH_REFRESH_IN_USE_S"},
      {"ENABLE_AUTH=false HOME=/nonexistent", "no dealers file (GA_CREDENTIALS_PATH"},
      {"ENABLE_AUTH=false GOOGLE_APPLICATION_CREDENTIALS=dealers.json",
       "dealers.json line 1: type: must"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct program p;
    start(&p, table[i].variables);
    int code = end(&p, 0);
    if (code != 78 || strstr(p.text, table[i].message) == NULL)
      printf("\n  with %s\n  want %s\n  got  %d %s\n", table[i].variables, table[i].message, code,
             p.text);
    CU_ASSERT_EQUAL(code, 78);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.text, table[i].message));
  }
}

static void it_serves_and_stops_cleanly_on_sigterm(void)
{
  struct program p;
  start(&p, GOOD);
  CU_ASSERT_TRUE(read_until(&p, "\"serving\""));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
  start(&p, GOOD " AUTH_ALLOW_UNSIGNED_TOKENS=true");
  CU_ASSERT_TRUE(read_until(&p, "\"serving\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "taken without proof"));
  CU_ASSERT_EQUAL(end(&p, SIGINT), 0);
  start(&p, GOOD " AUTH_ALLOW_HTTP_TOKEN_HOST=ga4-sim OAUTH_TOKEN_ENDPOINT=http://ga4-sim:1/token");
  CU_ASSERT_TRUE(read_until(&p, "\"serving\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "UNENCRYPTED"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void a_busy_port_is_named(void)
{
  struct program first, second;
  start(&first, GOOD);
  CU_ASSERT_TRUE_FATAL(read_until(&first, "\"serving\""));
  const char *port = strstr(first.text, "\"port\":");
  AUTO_FREE char *variables = xasprintf("GRPC_LISTEN=127.0.0.1:%d ADMIN_LISTEN=off "
                                        "GA_CREDENTIALS_PATH=dealers.json",
                                        (int)strtol(port != NULL ? port + 7 : "0", NULL, 10));
  start(&second, variables);
  CU_ASSERT_EQUAL(end(&second, 0), 1);
  AUTO_FREE char *address = xstrndup(variables + 12, strcspn(variables + 12, " "));
  CU_ASSERT_PTR_NOT_NULL(strstr(second.text, "auth-svc: "));
  CU_ASSERT_PTR_NOT_NULL(strstr(second.text, address));
  CU_ASSERT_EQUAL(end(&first, SIGTERM), 0);
}

static void secrets_of_the_environment_are_overwritten(void)
{
  struct program p;
  start(&p, GOOD " AUTH_SEAL_KEY=" KEY);
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  AUTO_FREE char *path = xasprintf("/proc/%d/environ", (int)p.pid);
  char text[4096] = "";
  int fd = open(path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
  for (ssize_t i = 0; i < n; i++)
    text[i] = text[i] == '\0' ? ' ' : text[i];
  if (fd >= 0) { /* without rights to read it, the point is made already */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "GRPC_LISTEN"));
    CU_ASSERT_PTR_NULL(strstr(text, "00112233"));
    close(fd);
  }
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void default_credentials_serve_local_development(void)
{
  struct program p;
  set_up();
  write_file("adc.json", "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":"
                         "\"s3cret\",\"refresh_token\":\"r3fresh\"}");
  start(&p, "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off ENABLE_AUTH=false "
            "GOOGLE_APPLICATION_CREDENTIALS=adc.json");
  CU_ASSERT_TRUE(read_until(&p, "\"serving\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "Application Default Credentials"));
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "every caller may read every dealer"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void dealers_come_from_the_environment_too(void)
{
  struct program p;
  start(&p, "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_JSON=" DEALERS);
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  AUTO_FREE char *path = xasprintf("/proc/%d/environ", (int)p.pid);
  char text[4096] = "";
  int fd = open(path, O_RDONLY);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
  if (fd >= 0)
    close(fd);
  if (n > 0) /* without rights to read it, the point is made already */
    CU_ASSERT_PTR_NULL(memmem(text, (size_t)n, "r3fresh", 7));
  kill(p.pid, SIGHUP);
  CU_ASSERT_TRUE(read_until(&p, "GA_CREDENTIALS_JSON cannot change in a running process"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void it_reads_a_changed_file_and_obeys_sighup(void)
{
  struct program p;
  set_up();
  write_file("live.json", DEALERS);
  start(&p, "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_PATH=live.json");
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  kill(p.pid, SIGHUP);
  CU_ASSERT_TRUE(read_until(&p, "\"generation\":2"));
  write_file("live.json", "[\n{\"dealer_id\":\"d1\"}]");
  CU_ASSERT_TRUE(read_until(&p, "live.json line 2: [0].name (dealer \\\"d1\\\"): missing"));
  write_file("live.json", "{\"dealers\":" DEALERS "}");
  CU_ASSERT_TRUE(read_until(&p, "\"generation\":3"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void every_file_of_trust_is_watched(void)
{
  struct program p;
  set_up();
  write_file("seal.key", KEY);
  write_file("policies.json", "{}");
  start(&p, GOOD " AUTH_SEAL_KEY_FILE=seal.key AUTH_POLICY_FILE=policies.json");
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  write_file("seal.key", KEY "\n1" KEY "1");
  CU_ASSERT_TRUE(read_until(&p, "\"generation\":2"));
  CU_ASSERT_TRUE(read_until(&p, "changed while running: 1 dealers, 2 seal keys, 0 jwt keys, 0 "
                                "policies, 0 revoked"));
  write_file("policies.json", "{\"revoked\":[{\"subject\":\"a\"},{\"subject\":\"b\"}]}");
  CU_ASSERT_TRUE(read_until(&p, "2 seal keys, 0 jwt keys, 0 policies, 2 revoked"));
  write_file("policies.json", "{\"revoked\":\n[{}]}");
  CU_ASSERT_TRUE(read_until(&p, "\"event\":\"config_refused\""));
  CU_ASSERT_TRUE(read_until(&p, "policies.json line 2: revoked[0]: must hold one of"));
  write_file("policies.json", "{}");
  CU_ASSERT_TRUE(read_until(&p, "\"generation\":4"));
  kill(p.pid, SIGHUP);
  CU_ASSERT_TRUE(read_until(&p, "\"generation\":5"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

/* A key of the environment is gone from there after the start, and yet in every state. */
static void what_came_by_environment_outlives_a_reload(void)
{
  struct program p;
  set_up();
  write_file("policies.json", "{}");
  start(&p, "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off AUTH_POLICY_FILE=policies.json "
            "AUTH_SEAL_KEY=" KEY " AUTH_JWT_ISSUER=i AUTH_JWT_HS256_SECRET=" KEY
            " GA_CREDENTIALS_JSON=" DEALERS);
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  write_file("policies.json", "{\"revoked\":[{\"subject\":\"a\"}]}");
  CU_ASSERT_TRUE(read_until(&p, "changed while running: 1 dealers, 1 seal keys, 1 jwt keys, 0 "
                                "policies, 1 revoked"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

#define USER(token)                                                                                \
  "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_"      \
  "token\":"                                                                                       \
  "\"" token "\"}"

/* A credential in a file of its own is renewed there, and dealers.json stays as it is. */
static void the_files_of_credentials_are_watched(void)
{
  struct program p;
  set_up();
  write_file("named.json", "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":"
                           "[\"1\"],\"oauth\":{\"file\":\"key.json\"}}]");
  write_file("key.json", USER("r3fresh"));
  start(&p, "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_PATH=named.json");
  CU_ASSERT_TRUE_FATAL(read_until(&p, "\"serving\""));
  write_file("key.json", "{\"type\":\"authorized_user\"}");
  CU_ASSERT_TRUE(read_until(&p, "the new configuration is refused"));
  CU_ASSERT_TRUE(read_until(&p, "key.json"));
  write_file("key.json", USER("r3fresh-new"));
  CU_ASSERT_TRUE(read_until(&p, "configuration reloaded"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
}

static void one_process_keeps_the_state(void)
{
  struct program first, second;
  start(&first, GOOD " AUTH_STATE_DIR=state AUTH_STATE_PLAINTEXT=true");
  CU_ASSERT_TRUE_FATAL(read_until(&first, "\"serving\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(first.text, "written unsealed"));
  start(&second, GOOD " AUTH_STATE_DIR=state AUTH_STATE_PLAINTEXT=true");
  CU_ASSERT_EQUAL(end(&second, 0), 78);
  CU_ASSERT_PTR_NOT_NULL(strstr(second.text, "state is in use by another auth-svc"));
  CU_ASSERT_EQUAL(end(&first, SIGTERM), 0);
}

#define LATE "GRPC_LISTEN=127.0.0.1:0 ADMIN_LISTEN=off GA_CREDENTIALS_PATH=late.json "

static void it_waits_for_a_dealers_file_that_is_not_there_yet(void)
{
  struct program p;
  set_up();
  AUTO_FREE char *late = xasprintf("%s/late.json", folder);
  unlink(late);
  start(&p, LATE "GA_CREDENTIALS_WAIT_S=300");
  CU_ASSERT_TRUE_FATAL(read_until(&p, "waiting for a file that is not there yet"));
  CU_ASSERT_PTR_NULL(strstr(p.text, "\"serving\""));
  write_file("late.json", ""); /* somebody has begun to write it */
  write_file("late.json", DEALERS);
  CU_ASSERT_TRUE(read_until(&p, "\"serving\""));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
  unlink(late);
}

static void a_wait_for_dealers_ends_with_its_time_and_with_sigterm(void)
{
  struct program p;
  start(&p, LATE "GA_CREDENTIALS_WAIT_S=1");
  CU_ASSERT_EQUAL(end(&p, 0), 78);
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "GA_CREDENTIALS_PATH: cannot open late.json"));
  start(&p, LATE "GA_CREDENTIALS_WAIT_S=300");
  CU_ASSERT_TRUE_FATAL(read_until(&p, "waiting for a file that is not there yet"));
  CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "asked to stop while waiting for late.json"));
}

TEST_MAIN_SIDE_BY_SIDE(
    "auth program", TEST(wrong_settings_end_the_start_with_the_variables_name),
    TEST(it_serves_and_stops_cleanly_on_sigterm), TEST(a_busy_port_is_named),
    TEST(secrets_of_the_environment_are_overwritten),
    TEST(default_credentials_serve_local_development), TEST(dealers_come_from_the_environment_too),
    TEST(it_reads_a_changed_file_and_obeys_sighup), TEST(every_file_of_trust_is_watched),
    TEST(the_files_of_credentials_are_watched), TEST(what_came_by_environment_outlives_a_reload),
    TEST(one_process_keeps_the_state), TEST(it_waits_for_a_dealers_file_that_is_not_there_yet),
    TEST(a_wait_for_dealers_ends_with_its_time_and_with_sigterm))
