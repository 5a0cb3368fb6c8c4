/* Prints headers and rows of a report's answer. */
#include "ga4-sim/report/print.h"

#include <stdio.h>
#include <string.h>

#include "ga4-sim/base/value.h"

void print_string(struct buf *out, const char *text)
{
  buf_put_json_string(out, text, strlen(text));
}

void print_cell(struct buf *out, const char *text)
{
  buf_puts(out, "{\"value\":");
  print_string(out, text);
  buf_putc(out, '}');
}

static bool any_visible(const struct report_request *r)
{
  for (size_t i = 0; i < r->metric_count; i++)
    if (!r->metrics[i].invisible)
      return true;
  return false;
}

static void print_dimension_headers(const struct report_request *r, struct buf *out)
{
  for (size_t i = 0; i < r->dimension_count; i++) {
    buf_puts(out, i == 0 ? "\"dimensionHeaders\":[{\"name\":" : ",{\"name\":");
    print_string(out, r->dimensions[i].name);
    buf_putc(out, '}');
  }
  if (r->dimension_count > 0)
    buf_puts(out, "],");
}

/* A client must take a type it does not know for unset. */
static void print_type(const struct report_request *r, const struct request_metric *m,
                       const struct report_style *style, struct buf *out)
{
  if (r->conditions.unknown_enum)
    buf_puts(out, style->enums_as_numbers ? ",\"type\":99}" : ",\"type\":\"TYPE_LIGHT_YEARS\"}");
  else if (style->enums_as_numbers)
    buf_printf(out, ",\"type\":%d}", metric_type_number(m->type));
  else
    buf_printf(out, ",\"type\":\"%s\"}", metric_type_name(m->type));
}

void print_headers(const struct report_request *r, const struct report_style *style,
                   struct buf *out)
{
  size_t visible = 0;
  print_dimension_headers(r, out);
  for (size_t i = 0; i < r->metric_count; i++) {
    const struct request_metric *m = &r->metrics[i];
    if (m->invisible)
      continue;
    buf_puts(out, visible++ == 0 ? "\"metricHeaders\":[{\"name\":" : ",{\"name\":");
    print_string(out, m->name);
    print_type(r, m, style, out);
  }
  if (visible > 0)
    buf_puts(out, "],");
}

static void print_metric_value(enum metric_type type, double value, struct buf *out)
{
  char text[32];
  if (type == METRIC_TYPE_INTEGER)
    snprintf(text, sizeof(text), "%lld", (long long)value);
  else
    value_format_double(value, text, sizeof(text));
  buf_printf(out, "{\"value\":\"%s\"}", text);
}

void print_metric_values(const struct report_request *r, const double *values, struct buf *out)
{
  const char *before = "\"metricValues\":[";
  if (!any_visible(r))
    return;
  for (size_t i = 0; i < r->metric_count; i++) {
    if (r->metrics[i].invisible)
      continue;
    buf_puts(out, before);
    print_metric_value(r->metrics[i].type, values[i], out);
    before = ",";
  }
  buf_putc(out, ']');
}

void print_row(const struct report_request *r, const char *const *texts, const double *values,
               struct buf *out)
{
  buf_putc(out, '{');
  for (size_t i = 0; i < r->dimension_count; i++) {
    buf_puts(out, i == 0 ? "\"dimensionValues\":[" : ",");
    print_cell(out, texts[i]);
  }
  if (r->dimension_count > 0)
    buf_puts(out, any_visible(r) ? "]," : "]");
  print_metric_values(r, values, out);
  buf_putc(out, '}');
}
