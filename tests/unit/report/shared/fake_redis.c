/* A stand-in for Redis. */
#include "tests/unit/report/shared/fake_redis.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MAX_SEEN = 8192, SEEN_SIZE = 120 };

struct fake_redis {
  int listener;
  unsigned port;
  atomic_int mode;
  atomic_bool stopping;
  pthread_t thread;
  pthread_mutex_t lock;
  int n_seen; /* guarded by the lock */
  char seen[MAX_SEEN][SEEN_SIZE];
};

static void note(struct fake_redis *f, const redisReply *command)
{
  pthread_mutex_lock(&f->lock);
  if (f->n_seen < MAX_SEEN) {
    char *out = f->seen[f->n_seen++];
    size_t len = 0;
    for (size_t i = 0; i < command->elements && len < SEEN_SIZE - 1; i++)
      len += (size_t)snprintf(out + len, SEEN_SIZE - len, "%s%s", i > 0 ? " " : "",
                              command->element[i]->str);
  }
  pthread_mutex_unlock(&f->lock);
}

/* What a question for a place is answered with. */
static const char *decision(enum fake_mode mode)
{
  switch (mode) {
  case FAKE_FULL:
    return "*3\r\n:1\r\n:0\r\n:0\r\n";
  case FAKE_SERVER_ERRORS:
    return "*3\r\n:2\r\n:4102466400000\r\n:0\r\n";
  case FAKE_NO_TOKENS:
    return "*3\r\n:3\r\n:4102466400000\r\n:0\r\n";
  default:
    return "*3\r\n:0\r\n:0\r\n:0\r\n";
  }
}

/* What a command is answered with: a question for a place has four keys, one for an answer one. */
static const char *answer(struct fake_redis *f, const redisReply *command)
{
  const char *name = command->element[0]->str;
  enum fake_mode mode = (enum fake_mode)atomic_load(&f->mode);
  bool script = strcmp(name, "EVALSHA") == 0;
  bool take = script && strcmp(command->element[2]->str, "4") == 0;
  if (mode == FAKE_SILENT)
    return "";
  if (mode == FAKE_GARBAGE)
    return strcmp(name, "SCRIPT") == 0 ? "+OK\r\n" : "what?\r\n";
  if (mode == FAKE_FORGETFUL && script)
    return "-NOSCRIPT No matching script\r\n";
  if (mode == FAKE_ODD_ANSWERS && script && !take)
    return "*2\r\n$2\r\n\xff\xff\r\n:60000\r\n";
  if (mode == FAKE_SLOW && take)
    usleep(120000);
  return take ? decision(mode) : ":1\r\n";
}

static bool reply_to_all(struct fake_redis *f, int fd, redisReader *reader)
{
  void *command;
  while (redisReaderGetReply(reader, &command) == REDIS_OK && command != NULL) {
    note(f, command);
    const char *text = answer(f, command);
    freeReplyObject(command);
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
      return false;
  }
  return true;
}

static bool readable(const struct fake_redis *f, int fd)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  while (!atomic_load(&f->stopping))
    if (poll(&p, 1, 10) > 0)
      return true;
  return false;
}

static void serve(struct fake_redis *f, int fd)
{
  redisReader *reader = redisReaderCreate();
  char data[4096];
  ssize_t n;
  while (readable(f, fd) && (n = recv(fd, data, sizeof(data), 0)) > 0) {
    redisReaderFeed(reader, data, (size_t)n);
    if (!reply_to_all(f, fd, reader))
      break;
  }
  redisReaderFree(reader);
  close(fd);
}

static void *run(void *arg)
{
  struct fake_redis *f = arg;
  while (readable(f, f->listener)) {
    int fd = accept(f->listener, NULL, NULL);
    if (fd >= 0)
      serve(f, fd);
  }
  return NULL;
}

struct fake_redis *fake_redis_start(enum fake_mode mode)
{
  struct fake_redis *f = xcalloc(1, sizeof(*f));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(at);
  atomic_init(&f->mode, (int)mode);
  pthread_mutex_init(&f->lock, NULL);
  f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(f->listener, (struct sockaddr *)&at, size) != 0 || listen(f->listener, 8) != 0 ||
      getsockname(f->listener, (struct sockaddr *)&at, &size) != 0 ||
      pthread_create(&f->thread, NULL, run, f) != 0)
    abort();
  f->port = ntohs(at.sin_port);
  return f;
}

void fake_redis_stop(struct fake_redis *f)
{
  atomic_store(&f->stopping, true);
  pthread_join(f->thread, NULL);
  close(f->listener);
  pthread_mutex_destroy(&f->lock);
  free(f);
}

unsigned fake_redis_port(const struct fake_redis *f)
{
  return f->port;
}

void fake_redis_set(struct fake_redis *f, enum fake_mode mode)
{
  atomic_store(&f->mode, (int)mode);
}

int fake_redis_saw(struct fake_redis *f, const char *beginning)
{
  int n = 0;
  pthread_mutex_lock(&f->lock);
  for (int i = 0; i < f->n_seen; i++)
    n += strncmp(f->seen[i], beginning, strlen(beginning)) == 0;
  pthread_mutex_unlock(&f->lock);
  return n;
}

bool fake_redis_sees(struct fake_redis *f, const char *beginning, int times)
{
  for (int64_t end = clock_mono_ms() + 5000; clock_mono_ms() < end; usleep(1000))
    if (fake_redis_saw(f, beginning) >= times)
      return true;
  return false;
}
