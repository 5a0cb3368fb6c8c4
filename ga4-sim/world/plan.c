/* Lays out the dealers: which region, owner, make, size and peculiarity each has. */
#include "ga4-sim/world/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/base/prng.h"
#include "ga4-sim/world/plants.h"

/* Dealers with an odd set-up, by index; the rest are ordinary. Documented in
 * docs/internals/ga4-sim.md. */
enum {
  ODD_NO_DIMENSIONS = 4,
  ODD_GENERATE_LEAD_ONLY = 8,
  ODD_FORM_SUBMIT = 9,
  ODD_TRACKING_GAP = 13,
  ODD_HIGH_CARDINALITY = 18,
  ODD_SAMPLED = 21,
  ODD_THRESHOLDED = 22,
};

/* Owners follow the place within a region: eight places make a block of six
 * owners, so every full block holds a policy-sized cohort. */
enum { BLOCK = 8 };

void plan_slug(char *out, size_t size, const char *text)
{
  size_t n = 0;
  for (; *text != '\0' && n + 1 < size; text++) {
    unsigned char c = (unsigned char)*text;
    if (isalnum(c))
      out[n++] = (char)tolower(c);
    else if (n > 0 && out[n - 1] != '-' && c != '\'' && c != '.')
      out[n++] = '-';
  }
  while (n > 0 && out[n - 1] == '-')
    n--;
  out[n] = '\0';
}

void plan_dealers_of(const struct world_params *params, uint32_t *first, uint32_t *end)
{
  bool one = params->part == PLAN_ONE;
  *first = one ? params->one : 0;
  *end = one ? params->one + 1 : params->dealers;
}

static void fill_owner(struct plan_dealer *d, uint32_t region, uint32_t slot)
{
  static const char *const national[] = {"Summit Auto Group", "Keystone Automotive",
                                         "Pioneer Motor Holdings", "Evergreen Auto Partners"};
  static const char *const regional[ATLAS_MAX_REGIONS] = {
      "Pacific Crest Auto Group", "Heartland Auto Group",   "Liberty Auto Group",
      "Magnolia Auto Group",      "High Desert Auto Group", "Granite State Auto Group"};
  uint32_t block = slot / BLOCK, place = slot % BLOCK;
  char suffix[16] = "";
  /* The national group owns 2 + 2 + 1 stores of a block of three regions. */
  if (region < 3 && (place == 0 || (place == 1 && region < 2))) {
    if (block >= ARRAY_LEN(national))
      snprintf(suffix, sizeof(suffix), " %u", block);
    snprintf(d->owner, sizeof(d->owner), "%s%s", national[block % ARRAY_LEN(national)], suffix);
  } else if (place == 2 || place == 3) {
    if (block > 0)
      snprintf(suffix, sizeof(suffix), " %u", block + 1);
    snprintf(d->owner, sizeof(d->owner), "%s%s", regional[region], suffix);
  } else {
    uint32_t round = d->index / (uint32_t)atlas_family_name_count;
    if (round > 0)
      snprintf(suffix, sizeof(suffix), " %u", round + 1);
    snprintf(d->owner, sizeof(d->owner), "%s Family Automotive%s",
             atlas_family_names[d->index % atlas_family_name_count], suffix);
  }
}

static void fill_name(struct plan_dealer *d, uint32_t slot)
{
  static const char *const directions[] = {"",     "North ",    "South ",   "East ",  "West ",
                                           "Bay ", "Downtown ", "Airport ", "Harbor "};
  uint32_t round = slot / (uint32_t)d->region->metro_count;
  uint32_t again = round / (uint32_t)ARRAY_LEN(directions);
  const char *direction = directions[round % ARRAY_LEN(directions)];
  char suffix[16] = "";
  if (again > 0)
    snprintf(suffix, sizeof(suffix), " %u", again + 1);
  if (d->index % 3 == 1)
    snprintf(d->name, sizeof(d->name), "%s%s %s%s", direction, d->metro->city, d->make->name,
             suffix);
  else
    snprintf(d->name, sizeof(d->name), "%s of %s%s%s", d->make->name, direction, d->metro->city,
             suffix);
  char slug[80];
  plan_slug(slug, sizeof(slug), d->name);
  size_t n = 0;
  for (size_t i = 0; slug[i] != '\0'; i++)
    if (slug[i] != '-')
      slug[n++] = slug[i];
  slug[n] = '\0';
  snprintf(d->host, sizeof(d->host), "www.%s.example", slug);
}

static void random_text(struct prng *p, char *out, size_t n)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (size_t i = 0; i < n; i++)
    out[i] = alphabet[prng_below(p, sizeof(alphabet) - 1)];
  out[n] = '\0';
}

static void fill_credentials(struct plan_dealer *d, uint64_t seed, uint32_t region)
{
  /* One OAuth client per region, as if three agencies had set the sites up. */
  struct prng p;
  prng_init(&p, seed, UINT64_C(0x10000) + region);
  char text[48];
  random_text(&p, text, 32);
  for (char *c = text; *c != '\0'; c++)
    *c = (char)tolower((unsigned char)*c);
  snprintf(d->client_id, sizeof(d->client_id), "%u%06u-%s.apps.googleusercontent.com",
           prng_between(&p, 100000, 999999), prng_below(&p, 1000000), text);
  random_text(&p, text, 28);
  snprintf(d->client_secret, sizeof(d->client_secret), "GOCSPX-%s", text);
  prng_init(&p, seed, UINT64_C(0x20000) + d->index);
  random_text(&p, text, 44);
  snprintf(d->refresh_token, sizeof(d->refresh_token), "1//0%s", text);
}

static void fill_ids(struct plan_dealer *d, uint64_t seed)
{
  struct prng p;
  prng_init(&p, seed, UINT64_C(0x30000) + d->index);
  snprintf(d->dealer_id, sizeof(d->dealer_id), "d%02u", (d->index + 1) % 10000);
  /* The last three digits are the index: no two are equal. */
  snprintf(d->account_id, sizeof(d->account_id), "1%05u%03u", prng_below(&p, 100000),
           d->index % 1000);
  snprintf(d->property_id, sizeof(d->property_id), "3%05u%03u", prng_below(&p, 100000),
           d->index % 1000);
}

static void fill_behaviour(struct plan_dealer *d, uint64_t seed)
{
  struct prng p;
  prng_init(&p, seed, UINT64_C(0x40000) + d->index);
  d->base_milli = prng_between(&p, 16000, 38000);
  d->drift_pm = (int32_t)prng_below(&p, 421) - 160;
  d->quality_pm = prng_between(&p, 650, 1450);
  d->service_pm = prng_between(&p, 380, 640);
  d->asc_events = d->index != ODD_GENERATE_LEAD_ONLY;
  d->asc_registered = d->asc_events && d->index != ODD_NO_DIMENSIONS;
  d->generate_lead = !d->asc_events || d->index % 5 == 0;
  d->derivatives = d->asc_events && d->index % 2 == 0;
  d->form_submit_unreliable = d->index == ODD_FORM_SUBMIT;
  d->call_is_key_event = d->index % 3 == 0;
  d->chats = d->asc_events && d->index % 4 == 0;
  d->comm_registered = d->asc_registered && d->chats && d->index % 8 == 0;
  d->tracking_gap = d->index == ODD_TRACKING_GAP;
  d->high_cardinality = d->index == ODD_HIGH_CARDINALITY;
  d->sampled = d->index == ODD_SAMPLED;
  d->thresholded = d->index == ODD_THRESHOLDED;
  d->lead_event = d->asc_events ? NULL : "generate_lead";
}

void plan_dealer_fill(struct plan_dealer *d, const struct world_params *params, uint32_t index)
{
  memset(d, 0, sizeof(*d));
  uint32_t region = index % params->regions, slot = index / params->regions;
  d->index = index;
  d->region = &atlas_regions[region];
  d->metro = &d->region->metros[slot % d->region->metro_count];
  d->make = &atlas_makes[(index * 3 + index / 10) % atlas_make_count];
  fill_ids(d, params->seed);
  fill_owner(d, region, slot);
  fill_name(d, slot);
  fill_credentials(d, params->seed, region);
  fill_behaviour(d, params->seed);
  plan_slug(d->group_tags[0], sizeof(d->group_tags[0]), d->owner);
  char make[48];
  plan_slug(make, sizeof(make), d->make->name);
  snprintf(d->group_tags[1], sizeof(d->group_tags[1]), "make-%s", make);
  plants_dealer(d, params);
}
