/* Bot waves, gaps, late starts, duplicate leads, extra key events, consent shifts, self-referrals,
 * and the true differences of the demo world. */
#include "ga4-sim/world/plants.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* A wave and a gap come once in every 28 days, so that each period of four weeks holds one. */
enum {
  CYCLE_DAYS = 28,
  GAP_FIRST = 4,
  WAVE_FIRST = 16,
  WAVE_DAYS = 3,
  LATE_START_AGO = 22,
  CONSENT_AGO = 21,
  DUPLICATES_PM = 600,   /* lead events by lead sessions: 1.6 */
  SELF_REFERRAL_PM = 80, /* of all sessions */
  CONSENT_ENGAGED_PM = 90, /* lost of the engaged sessions, which have the leads, */
  CONSENT_REST_PM = 590    /* and of the others: -30 % sessions, +30 % rates */
};

static const struct {
  const char *name;
  enum plan_sign sign;
} signs[] = {
    {"bot_wave", SIGN_BOT_WAVE},           {"gap", SIGN_GAP},
    {"late_start", SIGN_LATE_START},       {"duplicates", SIGN_DUPLICATES},
    {"key_events", SIGN_KEY_EVENTS},       {"consent_shift", SIGN_CONSENT_SHIFT},
    {"self_referral", SIGN_SELF_REFERRAL},
};

/* What is true in the demo world, by dealer index; docs/internals/ga4-sim.md lists it. */
static const struct {
  uint32_t index, quality_pm, stay_pm;
  int32_t drift_pm;
  unsigned signs;
} demo[] = {
    {1, 1500, 1000, 0, 0},              /* d02: leads x1.5 */
    {2, 2000, 1000, 0, 0},              /* d03: leads x2 */
    {3, 600, 1000, 0, 0},               /* d04: leads x0.6 */
    {6, 1000, 1100, 0, 0},              /* d07: engagement +10 % */
    {7, 1000, 900, 0, 0},               /* d08: engagement -10 % */
    {10, 1000, 1000, -700, 0},          /* d11: falling */
    {11, 1000, 1000, 1800, 0},          /* d12: rising */
    {12, 1000, 1000, 0, SIGN_BOT_WAVE}, /* d13 */
    {13, 1000, 1000, 0, SIGN_GAP},      /* d14 */
};

const char *plants_names(void)
{
  return "bot_wave, gap, late_start, duplicates, key_events, consent_shift, self_referral";
}

enum err_code plants_parse(struct world_params *params, const char *text, struct err *e)
{
  const char *colon = strchr(text, ':');
  size_t n = colon == NULL ? 0 : (size_t)(colon - text);
  char *end = NULL;
  unsigned long dealer = colon == NULL || colon[1] != 'd' ? 0 : strtoul(colon + 2, &end, 10);
  struct plan_plant *out = &params->plants[params->plant_count];
  out->sign = 0;
  for (size_t i = 0; n > 0 && i < ARRAY_LEN(signs); i++)
    if (strlen(signs[i].name) == n && strncmp(signs[i].name, text, n) == 0)
      out->sign = signs[i].sign;
  if (out->sign == 0 || dealer < 1 || dealer > PLAN_MAX_DEALERS || *end != '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, "plant",
                   "expected SIGN:DEALER, for example bot_wave:d03; SIGN is one of %s",
                   plants_names());
  if (params->plant_count + 1 >= PLAN_MAX_PLANTS)
    return err_set(e, ERR_INVALID_ARGUMENT, "plant", "at most %d signs can be planted",
                   PLAN_MAX_PLANTS - 1);
  out->index = (uint32_t)dealer - 1;
  params->plant_count++;
  return ERR_OK;
}

int64_t plants_number(const struct world_params *params)
{
  uint64_t h = params->demo ? prng_hash(1) : 0;
  for (uint32_t i = 0; i < params->plant_count; i++)
    h = prng_hash(h * 31 + params->plants[i].index * 1000 + params->plants[i].sign);
  return (int64_t)(h >> 1);
}

/* 1,000 to 5,000 sessions in 28 days; all alike but for what is listed above. */
static void lay_out_demo(struct plan_dealer *d, uint64_t seed)
{
  struct prng p;
  prng_init(&p, seed, UINT64_C(0x80000) + d->index);
  uint32_t size = prng_between(&p, 0, 999);
  /* More small dealers than large ones; 40 a day are above 1,000 in 28 days in every season. */
  d->base_milli = 40000 + (uint32_t)((uint64_t)size * size * 100000 / 1000000);
  d->drift_pm = 0;
  d->quality_pm = 1000;
  d->service_pm = 500;
  d->tracking_gap = false;
  for (size_t i = 0; i < ARRAY_LEN(demo); i++)
    if (demo[i].index == d->index) {
      d->quality_pm = demo[i].quality_pm;
      d->stay_pm = demo[i].stay_pm;
      d->drift_pm = demo[i].drift_pm;
      d->signs |= demo[i].signs;
      /* What is true is to be seen: more than 2,000 sessions in 28 days. */
      if (d->base_milli < 85000)
        d->base_milli = 85000;
    }
}

void plants_dealer(struct plan_dealer *d, const struct world_params *params)
{
  if (params->demo)
    lay_out_demo(d, params->seed);
  for (uint32_t i = 0; i < params->plant_count; i++)
    if (params->plants[i].index == d->index)
      d->signs |= params->plants[i].sign;
}

void plants_init(struct plants *p, const struct plan_dealer *d, uint64_t seed, int64_t made_for)
{
  *p = (struct plants){
      .dealer = d, .made_for = made_for, .next_bot = (uint64_t)d->index * 10000000 + 5000001};
  prng_init(&p->prng, seed, UINT64_C(0x70000) + d->index);
  p->self_referral = (struct atlas_channel){
      .channel = "Referral", .source = d->host, .medium = "referral", .campaign = "(referral)"};
}

static bool in_cycle(int64_t day, int64_t first)
{
  int64_t at = day % CYCLE_DAYS;
  return at >= first && at < first + WAVE_DAYS;
}

bool plants_lose_day(const struct plants *p, int64_t day)
{
  unsigned s = p->dealer->signs;
  return ((s & SIGN_GAP) && in_cycle(day, GAP_FIRST)) ||
         ((s & SIGN_LATE_START) && day < p->made_for - LATE_START_AGO);
}

static bool is_lead(const char *name)
{
  return strcmp(name, "asc_form_submission") == 0 || strcmp(name, "generate_lead") == 0 ||
         strcmp(name, "form_submit") == 0;
}

/* A thank-you page that is loaded again: the lead event comes a second time. */
static void duplicate_leads(struct plants *p, struct visit *v)
{
  bool twice = prng_chance(&p->prng, DUPLICATES_PM);
  for (uint32_t i = 0; twice && i < v->event_rows; i++) {
    struct visit_event *ev = &v->events[i];
    if (!is_lead(ev->name))
      continue;
    v->event_count += ev->count;
    if (visit_is_key_event(p->dealer, ev->name))
      v->key_events += ev->count;
    ev->count *= 2;
  }
}

bool plants_change(struct plants *p, struct visit *v, int64_t day)
{
  unsigned s = p->dealer->signs;
  if (s == 0)
    return true;
  if ((s & SIGN_CONSENT_SHIFT) && day >= p->made_for - CONSENT_AGO &&
      prng_chance(&p->prng, v->engaged ? CONSENT_ENGAGED_PM : CONSENT_REST_PM))
    return false;
  if (s & SIGN_DUPLICATES)
    duplicate_leads(p, v);
  if ((s & SIGN_SELF_REFERRAL) && prng_chance(&p->prng, SELF_REFERRAL_PM)) {
    v->channel = &p->self_referral;
    snprintf(v->campaign, sizeof(v->campaign), "%s", p->self_referral.campaign);
    v->landing_query[0] = '\0';
  }
  return true;
}

/* A fifth of the sessions of 28 days, in three of them. */
uint32_t plants_bots(struct plants *p, int64_t day)
{
  if (!(p->dealer->signs & SIGN_BOT_WAVE) || !in_cycle(day, WAVE_FIRST))
    return 0;
  return (uint32_t)((uint64_t)p->dealer->base_milli * CYCLE_DAYS / 4 / WAVE_DAYS / 1000);
}

void plants_bot(struct plants *p, struct visit *v)
{
  static const struct atlas_channel direct = {
      .channel = "Direct", .source = "(direct)", .medium = "(none)", .campaign = "(direct)"};
  static const char *const names[] = {"page_view", "session_start", "first_visit"};
  memset(v, 0, offsetof(struct visit, events));
  v->hour = prng_below(&p->prng, 24);
  v->user_id = p->next_bot++;
  v->is_new = true;
  v->page_views = 1;
  v->event_count = ARRAY_LEN(names);
  v->channel = &direct;
  snprintf(v->campaign, sizeof(v->campaign), "%s", direct.campaign);
  snprintf(v->landing_page, sizeof(v->landing_page), "/");
  v->device = "desktop";
  v->browser = "Chrome";
  v->operating_system = "Windows";
  v->city = prng_chance(&p->prng, 800) ? "Lanzhou" : "Singapore";
  v->state = v->city[0] == 'L' ? "Gansu" : "(not set)";
  v->country = v->city[0] == 'L' ? "China" : "Singapore";
  v->event_rows = ARRAY_LEN(names);
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    v->events[i] = (struct visit_event){
        .name = names[i], .hour = v->hour, .count = 1, .page = 0, .vehicle = -1};
}
