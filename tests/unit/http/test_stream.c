/* Bodies taken piece by piece: order, pausing, limits. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

/* Streams a path that sends n bytes and pauses as told; every byte must come once, in order. */
static void check_stream(const char *path, size_t n, unsigned pause_every)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, path);
  fetch_stream(&f);
  f.pause_every = pause_every;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_resume_to_end(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.status, 200);
  CU_ASSERT_EQUAL(f.n_done, 1);
  CU_ASSERT_EQUAL(f.streamed, n);
  CU_ASSERT_TRUE(f.in_order);
  CU_ASSERT_EQUAL(f.body.len, 0);
  if (pause_every > 0)
    CU_ASSERT_TRUE(f.pauses >= n / 16384 / pause_every / 2);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void body_arrives_in_pieces_and_in_order(void)
{
  check_stream("/bytes?n=1000000&piece=7777", 1000000, 0);
  check_stream("/bytes?n=1000000&piece=7777&chunked=1", 1000000, 0);
  check_stream("/bytes?n=1000&piece=1", 1000, 0);
}

static void compressed_body_arrives_decompressed(void)
{
  check_stream("/bytes?n=4000000&gzip=1&piece=10000", 4000000, 0);
  check_stream("/bytes?n=4000000&gzip=1&piece=333&chunked=1", 4000000, 0);
}

static void pausing_loses_and_repeats_nothing(void)
{
  check_stream("/bytes?n=4000000&piece=50000", 4000000, 3);
  check_stream("/bytes?n=4000000&piece=50000&chunked=1", 4000000, 3);
  check_stream("/bytes?n=300000&piece=1000&chunked=1", 300000, 2);
}

static void pausing_a_compressed_body_loses_and_repeats_nothing(void)
{
  check_stream("/bytes?n=4000000&gzip=1&piece=50000", 4000000, 3);
  check_stream("/bytes?n=4000000&gzip=1&piece=50000&chunked=1", 4000000, 2);
  check_stream("/bytes?n=300000&gzip=1&piece=100&chunked=1", 300000, 2);
  /* All of it in one read: the end of the transfer is seen while it is paused. */
  check_stream("/bytes?n=9000&gzip=1&piece=1000000", 9000, 2);
}

static void paused_body_stays_paused_until_resumed(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=3000000&piece=50000");
  fetch_stream(&f);
  f.pause_every = 5;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait_pause(&f));
  test_sleep_ms(150);
  pthread_mutex_lock(&f.lock);
  CU_ASSERT_EQUAL(f.calls, 5);
  CU_ASSERT_EQUAL(f.n_done, 0);
  f.pause_every = 0;
  f.paused = false;
  pthread_mutex_unlock(&f.lock);
  http_transfer_resume(f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_EQUAL(f.streamed, 3000000);
  CU_ASSERT_TRUE(f.in_order);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void paused_transfer_does_not_hold_up_others(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch paused, other;
  fetch_init(&paused, s, "/bytes?n=3000000&piece=50000");
  fetch_stream(&paused);
  paused.pause_every = 2;
  CU_ASSERT_EQUAL(fetch_start(&paused, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait_pause(&paused));
  for (int i = 0; i < 5; i++) {
    fetch_init(&other, s, "/bytes?n=500000");
    CU_ASSERT_TRUE(fetch_run(&other, c));
    CU_ASSERT_EQUAL(other.body.len, 500000);
    fetch_free(&other);
  }
  CU_ASSERT_EQUAL(paused.n_done, 0);
  CU_ASSERT_TRUE(fetch_resume_to_end(&paused));
  CU_ASSERT_EQUAL(paused.streamed, 3000000);
  fetch_free(&paused);
  http_client_free(c);
  server_stop(s);
}

static void resuming_what_is_not_paused_does_nothing(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=400000&piece=40000&pause_ms=5");
  fetch_stream(&f);
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  for (int i = 0; i < 50; i++)
    http_transfer_resume(f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&f));
  http_transfer_resume(f.transfer);
  CU_ASSERT_EQUAL(f.streamed, 400000);
  CU_ASSERT_TRUE(f.in_order);
  CU_ASSERT_EQUAL(f.n_done, 1);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void reader_may_give_up(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, "/bytes?n=3000000");
  fetch_stream(&f);
  f.abort_at = 100000;
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
  CU_ASSERT_STRING_EQUAL(f.error.reason, "aborted");
  CU_ASSERT_TRUE(f.streamed < 100000);
  CU_ASSERT_EQUAL(f.late, 0);
  fetch_free(&f);

  /* The same from within a resume, where curl reports it differently. */
  fetch_init(&f, s, "/bytes?n=3000000&gzip=1&piece=3000000");
  fetch_stream(&f);
  f.pause_every = 3;
  f.abort_at = 60000;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_resume_to_end(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_CANCELLED);
  CU_ASSERT_EQUAL(f.n_done, 1);
  CU_ASSERT_EQUAL(f.late, 0);
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void check_limit(const char *path, bool stream, size_t limit, enum err_code expect)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  fetch_init(&f, s, path);
  if (stream)
    fetch_stream(&f);
  f.request.max_response_bytes = limit;
  int64_t began = clock_mono_ms();
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_TRUE(clock_mono_ms() - began < 5000);
  CU_ASSERT_EQUAL(f.error.code, expect);
  CU_ASSERT_TRUE(f.streamed <= limit && f.body.len <= limit);
  if (expect == ERR_RESOURCE_EXHAUSTED)
    CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, "larger than 100000 bytes"));
  fetch_free(&f);
  http_client_free(c);
  server_stop(s);
}

static void response_over_its_limit_ends_with_resource_exhausted(void)
{
  check_limit("/bytes?n=100000", false, 100000, ERR_OK);
  check_limit("/bytes?n=100000", true, 100000, ERR_OK);
  check_limit("/bytes?n=100001&chunked=1", false, 100000, ERR_RESOURCE_EXHAUSTED);
  check_limit("/bytes?n=100001&chunked=1", true, 100000, ERR_RESOURCE_EXHAUSTED);
  /* Counted after decompression. */
  check_limit("/bytes?n=100001&gzip=1", false, 100000, ERR_RESOURCE_EXHAUSTED);
  check_limit("/bytes?n=100000&gzip=1", true, 100000, ERR_OK);
}

static void declared_length_over_the_limit_ends_before_the_body(void)
{
  /* The server sends one byte and waits: only the declared length can end this. */
  check_limit("/declare?n=100001", false, 100000, ERR_RESOURCE_EXHAUSTED);
  check_limit("/declare?n=100001", true, 100000, ERR_RESOURCE_EXHAUSTED);
}

TEST_MAIN("http.stream", TEST(body_arrives_in_pieces_and_in_order),
          TEST(compressed_body_arrives_decompressed), TEST(pausing_loses_and_repeats_nothing),
          TEST(pausing_a_compressed_body_loses_and_repeats_nothing),
          TEST(paused_body_stays_paused_until_resumed),
          TEST(paused_transfer_does_not_hold_up_others),
          TEST(resuming_what_is_not_paused_does_nothing), TEST(reader_may_give_up),
          TEST(response_over_its_limit_ends_with_resource_exhausted),
          TEST(declared_length_over_the_limit_ends_before_the_body))
