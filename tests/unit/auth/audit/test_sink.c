/* The second sink of audit lines: it has what the file has, and its reader stops nobody. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth-svc/audit/sink.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/audit/stage.h"
#include "tests/unit/harness.h"

/* The counter's value; 0 before it is there. */
static double delivered(const char *result)
{
  AUTO_BUF struct buf page = BUF_INIT(1 << 20);
  AUTO_FREE char *mark = xasprintf("auth_audit_sink_lines_total{result=\"%s\"} ", result);
  CU_ASSERT_TRUE(metrics_render(&page));
  const char *found = strstr(buf_str(&page), mark);
  return found != NULL ? strtod(found + strlen(mark), NULL) : 0;
}

static bool wait_for_delivered(const char *result, double n)
{
  for (int i = 0; i < 10000 && delivered(result) < n; i++)
    usleep(2000); /* another thread delivers */
  return delivered(result) >= n;
}

/* All that comes until the other end closes. */
static void read_all(int fd, struct buf *out)
{
  char part[65536];
  ssize_t n;
  while ((n = read(fd, part, sizeof(part))) > 0)
    buf_append(out, part, (size_t)n);
}

static size_t count_lines(const struct buf *b)
{
  size_t n = 0;
  for (size_t i = 0; i < b->len; i++)
    n += b->data[i] == '\n';
  return n;
}

static void standard_output_gets_each_line_as_the_file_does(void)
{
  int ends[2], kept = dup(STDOUT_FILENO);
  AUTO_BUF struct buf got = BUF_INIT(1 << 20);
  stage();
  CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
  fflush(stdout);
  dup2(ends[1], STDOUT_FILENO);
  const struct audit_options options = {
      .path = path, .keyring = ring, .fsync = AUDIT_FSYNC_NEVER, .sink = AUDIT_SINK_STDOUT};
  struct audit *a = NULL;
  enum err_code code = audit_open(&a, &options, NULL);
  for (int i = 0; i < 20 && code == ERR_OK; i++)
    code = put(a, i % 2 == 0 ? "ann" : "bob");
  audit_close(a); /* what waits gets out */
  dup2(kept, STDOUT_FILENO);
  close(kept);
  close(ends[1]);
  read_all(ends[0], &got);
  close(ends[0]);
  CU_ASSERT_EQUAL(code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&got), slurp(path));
  CU_ASSERT_EQUAL(count_lines(&got), 20);
  strike();
}

/* Of 2 MiB some wait in the pipe, 1 MiB in the queue, and the others are lost, but not unseen. */
static void a_reader_who_takes_nothing_stops_nobody_and_what_he_misses_is_counted(void)
{
  enum { LINES = 2048, LEN = 1024 };
  int ends[2];
  char line[LEN], target[16];
  struct audit_sink *s = NULL;
  AUTO_BUF struct buf got = BUF_INIT(4 << 20);
  CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
  snprintf(target, sizeof(target), "%d", ends[1]);
  double lost = delivered("lost"), ok = delivered("ok");
  CU_ASSERT_EQUAL_FATAL(audit_sink_new(&s, AUDIT_SINK_STDOUT, target, NULL), ERR_OK);
  memset(line, 'x', LEN - 1);
  line[LEN - 1] = '\n';
  for (int i = 0; i < LINES; i++)
    audit_sink_offer(s, line, LEN); /* would hang here */
  audit_sink_free(s);               /* nor here: half a second, then it is over */
  close(ends[1]);
  read_all(ends[0], &got);
  close(ends[0]);
  lost = delivered("lost") - lost;
  ok = delivered("ok") - ok;
  CU_ASSERT_TRUE(lost > 0);
  CU_ASSERT_EQUAL(lost + ok, LINES);
  CU_ASSERT_EQUAL((double)count_lines(&got), ok);
}

static int syslog_socket(const char *name)
{
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
  return fd;
}

static void expect_message(int fd, const char *line)
{
  char message[4096] = "";
  struct pollfd p = {.fd = fd, .events = POLLIN};
  CU_ASSERT_EQUAL_FATAL(poll(&p, 1, 20000), 1);
  CU_ASSERT_TRUE(recv(fd, message, sizeof(message) - 1, 0) > 0);
  CU_ASSERT_EQUAL(strncmp(message, "<86>", 4), 0); /* authpriv.info */
  const char *text = strstr(message, ": {");
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  CU_ASSERT_PTR_NOT_NULL(strstr(message, " auth-svc["));
  CU_ASSERT_EQUAL(strlen(text + 2) + 1, strlen(line));
  CU_ASSERT_EQUAL(strncmp(text + 2, line, strlen(text + 2)), 0);
}

static void syslog_gets_a_message_for_each_line_also_after_it_was_restarted(void)
{
  static const char line[] = "{\"audit\":1,\"seq\":7}\n";
  struct audit_sink *s = NULL;
  stage();
  AUTO_FREE char *name = xasprintf("%s/log", dir);
  double lost = delivered("lost");
  CU_ASSERT_EQUAL_FATAL(audit_sink_new(&s, AUDIT_SINK_SYSLOG, name, NULL), ERR_OK);
  audit_sink_offer(s, line, sizeof(line) - 1); /* nobody is there */
  CU_ASSERT_TRUE(wait_for_delivered("lost", lost + 1));
  int fd = syslog_socket(name);
  for (int round = 0; round < 2; round++) {
    double ok = delivered("ok");
    for (int i = 0; i < 10000 && delivered("ok") == ok; i++, usleep(10000))
      audit_sink_offer(s, line, sizeof(line) - 1); /* it is looked for now and then */
    expect_message(fd, line);
    close(fd);
    unlink(name);
    fd = round == 0 ? syslog_socket(name) : -1;
  }
  audit_sink_free(s);
  strike();
}

static void names_of_sinks_are_read(void)
{
  enum audit_sink_kind kind;
  CU_ASSERT_TRUE(audit_sink_parse("none", &kind) && kind == AUDIT_SINK_NONE);
  CU_ASSERT_TRUE(audit_sink_parse("stdout", &kind) && kind == AUDIT_SINK_STDOUT);
  CU_ASSERT_TRUE(audit_sink_parse("syslog", &kind) && kind == AUDIT_SINK_SYSLOG);
  CU_ASSERT_FALSE(audit_sink_parse("Stdout", &kind));
}

TEST_MAIN("auth audit sink", TEST(standard_output_gets_each_line_as_the_file_does),
          TEST(a_reader_who_takes_nothing_stops_nobody_and_what_he_misses_is_counted),
          TEST(syslog_gets_a_message_for_each_line_also_after_it_was_restarted),
          TEST(names_of_sinks_are_read))
