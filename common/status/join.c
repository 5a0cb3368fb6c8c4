/* Services, cohorts, the headline and what it needs to be read with. */
#include "common/status/join.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/status/join_internal.h"

typedef Analytics__Status__V1__ServiceStatus joined;
typedef Analytics__Status__V1__ServiceRow service_row;
typedef Analytics__Status__V1__CohortRow cohort_row;

static const char *const state_names[STATUS_STATES] = {
    "needs_reconsent", "misconfigured", "failing",   "held",
    "no_quota",        "suspect",       "no_report", "ok"};

const char *status_state_name(enum status_state state)
{
  return state_names[state];
}

enum status_state status_state_of(const char *name)
{
  int state = 0;
  while (state < STATUS_STATES && strcmp(state_names[state], name) != 0)
    state++;
  return (enum status_state)state;
}

char *status_time(int64_t unix_s, struct arena *arena)
{
  char text[32] = "";
  if (unix_s > 0) {
    clock_format_rfc3339(unix_s * 1000, text, sizeof(text));
    memcpy(text + 19, "Z", 2); /* without milliseconds */
  }
  return arena_strdup(arena, text);
}

/* ------------------------------------------------------------------------- services */

static const char *const service_names[STATUS_SERVICES] = {"auth-svc", "report-svc",
                                                           "aggregate-svc"};

static const Analytics__Status__V1__Service *part_of(const struct status_parts *p, size_t i)
{
  return i == 0   ? (p->auth != NULL ? p->auth->service : NULL)
         : i == 1 ? (p->report != NULL ? p->report->service : NULL)
                  : (p->aggregate != NULL ? p->aggregate->service : NULL);
}

static bool add_service(joined *out, const char *name, const Analytics__Status__V1__Service *s,
                        const struct err *away, struct arena *arena)
{
  service_row *row = ARENA_NEW(arena, service_row);
  if (row == NULL)
    return false;
  analytics__status__v1__service_row__init(row);
  row->service = borrow_text(name);
  row->state = borrow_text(s != NULL ? "ok" : "away");
  if (s != NULL) {
    row->version = s->version;
    row->replica = s->replica;
    row->started = status_time(s->started_at, arena);
  } else {
    row->detail = arena_strdup(arena, away->message[0] != '\0' ? away->message : "no answer");
  }
  out->services[out->n_services++] = row;
  return row->started != NULL && row->detail != NULL;
}

static bool add_services(joined *out, const struct status_parts *p, struct arena *arena)
{
  out->services = ARENA_ARRAY(arena, service_row *, STATUS_SERVICES + 1);
  bool room = out->services != NULL;
  if (room && p->asking != NULL)
    room = add_service(out, p->asking->name, p->asking, NULL, arena);
  for (size_t i = 0; room && i < STATUS_SERVICES; i++)
    room = add_service(out, service_names[i], part_of(p, i), &p->away[i], arena);
  return room;
}

/* -------------------------------------------------------------------------- cohorts */

static cohort_row *cohort_of(const Analytics__Aggregate__V1__CohortRelease *c, struct arena *arena)
{
  cohort_row *row = ARENA_NEW(arena, cohort_row);
  if (row == NULL)
    return NULL;
  analytics__status__v1__cohort_row__init(row);
  row->cohort = c->id;
  row->label = c->label;
  row->dealers = c->dealers;
  row->owners = c->owners;
  row->released = borrow_text(c->released ? "benchmarks" : "nothing");
  row->why_not = c->why_not;
  return row;
}

static bool add_cohorts(joined *out, const struct status_parts *p, struct arena *arena)
{
  size_t n = p->aggregate != NULL ? p->aggregate->n_cohorts : 0;
  out->cohorts = ARENA_ARRAY(arena, cohort_row *, n);
  for (size_t i = 0; out->cohorts != NULL && i < n; i++) {
    out->cohorts[i] = cohort_of(p->aggregate->cohorts[i], arena);
    if (out->cohorts[i] == NULL)
      return false;
    out->n_cohorts++;
  }
  return out->cohorts != NULL;
}

/* ---------------------------------------------------------------------------- texts */

enum { SENTENCES_MAX = 8, TEXT_MAX = 1024 };

static bool add_text(char **list, size_t *n, struct arena *arena, const struct buf *text)
{
  list[*n] = arena_strdup(arena, buf_str(text));
  return list[(*n)++] != NULL;
}

static void put_headline(struct buf *b, const joined *out, const struct status_counts *counts)
{
  size_t problems = 0, put = 0;
  for (int s = 0; s < STATUS_STATES; s++)
    problems += status_is_problem((enum status_state)s) ? counts->of[s] : 0;
  if (out->n_dealers == 0)
    buf_puts(b, "No dealer is known");
  else if (problems == 0)
    buf_printf(b, "No dealer of %zu needs action", out->n_dealers);
  else
    buf_printf(b, "%zu of %zu dealer%s need%s action: ", problems, out->n_dealers,
               out->n_dealers == 1 ? "" : "s", problems == 1 ? "s" : "");
  for (int s = 0; s < STATUS_STATES; s++)
    if (status_is_problem((enum status_state)s) && counts->of[s] > 0)
      buf_printf(b, "%s%zu %s", put++ > 0 ? ", " : "", counts->of[s], state_names[s]);
  for (size_t i = 0; i < out->n_services; i++)
    if (strcmp(out->services[i]->state, "ok") != 0)
      buf_printf(b, "; %s did not answer", out->services[i]->service);
  buf_putc(b, '.');
}

static const char *missing_of(const char *service)
{
  return strcmp(service, "auth-svc") == 0     ? "dealers, keys and audit log are not known"
         : strcmp(service, "report-svc") == 0 ? "reports and quota are not known"
                                              : "cohorts and suspect data are not known";
}

static bool add_away(joined *out, struct arena *arena)
{
  bool room = true;
  for (size_t i = 0; room && i < out->n_services; i++) {
    AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
    if (strcmp(out->services[i]->state, "ok") == 0)
      continue;
    buf_printf(&b, "%s did not answer: %s", out->services[i]->service,
               missing_of(out->services[i]->service));
    room = add_text(out->caveats, &out->n_caveats, arena, &b);
  }
  return room;
}

static bool add_caveats(joined *out, const struct status_parts *p, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
  out->caveats = ARENA_ARRAY(arena, char *, SENTENCES_MAX);
  if (out->caveats == NULL || !add_away(out, arena))
    return false;
  if (p->aggregate != NULL && p->aggregate->cohorts_unknown[0] != '\0') {
    buf_printf(&b, "Cohorts are not known: %.300s", p->aggregate->cohorts_unknown);
    if (!add_text(out->caveats, &out->n_caveats, arena, &b))
      return false;
  }
  if (p->auth == NULL || p->auth->config_error[0] == '\0')
    return true;
  buf_clear(&b);
  buf_printf(&b, "auth-svc keeps an older configuration, since the files are refused: %.600s",
             p->auth->config_error);
  return add_text(out->caveats, &out->n_caveats, arena, &b);
}

static bool add_notes(joined *out, struct arena *arena)
{
  static const char *const notes[] = {
      "Times are UTC. Reports, failures and suspect data are those that the replica that answered "
      "has seen within the last 24 hours and since its start.",
      "no_report: nobody has asked for the dealer since then, which is not a fault."};
  out->notes = ARENA_ARRAY(arena, char *, ARRAY_LEN(notes));
  for (size_t i = 0; out->notes != NULL && i < ARRAY_LEN(notes); i++)
    out->notes[out->n_notes++] = borrow_text(notes[i]);
  return out->notes != NULL;
}

/* Whose consent and reports are both known. */
static bool add_coverage(joined *out, const struct status_parts *p, struct arena *arena)
{
  out->coverage = ARENA_NEW(arena, Analytics__Report__V1__Coverage);
  if (out->coverage == NULL)
    return false;
  analytics__report__v1__coverage__init(out->coverage);
  out->coverage->asked = (int32_t)out->n_dealers;
  out->coverage->ok = p->report != NULL ? (int32_t)out->n_dealers : 0;
  return true;
}

joined *status_join(const struct status_parts *p, struct arena *arena)
{
  AUTO_BUF struct buf headline = BUF_INIT(TEXT_MAX);
  struct status_counts counts = {0};
  joined *out = ARENA_NEW(arena, joined);
  if (out == NULL)
    return NULL;
  analytics__status__v1__service_status__init(out);
  if (!add_services(out, p, arena) || !status_add_dealers(out, p, &counts, arena) ||
      !add_cohorts(out, p, arena) || !status_add_facts(out, p, arena) ||
      !add_caveats(out, p, arena) || !add_notes(out, arena) || !add_coverage(out, p, arena))
    return NULL;
  put_headline(&headline, out, &counts);
  out->headline = arena_strdup(arena, buf_str(&headline));
  return out->headline != NULL ? out : NULL;
}
