/* Finds the tools of a protoc run and every mistake in their comments and options. */
#include "gateway/catalog/plugin/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "gateway/catalog/plugin/check_answer.h"
#include "gateway/catalog/plugin/check_meaning.h"
#include "gateway/catalog/plugin/check_offer.h"
#include "gateway/catalog/plugin/literal.h"
#include "gateway/catalog/plugin/types.h"

enum { TOOL_NAME_MAX = 40 };
static const char progress_type[] = "mcp.v1.Progress";

bool check_is_name(const char *name)
{
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return name[0] >= 'a' && name[0] <= 'z' && name[len] == '\0' && len <= TOOL_NAME_MAX;
}

/* Finds the field of a name; NULL when the message has none. */
static const struct field_info *find_field(const struct message_info *message, const char *name)
{
  for (size_t i = 0; i < message->proto->n_field; i++) {
    if (strcmp(message->fields[i].proto->name, name) == 0)
      return &message->fields[i];
  }
  return NULL;
}

static bool is_progress(const struct field_info *field)
{
  return field != NULL && field->message != NULL &&
         strcmp(field->message->name, progress_type) == 0;
}

/* The `result` message of a streaming tool's response; NULL when it is not of the form
 * oneof { mcp.v1.Progress progress; X result; }. */
static const struct message_info *stream_result(const struct message_info *response)
{
  const struct field_info *progress = find_field(response, "progress");
  const struct field_info *result = find_field(response, "result");
  /* Of two fields, one in a oneof of several members: the other is the second member. */
  bool fits = response->proto->n_field == 2 && is_progress(progress) && result != NULL &&
              result->message != NULL && result->in_choice;
  return fits ? result->message : NULL;
}

static void check_streams(struct model *model, const struct method_info *method, struct tool *tool)
{
  const char *name = method->tool->name;
  tool->output = method->output;
  if (method->proto->client_streaming)
    model_problem(model, &method->place,
                  "tool %s: a tool takes one request; remove `stream` from the request", name);
  if (method->proto->server_streaming) {
    const struct message_info *result = stream_result(method->output);
    if (result != NULL)
      tool->output = result;
    else
      model_problem(model, &method->place,
                    "tool %s: the response of a streaming tool must be exactly oneof { "
                    "mcp.v1.Progress progress; <Message> result; }",
                    name);
    return;
  }
  for (size_t i = 0; i < method->output->proto->n_field; i++) {
    if (is_progress(&method->output->fields[i]))
      model_problem(model, &method->place,
                    "tool %s: a unary rpc cannot send progress; make the response a stream, or "
                    "remove %s from %s",
                    name, method->output->fields[i].proto->name, method->output->name);
  }
}

static void check_head(struct model *model, const struct method_info *method)
{
  const Mcp__V1__Tool *tool = method->tool;
  if (!check_is_name(tool->name))
    model_problem(model, &method->place,
                  "rpc %s: bad tool name \"%s\"; use a-z, 0-9 and _, a letter first, at most %d "
                  "characters",
                  method->proto->name, tool->name, TOOL_NAME_MAX);
  if (tool->title[0] == '\0')
    model_problem(model, &method->place, "tool %s: no title; add `title: \"...\"` to the option",
                  tool->name);
  if (method->place.comment[0] == '\0')
    model_problem(model, &method->place,
                  "tool %s: no comment on rpc %s; write one above it, it becomes the description",
                  tool->name, method->proto->name);
  if (tool->read_only && tool->destructive)
    model_problem(model, &method->place, "tool %s: read_only and destructive exclude each other",
                  tool->name);
}

static void option_problem(struct model *model, const struct field_info *field, const char *text)
{
  model_problem(model, &field->place, "field %s.%s: %s", field->owner->proto->name,
                field->proto->name, text);
}

/* Options that do not fit the field's type. */
static void check_bounds(struct model *model, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  enum kind kind = field_kind(field);
  bool has_minimum = o->opt_minimum_case == MCP__V1__FIELD__OPT_MINIMUM_MINIMUM;
  bool has_maximum = o->opt_maximum_case == MCP__V1__FIELD__OPT_MAXIMUM_MAXIMUM;
  if ((has_minimum || has_maximum) && !kind_is_numeric(kind))
    option_problem(model, field, "minimum and maximum are for numbers; remove them");
  if ((has_minimum && !isfinite(o->minimum)) || (has_maximum && !isfinite(o->maximum)))
    option_problem(model, field, "minimum and maximum must be finite");
  if (has_minimum && has_maximum && o->minimum > o->maximum)
    option_problem(model, field, "minimum is above maximum");
  if ((o->min_items > 0 || o->max_items > 0) && !field->repeated)
    option_problem(model, field, "min_items and max_items are for lists; remove them");
  if (o->max_items > 0 && o->min_items > o->max_items)
    option_problem(model, field, "min_items is above max_items");
  if (o->max_length > 0 && kind != KIND_STRING)
    option_problem(model, field, "max_length is for strings; remove it");
}

static void check_presence(struct model *model, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  bool has_default = o->default_json[0] != '\0';
  if (o->required && o->hidden)
    option_problem(model, field, "required and hidden exclude each other");
  if (o->unlisted && (o->required || o->hidden))
    option_problem(model, field, "unlisted excludes required and hidden; remove one of them");
  if (o->required && has_default)
    option_problem(model, field, "a required field needs no default_json; remove one of the two");
  if (field->in_choice && (o->required || has_default))
    option_problem(model, field,
                   "a member of a oneof can be neither required nor defaulted, another member "
                   "may be given; remove the option");
}

static void check_literals(struct model *model, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  struct err e = {0};
  if (o->default_json[0] != '\0' && literal_check(field, o->default_json, &e) != ERR_OK)
    model_problem(model, &field->place, "field %s.%s: default_json does not fit: %s",
                  field->owner->proto->name, field->proto->name, e.message);
  for (size_t i = 0; i < o->n_examples_json; i++) {
    if (literal_check(field, o->examples_json[i], &e) != ERR_OK)
      model_problem(model, &field->place, "field %s.%s: examples_json does not fit: %s",
                    field->owner->proto->name, field->proto->name, e.message);
  }
}

/* An object that begins and ends with its braces and says a type. */
static void check_schema(struct model *model, const struct field_info *field)
{
  const char *text = field->options->schema_json;
  size_t len = strlen(text);
  AUTO_JSON cJSON *schema = NULL;
  struct err e = {0};
  if (len == 0)
    return;
  if (json_parse(&schema, text, len, NULL, &e) != ERR_OK ||
      json_get_string(schema, "type") == NULL || text[0] != '{' || text[len - 1] != '}')
    option_problem(model, field, "schema_json must be a JSON object with a type");
}

static void check_comment(struct model *model, const struct field_info *field)
{
  if (field->place.comment[0] == '\0')
    option_problem(model, field,
                   "no comment; write one above it, it becomes the field's description");
  if (field_kind(field) == KIND_UNSUPPORTED)
    model_problem(model, &field->place, "field %s.%s: %s cannot be part of a tool; use a message",
                  field->owner->proto->name, field->proto->name, field->proto->type_name + 1);
}

static void check_input_message(struct model *model, const struct message_info *message)
{
  for (size_t i = 0; i < message->proto->n_field; i++) {
    const struct field_info *field = &message->fields[i];
    check_presence(model, field);
    check_bounds(model, field);
    check_literals(model, field);
    check_schema(model, field);
    check_meaning(model, field);
    if (!field->options->hidden)
      check_comment(model, field);
  }
}

/* Messages reachable from one; hidden fields lead nowhere when they do not count. */
static const struct message_info **
reachable(const struct model *model, const struct message_info *root, bool skip_hidden, size_t *n)
{
  const struct message_info **list =
      ARENA_ARRAY(model->arena, const struct message_info *, model->n_messages + 1);
  *n = 0;
  list[(*n)++] = root;
  for (size_t next = 0; next < *n; next++) {
    for (size_t i = 0; i < list[next]->proto->n_field; i++) {
      const struct field_info *field = &list[next]->fields[i];
      if (field_kind(field) != KIND_MESSAGE || (skip_hidden && field->options->hidden))
        continue;
      const struct message_info *target = field_value(field)->message;
      size_t k = 0;
      while (k < *n && list[k] != target)
        k++;
      if (k == *n)
        list[(*n)++] = target;
    }
  }
  return list;
}

const struct message_info **check_input_messages(const struct model *model,
                                                 const struct message_info *input, size_t *n)
{
  return reachable(model, input, true, n);
}

const struct message_info **check_output_messages(const struct model *model,
                                                  const struct message_info *output, size_t *n)
{
  return reachable(model, output, false, n);
}

/* Messages shared by tools are checked once. */
struct checked {
  const struct message_info **list;
  size_t n;
};

static bool check_once(struct checked *seen, const struct message_info *message)
{
  for (size_t i = 0; i < seen->n; i++) {
    if (seen->list[i] == message)
      return false;
  }
  seen->list[seen->n++] = message;
  return true;
}

static void check_inputs(struct model *model, const struct tool *tool, struct checked *seen)
{
  size_t n = 0;
  const struct message_info **list = reachable(model, tool->method->input, true, &n);
  for (size_t i = 0; i < n; i++) {
    if (check_once(seen, list[i]))
      check_input_message(model, list[i]);
  }
}

static void check_outputs(struct model *model, const struct tool *tool, struct checked *seen)
{
  size_t n = 0;
  const struct message_info **list = reachable(model, tool->output, false, &n);
  check_answer(model, tool->output);
  for (size_t i = 0; i < n; i++) {
    if (!check_once(seen, list[i]))
      continue;
    for (size_t k = 0; k < list[i]->proto->n_field; k++)
      check_comment(model, &list[i]->fields[k]);
  }
}

static int compare_tools(const void *a, const void *b)
{
  const struct tool *x = a;
  const struct tool *y = b;
  return strcmp(x->method->tool->name, y->method->tool->name);
}

static void check_names(struct model *model, const struct tool *tools, size_t n)
{
  for (size_t i = 1; i < n; i++) {
    const struct method_info *a = tools[i - 1].method;
    const struct method_info *b = tools[i].method;
    if (strcmp(a->tool->name, b->tool->name) == 0)
      model_problem(model, &b->place, "tool %s: the name is taken by %s:%d; choose another",
                    b->tool->name, a->place.file->name, a->place.line);
  }
}

struct tool *check_tools(struct model *model, size_t *n)
{
  struct tool *tools = ARENA_ARRAY(model->arena, struct tool, model->n_methods);
  struct checked seen = {
      .list = ARENA_ARRAY(model->arena, const struct message_info *, model->n_messages)};
  *n = 0;
  for (size_t i = 0; i < model->n_methods; i++) {
    const struct method_info *method = &model->methods[i];
    if (method->tool == NULL)
      continue;
    struct tool *tool = &tools[(*n)++];
    tool->method = method;
    check_head(model, method);
    check_streams(model, method, tool);
    check_inputs(model, tool, &seen);
  }
  for (size_t i = 0; i < *n; i++)
    check_outputs(model, &tools[i], &seen);
  qsort(tools, *n, sizeof(*tools), compare_tools);
  check_names(model, tools, *n);
  check_offers(model, tools, *n);
  return tools;
}
