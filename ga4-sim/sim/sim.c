/* Makes and frees the simulator's parts. */
#include "ga4-sim/sim/sim.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

enum err_code sim_open(struct sim *s, const struct options *o, struct world *w, const char *keys,
                       struct err *e)
{
  *s = (struct sim){.options = o, .world = w};
  enum err_code code = keyring_open(&s->keyring, keys, e);
  if (code != ERR_OK)
    return code;
  s->faults = faults_new();
  s->conditions = conditions_new(w->property_count);
  s->stats = stats_new(w->property_count);
  s->quota = quota_new(w->property_count);
  tokens_init(&s->tokens, w->params.seed);
  s->grants = grants_new(w);
  s->consents = consents_new(w);
  s->service_accounts = service_accounts_new(w, s->keyring);
  s->federation = federation_new(w);
  s->issuer = issuer_new();
  s->aws = aws_new(w->params.seed);
  s->jwks = jwks_new(s->keyring);
  return ERR_OK;
}

void sim_close(struct sim *s)
{
  jwks_free(s->jwks);
  aws_free(s->aws);
  issuer_free(s->issuer);
  federation_free(s->federation);
  service_accounts_free(s->service_accounts);
  grants_free(s->grants);
  consents_free(s->consents);
  quota_free(s->quota);
  stats_free(s->stats);
  conditions_free(s->conditions);
  faults_free(s->faults);
  keyring_close(s->keyring);
}

int64_t sim_now_s(struct sim *s)
{
  return clock_unix_ms() / 1000 + atomic_load(&s->clock_offset_s);
}

void sim_wait(struct sim *s, uint32_t ms)
{
  if (ms > 0 && s->delay != NULL)
    delay_wait(s->delay, ms);
}

const char *request_system_parameter(const struct request *q, const char *name)
{
  char dollar[32];
  snprintf(dollar, sizeof(dollar), "$%s", name);
  const char *value = request_query(q, dollar);
  return value != NULL ? value : request_query(q, name);
}

void request_read_style(struct request *q)
{
  const char *alt = request_system_parameter(q, "alt");
  const char *pretty = request_system_parameter(q, "prettyPrint");
  q->enums_as_numbers = alt != NULL && strstr(alt, "enum-encoding=int") != NULL;
  q->compact = pretty != NULL && strcmp(pretty, "false") == 0;
}
