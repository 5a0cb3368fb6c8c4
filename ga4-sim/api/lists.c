/* The Admin API's lists of what belongs to a property. */
#include <stdlib.h>
#include <string.h>

#include "ga4-sim/api/page.h"
#include "ga4-sim/api/put.h"

/* Begins an element: {"name":"properties/P/COLLECTION/ID", with a comma. Google's ids are numbers
 * of its own; ours follow from property and position. */
static void put_name(const struct call *c, size_t i, const char *collection, struct buf *out)
{
  buf_printf(out, "{\"name\":\"properties/%s/%s/%llu\",", c->target->id_text, collection,
             (unsigned long long)c->target->property_id * 100 + i + 1);
}

static void put_times(const struct call *c, struct buf *out)
{
  buf_putc(out, ',');
  put_text(out, "createTime", c->target->create_time);
  buf_putc(out, ',');
  put_text(out, "updateTime", c->target->create_time);
}

static void list(const struct call *c, const char *mark, const char *name, size_t count,
                 void (*put)(const struct call *c, size_t i, struct buf *out), struct reply *r)
{
  struct page page;
  if (page_read(c, mark, count, &page, r))
    page_write(c, mark, name, &page, put, r);
}

static void put_key_event(const struct call *c, size_t i, struct buf *out)
{
  put_name(c, i, "keyEvents", out);
  put_text(out, "eventName", c->target->key_events[i].name);
  buf_putc(out, ',');
  put_text(out, "createTime", c->target->create_time);
  buf_puts(out, ",\"deletable\":true,\"custom\":true");
  put_enum(c, out, "countingMethod", "ONCE_PER_EVENT", 1);
  buf_putc(out, '}');
}

void api_list_key_events(const struct call *c, struct reply *r)
{
  list(c, "KE", "keyEvents", c->target->key_event_count, put_key_event, r);
}

static void put_ads_link(const struct call *c, size_t i, struct buf *out)
{
  put_name(c, i, "googleAdsLinks", out);
  put_text(out, "customerId", c->target->ads_links[i].name);
  buf_puts(out, ",\"adsPersonalizationEnabled\":true");
  put_times(c, out);
  buf_putc(out, ',');
  put_text(out, "creatorEmailAddress", "marketing@example.com");
  buf_putc(out, '}');
}

void api_list_google_ads_links(const struct call *c, struct reply *r)
{
  list(c, "GA", "googleAdsLinks", c->target->ads_link_count, put_ads_link, r);
}

static void put_definition(const struct call *c, const struct world_definition *d, struct buf *out)
{
  put_text(out, "parameterName", d->name);
  buf_putc(out, ',');
  put_text(out, "displayName", d->display_name);
  put_enum(c, out, "scope", "EVENT", 1);
}

static void put_custom_dimension(const struct call *c, size_t i, struct buf *out)
{
  put_name(c, i, "customDimensions", out);
  put_definition(c, &c->target->custom_dimensions[i], out);
  buf_putc(out, '}');
}

void api_list_custom_dimensions(const struct call *c, struct reply *r)
{
  list(c, "CD", "customDimensions", c->target->custom_dimension_count, put_custom_dimension, r);
}

static void put_custom_metric(const struct call *c, size_t i, struct buf *out)
{
  put_name(c, i, "customMetrics", out);
  put_definition(c, &c->target->custom_metrics[i], out);
  put_enum(c, out, "measurementUnit", "SECONDS", 8);
  buf_putc(out, '}');
}

void api_list_custom_metrics(const struct call *c, struct reply *r)
{
  list(c, "CM", "customMetrics", c->target->custom_metric_count, put_custom_metric, r);
}

/* Each property has its website's stream; dimensions streamId and streamName are of it. */
static void put_data_stream(const struct call *c, size_t i, struct buf *out)
{
  put_name(c, i, "dataStreams", out);
  put_text(out, "displayName", c->target->host);
  put_enum(c, out, "type", "WEB_DATA_STREAM", 1);
  put_times(c, out);
  buf_printf(out,
             ",\"webStreamData\":{\"measurementId\":\"G-SIM%s\",\"defaultUri\":\"https://%s\"}}",
             c->target->id_text, c->target->host);
}

void api_list_data_streams(const struct call *c, struct reply *r)
{
  list(c, "DS", "dataStreams", 1, put_data_stream, r);
}

/* YYYYMMDD as {"year":..,"month":..,"day":..} */
static void put_date(struct buf *out, const char *name, const char *date)
{
  long n = strtol(date, NULL, 10);
  buf_printf(out, "\"%s\":{\"year\":%ld,\"month\":%ld,\"day\":%ld}", name, n / 10000, n / 100 % 100,
             n % 100);
}

static void put_annotation(const struct call *c, size_t i, struct buf *out)
{
  const struct world_annotation *a = &c->target->annotations[i];
  put_name(c, i, "reportingDataAnnotations", out);
  if (strcmp(a->first_day, a->last_day) == 0) {
    put_date(out, "annotationDate", a->first_day);
  } else {
    buf_puts(out, "\"annotationDateRange\":{");
    put_date(out, "startDate", a->first_day);
    buf_putc(out, ',');
    put_date(out, "endDate", a->last_day);
    buf_putc(out, '}');
  }
  buf_putc(out, ',');
  put_text(out, "title", a->title);
  buf_putc(out, ',');
  put_text(out, "description", a->description);
  put_enum(c, out, "color", "BLUE", 3);
  buf_putc(out, '}');
}

void api_list_annotations(const struct call *c, struct reply *r)
{
  const char *filter = request_query(c->request, "filter");
  struct err e;
  if (filter == NULL || filter[0] == '\0') {
    list(c, "AN", "reportingDataAnnotations", c->target->annotation_count, put_annotation, r);
    return;
  }
  err_set(&e, ERR_UNIMPLEMENTED, NULL,
          "The simulator does not implement filters of annotations. Remove filter.");
  reply_err(r, &e);
}
