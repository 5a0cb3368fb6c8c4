/* checkCompatibility: which fields of the property may be added to a report. */
#include "common/base/arena.h"
#include "common/base/mem.h"
#include "ga4-sim/api/metadata.h"
#include "ga4-sim/api/put.h"
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/fields.h"

enum { ARENA_MAX = 4 * 1024 * 1024 };

struct answer {
  const struct call *call;
  struct reader *reader;
  int filter; /* enum compatibility */
  struct buf *out;
  size_t count;     /* in the list that is written */
  const char *lead; /* before the list */
};

/* Writes an element's start and its compatibility; false: the filter leaves it out. */
static bool begin(struct answer *a, const char *list, enum field_group group)
{
  bool good = checks_group_fits(a->reader, group);
  if (a->filter != COMPATIBILITY_UNSPECIFIED && a->filter != (good ? COMPATIBLE : INCOMPATIBLE))
    return false;
  if (a->count++ == 0)
    buf_printf(a->out, "%s\"%s\":[{\"compatibility\":", a->lead, list);
  else
    buf_puts(a->out, ",{\"compatibility\":");
  if (a->call->request->enums_as_numbers)
    buf_printf(a->out, "%d,", good ? COMPATIBLE : INCOMPATIBLE);
  else
    buf_printf(a->out, "\"%s\",", good ? "COMPATIBLE" : "INCOMPATIBLE");
  return true;
}

static void put_dimensions(struct answer *a)
{
  const struct world_property *p = a->call->target;
  const struct field *f;
  for (size_t i = 0; (f = field_at(false, i)) != NULL; i++) {
    if (!begin(a, "dimensionCompatibilities", f->group))
      continue;
    buf_puts(a->out, "\"dimensionMetadata\":");
    metadata_put_dimension(f, a->out);
    buf_putc(a->out, '}');
  }
  for (size_t i = 0; i < p->custom_dimension_count; i++) {
    if (!begin(a, "dimensionCompatibilities", GROUP_EVENT))
      continue;
    buf_puts(a->out, "\"dimensionMetadata\":");
    metadata_put_custom_dimension(&p->custom_dimensions[i], a->out);
    buf_putc(a->out, '}');
  }
  if (a->count > 0)
    buf_putc(a->out, ']');
}

static void put_metrics(struct answer *a)
{
  const struct field *f;
  a->lead = a->count > 0 ? "," : "";
  a->count = 0;
  for (size_t i = 0; (f = field_at(true, i)) != NULL; i++) {
    if (!begin(a, "metricCompatibilities", f->group))
      continue;
    buf_puts(a->out, "\"metricMetadata\":");
    metadata_put_metric(a->call, f, a->out);
    buf_putc(a->out, '}');
  }
  if (a->count > 0)
    buf_putc(a->out, ']');
}

void api_check_compatibility(const struct call *c, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE struct report_request *request = xcalloc(1, sizeof(*request));
  struct err e = {0};
  *request = (struct report_request){.property = c->target, .arena = arena};
  struct reader x = {.r = request, .tree = c->body, .e = &e};
  const cJSON *filter = member(c->body, "compatibilityFilter");
  struct answer a = {.call = c,
                     .reader = &x,
                     .filter = filter == NULL ? COMPATIBILITY_UNSPECIFIED : filter->valueint,
                     .out = &r->body,
                     .lead = ""};
  if (check_fields(&x) == ERR_OK && check_compatibility(&x) == ERR_OK) {
    buf_putc(&r->body, '{');
    put_dimensions(&a);
    put_metrics(&a);
    buf_putc(&r->body, '}');
  } else {
    reply_err(r, &e);
  }
  arena_free(arena);
}
