/* Shared fields of requests, read by descriptor and checked. */
#include "aggregate-svc/call/request.h"

#include <string.h>

#include "aggregate-svc/cohort/cohort.h"

typedef Analytics__Ga4__V1beta__DateRange DateRange;

enum { ID_BYTES_MAX = 128 * 4, NAME_BYTES_MAX = 256 * 4 };

static enum err_code invalid(struct err *e, const char *field, size_t i, const char *what)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s[%zu]: %s", field, i, what);
}

/* ----------------------------------------------------------------------- reading */

/* A field of the given type; NULL when the message has none. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessage *m, const char *name,
                                            ProtobufCLabel label, ProtobufCType type)
{
  const ProtobufCFieldDescriptor *f =
      protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
  return f != NULL && f->label == label && f->type == type ? f : NULL;
}

static const char *text_of(const ProtobufCMessage *m, const char *name)
{
  const ProtobufCFieldDescriptor *f = find(m, name, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_STRING);
  const char *text = NULL;
  if (f != NULL)
    memcpy(&text, (const char *)m + f->offset, sizeof(text));
  return text != NULL ? text : "";
}

static const DateRange *date_range_of(const ProtobufCMessage *m)
{
  const ProtobufCFieldDescriptor *f =
      find(m, "date_range", PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_MESSAGE);
  const DateRange *range = NULL;
  if (f != NULL && f->descriptor == &analytics__ga4__v1beta__date_range__descriptor)
    memcpy(&range, (const char *)m + f->offset, sizeof(range));
  return range;
}

struct request_fields request_read(const ProtobufCMessage *m)
{
  struct request_fields out = {.region = text_of(m, "region"),
                               .cohort = text_of(m, "cohort"),
                               .subject = text_of(m, "subject"),
                               .date_range = date_range_of(m)};
  const ProtobufCFieldDescriptor *f =
      find(m, "dealer_ids", PROTOBUF_C_LABEL_REPEATED, PROTOBUF_C_TYPE_STRING);
  if (f != NULL) {
    memcpy(&out.dealer_ids, (const char *)m + f->offset, sizeof(out.dealer_ids));
    memcpy(&out.n_dealer_ids, (const char *)m + f->quantifier_offset, sizeof(out.n_dealer_ids));
  }
  return out;
}

/* ---------------------------------------------------------------------- checking */

static enum err_code check_length(const char *field, const char *text, const char *remedy,
                                  struct err *e)
{
  if (strlen(text) <= ID_BYTES_MAX)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s: longer than 128 characters; %s",
                 field, remedy);
}

static enum err_code check_ids(const struct request_fields *f, struct err *e)
{
  if (f->n_dealer_ids > COHORT_MAX_DEALERS)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "dealer_ids: %zu items; at most %d, or give a region", f->n_dealer_ids,
                   COHORT_MAX_DEALERS);
  for (size_t i = 0; i < f->n_dealer_ids; i++) {
    if (f->dealer_ids[i][0] == '\0')
      return invalid(e, "dealer_ids", i, "empty; list_dealers shows the ids");
    if (strlen(f->dealer_ids[i]) > ID_BYTES_MAX)
      return invalid(e, "dealer_ids", i, "longer than 128 characters; list_dealers shows the ids");
  }
  return ERR_OK;
}

enum err_code request_check_fields(const struct request_fields *f, struct err *e)
{
  if (f->n_dealer_ids > 0 && f->region[0] != '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "region: give dealer_ids or region, not both");
  enum err_code code = check_length("region", f->region, "list_dealers shows the regions", e);
  if (code == ERR_OK)
    code = check_ids(f, e);
  if (code == ERR_OK)
    code = check_length("subject", f->subject, "list_dealers shows the ids", e);
  if (code == ERR_OK)
    code = check_length("cohort", f->cohort, "list_cohorts shows the ids", e);
  return code;
}

enum err_code request_period(struct period *out, const Analytics__Ga4__V1beta__DateRange *range,
                             int64_t now_unix_ms, struct err *e)
{
  if (range == NULL)
    return period_parse(out, false, NULL, NULL, now_unix_ms, e);
  return period_parse(out, true, range->start_date, range->end_date, now_unix_ms, e);
}

enum err_code request_check_names(const char *field, char *const *names, size_t n, size_t max,
                                  struct err *e)
{
  if (n > max)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s: %zu items; at most %zu", field,
                   n, max);
  for (size_t i = 0; i < n; i++) {
    if (names[i][0] == '\0')
      return invalid(e, field, i, "empty; give a GA4 API name");
    if (strlen(names[i]) > NAME_BYTES_MAX)
      return invalid(e, field, i, "longer than 256 characters; give a GA4 API name");
    for (size_t k = 0; k < i; k++)
      if (strcmp(names[i], names[k]) == 0)
        return invalid(e, field, i, "duplicate");
  }
  return ERR_OK;
}

enum err_code request_check_limit(const char *field, int32_t given, int32_t fallback, int32_t max,
                                  size_t *out, struct err *e)
{
  if (given < 0 || given > max)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s: %d is not from %d to %d",
                   field, given, fallback > 0 ? 1 : 0, max);
  *out = (size_t)(given == 0 ? fallback : given);
  return ERR_OK;
}

enum err_code request_no_subject(struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "subject: name the dealer that the question is about; list_dealers shows those "
                 "you may read");
}

enum err_code request_check_page(const char *name, int32_t limit, int32_t offset, size_t *out_limit,
                                 size_t *out_offset, struct err *e)
{
  enum { DEALERS_MAX = 500 };
  enum err_code code = request_check_limit(name, limit, 0, DEALERS_MAX, out_limit, e);
  return code == ERR_OK ? request_check_limit("offset", offset, 0, DEALERS_MAX, out_offset, e)
                        : code;
}
