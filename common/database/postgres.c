/* PostgreSQL as a database of a store, by libpq. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/database/database.h"

enum { ANSWER_MS = 6000 };

struct postgres {
  struct database base; /* first */
  PGconn *connection;
};

/* The first line of the server's or libpq's words; they name host and user, never the password. */
static enum err_code failed(const char *text, struct err *e)
{
  size_t n = strcspn(text, "\n");
  return err_set(e, ERR_UNAVAILABLE, "store_unavailable", "PostgreSQL: %.*s",
                 (int)(n > 300 ? 300 : n), n > 0 ? text : "the connection was lost");
}

static void read_row(const PGresult *result, struct database_row *row)
{
  int n = PQnfields(result);
  row->found = true;
  for (int i = 0; i < n && i < DATABASE_MAX_COLUMNS; i++)
    row->columns[i] = PQgetisnull(result, 0, i) ? NULL : xstrdup(PQgetvalue(result, 0, i));
}

/* Waits until the connection can be read (or written, when there is more to send). */
static bool wait_for(PGconn *c, short events, int64_t until_ms)
{
  struct pollfd p = {.fd = PQsocket(c), .events = events};
  int64_t left = until_ms - clock_mono_ms();
  return left > 0 && p.fd >= 0 && poll(&p, 1, (int)left) > 0;
}

static bool send_all(PGconn *c, int64_t until_ms)
{
  int more;
  while ((more = PQflush(c)) == 1)
    if (!wait_for(c, POLLIN | POLLOUT, until_ms) || !PQconsumeInput(c))
      return false;
  return more == 0;
}

/* The first result of the statement under way; NULL when it does not come in time, to its end: only
 * then may the next statement be sent. A server that stands still answers nothing, not even an
 * error. */
static PGresult *receive(PGconn *c, int64_t until_ms)
{
  PGresult *first = NULL, *next;
  for (;;) {
    while (PQisBusy(c))
      if (!wait_for(c, POLLIN, until_ms) || !PQconsumeInput(c)) {
        PQclear(first);
        return NULL;
      }
    next = PQgetResult(c);
    if (next == NULL)
      return first;
    if (first == NULL)
      first = next;
    else
      PQclear(next);
  }
}

static enum err_code run(struct database *base, const char *sql, const char *const *parameters,
                         size_t n, struct database_row *row, struct err *e)
{
  struct postgres *d = (struct postgres *)base;
  int64_t until_ms = clock_mono_ms() + ANSWER_MS;
  PGresult *result = NULL;
  if (PQsendQueryParams(d->connection, sql, (int)n, NULL, parameters, NULL, NULL, 0) &&
      send_all(d->connection, until_ms))
    result = receive(d->connection, until_ms);
  ExecStatusType status = PQresultStatus(result);
  bool well = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (well && row != NULL) {
    row->changed = (size_t)strtoul(PQcmdTuples(result), NULL, 10);
    if (PQntuples(result) > 0)
      read_row(result, row);
  }
  if (!well)
    failed(PQerrorMessage(d->connection), e);
  PQclear(result);
  return well ? ERR_OK : ERR_UNAVAILABLE;
}

/* A statement that failed in a transaction leaves it unusable: a new connection is the simple way
 * out, and rare. */
static bool is_lost(const struct database *base)
{
  const struct postgres *d = (const struct postgres *)base;
  return PQstatus(d->connection) != CONNECTION_OK ||
         PQtransactionStatus(d->connection) != PQTRANS_IDLE;
}

static void close_postgres(struct database *base)
{
  struct postgres *d = (struct postgres *)base;
  PQfinish(d->connection);
  free(d);
}

/* Notices such as "relation exists, skipping" are nobody's business. */
static void ignore_notice(void *user, const PGresult *result)
{
  (void)user;
  (void)result;
}

enum err_code database_open_postgres(struct database **out, const char *url, const char *program,
                                     struct err *e)
{
  static const char *const keywords[] = {"dbname",           "connect_timeout", "tcp_user_timeout",
                                         "application_name", "options",         NULL};
  const char *const values[] = {
      url,
      "3",
      "5000",
      program,
      "-c statement_timeout=5000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000",
      NULL};
  struct postgres *d = xcalloc(1, sizeof(*d));
  d->base = (struct database){"PostgreSQL", "BEGIN", "SELECT pg_advisory_xact_lock(7236912)",
                              run,          is_lost, close_postgres};
  d->connection = PQconnectdbParams(keywords, values, 1);
  if (PQstatus(d->connection) != CONNECTION_OK) {
    failed(PQerrorMessage(d->connection), e);
    close_postgres(&d->base);
    return ERR_UNAVAILABLE;
  }
  PQsetNoticeReceiver(d->connection, ignore_notice, NULL);
  *out = &d->base;
  return ERR_OK;
}

enum err_code database_check_url(const char *url, struct err *e)
{
  char *why = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &why);
  bool well = options != NULL &&
              (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0);
  PQconninfoFree(options);
  PQfreemem(why); /* may repeat the URL */
  return well ? ERR_OK
              : err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                        "DATABASE_URL: must be a PostgreSQL URL such as "
                        "postgresql://user@host:5432/analytics");
}
