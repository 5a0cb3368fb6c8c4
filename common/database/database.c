/* What every database has in common: rows, and the steps of a schema. */
#include "common/database/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { NUMBER = 24 };

void database_row_free(struct database_row *row)
{
  for (size_t i = 0; i < DATABASE_MAX_COLUMNS; i++)
    free(row->columns[i]);
  memset(row, 0, sizeof(*row));
}

static enum err_code run_plain(struct database *d, const char *sql, struct err *e)
{
  return d->run(d, sql, NULL, 0, NULL, e);
}

/* How many steps were done before. */
static enum err_code count_steps(struct database *d, const struct database_schema *schema,
                                 size_t *have, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  AUTO_FREE char *make = xasprintf(
      "CREATE TABLE IF NOT EXISTS %s (version BIGINT NOT NULL PRIMARY KEY)", schema->table);
  AUTO_FREE char *look = xasprintf("SELECT COALESCE(MAX(version), 0) FROM %s", schema->table);
  if (run_plain(d, make, e) != ERR_OK || d->run(d, look, NULL, 0, &row, e) != ERR_OK)
    return e->code;
  *have = row.found ? strtoul(row.columns[0], NULL, 10) : 0;
  return *have <= schema->n
             ? ERR_OK
             : err_set(e, ERR_UNAVAILABLE, "store_unavailable",
                       "%s: %s were written by a later version of %s (schema %zu, this one knows "
                       "%zu); start that version",
                       d->name, schema->what, schema->program, *have, schema->n);
}

static enum err_code do_steps(struct database *d, const struct database_schema *schema, size_t have,
                              struct err *e)
{
  AUTO_FREE char *note = xasprintf("INSERT INTO %s (version) VALUES ($1)", schema->table);
  enum err_code code = ERR_OK;
  for (size_t i = have; i < schema->n && code == ERR_OK; i++) {
    char version[NUMBER];
    snprintf(version, sizeof(version), "%zu", i + 1);
    code = run_plain(d, schema->steps[i], e);
    if (code == ERR_OK)
      code = d->run(d, note, (const char *const[]){version}, 1, NULL, e);
  }
  return code;
}

enum err_code database_migrate(struct database *d, const struct database_schema *schema,
                               struct err *e)
{
  struct err local = {0};
  size_t have = 0;
  e = e != NULL ? e : &local;
  enum err_code code = run_plain(d, d->begin, e);
  if (code == ERR_OK && d->guard != NULL)
    code = run_plain(d, d->guard, e);
  if (code == ERR_OK)
    code = count_steps(d, schema, &have, e);
  if (code == ERR_OK)
    code = do_steps(d, schema, have, e);
  if (code == ERR_OK)
    return run_plain(d, "COMMIT", e);
  run_plain(d, "ROLLBACK", NULL);
  return code;
}
