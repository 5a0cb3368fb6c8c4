/* The service's metrics, and what it remembers between calls. */
#include "aggregate-svc/call/service.h"

#include "aggregate-svc/call/late.h"

void aggregate_service_init(struct aggregate_service *s)
{
  atomic_init(&s->calls, 0);
  atomic_init(&s->bytes, 0);
  definitions_cache_init(&s->definitions);
  lookback_init(&s->lookback, s->options.lead_memory);
  s->lately = lately_new();
  s->dealers_total = metrics_counter("aggregate_dealers_total",
                                     "Dealers asked in fan-outs, by outcome.", "outcome", NULL);
  s->late_total = metrics_counter("aggregate_late_total",
                                  "Questions that were finished in the background, by outcome: "
                                  "finished, given_up, dropped, refused.",
                                  "outcome", NULL);
  s->late_waiting = metrics_gauge("aggregate_late_questions",
                                  "Questions that wait to be finished in the background.", NULL);
  s->late = late_queue_new(&s->options);
  s->seconds = metrics_histogram("aggregate_seconds", "Time from call to answer.", "rpc", NULL);
}

void aggregate_service_stop(struct aggregate_service *s)
{
  if (s->late != NULL)
    finish_stop(s->late);
}

void aggregate_service_free(struct aggregate_service *s)
{
  finish_free(s->late);
  table_free(&s->definitions);
  lookback_free(&s->lookback);
  lately_free(s->lately);
}
