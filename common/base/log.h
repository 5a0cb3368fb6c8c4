/* Log lines: one JSON object per line on standard error.
 *
 *   log_info("token refreshed", LOG_S("account", id), LOG_I("expires_in_s", 3599));
 *
 * The values are only computed when the level is written: no side effects in them.
 * Thread-safe. Never give it a token, a key, a secret or a row of data. */
#ifndef AMCP_BASE_LOG_H
#define AMCP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_OFF };

enum log_type { LOG_END = 0, LOG_STRING, LOG_INT, LOG_DOUBLE, LOG_BOOL };

struct log_field {
  const char *key;
  enum log_type type;
  union {
    const char *s;
    int64_t i;
    double d;
    bool b;
  };
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .type = LOG_STRING, .s = (v)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .type = LOG_INT, .i = (int64_t)(v)})
#define LOG_F(k, v) ((struct log_field){.key = (k), .type = LOG_DOUBLE, .d = (v)})
#define LOG_B(k, v) ((struct log_field){.key = (k), .type = LOG_BOOL, .b = (v)})

/* Sets the name in the "service" field and the lowest level written. The name
 * must outlive the process's logging. Call once, at start. */
void log_init(const char *service, enum log_level level);
/* Accepts DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL, OFF in any case. */
bool log_level_parse(const char *s, enum log_level *out);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *message, const struct log_field *fields);

#define LOG_AT(level, message, ...)                                                                \
  do {                                                                                             \
    if (log_enabled(level))                                                                        \
      log_write((level), (message),                                                                \
                (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.type = LOG_END}});          \
  } while (0)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
