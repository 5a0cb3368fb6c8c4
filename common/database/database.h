/* A database as a store needs it: statements with text parameters, one row back.
 *
 * One interface, so that a store's SQL may be read by PostgreSQL (here) and by SQLite
 * (aggregate-svc/disclosure) alike, with $1, $2 ... in order of first appearance. Not thread-safe:
 * the store's lock covers it. Every call may wait for a disk or a server. */
#ifndef AMCP_DATABASE_H
#define AMCP_DATABASE_H

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
/* Leaves an empty row. */
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

/* Connects, for at most 3 s; a statement may take 5 s. A transaction that its client leaves alone
 * for 10 s is ended by the server, so that a machine that vanished holds no lock for longer. The
 * connection bears the name of the program. Messages never hold the URL. */
enum err_code database_open_postgres(struct database **out, const char *url, const char *program,
                                     struct err *e);
/* Whether a URL is one. ERR_INVALID_ARGUMENT names DATABASE_URL and shows nothing of it. */
enum err_code database_check_url(const char *url, struct err *e);

/* The tables of one store, made step by step. */
struct database_schema {
  const char *table; /* where the steps done are written down: "release_schema" */
  const char *what;  /* in messages: "the releases" */
  const char *program;
  const char *const *steps; /* a statement per version, never changed afterwards */
  size_t n;
};
/* Does the steps that are missing, in a transaction, one replica after the other. UNAVAILABLE
 * `store_unavailable` also when a later version of the program has been there. */
enum err_code database_migrate(struct database *d, const struct database_schema *schema,
                               struct err *e);

#endif
