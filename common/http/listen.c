/* Opens listening sockets. */
#include "common/http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket on one address; -1 with errno set. */
static int open_one(const struct addrinfo *a, int backlog)
{
  int on = 1, off = 0;
  int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
  if (fd < 0)
    return -1;
  /* Restart at once after an end; no SO_REUSEPORT, so that a second start fails. */
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (a->ai_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, backlog) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

/* Tries the addresses of a host; for every address first [::], which takes IPv4 too. */
static int open_any(const struct addrinfo *list, bool every_address, int backlog)
{
  int fd = -1;
  for (int pass = every_address ? 0 : 1; fd < 0 && pass < 2; pass++)
    for (const struct addrinfo *a = list; fd < 0 && a != NULL; a = a->ai_next)
      if (pass == 1 || a->ai_family == AF_INET6)
        fd = open_one(a, backlog);
  return fd;
}

static uint16_t port_of(int fd)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } a = {0};
  socklen_t len = sizeof(a);
  if (getsockname(fd, &a.any, &len) != 0)
    return 0;
  return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static enum err_code fail(struct err *e, const struct listen_options *o, int error)
{
  bool brackets = o->host[0] == '\0' || strchr(o->host, ':') != NULL;
  const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
  const char *host = o->host[0] != '\0' ? o->host : "::";
  if (error == EADDRINUSE)
    return err_set(e, ERR_UNAVAILABLE, "address_in_use",
                   "%s%s%s:%u is in use: stop the program that listens there (ss -ltnp shows "
                   "which), or choose another %s",
                   open, host, close, o->port, o->setting);
  return err_set(e, ERR_UNAVAILABLE, "listen_failed", "cannot listen on %s%s%s:%u (%s): %s", open,
                 host, close, o->port, o->setting, strerror(error));
}

enum err_code listen_open(int *fd, uint16_t *bound, const struct listen_options *options,
                          struct err *e)
{
  char service[8];
  snprintf(service, sizeof(service), "%u", options->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  bool every_address = options->host[0] == '\0';
  const char *host = options->host;
  /* RFC 6761, 6.3: asks no resolver, so it also works where no hosts file is; every client of that
   * name tries this address, and some no other. */
  if (strcasecmp(host, "localhost") == 0)
    host = "127.0.0.1";
  int rc = getaddrinfo(every_address ? NULL : host, service, &hints, &list);
  if (rc != 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_address",
                   "%s: the address of \"%s\" cannot be found: %s", options->setting, options->host,
                   gai_strerror(rc));
  *fd = open_any(list, every_address, options->backlog);
  int error = errno;
  freeaddrinfo(list);
  if (*fd < 0)
    return fail(e, options, error);
  *bound = port_of(*fd);
  return ERR_OK;
}
