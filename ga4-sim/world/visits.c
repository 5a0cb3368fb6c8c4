/* Simulates visits: channel, visitor, path over the site, events, leads. */
#include "ga4-sim/world/visits.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* Where a visit is heading. */
struct journey {
  bool bounce;
  bool shopper;
  bool service;
  uint32_t vdp_views;
  uint32_t srp_views;
  uint32_t elapsed_s;
};

void visit_context_init(struct visit_context *c, const struct plan_dealer *d,
                        const struct inventory *inv, uint64_t seed)
{
  memset(c, 0, sizeof(*c));
  c->dealer = d;
  c->inventory = inv;
  c->next_user = (uint64_t)d->index * 10000000 + 1;
  prng_init(&c->prng, seed, UINT64_C(0x50000) + d->index);
}

void visit_context_day(struct visit_context *c, uint32_t day)
{
  for (uint32_t i = 0; i < c->inventory->line_count; i++) {
    const struct inventory_line *line = &c->inventory->lines[i];
    int64_t factor = 1000 + (int64_t)line->drift_pm * (int64_t)day / 400;
    int64_t weight = (int64_t)line->weight * 100 * (factor < 100 ? 100 : factor) / 1000;
    c->line_weights[i] = (uint32_t)(weight < 1 ? 1 : weight);
  }
}

bool visit_is_key_event(const struct plan_dealer *d, const char *name)
{
  if (strcmp(name, "asc_form_submission") == 0)
    return d->asc_events;
  if (strcmp(name, "generate_lead") == 0)
    return d->generate_lead;
  if (strcmp(name, "form_submit") == 0)
    return d->form_submit_unreliable;
  if (strcmp(name, "form_start") == 0)
    return (d->signs & SIGN_KEY_EVENTS) != 0;
  return strcmp(name, "asc_click_to_call") == 0 && d->asc_events && d->call_is_key_event;
}

/* Adds firings of an event; equal ones are counted in one row. */
static struct visit_event *fire(struct visit *v, const struct journey *j, const char *name,
                                int32_t page, int32_t vehicle, const char *department)
{
  uint32_t hour = v->hour + j->elapsed_s / 3600;
  if (hour > 23)
    hour = 23; /* a visit stays within its day */
  for (uint32_t i = 0; i < v->event_rows; i++) {
    struct visit_event *e = &v->events[i];
    if (strcmp(e->name, name) == 0 && e->page == page && e->vehicle == vehicle && e->hour == hour &&
        e->department == department) {
      e->count++;
      return e;
    }
  }
  if (v->event_rows == VISIT_MAX_EVENTS)
    return NULL;
  struct visit_event *e = &v->events[v->event_rows++];
  *e = (struct visit_event){.name = name,
                            .hour = hour,
                            .count = 1,
                            .page = page,
                            .vehicle = vehicle,
                            .department = department};
  return e;
}

static void fire_message(struct visit *v, const struct journey *j, const char *name, int32_t page,
                         const char *department, const char *type)
{
  struct visit_event *e = fire(v, j, name, page, -1, department);
  if (e != NULL)
    e->comm_type = type;
}

static void pick_user(struct visit_context *c, struct visit *v)
{
  uint64_t known = c->users_seen < VISIT_RECENT_USERS ? c->users_seen : VISIT_RECENT_USERS;
  v->is_new = known == 0 || prng_chance(&c->prng, 610);
  if (!v->is_new) {
    v->user_id = c->recent[prng_below(&c->prng, (uint32_t)known)];
    return;
  }
  v->user_id = c->next_user++;
  c->recent[c->users_seen++ % VISIT_RECENT_USERS] = v->user_id;
}

/* A visitor's place and device follow from the id: they do not change. */
static void describe_user(const struct plan_dealer *d, struct visit *v)
{
  static const struct {
    const char *device, *browser, *os;
    uint32_t weight;
  } devices[] = {
      {"mobile", "Safari", "iOS", 380},       {"mobile", "Chrome", "Android", 230},
      {"desktop", "Chrome", "Windows", 210},  {"desktop", "Edge", "Windows", 60},
      {"desktop", "Safari", "Macintosh", 75}, {"tablet", "Safari", "iOS", 45},
  };
  struct prng p;
  prng_init(&p, v->user_id, 7);
  uint32_t weights[ARRAY_LEN(devices)];
  for (size_t i = 0; i < ARRAY_LEN(devices); i++)
    weights[i] = devices[i].weight;
  size_t i = prng_weighted(&p, weights, ARRAY_LEN(devices));
  v->device = devices[i].device;
  v->browser = devices[i].browser;
  v->operating_system = devices[i].os;
  v->city = d->metro->city;
  v->state = d->metro->state_name;
  v->country = d->metro->country;
  uint32_t place = prng_below(&p, 1000);
  if (place < 520)
    v->city = d->metro->suburbs[place % ATLAS_SUBURBS];
  else if (place >= 965)
    v->city = v->state = "(not set)";
  else if (place >= 930) {
    v->city = "Ashburn"; /* data centres: not every visitor is a shopper */
    v->state = "Virginia";
    v->country = "United States";
  }
}

static uint32_t pick_hour(struct prng *p)
{
  static const uint32_t weights[24] = {8,  5,  3,  2,  3,  6,  14, 26, 40, 52, 60, 64,
                                       66, 62, 58, 56, 56, 58, 60, 62, 58, 46, 30, 16};
  return (uint32_t)prng_weighted(p, weights, ARRAY_LEN(weights));
}

static int32_t pick_vehicle(struct visit_context *c, uint32_t *line_out)
{
  const struct inventory *inv = c->inventory;
  size_t l = prng_weighted(&c->prng, c->line_weights, inv->line_count);
  const struct inventory_line *line = &inv->lines[l];
  *line_out = (uint32_t)l;
  return (int32_t)(line->first + prng_below(&c->prng, line->count));
}

static void view_page(struct visit *v, const struct journey *j, const struct plan_dealer *d,
                      int32_t page, uint32_t seconds)
{
  v->page_views++;
  struct visit_event *e = fire(v, j, "page_view", page, -1, NULL);
  if (e != NULL)
    e->engagement_s += seconds;
  if (d->asc_events)
    fire(v, j, "asc_pageview", page, -1, NULL);
}

/* Seconds on one page: mostly short, sometimes long. */
static uint32_t dwell(struct prng *p)
{
  return 5 + prng_below(p, 25) + prng_geometric(p, 550, 6) * prng_between(p, 8, 40);
}

static void view_vehicle(struct visit_context *c, struct visit *v, struct journey *j)
{
  const struct plan_dealer *d = c->dealer;
  uint32_t line, seconds = dwell(&c->prng);
  int32_t vehicle = pick_vehicle(c, &line);
  int32_t page = (int32_t)c->inventory->vehicles[vehicle].page;
  view_page(v, j, d, page, d->asc_events ? 0 : seconds);
  if (d->asc_events) {
    struct visit_event *e = fire(v, j, "asc_item_pageview", page, vehicle, NULL);
    if (e != NULL)
      e->engagement_s += seconds;
    if (prng_chance(&c->prng, 120))
      fire(v, j, "asc_media_interaction", page, vehicle, NULL);
    if (prng_chance(&c->prng, 70))
      fire(v, j, "asc_cta_interaction", page, vehicle, "sales");
  }
  j->elapsed_s += seconds;
  j->vdp_views++;
}

static void view_list(struct visit_context *c, struct visit *v, struct journey *j)
{
  const struct plan_dealer *d = c->dealer;
  uint32_t line, seconds = dwell(&c->prng) / 2 + 2;
  pick_vehicle(c, &line);
  int32_t page = prng_chance(&c->prng, 500)   ? (int32_t)c->inventory->lines[line].list_page
                 : prng_chance(&c->prng, 600) ? PAGE_NEW
                                              : PAGE_USED;
  view_page(v, j, d, page, seconds);
  if (d->asc_events)
    fire(v, j, "asc_itemlist_pageview", page, -1, NULL);
  j->elapsed_s += seconds;
  j->srp_views++;
}

static void view_fixed(struct visit_context *c, struct visit *v, struct journey *j, int32_t page)
{
  uint32_t seconds = dwell(&c->prng) / 2 + 1;
  view_page(v, j, c->dealer, page, seconds);
  j->elapsed_s += seconds;
}

static int32_t last_page(const struct visit *v, int32_t *vehicle)
{
  int32_t page = PAGE_HOME;
  *vehicle = -1;
  for (uint32_t i = 0; i < v->event_rows; i++) {
    if (v->events[i].page >= 0)
      page = v->events[i].page;
    if (v->events[i].vehicle >= 0)
      *vehicle = v->events[i].vehicle;
  }
  return page;
}

/* A form sent, as the dealer's tags report it. */
static void submit_form(struct visit_context *c, struct visit *v, struct journey *j,
                        const char *department)
{
  const struct plan_dealer *d = c->dealer;
  int32_t vehicle, page = last_page(v, &vehicle);
  if (strcmp(department, "sales") != 0)
    vehicle = -1;
  j->elapsed_s += prng_between(&c->prng, 15, 90);
  fire(v, j, "form_start", page, -1, NULL);
  if (prng_chance(&c->prng, d->form_submit_unreliable ? 180 : 760))
    fire(v, j, "form_submit", page, -1, NULL);
  if (d->generate_lead)
    fire(v, j, "generate_lead", page, -1, NULL);
  if (!d->asc_events)
    return;
  fire(v, j, "asc_form_engagement", page, vehicle, department);
  fire(v, j, "asc_form_submission", page, vehicle, department);
  if (d->derivatives)
    fire(v, j,
         strcmp(department, "sales") == 0 ? "asc_form_submission_sales"
                                          : "asc_form_submission_service",
         page, vehicle, department);
}

/* Contacts grow with the vehicles viewed, the dealer's quality and the channel. */
static void maybe_contact(struct visit_context *c, struct visit *v, struct journey *j)
{
  const struct plan_dealer *d = c->dealer;
  uint32_t vdp = j->vdp_views > 6 ? 6 : j->vdp_views;
  uint32_t per_100k = j->bounce ? 120 : 700 + vdp * 1050 + (j->service ? 1500 : 0);
  uint64_t chance = (uint64_t)per_100k * d->quality_pm / 1000 * v->channel->lead_pm / 1000;
  if (prng_below(&c->prng, 100000) < chance)
    submit_form(c, v, j, j->service && prng_chance(&c->prng, 850) ? "service" : "sales");
  else if (!j->bounce && prng_chance(&c->prng, 60)) {
    int32_t vehicle, page = last_page(v, &vehicle);
    fire(v, j, "form_start", page, -1, NULL);
    if (d->asc_events)
      fire(v, j, "asc_form_engagement", page, -1, j->service ? "service" : "sales");
  }
  if (d->asc_events && prng_chance(&c->prng, strcmp(v->device, "mobile") == 0 ? 26 : 7)) {
    int32_t vehicle, page = last_page(v, &vehicle);
    fire(v, j, "asc_click_to_call", page, -1, j->service ? "service" : "sales");
  }
}

/* A chat or a text. Its chances are of a stream of their own: the rest of the visit is the same
 * with and without. */
static void maybe_message(struct visit_context *c, struct visit *v, struct journey *j)
{
  static const char *const types[] = {"chat", "sms", NULL};
  static const uint32_t weights[] = {640, 280, 80};
  struct prng p;
  int32_t vehicle, page = last_page(v, &vehicle);
  prng_init(&p, c->prng.state, UINT64_C(0x80000));
  if (!c->dealer->chats || j->bounce || !prng_chance(&p, 30))
    return;
  const char *department = j->service ? "service" : "sales";
  const char *type = types[prng_weighted(&p, weights, ARRAY_LEN(weights))];
  fire_message(v, j, "asc_comm_engagement", page, department, type);
  if (prng_chance(&p, 550))
    fire_message(v, j, "asc_comm_submission", page, department, type);
}

static void first_page(struct visit_context *c, struct visit *v, struct journey *j)
{
  struct prng *p = &c->prng;
  if (prng_chance(p, v->channel->vdp_landing_pm)) {
    j->shopper = true;
    view_vehicle(c, v, j);
  } else if (j->service) {
    view_fixed(c, v, j, prng_chance(p, 600) ? PAGE_SERVICE : PAGE_SCHEDULE);
  } else if (prng_chance(p, 560)) {
    view_fixed(c, v, j, PAGE_HOME);
  } else if (prng_chance(p, 700)) {
    view_list(c, v, j);
  } else {
    static const int32_t others[] = {PAGE_SPECIALS, PAGE_FINANCE, PAGE_TRADE, PAGE_CONTACT,
                                     PAGE_DIRECTIONS};
    view_fixed(c, v, j, others[prng_below(p, ARRAY_LEN(others))]);
  }
}

static void browse(struct visit_context *c, struct visit *v, struct journey *j)
{
  struct prng *p = &c->prng;
  if (j->shopper) {
    uint32_t lists = 1 + prng_geometric(p, 380, 5);
    for (uint32_t i = 0; i < lists; i++) {
      view_list(c, v, j);
      uint32_t units = prng_geometric(p, 460, 5);
      for (uint32_t k = 0; k < units; k++)
        view_vehicle(c, v, j);
    }
    if (prng_chance(p, 140))
      view_fixed(c, v, j, prng_chance(p, 500) ? PAGE_FINANCE : PAGE_TRADE);
    return;
  }
  static const int32_t service_pages[] = {PAGE_SCHEDULE, PAGE_PARTS, PAGE_SERVICE, PAGE_CONTACT};
  static const int32_t other_pages[] = {PAGE_ABOUT, PAGE_DIRECTIONS, PAGE_CONTACT, PAGE_SPECIALS};
  uint32_t pages = 1 + prng_geometric(p, 300, 4);
  for (uint32_t i = 0; i < pages; i++)
    view_fixed(c, v, j,
               j->service ? service_pages[prng_below(p, ARRAY_LEN(service_pages))]
                          : other_pages[prng_below(p, ARRAY_LEN(other_pages))]);
}

static void set_campaign(struct visit_context *c, struct visit *v)
{
  const char *campaign = v->channel->campaign;
  if (strncmp(campaign, "{make}", 6) == 0)
    snprintf(v->campaign, sizeof(v->campaign), "%s%s", c->dealer->make->name, campaign + 6);
  else
    snprintf(v->campaign, sizeof(v->campaign), "%s", campaign);
}

static void set_landing(struct visit_context *c, struct visit *v)
{
  struct prng *p = &c->prng;
  const struct inventory_page *page = &c->inventory->pages[v->events[0].page];
  snprintf(v->landing_page, sizeof(v->landing_page), "%s", page->path);
  v->landing_query[0] = '\0';
  const char *medium = v->channel->medium;
  if (strcmp(medium, "cpc") == 0 || strcmp(medium, "paid_social") == 0 ||
      strcmp(medium, "email") == 0 || strcmp(medium, "display") == 0) {
    char slug[64];
    plan_slug(slug, sizeof(slug), v->campaign);
    snprintf(v->landing_query, sizeof(v->landing_query), "?utm_source=%s&utm_campaign=%s",
             v->channel->source, slug);
  } else if (c->dealer->high_cardinality && prng_chance(p, 700)) {
    /* A search box that writes its state into the address: Google keeps the
     * common pages apart and puts the tail into "(other)". */
    if (prng_chance(p, 450)) {
      snprintf(v->landing_page, sizeof(v->landing_page), "(other)");
    } else {
      snprintf(v->landing_query, sizeof(v->landing_query), "?search=%05x&page=%u",
               prng_below(p, 0xfffff), prng_between(p, 1, 9));
    }
  }
  if (prng_chance(
          p, 8)) /* Google has both: a session without a page view, and one with an empty one */
    snprintf(v->landing_page, sizeof(v->landing_page), "%s",
             v->user_id % 2 == 0 ? "(not set)" : "");
}

static void finish(struct visit_context *c, struct visit *v, struct journey *j)
{
  struct prng *p = &c->prng;
  v->duration_s = j->bounce ? prng_below(p, 10) : j->elapsed_s;
  for (uint32_t i = 0; i < v->event_rows; i++)
    if (j->bounce)
      v->events[i].engagement_s = 0;
  if (!j->bounce || v->duration_s >= 3) {
    struct visit_event *e = fire(v, j, "user_engagement", last_page(v, &(int32_t){0}), -1, NULL);
    if (e != NULL && j->bounce)
      e->engagement_s = v->duration_s;
  }
  for (uint32_t i = 0; i < v->event_rows; i++) {
    v->engagement_s += v->events[i].engagement_s;
    v->event_count += v->events[i].count;
    if (visit_is_key_event(c->dealer, v->events[i].name))
      v->key_events += v->events[i].count;
  }
  /* Google: ten seconds or more, two page views or more, or a key event. */
  v->engaged = v->duration_s >= 10 || v->page_views >= 2 || v->key_events > 0;
}

static uint32_t bounce_pm(const struct plan_dealer *d, const struct atlas_channel *channel)
{
  if (d->stay_pm == 0)
    return channel->bounce_pm;
  uint32_t stay = (1000 - channel->bounce_pm) * d->stay_pm / 1000;
  return stay > 1000 ? 0 : 1000 - stay;
}

void visit_make(struct visit_context *c, struct visit *v, uint32_t day_of_week)
{
  struct prng *p = &c->prng;
  struct journey j = {0};
  memset(v, 0, offsetof(struct visit, events));
  v->event_rows = 0;
  uint32_t weights[64];
  for (size_t i = 0; i < atlas_channel_count; i++)
    weights[i] = atlas_channels[i].weight;
  v->channel = &atlas_channels[prng_weighted(p, weights, atlas_channel_count)];
  v->hour = pick_hour(p);
  pick_user(c, v);
  describe_user(c->dealer, v);
  set_campaign(c, v);
  j.bounce = prng_chance(p, bounce_pm(c->dealer, v->channel));
  j.shopper = prng_chance(p, v->channel->shopper_pm);
  /* Service visits are a working-day affair. */
  uint32_t service_pm = day_of_week == 0 ? c->dealer->service_pm / 3 : c->dealer->service_pm;
  j.service = !j.shopper && prng_chance(p, service_pm);
  first_page(c, v, &j);
  set_landing(c, v);
  fire(v, &j, "session_start", v->events[0].page, -1, NULL);
  if (v->is_new)
    fire(v, &j, "first_visit", v->events[0].page, -1, NULL);
  if (!j.bounce)
    browse(c, v, &j);
  if (!j.bounce && prng_chance(p, 420))
    fire(v, &j, "scroll", v->events[0].page, -1, NULL);
  maybe_contact(c, v, &j);
  maybe_message(c, v, &j);
  finish(c, v, &j);
}
