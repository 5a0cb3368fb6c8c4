/* ga4-sim: options, world, files, server, run until a signal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/signals.h"
#include "ga4-sim/server.h"
#include "ga4-sim/sim.h"

/* Writes a file only its owner may read, whole or not at all. */
static enum err_code write_private(const char *path, const struct buf *content, struct err *e)
{
  AUTO_FREE char *part = xasprintf("%s.part", path);
  unlink(part);
  int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && !content->failed;
  for (size_t done = 0; ok && done < content->len;) {
    ssize_t n = write(fd, content->data + done, content->len - done);
    ok = n > 0;
    done += ok ? (size_t)n : 0;
  }
  int problem = errno;
  if (fd >= 0 && close(fd) != 0)
    ok = false;
  if (ok && rename(part, path) == 0)
    return ERR_OK;
  unlink(part);
  return err_set(e, ERR_UNAVAILABLE, "write", "cannot write %s: %s", path, strerror(problem));
}

static enum err_code write_files(const struct sim *s, const char *base_url, struct err *e)
{
  enum { FILE_MAX = 4 * 1024 * 1024 };
  enum err_code code = ERR_OK;
  if (s->options->write_dealers != NULL) {
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    world_write_dealers(s->world, base_url, &text);
    code = write_private(s->options->write_dealers, &text, e);
  }
  if (code == ERR_OK && s->options->write_service_account != NULL) {
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    service_account_write(s->service_account, base_url, &text);
    code = write_private(s->options->write_service_account, &text, e);
  }
  return code;
}

static enum err_code serve(struct sim *s, struct err *e)
{
  struct server *server;
  uint16_t port;
  enum err_code code = server_start(&server, s, &port, e);
  if (code != ERR_OK)
    return code;
  const char *host = s->options->host;
  AUTO_FREE char *base_url = strchr(host, ':') != NULL ? xasprintf("http://[%s]:%u", host, port)
                                                       : xasprintf("http://%s:%u", host, port);
  code = write_files(s, base_url, e);
  if (code == ERR_OK) {
    printf("listening on %s\n", base_url);
    fflush(stdout);
    signals_wait(NULL, NULL);
  }
  server_stop(server);
  return code;
}

static enum err_code run(const struct options *o, struct err *e)
{
  struct sim s = {.options = o};
  bool writes = o->write_dealers != NULL || o->write_service_account != NULL;
  if (o->generate_only && writes && o->port == 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "listen",
                   "--generate-only writes files that name the token endpoint: give --listen the "
                   "port it will have, not 0");
  enum err_code code = world_open(&s.world, &o->world, o->fixed_today, o->db, e);
  if (code != ERR_OK)
    return code;
  s.faults = faults_new();
  s.stats = stats_new(s.world->property_count);
  s.quota = quota_new(s.world->property_count);
  tokens_init(&s.tokens, o->world.seed);
  s.service_account = service_account_new(o->world.seed);
  if (s.service_account == NULL) {
    code = err_set(e, ERR_INTERNAL, "key", "OpenSSL could not make a key");
  } else if (o->generate_only) {
    AUTO_FREE char *base_url = xasprintf("http://%s:%u", o->host, o->port);
    code = write_files(&s, base_url, e);
  } else {
    code = serve(&s, e);
  }
  service_account_free(s.service_account);
  quota_free(s.quota);
  stats_free(s.stats);
  faults_free(s.faults);
  world_close(s.world);
  return code;
}

int main(int argc, char **argv)
{
  struct options o;
  struct err e = {0};
  int exit_code;
  if (!options_parse(&o, argc, argv, &exit_code))
    return exit_code;
  signals_init();
  log_init("ga4-sim", LOG_LEVEL_INFO);
  if (run(&o, &e) != ERR_OK) {
    fprintf(stderr, "ga4-sim: %s\n", e.message);
    return EXIT_FAILED;
  }
  return EXIT_OK;
}
