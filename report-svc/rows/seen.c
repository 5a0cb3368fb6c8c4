/* Keys of rows in an open hash table. */
#include "report-svc/rows/seen.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/random.h"
#include "report-svc/rows/mix.h"

enum { FIRST_SLOTS = 64, ATTEMPT_BITS = 4 };

/* Kinds of keys. COMBINATION with the first and the second of two added dimensions. */
enum { COMBINATION, WITH_FIRST, WITH_SECOND, COMBINATIONS };
/* Each kind of hash starts from a secret of its own. */
enum { SEED_ROW, SEED_VALUES, SEED_COMBINATIONS, SEEDS = SEED_COMBINATIONS + COMBINATIONS };

struct slot {
  uint64_t key;    /* 0: free */
  uint32_t values; /* hash of the metric values */
  uint32_t stamp;  /* page and attempt in which it came last */
};

struct seen {
  size_t asked;
  uint64_t secrets[SEEDS];
  struct slot *slots;
  size_t n_slots, used;
  int64_t rows, combinations[COMBINATIONS];
  uint32_t page, attempt;
};

struct seen *seen_new(size_t asked)
{
  struct seen *s = xcalloc(1, sizeof(*s));
  s->asked = asked;
  random_fill(s->secrets, sizeof(s->secrets));
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

/* Never 0, which marks a free slot. */
static uint64_t hash_codes(const uint32_t *codes, size_t n, uint64_t start)
{
  uint64_t hash = start;
  for (size_t i = 0; i < n; i++)
    hash = rows_mix(hash, codes[i]);
  return hash == 0 ? 1 : hash;
}

/* Of equal values the same; 0 and -0 are not told apart by columns. */
static uint32_t hash_values(const double *values, size_t n, uint64_t start)
{
  uint64_t hash = start, bits;
  for (size_t i = 0; i < n; i++) {
    memcpy(&bits, &values[i], sizeof(bits));
    hash = rows_mix(hash, bits);
  }
  return (uint32_t)hash;
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
  if ((s->used + 1 + COMBINATIONS) * 4 <= n_old * 3)
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
static void count_combination(struct seen *s, const struct columns_row *row, size_t kind)
{
  const uint32_t *added = &row->codes[s->asked + (kind == WITH_SECOND)];
  uint64_t key = hash_codes(row->codes, s->asked, s->secrets[SEED_COMBINATIONS + kind]);
  if (kind != COMBINATION)
    key = hash_codes(added, 1, key);
  struct slot *slot = find(s, key);
  if (slot->key != 0)
    return;
  slot->key = key;
  s->used++;
  s->combinations[kind]++;
}

static void count_combinations(struct seen *s, const struct columns_row *row)
{
  if (s->asked >= row->n_codes) /* every row is one */
    return;
  size_t kinds = row->n_codes - s->asked > 1 ? COMBINATIONS : 1;
  for (size_t kind = 0; kind < kinds; kind++)
    count_combination(s, row, kind);
}

static enum seen_row came_before(struct slot *slot, uint32_t values, uint32_t stamp)
{
  bool this_page = slot->stamp >> ATTEMPT_BITS == stamp >> ATTEMPT_BITS;
  if (!this_page || slot->stamp == stamp)
    return SEEN_TWICE;
  slot->stamp = stamp;
  return slot->values == values ? SEEN_AGAIN : SEEN_CHANGED;
}

enum seen_row seen_row(struct seen *s, const struct columns_row *row)
{
  make_room(s);
  uint64_t key = hash_codes(row->codes, row->n_codes, s->secrets[SEED_ROW]);
  uint32_t values = hash_values(row->values, row->n_values, s->secrets[SEED_VALUES]);
  struct slot *slot = find(s, key);
  if (slot->key != 0)
    return came_before(slot, values, stamp_of(s));
  *slot = (struct slot){key, values, stamp_of(s)};
  s->used++;
  s->rows++;
  count_combinations(s, row);
  return SEEN_NEW;
}

int64_t seen_counted(const struct seen *s, int64_t expected)
{
  if (s->rows == expected)
    return expected;
  for (size_t kind = 0; kind < COMBINATIONS; kind++)
    if (s->combinations[kind] == expected)
      return expected;
  return s->combinations[COMBINATION] > 0 ? s->combinations[COMBINATION] : s->rows;
}

size_t seen_memory(const struct seen *s)
{
  return sizeof(*s) + s->n_slots * sizeof(*s->slots);
}
