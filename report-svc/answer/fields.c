/* Ranks a property's dimensions and metrics by words. */
#include "report-svc/answer/fields.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/ga4/own.h"

/* Distances of one word, so that where it stands counts more than how it is spelt. */
enum { IN_MEANING = 20, PART_OF_NAME = 4 };

static const char *const fillers[] = {
    "the", "of",  "and",       "a",          "an",     "by",      "for",   "per",    "in",
    "ga",  "ga4", "dimension", "dimensions", "metric", "metrics", "field", "fields", NULL};

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* In a name; a part of it of 4 letters or more is found too, since API names are words without
 * blanks. */
static unsigned name_distance(const char *word, const char *name)
{
  if (name == NULL)
    return WORDS_FAR;
  unsigned distance = words_distance(word, name);
  bool part = strlen(word) >= 4 && ascii_case_find(name, word) != NULL;
  return part ? least(distance, PART_OF_NAME) : distance;
}

static void measure(struct field_match *m, const struct words *words)
{
  for (size_t i = 0; i < words->n; i++) {
    const char *word = words->word[i];
    unsigned best = least(name_distance(word, m->api_name), name_distance(word, m->ui_name));
    best = least(best, name_distance(word, m->former));
    unsigned in_meaning = words_distance(word, m->meaning);
    if (in_meaning < WORDS_FAR)
      best = least(best, in_meaning + IN_MEANING);
    if (best >= WORDS_FAR)
      m->missing++;
    else
      m->distance += best;
  }
}

/* The query is one of the field's names as it stands. */
static bool is_name(const struct field_match *m, const char *query)
{
  const char *bare = ascii_case_find(query, "ga:") == query ? query + 3 : query;
  return ascii_case_equal(query, m->api_name) || ascii_case_equal(query, m->ui_name) ||
         (m->former != NULL && ascii_case_equal(bare, m->former));
}

static int compare(const void *a, const void *b)
{
  const struct field_match *x = a, *y = b;
  if (x->missing != y->missing)
    return x->missing < y->missing ? -1 : 1;
  if (x->distance != y->distance)
    return x->distance < y->distance ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

static void offer(struct field_matches *out, struct field_match m, const struct field_search *s)
{
  if ((s->kinds & m.kind) == 0 || (s->custom_only && !m.custom))
    return;
  m.former = m.own ? NULL : ga4_former_name(m.kind, m.api_name);
  m.order = out->n;
  out->items[out->n++] = m;
}

/* Everything of the kinds that are asked for. */
static bool list(struct field_matches *out, const Analytics__Ga4__V1beta__Metadata *metadata,
                 const struct field_search *s, struct arena *arena)
{
  size_t n_own;
  const struct own_metric *own = own_metrics(&n_own);
  out->items =
      ARENA_ARRAY(arena, struct field_match, metadata->n_dimensions + metadata->n_metrics + n_own);
  for (size_t i = 0; out->items != NULL && i < metadata->n_dimensions; i++) {
    const Analytics__Ga4__V1beta__DimensionMetadata *d = metadata->dimensions[i];
    offer(out,
          (struct field_match){.kind = GA4_DIMENSION,
                               .api_name = d->api_name,
                               .ui_name = d->ui_name,
                               .meaning = d->description,
                               .custom = d->custom_definition},
          s);
  }
  for (size_t i = 0; out->items != NULL && i < metadata->n_metrics; i++) {
    const Analytics__Ga4__V1beta__MetricMetadata *d = metadata->metrics[i];
    offer(out,
          (struct field_match){.kind = GA4_METRIC,
                               .api_name = d->api_name,
                               .ui_name = d->ui_name,
                               .meaning = d->description,
                               .custom = d->custom_definition},
          s);
  }
  for (size_t i = 0; out->items != NULL && i < n_own; i++)
    offer(out,
          (struct field_match){.kind = GA4_METRIC,
                               .api_name = own[i].name,
                               .ui_name = own[i].label,
                               .meaning = own[i].meaning,
                               .own = true},
          s);
  return out->items != NULL;
}

/* The most alike names, when no word stands anywhere. */
static void keep_alike(struct field_matches *out, const char *query)
{
  struct nearest best = {0};
  struct field_match kept[NEAREST_MAX];
  for (size_t i = 0; i < out->n; i++)
    nearest_offer(&best, i,
                  least(nearest_distance(query, out->items[i].api_name),
                        nearest_distance(query, out->items[i].ui_name)));
  for (size_t i = 0; i < best.n; i++)
    kept[i] = out->items[best.item[i]];
  for (size_t i = 0; i < best.n; i++)
    out->items[i] = kept[i];
  out->n = best.n;
}

bool fields_search(struct field_matches *out, const Analytics__Ga4__V1beta__Metadata *metadata,
                   const struct field_search *s, struct arena *arena)
{
  struct words words;
  *out = (struct field_matches){0};
  words_read(&words, s->query, fillers);
  if (!list(out, metadata, s, arena))
    return false;
  if (words.n == 0 || out->n == 0)
    return true;
  for (size_t i = 0; i < out->n; i++) {
    struct field_match *m = &out->items[i];
    if (!is_name(m, s->query)) {
      m->distance = 1; /* behind the field that is named so */
      measure(m, &words);
    }
  }
  qsort(out->items, out->n, sizeof(*out->items), compare);
  unsigned missing = out->items[0].missing;
  size_t n = 0;
  while (n < out->n && out->items[n].missing == missing)
    n++;
  out->closest = missing > 0;
  if (missing < words.n)
    out->n = n;
  else
    keep_alike(out, s->query);
  return true;
}

static bool starts_with(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

const char *field_scope(const char *api_name)
{
  static const struct {
    const char *prefix, *scope;
  } scopes[] = {
      {"itemListClickEvents", "event"},
      {"itemListViewEvents", "event"},
      {"itemViewEvents", "event"},
      {"customEvent:", "event"},
      {"customUser:", "user"},
      {"customItem:", "item"},
      {"sessionKeyEventRate", "session"},
      {"userKeyEventRate", "user"},
      {"userEngagementDuration", "event"},
      {"firstUser", "user"},
      {"firstSession", "user"},
      {"firstTimePurchaser", "user"},
      {"user", "user"},
      {"audience", "user"},
      {"cohort", "user"},
      {"newVsReturning", "user"},
      {"signedInWithUserId", "user"},
      {"brandingInterest", "user"},
      {"active", "user"},
      {"newUsers", "user"},
      {"totalUsers", "user"},
      {"totalPurchasers", "user"},
      {"dauPer", "user"},
      {"wauPer", "user"},
      {"returningUsers", "user"},
      {"session", "session"},
      {"engagedSessions", "session"},
      {"engagementRate", "session"},
      {"bounceRate", "session"},
      {"averageSessionDuration", "session"},
      {"landingPage", "session"},
      {"item", "item"},
      {"grossItemRevenue", "item"},
      {"lead_sessions", "session"},
      {"shopper_", "session"},
  };
  for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
    if (starts_with(api_name, scopes[i].prefix))
      return scopes[i].scope;
  }
  return "event";
}
