/* The listening socket: one owner per port, with a message when it is taken. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http/internal.h"

enum { BACKLOG = 1024 };

static int open_one(const struct addrinfo *ai)
{
  int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
  if (fd < 0)
    return -1;
  /* Restart at once after an end; no SO_REUSEPORT, so that a second start fails. */
  int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (ai->ai_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static uint16_t bound_port(int fd)
{
  struct sockaddr_storage a = {0};
  socklen_t len = sizeof(a);
  if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
    return 0;
  return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                       : ((struct sockaddr_in *)&a)->sin_port);
}

static int fail(struct err *e, const char *host, uint16_t port, int error)
{
  const char *shown = host[0] != '\0' ? host : "0.0.0.0";
  if (error == EADDRINUSE)
    err_set(e, ERR_UNAVAILABLE, "address_in_use",
            "%s:%u is in use: stop the program that has it (ss -ltnp shows which), or choose "
            "another port",
            shown, port);
  else
    err_set(e, ERR_UNAVAILABLE, "bind_failed", "cannot listen on %s:%u: %s", shown, port,
            strerror(error));
  return -1;
}

int socket_listen(const char *host, uint16_t port, uint16_t *bound, struct err *e)
{
  char service[8];
  snprintf(service, sizeof(service), "%u", port);
  struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  int rc = getaddrinfo(host[0] != '\0' ? host : NULL, service, &hints, &list);
  if (rc != 0) {
    err_set(e, ERR_INVALID_ARGUMENT, "bad_address", "cannot listen on %s: %s", host,
            gai_strerror(rc));
    return -1;
  }
  int fd = -1;
  for (struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
    fd = open_one(ai);
  int error = errno;
  freeaddrinfo(list);
  if (fd < 0)
    return fail(e, host, port, error);
  *bound = bound_port(fd);
  return fd;
}
