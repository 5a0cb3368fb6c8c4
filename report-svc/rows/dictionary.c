/* Open-addressing hash table from text to code, texts in one growing block. */
#include "report-svc/rows/dictionary.h"

#include <string.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "report-svc/rows/mix.h"

enum { FIRST_SLOTS = 64, FIRST_ENTRIES = 32, FIRST_TEXT = 1024 };

void dictionary_init(struct dictionary *d)
{
  *d = (struct dictionary){.seed = random_below(UINT64_MAX)};
}

void dictionary_free(struct dictionary *d)
{
  free(d->text);
  free(d->entries);
  free(d->slots);
  *d = (struct dictionary){0};
}

size_t dictionary_memory(const struct dictionary *d)
{
  return d->text_cap + d->entry_cap * sizeof(*d->entries) + d->slot_count * sizeof(*d->slots);
}

static uint32_t hash_text(uint64_t seed, const char *p, size_t len)
{
  uint64_t h = seed ^ (len * UINT64_C(0x9e3779b97f4a7c15));
  uint64_t word;
  while (len > 8) {
    memcpy(&word, p, 8);
    h = rows_mix(h, word);
    p += 8;
    len -= 8;
  }
  word = 0;
  memcpy(&word, p, len);
  h = rows_mix(h, word);
  return (uint32_t)(h ^ (h >> 32));
}

static void place(struct dictionary *d, uint32_t code)
{
  uint32_t mask = d->slot_count - 1;
  uint32_t i = d->entries[code].hash & mask;
  while (d->slots[i] != 0)
    i = (i + 1) & mask;
  d->slots[i] = code + 1;
}

static void grow_slots(struct dictionary *d)
{
  uint32_t count = d->slot_count == 0 ? FIRST_SLOTS : d->slot_count * 2;
  free(d->slots);
  d->slots = xcalloc(count, sizeof(*d->slots));
  d->slot_count = count;
  for (uint32_t code = 0; code < d->count; code++)
    place(d, code);
}

static void grow_for(struct dictionary *d, size_t len)
{
  if (d->count == d->entry_cap) {
    d->entry_cap = d->entry_cap == 0 ? FIRST_ENTRIES : d->entry_cap * 2;
    d->entries = xrealloc(d->entries, d->entry_cap * sizeof(*d->entries));
  }
  size_t need = d->text_len + len + 1;
  if (need > d->text_cap) {
    d->text_cap = d->text_cap == 0 ? FIRST_TEXT : d->text_cap * 2;
    if (d->text_cap < need)
      d->text_cap = need;
    d->text = xrealloc(d->text, d->text_cap);
  }
}

static bool add(uint32_t *code, struct dictionary *d, const char *text, size_t len, uint32_t hash,
                size_t *budget)
{
  /* Text, NUL, entry, and the share of a table that is at least a third full. */
  size_t cost = len + 1 + sizeof(*d->entries) + 2 * sizeof(*d->slots);
  if (cost > *budget || d->text_len + len + 1 > UINT32_MAX)
    return false;
  *budget -= cost;
  grow_for(d, len);
  memcpy(d->text + d->text_len, text, len);
  d->text[d->text_len + len] = '\0';
  *code = d->count++;
  d->entries[*code] = (struct dictionary_entry){(uint32_t)d->text_len, (uint32_t)len, hash};
  d->text_len += len + 1;
  place(d, *code);
  return true;
}

bool dictionary_code(uint32_t *code, struct dictionary *d, const char *text, size_t len,
                     size_t *budget)
{
  if ((uint64_t)d->count * 3 >= (uint64_t)d->slot_count * 2)
    grow_slots(d);
  uint32_t hash = hash_text(d->seed, text, len);
  uint32_t mask = d->slot_count - 1;
  for (uint32_t i = hash & mask; d->slots[i] != 0; i = (i + 1) & mask) {
    const struct dictionary_entry *entry = &d->entries[d->slots[i] - 1];
    if (entry->hash == hash && entry->len == len &&
        memcmp(d->text + entry->offset, text, len) == 0) {
      *code = d->slots[i] - 1;
      return true;
    }
  }
  return add(code, d, text, len, hash, budget);
}

const char *dictionary_text(const struct dictionary *d, uint32_t code)
{
  return d->text + d->entries[code].offset;
}
