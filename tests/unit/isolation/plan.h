/* The truth of an isolation test: dealers, figures and who may see what, kept apart from the
 * services' own code so that a fault there cannot hide itself. */
#ifndef AMCP_TESTS_ISOLATION_PLAN_H
#define AMCP_TESTS_ISOLATION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum { PLAN_SHOPS = 24, PLAN_REGIONS = 4, PLAN_GROUPS = 4, PLAN_EVENTS = 4, PLAN_CLUBS = 2 };

extern const char *const plan_regions[PLAN_REGIONS];
/* asc_form_submission, generate_lead, form_submit. The fourth is the dealer's own. */
extern const char *const plan_events[PLAN_EVENTS - 1];

enum shop_fault {
  SHOP_WELL,
  SHOP_REVOKED,   /* the token endpoint answers invalid_grant and names the dealer */
  SHOP_FORBIDDEN, /* the Data API answers 403 and names the dealer */
};

/* A dealer. Every text of it holds its mark, "Q07z", and nothing else does. */
struct shop {
  char mark[8];
  char id[24], account[24], name[32], city[32], owner[32], property[24], refresh[40];
  char lead_event[40]; /* "" or one of plan_events or "lead_Q07z" */
  char zone[40];       /* "" when not configured */
  size_t region, group, owner_number;
  enum shop_fault fault;
  int64_t sessions, engaged, events[PLAN_EVENTS];
};

/* A named cohort; its id and label are "club-M00z" and "Club M00z". */
struct club {
  bool members[PLAN_SHOPS];
  bool listed; /* written as a list of dealers, else as the group of its number */
};

struct plan {
  struct shop shops[PLAN_SHOPS];
  size_t n;
  struct club clubs[PLAN_CLUBS];
  size_t n_clubs;
  unsigned serial; /* told apart by property ids */
};

/* Repeatable random numbers; 0 <= result < bound. */
size_t pick(size_t bound);
void pick_seed(uint64_t seed);

/* An empty plan, and one more dealer with figures nobody else has. */
void plan_begin(struct plan *p);
struct shop *plan_add(struct plan *p, size_t region, size_t owner);
/* n dealers drawn at random. */
void plan_draw(struct plan *p, size_t n);
/* dealers.json of the plan; token_uri is Google's. */
void plan_write(const struct plan *p, const char *token_uri, struct buf *out);
/* Sessions of a shop with an inventory page. */
int64_t plan_shoppers(const struct shop *s);
/* Index of the shop a text is marked with ("…Q07z…"); -1 when none. */
int plan_marked(const char *text);

/* ------------------------------------------------------------------------ policy */

enum plan_role { PLAN_ADMIN, PLAN_GROUP, PLAN_DEALER };

/* What a bearer claims. */
struct claimant {
  enum plan_role role;
  bool dealers[PLAN_SHOPS]; /* claimed by id */
  bool regions[PLAN_REGIONS];
  bool groups[PLAN_GROUPS];
  bool any_region; /* the claim `regions` is there */
};

/* What it may see, worked out from the words: admin everything; group the listed
 * dealers, regions and groups; dealer its own, their regions as benchmark. */
struct view {
  bool direct[PLAN_SHOPS];
  bool benchmark[PLAN_REGIONS];
  bool known[PLAN_REGIONS]; /* may be named */
  bool club_benchmark[PLAN_CLUBS], club_known[PLAN_CLUBS];
  size_t n_direct;
};
/* Whether rule 3 leaves a named cohort to callers that do not see all of it. */
bool plan_club_is_benchmark(const struct plan *p, size_t k);
void plan_view(const struct plan *p, const struct claimant *c, struct view *out);

#endif
