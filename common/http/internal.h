/* What the files of the HTTP client share. Nobody else includes this. */
#ifndef AMCP_HTTP_INTERNAL_H
#define AMCP_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/http/client.h"
#include "common/http/due.h"
#include "common/trace/scope.h"
#include "common/trace/span.h"

enum {
  HTTP_CLIENT_MAGIC = 0x48636c69,
  HTTP_LOOP_MAGIC = 0x486c6f70,
  HTTP_TRANSFER_MAGIC = 0x48747266,
  HTTP_DEFAULT_TIMEOUT_MS = 60 * 1000,
  HTTP_CONNECT_TIMEOUT_MS = 10 * 1000, /* name look-up, TCP and TLS together */
  HTTP_DEFAULT_MAX_RESPONSE = 8 * 1024 * 1024,
  HTTP_MAX_ERROR_BODY = 64 * 1024,
  HTTP_UPLOAD_BUFFER = 16 * 1024, /* the least that curl takes: requests are a few KB */
  HTTP_MAX_TIMERS = 4096,
  HTTP_MAX_HOST_LABELS = 32, /* more hosts share the metric label "other" */
};

/* Why a callback of ours ended a transfer. */
enum http_stop { HTTP_STOP_NONE, HTTP_STOP_CANCELLED, HTTP_STOP_ABORTED, HTTP_STOP_TOO_LARGE };

struct http_timer {
  struct due due; /* first: the heap hands out its address */
  void (*fn)(void *arg);
  void *arg;
};

/* One request. Held by the client until on_done has run and by the caller until
 * http_transfer_release(). */
struct http_transfer {
  struct due deadline; /* first, as above; the loop's thread */
  uint32_t magic;
  atomic_uint refs;
  struct http_client *client; /* holds a reference */
  struct http_loop *loop;     /* of the client, that it is given to */
  atomic_bool cancelled;      /* read in the callbacks, so that no more bytes are handed out */

  /* Under loop->lock. */
  struct http_transfer *next_command;
  bool queued; /* in loop->commands */
  bool start;  /* to be started */
  bool resume;
  bool done;

  /* Constant after http_client_send(). */
  enum http_flow (*on_body)(void *user, const char *data, size_t len);
  void (*on_done)(void *user, const struct http_response *response);
  void *user;
  char *host; /* as the URL has it, lower case */
  char *peer; /* "host:port", for messages */
  char *path; /* without the query, which may hold a secret; for the log */
  char method[17];
  void *request_body;
  size_t request_len;
  struct curl_slist *headers;
  uint32_t timeout_ms, longest_ms; /* longest_ms is not the shorter one */
  size_t max_response;             /* 0 means no cap */
  bool head;
  char *want_header; /* NULL for none */
  int64_t started_ms;
  CURLcode setup;              /* the first option curl refused */
  struct trace_context *trace; /* that it is made for; NULL: none */

  /* The loop's thread, once started. */
  CURL *easy;
  bool added; /* in the multi handle */
  bool paused;
  int64_t left_ms; /* of timeout_ms, while it is paused */
  bool encoded;    /* the body is compressed: its length says nothing */
  enum http_stop stop;
  size_t received; /* bytes on_body took */
  struct buf body;
  struct buf content_type;
  struct buf retry_after;
  struct buf www_authenticate;
  struct buf wanted;
  char curl_message[CURL_ERROR_SIZE];
  long os_error;                     /* errno of a failed connect */
  struct http_transfer *prev, *next; /* loop->live */
  struct span *span;                 /* NULL: not recorded */
};

/* curl's sockets in an epoll set, so that a turn costs what is ready and not what is open. Of one
 * thread, but for http_sockets_wake(). */
struct http_sockets {
  CURLM *multi; /* the owner's */
  int epoll, wake;
  int64_t due_ms;   /* curl wants to be called then, on the monotonic clock; INT64_MAX: no time */
  uint32_t *wanted; /* events that curl waits for, by descriptor */
  size_t n_wanted;
};

/* One thread and its transfers. */
struct http_loop {
  uint32_t magic;
  struct http_client *client;
  pthread_t thread;
  bool running; /* the thread was started */
  CURLM *multi;
  struct http_sockets sockets;
  atomic_size_t transfers; /* given to it, on_done not yet due */

  pthread_mutex_t lock;
  /* Under lock. */
  struct http_transfer *commands; /* transfers that want the thread's attention */
  struct http_transfer *last_command;
  struct due_heap timers;
  bool stopping;
  bool asleep; /* waits, or is about to: whoever has something for it wakes it */

  /* The thread's own. */
  struct due_heap deadlines;
  struct http_transfer *live;
  char *host_labels[HTTP_MAX_HOST_LABELS];
  size_t n_host_labels;
};

struct http_client {
  uint32_t magic;
  atomic_uint refs;        /* the owner's and one per transfer: cancel and release stay safe after
                              http_client_free() */
  atomic_size_t transfers; /* of all loops */
  atomic_bool stopping;    /* before that of any loop: what one ends begins nothing on another */
  /* Constant after http_client_new(). */
  char *user_agent;
  char *ca_file, *ca_dir;
  size_t max_transfers;
  struct metric *requests;
  struct metric *seconds;
  size_t n_loops;
  struct http_loop loops[];
};

/* client.c */
void http_client_unref(struct http_client *c);
void http_transfer_unref(struct http_transfer *t);

/* trace.c */

/* Before the headers are set: finds the context and begins the span. *own is what goes into the
 * headers; false when nothing does. */
bool http_trace_begin(struct http_transfer *t, const struct http_request *request,
                      struct trace_context *own);
void http_trace_end(struct http_transfer *t, const struct http_response *response);
void http_trace_free(struct http_transfer *t);

/* loop.c */

/* Makes a loop, which has no thread yet; ERR_RESOURCE_EXHAUSTED without memory or descriptors. */
enum err_code http_loop_init(struct http_loop *l, struct http_client *client, size_t connections,
                             size_t host_connections);
/* Starts the thread. */
enum err_code http_loop_start(struct http_loop *l);
/* From now on nothing new is taken, and the thread ends what is under way, and itself. */
void http_loop_stop(struct http_loop *l);
/* Waits for that; curl and its connections end. */
void http_loop_join(struct http_loop *l);
/* Frees a zeroed loop, too. */
void http_loop_free(struct http_loop *l);
/* Asks the thread to look at a transfer; the queue holds a reference. Under l->lock, which also
 * keeps the thread: it cannot end before this transfer is done. */
void http_loop_command(struct http_loop *l, struct http_transfer *t);
/* As http_client_after(). */
enum err_code http_loop_after(struct http_loop *l, uint32_t delay_ms, void (*fn)(void *arg),
                              void *arg);

/* The transfer is paused from now on: its time stands still, but for that of the pauses. On its
 * loop's thread. */
void http_loop_pause(struct http_transfer *t);

/* sockets.c */

/* Takes over what the multi handle, which has no transfers yet, wants to know of sockets and time.
 * False without descriptors. */
bool http_sockets_init(struct http_sockets *s, CURLM *multi);
/* After the multi handle has ended. Also when init has failed. */
void http_sockets_free(struct http_sockets *s);
/* Waits until a socket is ready, curl's time has come, somebody wakes it, or wait_ms are over, and
 * has curl work on that. */
void http_sockets_turn(struct http_sockets *s, int wait_ms);
/* CURLOPT_OPENSOCKETFUNCTION of each transfer; its data: the sockets. */
curl_socket_t http_sockets_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *address);
/* Ends the wait under way, or else the next one at once. Thread-safe. */
void http_sockets_wake(struct http_sockets *s);

/* transfer.c: makes the curl handle of a request. Runs on the sender's thread. */
enum err_code http_transfer_setup(struct http_transfer *t, const struct http_request *request,
                                  struct err *e);

/* failure.c: what went wrong, for people; e stays empty when nothing did. deadline says that
 * the transfer's own time was over. */
void http_failure(const struct http_transfer *t, CURLcode result, bool deadline, struct err *e);

#endif
