/* The caveats of a report over dealers. */
#include <string.h>

#include "aggregate-svc/answer/rows_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/ga4/additive.h"
#include "common/ga4/own.h"
#include "common/ga4/rate.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

enum { LABEL_BYTES = 200, NAME_BYTES = 100 };

/* The dimension itself, or one that it is made of. */
static bool splits_sessions(const struct across_question *q, const char *dimension)
{
  const char *part;
  const Analytics__Ga4__V1beta__Dimension *d = ga4_defined_dimension(&q->definitions, dimension);
  for (size_t i = 0; d != NULL && (part = ga4_dimension_part(d->dimension_expression, i)) != NULL;
       i++)
    if (dimension_splits_sessions(part))
      return true;
  return d == NULL && dimension_splits_sessions(dimension);
}

static const char *first_splitting(const struct across_question *q)
{
  for (size_t k = 0; k < q->n_dimensions; k++)
    if (splits_sessions(q, q->dimensions[k]))
      return q->dimensions[k];
  return NULL;
}

static void add_overlap(struct caveats *c, const struct across_question *q)
{
  const char *dimension = first_splitting(q);
  for (size_t k = 0; dimension != NULL && k < q->n_asked; k++)
    if (metric_counts_sessions(q->metrics[k])) {
      caveats_add(c,
                  "Rows of %s by %.*s overlap, because a session appears under each value it "
                  "touches: do not add rows.",
                  q->metrics[k], (int)text_clip(dimension, NAME_BYTES), dimension);
      return;
    }
}

/* Why a metric is not pooled. */
static const char *reason_of(const struct across_question *q, const char *metric)
{
  if (ga4_defined_metric(&q->definitions, metric) != NULL)
    return "an expression, which Google evaluates for each dealer by itself";
  const struct ga4_rate *rate = ga4_rate_find(metric);
  if (additive_kind(metric) == ADDITIVE_CURRENCY || (rate != NULL && rate->money))
    return "the properties report in different currencies; give currency_code";
  if (rate != NULL)
    return "a rate, whose parts do not fit into a report of 10 metrics: ask for fewer";
  if (strcmp(metric, GA4_COHORT_TOTAL) == 0)
    return "rows of one cohort differ in it";
  return ga4_counts_people(metric) ? "people may visit several websites"
                                   : "not known to be additive";
}

static void add_not_pooled(struct caveats *c, const struct across_question *q, const Result *r)
{
  AUTO_BUF struct buf b = BUF_INIT(4096);
  for (size_t i = 0; i < r->n_not_pooled; i++) {
    text_put_separator(&b, i, r->n_not_pooled);
    text_put_clipped(&b, r->not_pooled[i], NAME_BYTES);
    buf_printf(&b, " (%s)", reason_of(q, r->not_pooled[i]));
  }
  if (r->n_not_pooled > 0)
    caveats_add(c, "Not pooled over dealers: %s.", buf_str(&b));
}

static void add_people(struct caveats *c, const char *figures)
{
  caveats_add(c, "In pooled %s a person who visits several of the websites counts at each of them.",
              figures);
}

/* What comparisons and cohorts are, and pooled users of cohorts. */
static void add_slices(struct caveats *c, const struct across_question *q, const Result *r)
{
  bool users = false, total = false;
  for (size_t i = 0; i < r->n_pooled_metrics; i++) {
    users = users || ga4_counts_cohort(r->pooled_metrics[i]);
    total = total || strcmp(r->pooled_metrics[i], GA4_COHORT_TOTAL) == 0;
  }
  if (q->comparisons)
    caveats_add(c, "Comparisons overlap where a session is in several: do not add their rows.");
  if (q->cohorts)
    caveats_add(c, "Steps of a cohort that have not ended yet hold only what came so far; Google "
                   "takes 24-48 hours to finish a day.");
  if (users)
    add_people(c, "users of a cohort");
  if (total)
    caveats_add(c, "Pooled " GA4_COHORT_TOTAL " is the cohort of all these dealers, also of those "
                   "without such a row.");
}

/* What a pooled rate is. */
static void add_rates(struct caveats *c, const Result *r)
{
  bool any = false, users = false;
  for (size_t i = 0; i < r->n_pooled_metrics; i++) {
    const struct ga4_rate *rate = ga4_rate_find(r->pooled_metrics[i]);
    any = any || rate != NULL;
    users = users || (rate != NULL && rate->users);
  }
  if (any)
    caveats_add(c, "Pooled rates are those of all websites together, from their parts: larger "
                   "websites weigh more.");
  if (users)
    add_people(c, "figures per user");
}

static void add_pool_limits(struct caveats *c, const struct across_question *q, const Result *r)
{
  if (r->next_pooled_offset > 0)
    caveats_add(c, "%zu of %d pooled rows are shown: pooled_offset %d gives the next ones.",
                r->n_pooled, r->pooled_row_count, r->next_pooled_offset);
  if (q->metric_filter)
    caveats_add(c, "metric_filter was applied to each dealer's rows before pooling: a pooled row "
                   "adds only the dealers whose row passed.");
}

static bool counts_key_events(const struct across_question *q, const char *metric)
{
  const Analytics__Ga4__V1beta__Metric *m = ga4_defined_metric(&q->definitions, metric);
  if (m != NULL)
    return ga4_metric_uses(m, "keyEvents") || ga4_metric_uses(m, "conversions");
  return strcmp(metric, "keyEvents") == 0 || strcmp(metric, "conversions") == 0;
}

/* What the counts of contacts are, and are not. */
static void add_contacts(struct caveats *c, const struct across_question *q)
{
  bool contacts = false, chats = false, leads = false, key_events = false;
  for (size_t k = 0; k < q->n_asked; k++) {
    const struct own_metric *own = own_metric_find(q->metrics[k]);
    contacts = contacts || (own != NULL && (own->of == OWN_CALLS || own->of == OWN_CHATS ||
                                            own->of == OWN_APPOINTMENTS));
    chats = chats || (own != NULL && own->of == OWN_CHATS);
    leads = leads || (own != NULL && (own->of == OWN_LEADS || own->of == OWN_LEAD_SESSIONS));
    key_events = key_events || counts_key_events(q, q->metrics[k]);
  }
  if (leads)
    caveats_add(c, "Leads are firings of each dealer's own lead event, so dealers with different "
                   "events do not count the same; compare_dealer_sessions says which.");
  if (contacts)
    caveats_add(c, "0 calls, chats or appointments may mean that a site does not report them; "
                   "pooled rates count its sessions all the same.");
  if (chats)
    caveats_add(c, "%s", own_chats_note);
  if (key_events)
    caveats_add(c, "Key events are not leads: every event marked as one counts, so one contact may "
                   "count several times. For leads ask for the metric leads.");
}

/* Dealers that are in several rows of the same key. */
static void add_groups(struct caveats *c, const struct across_question *q)
{
  size_t several = 0;
  for (size_t i = 0; i < q->cohort->n; i++)
    several += q->by == ACROSS_BY_GROUP && q->cohort->members[i].n_groups > 1;
  if (several > 0)
    caveats_add(c, "%zu dealer%s of several groups %s in each of them: do not add groups.", several,
                text_s(several), several == 1 ? "is" : "are");
}

static void add_landing(struct caveats *c, struct landing_rows landing)
{
  if (landing.joined)
    caveats_add(c, "Sessions without a landing page, which Google counts as \"\" and as \"(not "
                   "set)\", are one row here: \"(not set)\".");
  if (landing.apart)
    caveats_add(c, "Sessions without a landing page are in two rows \"(not set)\" of a dealer, "
                   "because not all of these metrics may be added.");
}

/* Keys of the order that pooled rows do not have. The reasons of metrics that are shown stand with
 * those that are not pooled. */
static void add_order(struct caveats *c, const struct across_question *q, const Result *r)
{
  struct pooled_column column;
  bool one_currency = notes_shared_currency(q->cohort, q->tables->notes) != NULL;
  for (size_t i = 0; r->n_pooled_metrics > 0 && i < q->order->n; i++) {
    const struct across_key *key = &q->order->keys[i];
    if (!key->metric || across_can_pool(q, key->column, one_currency, &column))
      continue;
    const char *name = q->metrics[key->column];
    if (key->column < q->n_asked)
      caveats_add(c, "Pooled rows are not ordered by %s, which they do not have.", name);
    else
      caveats_add(c, "Pooled rows are not ordered by %s, which is not pooled over dealers (%s).",
                  name, reason_of(q, name));
  }
}

void across_caveats(const struct across_question *q, Result *r, struct landing_rows landing,
                    const struct compared *compared, const struct resolved_period *period,
                    struct arena *arena)
{
  struct caveats c = {.arena = arena};
  caveats_add_missing(&c, q->cohort);
  if (q->not_visible > 0)
    caveats_add(&c, "%zu dealer%s of %.*s %s outside your access and take%s no part.",
                q->not_visible, text_s(q->not_visible),
                (int)text_clip(q->cohort->label, LABEL_BYTES), q->cohort->label,
                q->not_visible == 1 ? "is" : "are", q->not_visible == 1 ? "s" : "");
  add_overlap(&c, q);
  add_not_pooled(&c, q, r);
  add_rates(&c, r);
  add_slices(&c, q, r);
  add_landing(&c, landing);
  add_contacts(&c, q);
  if (q->days != NULL)
    compared_caveats(&c, compared);
  else
    add_pool_limits(&c, q, r);
  add_groups(&c, q);
  add_order(&c, q, r);
  caveats_add_notes(&c, q->cohort, q->tables->notes);
  if (q->cohorts)
    period_caveat_zones(&c, r->period);
  else
    period_caveats(&c, q->period, r->period, period);
  r->caveats = c.items;
  r->n_caveats = c.n;
}
