/* Reads values of messages by descriptor and writes them as JSON and for people. */
#include "gateway/answer/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/pbjson/number.h"
#include "common/pbjson/types.h"

static const uint64_t safe_whole = (uint64_t)1 << 53;

static struct value whole(bool negative, uint64_t magnitude)
{
  return (struct value){.kind = VALUE_WHOLE, .negative = negative, .magnitude = magnitude};
}

static struct value signed_whole(int64_t v)
{
  return whole(v < 0, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static struct value number(double v)
{
  return isfinite(v) ? (struct value){.kind = VALUE_NUMBER, .number = v} : (struct value){0};
}

static struct value text(const char *s)
{
  return s != NULL && s[0] != '\0' ? (struct value){.kind = VALUE_TEXT, .text = s}
                                   : (struct value){0};
}

static struct value enumerated(const ProtobufCFieldDescriptor *field, int v)
{
  const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(field->descriptor, v);
  if (e == NULL)
    return signed_whole(v);
  size_t len = strlen(e->name);
  bool unset = v == 0 && len >= 11 && strcmp(e->name + len - 11, "UNSPECIFIED") == 0;
  return unset ? (struct value){0} : text(e->name);
}

static struct value scalar(const ProtobufCFieldDescriptor *field, const void *at)
{
  switch (field->type) {
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
    return signed_whole(*(const int32_t *)at);
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
    return whole(false, *(const uint32_t *)at);
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
    return signed_whole(*(const int64_t *)at);
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
    return whole(false, *(const uint64_t *)at);
  case PROTOBUF_C_TYPE_FLOAT:
    return number((double)*(const float *)at);
  case PROTOBUF_C_TYPE_DOUBLE:
    return number(*(const double *)at);
  case PROTOBUF_C_TYPE_BOOL:
    return (struct value){.kind = VALUE_BOOL, .magnitude = *(const protobuf_c_boolean *)at != 0};
  case PROTOBUF_C_TYPE_ENUM:
    return enumerated(field, *(const int *)at);
  case PROTOBUF_C_TYPE_STRING:
    return text(*(char *const *)at);
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE:
    break;
  }
  return (struct value){0};
}

struct value value_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  const void *at = field_at(message, field->offset);
  const void *quantifier = field_at(message, field->quantifier_offset);
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    size_t n = *(const size_t *)quantifier;
    struct value list = {
        .kind = VALUE_LIST, .field = field, .list = *(const void *const *)at, .n = n};
    return n > 0 ? list : (struct value){0};
  }
  if (field_in_oneof(field) && *(const uint32_t *)quantifier != field->id)
    return (struct value){0};
  return scalar(field, at);
}

struct value value_item(const ProtobufCFieldDescriptor *field, const void *items, size_t i)
{
  return scalar(field, (const char *)items + i * type_size(field->type));
}

struct value value_as_number(struct value v)
{
  struct number_whole w;
  double d;
  if (v.kind != VALUE_TEXT)
    return v;
  if (number_parse_whole(&w, v.text))
    return whole(w.negative, w.magnitude);
  return number_parse_double(&d, v.text) ? number(d) : v;
}

/* ------------------------------------------------------------------ JSON */

static void put_whole(struct buf *out, const struct value *v)
{
  const char *quote = v->magnitude > safe_whole ? "\"" : "";
  buf_puts(out, quote);
  buf_put_whole(out, v->negative, v->magnitude);
  buf_puts(out, quote);
}

static void put_json_list(struct buf *out, const struct value *v)
{
  buf_putc(out, '[');
  for (size_t i = 0; i < v->n; i++) {
    struct value item = value_item(v->field, v->list, i);
    if (i > 0)
      buf_putc(out, ',');
    value_put_json(out, &item);
  }
  buf_putc(out, ']');
}

void value_put_json(struct buf *out, const struct value *v)
{
  switch (v->kind) {
  case VALUE_NONE:
    buf_puts(out, "null");
    break;
  case VALUE_WHOLE:
    put_whole(out, v);
    break;
  case VALUE_NUMBER:
    number_put_double(out, v->number);
    break;
  case VALUE_BOOL:
    buf_puts(out, v->magnitude ? "true" : "false");
    break;
  case VALUE_TEXT:
    buf_put_json_string(out, v->text, strlen(v->text));
    break;
  case VALUE_LIST:
    put_json_list(out, v);
    break;
  }
}

/* ------------------------------------------------------------------ text */

/* Four significant digits, never an exponent for numbers that people read. */
static void put_rounded(struct buf *out, double v)
{
  double size = fabs(v);
  if (size >= 1000)
    buf_printf(out, "%.0f", v);
  else if (size != 0 && size < 1e-4)
    buf_printf(out, "%.2e", v);
  else
    buf_printf(out, "%.4g", v);
}

static void put_number(struct buf *out, double v, enum catalog_format format)
{
  if (format == CATALOG_WHOLE) {
    buf_printf(out, "%.0f", v);
  } else if (format == CATALOG_PERCENT) {
    put_rounded(out, v * 100);
    buf_putc(out, '%');
  } else {
    put_rounded(out, v);
  }
}

static void put_words(struct buf *out, const char *s)
{
  for (size_t run; *s != '\0'; s += run) {
    run = strcspn(s, "\t\r\n");
    buf_append(out, s, run);
    if (s[run] != '\0') {
      buf_putc(out, ' ');
      run++;
    }
  }
}

void value_put_text(struct buf *out, const struct value *v, enum catalog_format format)
{
  switch (v->kind) {
  case VALUE_NONE:
    buf_putc(out, '-');
    break;
  case VALUE_WHOLE:
    buf_put_whole(out, v->negative, v->magnitude);
    break;
  case VALUE_NUMBER:
    put_number(out, v->number, format);
    break;
  case VALUE_BOOL:
    buf_puts(out, v->magnitude ? "yes" : "no");
    break;
  case VALUE_TEXT:
    put_words(out, v->text);
    break;
  case VALUE_LIST:
    for (size_t i = 0; i < v->n; i++) {
      struct value item = value_item(v->field, v->list, i);
      if (i > 0)
        buf_puts(out, ", ");
      value_put_text(out, &item, format);
    }
    break;
  }
}

static void put_grouped(struct buf *out, const struct value *v)
{
  char digits[24];
  int len = snprintf(digits, sizeof(digits), "%" PRIu64, v->magnitude);
  buf_puts(out, v->negative ? "-" : "");
  for (int i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0)
      buf_putc(out, ',');
    buf_putc(out, digits[i]);
  }
}

void value_put_sentence(struct buf *out, const struct value *v, enum catalog_format format)
{
  if (v->kind == VALUE_WHOLE) {
    put_grouped(out, v);
    return;
  }
  struct value first = *v;
  if (v->kind == VALUE_LIST && v->n > LISTED_MAX)
    first.n = LISTED_MAX;
  value_put_text(out, &first, format);
  if (first.n < v->n)
    buf_printf(out, " and %zu more", v->n - first.n);
}
