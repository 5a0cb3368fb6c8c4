/* Binds by hand, so that the message names a busy port as the reason. */
#include "ga4-sim/base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

enum err_code listen_on(const char *host, uint16_t port, int *out, struct err *e)
{
  char text[8];
  snprintf(text, sizeof(text), "%u", port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *info = NULL;
  int rc = getaddrinfo(host, text, &hints, &info);
  if (rc != 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "listen", "--listen %s: %s", host, gai_strerror(rc));
  int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol), on = 1;
  if (fd >= 0)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  bool ok = fd >= 0 && bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
  int problem = errno;
  freeaddrinfo(info);
  if (ok) {
    *out = fd;
    return ERR_OK;
  }
  if (fd >= 0)
    close(fd);
  return err_set(
      e, ERR_UNAVAILABLE, "listen", "cannot listen on %s:%u: %s%s", host, port, strerror(problem),
      problem == EADDRINUSE ? " (another program has it: choose another with --listen)" : "");
}

uint16_t listen_port(int fd)
{
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof(address);
  if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
    return 0;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
}
