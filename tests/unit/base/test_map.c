/* The intrusive map and the list in order of use, against naive models. */
#include "common/base/map.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/lru.h"
#include "common/base/random.h"
#include "tests/unit/harness.h"

enum { KEYS = 300, STEPS = 60000, MAX_KEY = 12, CAP = 50 };

struct item {
  struct map_node in_map;
  struct lru_node in_use;
  char key[MAX_KEY];
  size_t key_len, size;
  bool in;       /* the model of the map */
  uint64_t last; /* the model of the list: step of the last use */
  unsigned met;  /* by an iteration */
};

/* Keys that differ in length and in single bytes, NULs among them; the first is empty. */
static void make_keys(struct item *items)
{
  memset(items, 0, KEYS * sizeof(*items));
  for (size_t i = 1; i < KEYS; i++) {
    items[i].key_len = 2 + i % (MAX_KEY - 2);
    items[i].key[0] = (char)(i & 0xff);
    items[i].key[1] = (char)(i >> 8);
  }
}

static struct item *find(const struct map *m, const struct item *of)
{
  char copy[MAX_KEY]; /* compared by content, not by address */
  memcpy(copy, of->key, of->key_len);
  return CONTAINER_OF(map_find(m, copy, of->key_len), struct item, in_map);
}

static void check_iteration(const struct map *m, struct item *items, size_t n)
{
  size_t met = 0;
  for (struct map_node *node = map_first(m); node != NULL; node = map_next(m, node), met++)
    CONTAINER_OF(node, struct item, in_map)->met++;
  CU_ASSERT_EQUAL(met, n);
  for (size_t i = 0; i < KEYS; i++) {
    CU_ASSERT_EQUAL(items[i].met, items[i].in ? 1 : 0);
    items[i].met = 0;
  }
}

static void map_agrees_with_a_list_of_flags(void)
{
  static struct item items[KEYS];
  make_keys(items);
  struct map m = {0};
  size_t n = 0;
  CU_ASSERT_PTR_NULL(map_find_text(&m, "none"));
  CU_ASSERT_PTR_NULL(map_first(&m));
  for (int step = 0; step < STEPS; step++) {
    struct item *it = &items[random_below(KEYS)];
    bool wanted = random_below(4) != 0; /* mostly full, then mostly empty */
    if (step > STEPS / 2)
      wanted = !wanted;
    if (wanted && !it->in)
      map_add(&m, &it->in_map, it->key, it->key_len);
    else if (!wanted && it->in)
      map_remove(&m, &it->in_map);
    n += wanted && !it->in ? 1 : 0;
    n -= !wanted && it->in ? 1 : 0;
    it->in = wanted;
    struct item *sought = &items[random_below(KEYS)];
    CU_ASSERT_PTR_EQUAL(find(&m, sought), sought->in ? sought : NULL);
    CU_ASSERT_EQUAL(m.n, n);
    if (step % 1000 == 0)
      check_iteration(&m, items, n);
  }
  map_free(&m);
  CU_ASSERT_EQUAL(m.n, 0);
  CU_ASSERT_PTR_NULL(map_find(&m, items[1].key, items[1].key_len));
}

static void an_iteration_may_remove_what_it_has_passed(void)
{
  static struct item items[KEYS];
  make_keys(items);
  struct map m = {0};
  for (size_t i = 0; i < KEYS; i++)
    map_add(&m, &items[i].in_map, items[i].key, items[i].key_len);
  size_t met = 0;
  for (struct map_node *node = map_first(&m), *next; node != NULL; node = next, met++) {
    next = map_next(&m, node);
    if (met % 3 != 0)
      map_remove(&m, node);
  }
  CU_ASSERT_EQUAL(met, KEYS);
  CU_ASSERT_EQUAL(m.n, (KEYS + 2) / 3);
  map_free(&m);
}

static void chains_stay_short_as_the_map_grows(void)
{
  enum { MANY = 20000 };
  struct item *items = xcalloc(MANY, sizeof(*items));
  struct map m = {0};
  size_t longest = 0;
  for (size_t i = 0; i < MANY; i++) {
    memcpy(items[i].key, &i, sizeof(i));
    map_add(&m, &items[i].in_map, items[i].key, sizeof(i));
  }
  CU_ASSERT_TRUE(m.n_chains >= MANY);
  for (size_t i = 0; i < m.n_chains; i++) {
    size_t len = 0;
    for (struct map_node *node = m.chains[i]; node != NULL; node = node->next)
      len++;
    longest = len > longest ? len : longest;
  }
  CU_ASSERT_TRUE(longest < 20); /* about 8 are expected; 20 in one chain never happens by chance */
  map_free(&m);
  free(items);
}

static void text_keys_leave_out_the_nul(void)
{
  struct item a = {0}, b = {0};
  struct map m = {0};
  map_add_text(&m, &a.in_map, "west");
  map_add(&m, &b.in_map, "west", 5);
  CU_ASSERT_PTR_EQUAL(map_find_text(&m, "west"), &a.in_map);
  CU_ASSERT_PTR_EQUAL(map_find(&m, "west", 4), &a.in_map);
  CU_ASSERT_PTR_EQUAL(map_find(&m, "west", 5), &b.in_map);
  CU_ASSERT_PTR_NULL(CONTAINER_OF(map_find_text(&m, "wes"), struct item, in_map));
  map_free(&m);
}

/* The one of the model that was used longest ago. */
static struct item *model_oldest(struct item *items)
{
  struct item *oldest = NULL;
  for (size_t i = 0; i < KEYS; i++)
    if (items[i].in && (oldest == NULL || items[i].last < oldest->last))
      oldest = &items[i];
  return oldest;
}

static void add_within_cap(struct lru *l, struct item *items, struct item *it, size_t *total)
{
  struct lru_node *node;
  it->size = 1 + random_below(9);
  while ((node = lru_excess(l, it->size)) != NULL) {
    struct item *oldest = CONTAINER_OF(node, struct item, in_use);
    CU_ASSERT_TRUE(*total + it->size > CAP);
    CU_ASSERT_PTR_EQUAL(oldest, model_oldest(items));
    lru_remove(l, node);
    oldest->in = false;
    *total -= oldest->size;
  }
  CU_ASSERT_TRUE(*total + it->size <= CAP);
  lru_add(l, &it->in_use, it->size);
  *total += it->size;
  it->in = true;
}

static void list_gives_up_what_was_used_longest_ago(void)
{
  static struct item items[KEYS];
  make_keys(items);
  struct lru l = LRU_INIT(CAP);
  size_t total = 0;
  for (uint64_t step = 1; step < STEPS / 10; step++) {
    struct item *it = &items[random_below(40)];
    if (!it->in) {
      add_within_cap(&l, items, it, &total);
    } else if (random_below(3) != 0) {
      lru_touch(&l, &it->in_use);
    } else {
      lru_remove(&l, &it->in_use);
      it->in = false;
      total -= it->size;
    }
    it->last = step;
    CU_ASSERT_EQUAL(l.size, total);
    CU_ASSERT_PTR_EQUAL(CONTAINER_OF(l.oldest, struct item, in_use), model_oldest(items));
  }
  size_t n = 0;
  uint64_t last = 0;
  for (struct lru_node *node = l.oldest; node != NULL; node = node->newer, n++) {
    CU_ASSERT_TRUE(CONTAINER_OF(node, struct item, in_use)->last > last);
    last = CONTAINER_OF(node, struct item, in_use)->last;
    CU_ASSERT_PTR_EQUAL(node->newer == NULL ? l.newest : node->newer->older, node);
  }
  CU_ASSERT_EQUAL(l.n, n);
}

static void an_object_above_the_cap_empties_the_list_and_is_not_the_lists_to_refuse(void)
{
  struct item a = {0}, b = {0};
  struct lru l = LRU_INIT(10);
  lru_add(&l, &a.in_use, 10);
  CU_ASSERT_PTR_NULL(lru_excess(&l, 0));
  CU_ASSERT_PTR_EQUAL(lru_excess(&l, 1), &a.in_use);
  CU_ASSERT_PTR_EQUAL(lru_excess(&l, SIZE_MAX), &a.in_use);
  lru_remove(&l, &a.in_use);
  CU_ASSERT_PTR_NULL(lru_excess(&l, 11));
  lru_add(&l, &b.in_use, 11);
  CU_ASSERT_PTR_EQUAL(lru_excess(&l, 0), &b.in_use);
}

TEST_MAIN("base/map", TEST(map_agrees_with_a_list_of_flags),
          TEST(an_iteration_may_remove_what_it_has_passed),
          TEST(chains_stay_short_as_the_map_grows), TEST(text_keys_leave_out_the_nul),
          TEST(list_gives_up_what_was_used_longest_ago),
          TEST(an_object_above_the_cap_empties_the_list_and_is_not_the_lists_to_refuse))
