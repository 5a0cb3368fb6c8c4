/* Puts a new configuration in place of the current one while requests go on.
 *
 * All or nothing: what does not load changes nothing, and log, metric and /readyz say why.
 * Metrics: auth_config_reloads_total{result}, auth_config_generation and
 * auth_config_loaded_timestamp_seconds of the configuration in use. */
#ifndef AMCP_AUTH_RELOAD_H
#define AMCP_AUTH_RELOAD_H

#include "auth-svc/config/snapshot.h"
#include "auth-svc/token/tokens.h"

struct reload;

struct reload_options {
  struct snapshot_slot *config; /* holds the first one, which becomes generation 1 */
  struct tokens *tokens;
  /* Makes a new snapshot from files, complete with what is trusted. */
  enum err_code (*load)(void *user, struct snapshot **out, struct err *e);
  void *user;
};

/* Before the tokens are asked for anything. Everything in the options must outlive it. */
struct reload *reload_new(const struct reload_options *options);
void reload_free(struct reload *r);

/* Loads and replaces. Blocks; thread-safe, one at a time. False when the old configuration
 * stays. */
bool reload_run(struct reload *r);
/* Appends a line for /readyz, which names neither dealer nor file: the log does. */
void reload_describe(struct reload *r, struct buf *detail);
/* When the configuration in use was loaded, seconds since 1970. */
int64_t reload_loaded_at(struct reload *r);
/* Why the last attempt was refused, as the log has it; false when it was not. */
bool reload_failure(struct reload *r, struct err *out);

#endif
