/* Walks the rows of a message's list and writes their columns. */
#include "gateway/answer/table.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/types.h"
#include "gateway/answer/value.h"

/* The messages of a field: a list, or the one of a field that is not a list. */
struct messages {
  ProtobufCMessage *const *items;
  size_t n;
};

/* One row: its message at each level; NULL where the list above it is empty. */
struct row {
  const ProtobufCMessage *at[LEVELS_MAX];
};

/* A column as it is written: one value of a list, or a plain one. */
struct cell_column {
  const struct column *column;
  size_t item; /* of a list whose columns are named */
  const char *name;
  bool used; /* has a value in some row */
};

struct shape {
  struct messages top;
  struct cell_column *columns;
  size_t n_columns;
};

/* ------------------------------------------------------------------ rows */

static struct messages messages_of(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
  const void *at = field_at(m, field->offset);
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return (struct messages){*(ProtobufCMessage * *const *)at,
                             *(const size_t *)field_at(m, field->quantifier_offset)};
  bool set = *(ProtobufCMessage *const *)at != NULL &&
             (!field_in_oneof(field) ||
              *(const uint32_t *)field_at(m, field->quantifier_offset) == field->id);
  return (struct messages){at, set ? 1 : 0};
}

/* Where an odometer over the levels stands in one list. */
struct position {
  struct messages list;
  size_t next;
};

/* Fills the levels from `level` on with the first messages of their lists. */
static void descend(const struct table *t, struct position *at, struct row *row, size_t level)
{
  for (; level < t->n_levels; level++) {
    const ProtobufCMessage *above = row->at[level - 1];
    at[level] = (struct position){0};
    if (above != NULL)
      at[level].list = messages_of(above, t->levels[level]);
    row->at[level] = at[level].list.n > 0 ? at[level].list.items[at[level].next++] : NULL;
  }
}

/* Moves to the next row; false behind the last. */
static bool advance(const struct table *t, struct position *at, struct row *row)
{
  for (size_t level = t->n_levels; level-- > 0;) {
    if (at[level].next < at[level].list.n) {
      row->at[level] = at[level].list.items[at[level].next++];
      descend(t, at, row, level + 1);
      return true;
    }
  }
  return false;
}

/* Calls fn for each row until it returns false. */
static void each_row(const struct table *t, struct messages top,
                     bool (*fn)(void *user, const struct row *row), void *user)
{
  struct position at[LEVELS_MAX] = {{.list = top}};
  struct row row = {0};
  while (advance(t, at, &row) && fn(user, &row))
    ;
}

static bool count_row(void *user, const struct row *row)
{
  (void)row;
  ++*(size_t *)user;
  return true;
}

size_t table_rows(const struct table *table, const ProtobufCMessage *result)
{
  size_t n = 0;
  each_row(table, messages_of(result, table->levels[0]), count_row, &n);
  return n;
}

/* ------------------------------------------------------------------ cells */

/* The message that holds the column's field; NULL when one on the way is not set. */
static const ProtobufCMessage *holder(const struct column *c, const struct row *row)
{
  const ProtobufCMessage *m = row->at[c->level];
  for (size_t i = 0; i + 1 < c->depth && m != NULL; i++) {
    struct messages next = messages_of(m, c->path[i]);
    m = next.n > 0 ? next.items[0] : NULL;
  }
  return m;
}

static struct value list_item(const struct column *c, const ProtobufCMessage *m, size_t item)
{
  const ProtobufCFieldDescriptor *field = c->path[c->depth - 1];
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    struct messages items = messages_of(m, field);
    return item < items.n && c->unwrap != NULL ? value_of(items.items[item], c->unwrap)
                                               : (struct value){0};
  }
  size_t n = *(const size_t *)field_at(m, field->quantifier_offset);
  const void *items = *(const void *const *)field_at(m, field->offset);
  return item < n ? value_item(field, items, item) : (struct value){0};
}

static struct value cell(const struct cell_column *column, const struct row *row)
{
  const struct column *c = column->column;
  const ProtobufCMessage *m = holder(c, row);
  if (m == NULL)
    return (struct value){0};
  if (c->named_by == NULL)
    return value_of(m, c->path[c->depth - 1]);
  struct value v = list_item(c, m, column->item);
  return c->number_text ? value_as_number(v) : v;
}

/* ------------------------------------------------------------------ shape */

/* Name i of a list of names: texts, or messages with a name. */
static const char *name_at(const ProtobufCMessage *result, const ProtobufCFieldDescriptor *names,
                           size_t i)
{
  const void *items = *(const void *const *)field_at(result, names->offset);
  if (names->type == PROTOBUF_C_TYPE_STRING)
    return ((char *const *)items)[i];
  const ProtobufCMessage *m = ((ProtobufCMessage *const *)items)[i];
  const ProtobufCFieldDescriptor *name =
      protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "name");
  struct value v = name != NULL ? value_of(m, name) : (struct value){0};
  return v.kind == VALUE_TEXT ? v.text : "";
}

static size_t width(const struct column *c, const ProtobufCMessage *result)
{
  return c->named_by == NULL ? 1
                             : *(const size_t *)field_at(result, c->named_by->quantifier_offset);
}

static bool mark_used(void *user, const struct row *row)
{
  struct shape *s = user;
  bool all = true;
  for (size_t i = 0; i < s->n_columns; i++) {
    struct cell_column *c = &s->columns[i];
    if (!c->used)
      c->used = cell(c, row).kind != VALUE_NONE;
    all &= c->used;
  }
  return !all;
}

/* Free `columns`. Named columns stand even when they are empty: the caller asked for them. */
static struct shape shape_of(const struct table *t, const ProtobufCMessage *result)
{
  struct shape s = {.top = messages_of(result, t->levels[0])};
  size_t n = 0;
  for (size_t i = 0; i < t->n_columns; i++)
    n += width(&t->columns[i], result);
  s.columns = xcalloc(n + 1, sizeof(*s.columns));
  for (size_t i = 0; i < t->n_columns; i++) {
    const struct column *c = &t->columns[i];
    for (size_t k = 0; k < width(c, result); k++)
      s.columns[s.n_columns++] = (struct cell_column){
          .column = c,
          .item = k,
          .name = c->named_by == NULL ? c->name : name_at(result, c->named_by, k),
          .used = c->named_by != NULL};
  }
  each_row(t, s.top, mark_used, &s);
  size_t kept = 0;
  for (size_t i = 0; i < s.n_columns; i++) {
    if (s.columns[i].used)
      s.columns[kept++] = s.columns[i];
  }
  s.n_columns = kept;
  return s;
}

/* ------------------------------------------------------------------ output */

struct writer {
  const struct table *table;
  const struct shape *shape;
  struct buf *out;
  size_t max, rows;
};

static bool put_json_row(void *user, const struct row *row)
{
  struct writer *w = user;
  buf_puts(w->out, w->rows++ == 0 ? "[" : ",[");
  for (size_t i = 0; i < w->shape->n_columns; i++) {
    struct value v = cell(&w->shape->columns[i], row);
    if (i > 0)
      buf_putc(w->out, ',');
    value_put_json(w->out, &v);
  }
  return buf_putc(w->out, ']');
}

void table_put_json(struct buf *out, const struct table *table, const ProtobufCMessage *result)
{
  struct shape s = shape_of(table, result);
  struct writer w = {.table = table, .shape = &s, .out = out};
  buf_puts(out, "\"columns\":[");
  for (size_t i = 0; i < s.n_columns; i++) {
    if (i > 0)
      buf_putc(out, ',');
    buf_put_json_string(out, s.columns[i].name, strlen(s.columns[i].name));
  }
  buf_puts(out, "],\"rows\":[");
  each_row(table, s.top, put_json_row, &w);
  buf_putc(out, ']');
  free(s.columns);
}

/* Whether a column stands in the text by itself. */
static bool in_text(const struct cell_column *c)
{
  return !c->column->structured_only && c->column->text_in == 0;
}

/* " (live_chats 2, texts 2)": the values that the text shows in the cell of a column. */
static void put_inside(const struct writer *w, const struct cell_column *outer,
                       const struct row *row)
{
  size_t n = 0, at = (size_t)(outer->column - w->table->columns) + 1;
  for (size_t i = 0; i < w->shape->n_columns; i++) {
    const struct cell_column *c = &w->shape->columns[i];
    if (c->column->text_in != at)
      continue;
    struct value v = cell(c, row);
    if (v.kind == VALUE_NONE)
      continue;
    buf_printf(w->out, "%s%s ", n++ == 0 ? " (" : ", ", c->name);
    value_put_text(w->out, &v, c->column->format);
  }
  if (n > 0)
    buf_putc(w->out, ')');
}

static bool put_text_row(void *user, const struct row *row)
{
  struct writer *w = user;
  size_t before = w->out->len, n = 0;
  for (size_t i = 0; i < w->shape->n_columns; i++) {
    const struct cell_column *c = &w->shape->columns[i];
    if (!in_text(c))
      continue;
    struct value v = cell(c, row);
    if (n++ > 0)
      buf_putc(w->out, '\t');
    value_put_text(w->out, &v, c->column->format);
    put_inside(w, c, row);
  }
  buf_putc(w->out, '\n');
  if (w->out->len > w->max || w->out->failed) {
    buf_truncate(w->out, before);
    return false;
  }
  w->rows++;
  return true;
}

static void put_text_names(struct buf *out, const struct shape *s)
{
  size_t n = 0;
  for (size_t i = 0; i < s->n_columns; i++) {
    if (!in_text(&s->columns[i]))
      continue;
    if (n++ > 0)
      buf_putc(out, '\t');
    buf_puts(out, s->columns[i].name);
  }
  buf_putc(out, '\n');
}

size_t table_put_text(struct buf *out, const struct table *table, const ProtobufCMessage *result,
                      size_t max)
{
  struct shape s = shape_of(table, result);
  struct writer w = {.table = table, .shape = &s, .out = out, .max = max};
  if (s.top.n > 0 && s.n_columns > 0) {
    put_text_names(out, &s);
    each_row(table, s.top, put_text_row, &w);
  }
  free(s.columns);
  return w.rows;
}

static void put_words_of_name(struct buf *out, const char *name)
{
  for (; *name != '\0'; name++)
    buf_putc(out, *name == '_' ? ' ' : *name);
}

static bool put_line_row(void *user, const struct row *row)
{
  struct writer *w = user;
  size_t n = 0;
  for (size_t i = 0; i < w->shape->n_columns; i++) {
    struct value v = cell(&w->shape->columns[i], row);
    if (!in_text(&w->shape->columns[i]))
      continue;
    if (n++ > 0)
      buf_puts(w->out, "; ");
    put_words_of_name(w->out, w->shape->columns[i].name);
    buf_putc(w->out, ' ');
    value_put_sentence(w->out, &v, w->shape->columns[i].column->format);
    put_inside(w, &w->shape->columns[i], row);
  }
  return false;
}

void table_put_line(struct buf *out, const struct table *table, const ProtobufCMessage *result)
{
  struct shape s = shape_of(table, result);
  struct writer w = {.table = table, .shape = &s, .out = out};
  each_row(table, s.top, put_line_row, &w);
  free(s.columns);
}
