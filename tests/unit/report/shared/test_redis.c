/* What the scripts do, on a real redis-server: two replicas over one. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/shared/shared.h"
#include "tests/unit/harness.h"

enum { LEASE_MS = 240, HOUR = 3600000 };

static pid_t server;
static unsigned port;
static char folder[] = "/tmp/amcp-redis-XXXXXX";
static bool installed;

static unsigned free_port(void)
{
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(at);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&at, size) != 0 || getsockname(fd, (void *)&at, &size) != 0)
    abort();
  close(fd);
  return ntohs(at.sin_port);
}

static void start_server(void)
{
  installed = access("/usr/bin/redis-server", X_OK) == 0;
  if (!installed || mkdtemp(folder) == NULL)
    return;
  port = free_port();
  AUTO_FREE char *port_text = xasprintf("%u", port);
  server = fork();
  if (server != 0)
    return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execl("/usr/bin/redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port_text,
        "--save", "", "--dir", folder, "--daemonize", "no", (char *)NULL);
  _exit(127);
}

static void end_server(void)
{
  if (server <= 0)
    return;
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  rmdir(folder);
}

/* A replica, connected; NULL where there is no Redis. */
static struct shared *replica(const char *database)
{
  if (!installed) {
    printf(" (skipped: redis-server is not installed)");
    return NULL;
  }
  AUTO_FREE char *text = xasprintf("redis://127.0.0.1:%u/%s", port, database);
  struct shared_options options = {.patience_ms = 5000, .lease_ms = LEASE_MS};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(redis_url_parse(&options.url, "REDIS_URL", text, &e), ERR_OK);
  struct shared *s = shared_new(&options);
  for (int64_t end = clock_mono_ms() + 10000; !shared_is_up(s) && clock_mono_ms() < end;)
    usleep(1000);
  CU_ASSERT_TRUE_FATAL(shared_is_up(s));
  return s;
}

static void end_replica(struct shared *s)
{
  shared_stop(s);
  shared_free(s);
}

struct asked {
  struct shared_place place;
  atomic_bool done;
  struct shared_decision d;
};

static void on_decided(void *user, const struct shared_decision *d)
{
  struct asked *a = user;
  a->d = *d;
  atomic_store(&a->done, true);
}

static enum shared_verdict ask_with(struct shared *s, struct asked *a, const char *key, bool guest,
                                    const struct shared_limits *limits)
{
  *a = (struct asked){0};
  shared_take_place(s, &a->place, key, guest, limits, on_decided, a);
  while (!atomic_load(&a->done))
    usleep(200);
  return a->d.verdict;
}

static enum shared_verdict ask(struct shared *s, struct asked *a, bool guest)
{
  static const struct shared_limits limits = {10, 2, 6, 300000};
  return ask_with(s, a, "properties/1", guest, &limits);
}

static void ten_places_are_held_over_both_replicas(void)
{
  struct shared *one = replica("1"), *two = one == NULL ? NULL : replica("1");
  struct asked all[10], more;
  if (one == NULL)
    return;
  for (int i = 0; i < 10; i++)
    CU_ASSERT_EQUAL(ask(i % 3 == 0 ? one : two, &all[i], false), SHARED_GRANTED);
  CU_ASSERT_EQUAL(ask(one, &more, false), SHARED_FULL);
  CU_ASSERT_EQUAL(ask(two, &more, false), SHARED_FULL);
  CU_ASSERT_PTR_NULL(more.place.shared);
  static const struct shared_limits limits = {10, 2, 6, 300000};
  struct asked other;
  CU_ASSERT_EQUAL(ask_with(two, &other, "properties/2", false, &limits), SHARED_GRANTED);
  shared_give_place(&all[0].place); /* of one */
  /* Over two connections: there is no order between them. */
  for (int64_t end = clock_mono_ms() + 20000;
       ask(two, &more, false) == SHARED_FULL && clock_mono_ms() < end;)
    usleep(1000);
  CU_ASSERT_EQUAL(more.d.verdict, SHARED_GRANTED);
  CU_ASSERT_EQUAL(ask(one, &all[0], false), SHARED_FULL);
  usleep(2 * LEASE_MS * 1000); /* renewed: still held */
  CU_ASSERT_EQUAL(ask(one, &all[0], false), SHARED_FULL);
  for (int i = 1; i < 10; i++)
    shared_give_place(&all[i].place);
  shared_give_place(&more.place);
  shared_give_place(&other.place);
  end_replica(one);
  end_replica(two);
}

static void guests_have_two_of_them(void)
{
  struct shared *s = replica("2");
  struct asked a, b, c, owner;
  if (s == NULL)
    return;
  CU_ASSERT_EQUAL(ask(s, &a, true), SHARED_GRANTED);
  CU_ASSERT_EQUAL(ask(s, &b, true), SHARED_GRANTED);
  CU_ASSERT_EQUAL(ask(s, &c, true), SHARED_FULL);
  CU_ASSERT_EQUAL(ask(s, &owner, false), SHARED_GRANTED);
  shared_give_place(&a.place);
  CU_ASSERT_EQUAL(ask(s, &c, true), SHARED_GRANTED);
  shared_give_place(&b.place);
  shared_give_place(&c.place);
  shared_give_place(&owner.place);
  end_replica(s);
}

static void the_places_of_a_replica_that_died_are_free_after_their_lease(void)
{
  struct shared *dying = replica("3"), *s = dying == NULL ? NULL : replica("3");
  struct asked all[10], a;
  if (s == NULL)
    return;
  for (int i = 0; i < 10; i++)
    CU_ASSERT_EQUAL(ask(dying, &all[i], false), SHARED_GRANTED);
  int64_t stopped = clock_mono_ms();
  shared_stop(dying); /* renews no more, gives nothing back */
  bool full = ask(s, &a, false) == SHARED_FULL;
  CU_ASSERT_TRUE(full ||
                 clock_mono_ms() - stopped >= LEASE_MS / 2); /* a slow machine asks too late */
  int64_t end = clock_mono_ms() + 20000;
  while (full && ask(s, &a, false) == SHARED_FULL && clock_mono_ms() < end)
    usleep(10000);
  CU_ASSERT_EQUAL(a.d.verdict, SHARED_GRANTED);
  shared_give_place(&a.place);
  for (int i = 0; i < 10; i++)
    shared_give_place(&all[i].place);
  shared_free(dying);
  end_replica(s);
}

static void six_server_errors_of_both_hold_both_back(void)
{
  struct shared *one = replica("4"), *two = one == NULL ? NULL : replica("4");
  struct asked a;
  if (one == NULL)
    return;
  int64_t began = clock_unix_ms();
  for (int i = 0; i < 6; i++) {
    CU_ASSERT_EQUAL(ask(one, &a, false), SHARED_GRANTED);
    shared_give_place(&a.place);
    shared_note_server_error(i % 2 == 0 ? one : two, "properties/1");
    CU_ASSERT_NOT_EQUAL(ask(i % 2 == 0 ? one : two, &a, false), SHARED_AWAY); /* it has arrived */
    shared_give_place(&a.place);
  }
  CU_ASSERT_EQUAL(ask(one, &a, false), SHARED_SERVER_ERRORS);
  CU_ASSERT_EQUAL(ask(two, &a, false), SHARED_SERVER_ERRORS);
  /* The first is an hour old then. */
  CU_ASSERT_TRUE(a.d.until_ms >= began + HOUR && a.d.until_ms <= clock_unix_ms() + HOUR);
  static const struct shared_limits eight = {10, 2, 8, 300000}, none = {10, 2, 0, 300000};
  CU_ASSERT_EQUAL(ask_with(two, &a, "properties/1", false, &eight), SHARED_GRANTED);
  shared_give_place(&a.place);
  CU_ASSERT_EQUAL(ask_with(two, &a, "properties/1", false, &none), SHARED_GRANTED);
  shared_give_place(&a.place);
  int64_t until = clock_unix_ms() + 2 * HOUR;
  shared_note_held(two, "properties/9", until);
  static const struct shared_limits six = {10, 2, 6, 300000};
  CU_ASSERT_EQUAL(ask_with(two, &a, "properties/9", false, &six), SHARED_SERVER_ERRORS);
  CU_ASSERT_EQUAL(a.d.until_ms, until);
  end_replica(one);
  end_replica(two);
}

static void tokens_used_up_are_known_to_both_and_one_probe_is_sent(void)
{
  struct shared *one = replica("5"), *two = one == NULL ? NULL : replica("5");
  static const struct shared_limits limits = {10, 2, 6, 300000}, all = {10, 2, 6, 0};
  struct asked a;
  if (one == NULL)
    return;
  int64_t now = clock_unix_ms(), until = now + HOUR;
  shared_note_gone(one, "properties/1", until, true, now + 60000);
  CU_ASSERT_EQUAL(ask(one, &a, false), SHARED_NO_TOKENS);
  CU_ASSERT_EQUAL(ask(two, &a, false), SHARED_NO_TOKENS);
  CU_ASSERT_EQUAL(a.d.until_ms, until);
  CU_ASSERT_TRUE(a.d.day);
  CU_ASSERT_EQUAL(ask_with(two, &a, "properties/1", false, &all), SHARED_GRANTED);
  CU_ASSERT_EQUAL(a.d.until_ms, 0);
  shared_give_place(&a.place);
  shared_note_gone(one, "properties/1", until, false, now - 1); /* time for a probe */
  CU_ASSERT_EQUAL(ask_with(one, &a, "properties/1", false, &limits), SHARED_GRANTED);
  CU_ASSERT_EQUAL(a.d.until_ms, until);
  CU_ASSERT_FALSE(a.d.day);
  shared_give_place(&a.place);
  CU_ASSERT_EQUAL(ask(two, &a, false), SHARED_NO_TOKENS); /* one was sent */
  shared_note_back(one, "properties/1");
  CU_ASSERT_EQUAL(ask(one, &a, false), SHARED_GRANTED);
  CU_ASSERT_EQUAL(a.d.until_ms, 0);
  shared_give_place(&a.place);
  CU_ASSERT_EQUAL(ask(two, &a, false), SHARED_GRANTED);
  shared_give_place(&a.place);
  end_replica(one);
  end_replica(two);
}

struct found {
  atomic_bool done;
  char data[64];
  size_t len;
  int64_t ttl_ms;
  bool any;
};

static void on_found(void *user, const void *data, size_t len, int64_t ttl_ms)
{
  struct found *f = user;
  f->any = data != NULL;
  f->len = len;
  f->ttl_ms = ttl_ms;
  if (data != NULL && len <= sizeof(f->data))
    memcpy(f->data, data, len);
  atomic_store(&f->done, true);
}

static struct found look(struct shared *s, const char *key)
{
  AUTO_BUF struct buf k = BUF_INIT(100);
  struct found f = {0};
  buf_puts(&k, key);
  shared_get_answer(s, &k, on_found, &f);
  while (!atomic_load(&f.done))
    usleep(200);
  return f;
}

static void an_answer_of_one_is_found_by_the_other_until_its_time_is_over(void)
{
  struct shared *one = replica("6"), *two = one == NULL ? NULL : replica("6");
  AUTO_BUF struct buf key = BUF_INIT(100);
  if (one == NULL)
    return;
  buf_puts(&key, "a");
  shared_put_answer(one, &key, "x\0y\r\n", 5, 300);
  look(one, "a"); /* it has arrived */
  struct found f = look(two, "a");
  CU_ASSERT_TRUE(f.any && f.len == 5 && memcmp(f.data, "x\0y\r\n", 5) == 0);
  CU_ASSERT_TRUE(f.ttl_ms > 0 && f.ttl_ms <= 300);
  CU_ASSERT_FALSE(look(two, "b").any);
  for (int64_t end = clock_mono_ms() + 20000; look(two, "a").any && clock_mono_ms() < end;)
    usleep(5000);
  CU_ASSERT_FALSE(look(two, "a").any);
  AUTO_FREE char *large = xcalloc(1, SHARED_ANSWER_MAX + 1);
  shared_put_answer(one, &key, large, SHARED_ANSWER_MAX + 1, 10000);
  CU_ASSERT_FALSE(look(one, "a").any);
  shared_put_answer(one, &key, large, SHARED_ANSWER_MAX, 10000);
  CU_ASSERT_EQUAL(look(one, "a").len, SHARED_ANSWER_MAX);
  end_replica(one);
  end_replica(two);
}

static const struct test_case cases[] = {
    TEST(ten_places_are_held_over_both_replicas),
    TEST(guests_have_two_of_them),
    TEST(the_places_of_a_replica_that_died_are_free_after_their_lease),
    TEST(six_server_errors_of_both_hold_both_back),
    TEST(tokens_used_up_are_known_to_both_and_one_probe_is_sent),
    TEST(an_answer_of_one_is_found_by_the_other_until_its_time_is_over),
};

int main(int argc, char **argv)
{
  const struct test_program program = {.suite = "shared/redis",
                                       .room = AMCP_TEST_ROOM,
                                       .cases = cases,
                                       .n = ARRAY_LEN(cases),
                                       .begin = start_server,
                                       .end = end_server};
  return test_run(&program, argc, argv);
}
