/* Threads of our own under libmicrohttpd's daemons.
 *
 * The library's own epoll loop can sleep on work: when one wait brought exactly as many events as
 * its array holds (128), it waits a second time with the full timeout and handles nothing
 * meanwhile. So its loop is not used. Each thread here owns one daemon that polls nothing by
 * itself, waits for that daemon's epoll descriptor and the listening socket, accepts, and lets the
 * daemon handle what is there; no wait of the library's ever blocks. */
#ifndef AMCP_HTTP_DAEMON_H
#define AMCP_HTTP_DAEMON_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct http_daemon;

struct http_daemon_options {
  int listen_fd;            /* does not block; the daemon's from a good start on */
  unsigned threads;         /* each has a daemon of its own; 0 means 1 */
  unsigned max_connections; /* of all threads together; more wait in the backlog */
  /* Whether one more connection may be taken off the backlog now; on the threads, must not block.
   * NULL: always. */
  bool (*may_accept)(void *user);
  void *user;
  bool tls; /* with the certificate among the items */
  MHD_AccessHandlerCallback on_access;
  void *on_access_arg;
  /* Options of every daemon; ends with MHD_OPTION_END. Neither the listening socket nor the
   * connection limit. */
  const struct MHD_OptionItem *items;
};

/* NULL when a daemon or a thread cannot start. Connections may be suspended and resumed. */
struct http_daemon *http_daemon_start(const struct http_daemon_options *options);

/* Lets a suspended connection go on, and wakes its thread. Thread-safe, as long as the connection
 * is suspended and nobody else resumes it. */
void http_daemon_resume(struct http_daemon *d, struct MHD_Connection *connection);

/* Takes what waits in the backlog, as far as there is room, then closes the listening socket.
 * Connections live on. Waits for the threads, so not on them. */
void http_daemon_stop_accepting(struct http_daemon *d);
/* Returns when every thread has handled all that was there when it was called. Not on the
 * threads. */
void http_daemon_settle(struct http_daemon *d);
/* Ends the threads and closes every connection; none may be suspended. NULL is fine. */
void http_daemon_stop(struct http_daemon *d);

#endif
