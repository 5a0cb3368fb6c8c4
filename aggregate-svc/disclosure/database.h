/* A database as the release store needs it: statements with text parameters, one row back.
 *
 * Two kinds, one dialect: the SQL of store_sql.c is read by SQLite and by PostgreSQL alike, with $1,
 * $2 ... in order of first appearance. Not thread-safe: the store's lock covers it. */
#ifndef AMCP_AGGREGATE_DATABASE_H
#define AMCP_AGGREGATE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

enum { DATABASE_MAX_COLUMNS = 8 };

/* The first row of a result. */
struct database_row {
  bool found;
  char *columns[DATABASE_MAX_COLUMNS]; /* NULL for a NULL */
  size_t changed;                      /* rows that the statement wrote */
};
void database_row_free(struct database_row *row);

struct database {
  const char *name;  /* in messages: "SQLite", "PostgreSQL" */
  const char *begin; /* starts a transaction that may write */
  const char *guard; /* in the transaction of a migration, against others; NULL for none */
  /* Runs one statement. row may be NULL. ERR_UNAVAILABLE: the database was lost, or is busy for
   * too long; what the statement did is unknown. */
  enum err_code (*run)(struct database *d, const char *sql, const char *const *parameters, size_t n,
                       struct database_row *row, struct err *e);
  /* Whether it must be opened again. */
  bool (*is_lost)(const struct database *d);
  void (*close)(struct database *d);
};

/* Opens, or creates, a file; path NULL is in memory. */
enum err_code database_open_sqlite(struct database **out, const char *path, struct err *e);
/* Connects, for at most 3 s; a statement may take 5 s. Messages never hold the URL. */
enum err_code database_open_postgres(struct database **out, const char *url, struct err *e);
/* Whether a URL is one. ERR_INVALID_ARGUMENT names DATABASE_URL and shows nothing of it. */
enum err_code database_check_url(const char *url, struct err *e);

#endif
