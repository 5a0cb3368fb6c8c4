/* Ordinary requests, connection reuse, caps, timers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

static void get_returns_status_body_and_content_type(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/echo?a=b");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.status, 200);
  CU_ASSERT_EQUAL(f.n_done, 1);
  CU_ASSERT_STRING_EQUAL(f.content_type, "text/plain; charset=utf-8");
  CU_ASSERT_STRING_EQUAL(f.retry_after, "");
  CU_ASSERT_EQUAL(strncmp(buf_str(&f.body), "GET /echo?a=b HTTP/1.1\r\n", 24), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&f.body), "Accept-Encoding: gzip\r\n"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&f.body), "User-Agent: analytics-mcp/" AMCP_VERSION " (gzip)\r\n"));
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void post_sends_headers_and_body_as_given(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  char body[] = "{\"a\":\0 1}";
  const struct http_header headers[] = {{"Authorization", "Bearer secret-token"},
                                        {"Content-Type", "application/json"},
                                        {"X-Empty", ""}};
  fetch_init(&f, s, "/echo");
  f.request.method = "POST";
  f.request.headers = headers;
  f.request.n_headers = ARRAY_LEN(headers);
  f.request.body = body;
  f.request.body_len = sizeof(body) - 1;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  memset(body, 'x', sizeof(body)); /* it was copied */
  CU_ASSERT_TRUE(fetch_wait(&f));
  const char *seen = buf_str(&f.body);
  CU_ASSERT_EQUAL(strncmp(seen, "POST /echo HTTP/1.1\r\n", 21), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\r\nAuthorization: Bearer secret-token\r\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\r\nContent-Type: application/json\r\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\r\nX-Empty:\r\n"));
  CU_ASSERT_PTR_NULL(strstr(seen, "Expect:"));
  CU_ASSERT_PTR_NULL(strstr(seen, "urlencoded"));
  CU_ASSERT_EQUAL(memcmp(f.body.data + f.body.len - 10, "\n{\"a\":\0 1}", 10), 0);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void check_method(struct http_client *c, struct server *s, const char *method,
                         const char *body, const char *expect)
{
  struct fetch f;
  fetch_init(&f, s, "/echo");
  f.request.method = method;
  f.request.body = body;
  f.request.body_len = body != NULL ? strlen(body) : 0;
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.status, 200);
  CU_ASSERT_EQUAL(strncmp(buf_str(&f.body), expect, strlen(expect)), 0);
  if (body != NULL)
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&f.body), body));
  fetch_free(&f);
}

static void every_method_is_sent_as_named(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  check_method(c, s, "PUT", "put-body", "PUT /echo ");
  check_method(c, s, "PATCH", "patch-body", "PATCH /echo ");
  check_method(c, s, "DELETE", NULL, "DELETE /echo ");
  check_method(c, s, "DELETE", "delete-body", "DELETE /echo ");
  check_method(c, s, "POST", NULL, "POST /echo ");
  check_method(c, s, "HEAD", NULL, "");
  CU_ASSERT_EQUAL(server_connections(s), 1);
  http_client_free(c);
  server_stop(s);
}

static void large_body_is_sent_whole(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  size_t n = 3 * 1024 * 1024;
  char *body = xmalloc(n);
  for (size_t i = 0; i < n; i++)
    body[i] = (char)server_byte(i);
  fetch_init(&f, s, "/echo");
  f.request.method = "POST";
  f.request.body = body;
  f.request.body_len = n;
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_TRUE(f.body.len > n);
  CU_ASSERT_EQUAL(memcmp(f.body.data + f.body.len - n, body, n), 0);
  free(body);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void error_status_is_a_response_with_its_headers_and_body(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/status?code=429&n=100");
  fetch_stream(&f); /* on_body is for 2xx only */
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.status, 429);
  CU_ASSERT_EQUAL(f.calls, 0);
  CU_ASSERT_EQUAL(f.body.len, 100);
  CU_ASSERT_STRING_EQUAL(f.content_type, "application/json");
  CU_ASSERT_STRING_EQUAL(f.retry_after, "7");
  CU_ASSERT_STRING_EQUAL(f.www_authenticate, "Bearer realm=\"a\", Basic");
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void long_error_body_is_cut_at_64_kib_and_keeps_its_status(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/status?code=500&n=200000");
  f.request.max_response_bytes = 1000;
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.status, 500);
  CU_ASSERT_EQUAL(f.body.len, 64 * 1024);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void redirect_is_returned_not_followed(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/redirect");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.status, 302);
  CU_ASSERT_STRING_EQUAL(buf_str(&f.body), "moved");
  CU_ASSERT_EQUAL(server_requests(s), 1);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void headers_of_an_interim_response_do_not_count(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/interim");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.status, 200);
  CU_ASSERT_STRING_EQUAL(f.content_type, "text/final");
  CU_ASSERT_STRING_EQUAL(f.retry_after, "");
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void unprintable_header_bytes_do_not_pass(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/strange");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.status, 503);
  CU_ASSERT_STRING_EQUAL(f.retry_after, "a??z");
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void kept_connection_that_died_is_replaced_unnoticed(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  for (int i = 0; i < 30; i++) {
    struct fetch f;
    fetch_init(&f, s, "/once");
    f.request.method = "POST";
    f.request.body = "x=1";
    f.request.body_len = 3;
    CU_ASSERT_TRUE(fetch_run(&f, c));
    CU_ASSERT_EQUAL(f.error.code, ERR_OK);
    CU_ASSERT_EQUAL(f.status, 200);
    fetch_free(&f);
  }
  http_client_free(c);
  server_stop(s);
}

static void requests_one_after_another_share_a_connection(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  for (int i = 0; i < 20; i++) {
    struct fetch f;
    fetch_init(&f, s, i % 2 == 0 ? "/echo" : "/empty");
    CU_ASSERT_TRUE(fetch_run(&f, c));
    CU_ASSERT_EQUAL(f.status, 200);
    fetch_free(&f);
  }
  CU_ASSERT_EQUAL(server_requests(s), 20);
  CU_ASSERT_EQUAL(server_connections(s), 1);
  http_client_free(c);
  server_stop(s);
}

static void connections_to_a_host_stay_within_the_cap(void)
{
  enum { N = 64 };
  struct server *s = server_start(NULL);
  struct http_client *c;
  CU_ASSERT_EQUAL_FATAL(
      http_client_new(&c, &(struct http_client_options){.max_host_connections = 4}, NULL), ERR_OK);
  struct fetch *f = xcalloc(N, sizeof(*f));
  for (int i = 0; i < N; i++) {
    fetch_init(&f[i], s, "/bytes?n=20000&piece=5000&pause_ms=2");
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
  }
  for (int i = 0; i < N; i++) {
    CU_ASSERT_TRUE(fetch_wait(&f[i]));
    CU_ASSERT_EQUAL(f[i].error.code, ERR_OK);
    CU_ASSERT_EQUAL(f[i].body.len, 20000);
    fetch_free(&f[i]);
  }
  CU_ASSERT_TRUE(server_most_open(s) <= 4);
  CU_ASSERT_EQUAL(server_requests(s), N);
  free(f);
  http_client_free(c);
  server_stop(s);
}

static void plain_http_requests_do_not_wait_for_each_other(void)
{
  enum { N = 40 };
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f[N];
  int64_t began = clock_mono_ms();
  for (int i = 0; i < N; i++) {
    fetch_init(&f[i], s, "/bytes?n=2&piece=1&pause_ms=150");
    fetch_start(&f[i], c);
  }
  for (int i = 0; i < N; i++) {
    CU_ASSERT_TRUE(fetch_wait(&f[i]));
    fetch_free(&f[i]);
  }
  CU_ASSERT_TRUE(clock_mono_ms() - began < 9000); /* 300 ms each */
  http_client_free(c);
  server_stop(s);
}

static void more_transfers_than_the_limit_are_refused_at_once(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c;
  CU_ASSERT_EQUAL_FATAL(
      http_client_new(&c, &(struct http_client_options){.max_transfers = 2}, NULL), ERR_OK);
  struct fetch f[3];
  for (int i = 0; i < 3; i++)
    fetch_init(&f[i], s, "/hang");
  CU_ASSERT_EQUAL(fetch_start(&f[0], c), ERR_OK);
  CU_ASSERT_EQUAL(fetch_start(&f[1], c), ERR_OK);
  CU_ASSERT_EQUAL(fetch_start(&f[2], c), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NULL(f[2].transfer);
  CU_ASSERT_PTR_NOT_NULL(strstr(f[2].error.message, "2 HTTP transfers"));
  http_transfer_cancel(f[0].transfer);
  CU_ASSERT_TRUE(fetch_wait(&f[0]));
  CU_ASSERT_EQUAL(fetch_start(&f[2], c), ERR_OK); /* there is room again */
  http_client_free(c);
  CU_ASSERT_EQUAL(f[2].n_done, 1);
  for (int i = 0; i < 3; i++)
    fetch_free(&f[i]);
  server_stop(s);
}

static void check_refused(struct http_client *c, const char *url, const struct http_header *h,
                          const char *expect)
{
  struct fetch f;
  fetch_init(&f, NULL, url);
  f.request.headers = h;
  f.request.n_headers = h != NULL;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(f.n_done, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, expect));
  CU_ASSERT_PTR_NULL(strstr(f.error.message, "hunter2"));
  fetch_free(&f);
}

static void malformed_requests_are_refused_without_repeating_secrets(void)
{
  struct http_client *c = new_client();
  check_refused(c, "file:///etc/passwd", NULL, "scheme is file");
  check_refused(c, "ftp://127.0.0.1/", NULL, "scheme is ftp");
  check_refused(c, "http://user:hunter2@127.0.0.1/", NULL, "URL");
  check_refused(c, "http://127.0.0.1:99999/?key=hunter2", NULL, "URL");
  check_refused(c, "http://127.0.0.1/a b?key=hunter2", NULL, "URL");
  check_refused(c, "127.0.0.1/?key=hunter2", NULL, "URL");
  check_refused(c, "http://127.0.0.1/", &(struct http_header){"X-A", "hunter2\r\nX-B: c"}, "X-A");
  check_refused(c, "http://127.0.0.1/", &(struct http_header){"X A", "hunter2"}, "header name");
  check_refused(c, "http://127.0.0.1/", &(struct http_header){"Content-Length", "5"},
                "Content-Length");
  http_client_free(c);
}

static void missing_ca_file_is_named(void)
{
  struct http_client *c;
  struct err e;
  CU_ASSERT_EQUAL(
      http_client_new(&c, &(struct http_client_options){.ca_file = "/no/such/ca.pem"}, &e),
      ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NULL(c);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "/no/such/ca.pem"));
}

static void follow_up(struct fetch *f)
{
  f->status = fetch_start(f->next, f->client) == ERR_OK ? 1 : 0;
}

static void on_done_may_start_the_next_request(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c;
  CU_ASSERT_EQUAL_FATAL(
      http_client_new(&c, &(struct http_client_options){.max_transfers = 1}, NULL), ERR_OK);
  struct fetch f[2];
  fetch_init(&f[0], s, "/echo");
  fetch_init(&f[1], s, "/echo?second");
  f[0].then = follow_up;
  f[0].next = &f[1];
  CU_ASSERT_TRUE(fetch_run(&f[0], c));
  CU_ASSERT_EQUAL(f[0].status, 1);
  CU_ASSERT_TRUE(fetch_wait(&f[1]));
  CU_ASSERT_EQUAL(f[1].status, 200);
  fetch_free(&f[0]);
  fetch_free(&f[1]);
  http_client_free(c);
  server_stop(s);
}

static void requests_are_counted_by_host_and_status(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct buf b = BUF_INIT(1 << 20);
  struct fetch f;
  fetch_init(&f, s, "/status?code=418");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  fetch_free(&f);
  CU_ASSERT_TRUE(metrics_render(&b));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(b.data, "http_client_requests_total{host=\"127.0.0.1\",code=\"418\"} 1\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "http_client_seconds_count{host=\"127.0.0.1\"}"));
  buf_free(&b);
  http_client_free(c);
  server_stop(s);
}

/* ---- timers ---- */

struct ticks {
  pthread_mutex_t lock;
  int order[8];
  int n;
};
struct tick {
  struct ticks *all;
  int number;
};

static void tick(void *arg)
{
  struct tick *t = arg;
  pthread_mutex_lock(&t->all->lock);
  if (t->all->n < 8)
    t->all->order[t->all->n++] = t->number;
  pthread_mutex_unlock(&t->all->lock);
}

static int ticks_seen(struct ticks *t)
{
  pthread_mutex_lock(&t->lock);
  int n = t->n;
  pthread_mutex_unlock(&t->lock);
  return n;
}

static void timers_run_in_the_order_they_fall_due(void)
{
  struct http_client *c = new_client();
  struct ticks all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct tick t[] = {{&all, 0}, {&all, 1}, {&all, 2}, {&all, 3}};
  int64_t began = clock_mono_ms();
  http_client_after(c, 150, tick, &t[3]);
  http_client_after(c, 50, tick, &t[0]);
  http_client_after(c, 100, tick, &t[1]);
  http_client_after(c, 100, tick, &t[2]);
  while (ticks_seen(&all) < 4 && clock_mono_ms() - began < 5000)
    test_sleep_ms(5);
  CU_ASSERT_TRUE(clock_mono_ms() - began >= 150);
  CU_ASSERT_EQUAL_FATAL(all.n, 4);
  for (int i = 0; i < 4; i++)
    CU_ASSERT_EQUAL(all.order[i], i);
  http_client_free(c);
}

static void timers_run_early_when_the_client_ends(void)
{
  struct http_client *c = new_client();
  struct ticks all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct tick t = {&all, 1};
  int64_t began = clock_mono_ms();
  CU_ASSERT_EQUAL(http_client_after(c, 60000, tick, &t), ERR_OK);
  http_client_free(c);
  CU_ASSERT_EQUAL(all.n, 1);
  CU_ASSERT_TRUE(clock_mono_ms() - began < 5000);
}

static void waiting_timers_are_limited(void)
{
  struct http_client *c = new_client();
  struct ticks all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct tick t = {&all, 1};
  for (int i = 0; i < 4096; i++)
    CU_ASSERT_EQUAL(http_client_after(c, 60000, tick, &t), ERR_OK);
  CU_ASSERT_EQUAL(http_client_after(c, 60000, tick, &t), ERR_RESOURCE_EXHAUSTED);
  http_client_free(c);
}

TEST_MAIN("http.client", TEST(get_returns_status_body_and_content_type),
          TEST(post_sends_headers_and_body_as_given), TEST(every_method_is_sent_as_named),
          TEST(large_body_is_sent_whole),
          TEST(error_status_is_a_response_with_its_headers_and_body),
          TEST(long_error_body_is_cut_at_64_kib_and_keeps_its_status),
          TEST(redirect_is_returned_not_followed),
          TEST(headers_of_an_interim_response_do_not_count),
          TEST(unprintable_header_bytes_do_not_pass),
          TEST(kept_connection_that_died_is_replaced_unnoticed),
          TEST(requests_one_after_another_share_a_connection),
          TEST(connections_to_a_host_stay_within_the_cap),
          TEST(plain_http_requests_do_not_wait_for_each_other),
          TEST(more_transfers_than_the_limit_are_refused_at_once),
          TEST(malformed_requests_are_refused_without_repeating_secrets),
          TEST(missing_ca_file_is_named), TEST(on_done_may_start_the_next_request),
          TEST(requests_are_counted_by_host_and_status),
          TEST(timers_run_in_the_order_they_fall_due), TEST(timers_run_early_when_the_client_ends),
          TEST(waiting_timers_are_limited))
