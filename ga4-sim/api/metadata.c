/* getMetadata: the fields of a property. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/api/metadata.h"
#include "ga4-sim/api/put.h"
#include "ga4-sim/report/comparisons.h"

/* {"apiName":...,"uiName":...,"description":...[,"deprecatedApiNames":[..]],"category":.. */
static void put_common(struct buf *out, const char *api, const char *ui, const char *description,
                       const char *deprecated, const char *category)
{
  buf_putc(out, '{');
  put_text(out, "apiName", api);
  buf_putc(out, ',');
  put_text(out, "uiName", ui);
  buf_putc(out, ',');
  put_text(out, "description", description);
  if (deprecated != NULL) {
    buf_puts(out, ",\"deprecatedApiNames\":[");
    buf_put_json_string(out, deprecated, strlen(deprecated));
    buf_putc(out, ']');
  }
  buf_putc(out, ',');
  put_text(out, "category", category);
}

void metadata_put_dimension(const struct field *f, struct buf *out)
{
  put_common(out, f->api_name, f->ui_name, f->description, f->deprecated, f->category);
  buf_putc(out, '}');
}

void metadata_put_custom_dimension(const struct world_definition *d, struct buf *out)
{
  AUTO_FREE char *api = xasprintf("customEvent:%s", d->name);
  put_common(out, api, d->display_name,
             "An event scoped custom dimension for your Analytics property.", NULL, "Custom");
  buf_puts(out, ",\"customDefinition\":true}");
}

static void put_dimensions(const struct world_property *p, struct buf *out)
{
  const struct field *f;
  for (size_t i = 0; (f = field_at(false, i)) != NULL; i++) {
    if (i > 0)
      buf_putc(out, ',');
    metadata_put_dimension(f, out);
  }
  for (size_t i = 0; p != NULL && i < p->custom_dimension_count; i++) {
    buf_putc(out, ',');
    metadata_put_custom_dimension(&p->custom_dimensions[i], out);
  }
}

static void put_type(const struct call *c, enum metric_type type, struct buf *out)
{
  put_enum(c, out, "type", metric_type_name(type), metric_type_number(type));
  buf_putc(out, '}');
}

void metadata_put_metric(const struct call *c, const struct field *f, struct buf *out)
{
  put_common(out, f->api_name, f->ui_name, f->description, f->deprecated, f->category);
  put_type(c, f->type, out);
}

static void put_metrics(const struct call *c, struct buf *out)
{
  const struct world_property *p = c->target;
  static const struct {
    const char *prefix, *ui, *description, *category;
  } per_event[] = {
      {"keyEvents", "Key events", "The count of this key event.", "Event"},
      {"sessionKeyEventRate", "Session key event rate",
       "The percentage of sessions in which this key event was triggered.", "Session"},
      {"userKeyEventRate", "User key event rate",
       "The percentage of users who triggered this key event.", "User"},
  };
  const struct field *f;
  for (size_t i = 0; (f = field_at(true, i)) != NULL; i++) {
    if (i > 0)
      buf_putc(out, ',');
    metadata_put_metric(c, f, out);
  }
  for (size_t k = 0; p != NULL && k < p->key_event_count; k++)
    for (size_t i = 0; i < ARRAY_LEN(per_event); i++) {
      AUTO_FREE char *api = xasprintf("%s:%s", per_event[i].prefix, p->key_events[k].name);
      AUTO_FREE char *ui = xasprintf("%s for %s", per_event[i].ui, p->key_events[k].name);
      buf_putc(out, ',');
      put_common(out, api, ui, per_event[i].description, NULL, per_event[i].category);
      put_type(c, METRIC_TYPE_FLOAT, out);
    }
}

static void put_custom_metrics(const struct call *c, struct buf *out)
{
  const struct world_property *p = c->target;
  for (size_t m = 0; p != NULL && m < p->custom_metric_count; m++)
    for (size_t i = 0; i < custom_metric_form_count; i++) {
      const struct custom_metric_form *form = &custom_metric_forms[i];
      AUTO_FREE char *api = xasprintf("%s%s", form->prefix, p->custom_metrics[m].name);
      AUTO_FREE char *ui = xasprintf("%s%s", form->ui_prefix, p->custom_metrics[m].display_name);
      buf_putc(out, ',');
      put_common(out, api, ui, form->description, NULL, "Custom");
      buf_printf(out, ",\"customDefinition\":true");
      put_type(c, form->type, out);
    }
}

static void put_comparisons(struct buf *out)
{
  buf_puts(out, ",\"comparisons\":[");
  for (size_t i = 0; i < stock_comparison_count; i++) {
    buf_puts(out, i == 0 ? "{" : ",{");
    put_text(out, "apiName", stock_comparisons[i].resource);
    buf_putc(out, ',');
    put_text(out, "uiName", stock_comparisons[i].ui_name);
    buf_putc(out, ',');
    put_text(out, "description", stock_comparisons[i].description);
    buf_putc(out, '}');
  }
  buf_putc(out, ']');
}

void api_get_metadata(const struct call *c, struct reply *r)
{
  /* NULL: properties/0, the schema without custom fields and comparisons. */
  const struct world_property *p = c->target;
  struct buf *out = &r->body;
  buf_printf(out, "{\"name\":\"properties/%s/metadata\",\"dimensions\":[",
             p == NULL ? "0" : p->id_text);
  put_dimensions(p, out);
  buf_puts(out, "],\"metrics\":[");
  put_metrics(c, out);
  put_custom_metrics(c, out);
  buf_putc(out, ']');
  if (p != NULL)
    put_comparisons(out);
  buf_putc(out, '}');
}
