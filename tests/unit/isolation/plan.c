/* Draws worlds and works out who may see what. */
#include "tests/unit/isolation/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const plan_regions[PLAN_REGIONS] = {"Westmark", "Eastvale", "Northern", "Southby"};
const char *const plan_events[PLAN_EVENTS - 1] = {"asc_form_submission", "generate_lead",
                                                  "form_submit"};

static uint64_t state = 20261122;

void pick_seed(uint64_t seed)
{
  state = seed;
}

size_t pick(size_t bound)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (size_t)(state % bound);
}

void plan_begin(struct plan *p)
{
  static unsigned serial;
  *p = (struct plan){.serial = ++serial};
}

/* Distinct modulo 100 from every other dealer's numbers, and too large to occur by chance. */
static int64_t number(size_t shop, size_t low, size_t span)
{
  return (int64_t)((low + pick(span)) * 100 + shop);
}

struct shop *plan_add(struct plan *p, size_t region, size_t owner)
{
  size_t i = p->n++;
  struct shop *s = &p->shops[i];
  *s = (struct shop){.region = region, .group = pick(PLAN_GROUPS), .owner_number = owner};
  snprintf(s->mark, sizeof(s->mark), "Q%02zuz", i);
  snprintf(s->id, sizeof(s->id), "shop-Q%02zuz", i);
  snprintf(s->account, sizeof(s->account), "acct-Q%02zuz", i);
  snprintf(s->name, sizeof(s->name), "Name Q%02zuz", i);
  snprintf(s->city, sizeof(s->city), "Town Q%02zuz", i);
  snprintf(s->owner, sizeof(s->owner), "Owner W%02zuz", owner);
  snprintf(s->property, sizeof(s->property), "%u", 1000000000u + p->serial * 100u + (unsigned)i);
  snprintf(s->refresh, sizeof(s->refresh), "1//refresh-Q%02zuz", i);
  s->sessions = number(i, 400000, 400000);
  s->engaged = number(i, 200000, 200000);
  for (size_t e = 0; e < PLAN_EVENTS; e++)
    s->events[e] = number(i, 10000, 9000);
  return s;
}

static void draw_lead_event(struct shop *s)
{
  size_t kind = pick(4);
  if (kind == 1)
    snprintf(s->lead_event, sizeof(s->lead_event), "%s", plan_events[pick(PLAN_EVENTS - 1)]);
  else if (kind == 2)
    snprintf(s->lead_event, sizeof(s->lead_event), "lead_%s", s->mark);
  for (size_t e = 0; e < PLAN_EVENTS; e++)
    if (pick(3) == 0)
      s->events[e] = 0;
}

static void draw_fault(const struct plan *p, struct shop *s)
{
  size_t kind = pick(16);
  s->fault = kind == 0 ? SHOP_REVOKED : kind == 1 ? SHOP_FORBIDDEN : SHOP_WELL;
  if (s->fault == SHOP_REVOKED) /* its own, or a later world would inherit the revocation */
    snprintf(s->refresh, sizeof(s->refresh), "1//revoked-%s-%u", s->mark, p->serial);
  if (pick(12) == 0) /* dominates */
    s->sessions *= 20, s->engaged *= 20;
  if (pick(20) == 0)
    s->sessions = s->engaged = 0;
}

/* Dealers anywhere, or a group's. The loader may find that two isolate dealers. */
static void draw_clubs(struct plan *p)
{
  p->n_clubs = pick(PLAN_CLUBS + 1);
  for (size_t k = 0; k < p->n_clubs; k++) {
    struct club *c = &p->clubs[k];
    size_t any = 0, share = 1 + pick(4);
    c->listed = pick(3) != 0;
    for (size_t i = 0; i < p->n; i++) {
      c->members[i] = c->listed ? pick(share) == 0 : p->shops[i].group == k;
      any += c->members[i];
    }
    if (any == 0)
      c->members[0] = c->listed = true;
  }
}

void plan_draw(struct plan *p, size_t n)
{
  plan_begin(p);
  size_t regions = 1 + pick(1 + pick(PLAN_REGIONS)), owners = 1 + (n > 8 ? n / 2 : 0) + pick(n);
  for (size_t i = 0; i < n; i++) {
    struct shop *s = plan_add(p, pick(regions), pick(owners < PLAN_SHOPS ? owners : PLAN_SHOPS));
    draw_lead_event(s);
    draw_fault(p, s);
    if (pick(4) == 0)
      snprintf(s->zone, sizeof(s->zone), "America/Denver");
  }
  draw_clubs(p);
}

static void write_shop(const struct shop *s, const char *token_uri, struct buf *out)
{
  buf_printf(
      out,
      "{\"dealer_id\":\"%s\",\"account_id\":\"%s\",\"name\":\"%s\",\"region\":\"%s\","
      "\"city\":\"%s\",\"owner\":\"%s\",\"groups\":[\"Group G%zuz\"],\"properties\":[\"%s\"]",
      s->id, s->account, s->name, plan_regions[s->region], s->city, s->owner, s->group,
      s->property);
  if (s->lead_event[0] != '\0')
    buf_printf(out, ",\"lead_event\":\"%s\"", s->lead_event);
  if (s->zone[0] != '\0')
    buf_printf(out, ",\"time_zone\":\"%s\"", s->zone);
  buf_printf(out,
             ",\"oauth\":{\"client_id\":\"client-%s\",\"client_secret\":\"secret-%s\","
             "\"refresh_token\":\"%s\",\"token_uri\":\"%s\"}}",
             s->mark, s->mark, s->refresh, token_uri);
}

static void write_club(const struct plan *p, size_t k, struct buf *out)
{
  const struct club *c = &p->clubs[k];
  const char *comma = "";
  buf_printf(out, "{\"id\":\"club-m%02zuz\",\"label\":\"Club M%02zuz\",", k, k);
  if (!c->listed) {
    buf_printf(out, "\"version\":3,\"group\":\"Group G%zuz\"}", k);
    return;
  }
  buf_puts(out, "\"dealers\":[");
  for (size_t i = 0; i < p->n; i++)
    if (c->members[i]) {
      buf_printf(out, "%s\"%s\"", comma, p->shops[i].id);
      comma = ",";
    }
  buf_puts(out, "]}");
}

void plan_write(const struct plan *p, const char *token_uri, struct buf *out)
{
  buf_puts(out, "{\"dealers\":[\n");
  for (size_t i = 0; i < p->n; i++) {
    buf_puts(out, i > 0 ? ",\n" : "");
    write_shop(&p->shops[i], token_uri, out);
  }
  buf_puts(out, "],\"cohorts\":[");
  for (size_t k = 0; k < p->n_clubs; k++) {
    buf_puts(out, k > 0 ? ",\n" : "");
    write_club(p, k, out);
  }
  buf_puts(out, "]}");
}

int plan_marked(const char *text)
{
  for (const char *q = text; (q = strchr(q, 'Q')) != NULL; q++)
    if (q[1] >= '0' && q[1] <= '9' && q[2] >= '0' && q[2] <= '9' && q[3] == 'z')
      return (q[1] - '0') * 10 + (q[2] - '0');
  return -1;
}

/* ------------------------------------------------------------------------ policy */

static bool sees(const struct claimant *c, const struct shop *s, size_t i)
{
  switch (c->role) {
  case PLAN_ADMIN:
    return true;
  case PLAN_GROUP:
    return c->dealers[i] || c->regions[s->region] || c->groups[s->group];
  case PLAN_DEALER:
  default:
    return c->dealers[i];
  }
}

/* ------------------------------------------------- rule 3 of facts/domain.md §4.3 */

struct set {
  bool has[PLAN_SHOPS];
};

static size_t size_of(const struct plan *p, const struct set *s)
{
  size_t n = 0;
  for (size_t i = 0; i < p->n; i++)
    n += s->has[i];
  return n;
}

static bool is_crowd(const struct plan *p, const struct set *s)
{
  bool owner[PLAN_SHOPS] = {false};
  size_t owners = 0;
  for (size_t i = 0; i < p->n; i++)
    if (s->has[i] && !owner[p->shops[i].owner_number]) {
      owner[p->shops[i].owner_number] = true;
      owners++;
    }
  return size_of(p, s) >= 5 && owners >= 3;
}

static bool released(const struct plan *p, const struct set *s)
{
  return size_of(p, s) >= 6 && is_crowd(p, s);
}

/* Whether they overlap and one without the other leaves too few. */
static bool isolate(const struct plan *p, const struct set *a, const struct set *b)
{
  struct set rest = {{false}};
  for (size_t i = 0; i < p->n; i++)
    rest.has[i] = a->has[i] && !b->has[i];
  size_t n = size_of(p, &rest);
  return n > 0 && n < size_of(p, a) && !is_crowd(p, &rest);
}

static struct set club_set(const struct plan *p, size_t k)
{
  struct set s = {{false}};
  memcpy(s.has, p->clubs[k].members, sizeof(s.has));
  return s;
}

/* With AUTH_COHORT_RULES=warn: an earlier club, then the regions, push a later one out. */
static bool passes_pairs(const struct plan *p, size_t k)
{
  struct set own = club_set(p, k);
  bool good = released(p, &own);
  for (size_t r = 0; r < PLAN_REGIONS; r++) {
    struct set region = {{false}};
    for (size_t i = 0; i < p->n; i++)
      region.has[i] = p->shops[i].region == r;
    if (released(p, &region) && (isolate(p, &own, &region) || isolate(p, &region, &own)))
      good = false;
  }
  for (size_t e = 0; e < k; e++) {
    struct set earlier = club_set(p, e);
    if (released(p, &earlier) && (isolate(p, &own, &earlier) || isolate(p, &earlier, &own)))
      good = good && !passes_pairs(p, e);
  }
  return good;
}

/* Whether a sum of some of the sets, each added, left out or subtracted, leaves too few. */
static bool sums_isolate(const struct plan *p, const struct set *sets, size_t n)
{
  size_t ways = 1;
  for (size_t i = 0; i < n; i++)
    ways *= 3;
  for (size_t way = 1; way < ways; way++) {
    int sum[PLAN_SHOPS] = {0};
    struct set left = {{false}};
    for (size_t i = 0, x = way; i < n; i++, x /= 3)
      for (size_t k = 0; k < p->n; k++)
        sum[k] += sets[i].has[k] ? (int)(x % 3) - 1 : 0;
    for (size_t k = 0; k < p->n; k++)
      left.has[k] = sum[k] != 0;
    if (size_of(p, &left) > 0 && !is_crowd(p, &left))
      return true;
  }
  return false;
}

/* Besides the pairs: no combination of the regions and the clubs before it. */
bool plan_club_is_benchmark(const struct plan *p, size_t k)
{
  struct set sets[PLAN_REGIONS + PLAN_CLUBS];
  size_t n = 0;
  for (size_t r = 0; r < PLAN_REGIONS; r++) {
    sets[n] = (struct set){{false}};
    for (size_t i = 0; i < p->n; i++)
      sets[n].has[i] = p->shops[i].region == r;
    n += released(p, &sets[n]);
  }
  bool good = false;
  for (size_t e = 0; e <= k; e++) {
    sets[n] = club_set(p, e);
    good = passes_pairs(p, e) && !sums_isolate(p, sets, n + 1);
    n += good;
  }
  return good;
}

void plan_view(const struct plan *p, const struct claimant *c, struct view *out)
{
  *out = (struct view){.n_direct = 0};
  for (size_t i = 0; i < p->n; i++) {
    size_t region = p->shops[i].region;
    if (!sees(c, &p->shops[i], i))
      continue;
    out->direct[i] = true;
    out->n_direct++;
    out->known[region] = true;
    if (c->role != PLAN_ADMIN && (c->role == PLAN_GROUP || !c->any_region || c->regions[region]))
      out->benchmark[region] = true;
    for (size_t k = 0; k < p->n_clubs; k++)
      if (p->clubs[k].members[i]) {
        out->club_known[k] = true;
        out->club_benchmark[k] =
            c->role == PLAN_GROUP || (c->role == PLAN_DEALER && !c->any_region);
      }
  }
  for (size_t k = 0; k < p->n_clubs; k++)
    out->club_benchmark[k] = out->club_benchmark[k] && plan_club_is_benchmark(p, k);
}

int64_t plan_shoppers(const struct shop *s)
{
  return s->sessions - s->sessions / 3;
}
