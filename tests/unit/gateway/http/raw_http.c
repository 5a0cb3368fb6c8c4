/* HTTP over a raw socket, for what no client library would send. */
#include "tests/unit/gateway/http/raw_http.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

int raw_connect(uint16_t port)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

bool raw_send(int fd, const char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

bool raw_puts(int fd, const char *text)
{
  return raw_send(fd, text, strlen(text));
}

bool raw_delivered(int fd)
{
  int unacknowledged = 0;
  return ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

/* One byte: 1, end: 0, timeout or error: -1. */
static int read_byte(int fd, char *c, int64_t end_ms)
{
  int64_t left = end_ms - clock_mono_ms();
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (poll(&p, 1, left > 0 ? (int)left : 0) != 1)
    return -1;
  ssize_t n = recv(fd, c, 1, 0);
  return n == 1 ? 1 : 0;
}

static bool read_line(int fd, char *out, size_t size, int64_t end)
{
  size_t n = 0;
  while (n + 1 < size && read_byte(fd, out + n, end) == 1) {
    if (out[n++] == '\n') {
      out[n] = '\0';
      return true;
    }
  }
  return false;
}

static bool read_bytes(int fd, struct buf *out, size_t n, int64_t end)
{
  char c;
  while (n-- > 0) {
    if (read_byte(fd, &c, end) != 1)
      return false;
    buf_putc(out, c);
  }
  return true;
}

static void read_chunked(int fd, struct raw_answer *a, int64_t end)
{
  char line[256];
  while (read_line(fd, line, sizeof(line), end)) {
    size_t n = strtoul(line, NULL, 16);
    if (!read_bytes(fd, &a->body, n, end) || !read_line(fd, line, sizeof(line), end) || n == 0)
      return;
  }
  a->closed = true;
}

struct raw_answer raw_read_head(int fd, int timeout_ms)
{
  struct raw_answer a = {.body = BUF_INIT(32 * 1024 * 1024)};
  int64_t end = clock_mono_ms() + timeout_ms;
  size_t n = 0;
  int rc = 1;
  while (n + 1 < sizeof(a.head) && (rc = read_byte(fd, a.head + n, end)) == 1) {
    n++;
    if (n >= 4 && memcmp(a.head + n - 4, "\r\n\r\n", 4) == 0)
      break;
  }
  a.head[n] = '\0';
  a.closed = rc == 0;
  if (n >= 12 && strncmp(a.head, "HTTP/1.", 7) == 0)
    a.status = (int)strtol(a.head + 9, NULL, 10);
  return a;
}

struct raw_answer raw_read(int fd, int timeout_ms)
{
  int64_t end = clock_mono_ms() + timeout_ms;
  struct raw_answer a = raw_read_head(fd, timeout_ms);
  char value[64];
  if (raw_header(&a, "Transfer-Encoding", value, sizeof(value)))
    read_chunked(fd, &a, end);
  else if (raw_header(&a, "Content-Length", value, sizeof(value)))
    read_bytes(fd, &a.body, strtoul(value, NULL, 10), end);
  return a;
}

bool raw_wait_text(int fd, struct buf *seen, const char *text, int timeout_ms)
{
  int64_t end = clock_mono_ms() + timeout_ms;
  char c;
  while (strstr(buf_str(seen), text) == NULL) {
    if (read_byte(fd, &c, end) != 1)
      return false;
    buf_putc(seen, c);
  }
  return true;
}

bool raw_wait_closed(int fd, int timeout_ms)
{
  int64_t end = clock_mono_ms() + timeout_ms;
  char c;
  int rc;
  while ((rc = read_byte(fd, &c, end)) == 1)
    ;
  return rc == 0;
}

void raw_answer_free(struct raw_answer *a)
{
  buf_free(&a->body);
}

bool raw_header(const struct raw_answer *a, const char *name, char *out, size_t size)
{
  const char *line = a->head;
  size_t len = strlen(name);
  while ((line = strstr(line, "\r\n")) != NULL) {
    line += 2;
    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
      continue;
    line += len + 1;
    line += strspn(line, " ");
    snprintf(out, size, "%.*s", (int)strcspn(line, "\r"), line);
    return true;
  }
  return false;
}

struct raw_answer raw_request(uint16_t port, const char *method, const char *path,
                              const char *headers, const char *body)
{
  int fd = raw_connect(port);
  AUTO_FREE char *head =
      xasprintf("%s %s HTTP/1.1\r\nHost: localhost:%u\r\n%s", method, path, port, headers);
  raw_puts(fd, head);
  if (body != NULL) {
    AUTO_FREE char *length = xasprintf("Content-Length: %zu\r\n\r\n", strlen(body));
    raw_puts(fd, length);
    raw_puts(fd, body);
  } else {
    raw_puts(fd, "\r\n");
  }
  struct raw_answer a = raw_read(fd, 20000);
  close(fd);
  return a;
}
