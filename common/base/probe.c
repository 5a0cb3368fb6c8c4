/* One HTTP question to a listener of our own, with one deadline for all of it. */
#include "common/base/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"

bool probe_own_address(const char *listen, char *out, size_t size)
{
  char host[256];
  uint16_t port;
  if (!config_split_hostport(listen, host, sizeof(host), &port))
    return false;
  const char *at = host;
  if (*at == '\0' || strcmp(at, "0.0.0.0") == 0)
    at = "127.0.0.1";
  else if (strcmp(at, "::") == 0)
    at = "::1";
  bool v6 = strchr(at, ':') != NULL;
  int n = snprintf(out, size, "%s%s%s:%u", v6 ? "[" : "", at, v6 ? "]" : "", (unsigned)port);
  return n > 0 && (size_t)n < size;
}

/* Literal addresses only: a name would need a resolver, which a deadline does not bound. */
static socklen_t parse(const char *address, struct sockaddr_storage *out)
{
  char host[256];
  uint16_t port;
  *out = (struct sockaddr_storage){0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
  if (!config_split_hostport(address, host, sizeof(host), &port))
    return 0;
  const char *literal = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, literal, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof(*v4);
  }
  if (inet_pton(AF_INET6, literal, &v6->sin6_addr) != 1)
    return 0;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return sizeof(*v6);
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
  for (;;) {
    int64_t left = until_ms - clock_mono_ms();
    struct pollfd p = {.fd = fd, .events = events};
    int n = left > 0 ? poll(&p, 1, (int)left) : 0;
    if (n > 0)
      return true;
    if (n == 0 || errno != EINTR) {
      errno = n == 0 ? ETIMEDOUT : errno;
      return false;
    }
  }
}

static bool open_to(int fd, const struct sockaddr_storage *to, socklen_t size, int64_t until_ms)
{
  int problem = 0;
  socklen_t n = sizeof(problem);
  if (connect(fd, (const struct sockaddr *)to, size) == 0)
    return true;
  if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, until_ms))
    return false;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &n) != 0)
    return false;
  errno = problem;
  return problem == 0;
}

static bool send_all(int fd, const char *text, size_t left, int64_t until_ms)
{
  while (left > 0) {
    ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return false;
    if (n > 0) {
      text += n;
      left -= (size_t)n;
    } else if (!wait_for(fd, POLLOUT, until_ms)) {
      return false;
    }
  }
  return true;
}

/* The first bytes of the answer, as many as a status line needs. */
static bool read_status(int fd, int *status, int64_t until_ms)
{
  char line[sizeof("HTTP/1.1 200")];
  size_t have = 0;
  while (have < sizeof(line) - 1) {
    ssize_t n = recv(fd, line + have, sizeof(line) - 1 - have, 0);
    if (n == 0)
      errno = EPROTO;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      return false;
    if (n > 0)
      have += (size_t)n;
    else if (!wait_for(fd, POLLIN, until_ms))
      return false;
  }
  line[have] = '\0';
  int got = 0;
  errno = EPROTO;
  for (size_t i = have - 3; i < have; i++) {
    if (line[i] < '0' || line[i] > '9')
      return false;
    got = got * 10 + (line[i] - '0');
  }
  *status = got;
  return strncmp(line, "HTTP/1.", 7) == 0 && line[8] == ' ';
}

static bool ask(int fd, const struct sockaddr_storage *to, socklen_t size, const char *request,
                int *status)
{
  int64_t until_ms = clock_mono_ms() + PROBE_TIMEOUT_MS;
  return open_to(fd, to, size, until_ms) && send_all(fd, request, strlen(request), until_ms) &&
         read_status(fd, status, until_ms);
}

enum err_code probe_http(int *status, const char *address, const char *path, struct err *e)
{
  struct sockaddr_storage to;
  socklen_t size = parse(address, &to);
  char request[512];
  int n = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, address);
  if (size == 0 || n < 0 || (size_t)n >= sizeof(request))
    return err_set(e, ERR_INVALID_ARGUMENT, "address",
                   "%.80s: must be an address and a port, not a name", address);
  int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool answered = fd >= 0 && ask(fd, &to, size, request, status);
  int problem = errno;
  if (fd >= 0)
    close(fd);
  return answered ? ERR_OK
                  : err_set(e, ERR_UNAVAILABLE, "no_answer", "no answer at http://%s%s: %s",
                            address, path, strerror(problem));
}
