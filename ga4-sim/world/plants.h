/* What is planted in a dealer's data on purpose: the signs of suspect data, and in the demo world
 * true differences between dealers. All off in the plain world. */
#ifndef GA4_SIM_PLANTS_H
#define GA4_SIM_PLANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/base/prng.h"
#include "ga4-sim/world/plan.h"
#include "ga4-sim/world/visits.h"

/* Reads "SIGN:dNN" into the parameters, for example bot_wave:d03. */
enum err_code plants_parse(struct world_params *params, const char *text, struct err *e);
/* Names of all signs, separated by commas. */
const char *plants_names(void);
/* Sets a dealer's signs and, in the demo world, its size and its differences. Called last when a
 * dealer is laid out. */
void plants_dealer(struct plan_dealer *d, const struct world_params *params);
/* A number that differs when other things are planted. */
int64_t plants_number(const struct world_params *params);

/* State of one property. Its chances are its own, so that what is planted changes nothing else. */
struct plants {
  const struct plan_dealer *dealer;
  int64_t made_for; /* the world's today when it was first made */
  struct prng prng;
  uint64_t next_bot; /* user ids apart from those of people */
  struct atlas_channel self_referral;
};

void plants_init(struct plants *p, const struct plan_dealer *d, uint64_t seed, int64_t made_for);
/* Whether nothing of a day is recorded (day: since 1970-01-01). */
bool plants_lose_day(const struct plants *p, int64_t day);
/* Changes a visit as planted; false: it is not recorded. */
bool plants_change(struct plants *p, struct visit *v, int64_t day);
/* How many visits of bots a day has, and one of them. */
uint32_t plants_bots(struct plants *p, int64_t day);
void plants_bot(struct plants *p, struct visit *v);

#endif
