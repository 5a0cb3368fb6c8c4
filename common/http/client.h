/* HTTP client: a few threads drive all transfers (HTTP/1.1, connection reuse). The only room that
 * includes <curl/...>.
 *
 * Each thread has a curl_multi of its own, with its connections, and an epoll set. A transfer stays
 * on the thread that it was given to: its callbacks run there one at a time, those of transfers on
 * other threads beside them. Callbacks must not block; they may call everything here but
 * http_client_free(). Server certificates are always verified. The environment's http_proxy,
 * https_proxy, all_proxy and no_proxy are honoured as curl does. */
#ifndef AMCP_HTTP_CLIENT_H
#define AMCP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/trace/context.h"

struct http_client;
struct http_transfer;

struct http_client_options {
  const char *user_agent;      /* NULL means analytics-mcp/VERSION; " (gzip)" is added, without
                                  which Google does not compress */
  const char *ca_file;         /* PEM; alone it replaces the system's */
  const char *ca_dir;          /* hashed directory of PEM files; used beside ca_file. Both NULL:
                                  the system's certificates */
  size_t threads;              /* 0 means 1; at most HTTP_MAX_THREADS */
  size_t max_transfers;        /* under way; 0 means 1,024; more is ERR_RESOURCE_EXHAUSTED */
  size_t max_connections;      /* of all threads, each with an equal part; 0 means 256 */
  size_t max_host_connections; /* likewise; 0 means 64 */
};

enum { HTTP_MAX_THREADS = 16 };

enum err_code http_client_new(struct http_client **out, const struct http_client_options *options,
                              struct err *e);
/* Cancels what is under way (on_done runs), ends the threads, frees. NULL is fine. Transfers
 * not yet released may still be cancelled, resumed and released afterwards. */
void http_client_free(struct http_client *c);

/* Everything is copied before http_client_send() returns. */
struct http_header {
  const char *name;
  const char *value;
};

/* The reason of ERR_DEADLINE_EXCEEDED while a transfer is paused. */
#define HTTP_NOT_TAKEN "not_taken"

struct http_response {
  struct err error; /* code ERR_OK when a response arrived whole, whatever its status.
                       ERR_DEADLINE_EXCEEDED, ERR_UNAVAILABLE (connect, cut off, TLS),
                       ERR_RESOURCE_EXHAUSTED (too large), ERR_CANCELLED. Never holds
                       the query string, a header or a body. */
  int status;       /* 0 when none arrived */
  const char *body; /* NUL-terminated; what on_body did not get. All pointers are valid
                       during on_done only */
  size_t body_len;
  const char *content_type;     /* "" when absent */
  const char *retry_after;      /* "" when absent */
  const char *www_authenticate; /* "" when absent */
  const char *wanted;           /* value of the request's want_header; "" when absent */
  int64_t total_ms;
};

enum http_flow { HTTP_CONTINUE, HTTP_PAUSE, HTTP_ABORT };

struct http_request {
  const char *method; /* "GET", "POST", "PUT", ... */
  const char *url;    /* http or https */
  const struct http_header *headers;
  size_t n_headers;
  const void *body; /* NULL for none */
  size_t body_len;
  uint32_t timeout_ms; /* 0 means 60,000. Of the whole transfer, or with a longer longest_ms of the
                          time in which bytes may come: not from HTTP_PAUSE until it is resumed */
  uint32_t longest_ms; /* of the whole transfer with its pauses; 0: pauses count like the rest */
  const char *want_header;   /* one more response header to keep, for `wanted`; NULL for none */
  uint32_t lane;             /* transfers of equal lane are on one thread, so that what they share
                                needs no lock; 0: on the one with the fewest */
  bool no_proxy;             /* goes straight to the host whatever the environment says: for
                                metadata servers, which a proxy must never stand in for */
  size_t max_response_bytes; /* after decompression; 0 means 8 MiB; counts what on_body
                                takes only when it is not 0 */
  /* Body of a 2xx response as it arrives; NULL collects it in `body`. Other statuses are
   * always collected: the first 64 KiB, the rest is read and dropped. HTTP_PAUSE means the
   * bytes were NOT taken: they come again after http_transfer_resume(). HTTP_ABORT ends with
   * ERR_CANCELLED, and no more bytes come. */
  enum http_flow (*on_body)(void *user, const char *data, size_t len);
  /* The end, exactly once. Required. */
  void (*on_done)(void *user, const struct http_response *response);
  void *user;
  /* What the request is made for: it goes on in traceparent and tracestate, and the request is a
   * span of it. NULL: the thread's context (trace/scope.h), if there is one. The callbacks run in
   * that context, too. */
  const struct trace_context *trace;
  const char *operation; /* what is asked for, in the span's name; static; NULL: the method alone */
  bool untraced;         /* neither headers nor a span */
};

/* Starts a transfer. Thread-safe. When it fails, no callback runs: ERR_INVALID_ARGUMENT for a
 * request that cannot be sent, ERR_RESOURCE_EXHAUSTED at max_transfers, ERR_CANCELLED when the
 * client is ending. out may be NULL; *out is set before any callback and must be released,
 * which does not end the transfer. Redirects are not followed. */
enum err_code http_client_send(struct http_transfer **out, struct http_client *c,
                               const struct http_request *request, struct err *e);
/* on_done follows with ERR_CANCELLED unless it ran already. Thread-safe. */
void http_transfer_cancel(struct http_transfer *t);
void http_transfer_resume(struct http_transfer *t);
void http_transfer_release(struct http_transfer *t);

/* What a Retry-After value (RFC 9110 section 10.2.3) asks for, in milliseconds from now_unix_ms on
 * and at most max_ms: seconds, or a date in any of its three forms. 0 when it is NULL, over, or
 * neither. */
uint32_t http_retry_after_ms(const char *value, int64_t now_unix_ms, uint32_t max_ms);

/* Runs fn(arg) on one of the client's threads, always the same, after delay_ms: for waiting between
 * attempts without a thread. ERR_RESOURCE_EXHAUSTED when 4,096 wait already; runs early with the
 * client's end, and once that has begun ERR_CANCELLED: fn is not run. Thread-safe. */
enum err_code http_client_after(struct http_client *c, uint32_t delay_ms, void (*fn)(void *arg),
                                void *arg);

#endif
