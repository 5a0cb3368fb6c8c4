/* One report of one dealer of FetchReports that Google does not give in one piece: the job's rows
 * into columns, chunks into the stream. See own/own.h. */
#include "report-svc/own/own.h"

#include <string.h>

#include "report-svc/fetch/fetch.h"

static struct fetch *fetch_of(const struct fetch_query *q)
{
  return q->dealer->fetch;
}

bool fetch_is_own(const Analytics__Report__V1__FetchReportsRequest *request)
{
  for (size_t i = 0; i < request->n_queries; i++)
    if (own_is_asked(request->queries[i]->report))
      return true;
  return false;
}

/* ------------------------------------------------------------------ rows */

static enum err_code add_row(struct fetch_query *q, const Analytics__Ga4__V1beta__Row *r,
                             struct err *e)
{
  struct rows_text dimensions[ROWS_MAX_COLUMNS], metrics[ROWS_MAX_COLUMNS];
  struct rows_row row = {dimensions, metrics, r->n_dimension_values, r->n_metric_values, 0};
  for (size_t i = 0; i < r->n_dimension_values; i++)
    dimensions[i] =
        (struct rows_text){r->dimension_values[i]->value, strlen(r->dimension_values[i]->value)};
  for (size_t i = 0; i < r->n_metric_values; i++)
    metrics[i] = (struct rows_text){r->metric_values[i]->value, strlen(r->metric_values[i]->value)};
  return columns_add(q->columns, &row, e);
}

/* Rows into the stream until it is full; again when there is room. */
static void hand_on(void *arg)
{
  struct fetch_query *q = arg;
  const Analytics__Ga4__V1beta__RunReportResponse *report = own_report(q->own);
  struct err e = {0};
  while ((size_t)q->rows < report->n_rows && e.code == ERR_OK) {
    if (columns_full(q->columns)) {
      e.code = fetch_query_send_chunk(q);
      continue;
    }
    if (add_row(q, report->rows[q->rows], &e) == ERR_OK)
      q->rows++;
  }
  if (e.code == ERR_RESOURCE_EXHAUSTED && e.reason[0] == '\0') {
    q->waiter = (struct fetch_waiter){.go = hand_on, .arg = q};
    fetch_park(fetch_of(q), &q->waiter);
  } else if (e.code != ERR_OK) {
    fetch_query_end(q, &e);
  } else {
    fetch_query_flush(q);
  }
}

static void on_done(void *user, struct own_job *j, const struct err *status)
{
  struct fetch_query *q = user;
  struct fetch *f = fetch_of(q);
  const struct ask *a = own_ask(j);
  struct err e = *status;
  if (e.code == ERR_OK && own_report(j)->row_count > f->max_rows)
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
            "the report has %d rows, more than %lld; ask for fewer dimensions or days, or filter",
            own_report(j)->row_count, (long long)f->max_rows);
  if (a != NULL && ask_used_token(a) != NULL && strlen(ask_property(a)) > 0)
    fetch_dealer_know(q->dealer, ask_property(a) + strlen("properties/"), ask_used_token(a));
  pthread_mutex_lock(&f->lock);
  if (e.code == ERR_OK)
    q->dealer->properties_read = own_facts(j)->properties;
  pthread_mutex_unlock(&f->lock);
  if (e.code != ERR_OK) {
    request_locate(q->query->report, &e);
    fetch_query_end(q, &e);
    return;
  }
  q->rest = own_report(j);
  hand_on(q);
}

void fetch_own_start(struct fetch_query *q)
{
  struct fetch *f = fetch_of(q);
  struct own_options options = {.service = f->service,
                                .parent = f->call,
                                .dealer_id = f->request->dealer_refs[q->dealer->index],
                                .property_id = "",
                                .purpose = f->request->purpose,
                                .asked = q->report,
                                .all = true,
                                .first_only = !f->request->add_properties,
                                .on_done = on_done,
                                .user = q};
  struct own_job *j = own_job_new(&options);
  pthread_mutex_lock(&f->lock);
  q->own = own_job_ref(j);
  bool stop = f->cancelled || q->dealer->error.code != ERR_OK;
  pthread_mutex_unlock(&f->lock);
  if (stop)
    own_job_cancel(j); /* before the start: ends it at once */
  own_job_start(j);    /* q may be gone after this */
  own_job_unref(j);
}
