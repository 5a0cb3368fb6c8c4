/* HTTP as far as asking our own endpoint needs it: one connection per request, no TLS. */
#include "gateway/post.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum err_code post_target_set(struct post_target *t, const char *url, struct err *e)
{
  static const char scheme[] = "http://";
  uint16_t port;
  char authority[300];
  const char *start = url + sizeof(scheme) - 1;
  bool fits = strncmp(url, scheme, sizeof(scheme) - 1) == 0;
  size_t len = fits ? strcspn(start, "/") : 0;
  fits = fits && len > 0 && len < sizeof(authority) && strlen(start + len) < sizeof(t->path) &&
         strpbrk(url, " \r\n") == NULL;
  if (fits) {
    memcpy(authority, start, len);
    authority[len] = '\0';
    fits = config_split_hostport(authority, t->host, sizeof(t->host), &port);
  }
  if (!fits)
    return err_set(e, ERR_INVALID_ARGUMENT, "url", "%.200s: expected http://HOST:PORT/mcp", url);
  snprintf(t->port, sizeof(t->port), "%u", (unsigned)port);
  snprintf(t->path, sizeof(t->path), "%s", start[len] != '\0' ? start + len : "/");
  return ERR_OK;
}

static int open_one(const struct addrinfo *a)
{
  const struct timeval limit = {.tv_sec = POST_TIMEOUT_S};
  int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
    return fd;
  close(fd);
  return -1;
}

static int open_to(const struct post_target *t, struct err *e)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int fd = -1;
  int problem = getaddrinfo(t->host, t->port, &hints, &found);
  if (problem != 0) {
    err_set(e, ERR_UNAVAILABLE, "name", "%s: %s", t->host, gai_strerror(problem));
    return -1;
  }
  for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
    fd = open_one(a);
  if (fd < 0)
    err_set(e, ERR_UNAVAILABLE, "connect", "cannot connect to %s:%s: %s", t->host, t->port,
            strerror(errno));
  freeaddrinfo(found);
  return fd;
}

static bool send_all(int fd, const struct buf *text)
{
  for (size_t done = 0; done < text->len;) {
    ssize_t n = send(fd, text->data + done, text->len - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    done += (size_t)n;
  }
  return true;
}

static bool receive_all(int fd, struct buf *into)
{
  char part[16 * 1024];
  for (;;) {
    ssize_t n = recv(fd, part, sizeof(part), 0);
    if (n == 0)
      return true;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    if (!buf_append(into, part, (size_t)n)) {
      errno = EMSGSIZE;
      return false;
    }
  }
}

static void write_request(struct buf *out, const struct post_target *t, const char *body)
{
  buf_printf(out, "POST %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n", t->path, t->host,
             t->port);
  buf_puts(out, "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
                "MCP-Protocol-Version: 2025-06-18\r\n");
  if (t->token != NULL)
    buf_printf(out, "Authorization: Bearer %s\r\n", t->token);
  if (t->session[0] != '\0')
    buf_printf(out, "Mcp-Session-Id: %s\r\n", t->session);
  buf_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

/* The value of a header between the status line and the empty line; NULL when it is not there. */
static const char *header(const char *head, const char *name, size_t *len)
{
  size_t n = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    if (strncmp(line, "\r\n\r\n", 4) == 0)
      return NULL;
    if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
      continue;
    const char *value = line + 3 + n;
    value += strspn(value, " ");
    *len = strcspn(value, "\r");
    return value;
  }
  return NULL;
}

/* "HTTP/1.1 200 OK": 200; 0 for anything else. */
static int status_of(const char *head)
{
  char *end = NULL;
  if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12 || head[8] != ' ')
    return 0;
  long status = strtol(head + 9, &end, 10);
  return end == head + 12 && status >= 100 ? (int)status : 0;
}

static enum err_code take_answer(cJSON **answer, struct post_target *t, struct buf *text,
                                 struct err *e)
{
  const char *all = buf_str(text);
  const char *body = strstr(all, "\r\n\r\n");
  int status = status_of(all);
  if (body == NULL || status == 0)
    return err_set(e, ERR_UNAVAILABLE, "answer", "%s:%s did not answer with HTTP", t->host,
                   t->port);
  body += 4;
  if (status < 200 || status > 299)
    return err_set(e, ERR_UNAVAILABLE, "status", "the endpoint answered %d: %.300s", status, body);
  size_t len;
  const char *session = header(all, "Mcp-Session-Id", &len);
  if (session != NULL && len < sizeof(t->session))
    snprintf(t->session, sizeof(t->session), "%.*s", (int)len, session);
  if (*body == '\0')
    return ERR_OK;
  return json_parse(answer, body, strlen(body), NULL, e);
}

enum err_code post(cJSON **answer, struct post_target *t, const char *body, struct err *e)
{
  AUTO_BUF struct buf request = BUF_SECRET(64 * 1024);
  AUTO_BUF struct buf text = BUF_INIT(POST_MAX_BYTES);
  *answer = NULL;
  write_request(&request, t, body);
  int fd = open_to(t, e);
  if (fd < 0)
    return ERR_UNAVAILABLE;
  bool done = send_all(fd, &request) && receive_all(fd, &text);
  int problem = errno;
  close(fd);
  if (!done)
    return err_set(e, ERR_UNAVAILABLE, "answer", "no answer from %s:%s: %s", t->host, t->port,
                   strerror(problem));
  return take_answer(answer, t, &text, e);
}
