/* HTTP over a raw socket, for what no client library would send. */
#ifndef AMCP_TESTS_GATEWAY_RAW_HTTP_H
#define AMCP_TESTS_GATEWAY_RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* One answer. status 0: the connection ended or nothing came in time. */
struct raw_answer {
  int status;
  char head[8192]; /* status line and headers */
  struct buf body; /* without chunk framing */
  bool closed;     /* the server closed the connection */
};

int raw_connect(uint16_t port);
bool raw_send(int fd, const char *data, size_t len);
bool raw_puts(int fd, const char *text);
/* Whether all that was sent has reached the other side's kernel. */
bool raw_delivered(int fd);
/* Reads one answer, at most timeout_ms. The rest stays in the socket (read byte-wise). */
struct raw_answer raw_read(int fd, int timeout_ms);
/* Reads only the head of an answer. */
struct raw_answer raw_read_head(int fd, int timeout_ms);
/* Reads what comes until text was seen, the end, or the time is over. */
bool raw_wait_text(int fd, struct buf *seen, const char *text, int timeout_ms);
/* Whether the server ends the connection within timeout_ms. */
bool raw_wait_closed(int fd, int timeout_ms);
void raw_answer_free(struct raw_answer *a);
/* Value of a header of the answer, copied into out; false when absent. */
bool raw_header(const struct raw_answer *a, const char *name, char *out, size_t size);
/* Sends a request with a body on a new connection and reads the answer. */
struct raw_answer raw_request(uint16_t port, const char *method, const char *path,
                              const char *headers, const char *body);

#endif
