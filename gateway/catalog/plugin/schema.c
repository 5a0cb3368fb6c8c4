/* Prints a schema tree as JSON Schema that every MCP client and model takes.
 *
 * Objects, arrays and scalars with type, description, properties, required, items, enum, minimum,
 * maximum, minItems, maxItems and additionalProperties: what LibreChat, Gemini and the strict mode
 * of OpenAI all accept. No $ref, composition, default, examples, format, pattern or maxLength;
 * every object has properties (Gemini). Objects whose members are not known are asked for as JSON
 * text, which gateway/arguments reads. */
#include "gateway/catalog/plugin/schema.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/number.h"
#include "gateway/catalog/plugin/compact.h"
#include "gateway/catalog/plugin/tree.h"

enum { DESCRIPTION_BYTES = 16 * 1024, LARGE_BOUND = 200 };

struct printer {
  struct buf *out;
};

static void put_object(const struct printer *p, const struct node *node);

/* A comma, unless a member is the first of its object. */
static void put_comma(const struct printer *p)
{
  if (p->out->len > 0 && p->out->data[p->out->len - 1] != '{')
    buf_putc(p->out, ',');
}

static void put_key(const struct printer *p, const char *key)
{
  put_comma(p);
  buf_printf(p->out, "\"%s\":", key);
}

static void put_text(const struct printer *p, const char *key, const char *text)
{
  put_key(p, key);
  buf_put_json_string(p->out, text, strlen(text));
}

static void put_enum(const struct printer *p, const struct field_info *field)
{
  const EnumProto *proto = field_value(field)->enumeration->proto;
  bool any = false;
  for (size_t i = 0; i < proto->n_value; i++) {
    if (enum_value_is_unset(proto->value[i]))
      continue;
    if (!any)
      put_key(p, "enum");
    buf_printf(p->out, "%c\"%s\"", any ? ',' : '[', proto->value[i]->name);
    any = true;
  }
  if (any)
    buf_putc(p->out, ']');
}

static void put_number(const struct printer *p, const char *key, double value)
{
  put_key(p, key);
  number_put_double(p->out, value);
}

/* Bounds the .proto states. Those that hardly a call meets go without saying, a minimum of 0 or 1
 * and a large maximum: the gateway refuses a call beyond them and says so. */
static void put_range(const struct printer *p, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  if (o->opt_minimum_case == MCP__V1__FIELD__OPT_MINIMUM_MINIMUM && o->minimum != 0 &&
      o->minimum != 1)
    put_number(p, "minimum", o->minimum);
  if (o->opt_maximum_case == MCP__V1__FIELD__OPT_MAXIMUM_MAXIMUM && o->maximum < LARGE_BOUND)
    put_number(p, "maximum", o->maximum);
}

/* A number is what clients send; text is taken too (proto3 JSON). */
static void put_integer64(const struct printer *p, const struct field_info *field)
{
  put_text(p, "type", "integer");
  put_range(p, field);
}

/* Keywords of one value of a field: an item, an entry's value, or the field's own. */
static void put_value(const struct printer *p, const struct node *node)
{
  const struct field_info *field = node->field;
  if (compact_schema(field) != NULL) {
    put_comma(p);
    buf_puts(p->out, compact_schema(field));
    return;
  }
  switch (field_kind(field)) {
  case KIND_INTEGER:
    put_text(p, "type", "integer");
    put_range(p, field);
    break;
  case KIND_INTEGER64:
    put_integer64(p, field);
    break;
  case KIND_NUMBER:
    put_text(p, "type", "number");
    put_range(p, field);
    break;
  case KIND_BOOL:
    put_text(p, "type", "boolean");
    break;
  case KIND_STRING:
  case KIND_BYTES:
  case KIND_TIMESTAMP:
  case KIND_DURATION:
  case KIND_STRUCT:
  case KIND_LIST_VALUE:
    put_text(p, "type", "string");
    break;
  case KIND_ENUM:
    put_text(p, "type", "string");
    put_enum(p, field);
    break;
  case KIND_MESSAGE:
    put_object(p, node);
    break;
  case KIND_VALUE:
  case KIND_UNSUPPORTED:
    break;
  }
}

/* "Give one of: a, b." for each oneof of several members. */
static void put_choices(struct buf *out, const struct message_info *message)
{
  for (size_t k = 0; k < message->proto->n_oneof_decl; k++) {
    size_t n = 0;
    for (size_t i = 0; i < message->proto->n_field; i++) {
      const struct field_info *field = &message->fields[i];
      if (!field->in_choice || field->proto->oneof_index != (int32_t)k || field->options->hidden)
        continue;
      buf_printf(out, "%s%s", n++ == 0 ? " Give one of: " : ", ", field->proto->name);
    }
    if (n > 0)
      buf_putc(out, '.');
  }
}

static void put_enum_comments(struct buf *out, const struct field_info *field)
{
  const struct enum_info *type = field_value(field)->enumeration;
  for (size_t i = 0; type != NULL && i < type->proto->n_value; i++) {
    if (type->comments[i][0] != '\0' && !enum_value_is_unset(type->proto->value[i]))
      buf_printf(out, " %s: %s", type->proto->value[i]->name, type->comments[i]);
  }
}

/* How a text holds what has no form of its own in the schema. */
static const char *text_form(const struct field_info *field)
{
  if (field->is_map)
    return " A JSON object as text.";
  switch (field_kind(field)) {
  case KIND_BYTES:
    return " Base64.";
  case KIND_TIMESTAMP:
    return " A time such as 2026-01-31T23:59:59Z.";
  case KIND_DURATION:
    return " A duration in seconds such as 1.5s.";
  case KIND_STRUCT:
    return " A JSON object as text.";
  case KIND_LIST_VALUE:
    return " A JSON list as text.";
  default:
    return "";
  }
}

static void put_description(const struct printer *p, const struct node *node)
{
  AUTO_BUF struct buf text = BUF_INIT(DESCRIPTION_BYTES);
  buf_puts(&text, node->field->place.comment);
  bool given = node->field->options->schema_json[0] != '\0'; /* its comment says all */
  if (!given)
    put_enum_comments(&text, node->field);
  if (!given && node->message != NULL && compact_schema(node->field) == NULL)
    put_choices(&text, node->message);
  buf_puts(&text, text_form(node->field));
  if (text.len > 0)
    put_text(p, "description", buf_str(&text));
}

static void put_list(const struct printer *p, const struct node *node)
{
  const Mcp__V1__Field *o = node->field->options;
  put_description(p, node);
  put_text(p, "type", "array");
  put_key(p, "items");
  buf_putc(p->out, '{');
  put_value(p, node);
  buf_putc(p->out, '}');
  if (o->min_items > 0)
    put_number(p, "minItems", o->min_items);
  if (o->max_items > 0 && o->max_items < LARGE_BOUND)
    put_number(p, "maxItems", o->max_items);
}

/* Names of a map's entries are not known beforehand, so that it has no properties. */
static void put_map(const struct printer *p, const struct node *node)
{
  put_description(p, node);
  put_text(p, "type", "string");
}

/* The schema that the .proto gives, without its braces: check.c has parsed it. */
static void put_given(const struct printer *p, const struct node *node)
{
  const char *given = node->field->options->schema_json;
  put_description(p, node);
  if (p->out->data[p->out->len - 1] != '{')
    buf_putc(p->out, ',');
  buf_append(p->out, given + 1, strlen(given) - 2);
}

static void put_field(const struct printer *p, const struct node *node)
{
  put_key(p, node->field->proto->name);
  buf_putc(p->out, '{');
  if (node->field->options->schema_json[0] != '\0') {
    put_given(p, node);
  } else if (node->field->is_map) {
    put_map(p, node);
  } else if (node->field->repeated) {
    put_list(p, node);
  } else {
    put_description(p, node);
    put_value(p, node);
  }
  buf_putc(p->out, '}');
}

static void put_required(const struct printer *p, const struct node *node)
{
  bool any = false;
  for (size_t i = 0; i < node->n_children; i++) {
    const struct field_info *field = node->children[i]->field;
    if (!field->options->required)
      continue;
    if (!any)
      put_key(p, "required");
    buf_printf(p->out, "%s\"%s\"", any ? "," : "[", field->proto->name);
    any = true;
  }
  if (any)
    buf_putc(p->out, ']');
}

/* What is not known is refused. */
static void put_object(const struct printer *p, const struct node *node)
{
  put_text(p, "type", "object");
  put_key(p, "properties");
  buf_putc(p->out, '{');
  for (size_t i = 0; i < node->n_children; i++)
    put_field(p, node->children[i]);
  buf_putc(p->out, '}');
  put_required(p, node);
  put_key(p, "additionalProperties");
  buf_puts(p->out, "false");
}

void schema_put(struct buf *out, const struct model *model, const struct message_info *root)
{
  struct printer p = {out};
  const struct node *tree = tree_build(model, root);
  AUTO_BUF struct buf choices = BUF_INIT(DESCRIPTION_BYTES);
  put_choices(&choices, root);
  buf_putc(out, '{');
  if (choices.len > 0)
    put_text(&p, "description", buf_str(&choices) + 1);
  put_object(&p, tree);
  buf_putc(out, '}');
}
