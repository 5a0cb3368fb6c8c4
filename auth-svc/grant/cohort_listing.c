/* Lists cohorts. */
#include "auth-svc/grant/cohort_listing.h"

#include "auth-svc/dealers/catalogue.h"
#include "common/base/codec.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Auth__V1__CohortSummary summary;

/* Members of a cohort that the caller sees, and the others. */
struct parts {
  size_t seen, unseen;
  uint16_t *outside; /* the others */
};

static bool split(struct parts *p, const struct scope *s, const struct catalogued *c,
                  struct arena *arena)
{
  *p = (struct parts){.outside = ARENA_ARRAY(arena, uint16_t, c->n_members)};
  for (size_t i = 0; p->outside != NULL && i < c->n_members; i++) {
    if (s->direct[c->members[i]])
      p->seen++;
    else
      p->outside[p->unseen++] = c->members[i];
  }
  return p->outside != NULL;
}

/* Why a caller gets no benchmark of a cohort; "" when it does, or sees all of it. What is said of
 * dealers outside rests on configuration alone, which the caller's own count shows anyway. */
static const char *why_withheld(const struct scope *s, const struct catalogued *c,
                                const struct parts *p, bool granted)
{
  const struct directory *d = s->directory;
  if (p->unseen == 0)
    return "";
  if (p->unseen < CATALOGUE_MIN_CONTRIBUTORS)
    return "min_contributors";
  if (!catalogue_is_crowd(d, p->outside, p->unseen))
    return "min_owners";
  if (granted)
    return "";
  return !c->benchmark && catalogue_is_benchmark(d, c) ? "isolates_dealers" : "not_granted";
}

static summary *summarize(const struct scope *s, const struct peers *peers, size_t i,
                          struct arena *arena)
{
  const struct catalogued *c = &s->directory->cohorts[i];
  bool benchmark = s->cohort_benchmark[i];
  struct parts p;
  summary *m = ARENA_NEW(arena, summary);
  if (m == NULL || !split(&p, s, c, arena))
    return NULL;
  analytics__auth__v1__cohort_summary__init(m);
  m->id = borrow_text(c->id);
  m->label = borrow_text(c->label);
  m->version = borrow_text(peers_cohort_version(peers, c));
  m->level = c->is_region ? ANALYTICS__AUTH__V1__COHORT_LEVEL__COHORT_LEVEL_REGION
                          : ANALYTICS__AUTH__V1__COHORT_LEVEL__COHORT_LEVEL_NAMED;
  m->visible_dealers = (int32_t)p.seen;
  m->dealers = (int32_t)(benchmark ? c->n_members : p.seen);
  m->withheld = borrow_text(why_withheld(s, c, &p, benchmark));
  m->benchmark = m->withheld[0] == '\0';
  return m;
}

static bool matches(const struct catalogued *c, const char *query)
{
  return query[0] == '\0' || ascii_case_find(c->id, query) != NULL ||
         ascii_case_find(c->label, query) != NULL;
}

enum err_code cohort_listing_make(Analytics__Auth__V1__ListCohortsResponse **out,
                                  const struct scope *scope, const struct peers *peers,
                                  const Analytics__Auth__V1__ListCohortsRequest *request,
                                  struct arena *arena, struct err *e)
{
  const struct directory *d = scope->directory;
  *out = ARENA_NEW(arena, Analytics__Auth__V1__ListCohortsResponse);
  summary **list = ARENA_ARRAY(arena, summary *, d->n_cohorts);
  bool room = *out != NULL && list != NULL;
  if (room) {
    analytics__auth__v1__list_cohorts_response__init(*out);
    (*out)->cohorts = list;
  }
  for (size_t i = 0; room && i < d->n_cohorts; i++) {
    if (!scope->cohort_known[i] || !matches(&d->cohorts[i], request->query))
      continue;
    summary *m = summarize(scope, peers, i, arena);
    room = m != NULL;
    list[(*out)->n_cohorts++] = m;
  }
  return room ? ERR_OK
              : err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                        "query: the answer is too large; ask for fewer cohorts");
}
