/* Writes a result message as text and as structured content, part by part in the same order. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "common/pbjson/types.h"
#include "gateway/answer/cut.h"
#include "gateway/answer/table.h"
#include "gateway/answer/value.h"

enum { LEAD_SIZE = 96 };

static const ProtobufCMessage *message_of(const ProtobufCMessage *m,
                                          const ProtobufCFieldDescriptor *field)
{
  return field == NULL ? NULL : *(ProtobufCMessage *const *)field_at(m, field->offset);
}

static struct value named(const ProtobufCMessage *m, const char *name)
{
  const ProtobufCFieldDescriptor *field =
      m == NULL ? NULL : protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
  return field == NULL || field->type == PROTOBUF_C_TYPE_MESSAGE ? (struct value){0}
                                                                 : value_of(m, field);
}

static uint64_t named_count(const ProtobufCMessage *m, const char *name)
{
  struct value v = named(m, name);
  return v.kind == VALUE_WHOLE && !v.negative ? v.magnitude : 0;
}

/* ------------------------------------------------------------------ structured */

struct json {
  struct buf *out;
  bool first;
  struct err *e;
};

static void put_name(struct json *j, const char *name)
{
  buf_puts(j->out, j->first ? "\"" : ",\"");
  j->first = false;
  buf_puts(j->out, name);
  buf_puts(j->out, "\":");
}

/* A field by its name, left out when it is not set or empty. */
static void put_field(struct json *j, const ProtobufCMessage *m,
                      const ProtobufCFieldDescriptor *field)
{
  static const struct pbjson_write_options options = {
      .emit_defaults = true, .omit_empty = true, .whole_numbers = true};
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    if (pbjson_field_is_empty(m, field))
      return;
    put_name(j, field->name);
    pbjson_write_field(j->out, m, field, &options, j->e);
    return;
  }
  struct value v = value_of(m, field);
  if (v.kind == VALUE_NONE)
    return;
  put_name(j, field->name);
  value_put_json(j->out, &v);
}

static void begin_item(struct json *j, const char *name, size_t *written)
{
  if ((*written)++ > 0) {
    buf_putc(j->out, ',');
    return;
  }
  put_name(j, name);
  buf_putc(j->out, '[');
}

/* Texts of the gateway and those of the fields of one part as one list. */
static void put_texts(struct json *j, const char *name, const struct answer_notes *own,
                      const ProtobufCMessage *m, const ProtobufCFieldDescriptor *const *fields,
                      size_t n)
{
  size_t written = 0;
  for (size_t i = 0; own != NULL && i < own->n; i++) {
    begin_item(j, name, &written);
    buf_put_json_string(j->out, own->text[i], strlen(own->text[i]));
  }
  for (size_t i = 0; i < n; i++) {
    struct value v = value_of(m, fields[i]);
    size_t items = v.kind == VALUE_LIST ? v.n : v.kind != VALUE_NONE;
    for (size_t k = 0; k < items; k++) {
      struct value item = v.kind == VALUE_LIST ? value_item(v.field, v.list, k) : v;
      begin_item(j, name, &written);
      value_put_json(j->out, &item);
    }
  }
  if (written > 0)
    buf_putc(j->out, ']');
}

static void put_tables(struct json *j, const struct answer_plan *p, const ProtobufCMessage *m)
{
  for (size_t i = 0; i < p->n_tables; i++) {
    if (p->n_tables == 1) {
      buf_puts(j->out, j->first ? "" : ",");
      table_put_json(j->out, &p->tables[i], m);
      continue;
    }
    put_name(j, p->tables[i].levels[0]->name);
    buf_putc(j->out, '{');
    table_put_json(j->out, &p->tables[i], m);
    buf_putc(j->out, '}');
  }
}

/* "3 cohorts in this answer", where the message says nothing itself; empty for several tables. */
static void lead(char out[LEAD_SIZE], const struct answer_plan *p, const ProtobufCMessage *m)
{
  out[0] = '\0';
  if (p->headline != NULL || p->n_tables != 1)
    return;
  const char *name = p->tables[0].levels[0]->name;
  size_t n = table_rows(&p->tables[0], m), len = strlen(name);
  int shown = (int)(len - (n == 1 && len > 0 && name[len - 1] == 's'));
  if (n == 0)
    snprintf(out, LEAD_SIZE, "No %s in this answer", name);
  else
    snprintf(out, LEAD_SIZE, "%zu %.*s in this answer", n, shown, name);
}

static void put_structured(struct buf *out, const struct answer_plan *p, const ProtobufCMessage *m,
                           const struct answer_notes *own, struct err *e)
{
  struct json j = {out, true, e};
  char own_lead[LEAD_SIZE];
  buf_putc(out, '{');
  lead(own_lead, p, m);
  if (p->headline != NULL)
    put_field(&j, m, p->headline);
  if (own_lead[0] != '\0') {
    put_name(&j, "headline");
    buf_put_json_string(out, own_lead, strlen(own_lead));
  }
  if (p->period != NULL)
    put_field(&j, m, p->period);
  if (p->coverage != NULL)
    put_field(&j, m, p->coverage);
  put_texts(&j, "notes", own, m, p->notes, p->n_notes);
  put_texts(&j, "caveats", NULL, m, p->caveats, p->n_caveats);
  for (size_t i = 0; i < p->n_facts; i++)
    put_field(&j, m, p->facts[i]);
  if (p->next_offset != NULL)
    put_field(&j, m, p->next_offset);
  put_tables(&j, p, m);
  buf_putc(out, '}');
}

/* ------------------------------------------------------------------ text */

static void put_line(struct buf *out, const char *label, const struct value *v,
                     enum catalog_format format)
{
  if (v->kind == VALUE_NONE)
    return;
  buf_puts(out, label);
  value_put_text(out, v, format);
  buf_putc(out, '\n');
}

static void put_lines(struct buf *out, const char *label, const ProtobufCMessage *m,
                      const ProtobufCFieldDescriptor *const *fields, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    struct value v = value_of(m, fields[i]);
    for (size_t k = 0; v.kind == VALUE_LIST && k < v.n; k++) {
      struct value item = value_item(v.field, v.list, k);
      put_line(out, label, &item, CATALOG_PLAIN);
    }
    if (v.kind != VALUE_LIST)
      put_line(out, label, &v, CATALOG_PLAIN);
  }
}

/* "Period: 2026-10-26 to 2026-11-22 (28 days; America/Denver; complete through 2026-11-27)" */
static void put_period(struct buf *out, const ProtobufCMessage *period)
{
  struct value start = named(period, "start_date"), end = named(period, "end_date");
  if (start.kind != VALUE_TEXT || end.kind != VALUE_TEXT)
    return;
  struct value zones = named(period, "time_zones"), complete = named(period, "complete_through");
  unsigned long long days = (unsigned long long)named_count(period, "days");
  buf_printf(out, "Period: %s to %s (%llu day%s", start.text, end.text, days, days == 1 ? "" : "s");
  if (zones.kind != VALUE_NONE) {
    buf_puts(out, "; ");
    value_put_sentence(out, &zones, CATALOG_PLAIN);
  }
  if (complete.kind == VALUE_TEXT)
    buf_printf(out, "; complete through %s", complete.text);
  buf_puts(out, ")\n");
}

/* "d07 Ford of Reno (invalid_grant: the dealer must consent again)" */
static void put_failure(struct buf *out, const ProtobufCMessage *failure)
{
  static const char *const names[] = {"dealer_id", "name", "reason", "message"};
  static const char *const before[] = {"", " ", " (", ": "};
  bool open = false;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    struct value v = named(failure, names[i]);
    if (v.kind != VALUE_TEXT)
      continue;
    buf_puts(out, i == 3 && !open ? " (" : before[i]);
    open |= i >= 2;
    value_put_text(out, &v, CATALOG_PLAIN);
  }
  buf_puts(out, open ? ")" : "");
}

/* "; in no benchmark: d13 (suspect_traffic), d14 (gap, rates)" */
static void put_left_out(struct buf *out, const ProtobufCMessage *coverage)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(coverage->descriptor, "left_out");
  size_t n = field == NULL ? 0 : *(const size_t *)field_at(coverage, field->quantifier_offset);
  for (size_t i = 0; i < n && i < LISTED_MAX; i++) {
    const ProtobufCMessage *m =
        (*(ProtobufCMessage * *const *)field_at(coverage, field->offset))[i];
    struct value id = named(m, "dealer_id"), why = named(m, "reason"), of = named(m, "figures");
    buf_puts(out, i == 0 ? "; in no benchmark: " : ", ");
    value_put_text(out, &id, CATALOG_PLAIN);
    buf_puts(out, " (");
    value_put_text(out, &why, CATALOG_PLAIN);
    if (of.kind == VALUE_TEXT && strcmp(of.text, "all") != 0) {
      buf_puts(out, ", ");
      value_put_text(out, &of, CATALOG_PLAIN);
    }
    buf_putc(out, ')');
  }
  if (n > LISTED_MAX)
    buf_printf(out, " and %zu more", n - LISTED_MAX);
}

static void put_coverage(struct buf *out, const ProtobufCMessage *coverage)
{
  const ProtobufCFieldDescriptor *failed =
      protobuf_c_message_descriptor_get_field_by_name(coverage->descriptor, "failed");
  uint64_t hidden = named_count(coverage, "failed_undisclosed");
  unsigned long long asked = named_count(coverage, "asked");
  buf_printf(out, "Coverage: %llu of %llu dealer%s", (unsigned long long)named_count(coverage, "ok"),
             asked, asked == 1 ? "" : "s");
  size_t n = failed == NULL ? 0 : *(const size_t *)field_at(coverage, failed->quantifier_offset);
  for (size_t i = 0; i < n && i < LISTED_MAX; i++) {
    buf_puts(out, i == 0 ? "; left out: " : "; ");
    put_failure(out, (*(ProtobufCMessage * *const *)field_at(coverage, failed->offset))[i]);
  }
  if (n > LISTED_MAX)
    buf_printf(out, "; and %zu more", n - LISTED_MAX);
  if (hidden > 0)
    buf_printf(out, "; %llu more of dealers you may not see", (unsigned long long)hidden);
  put_left_out(out, coverage);
  buf_putc(out, '\n');
}

/* A fact that is a message as "name: field value; field value", in JSON when lists of messages are
 * in it. */
static void put_message(struct buf *out, const ProtobufCMessage *m,
                        const ProtobufCFieldDescriptor *field, const struct table *flat,
                        struct err *e)
{
  static const struct pbjson_write_options options = {
      .emit_defaults = true, .omit_empty = true, .whole_numbers = true};
  if (pbjson_field_is_empty(m, field))
    return;
  buf_printf(out, "%s: ", field->name);
  if (flat != NULL)
    table_put_line(out, flat, m);
  else
    pbjson_write_field(out, m, field, &options, e);
  buf_putc(out, '\n');
}

static void put_fact(struct buf *out, const ProtobufCMessage *m,
                     const ProtobufCFieldDescriptor *field, const struct table *flat, struct err *e)
{
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    put_message(out, m, field, flat, e);
    return;
  }
  struct value v = value_of(m, field);
  if (v.kind == VALUE_NONE)
    return;
  buf_printf(out, "%s: ", field->name);
  put_line(out, "", &v, CATALOG_PLAIN);
}

static void put_text(struct buf *out, const struct answer_plan *p, const ProtobufCMessage *m,
                     const struct answer_notes *own, size_t max, struct err *e)
{
  struct value headline = p->headline == NULL ? (struct value){0} : value_of(m, p->headline);
  char own_lead[LEAD_SIZE];
  put_line(out, "", &headline, CATALOG_PLAIN);
  lead(own_lead, p, m);
  if (own_lead[0] != '\0')
    buf_printf(out, "%s\n", own_lead);
  if (message_of(m, p->period) != NULL)
    put_period(out, message_of(m, p->period));
  if (message_of(m, p->coverage) != NULL)
    put_coverage(out, message_of(m, p->coverage));
  for (size_t i = 0; own != NULL && i < own->n; i++)
    buf_printf(out, "Note: %s\n", own->text[i]);
  put_lines(out, "Note: ", m, p->notes, p->n_notes);
  put_lines(out, "Caveat: ", m, p->caveats, p->n_caveats);
  for (size_t i = 0; i < p->n_facts; i++)
    put_fact(out, m, p->facts[i], p->flat[i], e);
  bool whole = cut_put_tables(out, p, m, own, max);
  struct value next = p->next_offset == NULL ? (struct value){0} : value_of(m, p->next_offset);
  /* After a cut the next page would leave rows out. */
  if (whole && next.kind == VALUE_WHOLE && next.magnitude > 0)
    buf_printf(out, "More rows: call %s again with offset %llu.\n", p->tool->name,
               (unsigned long long)next.magnitude);
}

enum err_code answer_write(struct buf *text, struct buf *structured, const struct answer_plan *plan,
                           const ProtobufCMessage *message, const struct answer_notes *own,
                           size_t max_text, struct err *e)
{
  put_structured(structured, plan, message, own, e);
  if (e->code == ERR_OK)
    put_text(text, plan, message, own, max_text, e);
  if (e->code == ERR_OK && (structured->failed || text->failed))
    err_set(e, ERR_RESOURCE_EXHAUSTED, "result_too_large", "the result is too large");
  return e->code;
}

const char *answer_schema(const struct answer_plan *plan)
{
#define HEAD                                                                                       \
  "{\"type\":\"object\",\"properties\":{\"headline\":{\"type\":\"string\"},\"period\":{\"type\":"  \
  "\"object\"},\"coverage\":{\"type\":\"object\"},\"notes\":{\"type\":\"array\",\"items\":{"       \
  "\"type\":\"string\"}},\"caveats\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
  static const char one[] =
      HEAD ",\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"rows\":{\"type\":"
           "\"array\",\"items\":{\"type\":\"array\"}}},\"required\":[\"columns\",\"rows\"]}";
  static const char several[] = HEAD "}}";
#undef HEAD
  return plan->n_tables == 1 ? one : several;
}
