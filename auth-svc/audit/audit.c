/* Writes the audit log. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

bool audit_fsync_parse(const char *s, enum audit_fsync *out)
{
  static const char *const names[] = {"second", "always", "never"};
  *out = (enum audit_fsync)text_find(names, ARRAY_LEN(names), s);
  return TEXT_IS_IN(names, s);
}

/* -------------------------------------------------------------------- writing */

bool audit_put(struct audit *a, const struct audit_event *event)
{
  struct audit_chain next;
  buf_clear(&a->line);
  if (!audit_line_make(&a->line, &next, &a->chain, event, a->unix_ms(), &a->key)) {
    errno = EMSGSIZE; /* no event is so long: each field has a cap */
    return false;
  }
  if (!audit_file_append(a, a->line.data, a->line.len))
    return false;
  a->chain = next;
  audit_head_write(a);
  audit_sink_offer(a->sink, a->line.data, a->line.len);
  metric_set(a->seq, (double)a->chain.seq, NULL);
  return true;
}

void audit_owe(struct audit *a, const char *event, const char *fmt, ...)
{
  char detail[200];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(detail, sizeof(detail), fmt, ap);
  va_end(ap);
  if (strcmp(event, "continued") == 0) {
    free(a->continued);
    a->continued = xstrdup(detail);
  } else if (a->n_owed < AUDIT_OWED_MAX) { /* else the first ones say enough */
    a->owed[a->n_owed++] = (struct audit_owed){event, "failed", xstrdup(""), xstrdup(detail), 0};
  }
}

static void drop_first_owed(struct audit *a)
{
  free(a->owed[0].reason);
  free(a->owed[0].detail);
  memmove(a->owed, a->owed + 1, --a->n_owed * sizeof(a->owed[0]));
}

bool audit_pay(struct audit *a)
{
  if (a->continued != NULL) {
    const struct audit_event begin = {.event = "continued", .result = "ok", .detail = a->continued};
    if (!audit_put(a, &begin))
      return false;
    free(TAKE_PTR(a->continued));
  }
  while (a->n_owed > 0) {
    const struct audit_owed *first = &a->owed[0];
    const struct audit_event event = {.event = first->event,
                                      .result = first->result,
                                      .reason = first->reason,
                                      .detail = first->detail,
                                      .through = first->through};
    if (!audit_put(a, &event))
      return false;
    drop_first_owed(a);
  }
  return true;
}

static bool resume(struct audit *a)
{
  char detail[64];
  if (!a->failed)
    return true;
  if (!audit_file_sync_again(a))
    return false;
  snprintf(detail, sizeof(detail), "%" PRIu64 " calls were refused", a->refused);
  const struct audit_event event = {.event = "audit_resumed", .result = "ok", .detail = detail};
  if (!audit_put(a, &event))
    return false;
  log_info("the audit log can be written again", LOG_I("refused", a->refused));
  a->failed = false;
  a->refused = 0;
  return true;
}

bool audit_make_ready(struct audit *a)
{
  if (!audit_file_settle(a))
    return false;
  if (a->path != NULL && a->max_bytes > 0 && a->size >= a->rotate_at && !a->failed && !a->syncing)
    audit_file_rotate(a);
  return audit_pay(a) && resume(a);
}

enum err_code audit_refuse(struct audit *a, int error, struct err *e)
{
  if (!a->failed)
    log_error("the audit log cannot be written: calls are refused until it can",
              LOG_S("path", a->path != NULL ? a->path : "standard error"),
              LOG_S("error", error == EWOULDBLOCK ? "another process is writing a file of this name"
                                                  : strerror(error)));
  a->failed = true;
  a->refused++;
  return err_set(e, ERR_UNAVAILABLE, "audit_unavailable",
                 "the audit log cannot be written, so nothing is answered until it can; its "
                 "disk is full or gone");
}

enum err_code audit_write(struct audit *a, const struct audit_event *event, struct err *e)
{
  if (a == NULL)
    return ERR_OK;
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&a->lock);
  if (!audit_make_ready(a) || !audit_put(a, event))
    code = audit_refuse(a, errno, e);
  pthread_mutex_unlock(&a->lock);
  metric_add(a->lines, 1, METRIC_LABELS(code == ERR_OK ? "ok" : "failed"));
  return code;
}

void audit_owe_event(struct audit *a, const struct audit_event *event)
{
  char time[32];
  clock_format_rfc3339(a->unix_ms(), time, sizeof(time));
  if (a->n_owed == AUDIT_OWED_MAX)
    drop_first_owed(a);
  a->owed[a->n_owed++] =
      (struct audit_owed){.event = event->event,
                          .result = event->result,
                          .reason = xstrdup(event->reason != NULL ? event->reason : ""),
                          .detail = xasprintf("(written late, of %s) %s", time,
                                              event->detail != NULL ? event->detail : ""),
                          .through = event->through};
}

void audit_write_or_owe(struct audit *a, const struct audit_event *event)
{
  if (a == NULL || audit_write(a, event, NULL) == ERR_OK)
    return;
  pthread_mutex_lock(&a->lock);
  audit_owe_event(a, event);
  pthread_mutex_unlock(&a->lock);
}

/* ------------------------------------------------------------------------ keys */

static bool same_key(const struct audit_key *a, const struct audit_key *b)
{
  return a->keyed == b->keyed && strcmp(a->id, b->id) == 0 &&
         memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

enum err_code audit_set_keyring(struct audit *a, const struct keyring *ring, struct err *e)
{
  struct audit_key next;
  enum err_code code = ERR_OK;
  if (a == NULL)
    return ERR_OK;
  audit_key_of(&next, ring, 0);
  pthread_mutex_lock(&a->lock);
  const struct audit_event event = {
      .event = "key_changed", .result = "ok", .old_key = a->key.id, .new_key = next.id};
  bool same = same_key(&a->key, &next);
  if (!same && (!audit_make_ready(a) || !audit_put(a, &event)))
    code = audit_refuse(a, errno, e);
  else
    a->key = next;
  pthread_mutex_unlock(&a->lock);
  mem_wipe(&next, sizeof(next));
  return code;
}

void audit_key_id(struct audit *a, char out[KEYRING_ID_MAX + 1])
{
  out[0] = '\0';
  if (a == NULL)
    return;
  pthread_mutex_lock(&a->lock);
  memcpy(out, a->key.id, sizeof(a->key.id));
  pthread_mutex_unlock(&a->lock);
}

/* ------------------------------------------------------------------- readiness */

bool audit_is_writable(struct audit *a)
{
  if (a == NULL)
    return true;
  pthread_mutex_lock(&a->lock);
  bool ok = audit_make_ready(a);
  if (!ok && !a->failed)
    log_error("the audit log cannot be written: calls are refused until it can",
              LOG_S("error", strerror(errno)));
  a->failed = !ok || a->failed;
  pthread_mutex_unlock(&a->lock);
  return ok;
}

uint64_t audit_seq(struct audit *a)
{
  pthread_mutex_lock(&a->lock);
  uint64_t seq = a->chain.seq;
  pthread_mutex_unlock(&a->lock);
  return seq;
}

/* -------------------------------------------------------------------- opening */

static struct audit *audit_new(const struct audit_options *options)
{
  struct audit *a = xcalloc(1, sizeof(*a));
  pthread_mutex_init(&a->lock, NULL);
  wait_init(&a->wake);
  a->fsync = options->fsync;
  a->max_bytes = a->rotate_at = options->max_bytes;
  a->keep_bytes = options->keep_bytes;
  a->keep_days = options->keep_days;
  a->warn_free_bytes = options->warn_free_bytes;
  a->sync_every_ms = options->sync_every_ms != 0 ? options->sync_every_ms : 1000;
  a->unix_ms = options->unix_ms != NULL ? options->unix_ms : clock_unix_ms;
  a->mono_ms = options->mono_ms != NULL ? options->mono_ms : clock_mono_ms;
  a->head_fd = -1;
  a->fd = options->path != NULL ? -1 : STDERR_FILENO;
  buf_init(&a->line, AUDIT_LINE_MAX);
  audit_key_of(&a->key, options->keyring, 0);
  if (options->path != NULL) {
    a->free_gauge = metrics_gauge("auth_audit_free_bytes",
                                  "Bytes that are free on the volume of the audit file.", NULL);
    a->low_gauge = metrics_gauge("auth_audit_space_low",
                                 "1 when fewer are free than AUTH_AUDIT_WARN_FREE_BYTES.", NULL);
  }
  a->lines = metrics_counter("auth_audit_lines_total", "Audit lines, by whether they were written.",
                             "result", NULL);
  a->seq = metrics_gauge("auth_audit_seq", "Number of the last audit line.", NULL);
  a->refusals_counted = metrics_counter(
      "auth_audit_refusals_counted_total",
      "Refused calls that are part of a line's count instead of having a line of their own.", NULL);
  metric_add(a->refusals_counted, 0, NULL);
  return a;
}

enum err_code audit_open(struct audit **out, const struct audit_options *options, struct err *e)
{
  struct audit *a = audit_new(options);
  enum err_code code = ERR_OK;
  if (options->path != NULL) {
    a->path = xstrdup(options->path);
    a->head_path = xasprintf("%s.head", options->path);
    code = audit_open_file(a, options->keyring, e);
  }
  if (code == ERR_OK && options->sink != AUDIT_SINK_NONE)
    code = audit_sink_new(&a->sink, options->sink, NULL, e);
  if (code == ERR_OK && !audit_keeper_start(a))
    code = err_set(e, ERR_UNAVAILABLE, "no_thread", "cannot start the thread of the audit log");
  if (code != ERR_OK)
    audit_close(TAKE_PTR(a));
  *out = a;
  return code;
}

void audit_close(struct audit *a)
{
  if (a == NULL)
    return;
  audit_keeper_stop(a);
  audit_flush_refusals(a);
  if (a->path != NULL && a->fd >= 0) {
    if (a->fsync != AUDIT_FSYNC_NEVER && fdatasync(a->fd) != 0)
      log_error("the audit log cannot be synced", LOG_S("error", strerror(errno)));
    close(a->fd);
  }
  if (a->head_fd >= 0)
    close(a->head_fd);
  audit_sink_free(a->sink);
  audit_refusals_free(a);
  mem_wipe(&a->key, sizeof(a->key));
  pthread_mutex_destroy(&a->lock);
  pthread_cond_destroy(&a->wake);
  buf_free(&a->line);
  while (a->n_owed > 0)
    drop_first_owed(a);
  free(a->continued);
  free(a->path);
  free(a->head_path);
  free(a);
}
