/* Codes for the values of one dimension: each distinct text gets a number, in the order
 * of first appearance. Not thread-safe. */
#ifndef AMCP_REPORT_ROWS_DICTIONARY_H
#define AMCP_REPORT_ROWS_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dictionary_entry {
  uint32_t offset; /* into text */
  uint32_t len;
  uint32_t hash;
};

struct dictionary {
  char *text; /* all values, each with a NUL */
  size_t text_len, text_cap;
  struct dictionary_entry *entries;
  uint32_t count, entry_cap;
  uint32_t *slots; /* hash table: code + 1, 0 is free */
  uint32_t slot_count;
  uint64_t seed; /* the texts come from visitors of a website */
};

void dictionary_init(struct dictionary *d);
void dictionary_free(struct dictionary *d);
/* Finds or adds a text. *budget is lessened by what an addition costs in bytes; false, and
 * nothing changed, when it does not suffice. */
bool dictionary_code(uint32_t *code, struct dictionary *d, const char *text, size_t len,
                     size_t *budget);
/* Bytes it has allocated. */
size_t dictionary_memory(const struct dictionary *d);
/* Text of a code, NUL-terminated; valid until the next addition. */
const char *dictionary_text(const struct dictionary *d, uint32_t code);

#endif
