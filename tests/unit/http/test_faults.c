/* Cancellation, deadlines, and servers that misbehave. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

/* A listening port that accepts nothing: its queue is full, so connecting hangs. */
struct black_hole {
  int fd;
  int filler[4];
  uint16_t port;
};

static void black_hole_open(struct black_hole *h)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(h->fd, (struct sockaddr *)&a, len) != 0 || listen(h->fd, 0) != 0 ||
      getsockname(h->fd, (struct sockaddr *)&a, &len) != 0)
    abort();
  h->port = ntohs(a.sin_port);
  for (size_t i = 0; i < ARRAY_LEN(h->filler); i++) {
    h->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)!connect(h->filler[i], (struct sockaddr *)&a, len);
  }
  test_sleep_ms(20);
}

static void black_hole_close(struct black_hole *h)
{
  for (size_t i = 0; i < ARRAY_LEN(h->filler); i++)
    close(h->filler[i]);
  close(h->fd);
}

static void cancel_before_the_thread_starts_it(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  for (int i = 0; i < 50; i++) {
    struct fetch f;
    fetch_init(&f, s, "/hang");
    CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
    http_transfer_cancel(f.transfer);
    http_transfer_cancel(f.transfer);
    CU_ASSERT_TRUE(fetch_wait(&f));
    CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
    CU_ASSERT_EQUAL(f.n_done, 1);
    fetch_free(&f);
  }
  http_client_free(c);
  server_stop(s);
}

static void cancel_while_connecting(void)
{
  struct black_hole h;
  struct http_client *c = new_client();
  struct fetch f;
  char url[64];
  black_hole_open(&h);
  snprintf(url, sizeof(url), "http://127.0.0.1:%u/", h.port);
  fetch_init(&f, NULL, url);
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  test_sleep_ms(50);
  CU_ASSERT_EQUAL(f.n_done, 0);
  int64_t began = clock_mono_ms();
  http_transfer_cancel(f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_TRUE(clock_mono_ms() - began < 15000);
  CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
  CU_ASSERT_EQUAL(f.status, 0);
  fetch_free(&f);
  http_client_free(c);
  black_hole_close(&h);
}

static void cancel_in_the_middle_of_a_body(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=1000000&piece=1000&pause_ms=5");
  fetch_stream(&f);
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait_bytes(&f, 3000));
  http_transfer_cancel(f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
  CU_ASSERT_EQUAL(f.status, 200);
  CU_ASSERT_TRUE(f.streamed < 1000000);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void cancel_while_paused(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=1000000&gzip=1");
  fetch_stream(&f);
  f.pause_every = 2;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait_pause(&f));
  http_transfer_resume(f.transfer);
  http_transfer_cancel(f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
  CU_ASSERT_EQUAL(f.n_done, 1);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void cancel_after_the_end_does_nothing(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/echo");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  http_transfer_cancel(f.transfer);
  test_sleep_ms(20);
  CU_ASSERT_EQUAL(f.n_done, 1);
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  http_client_free(c);
  http_transfer_cancel(f.transfer); /* even after the client is gone */
  http_transfer_resume(f.transfer);
  fetch_free(&f);
  server_stop(s);
}

static void released_transfer_runs_to_its_end(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=50000&piece=10000&pause_ms=5");
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  http_transfer_release(TAKE_PTR(f.transfer));
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.body.len, 50000);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

/* The transfer's state when the deadline passes, by the reason given. */
static bool ends_with(const char *path, unsigned pause_every, const char *reason, uint32_t timeout_ms)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  char within[32];
  snprintf(within, sizeof(within), "within %g s", (double)timeout_ms / 1000);
  fetch_init(&f, s, path);
  fetch_stream(&f);
  f.pause_every = pause_every;
  f.request.timeout_ms = timeout_ms;
  int64_t began = clock_mono_ms();
  CU_ASSERT_TRUE(fetch_run(&f, c));
  int64_t took = clock_mono_ms() - began;
  CU_ASSERT_TRUE(took >= (int64_t)timeout_ms && took < 15000);
  CU_ASSERT_EQUAL(f.error.code, ERR_DEADLINE_EXCEEDED);
  bool as_expected = strcmp(f.error.reason, reason) == 0;
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, within));
  CU_ASSERT_PTR_NULL(strstr(f.error.message, "secret"));
  CU_ASSERT_EQUAL(f.n_done, 1);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
  return as_expected;
}

/* On a busy machine a short deadline may pass before the transfer is in that state. */
static void check_deadline(const char *path, unsigned pause_every, const char *reason)
{
  bool seen = false;
  for (uint32_t ms = 200; !seen && ms <= 3200; ms *= 4)
    seen = ends_with(path, pause_every, reason, ms);
  CU_ASSERT_TRUE(seen);
}

static void deadline_ends_a_transfer_in_every_state(void)
{
  static const char slow[] = "deadline_exceeded";
  check_deadline("/hang?secret", 0, slow);
  check_deadline("/bytes?secret&n=1000000&piece=1&pause_ms=20", 0, slow); /* a slow trickle */
  check_deadline("/bytes?secret&n=1000000", 3, HTTP_NOT_TAKEN);           /* never resumed */
}

static void deadline_runs_while_waiting_for_a_connection(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c;
  struct http_client_options o = {.max_host_connections = 1};
  struct fetch first, second;
  CU_ASSERT_EQUAL_FATAL(http_client_new(&c, &o, NULL), ERR_OK);
  fetch_init(&first, s, "/hang");
  fetch_init(&second, s, "/echo");
  second.request.timeout_ms = 200;
  CU_ASSERT_EQUAL(fetch_start(&first, c), ERR_OK);
  test_sleep_ms(50);
  int64_t began = clock_mono_ms();
  CU_ASSERT_TRUE(fetch_run(&second, c));
  CU_ASSERT_TRUE(clock_mono_ms() - began < 15000);
  CU_ASSERT_EQUAL(second.error.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(first.n_done, 0);
  http_client_free(c);
  CU_ASSERT_EQUAL(first.n_done, 1);
  fetch_free(&first);
  fetch_free(&second);
  server_stop(s);
}

/* curl moves one waiting transfer on when a connection falls free; that one is cancelled here. */
static void cancelling_waiting_transfers_strands_none(void)
{
  enum { N = 24 };
  struct server *s = server_start(NULL);
  struct http_client *c;
  struct http_client_options o = {.max_host_connections = 2};
  struct fetch f[N];
  CU_ASSERT_EQUAL_FATAL(http_client_new(&c, &o, NULL), ERR_OK);
  for (int i = 0; i < N; i++) {
    fetch_init(&f[i], s, i < 2 ? "/hang" : "/echo");
    f[i].request.timeout_ms = 10000;
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
  }
  test_sleep_ms(30);
  for (int i = 0; i < N; i += i < 2 ? 1 : 2)
    http_transfer_cancel(f[i].transfer);
  int64_t began = clock_mono_ms();
  for (int i = 0; i < N; i++) {
    CU_ASSERT_TRUE(fetch_wait(&f[i]));
    /* An even one may have run between two cancellations. */
    bool spared = i >= 2 && (i % 2 == 1 || f[i].error.code == ERR_OK);
    CU_ASSERT_EQUAL(f[i].error.code, spared ? ERR_OK : ERR_CANCELLED);
    fetch_free(&f[i]);
  }
  CU_ASSERT_TRUE(clock_mono_ms() - began < 8000);
  http_client_free(c);
  server_stop(s);
}

static uint16_t unused_port(void)
{
  struct server *s = server_start(NULL);
  uint16_t port = server_port(s);
  server_stop(s);
  return port;
}

static void refused_connection_names_host_and_port(void)
{
  struct http_client *c = new_client();
  struct fetch f;
  char url[64], peer[32];
  uint16_t port = unused_port();
  snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?key=hunter2", port);
  snprintf(peer, sizeof(peer), "127.0.0.1:%u", port);
  fetch_init(&f, NULL, url);
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(f.error.reason, "connect_failed");
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, peer));
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, "refused"));
  CU_ASSERT_PTR_NULL(strstr(f.error.message, "hunter2"));
  CU_ASSERT_EQUAL(f.status, 0);
  fetch_free(&f);
  http_client_free(c);
}

static void unknown_name_is_unavailable_and_named(void)
{
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, NULL, "http://no-such-host.invalid/");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(f.error.reason, "name_not_resolved");
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, "no-such-host.invalid:80"));
  fetch_free(&f);
  http_client_free(c);
}

/* The host has another address, which refuses: the next one has a socket of the same number. */
static void refused_address_is_followed_by_the_next(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  for (int i = 0; i < 5; i++) {
    char url[64];
    struct fetch f;
    snprintf(url, sizeof(url), "http://localhost:%u/once", server_port(s));
    fetch_init(&f, NULL, url);
    CU_ASSERT_TRUE(fetch_run(&f, c));
    CU_ASSERT_EQUAL(f.error.code, ERR_OK);
    CU_ASSERT_TRUE(f.total_ms < 2000); /* curl looks by itself when it gives an address up */
    fetch_free(&f);
  }
  http_client_free(c);
  server_stop(s);
}

static void check_cut(struct http_client *c, struct server *s, const char *path, bool stream)
{
  struct fetch f;
  char peer[32];
  snprintf(peer, sizeof(peer), "127.0.0.1:%u", server_port(s));
  fetch_init(&f, s, path);
  if (stream)
    fetch_stream(&f);
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, peer));
  CU_ASSERT_EQUAL(f.n_done, 1);
  fetch_free(&f);
}

static void cut_connection_is_unavailable(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  check_cut(c, s, "/cut?n=50000", true);
  check_cut(c, s, "/cut?n=50000", false);
  check_cut(c, s, "/close", false);
  check_cut(c, s, "/badgzip", false);
  check_cut(c, s, "/badgzip", true);
  http_client_free(c);
  server_stop(s);
}

static void freeing_the_client_ends_every_transfer_once(void)
{
  enum { N = 12 };
  static const char *const paths[] = {"/hang", "/bytes?n=9000000&piece=100&pause_ms=5",
                                      "/bytes?n=3000000", "/echo"};
  struct server *s = server_start(NULL);
  struct http_client *c;
  struct http_client_options o = {.max_host_connections = 8};
  struct fetch f[N];
  CU_ASSERT_EQUAL_FATAL(http_client_new(&c, &o, NULL), ERR_OK);
  for (int i = 0; i < N; i++) {
    fetch_init(&f[i], s, paths[i % 4]);
    fetch_stream(&f[i]);
    f[i].pause_every = i % 4 == 2 ? 2 : 0;
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
    if (i == N / 2)
      test_sleep_ms(30);
  }
  http_client_free(c);
  for (int i = 0; i < N; i++) {
    CU_ASSERT_EQUAL(f[i].n_done, 1);
    if (i % 4 < 3)
      CU_ASSERT_EQUAL(f[i].error.code, ERR_CANCELLED);
    fetch_free(&f[i]);
  }
  server_stop(s);
}

static void start_on_ending_client(struct fetch *f)
{
  f->status = (int)fetch_start(f->next, f->client);
}

static void ending_client_takes_no_new_work(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f[2];
  fetch_init(&f[0], s, "/hang");
  fetch_init(&f[1], s, "/echo");
  f[0].then = start_on_ending_client;
  f[0].next = &f[1];
  CU_ASSERT_EQUAL(fetch_start(&f[0], c), ERR_OK);
  test_sleep_ms(30);
  http_client_free(c);
  CU_ASSERT_EQUAL(f[0].status, ERR_CANCELLED);
  CU_ASSERT_EQUAL(f[1].n_done, 0);
  fetch_free(&f[0]);
  fetch_free(&f[1]);
  server_stop(s);
}

TEST_MAIN("http.faults", TEST(cancel_before_the_thread_starts_it), TEST(cancel_while_connecting),
          TEST(cancel_in_the_middle_of_a_body), TEST(cancel_while_paused),
          TEST(cancel_after_the_end_does_nothing), TEST(released_transfer_runs_to_its_end),
          TEST(deadline_ends_a_transfer_in_every_state),
          TEST(deadline_runs_while_waiting_for_a_connection),
          TEST(cancelling_waiting_transfers_strands_none),
          TEST(refused_connection_names_host_and_port), TEST(unknown_name_is_unavailable_and_named),
          TEST(refused_address_is_followed_by_the_next), TEST(cut_connection_is_unavailable),
          TEST(freeing_the_client_ends_every_transfer_once), TEST(ending_client_takes_no_new_work))
