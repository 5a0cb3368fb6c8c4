/* Keys of rows in an open hash table. */
#include "report-svc/rows/seen.h"

#include "common/base/hash.h"
#include "common/base/mem.h"

enum { FIRST_SLOTS = 64, ATTEMPT_BITS = 4 };

struct slot {
  uint64_t key;    /* 0: free */
  uint32_t values; /* hash of the metric values */
  uint32_t stamp;  /* page and attempt in which it came last */
};

struct seen {
  size_t combination;
  uint64_t hash_key[2];
  struct slot *slots;
  size_t n_slots, used;
  int64_t rows, combinations;
  uint32_t page, attempt;
};

struct seen *seen_new(size_t combination)
{
  struct seen *s = xcalloc(1, sizeof(*s));
  s->combination = combination;
  hash_key_make(s->hash_key);
  return s;
}

void seen_free(struct seen *s)
{
  if (s == NULL)
    return;
  free(s->slots);
  free(s);
}

void seen_begin_page(struct seen *s)
{
  s->page++;
  s->attempt = 0;
}

void seen_begin_again(struct seen *s)
{
  s->attempt++;
}

/* Texts one after the other. Each is hashed as one value that its length is part of, so that "a",
 * "bc" is not "ab", "c". */
static uint64_t hash_texts(const struct seen *s, const struct rows_text *texts, size_t n,
                           uint64_t start)
{
  uint64_t hash = start;
  for (size_t i = 0; i < n; i++)
    hash = hash_bytes(s->hash_key, texts[i].p, texts[i].len, hash);
  return hash;
}

/* The key of a row, and of its combination, which is made of the first dimensions. */
struct keys {
  uint64_t row, combination;
};

/* Never 0, which marks a free slot. */
static struct keys keys_of(const struct seen *s, const struct rows_row *row)
{
  size_t n = s->combination < row->n_dimensions ? s->combination : row->n_dimensions;
  struct keys k = {.combination = hash_texts(s, row->dimensions, n, 1)};
  k.row = hash_texts(s, row->dimensions + n, row->n_dimensions - n, k.combination);
  k.row += k.row == 0;
  k.combination += k.combination == 0;
  return k;
}

static struct slot *find(const struct seen *s, uint64_t key)
{
  size_t mask = s->n_slots - 1;
  size_t at = (size_t)key & mask;
  while (s->slots[at].key != 0 && s->slots[at].key != key)
    at = (at + 1) & mask;
  return &s->slots[at];
}

static void make_room(struct seen *s)
{
  struct slot *old = s->slots;
  size_t n_old = s->n_slots;
  if ((s->used + 2) * 4 <= n_old * 3)
    return;
  s->n_slots = n_old == 0 ? FIRST_SLOTS : n_old * 2;
  s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
  for (size_t i = 0; i < n_old; i++)
    if (old[i].key != 0)
      *find(s, old[i].key) = old[i];
  free(old);
}

static uint32_t stamp_of(const struct seen *s)
{
  return s->page << ATTEMPT_BITS | (s->attempt & ((1u << ATTEMPT_BITS) - 1));
}

/* A combination counts once, whatever its rows do. */
static void count_combination(struct seen *s, const struct rows_row *row, uint64_t key)
{
  if (s->combination >= row->n_dimensions) { /* every row is one */
    s->combinations++;
    return;
  }
  struct slot *slot = find(s, key);
  if (slot->key != 0)
    return;
  slot->key = key;
  s->used++;
  s->combinations++;
}

static enum seen_row came_before(struct slot *slot, uint32_t values, uint32_t stamp)
{
  bool this_page = slot->stamp >> ATTEMPT_BITS == stamp >> ATTEMPT_BITS;
  if (!this_page || slot->stamp == stamp)
    return SEEN_TWICE;
  slot->stamp = stamp;
  return slot->values == values ? SEEN_AGAIN : SEEN_CHANGED;
}

enum seen_row seen_row(struct seen *s, const struct rows_row *row)
{
  make_room(s);
  struct keys keys = keys_of(s, row);
  uint32_t values = (uint32_t)hash_texts(s, row->metrics, row->n_metrics, 0);
  struct slot *slot = find(s, keys.row);
  if (slot->key != 0)
    return came_before(slot, values, stamp_of(s));
  *slot = (struct slot){keys.row, values, stamp_of(s)};
  s->used++;
  s->rows++;
  count_combination(s, row, keys.combination);
  return SEEN_NEW;
}

int64_t seen_combinations(const struct seen *s)
{
  return s->combinations;
}

int64_t seen_rows(const struct seen *s)
{
  return s->rows;
}

size_t seen_memory(const struct seen *s)
{
  return sizeof(*s) + s->n_slots * sizeof(*s->slots);
}
