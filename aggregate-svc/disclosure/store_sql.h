/* The statements of the release store, and its schema. Inside the room; not thread-safe: the
 * store's lock covers the database. Errors are the database's. */
#ifndef AMCP_AGGREGATE_STORE_SQL_H
#define AMCP_AGGREGATE_STORE_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/disclosure/store.h"
#include "common/database/database.h"

/* Brings the schema to this version, in a transaction, one replica after the other. ERR_UNAVAILABLE
 * for one that a later version wrote. */
enum err_code store_sql_migrate(struct database *d, struct err *e);
/* Drops budgets of days gone by, and texts that no longer hold. */
enum err_code store_sql_drop_old(struct database *d, struct err *e);

/* A release; *out is the caller's to free when *found. */
enum err_code store_sql_find(struct database *d, const struct release_key *key, bool *found,
                             struct release_record *out, struct err *e);
/* Keeps the candidate unless there is a release already, or one of another version of the cohort
 * whose days overlap. */
enum err_code store_sql_insert(struct database *d, const struct release_key *key,
                               const char *version, const struct release_record *r, bool *kept,
                               struct err *e);
/* How many releases there are: reads the whole table. */
enum err_code store_sql_count(struct database *d, int64_t *out, struct err *e);
/* Takes one from a budget; *spent says that there was none. */
enum err_code store_sql_charge(struct database *d, const struct release_viewer *v, bool *spent,
                               struct err *e);

/* The text of a key that holds at now_ms; *out is the caller's to free, NULL when there is none. */
enum err_code store_sql_find_text(struct database *d, const struct release_key *key,
                                  const char *version, int64_t now_ms, char **out, struct err *e);
/* Keeps a text unless there is one that holds: of replicas that race one is kept. */
enum err_code store_sql_keep_text(struct database *d, const struct release_key *key,
                                  const char *version, int64_t now_ms, int64_t until_ms,
                                  const char *text, struct err *e);

#endif
