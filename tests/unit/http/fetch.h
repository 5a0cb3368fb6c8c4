/* One request of a test: what was sent, what came, and waiting for it. */
#ifndef AMCP_TESTS_HTTP_FETCH_H
#define AMCP_TESTS_HTTP_FETCH_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/http/client.h"
#include "tests/unit/http/server.h"

struct fetch {
  struct http_transfer *transfer;
  struct http_request request; /* may be changed before fetch_start() */
  char url[512];

  /* What on_body does: pauses before every pause_every-th call (0: never); ends with
   * HTTP_ABORT once abort_at bytes came (0: never). */
  unsigned pause_every;
  size_t abort_at;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Under lock. */
  unsigned calls;
  unsigned pauses;
  bool aborted;  /* on_body has answered HTTP_ABORT */
  unsigned late; /* and was called again: must stay 0 */
  bool paused;
  size_t streamed; /* bytes on_body took */
  bool in_order;   /* and each was server_byte() of its place */
  unsigned n_done;
  /* A copy of the response. */
  struct err error;
  int status;
  struct buf body;
  char content_type[128], retry_after[64], www_authenticate[128];
  int64_t total_ms;
  void (*then)(struct fetch *f); /* runs in on_done, may be NULL */
  struct fetch *next;            /* for `then` */
  struct http_client *client;    /* the one it was started with */
};

/* GET of a path of the server, or of a whole URL when s is NULL. */
void fetch_init(struct fetch *f, const struct server *s, const char *path);
/* Takes the body by on_body. */
void fetch_stream(struct fetch *f);
enum err_code fetch_start(struct fetch *f, struct http_client *c);
/* Waits for on_done; false after 30 s. */
bool fetch_wait(struct fetch *f);
/* Waits until on_body has taken that many bytes, or paused; false after 30 s. */
bool fetch_wait_bytes(struct fetch *f, size_t n);
bool fetch_wait_pause(struct fetch *f);
/* Resumes whenever on_body pauses, until the end. */
bool fetch_resume_to_end(struct fetch *f);
/* Starts, waits, releases. */
bool fetch_run(struct fetch *f, struct http_client *c);
void fetch_free(struct fetch *f);

void test_sleep_ms(long ms);
/* A client with defaults; ends the test program when it cannot be made. */
struct http_client *new_client(void);

#endif
