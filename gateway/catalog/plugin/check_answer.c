/* Holds the parts of an answer to what gateway/answer can show. */
#include "gateway/catalog/plugin/check_answer.h"

#include <string.h>

#include "gateway/catalog/plugin/types.h"

enum { LEVELS_MAX = 3, DEPTH_MAX = 4, TABLES_MAX = 4 };

static void problem(struct model *model, const struct field_info *field, const char *text)
{
  model_problem(model, &field->place, "field %s.%s: %s", field->owner->proto->name,
                field->proto->name, text);
}

static const struct field_info *find(const struct message_info *message, const char *name)
{
  for (size_t i = 0; i < message->proto->n_field; i++) {
    if (strcmp(message->fields[i].proto->name, name) == 0)
      return &message->fields[i];
  }
  return NULL;
}

/* What the field must be to be the part. NULL when it is. */
static const char *misfit(const struct field_info *field)
{
  enum kind kind = field_kind(field);
  switch (field->options->part) {
  case MCP__V1__PART__PART_HEADLINE:
    return kind == KIND_STRING && !field->repeated ? NULL : "a headline must be one string";
  case MCP__V1__PART__PART_PERIOD:
  case MCP__V1__PART__PART_COVERAGE:
    return kind == KIND_MESSAGE && !field->repeated ? NULL
                                                    : "a period or coverage must be one message";
  case MCP__V1__PART__PART_NOTES:
  case MCP__V1__PART__PART_CAVEATS:
    return kind == KIND_STRING ? NULL : "notes and caveats must be strings";
  case MCP__V1__PART__PART_ROWS:
    return kind == KIND_MESSAGE && !field->is_map ? NULL : "rows must be messages";
  case MCP__V1__PART__PART_NEXT_OFFSET:
    return kind == KIND_INTEGER || kind == KIND_INTEGER64 ? NULL
                                                          : "the next offset must be an integer";
  default:
    return NULL;
  }
}

/* ------------------------------------------------------------------ rows */

struct rows {
  struct model *model;
  const struct message_info *result;
  size_t levels; /* of lists so far */
};

static void check_row(struct rows *r, const struct message_info *message, size_t level,
                      size_t depth);

static void check_named(struct rows *r, const struct field_info *field)
{
  const struct field_info *names = find(r->result, field->options->named_by);
  if (!field->repeated)
    problem(r->model, field, "named_by is for lists; remove it");
  else if (names == NULL || !names->repeated)
    problem(r->model, field, "named_by must be a list of the tool's result");
}

/* A value in the cell of another: single ones, the other first and with a column of its own. */
static void check_text_in(struct rows *r, const struct field_info *field)
{
  const struct field_info *cell = find(field->owner, field->options->text_in);
  if (field->repeated || field_kind(field) == KIND_MESSAGE)
    problem(r->model, field, "text_in is for single values; remove it");
  else if (cell == NULL || cell->repeated || field_kind(cell) == KIND_MESSAGE ||
           cell->proto->number >= field->proto->number || cell->options->text_in[0] != '\0' ||
           cell->options->part != MCP__V1__PART__PART_UNSPECIFIED)
    problem(r->model, field, "text_in must name a column of the same message with a lower number");
}

static void check_cell(struct rows *r, const struct field_info *field, size_t level, size_t depth)
{
  const struct message_info *message =
      field_kind(field) == KIND_MESSAGE ? field_value(field)->message : NULL;
  if (field->options->part == MCP__V1__PART__PART_OMITTED)
    return;
  if (field->options->text_in[0] != '\0')
    check_text_in(r, field);
  if (field->options->part != MCP__V1__PART__PART_UNSPECIFIED &&
      field->options->part != MCP__V1__PART__PART_STRUCTURED)
    problem(r->model, field, "parts stand in the tool's result, not in its rows");
  if (field->is_map)
    problem(r->model, field, "a map has no columns; use a list of messages, or PART_OMITTED");
  else if (field->options->named_by[0] != '\0')
    check_named(r, field);
  else if (message != NULL && !field->repeated && depth + 1 < DEPTH_MAX)
    check_row(r, message, level, depth + 1);
  else if (message != NULL && !field->repeated)
    problem(r->model, field, "messages inside a row are nested too deeply; use PART_OMITTED");
  else if (message != NULL && (depth > 0 || r->levels != level + 1 || r->levels == LEVELS_MAX))
    problem(r->model, field,
            "a second list of messages in one row has no place; use PART_OMITTED or a tool of its "
            "own");
  else if (message != NULL) {
    r->levels++;
    check_row(r, message, level + 1, 0);
  }
}

static void check_row(struct rows *r, const struct message_info *message, size_t level,
                      size_t depth)
{
  for (size_t i = 0; i < message->proto->n_field; i++)
    check_cell(r, &message->fields[i], level, depth);
}

/* ------------------------------------------------------------------ the result */

void check_answer(struct model *model, const struct message_info *result)
{
  size_t tables = 0;
  for (size_t i = 0; i < result->proto->n_field; i++) {
    const struct field_info *field = &result->fields[i];
    const char *text = misfit(field);
    if (text != NULL)
      problem(model, field, text);
    if (field->options->part != MCP__V1__PART__PART_ROWS || text != NULL)
      continue;
    struct rows r = {.model = model, .result = result, .levels = 1};
    check_row(&r, field_value(field)->message, 0, 0);
    if (++tables == TABLES_MAX + 1)
      problem(model, field, "more lists of rows than an answer has room for");
  }
}
