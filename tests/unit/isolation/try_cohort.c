/* Questions over several dealers, and the cohorts auth-svc makes of them. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/isolation/try_parts.h"

typedef Analytics__Auth__V1__ResolveCohortResponse Cohort;

static void add_region(const struct attempt *a, struct question *q, size_t region)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (a->stage->plan.shops[i].region == region &&
        (a->view.direct[i] || a->view.benchmark[region]))
      q->members[i] = true;
}

static void add_club(const struct attempt *a, struct question *q, size_t k)
{
  for (size_t i = 0; i < a->stage->plan.n; i++)
    if (a->stage->plan.clubs[k].members[i] && (a->view.direct[i] || a->view.club_benchmark[k]))
      q->members[i] = true;
}

static size_t region_index(const char *name)
{
  size_t i = 0;
  while (i < PLAN_REGIONS && strcmp(plan_regions[i], name) != 0)
    i++;
  return i;
}

static int only_dealer(const struct attempt *a)
{
  int only = -1;
  for (size_t i = 0; i < a->stage->plan.n && a->view.n_direct == 1; i++)
    if (a->view.direct[i])
      only = (int)i;
  return only;
}

/* Whether the text names the shop it was drawn for: by its id, property, account or name. */
static bool names_its_own(const struct attempt *a, const struct named *n)
{
  if (!may_read(a, n->shop))
    return false;
  const struct shop *s = &a->stage->plan.shops[n->shop];
  return n->kind != 1 || strcmp(n->text, s->property) == 0;
}

/* Who is compared, by the words of the .proto. */
static void answerable(const struct attempt *a, struct question *q)
{
  int subject = q->with_subject ? q->subject.shop : -1;
  q->valid = (q->n_ids > 0) + (q->region[0] != '\0') + (q->club[0] != '\0') <= 1;
  if (q->with_subject)
    q->valid = q->valid && names_its_own(a, &q->subject);
  else if (q->n_ids == 0 && q->region[0] == '\0' && q->club[0] == '\0')
    q->valid = q->valid && (subject = only_dealer(a)) >= 0;
  for (size_t i = 0; i < q->n_ids; i++) {
    q->valid = q->valid && names_its_own(a, &q->ids[i]);
    if (q->ids[i].shop >= 0)
      q->members[q->ids[i].shop] = true;
  }
  if (q->region[0] != '\0') {
    q->valid = q->valid && a->view.known[region_index(q->region)];
    add_region(a, q, region_index(q->region));
  } else if (q->club[0] != '\0') {
    q->valid =
        q->valid && q->club_index < a->stage->plan.n_clubs && a->view.club_known[q->club_index];
    add_club(a, q, q->club_index < PLAN_CLUBS ? q->club_index : 0);
  } else if (q->n_ids == 0 && subject >= 0) {
    add_region(a, q, a->stage->plan.shops[subject].region);
  }
  if (subject >= 0)
    q->members[subject] = true;
}

void draw_question(const struct attempt *a, struct question *q)
{
  *q = (struct question){.region = ""};
  size_t form = pick(10);
  if (form < 3)
    q->region = plan_regions[pick(PLAN_REGIONS)];
  if (form == 2 || form == 3)
    q->n_ids = 1 + pick(3);
  for (size_t i = 0; i < q->n_ids; i++) {
    q->ids[i] = name_dealer(a, pick(8) == 0 ? 2 : 0);
    q->id_texts[i] = q->ids[i].text;
  }
  q->club_index = pick(PLAN_CLUBS);
  if (form == 5 || form == 6)
    snprintf(q->club, sizeof(q->club), "club-m%02zuz", q->club_index);
  q->with_subject = form != 4 && pick(4) != 0;
  if (q->with_subject)
    q->subject = name_dealer(a, pick(12) == 0 ? 3 : 0);
  answerable(a, q);
}

size_t asked_of(const struct question *q, const char *asked[8])
{
  size_t n = 0;
  for (size_t i = 0; i < q->n_ids; i++)
    asked[n++] = q->ids[i].text;
  asked[n++] = q->subject.text;
  asked[n++] = q->region;
  asked[n++] = q->club;
  return n;
}

/* Every member can be fetched for the benchmark as it was named, and in no other way. */
static size_t check_members(struct attempt *a, const struct question *q, const Cohort *c)
{
  size_t bad = 0;
  for (size_t i = 0; i < c->n_members; i++) {
    struct named target = {.shop = plan_marked(c->members[i]->dealer_ref)};
    struct reply r;
    if (pick(3) != 0)
      continue;
    snprintf(target.text, sizeof(target.text), "%s", c->members[i]->dealer_ref);
    if (c->members[i]->visible != (target.shop >= 0) ||
        (target.shop >= 0 && !a->view.direct[target.shop]))
      bad++;
    ask_token(a, &c->sealed_benchmark, BENCHMARK, &target, &r);
    if (r.message != NULL && !q->members[owner_of(&r)])
      bad += wrong("a benchmark token of no member", &r);
    a->tally->members_read += r.message != NULL;
    if (r.message != NULL) /* the token is what was asked for; nothing else may tell whose */
      memset(((Analytics__Auth__V1__GetAccessTokenResponse *)r.message)->access_token, 'x', 9);
    const Analytics__Auth__V1__GetAccessTokenResponse *m = (const void *)r.message;
    for (size_t k = 0; m != NULL && k < m->n_property_ids; k++)
      memset(m->property_ids[k], '0', strlen(m->property_ids[k]));
    bad += scan_reply(&a->stage->plan, &a->view, &r, NULL, 0);
    reply_free(&r);
    ask_token(a, &c->sealed_benchmark, DIRECT, &target, &r);
    bad += r.message != NULL ? wrong("a benchmark grant gave rows", &r) : 0;
    reply_free(&r);
  }
  struct named other = name_dealer(a, 0);
  struct reply r;
  ask_token(a, &c->sealed_benchmark, BENCHMARK, &other, &r);
  if (r.message != NULL && !(may_read(a, other.shop) && q->members[other.shop]))
    bad += wrong("a benchmark token by a name that was not given out", &r);
  reply_free(&r);
  return bad;
}

size_t try_cohort(struct attempt *a)
{
  Analytics__Auth__V1__ResolveCohortRequest m = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  struct question q;
  const char *asked[8];
  struct reply r;
  draw_question(a, &q);
  m.dealer_ids = q.id_texts;
  m.n_dealer_ids = q.n_ids;
  m.region = TEXT(q.region);
  m.subject_dealer_id = q.subject.text;
  m.cohort = q.club;
  stage_call(&r, a->stage->auth, AUTH, "ResolveCohort", &m.base, &a->grant);
  count(a, &r);
  const Cohort *c = (const void *)r.message;
  size_t bad = (c != NULL) != q.valid ? wrong("a cohort that is not due, or is", &r) : 0;
  if (c != NULL && q.valid)
    bad += check_members(a, &q, c);
  /* Which event counts as a lead goes to aggregate-svc, whose answers are scanned for it. */
  for (size_t i = 0; c != NULL && i < c->n_members; i++)
    memset(c->members[i]->lead_event, 'x', strlen(c->members[i]->lead_event));
  bad += scan_reply(&a->stage->plan, &a->view, &r, asked, asked_of(&q, asked));
  reply_free(&r);
  return bad;
}
