/* What two ways of asking the same have in common: the packed request, with the days that its
 * relative dates stand for. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/zone.h"
#include "report-svc/request/request.h"

typedef Analytics__Ga4__V1beta__DateRange date_range;

enum { DAY_MS = 86400000, DATE_SIZE = 16, MAX_MESSAGE = 1024 };

int64_t request_local_ms(const char *zone, int64_t now_unix_ms)
{
  int32_t offset_s = 0;
  if (zone != NULL && zone[0] != '\0')
    zone_offset(zone, now_unix_ms / 1000, &offset_s);
  return now_unix_ms + (int64_t)offset_s * 1000;
}

int64_t request_today(const char *zone, int64_t now_unix_ms)
{
  return request_local_ms(zone, now_unix_ms) / DAY_MS;
}

int64_t request_day_left_ms(const char *zone, int64_t now_unix_ms)
{
  return DAY_MS - request_local_ms(zone, now_unix_ms) % DAY_MS;
}

/* Ranges whose days are written out. */
struct resolved {
  date_range ranges[REQUEST_MAX_DATE_RANGES], *list[REQUEST_MAX_DATE_RANGES];
  char dates[REQUEST_MAX_DATE_RANGES][2][DATE_SIZE];
};

static void resolve(struct resolved *out, date_range *const *ranges, size_t n, int64_t today)
{
  for (size_t i = 0; i < n; i++) {
    clock_format_date(request_day(ranges[i]->start_date, today), out->dates[i][0], DATE_SIZE);
    clock_format_date(request_day(ranges[i]->end_date, today), out->dates[i][1], DATE_SIZE);
    out->ranges[i] = *ranges[i];
    out->ranges[i].start_date = out->dates[i][0];
    out->ranges[i].end_date = out->dates[i][1];
    out->list[i] = &out->ranges[i];
  }
}

/* The field of date ranges, which several methods have; NULL when the body has none. */
static const ProtobufCFieldDescriptor *ranges_field(const ProtobufCMessage *body)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(body->descriptor, "date_ranges");
  bool fits = field != NULL && field->label == PROTOBUF_C_LABEL_REPEATED &&
              field->descriptor == &analytics__ga4__v1beta__date_range__descriptor &&
              body->descriptor->sizeof_message <= MAX_MESSAGE;
  return fits ? field : NULL;
}

static enum err_code put_packed(struct buf *out, const ProtobufCMessage *body, struct err *e)
{
  char *at = buf_reserve(out, protobuf_c_message_get_packed_size(body));
  if (at == NULL)
    return request_too_large(e);
  out->len += protobuf_c_message_pack(body, (uint8_t *)at);
  return ERR_OK;
}

enum err_code request_put_canonical(struct buf *out, const ProtobufCMessage *body, const char *zone,
                                    int64_t now_unix_ms, struct err *e)
{
  _Alignas(max_align_t) char copy[MAX_MESSAGE];
  struct resolved days;
  const ProtobufCFieldDescriptor *field = ranges_field(body);
  if (field == NULL || zone == NULL || zone[0] == '\0')
    return put_packed(out, body, e);
  memcpy(copy, body, body->descriptor->sizeof_message);
  date_range **list, **resolved = days.list;
  size_t n;
  memcpy(&list, copy + field->offset, sizeof(list));
  memcpy(&n, copy + field->quantifier_offset, sizeof(n));
  if (n > REQUEST_MAX_DATE_RANGES)
    return put_packed(out, body, e);
  resolve(&days, list, n, request_today(zone, now_unix_ms));
  memcpy(copy + field->offset, &resolved, sizeof(resolved));
  return put_packed(out, (const ProtobufCMessage *)(const void *)copy, e);
}
