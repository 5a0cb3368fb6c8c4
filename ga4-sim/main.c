/* ga4-sim: options, world, files, server, run until a signal. */
#include <stdio.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/probe.h"
#include "common/base/signals.h"
#include "ga4-sim/base/file.h"
#include "ga4-sim/dealers_file.h"
#include "ga4-sim/server.h"
#include "ga4-sim/sim/sim.h"
#include "ga4-sim/stub/stub.h"

static enum err_code write_key(const struct sim *s, int64_t identity, const char *path,
                               struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(64 * 1024);
  if (!service_account_key_json(s->service_accounts,
                                service_accounts_of(s->service_accounts, identity), s->base_url,
                                &text))
    return err_set(e, ERR_INTERNAL, "key", "OpenSSL could not make a key");
  buf_putc(&text, '\n');
  return file_write_private(path, &text, e);
}

static enum err_code write_keys(const struct sim *s, const char *dir, struct err *e)
{
  enum err_code code = ERR_OK;
  for (size_t i = 0; code == ERR_OK && i < s->world->property_count; i++) {
    AUTO_FREE char *path = xasprintf("%s/%s.json", dir, s->world->properties[i].dealer_id);
    code = write_key(s, (int64_t)i, path, e);
  }
  return code;
}

static enum err_code write_files(struct sim *s, struct err *e)
{
  const struct options *o = s->options;
  enum err_code code = ERR_OK;
  if (o->write_dealers != NULL)
    code = dealers_file_write(s, o->write_dealers, e);
  if (code == ERR_OK && o->write_service_account != NULL)
    code = write_key(s, IDENTITY_SERVICE_ACCOUNT, o->write_service_account, e);
  if (code == ERR_OK && o->write_service_accounts != NULL)
    code = write_keys(s, o->write_service_accounts, e);
  return code;
}

/* Where clients reach us: --public-url, or what we listen on. */
static void set_base_url(struct sim *s, uint16_t port)
{
  const char *host = s->options->host;
  bool v6 = strchr(host, ':') != NULL;
  if (s->options->public_url != NULL)
    snprintf(s->base_url, sizeof(s->base_url), "%s", s->options->public_url);
  else
    snprintf(s->base_url, sizeof(s->base_url), "http://%s%s%s:%u", v6 ? "[" : "", host,
             v6 ? "]" : "", port);
}

static enum err_code serve(struct sim *s, struct err *e)
{
  struct server *server;
  uint16_t port;
  enum err_code code = server_start(&server, s, &port, e);
  if (code != ERR_OK)
    return code;
  set_base_url(s, port);
  code = write_files(s, e);
  if (code == ERR_OK) {
    const char *host = s->options->host;
    bool v6 = strchr(host, ':') != NULL;
    atomic_store(&s->ready, true);
    printf("listening on http://%s%s%s:%u\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
    fflush(stdout);
    signals_wait(NULL, NULL);
  }
  server_stop(server);
  return code;
}

static enum err_code run(const struct options *o, struct err *e)
{
  struct sim s = {.options = o};
  struct world *world = NULL;
  bool writes = o->write_dealers != NULL || o->write_service_account != NULL ||
                o->write_service_accounts != NULL;
  if (o->generate_only && writes && o->port == 0 && o->public_url == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "listen",
                   "--generate-only writes files that name the token endpoint: give --listen the "
                   "port it will have, not 0");
  enum err_code code = world_open(&world, &o->world, o->fixed_today, o->db, e);
  if (code != ERR_OK)
    return code;
  /* Keys stay beside the world: key files written earlier outlive a restart. */
  AUTO_FREE char *keys = o->db == NULL ? NULL : xasprintf("%s.keys.json", o->db);
  code = sim_open(&s, o, world, keys, e);
  if (code == ERR_OK && o->generate_only) {
    set_base_url(&s, o->port);
    code = write_files(&s, e);
  } else if (code == ERR_OK) {
    code = serve(&s, e);
  }
  sim_close(&s);
  world_close(world);
  return code;
}

/* Whether one listens where the options say, and its files are written. */
static int healthcheck(const struct options *o)
{
  char listen[300], address[300];
  struct err e = {0};
  int status = 0;
  bool v6 = strchr(o->host, ':') != NULL;
  snprintf(listen, sizeof(listen), "%s%s%s:%u", v6 ? "[" : "", o->host, v6 ? "]" : "", o->port);
  if (!probe_own_address(listen, address, sizeof(address)) ||
      probe_http(&status, address, "/livez", &e) != ERR_OK || status != 200) {
    fprintf(stderr, "ga4-sim healthcheck: %s\n", e.message[0] != '\0' ? e.message : "not ready");
    return EXIT_FAILED;
  }
  return EXIT_OK;
}

int main(int argc, char **argv)
{
  bool asks = argc > 1 && strcmp(argv[1], "healthcheck") == 0;
  struct options o;
  struct err e = {0};
  int exit_code;
  if (!options_parse(&o, asks ? argc - 1 : argc, asks ? argv + 1 : argv, &exit_code))
    return exit_code;
  if (asks)
    return healthcheck(&o);
  signals_init();
  log_init("ga4-sim", LOG_LEVEL_INFO);
  if ((o.stub ? stub_run(&o, &e) : run(&o, &e)) != ERR_OK) {
    fprintf(stderr, "ga4-sim: %s\n", e.message);
    return EXIT_FAILED;
  }
  return EXIT_OK;
}
