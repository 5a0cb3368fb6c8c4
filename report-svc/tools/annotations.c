/* ListPropertyAnnotations: notes about days of a property. */
#include <stdio.h>

#include "analytics/ga4/v1alpha/admin.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/google/field.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Ga4__V1alpha__ReportingDataAnnotation ga4_annotation;
typedef Analytics__Report__V1__PropertyAnnotation row_message;

/* "" for no date. */
static char *date_text(const Analytics__Ga4__V1alpha__Date *d, struct arena *arena)
{
  char text[48];
  if (d == NULL)
    return arena_strdup(arena, "");
  snprintf(text, sizeof(text), "%04d-%02d-%02d", d->year, d->month, d->day);
  return arena_strdup(arena, text);
}

static char *color_name(int color, struct arena *arena)
{
  const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
      &analytics__ga4__v1alpha__reporting_data_annotation__color__descriptor, color);
  return arena_strdup(arena, v == NULL || color == 0 ? "" : v->name);
}

static row_message *row_of(const ga4_annotation *in, struct arena *arena)
{
  row_message *row = ARENA_NEW(arena, row_message);
  if (row == NULL)
    return NULL;
  bool several = in->target_case ==
                 ANALYTICS__GA4__V1ALPHA__REPORTING_DATA_ANNOTATION__TARGET_ANNOTATION_DATE_RANGE;
  bool one =
      in->target_case == ANALYTICS__GA4__V1ALPHA__REPORTING_DATA_ANNOTATION__TARGET_ANNOTATION_DATE;
  const Analytics__Ga4__V1alpha__Date *day = one ? in->annotation_date : NULL;
  analytics__report__v1__property_annotation__init(row);
  row->title = in->title;
  row->description = in->description;
  row->name = in->name;
  row->system_generated = in->system_generated;
  row->start_date = date_text(several ? in->annotation_date_range->start_date : day, arena);
  row->end_date = date_text(several ? in->annotation_date_range->end_date : day, arena);
  row->color = color_name((int)in->color, arena);
  bool whole = row->start_date != NULL && row->end_date != NULL && row->color != NULL;
  return whole ? row : NULL;
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  struct ga4_list all = ga4_list(ask_message(a), "reporting_data_annotations");
  (void)request;
  ProtobufCMessage *m =
      answer_list(a, &analytics__report__v1__list_property_annotations_response__descriptor,
                  "reporting_data_annotations", "annotations", "annotation", "annotations", arena);
  ProtobufCMessage **rows = ARENA_ARRAY(arena, ProtobufCMessage *, all.n);
  if (m == NULL || rows == NULL)
    return NULL;
  for (size_t i = 0; i < all.n; i++) {
    row_message *row = row_of((const ga4_annotation *)all.items[i], arena);
    if (row == NULL)
      return NULL;
    rows[i] = &row->base;
  }
  ga4_set_list(m, "annotations", (struct ga4_list){rows, all.n});
  return m;
}

void annotations_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_ANNOTATIONS, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
