/* JSON log lines on standard error, one write per line. */
#include "common/base/log.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/codec.h"

enum { LOG_LINE_MAX = 8192 };

static const char *service_name = "";
static _Atomic int lowest = LOG_LEVEL_INFO;

void log_init(const char *service, enum log_level level)
{
  service_name = service;
  atomic_store(&lowest, (int)level);
}

bool log_level_parse(const char *s, enum log_level *out)
{
  static const struct {
    const char *name;
    enum log_level level;
  } names[] = {
      {"DEBUG", LOG_LEVEL_DEBUG},  {"INFO", LOG_LEVEL_INFO},   {"WARN", LOG_LEVEL_WARN},
      {"WARNING", LOG_LEVEL_WARN}, {"ERROR", LOG_LEVEL_ERROR}, {"CRITICAL", LOG_LEVEL_ERROR},
      {"OFF", LOG_LEVEL_OFF},
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (ascii_case_equal(names[i].name, s)) {
      *out = names[i].level;
      return true;
    }
  }
  return false;
}

bool log_enabled(enum log_level level)
{
  return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

/* A text from elsewhere may be no UTF-8; then only its ASCII part is kept. */
static void put_text(struct buf *line, const char *s)
{
  if (s == NULL) {
    buf_puts(line, "null");
    return;
  }
  size_t len = strnlen(s, 2048);
  if (utf8_valid(s, len)) {
    buf_put_json_string(line, s, len);
    return;
  }
  char ascii[2049];
  for (size_t i = 0; i < len; i++)
    ascii[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
  buf_put_json_string(line, ascii, len);
}

static void put_field(struct buf *line, const struct log_field *f)
{
  buf_putc(line, ',');
  put_text(line, f->key);
  buf_putc(line, ':');
  switch (f->type) {
  case LOG_STRING:
    put_text(line, f->s);
    break;
  case LOG_INT:
    buf_printf(line, "%lld", (long long)f->i);
    break;
  case LOG_DOUBLE:
    if (isfinite(f->d))
      buf_printf(line, "%.9g", f->d);
    else
      buf_puts(line, "null");
    break;
  case LOG_BOOL:
    buf_puts(line, f->b ? "true" : "false");
    break;
  case LOG_END:
    break;
  }
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
  static const char *const names[] = {"debug", "info", "warn", "error", "off"};
  struct buf line AUTO_BUF = BUF_INIT(LOG_LINE_MAX);
  char now[32];
  clock_format_rfc3339(clock_unix_ms(), now, sizeof(now));
  buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"service\":", now, names[level]);
  put_text(&line, service_name);
  buf_puts(&line, ",\"msg\":");
  put_text(&line, message);
  for (const struct log_field *f = fields; f->type != LOG_END && !line.failed; f++) {
    size_t before = line.len;
    put_field(&line, f);
    if (line.failed || line.len > LOG_LINE_MAX - 8) { /* keep the line whole JSON */
      line.len = before;
      line.failed = false;
      break;
    }
  }
  buf_puts(&line, "}\n");
  /* One write: lines of several threads do not mix. Nothing can be done if it fails. */
  ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
  (void)ignored;
}
