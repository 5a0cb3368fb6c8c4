/* Reloading: a new snapshot, then the tokens learn of it. */
#include "auth-svc/config/reload.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

struct reload {
  struct reload_options options;
  pthread_mutex_t one_at_a_time;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  uint64_t generation;
  int64_t loaded_ms;  /* unix time of the configuration in use */
  struct err failure; /* of the last attempt */
  struct metric *reloads, *generation_gauge, *loaded_gauge, *good_gauge;
};

static struct credential *find(void *user, const char *account_id)
{
  return snapshot_token_credential(user, account_id);
}

static void now_in_use(struct reload *r, uint64_t generation)
{
  pthread_mutex_lock(&r->lock);
  r->generation = generation;
  r->loaded_ms = clock_unix_ms();
  r->failure = (struct err){0};
  metric_set(r->generation_gauge, (double)generation, NULL);
  metric_set(r->loaded_gauge, (double)(r->loaded_ms / 1000), NULL);
  metric_set(r->good_gauge, 1, NULL);
  pthread_mutex_unlock(&r->lock);
}

/* The order matters: who finds an account in the old snapshot after the tokens know of the
 * new one looks again and must find the new one. */
static void put_in_place(struct reload *r, struct snapshot *next, uint64_t generation)
{
  struct tokens_changes changes;
  snapshot_stamp(next, generation);
  snapshot_replace(r->options.config, snapshot_ref(next));
  tokens_configure(r->options.tokens, generation, find, next, &changes);
  now_in_use(r, generation);
  metric_add(r->reloads, 1, METRIC_LABELS("ok"));
  log_info("configuration reloaded", LOG_I("generation", generation),
           LOG_I("dealers", next->directory->n_dealers), LOG_I("accounts_dropped", changes.removed),
           LOG_I("credentials_changed", changes.changed),
           LOG_I("seal_keys", sealer_n_keys(next->trust.sealer)),
           LOG_I("jwt_keys", next->trust.jwt_keys->n), LOG_I("policies", next->trust.policies->n));
  snapshot_unref(next);
}

static void keep_old(struct reload *r, const struct err *e)
{
  char time[32];
  pthread_mutex_lock(&r->lock);
  r->failure = *e;
  clock_format_rfc3339(r->loaded_ms, time, sizeof(time));
  metric_set(r->good_gauge, 0, NULL);
  pthread_mutex_unlock(&r->lock);
  metric_add(r->reloads, 1, METRIC_LABELS("failed"));
  log_error("the new configuration is refused and the old one stays", LOG_S("error", e->message),
            LOG_S("in_use_since", time));
}

bool reload_run(struct reload *r)
{
  struct snapshot *next = NULL;
  struct err e = {0};
  pthread_mutex_lock(&r->one_at_a_time);
  bool ok = r->options.load(r->options.user, &next, &e) == ERR_OK;
  if (ok)
    put_in_place(r, next, r->generation + 1);
  else
    keep_old(r, &e);
  pthread_mutex_unlock(&r->one_at_a_time);
  return ok;
}

struct reload *reload_new(const struct reload_options *options)
{
  struct reload *r = xcalloc(1, sizeof(*r));
  struct tokens_changes changes;
  r->options = *options;
  pthread_mutex_init(&r->one_at_a_time, NULL);
  pthread_mutex_init(&r->lock, NULL);
  r->reloads = metrics_counter("auth_config_reloads_total",
                               "Attempts to load a changed configuration.", "result", NULL);
  r->generation_gauge =
      metrics_gauge("auth_config_generation", "Number of the configuration in use, from 1.", NULL);
  r->loaded_gauge = metrics_gauge("auth_config_loaded_timestamp_seconds",
                                  "When the configuration in use was loaded.", NULL);
  r->good_gauge =
      metrics_gauge("auth_config_last_reload_successful",
                    "0: the files were refused and an older configuration is in use.", NULL);
  metric_add(r->reloads, 0, METRIC_LABELS("ok"));
  metric_add(r->reloads, 0, METRIC_LABELS("failed"));
  AUTO_SNAPSHOT struct snapshot *first = snapshot_current(r->options.config);
  snapshot_stamp(first, 1);
  tokens_configure(r->options.tokens, 1, find, first, &changes);
  now_in_use(r, 1);
  return r;
}

void reload_free(struct reload *r)
{
  if (r == NULL)
    return;
  pthread_mutex_destroy(&r->one_at_a_time);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

void reload_describe(struct reload *r, struct buf *detail)
{
  char time[32];
  pthread_mutex_lock(&r->lock);
  clock_format_rfc3339(r->loaded_ms, time, sizeof(time));
  if (r->failure.code == ERR_OK)
    buf_printf(detail, "ok config: number %llu, loaded %s\n", (unsigned long long)r->generation,
               time);
  else
    buf_printf(
        detail,
        "warn config: changed files were refused, the log says why; keeps the configuration of "
        "%s\n",
        time);
  pthread_mutex_unlock(&r->lock);
}

int64_t reload_loaded_at(struct reload *r)
{
  pthread_mutex_lock(&r->lock);
  int64_t at = r->loaded_ms / 1000;
  pthread_mutex_unlock(&r->lock);
  return at;
}

bool reload_failure(struct reload *r, struct err *out)
{
  pthread_mutex_lock(&r->lock);
  *out = r->failure;
  pthread_mutex_unlock(&r->lock);
  return out->code != ERR_OK;
}
