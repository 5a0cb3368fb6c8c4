/* `PROGRAM healthcheck`, asked of real programs. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/service/healthcheck.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/certs.h"

enum {
  READY_MS = 60 * 1000,
  TRIES = 10,
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  LONGEST_MS = 8 * 1000, /* the sanitizer's own start and end come on top */
#else
  LONGEST_MS = 2 * 1000,
#endif
};

static char dir[64];

static uint16_t free_port(void)
{
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, size), 0);
  getsockname(fd, (struct sockaddr *)&at, &size);
  close(fd);
  return ntohs(at.sin_port);
}

static pid_t run(const char *path, const char *argument, const char *const env[])
{
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
    _exit(126);
  char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)argument, NULL};
  execve(path, argv, (char *const *)(uintptr_t)env);
  _exit(127);
}

/* Its exit code; -1 when it takes longer than a probe may each time. A busy machine may do that to one. */
static int ask(const char *path, const char *const env[])
{
  for (int tries = 0; tries < TRIES; tries++) {
    int status = 0;
    int64_t began_ms = clock_mono_ms();
    pid_t pid = run(path, "healthcheck", env);
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status))
      return -1;
    if (clock_mono_ms() - began_ms <= LONGEST_MS)
      return WEXITSTATUS(status);
  }
  return -1;
}

static bool becomes(int code, const char *path, const char *const env[])
{
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  for (int64_t until = clock_mono_ms() + READY_MS; clock_mono_ms() < until;) {
    if (ask(path, env) == code)
      return true;
    nanosleep(&pause, NULL);
  }
  return false;
}

static void is_right_in_all_states(const char *path, const char *const env[])
{
  int status = 0;
  CU_ASSERT_EQUAL(ask(path, env), EXIT_FAILED); /* nobody is there */
  pid_t pid = run(path, NULL, env);
  CU_ASSERT_TRUE(becomes(EXIT_OK, path, env));
  kill(pid, SIGSTOP);
  waitpid(pid, &status, WUNTRACED);
  CU_ASSERT_EQUAL(ask(path, env), EXIT_FAILED); /* connections are taken, nothing answers */
  kill(pid, SIGCONT);
  CU_ASSERT_EQUAL(ask(path, env), EXIT_OK);
  kill(pid, SIGTERM);
  waitpid(pid, &status, 0);
  CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CU_ASSERT_EQUAL(ask(path, env), EXIT_FAILED);
}

static void a_service_in_plain_text_is_asked(void)
{
  char listen[64];
  snprintf(listen, sizeof(listen), "GRPC_LISTEN=0.0.0.0:%u", free_port());
  const char *const env[] = {listen, "ADMIN_LISTEN=off", "AUTH_SVC_ADDR=127.0.0.1:1", NULL};
  is_right_in_all_states(REPORT_SVC, env);
}

static void a_service_with_mutual_tls_is_asked_with_its_own_certificate(void)
{
  char listen[64], cert[128], key[128], authority[128];
  snprintf(dir, sizeof(dir), "/tmp/healthcheck-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  struct cert_authority *ca = certs_ca_new("test CA");
  certs_issue(ca, dir, "aggregate-svc", "DNS:aggregate-svc"); /* not the address it is asked at */
  struct cert_paths p = certs_paths(dir, "aggregate-svc");
  snprintf(listen, sizeof(listen), "GRPC_LISTEN=127.0.0.1:%u", free_port());
  snprintf(cert, sizeof(cert), "GRPC_TLS_CERT=%s", p.cert);
  snprintf(key, sizeof(key), "GRPC_TLS_KEY=%s", p.key);
  snprintf(authority, sizeof(authority), "GRPC_TLS_CA=%s", p.ca);
  const char *const env[] = {listen, cert, key, authority, "ADMIN_LISTEN=off", NULL};
  is_right_in_all_states(AGGREGATE_SVC, env);
  const char *const plain[] = {listen, "ADMIN_LISTEN=off", NULL};
  pid_t pid = run(AGGREGATE_SVC, NULL, env);
  CU_ASSERT_TRUE(becomes(EXIT_OK, AGGREGATE_SVC, env));
  CU_ASSERT_EQUAL(ask(AGGREGATE_SVC, plain), EXIT_FAILED); /* without the certificate */
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
  unlink(p.cert);
  unlink(p.key);
  unlink(p.ca);
  CU_ASSERT_EQUAL(rmdir(dir), 0);
  certs_paths_free(&p);
  certs_ca_free(ca);
}

static void settings_that_are_wrong_are_not_well(void)
{
  static const char *const programs[] = {AUTH_SVC, REPORT_SVC, AGGREGATE_SVC, GATEWAY};
  const char *const env[] = {"ADMIN_LISTEN=nowhere", NULL};
  for (size_t i = 0; i < ARRAY_LEN(programs); i++)
    CU_ASSERT_EQUAL(ask(programs[i], env), EXIT_FAILED);
}

static void the_word_is_taken_off_the_command_line(void)
{
  char program[] = "x", word[] = "healthcheck", help[] = "--help";
  char *alone[] = {program, word, NULL}, *more[] = {program, word, help, NULL};
  char *other[] = {program, help, NULL}, *none[] = {program, NULL};
  int argc = 2;
  CU_ASSERT_TRUE(service_wants_healthcheck(&argc, alone));
  CU_ASSERT_EQUAL(argc, 1);
  argc = 3; /* then it is the program's --help, and not the healthcheck */
  CU_ASSERT_FALSE(service_wants_healthcheck(&argc, more));
  CU_ASSERT_EQUAL(argc, 2);
  CU_ASSERT_STRING_EQUAL(more[1], "--help");
  CU_ASSERT_PTR_NULL(more[2]);
  argc = 2;
  CU_ASSERT_FALSE(service_wants_healthcheck(&argc, other));
  CU_ASSERT_EQUAL(argc, 2);
  argc = 1;
  CU_ASSERT_FALSE(service_wants_healthcheck(&argc, none));
}

TEST_MAIN("healthcheck", TEST(the_word_is_taken_off_the_command_line),
          TEST(a_service_in_plain_text_is_asked),
          TEST(a_service_with_mutual_tls_is_asked_with_its_own_certificate),
          TEST(settings_that_are_wrong_are_not_well))
