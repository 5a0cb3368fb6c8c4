/* Entries by key, bounded: the value of each lies in its entry, may end at a time, and gives way
 * when others need its room, the one longest unused first. What every cache stands on:
 *
 *   struct table t;
 *   table_init(&t, sizeof(struct seen), 1000, NULL, NULL);
 *   pthread_mutex_lock(&t.lock);
 *   struct seen *s = table_make(&t, TABLE_TEXT(name));       zeroed when it is new
 *   ...
 *   pthread_mutex_unlock(&t.lock);
 *   table_free(&t);
 *
 * A value stays where it is until its entry goes. Times are the caller's, in a unit of its choice:
 * `now` is handed in. A table whose entries have no end takes 0 for it.
 *
 * No function takes the lock: it is for owners who share the table between threads. */
#ifndef AMCP_BASE_TABLE_H
#define AMCP_BASE_TABLE_H

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "common/base/lru.h"
#include "common/base/map.h"

/* Releases what a value refers to, or takes it over. The entry is out of the table already and is
 * freed afterwards; the table must not be used. */
typedef void table_drop(void *user, void *value);

/* What an entry takes beside its value and its key, for sizes in bytes. */
enum { TABLE_ENTRY_BYTES = 64 };

struct table {
  pthread_mutex_t lock;
  struct map map;
  struct lru order; /* n entries of `size` together, of at most `max` */
  size_t value_bytes;
  table_drop *drop;
  void *user;
};

/* A text as a key, without its NUL. */
#define TABLE_TEXT(text) (text), strlen(text)

/* max: of the sizes of all entries together, at least 1 for table_make(). drop may be NULL. */
void table_init(struct table *t, size_t value_bytes, size_t max, table_drop *drop, void *user);
/* Drops every entry. */
void table_free(struct table *t);

/* The value of a key, which is now the one used last; NULL when there is none, or it has ended:
 * then it is dropped. */
void *table_find(struct table *t, const void *key, size_t len, int64_t now);
/* The same, but the table stays as it is: with this alone entries go in the order in which they
 * came. */
void *table_peek(const struct table *t, const void *key, size_t len, int64_t now);
/* The value of a key as table_find() gives it; a new one of size 1, without an end, if need be. */
void *table_make(struct table *t, const void *key, size_t len);
/* A new value, all zeros, in the place of any before it; NULL when `size` passes the cap. */
void *table_put(struct table *t, const void *key, size_t len, size_t size, int64_t until);

/* Drops an entry by its value. */
void table_remove(struct table *t, void *value);
/* Drops all that have ended. */
void table_expire(struct table *t, int64_t now);

/* Every value from the one used last on; NULL at the end. */
void *table_newest(const struct table *t);
void *table_older(const void *value);
/* The key of a value, with a NUL behind it. */
const void *table_key(const void *value);

#endif
