/* Resolves the options of a tool's output once: which field is which part, and the columns of its
 * rows. The plugin has refused what does not fit (plugin/check_answer.c). */
#include "gateway/answer/plan.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static const struct catalog_answer_field *options_of(const ProtobufCMessageDescriptor *message,
                                                     const ProtobufCFieldDescriptor *field)
{
  for (size_t i = 0; i < catalog_answer_fields_len; i++) {
    const struct catalog_answer_field *o = &catalog_answer_fields[i];
    if (o->message == message && strcmp(o->field, field->name) == 0)
      return o;
  }
  return NULL;
}

static enum catalog_part part_of(const ProtobufCMessageDescriptor *message,
                                 const ProtobufCFieldDescriptor *field)
{
  const struct catalog_answer_field *o = options_of(message, field);
  return o == NULL ? CATALOG_FACT : o->part;
}

static bool is_message(const ProtobufCFieldDescriptor *field)
{
  return field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_list(const ProtobufCFieldDescriptor *field)
{
  return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* The only field of a message that is not a list, such as a DimensionValue's value. */
static const ProtobufCFieldDescriptor *only_field(const ProtobufCFieldDescriptor *field)
{
  const ProtobufCMessageDescriptor *m = is_message(field) ? field->descriptor : NULL;
  return m != NULL && m->n_fields == 1 && !is_list(&m->fields[0]) && !is_message(&m->fields[0])
             ? &m->fields[0]
             : NULL;
}

/* ------------------------------------------------------------------ columns */

/* Where the builder stands: at which level of the row, behind which fields. */
struct walk {
  const struct answer_plan *plan;
  struct table *table;
  size_t level;
  const ProtobufCFieldDescriptor *path[PATH_MAX_FIELDS];
  size_t depth;
  char prefix[COLUMN_NAME_MAX];
};

/* Values in the order of a list of headers: headers with a type are those of numbers. */
static void set_names(struct column *c, const struct walk *w,
                      const struct catalog_answer_field *options)
{
  const ProtobufCMessageDescriptor *result = w->plan->tool->output;
  c->named_by = protobuf_c_message_descriptor_get_field_by_name(result, options->named_by);
  c->unwrap = only_field(c->path[c->depth - 1]);
  c->number_text =
      c->named_by != NULL && is_message(c->named_by) &&
      protobuf_c_message_descriptor_get_field_by_name(c->named_by->descriptor, "type") != NULL;
}

/* 1 + index of the column of the message's field of that name; 0 when there is none. */
static size_t column_of(const struct walk *w, const char *field)
{
  for (size_t i = 0; i < w->table->n_columns; i++) {
    const struct column *c = &w->table->columns[i];
    if (c->level == w->level && c->depth == w->depth + 1 &&
        memcmp(c->path, w->path, w->depth * sizeof(*w->path)) == 0 &&
        strcmp(c->path[w->depth]->name, field) == 0)
      return i + 1;
  }
  return 0;
}

static bool has_column(const struct table *t, const char *name)
{
  for (size_t i = 0; i < t->n_columns; i++)
    if (strcmp(t->columns[i].name, name) == 0)
      return true;
  return false;
}

/* No two columns of a table share a name: the later one gets that of its level in front, such as
 * "property_summaries_display_name" behind an account's "display_name". */
static void set_name(struct column *c, const struct walk *w, const ProtobufCFieldDescriptor *field)
{
  char name[COLUMN_NAME_MAX];
  snprintf(name, sizeof(name), "%s%s", w->prefix, field->name);
  if (has_column(w->table, name))
    c->name = xasprintf("%.38s_%.40s", w->table->levels[w->level]->name, name);
  else
    c->name = xstrdup(name);
}

/* The plans of all tools stay as long as the process: a table has room for what it holds. */
static struct column *grow(struct table *t)
{
  t->columns = xrealloc(t->columns, (t->n_columns + 1) * sizeof(*t->columns));
  return &t->columns[t->n_columns];
}

static void add_column(struct walk *w, const ProtobufCMessageDescriptor *message,
                       const ProtobufCFieldDescriptor *field)
{
  const struct catalog_answer_field *options = options_of(message, field);
  if (w->table->n_columns == COLUMNS_MAX || w->depth + 1 > PATH_MAX_FIELDS)
    return;
  struct column *c = grow(w->table);
  *c = (struct column){.level = w->level, .depth = w->depth + 1};
  memcpy(c->path, w->path, sizeof(w->path));
  c->path[w->depth] = field;
  set_name(c, w, field);
  w->table->n_columns++;
  if (options != NULL) {
    c->format = options->format;
    c->structured_only = options->part == CATALOG_STRUCTURED;
    c->text_in = options->text_in != NULL ? column_of(w, options->text_in) : 0;
    if (options->named_by != NULL)
      set_names(c, w, options);
  }
}

static void add_columns(struct walk *w, const ProtobufCMessageDescriptor *message);

/* The columns of a message inside a row, its name in front of theirs. */
static void add_inside(struct walk *w, const ProtobufCFieldDescriptor *field, const char *prefix)
{
  struct walk deeper = *w;
  if (w->depth + 1 >= PATH_MAX_FIELDS)
    return;
  deeper.path[deeper.depth++] = field;
  snprintf(deeper.prefix, sizeof(deeper.prefix), "%.38s%.38s%s", w->prefix, prefix,
           prefix[0] != '\0' ? "_" : "");
  add_columns(&deeper, field->descriptor);
}

static void add_level(struct walk *w, const ProtobufCFieldDescriptor *field)
{
  struct table *t = w->table;
  struct walk inner = {.plan = w->plan, .table = t, .level = t->n_levels};
  if (t->n_levels == LEVELS_MAX || w->level + 1 != t->n_levels || w->depth > 0)
    return;
  t->levels[t->n_levels++] = field;
  add_columns(&inner, field->descriptor);
}

static void add_columns(struct walk *w, const ProtobufCMessageDescriptor *message)
{
  for (unsigned i = 0; i < message->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->fields[i];
    const struct catalog_answer_field *options = options_of(message, field);
    if (options != NULL && options->part == CATALOG_OMITTED)
      continue;
    if (!is_message(field) || (options != NULL && options->named_by != NULL))
      add_column(w, message, field);
    else if (!is_list(field))
      add_inside(w, field, field->name);
    else
      add_level(w, field);
  }
}

static void fill_table(struct table *t, const struct answer_plan *plan,
                       const ProtobufCFieldDescriptor *field)
{
  t->levels[t->n_levels++] = field;
  struct walk w = {.plan = plan, .table = t};
  add_columns(&w, field->descriptor);
}

static void add_table(struct answer_plan *plan, const ProtobufCFieldDescriptor *field)
{
  if (plan->n_tables < TABLES_MAX)
    fill_table(&plan->tables[plan->n_tables++], plan, field);
}

/* ------------------------------------------------------------------ parts */

static void add(const ProtobufCFieldDescriptor **list, size_t *n,
                const ProtobufCFieldDescriptor *field)
{
  if (*n < FIELDS_MAX)
    list[(*n)++] = field;
}

static bool has_list_of_messages(const ProtobufCMessageDescriptor *message, size_t depth)
{
  for (unsigned i = 0; i < message->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->fields[i];
    if (!is_message(field))
      continue;
    if (is_list(field) || depth == PATH_MAX_FIELDS ||
        has_list_of_messages(field->descriptor, depth + 1))
      return true;
  }
  return false;
}

static void add_fact(struct answer_plan *p, const ProtobufCFieldDescriptor *field)
{
  if (p->n_facts == FIELDS_MAX)
    return;
  if (is_message(field) && !is_list(field) && !has_list_of_messages(field->descriptor, 1)) {
    struct table *flat = xcalloc(1, sizeof(*flat));
    fill_table(flat, p, field);
    p->flat[p->n_facts] = flat;
  }
  p->facts[p->n_facts++] = field;
}

static void add_part(struct answer_plan *p, const ProtobufCFieldDescriptor *field)
{
  switch (part_of(p->tool->output, field)) {
  case CATALOG_HEADLINE:
    p->headline = field;
    break;
  case CATALOG_PERIOD:
    p->period = field;
    break;
  case CATALOG_COVERAGE:
    p->coverage = field;
    break;
  case CATALOG_NOTES:
    add(p->notes, &p->n_notes, field);
    break;
  case CATALOG_CAVEATS:
    add(p->caveats, &p->n_caveats, field);
    break;
  case CATALOG_ROWS:
    add_table(p, field);
    break;
  case CATALOG_NEXT_OFFSET:
    p->next_offset = field;
    break;
  case CATALOG_FACT:
    add_fact(p, field);
    break;
  case CATALOG_OMITTED:
  case CATALOG_STRUCTURED:
    break;
  }
}

struct answer_plan *answer_plan_new(const struct catalog_tool *tool)
{
  struct answer_plan *p = xcalloc(1, sizeof(*p));
  p->tool = tool;
  for (unsigned i = 0; i < tool->output->n_fields; i++)
    add_part(p, &tool->output->fields[i]);
  return p;
}

static void free_columns(struct table *t)
{
  for (size_t i = 0; i < t->n_columns; i++)
    free(t->columns[i].name);
  free(t->columns);
}

void answer_plan_free(struct answer_plan *plan)
{
  if (plan == NULL)
    return;
  for (size_t i = 0; i < plan->n_tables; i++)
    free_columns(&plan->tables[i]);
  for (size_t i = 0; i < plan->n_facts; i++) {
    if (plan->flat[i] != NULL)
      free_columns(plan->flat[i]);
    free(plan->flat[i]);
  }
  free(plan);
}
