/* The table against a naive model: an array of what was put, in order of use. */
#include "common/base/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/unit/harness.h"

enum { KEYS = 60, CAP = 100, STEPS = 40000 };

struct value {
  int key;
  char *owned; /* so that a leak or a use after free shows */
};

/* What must be in the table, the one used last at the end. */
struct model {
  struct {
    int key;
    size_t size;
    int64_t until;
  } of[KEYS];
  size_t n, size;
};

static void model_take(struct model *m, size_t at)
{
  m->size -= m->of[at].size;
  memmove(&m->of[at], &m->of[at + 1], (--m->n - at) * sizeof(m->of[0]));
}

/* Its place; KEYS when it is not there, or has ended. */
static size_t model_peek(const struct model *m, int key, int64_t now)
{
  for (size_t i = 0; i < m->n; i++) {
    if (m->of[i].key == key)
      return m->of[i].until > now ? i : KEYS;
  }
  return KEYS;
}

/* What has ended is taken out. */
static size_t model_find(struct model *m, int key, int64_t now)
{
  size_t ended = model_peek(m, key, INT64_MIN), found = model_peek(m, key, now);
  if (ended < KEYS && found == KEYS)
    model_take(m, ended);
  return found;
}

static void model_append(struct model *m, int key, size_t size, int64_t until)
{
  m->of[m->n].key = key;
  m->of[m->n].size = size;
  m->of[m->n++].until = until;
  m->size += size;
}

static void model_touch(struct model *m, size_t at)
{
  __typeof__(m->of[0]) it = m->of[at];
  model_take(m, at);
  model_append(m, it.key, it.size, it.until);
}

static void model_put(struct model *m, int key, size_t size, int64_t until)
{
  size_t old = model_peek(m, key, INT64_MIN);
  if (old < KEYS)
    model_take(m, old);
  while (m->size + size > CAP)
    model_take(m, 0);
  model_append(m, key, size, until);
}

struct fixture {
  struct table t;
  struct model m;
  size_t living; /* values filled and not dropped */
};

static void drop(void *user, void *value)
{
  struct fixture *f = user;
  struct value *v = value;
  CU_ASSERT_EQUAL(strtol(v->owned, NULL, 10), v->key);
  free(v->owned);
  f->living--;
}

static size_t key_text(char out[16], int key)
{
  return (size_t)snprintf(out, 16, "%d", key) + (size_t)(key % 3); /* some with NULs behind them */
}

static void check(const struct fixture *f)
{
  size_t at = f->m.n;
  char text[16] = {0};
  CU_ASSERT_EQUAL(f->t.order.n, f->m.n);
  CU_ASSERT_EQUAL(f->t.order.size, f->m.size);
  CU_ASSERT_EQUAL(f->t.map.n, f->m.n);
  CU_ASSERT_EQUAL(f->living, f->m.n);
  for (const struct value *v = table_newest(&f->t); v != NULL && at > 0; v = table_older(v)) {
    key_text(text, v->key);
    CU_ASSERT_EQUAL(v->key, f->m.of[--at].key);
    CU_ASSERT_STRING_EQUAL(table_key(v), text);
  }
  CU_ASSERT_EQUAL(at, 0);
}

static void fill(struct fixture *f, struct value *v, int key)
{
  char text[16];
  CU_ASSERT_PTR_NOT_NULL_FATAL(v);
  CU_ASSERT_PTR_NULL(v->owned); /* new values are zeros */
  snprintf(text, sizeof(text), "%d", key);
  *v = (struct value){key, xstrdup(text)};
  f->living++;
}

/* Puts, makes, finds, peeks or removes a key. */
static void step(struct fixture *f, int key, int64_t now)
{
  char text[16] = {0};
  size_t len = key_text(text, key), size = 1 + random_below(20), at;
  int64_t until = random_below(3) == 0 ? INT64_MAX : now + (int64_t)random_below(50);
  struct value *v;
  switch (random_below(5)) {
  case 0:
    model_put(&f->m, key, size, until);
    fill(f, table_put(&f->t, text, len, size, until), key);
    return;
  case 1:
    at = model_find(&f->m, key, 0);
    v = table_make(&f->t, text, len);
    if (at == KEYS) {
      model_put(&f->m, key, 1, INT64_MAX);
      fill(f, v, key);
    } else {
      model_touch(&f->m, at);
    }
    break;
  case 2:
    at = model_peek(&f->m, key, now);
    v = table_peek(&f->t, text, len, now);
    CU_ASSERT_EQUAL(v != NULL, at < KEYS);
    if (v != NULL && random_below(4) == 0) {
      table_remove(&f->t, v);
      model_take(&f->m, at);
      return;
    }
    break;
  default:
    at = model_find(&f->m, key, now);
    v = table_find(&f->t, text, len, now);
    CU_ASSERT_EQUAL(v != NULL, at < KEYS);
    if (at < KEYS)
      model_touch(&f->m, at);
  }
  CU_ASSERT_TRUE(v == NULL || v->key == key);
}

static void it_agrees_with_an_array_in_order_of_use(void)
{
  struct fixture f = {0};
  table_init(&f.t, sizeof(struct value), CAP, drop, &f);
  for (int64_t now = 1; now <= STEPS; now++) {
    step(&f, (int)random_below(KEYS), now);
    if (now % 16 == 0)
      check(&f);
    if (now % 500 != 0)
      continue;
    table_expire(&f.t, now);
    for (size_t i = f.m.n; i > 0; i--)
      if (f.m.of[i - 1].until <= now)
        model_take(&f.m, i - 1);
    check(&f);
  }
  CU_ASSERT_TRUE(f.living > 0);
  table_free(&f.t);
  CU_ASSERT_EQUAL(f.living, 0);
}

static void what_passes_the_cap_is_not_taken_and_pushes_nothing_out(void)
{
  struct table t;
  table_init(&t, sizeof(int), 10, NULL, NULL);
  *(int *)table_put(&t, TABLE_TEXT("a"), 10, INT64_MAX) = 7;
  CU_ASSERT_PTR_NULL(table_put(&t, TABLE_TEXT("a"), 11, INT64_MAX));
  CU_ASSERT_PTR_NULL(table_put(&t, TABLE_TEXT("b"), 11, INT64_MAX));
  CU_ASSERT_EQUAL(*(int *)table_find(&t, TABLE_TEXT("a"), 0), 7);
  table_free(&t);
  table_init(&t, sizeof(int), 0, NULL, NULL);
  CU_ASSERT_PTR_NULL(table_put(&t, TABLE_TEXT("a"), 1, INT64_MAX));
  table_free(&t);
}

static void without_finding_entries_go_in_the_order_in_which_they_came(void)
{
  struct table t;
  table_init(&t, 0, 2, NULL, NULL); /* a set: there are no values */
  table_put(&t, TABLE_TEXT("a"), 1, 5);
  table_put(&t, TABLE_TEXT("b"), 1, 9);
  CU_ASSERT_PTR_NOT_NULL(table_peek(&t, TABLE_TEXT("a"), 4));
  table_put(&t, TABLE_TEXT("c"), 1, 9);
  CU_ASSERT_PTR_NULL(table_peek(&t, TABLE_TEXT("a"), 4));
  CU_ASSERT_PTR_NOT_NULL(table_find(&t, TABLE_TEXT("b"), 8));
  CU_ASSERT_PTR_NULL(table_find(&t, TABLE_TEXT("b"), 9)); /* its end is not in it */
  CU_ASSERT_EQUAL(t.order.n, 1);
  table_free(&t);
}

TEST_MAIN("base/table", TEST(it_agrees_with_an_array_in_order_of_use),
          TEST(what_passes_the_cap_is_not_taken_and_pushes_nothing_out),
          TEST(without_finding_entries_go_in_the_order_in_which_they_came))
