/* What every metric of the answers means. Unit, direction and pooling of the metrics of dealers
 * come from figures/metrics; those of vehicles stand here. */
#include "aggregate-svc/answer/metric_list.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/answer/explain.h"
#include "aggregate-svc/answer/scorecard.h"
#include "aggregate-svc/figures/metrics.h"
#include "common/base/mem.h"
#include "common/ga4/own.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__ListMetricsResponse Response;
typedef Analytics__Aggregate__V1__MetricDefinition Definition;

enum { TOOLS_MAX = 7, TEXT_BYTES = 1000 };

#define HIGHER ANALYTICS__AGGREGATE__V1__BETTER__HIGHER
#define LOWER ANALYTICS__AGGREGATE__V1__BETTER__LOWER
#define CONTEXT ANALYTICS__AGGREGATE__V1__BETTER__CONTEXT

/* The metrics of figures/metrics. */
static const struct {
  const char *name, *meaning, *formula;
} dealer_words[] = {
    {"sessions", "Visits to the website: size, not quality.", "GA4 sessions"},
    {"engaged_sessions", "Visits of 10 seconds or more, with a key event or with two page views.",
     "GA4 engagedSessions"},
    {"engagement_rate", "Share of the visits that engaged.", "engaged_sessions / sessions"},
    {"bounce_rate", "Share of the visits that did not engage; not that of older reports.",
     "1 - engagement_rate"},
    {"lead_events",
     "How often the dealer's lead event fired: the configured one, else of asc_form_submission "
     "(counts double), generate_lead and form_submit the one that fired most in 90 days; see "
     "`leads`.",
     "eventCount of the lead event"},
    {"leads_per_100_sessions",
     "Lead events per 100 visits; compared among dealers that count the same event.",
     "100 x lead_events / sessions"},
    {"shopper_sessions",
     "Visits with a page of a vehicle or of a list of them, or what the dealer's configuration "
     "calls shopping.",
     "sessions with asc_item_pageview or asc_itemlist_pageview"},
    {"shopper_rate", "Share of the visits that shop for a vehicle.", "shopper_sessions / sessions"},
    {"leads_per_100_shopper_sessions",
     "Lead events per 100 visits that shop: without service traffic, so fairer between dealers.",
     "100 x lead_events / shopper_sessions"},
    {"vdp_reach", "Share of the visits that saw a vehicle page (VDP).",
     "sessions with asc_item_pageview / sessions"},
    {"vdp_views_per_session", "Vehicle pages per visit; advertisements that land on them raise it.",
     "events asc_item_pageview / sessions"},
    {"srp_to_vdp",
     "Share of the visits with a list of vehicles (SRP) that also saw a vehicle page.",
     "sessions with both events / sessions with asc_itemlist_pageview"},
    {"calls_per_100_sessions", "Calls started on the site; sites that report none are left out.",
     "100 x calls / sessions"},
    {"calls_per_100_shopper_sessions", "The same per 100 visits that shop.",
     "100 x calls / shopper_sessions"},
    {"chats_per_100_sessions", "Chats and texts, likewise.", "100 x chats / sessions"},
    {"chats_per_100_shopper_sessions", "The same per 100 visits that shop.",
     "100 x chats / shopper_sessions"},
    {"appointments_per_100_sessions", "Forms for an appointment or a test drive.",
     "100 x appointments / sessions"},
    {"appointments_per_100_shopper_sessions", "The same per 100 visits that shop.",
     "100 x appointments / shopper_sessions"},
};

static const char comparison[] = "compare_dealer_sessions", interest[] = "analyze_vehicle_interest",
                  conversion[] = "vehicle_lead_conversion", movers[] = "vehicle_movers",
                  report[] = "run_report", across[] = "run_report_across_dealers";

/* The metrics of vehicles. */
static const struct {
  const char *name, *meaning, *formula, *unit;
  Analytics__Aggregate__V1__Better better;
  const char *pooled;
  const char *tools[3]; /* at most TOOLS_MAX */
} vehicle_metrics[] = {
    {"vdp_views",
     "Views of vehicle pages (VDP); in rows of models `views`.",
     "events asc_item_pageview, or page views of vehicle paths",
     "count",
     CONTEXT,
     "sum",
     {interest, conversion, movers}},
    {"vdp_sessions",
     "Sessions with a vehicle page, or one of the model. Those of models overlap: never add them.",
     "sessions with a VDP view",
     "count",
     CONTEXT,
     "sum over dealers",
     {interest, conversion}},
    {"reach",
     "Part of the sessions that viewed a vehicle page, or the model.",
     "vdp_sessions / sessions",
     "share",
     HIGHER,
     "sum / sum",
     {interest}},
    {"share",
     "Interest share of a model: its part of the VDP views that name a model.",
     "views / views of all matched models",
     "share",
     CONTEXT,
     "sum / sum",
     {interest, movers}},
    {"share_change_pp",
     "Change of the share against the period before; change_pp in movers.",
     "100 x (share - share before)",
     "percentage points",
     CONTEXT,
     "difference",
     {interest, movers}},
    {"matched",
     "Part of the VDP views that name a known model; below 0.8 models are not ranked.",
     "matched views / vdp_views",
     "share",
     HIGHER,
     "sum / sum",
     {interest}},
    {"session_s",
     "Mean length of the whole sessions that viewed the model.",
     "GA4 averageSessionDuration",
     "seconds",
     HIGHER,
     "by sessions",
     {interest}},
    {"bounce",
     "Part of the sessions that viewed the model and did not engage.",
     "1 - engaged sessions / vdp_sessions",
     "share",
     LOWER,
     "sum / sum",
     {interest}},
    {"new_share",
     "Part of the views with a known condition that are of new vehicles.",
     "new / (new + used)",
     "share",
     CONTEXT,
     "sum / sum",
     {interest}},
    {"leads",
     "Lead events whose vehicle is the model.",
     "eventCount of the lead event by item_model",
     "count",
     CONTEXT,
     "sum",
     {interest, conversion}},
    {"lead_sessions",
     "Sessions with such a lead event.",
     "sessions with the lead event by item_model",
     "count",
     CONTEXT,
     "sum",
     {conversion}},
    {"lead_rate",
     "Part of the sessions that viewed the model and sent a lead about it.",
     "lead_sessions / vdp_sessions",
     "share",
     HIGHER,
     "sum / sum",
     {conversion}},
    {"expected",
     "Lead sessions predicted from VDP sessions at the lead rate of the body style and condition, "
     "at each dealer's level.",
     "sum of vdp_sessions x class rate x dealer level",
     "count",
     CONTEXT,
     "sum",
     {conversion}},
    {"ratio",
     "Leads against what the traffic predicts; 1 is as expected.",
     "lead_sessions / expected",
     "ratio",
     HIGHER,
     "sum / sum",
     {conversion}},
    {"q",
     "Expected share of false words (Benjamini and Hochberg); a verdict needs 0.1 or less.",
     "from the p of all tested",
     "share",
     LOWER,
     "over all tested",
     {conversion, movers}},
};

const char *metric_meaning(const char *metric)
{
  for (size_t i = 0; i < ARRAY_LEN(dealer_words); i++)
    if (strcmp(dealer_words[i].name, metric) == 0)
      return dealer_words[i].meaning;
  return NULL;
}

/* Letters and digits in lower case, so that "bounce rate", "bounceRate" and "bounce_rate" are one.
 */
static void squeeze(char out[static TEXT_BYTES], const char *text)
{
  size_t n = 0;
  for (; *text != '\0' && n < TEXT_BYTES - 1; text++)
    if (isalnum((unsigned char)*text))
      out[n++] = (char)tolower((unsigned char)*text);
  out[n] = '\0';
}

/* What people say for what the metrics are called. */
static void rename_query(char query[static TEXT_BYTES])
{
  static const struct {
    const char *said, *called;
  } names[] = {
      {"qualified", "shopper"}, {"conversionrate", "leadsper100"}, {"leadrate", "leadsper100"}};
  char whole[TEXT_BYTES];
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    const char *at = strstr(query, names[i].said);
    if (at == NULL)
      continue;
    snprintf(whole, sizeof(whole), "%.*s%s%s", (int)(at - query), query, names[i].called,
             at + strlen(names[i].said));
    memcpy(query, whole, sizeof(whole));
  }
}

/* query: squeezed. */
static bool contains(const char *text, const char *query)
{
  char squeezed[TEXT_BYTES];
  squeeze(squeezed, text);
  return strstr(squeezed, query) != NULL;
}

/* One more definition; NULL when the arena is full. */
static Definition *add(Response *r, const char *name, const char *meaning, const char *formula,
                       struct arena *arena)
{
  Definition *d = ARENA_NEW(arena, Definition);
  char **tools = ARENA_ARRAY(arena, char *, TOOLS_MAX);
  if (d == NULL || tools == NULL)
    return NULL;
  analytics__aggregate__v1__metric_definition__init(d);
  d->metric = borrow_text(name);
  d->meaning = borrow_text(meaning);
  d->formula = borrow_text(formula);
  d->tools = tools;
  r->metrics[r->n_metrics++] = d;
  return d;
}

static bool is_explained(const struct dealer_metric *m)
{
#define ROW(id) id,
  static const enum metric_id explained[] = {EXPLAIN_METRICS(ROW)};
#undef ROW
  for (size_t i = 0; i < ARRAY_LEN(explained); i++)
    if (m == &dealer_metrics[explained[i]])
      return true;
  return false;
}

/* Whether reports take it beside GA4's metrics. */
static bool is_reported(const char *metric)
{
  return strcmp(metric, "sessions") == 0 || own_metric_find(metric) != NULL;
}

/* The tools that show a metric of dealers. */
static void add_tools(Definition *d, const struct dealer_metric *m)
{
  enum metric_id id = (enum metric_id)(m - dealer_metrics);
  const struct {
    const char *name;
    bool shows;
  } tools[TOOLS_MAX] = {
      {comparison, m < &dealer_metrics[METRIC_COMPARED]},
      {"benchmark_dealer", scorecard_shows(id)},
      {"compare_trends", metric_has_trend(m)},
      {"explain_change", is_explained(m)},
      {"compare_traffic_sources", m == &dealer_metrics[METRIC_SESSIONS] ||
                                      m == &dealer_metrics[METRIC_LEADS_PER_100_SESSIONS]},
      {report, is_reported(m->name)},
      {across, is_reported(m->name)}};
  for (size_t i = 0; i < TOOLS_MAX; i++)
    if (tools[i].shows)
      d->tools[d->n_tools++] = borrow_text(tools[i].name);
}

static bool add_dealer_metric(Response *r, const char *query, const struct dealer_metric *m,
                              struct arena *arena)
{
  static const char *const units[] = {"count", "share", "per_100", "per_session"};
  for (size_t i = 0; i < ARRAY_LEN(dealer_words); i++) {
    if (strcmp(dealer_words[i].name, m->name) != 0 ||
        !(contains(m->name, query) || contains(dealer_words[i].meaning, query)))
      continue;
    Definition *d = add(r, m->name, dealer_words[i].meaning, dealer_words[i].formula, arena);
    if (d == NULL)
      return false;
    d->unit = borrow_text(units[m->unit]);
    d->better = m->better;
    d->pooled = borrow_text(metric_is_rate(m) ? "sum / sum" : "sum");
    add_tools(d, m);
  }
  return true;
}

static bool is_dealer_metric(const char *name)
{
  for (size_t i = 0; i < METRIC_COUNT; i++)
    if (strcmp(dealer_metrics[i].name, name) == 0)
      return true;
  return false;
}

/* Metrics of reports alone. */
static bool add_own_metric(Response *r, const char *query, const struct own_metric *m,
                           struct arena *arena)
{
  if (is_dealer_metric(m->name) || (!contains(m->name, query) && !contains(m->meaning, query)))
    return true;
  Definition *d = add(r, m->name, m->meaning, m->formula, arena);
  if (d == NULL)
    return false;
  d->unit = borrow_text(!m->rate ? "count" : m->scale == 1 ? "share" : "per_100");
  d->better = m->rate ? HIGHER : CONTEXT;
  d->pooled = borrow_text(m->rate ? "sum / sum" : "sum");
  d->tools[d->n_tools++] = borrow_text(report);
  d->tools[d->n_tools++] = borrow_text(across);
  return true;
}

static bool add_vehicle_metric(Response *r, const char *query, size_t i, struct arena *arena)
{
  if (!contains(vehicle_metrics[i].name, query) && !contains(vehicle_metrics[i].meaning, query))
    return true;
  Definition *d = add(r, vehicle_metrics[i].name, vehicle_metrics[i].meaning,
                      vehicle_metrics[i].formula, arena);
  if (d == NULL)
    return false;
  d->unit = borrow_text(vehicle_metrics[i].unit);
  d->better = vehicle_metrics[i].better;
  d->pooled = borrow_text(vehicle_metrics[i].pooled);
  while (d->n_tools < ARRAY_LEN(vehicle_metrics[i].tools) &&
         vehicle_metrics[i].tools[d->n_tools] != NULL) {
    d->tools[d->n_tools] = borrow_text(vehicle_metrics[i].tools[d->n_tools]);
    d->n_tools++;
  }
  return true;
}

bool metric_list_has_leads(const Response *list)
{
  for (size_t i = 0; i < list->n_metrics; i++)
    if (strcmp(list->metrics[i]->metric, "leads") == 0 ||
        strcmp(list->metrics[i]->metric, dealer_metrics[METRIC_LEAD_EVENTS].name) == 0 ||
        strncmp(list->metrics[i]->metric, "leads_per_", sizeof("leads_per_") - 1) == 0)
      return true;
  return false;
}

/* An empty list says nothing: that no metric is meant, and what to do. */
static bool add_nothing_found(Response *r, struct arena *arena)
{
  static const char text[] = "query: no metric's name or description contains that text. Leave it "
                             "out for the names of all, or give a part of a name, such as \"lead\".";
  r->caveats = ARENA_ARRAY(arena, char *, 1);
  if (r->caveats == NULL || (r->caveats[0] = arena_strdup(arena, text)) == NULL)
    return false;
  r->n_caveats = 1;
  return true;
}

Response *metric_list(const char *text, struct arena *arena)
{
  char query[TEXT_BYTES];
  squeeze(query, text);
  rename_query(query);
  Response *r = ARENA_NEW(arena, Response);
  size_t n_own;
  const struct own_metric *own = own_metrics(&n_own);
  Definition **list =
      ARENA_ARRAY(arena, Definition *, (size_t)METRIC_COUNT + n_own + ARRAY_LEN(vehicle_metrics));
  if (r == NULL || list == NULL)
    return NULL;
  analytics__aggregate__v1__list_metrics_response__init(r);
  r->metrics = list;
  bool ok = true;
  for (size_t i = 0; i < METRIC_COUNT && ok; i++)
    ok = add_dealer_metric(r, query, &dealer_metrics[i], arena);
  for (size_t i = 0; i < n_own && ok; i++)
    ok = add_own_metric(r, query, &own[i], arena);
  for (size_t i = 0; i < ARRAY_LEN(vehicle_metrics) && ok; i++)
    ok = add_vehicle_metric(r, query, i, arena);
  for (size_t i = 0; query[0] == '\0' && i < r->n_metrics; i++)
    r->metrics[i]->n_tools = 0;
  if (ok && r->n_metrics == 0)
    ok = add_nothing_found(r, arena);
  return ok ? r : NULL;
}
