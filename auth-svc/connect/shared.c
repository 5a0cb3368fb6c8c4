/* The lists in a PostgreSQL that several replicas share.
 *
 * Each list is a row, and one row more is what a replica locks while it changes anything: so of
 * two that race one comes after the other, and sees what that one did. The row has a version that
 * grows with each change, and each list the version that changed it last: a replica reads a list
 * again only when somebody changed it. What is sealed stays sealed here.
 *
 * The others learn of a change by asking for the version once a second (store.c): one row by its
 * key, which a pooler in any mode passes on, and which cannot be missed as a notification is that
 * comes while a connection is down. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/connect/place.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/database/database.h"

enum { NUMBER = 24, RETRY_MS = 1000, QUICK_MS = 1000 };

struct shared {
  struct connect_place base; /* first */
  char *url;
  struct database *database; /* NULL: not open */
  int64_t seen;              /* version of what was read last; -1: nothing */
  int64_t taken;             /* version, while they are taken */
  struct err why;            /* of the last failure to open */
  int64_t retry_ms;          /* not tried again before */
};

static const char *const steps[] = {
    "CREATE TABLE connect_state (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)",
    "INSERT INTO connect_state (id, version) VALUES (1, 0)",
    "CREATE TABLE connect_list (name TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, body TEXT "
    "NOT NULL)",
    "INSERT INTO connect_list (name, version, body) VALUES ('invites', 0, '[]'), ('sessions', 0, "
    "'[]'), ('dealers', 0, '[]')",
};
static const struct database_schema schema = {"connect_schema", "the connected dealers", "auth-svc",
                                              steps, ARRAY_LEN(steps)};

/* What a page or a command says of any failure; the words of the database come after. */
static enum err_code unavailable(struct err *e)
{
  const struct err why = *e;
  return err_set(e, ERR_UNAVAILABLE, "state_unavailable",
                 "the store of connected dealers (DATABASE_URL) cannot be reached for now: %s",
                 why.message);
}

static void close_database(struct shared *s)
{
  if (s->database != NULL)
    s->database->close(s->database);
  s->database = NULL;
}

static enum err_code open_database(struct shared *s, struct err *e)
{
  if (s->database != NULL)
    return ERR_OK;
  if (s->why.code != ERR_OK && clock_mono_ms() < s->retry_ms) {
    *e = s->why;
    return e->code;
  }
  enum err_code code = database_open_postgres(&s->database, s->url, "auth-svc", e);
  if (code == ERR_OK)
    code = database_migrate(s->database, &schema, e);
  s->why = code == ERR_OK ? (struct err){0} : *e;
  s->retry_ms = clock_mono_ms() + RETRY_MS;
  if (code != ERR_OK)
    close_database(s);
  return code;
}

static enum err_code run(struct shared *s, const char *sql, const char *const *parameters, size_t n,
                         struct database_row *row, struct err *e)
{
  return s->database->run(s->database, sql, parameters, n, row, e);
}

static int64_t number_of(const struct database_row *row, size_t column)
{
  return row->columns[column] != NULL ? strtoll(row->columns[column], NULL, 10) : 0;
}

/* One statement sees one state. The order of the columns is that of connect_list_names. */
static enum err_code read_since(struct shared *s, int64_t since, struct connect_texts *news,
                                int64_t *version, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  char seen[NUMBER];
  snprintf(seen, sizeof(seen), "%" PRId64, since);
  if (run(s,
          "SELECT (SELECT version FROM connect_state WHERE id = 1), "
          "(SELECT body FROM connect_list WHERE name = 'invites' AND version > CAST($1 AS BIGINT)),"
          "(SELECT body FROM connect_list WHERE name = 'sessions' AND version > CAST($1 AS "
          "BIGINT)),"
          "(SELECT body FROM connect_list WHERE name = 'dealers' AND version > CAST($1 AS BIGINT))",
          (const char *const[]){seen}, 1, &row, e) != ERR_OK)
    return e->code;
  if (!row.found || row.columns[0] == NULL)
    return err_set(e, ERR_UNAVAILABLE, "store_unavailable",
                   "PostgreSQL: the table connect_state is empty; restore it from a copy");
  *version = number_of(&row, 0);
  for (size_t i = 0; i < CONNECT_LISTS; i++)
    news->list[i] = TAKE_PTR(row.columns[i + 1]);
  return ERR_OK;
}

/* Brings `seen` up to date. A database that was restored from a copy goes back in its versions. */
static enum err_code read_news(struct shared *s, struct connect_texts *news, struct err *e)
{
  int64_t version;
  enum err_code code = read_since(s, s->seen, news, &version, e);
  if (code == ERR_OK && version < s->seen) {
    connect_texts_free(news);
    code = read_since(s, -1, news, &version, e);
  }
  if (code == ERR_OK)
    s->seen = version;
  return code;
}

static enum err_code look_once(struct shared *s, struct connect_texts *news, struct err *e)
{
  return open_database(s, e) == ERR_OK ? read_news(s, news, e) : e->code;
}

static enum err_code lock_state(struct shared *s, int64_t *now_ms, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  if (run(s, s->database->begin, NULL, 0, NULL, e) != ERR_OK ||
      run(s,
          "SELECT version, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) FROM "
          "connect_state WHERE id = 1 FOR UPDATE",
          NULL, 0, &row, e) != ERR_OK)
    return e->code;
  s->taken = number_of(&row, 0);
  *now_ms = number_of(&row, 1);
  return ERR_OK;
}

static enum err_code take_once(struct shared *s, struct connect_texts *news, int64_t *now_ms,
                               struct err *e)
{
  enum err_code code = open_database(s, e);
  if (code == ERR_OK)
    code = lock_state(s, now_ms, e);
  if (code == ERR_OK && s->taken != s->seen)
    code = read_news(s, news, e);
  return code;
}

/* A connection that was lost since it was used last is opened again, without an error; one that
 * hangs is not tried twice. */
static bool try_again(struct shared *s, int64_t began_ms, int attempt)
{
  bool was_open = s->database != NULL;
  close_database(s);
  return was_open && attempt == 0 && clock_mono_ms() - began_ms < QUICK_MS;
}

static enum err_code take(struct connect_place *base, struct connect_texts *news, int64_t *now_ms,
                          struct err *e)
{
  struct shared *s = (struct shared *)base;
  int64_t began_ms = clock_mono_ms();
  int attempt = 0;
  enum err_code code;
  do {
    connect_texts_free(news);
    code = take_once(s, news, now_ms, e);
  } while (code != ERR_OK && try_again(s, began_ms, attempt++));
  if (code == ERR_OK)
    return ERR_OK;
  connect_texts_free(news);
  s->seen = -1;
  return unavailable(e);
}

static enum err_code look(struct connect_place *base, struct connect_texts *news, struct err *e)
{
  struct shared *s = (struct shared *)base;
  int64_t began_ms = clock_mono_ms();
  int attempt = 0;
  enum err_code code;
  do
    code = look_once(s, news, e);
  while (code != ERR_OK && try_again(s, began_ms, attempt++));
  return code == ERR_OK ? ERR_OK : unavailable(e);
}

static enum err_code put_list(struct shared *s, size_t i, const char *text, const char *version,
                              struct err *e)
{
  if (strlen(text) > CONNECT_FILE_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full",
                   "DATABASE_URL: the store of connected dealers has reached its cap");
  return run(s, "UPDATE connect_list SET version = CAST($1 AS BIGINT), body = $2 WHERE name = $3",
             (const char *const[]){version, text, connect_list_names[i]}, 3, NULL, e);
}

static void give_back(struct connect_place *base)
{
  struct shared *s = (struct shared *)base;
  if (s->database != NULL && run(s, "ROLLBACK", NULL, 0, NULL, NULL) != ERR_OK)
    close_database(s); /* the next one opens it again */
}

static void forget(struct connect_place *base)
{
  ((struct shared *)base)->seen = -1;
}

/* Whether a COMMIT without an answer was done nobody knows here: everything is read again. */
static enum err_code put_failed(struct shared *s, struct err *e)
{
  bool full = e->code == ERR_RESOURCE_EXHAUSTED;
  close_database(s);
  s->seen = -1;
  return full ? e->code : unavailable(e);
}

static enum err_code put(struct connect_place *base, const struct connect_texts *texts,
                         const bool changed[CONNECT_LISTS], struct err *e)
{
  struct shared *s = (struct shared *)base;
  char version[NUMBER];
  enum err_code code = ERR_OK;
  snprintf(version, sizeof(version), "%" PRId64, s->taken + 1);
  for (size_t i = 0; i < CONNECT_LISTS && code == ERR_OK; i++)
    if (changed[i])
      code = put_list(s, i, texts->list[i], version, e);
  if (code == ERR_OK)
    code = run(s, "UPDATE connect_state SET version = CAST($1 AS BIGINT) WHERE id = 1",
               (const char *const[]){version}, 1, NULL, e);
  if (code == ERR_OK)
    code = run(s, "COMMIT", NULL, 0, NULL, e);
  if (code != ERR_OK)
    return put_failed(s, e);
  s->seen = s->taken + 1;
  return ERR_OK;
}

static void close_shared(struct connect_place *base)
{
  struct shared *s = (struct shared *)base;
  close_database(s);
  mem_wipe(s->url, strlen(s->url));
  free(s->url);
  free(s);
}

enum err_code connect_place_shared(struct connect_place **out, const char *database_url,
                                   struct err *e)
{
  if (database_check_url(database_url, e) != ERR_OK)
    return e->code;
  struct shared *s = xcalloc(1, sizeof(*s));
  s->base = (struct connect_place){true, take, put, give_back, forget, look, close_shared};
  s->url = xstrdup(database_url);
  s->seen = -1;
  *out = &s->base;
  return ERR_OK;
}
