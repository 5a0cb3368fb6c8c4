/* The first commands of a connection to Redis. */
#include "report-svc/shared/greet.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { READ_SIZE = 4096, MAX_WORD = 60, POLL_MS = 10 };

struct greeting {
  struct wire *wire;
  redisReader *reader;
  int64_t deadline_ms;
};

int redis_error_word(const char *error)
{
  size_t len = strcspn(error, " \r\n");
  return len > MAX_WORD ? MAX_WORD : (int)len;
}

static bool send_all(struct greeting *g, const char *data, size_t len)
{
  while (len > 0 && clock_mono_ms() <= g->deadline_ms) {
    ssize_t n = wire_write(g->wire, data, len);
    if (n < 0)
      return false;
    if (n == 0)
      wire_wait(g->wire, true, -1, POLL_MS);
    data += n;
    len -= (size_t)n;
  }
  return len == 0;
}

/* NULL: none came. */
static redisReply *receive(struct greeting *g)
{
  char data[READ_SIZE];
  void *reply = NULL;
  while (reply == NULL && clock_mono_ms() <= g->deadline_ms) {
    wire_wait(g->wire, false, -1, POLL_MS);
    ssize_t n = wire_read(g->wire, data, sizeof(data));
    if (n < 0 || (n > 0 && (redisReaderFeed(g->reader, data, (size_t)n) != REDIS_OK ||
                            redisReaderGetReply(g->reader, &reply) != REDIS_OK)))
      break;
  }
  return reply;
}

static enum err_code say(struct greeting *g, const char *what, int argc, const char **argv,
                         struct err *e)
{
  char *command = NULL;
  int len = (int)redisFormatCommandArgv(&command, argc, argv, NULL);
  redisReply *reply = len > 0 && send_all(g, command, (size_t)len) ? receive(g) : NULL;
  if (len > 0)
    mem_wipe(command, (size_t)len); /* a password */
  redisFreeCommand(command);
  bool refused = reply != NULL && reply->type == REDIS_REPLY_ERROR;
  if (refused)
    err_set(e, ERR_UNAVAILABLE, "redis", "%s: %.*s", what, redis_error_word(reply->str),
            reply->str);
  else if (reply == NULL)
    err_set(e, ERR_UNAVAILABLE, "redis", "%s: no answer", what);
  bool ok = reply != NULL && !refused;
  if (reply != NULL)
    freeReplyObject(reply);
  return ok ? ERR_OK : e->code;
}

static enum err_code sign_in(struct greeting *g, const struct redis_url *u, struct err *e)
{
  if (u->password == NULL)
    return ERR_OK;
  if (u->user == NULL)
    return say(g, "signing in", 2, (const char *[]){"AUTH", u->password}, e);
  return say(g, "signing in", 3, (const char *[]){"AUTH", u->user, u->password}, e);
}

static enum err_code select_database(struct greeting *g, uint32_t database, struct err *e)
{
  char text[16];
  snprintf(text, sizeof(text), "%u", database);
  return database == 0 ? ERR_OK
                       : say(g, "selecting the database", 2, (const char *[]){"SELECT", text}, e);
}

enum err_code redis_greet(struct wire *wire, struct redisReader *reader,
                          const struct link_options *options, int64_t deadline_ms, struct err *e)
{
  struct greeting g = {wire, reader, deadline_ms};
  if (sign_in(&g, &options->url, e) != ERR_OK ||
      select_database(&g, options->url.database, e) != ERR_OK)
    return e->code;
  for (size_t i = 0; i < options->n_scripts; i++) {
    const char *argv[3] = {"SCRIPT", "LOAD", options->scripts[i]};
    if (say(&g, "loading a script", 3, argv, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}
