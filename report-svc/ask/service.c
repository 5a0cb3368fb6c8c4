/* What the handlers share: metrics and bounds. */
#include "report-svc/ask/service.h"

#include "common/base/metrics.h"
#include "report-svc/request/request.h"

enum { SITES_MAX = 4096 };
enum {
  DEFAULT_MAX_ANSWER = 4 * 1024 * 1024,
  DEFAULT_JOIN_BYTES = 64 * 1024 * 1024,
  DEFAULT_INTAKE_BYTES = 48 * 1024 * 1024,
};

void report_service_init(struct service *s)
{
  s->rows = metrics_counter("report_rows_total", "Rows decoded from Google's answers.", NULL);
  s->flights = flights_new();
  s->zones = zones_new();
  room_init(
      &s->joins, s->join_bytes == 0 ? DEFAULT_JOIN_BYTES : s->join_bytes,
      metrics_gauge("report_joins_bytes", "Memory of reports that are being put together.", NULL));
  intake_init(
      &s->intake, s->intake_bytes == 0 ? DEFAULT_INTAKE_BYTES : s->intake_bytes,
      metrics_gauge("report_intake_bytes", "Memory of reports that arrive for fan-outs.", NULL));
  lookback_init(&s->sites, SITES_MAX);
}

void report_service_end(struct service *s)
{
  flights_free(s->flights);
  zones_free(s->zones);
  lookback_free(&s->sites);
  room_end(&s->joins);
  intake_end(&s->intake);
}

size_t report_service_max_answer(const struct service *s)
{
  return s->max_answer_bytes == 0 ? DEFAULT_MAX_ANSWER : s->max_answer_bytes;
}

static void put_line(struct buf *key, const char *name)
{
  buf_puts(key, name);
  buf_putc(key, '\n');
}

enum err_code service_put_key(const struct service_key *k, const struct token *t,
                              const ProtobufCMessage *body, struct buf *key, struct err *e)
{
  buf_expect(key, 512);
  put_line(key, k->method);
  put_line(key, t->dealer_ref);
  put_line(key, k->property);
  put_line(key, t->quota_project);
  if (body != NULL && request_put_canonical(key, body, k->zone, k->now_unix_ms, e) != ERR_OK)
    return e->code;
  return key->failed ? err_set(e, ERR_INTERNAL, "internal", "the names of the dealer are too long")
                     : ERR_OK;
}
