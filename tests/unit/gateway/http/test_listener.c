/* The listener under raw sockets: limits, slow and vanished clients, streams, shutdown. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "gateway/http/listener.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/side.h"

static atomic_int closes, frees, handled;
static struct exchange *_Atomic held;
static struct share *share; /* who pays for /shared */
static atomic_bool gate;    /* of /gated */

static void pause_ms(long ms)
{
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* How long what must come is waited for: less than any time after which it would come by itself. */
enum { PATIENCE_MS = 20000 };

/* Waits for a condition of another thread. */
#define EVENTUALLY(condition)                                                                      \
  do {                                                                                             \
    for (int i_ = 0; i_ < PATIENCE_MS / 10 && !(condition); i_++)                                  \
      pause_ms(10);                                                                                \
    CU_ASSERT_TRUE(condition);                                                                     \
  } while (0)

static void reply_text(struct exchange *x, int status, const char *text)
{
  struct buf body = BUF_INIT(1024 * 1024);
  buf_puts(&body, text);
  exchange_reply(x, status, "text/plain", &body);
}

static void on_close(void *arg)
{
  (void)arg;
  closes++;
}

static void free_arg(void *arg)
{
  (void)arg;
  frees++;
}

static void *answer_later(void *arg)
{
  struct exchange *x = arg;
  pause_ms(20);
  reply_text(x, 200, "later");
  exchange_unref(x);
  return NULL;
}

static void detach(void *(*fn)(void *arg), struct exchange *x)
{
  pthread_t t;
  exchange_ref(x);
  pthread_create(&t, NULL, fn, x);
  pthread_detach(t);
}

static void hold(struct exchange *x)
{
  exchange_ref(x);
  exchange_on_close(x, on_close, free_arg, NULL);
  held = x;
}

/* Keeps the connection from being suspended until the gate opens. */
static void hold_behind_gate(struct exchange *x)
{
  while (!atomic_load(&gate))
    pause_ms(1);
  hold(x);
}

static void echo(struct exchange *x)
{
  size_t len;
  const char *body = exchange_body(x, &len);
  struct buf out = BUF_INIT(8 * 1024 * 1024);
  buf_append(&out, body, len);
  exchange_add_header(x, "X-Test", "yes");
  exchange_add_header(x, "X-Bad", "a\r\nX-Injected: b");
  exchange_reply(x, 200, "application/octet-stream", &out);
}

static void echo_header(struct exchange *x)
{
  const char *value = exchange_header(x, "x-asked");
  reply_text(x, 200, value != NULL ? value : "(none)");
}

static void reply_twice(struct exchange *x)
{
  reply_text(x, 200, "first");
  reply_text(x, 200, "second");
  exchange_stream_start(x);
}

static void forget_later(struct exchange *x)
{
  exchange_ref(x);
  exchange_unref(x);
}

static void on_head(struct exchange *x, void *user)
{
  (void)user;
  if (strcmp(exchange_path(x), "/refused") == 0)
    reply_text(x, 403, "no");
  if (strcmp(exchange_path(x), "/shared") == 0)
    exchange_release(x, share);
  if (strcmp(exchange_path(x), "/vetted") == 0) {
    exchange_hold(x);
    exchange_ref(x);
    held = x;
  }
}

static void on_request(struct exchange *x, void *user)
{
  static const struct {
    const char *path;
    void (*fn)(struct exchange *x);
  } routes[] = {{"/echo", echo},           {"/header", echo_header},
                {"/vetted", echo},         {"/shared", echo},
                {"/hold", hold},           {"/twice", reply_twice},
                {"/forget", forget_later}, {"/gated", hold_behind_gate}};
  (void)user;
  handled++;
  for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
    if (strcmp(routes[i].path, exchange_path(x)) == 0) {
      routes[i].fn(x);
      return;
    }
  }
  if (strcmp(exchange_path(x), "/later") == 0)
    detach(answer_later, x);
  else if (strcmp(exchange_path(x), "/nothing") != 0)
    reply_text(x, 404, "?");
}

static struct listener *start_with(const struct listener_options *given)
{
  struct listener_options o = *given;
  o.host = "127.0.0.1";
  o.on_head = on_head;
  o.on_request = on_request;
  closes = frees = handled = 0;
  held = NULL;
  struct listener *l = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(listener_start(&l, &o, &e), ERR_OK);
  return l;
}

static struct listener *start(void)
{
  return start_with(&(struct listener_options){.max_body = 1000});
}

static void expect_body(struct raw_answer a, int status, const char *body)
{
  CU_ASSERT_EQUAL(a.status, status);
  CU_ASSERT_STRING_EQUAL(buf_str(&a.body), body);
  raw_answer_free(&a);
}

static void answers_now_and_later(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  expect_body(raw_request(port, "POST", "/echo", "", "hello"), 200, "hello");
  expect_body(raw_request(port, "GET", "/later", "", NULL), 200, "later");
  expect_body(raw_request(port, "POST", "/later", "", "x"), 200, "later");
  listener_stop(l, 1000);
}

static void pipelined_requests_are_answered_in_order(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
               "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
               "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\n3\r\n0\r\n\r\n");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "1");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "later");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "3");
  close(fd);
  listener_stop(l, 1000);
}

static void headers_are_found_without_case_trimmed_and_joined(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  expect_body(raw_request(port, "GET", "/header", "X-ASKED: \t a b \t\r\n", NULL), 200, "a b");
  expect_body(raw_request(port, "GET", "/header", "X-Asked: a\r\nx-asked: b\r\n", NULL), 200,
              "a, b");
  expect_body(raw_request(port, "GET", "/header", "", NULL), 200, "(none)");
  listener_stop(l, 1000);
}

static void header_values_cannot_inject_headers(void)
{
  struct listener *l = start();
  struct raw_answer a = raw_request(listener_port(l), "POST", "/echo", "", "x");
  char value[64];
  CU_ASSERT_TRUE(raw_header(&a, "X-Test", value, sizeof(value)));
  CU_ASSERT_FALSE(raw_header(&a, "X-Injected", value, sizeof(value)));
  raw_answer_free(&a);
  listener_stop(l, 1000);
}

static void body_at_the_cap_passes_and_beyond_is_413(void)
{
  char body[1002];
  memset(body, 'x', sizeof(body));
  body[1000] = '\0';
  struct listener *l = start();
  uint16_t port = listener_port(l);
  expect_body(raw_request(port, "POST", "/echo", "", body), 200, body);
  body[1000] = 'x';
  body[1001] = '\0';
  struct raw_answer a = raw_request(port, "POST", "/echo", "", body);
  CU_ASSERT_EQUAL(a.status, 413);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "larger than 1000 bytes"));
  raw_answer_free(&a);
  CU_ASSERT_EQUAL(handled, 1);
  listener_stop(l, 1000);
}

static void chunked_body_beyond_the_cap_is_413_and_the_connection_goes_on(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  char chunk[256];
  memset(chunk, 'y', sizeof(chunk));
  for (int i = 0; i < 8; i++) {
    raw_puts(fd, "100\r\n");
    raw_send(fd, chunk, 256);
    raw_puts(fd, "\r\n");
  }
  raw_puts(fd, "0\r\n\r\n");
  struct raw_answer a = raw_read(fd, PATIENCE_MS);
  CU_ASSERT_EQUAL(a.status, 413);
  raw_answer_free(&a);
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "ok");
  close(fd);
  listener_stop(l, 1000);
}

static void huge_declared_body_is_refused_before_it_is_sent(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n");
  struct raw_answer a = raw_read(fd, PATIENCE_MS);
  CU_ASSERT_EQUAL(a.status, 413);
  raw_answer_free(&a);
  CU_ASSERT_TRUE(raw_wait_closed(fd, PATIENCE_MS));
  close(fd);
  listener_stop(l, 1000);
}

static void expect_continue_is_honoured_and_other_expectations_are_417(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
               "Content-Length: 2\r\n\r\n");
  struct raw_answer a = raw_read_head(fd, PATIENCE_MS);
  CU_ASSERT_EQUAL(a.status, 100);
  raw_puts(fd, "hi");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "hi");
  close(fd);
  fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
               "Content-Length: 2000\r\n\r\n");
  a = raw_read(fd, PATIENCE_MS);
  CU_ASSERT_EQUAL(a.status, 413);
  raw_answer_free(&a);
  close(fd);
  a = raw_request(listener_port(l), "POST", "/echo", "Expect: miracles\r\n", "x");
  CU_ASSERT_EQUAL(a.status, 417);
  raw_answer_free(&a);
  listener_stop(l, 1000);
}

static void refusal_at_the_head_reads_the_body_off_and_keeps_the_connection(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345");
  expect_body(raw_read(fd, PATIENCE_MS), 403, "no");
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "ok");
  CU_ASSERT_EQUAL(handled, 1);
  close(fd);
  listener_stop(l, 1000);
}

static void bodies_of_all_requests_together_are_capped(void)
{
  struct listener *l =
      start_with(&(struct listener_options){.max_body = 1000, .max_bodies = 1200, .small_body = 1});
  uint16_t port = listener_port(l);
  int fd = raw_connect(port);
  char body[901];
  memset(body, 'x', 900);
  body[900] = '\0';
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
  raw_puts(fd, body);
  EVENTUALLY(held != NULL);
  struct raw_answer a = raw_request(port, "POST", "/echo", "", body);
  CU_ASSERT_EQUAL(a.status, 503);
  raw_answer_free(&a);
  reply_text(held, 200, "done");
  exchange_unref(held);
  expect_body(raw_read(fd, PATIENCE_MS), 200, "done");
  close(fd);
  /* The room is free when the server is done with the answer, a moment after it was read. */
  a = raw_request(port, "POST", "/echo", "", body);
  for (int i = 0; i < PATIENCE_MS / 10 && a.status == 503; i++) {
    raw_answer_free(&a);
    pause_ms(10);
    a = raw_request(port, "POST", "/echo", "", body);
  }
  expect_body(a, 200, body);
  listener_stop(l, 1000);
}

static void malformed_heads_get_400_or_the_connection_ends(void)
{
  static const char *const bad[] = {
      "GARBAGE\r\n\r\n",
      "GET /echo HTTP/1.1\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n"),
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
  };
  struct listener *l = start();
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    int fd = raw_connect(listener_port(l));
    raw_puts(fd, bad[i]);
    struct raw_answer a = raw_read(fd, PATIENCE_MS);
    CU_ASSERT_TRUE(a.status == 400 || a.closed);
    raw_answer_free(&a);
    close(fd);
  }
  CU_ASSERT_EQUAL(handled, 0);
  listener_stop(l, 1000);
}

#define STRICT(text)                                                                               \
  {                                                                                                \
    text, sizeof(text) - 1                                                                         \
  }

static void heads_that_two_readers_would_read_differently_are_400(void)
{
  static const struct {
    const char *text;
    size_t len;
  } bad[] = {
      STRICT("GET /echo HTTP/1.1\nHost: x\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\n\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\nD: e\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\0\r\nC: d\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"),
      STRICT("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n"),
      STRICT("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      STRICT("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
             "0\r\n\r\n"),
      STRICT("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n"),
  };
  struct listener *l = start();
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    int fd = raw_connect(listener_port(l));
    raw_send(fd, bad[i].text, bad[i].len);
    struct raw_answer a = raw_read(fd, PATIENCE_MS);
    if (a.status != 400)
      fprintf(stderr, "head %zu: %d\n", i, a.status);
    CU_ASSERT_EQUAL(a.status, 400);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "{\"error\":"));
    raw_answer_free(&a);
    CU_ASSERT_TRUE(raw_wait_closed(fd, PATIENCE_MS));
    close(fd);
  }
  CU_ASSERT_EQUAL(handled, 0);
  listener_stop(l, 1000);
}

static void unusual_but_strict_heads_are_taken(void)
{
  static const char *const good[] = {
      "GET /header HTTP/1.0\r\n\r\n",
      "\r\nGET /header?a=b%20c&d HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /header HTTP/1.1\r\nHost:x\r\nEmpty:\r\nBlank:   \r\nTail: a \t \r\nTab: a\tb\r\n\r\n",
      "GET /header HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\nLatin: \xe9\r\n\r\n",
      "POST /header HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
  };
  struct listener *l = start();
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    int fd = raw_connect(listener_port(l));
    raw_puts(fd, good[i]);
    struct raw_answer a = raw_read(fd, PATIENCE_MS);
    if (a.status != 200)
      fprintf(stderr, "head %zu: %d %s\n", i, a.status, buf_str(&a.body));
    CU_ASSERT_EQUAL(a.status, 200);
    raw_answer_free(&a);
    close(fd);
  }
  listener_stop(l, 1000);
}

static void head_that_is_too_large_is_refused(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: ");
  char part[1025];
  memset(part, 'a', 1024);
  part[1024] = '\0';
  for (int i = 0; i < 64 && raw_puts(fd, part); i++)
    ;
  raw_puts(fd, "\r\n\r\n");
  struct raw_answer a = raw_read(fd, PATIENCE_MS);
  CU_ASSERT_TRUE(a.status == 431 || a.status == 413 || a.status == 400 || a.closed);
  CU_ASSERT_EQUAL(handled, 0);
  raw_answer_free(&a);
  close(fd);
  listener_stop(l, 1000);
}

/* A header that was not copied might be the one that decides. */
static int status_with_headers(uint16_t port, int n, const char *name)
{
  AUTO_BUF struct buf head = BUF_INIT(65536);
  for (int i = 0; i < n; i++)
    if (name != NULL)
      buf_printf(&head, "%s: v\r\n", name);
    else
      buf_printf(&head, "h%d: v\r\n", i);
  buf_puts(&head, "Origin: https://evil.example\r\n");
  struct raw_answer a = raw_request(port, "GET", "/header", buf_str(&head), NULL);
  int status = a.status;
  raw_answer_free(&a);
  return status;
}

static void heads_with_too_many_headers_are_431(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  CU_ASSERT_EQUAL(status_with_headers(port, 100, "X-Same"), 200);
  handled = 0;
  CU_ASSERT_EQUAL(status_with_headers(port, 300, "X-Same"), 431);
  CU_ASSERT_EQUAL(status_with_headers(port, 300, NULL), 431);
  CU_ASSERT_EQUAL(handled, 0);
  listener_stop(l, 1000);
}

static void stream_delivers_each_event_at_once(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  struct exchange *x = held;
  exchange_stream_start(x);
  struct raw_answer a = raw_read_head(fd, PATIENCE_MS);
  char value[64];
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_TRUE(raw_header(&a, "Content-Type", value, sizeof(value)));
  CU_ASSERT_STRING_EQUAL(value, "text/event-stream");
  CU_ASSERT_TRUE(raw_header(&a, "Cache-Control", value, sizeof(value)));
  CU_ASSERT_STRING_EQUAL(value, "no-cache, no-transform");
  CU_ASSERT_TRUE(raw_header(&a, "X-Accel-Buffering", value, sizeof(value)));
  struct buf seen = BUF_INIT(1024 * 1024);
  int64_t before = clock_mono_ms();
  exchange_stream_event(x, "{\"n\":1}", 7);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "event: message\ndata: {\"n\":1}\n\n", PATIENCE_MS));
  CU_ASSERT_TRUE(clock_mono_ms() - before < 10000); /* a comment goes out after 15 s */
  exchange_stream_event(x, "{\n\"n\":\r\n2}", 10);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "data: {\ndata: \"n\":\ndata: 2}\n\n", PATIENCE_MS));
  exchange_stream_end(x);
  exchange_stream_event(x, "late", 4);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "\r\n0\r\n\r\n", PATIENCE_MS));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&seen), "late"));
  exchange_unref(x);
  buf_free(&seen);
  raw_puts(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  expect_body(raw_read(fd, PATIENCE_MS), 200, "ok");
  close(fd);
  CU_ASSERT_EQUAL(closes, 0);
  listener_stop(l, 1000);
}

static void silent_stream_gets_comments(void)
{
  struct listener *l = start_with(&(struct listener_options){.keepalive_ms = 100});
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  exchange_stream_start(held);
  struct buf seen = BUF_INIT(1024 * 1024);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, ": keepalive\n\n", PATIENCE_MS));
  exchange_stream_end(held);
  exchange_unref(held);
  buf_free(&seen);
  close(fd);
  listener_stop(l, 1000);
}

static void disconnect_is_noticed_while_an_answer_is_awaited(void)
{
  struct listener *l = start();
  for (int stream = 0; stream < 2; stream++) {
    int fd = raw_connect(listener_port(l));
    closes = frees = 0;
    held = NULL;
    raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    EVENTUALLY(held != NULL);
    if (stream) {
      exchange_stream_start(held);
      struct raw_answer a = raw_read_head(fd, PATIENCE_MS);
      CU_ASSERT_EQUAL(a.status, 200);
    }
    CU_ASSERT_EQUAL(closes, 0);
    close(fd);
    EVENTUALLY(closes == 1);
    EVENTUALLY(listener_connections(l) == 0);
    CU_ASSERT_EQUAL(frees, 0);
    if (stream)
      exchange_stream_event(held, "x", 1);
    else
      reply_text(held, 200, "too late");
    exchange_unref(held);
    CU_ASSERT_EQUAL(frees, 1);
    CU_ASSERT_EQUAL(closes, 1);
  }
  listener_stop(l, 1000);
}

/* The watch hears of an end once. It is given time for that before the request is suspended;
 * the other order must end the same way. */
static void end_before_the_request_waits_is_noticed_when_it_does(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  atomic_store(&gate, false);
  raw_puts(fd, "POST /gated HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(handled == 1);
  shutdown(fd, SHUT_WR);
  pause_ms(20);
  CU_ASSERT_EQUAL(closes, 0);
  atomic_store(&gate, true);
  EVENTUALLY(closes == 1);
  close(fd);
  EVENTUALLY(listener_connections(l) == 0);
  exchange_unref(held);
  CU_ASSERT_EQUAL(frees, 1);
  listener_stop(l, 1000);
}

static void client_that_does_not_read_its_stream_is_cut_off(void)
{
  struct listener *l = start();
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  struct exchange *x = held;
  exchange_stream_start(x);
  size_t size = 1024 * 1024;
  char *event = xmalloc(size);
  memset(event, 'z', size);
  for (int i = 0; i < 40 && closes == 0; i++) {
    exchange_stream_event(x, event, size);
    pause_ms(2);
  }
  EVENTUALLY(closes == 1);
  exchange_unref(x);
  free(event);
  close(fd);
  listener_stop(l, 1000);
}

static void forgotten_and_double_answers_give_exactly_one(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  expect_body(raw_request(port, "POST", "/twice", "", "x"), 200, "first");
  expect_body(raw_request(port, "POST", "/nothing", "", "x"), 500, "");
  expect_body(raw_request(port, "POST", "/forget", "", "x"), 500, "");
  int fd = raw_connect(port);
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  pause_ms(20);
  exchange_unref(held);
  expect_body(raw_read(fd, PATIENCE_MS), 500, "");
  close(fd);
  listener_stop(l, 1000);
}

static void dripping_clients_are_cut_off(void)
{
  struct listener *l = start_with(&(struct listener_options){.idle_ms = 1000, .receive_ms = 500});
  int head = raw_connect(listener_port(l)), body = raw_connect(listener_port(l));
  raw_puts(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
  int64_t begin = clock_mono_ms(), head_end = 0, body_end = 0;
  while (clock_mono_ms() - begin < PATIENCE_MS && (head_end == 0 || body_end == 0)) {
    if (head_end == 0 && (!raw_puts(head, "X") || raw_wait_closed(head, 50)))
      head_end = clock_mono_ms();
    if (body_end == 0 && (!raw_puts(body, "X") || raw_wait_closed(body, 50)))
      body_end = clock_mono_ms();
  }
  CU_ASSERT_TRUE(head_end > 0 && head_end - begin < PATIENCE_MS);
  CU_ASSERT_TRUE(body_end > 0 && body_end - begin < PATIENCE_MS);
  CU_ASSERT_EQUAL(handled, 0);
  close(head);
  close(body);
  listener_stop(l, 1000);
}

/* The last bytes and the end of the connection arrive together, as they often do. */
static void client_that_leaves_inside_of_a_request_is_let_go_soon(void)
{
  enum { CLIENTS = 200 };
  struct listener *l = start();
  for (int i = 0; i < CLIENTS; i++) {
    int fd = raw_connect(listener_port(l));
    raw_puts(fd, i % 2 == 0 ? "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf"
                            : "POST /echo HTTP/1.1\r\nHos");
    close(fd);
  }
  EVENTUALLY(listener_connections(l) == 0); /* the body has 30 s, the head 105 s */
  listener_stop(l, 1000);
}

static void connection_without_a_request_is_closed_soon(void)
{
  struct listener *l = start_with(&(struct listener_options){.first_ms = 1000});
  int silent = raw_connect(listener_port(l)), used = raw_connect(listener_port(l));
  raw_puts(used, "GET /header HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_body(raw_read(used, PATIENCE_MS), 200, "(none)");
  CU_ASSERT_TRUE(raw_wait_closed(silent, PATIENCE_MS));
  raw_puts(used, "GET /header HTTP/1.1\r\nHost: x\r\n\r\n"); /* its idle time is a longer one */
  expect_body(raw_read(used, PATIENCE_MS), 200, "(none)");
  close(silent);
  close(used);
  listener_stop(l, 1000);
}

/* Many more silent connections than there may be, and a client among them. */
static void silent_connections_make_room_for_new_ones(void)
{
  struct listener *l =
      start_with(&(struct listener_options){.max_connections = 32, .first_ms = 60000});
  uint16_t port = listener_port(l);
  int fds[100], kept = raw_connect(port);
  raw_puts(kept, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
    fds[i] = raw_connect(port);
    if (i % 10 == 9)
      expect_body(raw_request(port, "GET", "/header", "", NULL), 200, "(none)");
  }
  CU_ASSERT_TRUE(listener_connections(l) <= 32);
  reply_text(held, 200, "held"); /* a request under way is never cut for a new connection */
  exchange_unref(held);
  expect_body(raw_read(kept, PATIENCE_MS), 200, "held");
  for (size_t i = 0; i < ARRAY_LEN(fds); i++)
    close(fds[i]);
  close(kept);
  listener_stop(l, 1000);
}

/* A client that takes nothing of an answer is cut, one that waits on a silent stream is not. */
static void client_that_takes_no_byte_is_cut(void)
{
  struct listener *l =
      start_with(&(struct listener_options){.stuck_ms = 1000, .max_body = 32 * 1024 * 1024});
  int stream = raw_connect(listener_port(l));
  raw_puts(stream, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  struct exchange *silent = held;
  exchange_stream_start(silent);
  exchange_stream_event(silent, "one", 3);
  held = NULL;
  int stuck = raw_connect(listener_port(l));
  raw_puts(stuck, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  struct buf large = BUF_INIT(32 * 1024 * 1024);
  memset(buf_reserve(&large, 24 * 1024 * 1024), 'x', 24 * 1024 * 1024);
  large.len = 24 * 1024 * 1024;
  exchange_reply(held, 200, "text/plain", &large);
  for (int i = 0; i < 2000 && listener_connections(l) > 1; i++)
    pause_ms(10);
  CU_ASSERT_EQUAL(listener_connections(l), 1);
  struct buf seen AUTO_BUF = BUF_INIT(4096);
  exchange_stream_event(silent, "two", 3);
  CU_ASSERT_TRUE(raw_wait_text(stream, &seen, "data: two", PATIENCE_MS));
  exchange_stream_end(silent);
  exchange_unref(silent);
  exchange_unref(held);
  close(stuck);
  close(stream);
  listener_stop(l, 1000);
}

/* Who sends a body is not known: no more of it is taken than a small body's bytes. */
static void large_body_waits_until_its_sender_is_known(void)
{
  struct listener *l =
      start_with(&(struct listener_options){.max_body = 1000000, .small_body = 1000});
  int fd = raw_connect(listener_port(l));
  char part[1001];
  memset(part, 'x', 1000);
  part[1000] = '\0';
  raw_puts(fd, "POST /vetted HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  EVENTUALLY(held != NULL);
  for (int i = 0; i < 500; i++)
    CU_ASSERT_TRUE(raw_puts(fd, part));
  pause_ms(50);
  CU_ASSERT_EQUAL(handled, 0);
  exchange_release(held, NULL);
  exchange_unref(held);
  EVENTUALLY(handled == 1);
  struct raw_answer a = raw_read(fd, PATIENCE_MS);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_EQUAL(a.body.len, 500000);
  raw_answer_free(&a);
  close(fd);
  listener_stop(l, 1000);
}

static void refusal_while_a_body_waits_reaches_the_client(void)
{
  struct listener *l =
      start_with(&(struct listener_options){.max_body = 1000000, .small_body = 1000});
  int fd = raw_connect(listener_port(l));
  char part[1001];
  memset(part, 'x', 1000);
  part[1000] = '\0';
  raw_puts(fd, "POST /vetted HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  EVENTUALLY(held != NULL);
  for (int i = 0; i < 500; i++)
    CU_ASSERT_TRUE(raw_puts(fd, part));
  reply_text(held, 401, "no");
  exchange_release(held, NULL);
  exchange_unref(held);
  expect_body(raw_read(fd, PATIENCE_MS), 401, "no");
  CU_ASSERT_EQUAL(handled, 0);
  close(fd);
  listener_stop(l, 1000);
}

/* Large bodies of one caller beyond his share are refused, small ones and those of others are not.
 */
static void bodies_and_answers_are_paid_by_the_share_of_their_caller(void)
{
  struct shares *s = shares_new(&(struct share_limits){.body_bytes = 1200, .answer_bytes = 3000});
  struct share *a = share_of(s, "a", "");
  share = a;
  struct listener *l =
      start_with(&(struct listener_options){.max_body = 1000000, .small_body = 1000});
  uint16_t port = listener_port(l);
  AUTO_FREE char *two = xcalloc(1, 2001), *three = xcalloc(1, 3001);
  memset(two, 'x', 2000);
  memset(three, 'x', 3000);
  expect_body(raw_request(port, "POST", "/shared", "", two), 200, two);
  struct raw_answer refused = raw_request(port, "POST", "/shared", "", three);
  CU_ASSERT_EQUAL(refused.status, 503); /* 2,000 bytes beyond the small part */
  raw_answer_free(&refused);
  CU_ASSERT_EQUAL(share_answer(a, 1500), SHARE_GRANTED); /* another answer that nobody reads */
  refused = raw_request(port, "POST", "/shared", "", two);
  CU_ASSERT_EQUAL(refused.status, 503);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&refused.body), "wait to be read"));
  raw_answer_free(&refused);
  share_answer_end(a, 1500);
  expect_body(raw_request(port, "POST", "/shared", "", two), 200, two); /* all was given back */
  listener_stop(l, 1000);
  share = NULL;
  share_unref(a);
  shares_free(s);
}

static void silent_connection_is_closed_after_the_idle_time(void)
{
  struct listener *l = start_with(&(struct listener_options){.idle_ms = 1000});
  int fd = raw_connect(listener_port(l));
  CU_ASSERT_TRUE(raw_wait_closed(fd, PATIENCE_MS));
  close(fd);
  listener_stop(l, 1000);
}

static void waiting_request_is_not_idle(void)
{
  struct listener *l = start_with(&(struct listener_options){.idle_ms = 1000, .receive_ms = 100});
  int fd = raw_connect(listener_port(l));
  raw_puts(fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  CU_ASSERT_FALSE(raw_wait_closed(fd, 2500));
  reply_text(held, 200, "patience");
  exchange_unref(held);
  expect_body(raw_read(fd, PATIENCE_MS), 200, "patience");
  close(fd);
  listener_stop(l, 1000);
}

static void second_listener_on_the_port_fails_with_the_address(void)
{
  struct listener *l = start(), *second = NULL;
  struct listener_options o = {
      .host = "127.0.0.1", .port = listener_port(l), .on_head = on_head, .on_request = on_request};
  struct err e = {0};
  char want[32];
  snprintf(want, sizeof(want), "127.0.0.1:%u is in use", listener_port(l));
  CU_ASSERT_EQUAL(listener_start(&second, &o, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, want));
  listener_stop(l, 1000);
}

/* The value of a metric's line; 0 when there is none. */
static double metric_value(const char *line)
{
  struct buf text AUTO_BUF = BUF_INIT(1024 * 1024);
  CU_ASSERT_TRUE(metrics_render(&text));
  const char *at = strstr(buf_str(&text), line);
  return at != NULL ? strtod(at + strlen(line), NULL) : 0;
}

static void requests_bytes_connections_and_refusals_are_counted(void)
{
  static const char *const lines[] = {
      "http_requests_total{status=\"200\"} ", "http_requests_total{status=\"403\"} ",
      "http_body_bytes_total{direction=\"in\"} ", "http_body_bytes_total{direction=\"out\"} ",
      "http_refusals_total{cause=\"slow\"} "};
  double before[ARRAY_LEN(lines)];
  struct listener *l = start_with(&(struct listener_options){.max_body = 1000, .first_ms = 1000});
  uint16_t port = listener_port(l);
  for (size_t i = 0; i < ARRAY_LEN(lines); i++)
    before[i] = metric_value(lines[i]);
  expect_body(raw_request(port, "POST", "/echo", "", "hello"), 200, "hello");
  expect_body(raw_request(port, "GET", "/refused", "", NULL), 403, "no");
  int silent = raw_connect(port);
  EVENTUALLY(metric_value("\nhttp_connections ") == 1);
  CU_ASSERT_TRUE(raw_wait_closed(silent, PATIENCE_MS));
  close(silent);
  EVENTUALLY(metric_value("\nhttp_connections ") == 0);
  CU_ASSERT_EQUAL(metric_value("\nhttp_requests_in_flight "), 0);
  static const double more[] = {1, 1, 5, 5 + 2, 1};
  for (size_t i = 0; i < ARRAY_LEN(more); i++)
    EVENTUALLY(metric_value(lines[i]) - before[i] == more[i]);
  listener_stop(l, 1000);
}

static void stop_lets_answers_end_and_cuts_the_rest(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  int quick = raw_connect(port), stuck = raw_connect(port), idle = raw_connect(port);
  raw_puts(stuck, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  listener_drain(l);
  raw_puts(quick, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(handled == 2);
  int64_t begin = clock_mono_ms();
  listener_stop(l, 1500);
  CU_ASSERT_TRUE(clock_mono_ms() - begin < PATIENCE_MS);
  struct raw_answer a = raw_read(quick, PATIENCE_MS);
  char value[32];
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_TRUE(raw_header(&a, "Connection", value, sizeof(value)));
  CU_ASSERT_STRING_EQUAL(value, "close");
  raw_answer_free(&a);
  CU_ASSERT_EQUAL(closes, 1);
  CU_ASSERT_TRUE(raw_wait_closed(stuck, PATIENCE_MS));
  CU_ASSERT_TRUE(raw_wait_closed(idle, PATIENCE_MS));
  /* An owner that answers after the listener is gone harms nobody. */
  reply_text(held, 200, "too late");
  exchange_unref(held);
  close(quick);
  close(stuck);
  close(idle);
}

/* A second request on a connection whose first is still being answered, one whose bytes were never
 * looked at, and one in the backlog: all were sent before the stop. */
struct stopping {
  struct listener *l;
  uint32_t grace_ms;
};

static void *stop_listener(void *arg)
{
  const struct stopping *s = arg;
  listener_stop(s->l, s->grace_ms);
  return NULL;
}

static void everything_sent_before_the_stop_is_answered(void)
{
  static const char later[] = "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  struct stopping s = {start(), PATIENCE_MS};
  int busy = raw_connect(listener_port(s.l));
  raw_puts(busy, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EVENTUALLY(held != NULL);
  raw_puts(busy, later);
  int others[50];
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    others[i] = raw_connect(listener_port(s.l));
    raw_puts(others[i], later);
  }
  EVENTUALLY(raw_delivered(busy)); /* a machine that is busy may take its time even on loopback */
  listener_drain(s.l);             /* the stop has begun before anything is answered */
  pthread_t t;
  pthread_create(&t, NULL, stop_listener, &s);
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    expect_body(raw_read(others[i], PATIENCE_MS), 200, "later");
  }
  reply_text(held, 200, "held");
  exchange_unref(held);
  expect_body(raw_read(busy, PATIENCE_MS), 200, "held");
  struct raw_answer last = raw_read(busy, PATIENCE_MS);
  char value[32] = "";
  CU_ASSERT_TRUE(raw_header(&last, "Connection", value, sizeof(value)));
  CU_ASSERT_STRING_EQUAL(value, "close");
  expect_body(last, 200, "later");
  /* Those that were answered before the stop began end with it. */
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    CU_ASSERT_TRUE(raw_wait_closed(others[i], PATIENCE_MS));
    close(others[i]);
  }
  pthread_join(t, NULL);
  close(busy);
}

static void *hammer(void *arg)
{
  uint16_t port = *(uint16_t *)arg;
  for (int i = 0; i < 100; i++) {
    int fd = raw_connect(port);
    raw_puts(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    if (i % 3 == 0) {
      pause_ms(i % 40);
      close(fd); /* leaves at all moments */
      continue;
    }
    struct raw_answer a = raw_read(fd, PATIENCE_MS);
    CU_ASSERT_EQUAL(a.status, 200);
    raw_answer_free(&a);
    close(fd);
  }
  return NULL;
}

static void many_clients_coming_and_going_lose_nothing(void)
{
  struct listener *l = start();
  uint16_t port = listener_port(l);
  pthread_t threads[8];
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_create(&threads[i], NULL, hammer, &port);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  EVENTUALLY(listener_connections(l) == 0);
  pause_ms(100);
  listener_stop(l, 1000);
}

TEST_MAIN_SIDE_BY_SIDE(
    "gateway_listener", TEST(answers_now_and_later), TEST(pipelined_requests_are_answered_in_order),
    TEST(headers_are_found_without_case_trimmed_and_joined),
    TEST(header_values_cannot_inject_headers), TEST(body_at_the_cap_passes_and_beyond_is_413),
    TEST(chunked_body_beyond_the_cap_is_413_and_the_connection_goes_on),
    TEST(huge_declared_body_is_refused_before_it_is_sent),
    TEST(expect_continue_is_honoured_and_other_expectations_are_417),
    TEST(refusal_at_the_head_reads_the_body_off_and_keeps_the_connection),
    TEST(bodies_of_all_requests_together_are_capped),
    TEST(malformed_heads_get_400_or_the_connection_ends), TEST(head_that_is_too_large_is_refused),
    TEST(heads_with_too_many_headers_are_431),
    TEST(heads_that_two_readers_would_read_differently_are_400),
    TEST(unusual_but_strict_heads_are_taken), TEST(stream_delivers_each_event_at_once),
    TEST(silent_stream_gets_comments), TEST(disconnect_is_noticed_while_an_answer_is_awaited),
    TEST(end_before_the_request_waits_is_noticed_when_it_does),
    TEST(client_that_does_not_read_its_stream_is_cut_off),
    TEST(forgotten_and_double_answers_give_exactly_one), TEST(dripping_clients_are_cut_off),
    TEST(client_that_leaves_inside_of_a_request_is_let_go_soon),
    TEST(connection_without_a_request_is_closed_soon),
    TEST(silent_connections_make_room_for_new_ones), TEST(client_that_takes_no_byte_is_cut),
    TEST(large_body_waits_until_its_sender_is_known),
    TEST(refusal_while_a_body_waits_reaches_the_client),
    TEST(bodies_and_answers_are_paid_by_the_share_of_their_caller),
    TEST(silent_connection_is_closed_after_the_idle_time), TEST(waiting_request_is_not_idle),
    TEST(second_listener_on_the_port_fails_with_the_address),
    TEST(requests_bytes_connections_and_refusals_are_counted),
    TEST(stop_lets_answers_end_and_cuts_the_rest),
    TEST(everything_sent_before_the_stop_is_answered),
    TEST(many_clients_coming_and_going_lose_nothing))
