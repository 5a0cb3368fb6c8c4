/* Reports of FetchReports that are kept: what was sent of one whose days are final everywhere is
 * sent again when the same is asked, without Google. auth-svc gives a token first, each time.
 * The key has the days that relative dates stand for in the property's zone, which its first answer
 * names. */
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "report-svc/fetch/fetch.h"

/* FINAL_DAYS: behind the property's day. Behind the day in UTC one more, so that as many have ended
 * in any zone. */
enum { KEPT_MAX = 512 * 1024, KEY_EXTRA = 1024, FINAL_DAYS = 2, DAY_MS = 86400000 };

typedef Analytics__Report__V1__ColumnChunk Chunk;
typedef Analytics__Ga4__V1beta__RunReportResponse Rest;

static struct service *service_of(const struct fetch_query *q)
{
  return q->dealer->fetch->service;
}

/* Whether one of the days depends on the property's zone. */
static bool is_relative(const struct fetch_query *q)
{
  bool relative = false;
  for (size_t i = 0; i < q->report->n_date_ranges; i++)
    relative = relative || request_date_is_relative(q->report->date_ranges[i]->start_date) ||
               request_date_is_relative(q->report->date_ranges[i]->end_date);
  return relative;
}

/* By the days as they were when the report was asked for. False where they are not known, or others
 * by now. */
static bool put_key(const struct fetch_query *q, const struct token *t, const char *property,
                    const char *zone, struct buf *key)
{
  struct err e = {0};
  const struct service_key k = {"FetchReports", property, zone, q->asked_unix_ms};
  if (is_relative(q) && (zone[0] == '\0' || request_today(zone, q->asked_unix_ms) !=
                                                request_today(zone, clock_unix_ms())))
    return false;
  return service_put_key(&k, t, &q->report->base, key, &e) == ERR_OK;
}

/* A relative date is as far behind the property's day as it says, whatever that is. */
static bool is_final_end(const char *date, int64_t unix_ms)
{
  int64_t today = request_date_is_relative(date) ? 0 : unix_ms / DAY_MS - 1;
  return request_day(date, today) <= today - FINAL_DAYS;
}

/* Whether all days of the report are final, whatever the property's zone. */
static bool is_final(const struct fetch_query *q)
{
  bool final = q->report->n_date_ranges > 0 && q->report->cohort_spec == NULL &&
               !q->query->report->return_property_quota;
  for (size_t i = 0; final && i < q->report->n_date_ranges; i++)
    final = is_final_end(q->report->date_ranges[i]->end_date, q->asked_unix_ms);
  return final;
}

static int64_t rows_of(const struct answer *a)
{
  int64_t rows = 0;
  for (size_t i = 0; i < a->lists[0].n; i++)
    rows += ((const Chunk *)a->lists[0].items[i])->row_count;
  return rows;
}

bool fetch_kept_find(struct fetch_query *q, const struct token *t, const char *property)
{
  struct cache *cache = service_of(q)->cache;
  AUTO_BUF struct buf key = BUF_INIT(REQUEST_MAX_BODY + KEY_EXTRA);
  char zone[ZONE_SIZE];
  if (q->looked)
    return q->kept != NULL;
  q->looked = true;
  q->asked_unix_ms = clock_unix_ms();
  if (cache_ttl_ms(cache) == 0 || !is_final(q))
    return false;
  zones_find(service_of(q)->zones, property, zone);
  if (put_key(q, t, property, zone, &key))
    q->kept = cache_get(cache, &key, clock_mono_ms());
  if (q->kept != NULL && rows_of(q->kept) > q->dealer->fetch->max_rows)
    answer_unref(TAKE_PTR(q->kept));
  if (q->kept == NULL)
    q->record = answer_new(KEPT_MAX);
  return q->kept != NULL;
}

/* A copy in the record's arena; NULL at its cap. */
static ProtobufCMessage *copy_of(const ProtobufCMessage *message, struct answer *to)
{
  size_t len = protobuf_c_message_get_packed_size(message);
  if (len > KEPT_MAX)
    return NULL;
  AUTO_FREE uint8_t *bytes = xmalloc(len + 1);
  ProtobufCAllocator allocator = pbjson_arena_allocator(to->arena);
  protobuf_c_message_pack(message, bytes);
  return protobuf_c_message_unpack(message->descriptor, &allocator, len, bytes);
}

void fetch_kept_record(struct fetch_query *q, const Chunk *chunk)
{
  if (q->record == NULL)
    return;
  ProtobufCMessage *copy = copy_of(&chunk->base, q->record);
  if (copy == NULL)
    answer_unref(TAKE_PTR(q->record));
  else
    answer_list_add(&q->record->lists[0], copy);
}

void fetch_kept_put(struct fetch_query *q)
{
  AUTO_BUF struct buf key = BUF_INIT(REQUEST_MAX_BODY + KEY_EXTRA);
  Rest rest = *q->rest;
  const char *zone = rest.metadata != NULL ? rest.metadata->time_zone : "";
  zones_learn(service_of(q)->zones, q->dealer->property, zone);
  rest.property_quota = NULL;
  q->record->message = copy_of(&rest.base, q->record);
  if (q->record->message != NULL && q->token != NULL &&
      put_key(q, q->token, q->dealer->property, zone, &key))
    cache_put(service_of(q)->cache, &key, q->record, CACHE_FINAL_MS, clock_mono_ms());
}
