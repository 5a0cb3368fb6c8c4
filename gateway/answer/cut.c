/* The tables of an answer's text, within its bytes. */
#include "gateway/answer/cut.h"

#include "gateway/answer/table.h"

enum { NAME_BYTES = 40, NEXT_BYTES = 100, NOTICE_BYTES = 200, MEASURE_MAX = 8 * 1024 * 1024 };

/* A table as a whole: its length is what it needs, and where it fits, this is its text. */
struct whole {
  const struct table *table;
  struct buf text;
  size_t rows;
};

static void whole_make(struct whole *w, const struct table *t, const ProtobufCMessage *m)
{
  w->table = t;
  w->text = BUF_INIT(MEASURE_MAX);
  w->rows = table_rows(t, m);
  if (w->rows > 0 && table_put_text(&w->text, t, m, MEASURE_MAX) < w->rows)
    w->text.failed = true; /* larger than anything it could fit in */
}

/* Gives each table its share of `left` bytes: equal ones, and what a smaller table does not need
 * goes to those that are larger. */
static void share_out(size_t share[], const size_t need[], size_t n, size_t left)
{
  bool served[TABLES_MAX] = {false};
  for (size_t waiting = n; waiting > 0; waiting--) {
    size_t least = n;
    for (size_t i = 0; i < n; i++) {
      if (!served[i] && (least == n || need[i] < need[least]))
        least = i;
    }
    share[least] = need[least] < left / waiting ? need[least] : left / waiting;
    left -= share[least];
    served[least] = true;
  }
}

/* What is missing of a table, and how to get it. */
static void put_cut(struct buf *out, const struct answer_plan *p, const struct answer_notes *own,
                    size_t written, size_t rows)
{
  buf_printf(out, "(%zu of %zu row%s: the text ends here. ", written, rows, rows == 1 ? "" : "s");
  if (own != NULL && own->has_offset && p->n_tables == 1 && written > 0)
    buf_printf(out, "For the others call %s again with offset %llu.)\n", p->tool->name,
               (unsigned long long)(own->offset + written));
  else if (own != NULL && own->has_offset)
    buf_printf(out, "For the others call %s again with a lower limit, and page with offset.)\n",
               p->tool->name);
  else
    buf_puts(out,
             "For the others ask for fewer dealers, dimensions or metrics, a lower limit, or a "
             "filter.)\n");
}

/* One table in its share of bytes; whether it is whole. */
static bool put_table(struct buf *out, const struct answer_plan *p, const ProtobufCMessage *m,
                      const struct answer_notes *own, const struct whole *w, size_t share)
{
  if (w->rows == 0)
    return true;
  buf_putc(out, '\n');
  if (p->n_tables > 1)
    buf_printf(out, "%s:\n", w->table->levels[0]->name);
  if (!w->text.failed && w->text.len <= share)
    return buf_append(out, w->text.data, w->text.len);
  size_t written = table_put_text(out, w->table, m, out->len + share);
  if (written < w->rows)
    put_cut(out, p, own, written, w->rows);
  return written == w->rows;
}

bool cut_put_tables(struct buf *out, const struct answer_plan *p, const ProtobufCMessage *m,
                    const struct answer_notes *own, size_t max)
{
  struct whole wholes[TABLES_MAX];
  size_t need[TABLES_MAX] = {0}, share[TABLES_MAX] = {0}, all = 0;
  size_t n = p->n_tables, used = out->len + NAME_BYTES * n + NEXT_BYTES;
  bool whole = true;
  for (size_t i = 0; i < n; i++) {
    whole_make(&wholes[i], &p->tables[i], m);
    need[i] = wholes[i].text.len;
    all += need[i];
  }
  if (used + all > max) /* something will be cut, and that is said */
    used += NOTICE_BYTES * n;
  share_out(share, need, n, max > used ? max - used : 0);
  for (size_t i = 0; i < n; i++)
    whole &= put_table(out, p, m, own, &wholes[i], share[i]);
  for (size_t i = 0; i < n; i++)
    buf_free(&wholes[i].text);
  return whole;
}
