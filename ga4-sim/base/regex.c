/* RE2 patterns run by POSIX regcomp. Only "does it match" is asked, so what differs
 * between the two is syntax: (?:...), (?i), lazy quantifiers, \d and escapes in
 * brackets are rewritten; RE2 itself has no look-around and no back-references. */
#include "ga4-sim/base/regex.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

enum { PATTERN_MAX = 4096 };

struct translation {
  const char *in;
  struct buf out;
  bool ignore_case;
  struct err *e;
};

static enum err_code refuse(struct translation *t, const char *what)
{
  return err_set(t->e, ERR_INVALID_ARGUMENT, "regex", "%s", what);
}

/* What \d, \w and \s mean inside brackets; NULL for an ordinary escape. */
static const char *class_members(char c)
{
  switch (c) {
  case 'd':
    return "0-9";
  case 'w':
    return "[:alnum:]_";
  case 's':
    return "[:space:]";
  default:
    return NULL;
  }
}

/* POSIX brackets have no escapes: ']' must come first, '-' last, '^' not first. */
static enum err_code translate_bracket(struct translation *t)
{
  bool close = false, minus = false, caret = false;
  AUTO_BUF struct buf body = BUF_INIT(PATTERN_MAX);
  const char *p = t->in + 1;
  bool negated = *p == '^';
  if (negated)
    p++;
  for (bool first = true; *p != '\0' && (*p != ']' || first); p++, first = false) {
    if (p[0] == '[' && p[1] == ':') {
      const char *end = strstr(p, ":]");
      if (end == NULL)
        return refuse(t, "missing terminating :] in a character class");
      buf_append(&body, p, (size_t)(end + 2 - p));
      p = end + 1;
      continue;
    }
    bool escaped = *p == '\\';
    if (escaped && *++p == '\0')
      break;
    const char *members = escaped ? class_members(*p) : NULL;
    if (members != NULL)
      buf_puts(&body, members);
    else if (*p == ']')
      close = true;
    else if (*p == '^')
      caret = true;
    else if (*p == '-' && (escaped || first || p[1] == ']'))
      minus = true;
    else
      buf_putc(&body, *p);
  }
  if (*p != ']')
    return refuse(t, "missing closing ]");
  if (caret && !negated && !close && body.len == 0 && !minus) {
    buf_puts(&t->out, "\\^");
  } else {
    buf_puts(&t->out, negated ? "[^" : "[");
    if (close)
      buf_putc(&t->out, ']');
    buf_append(&t->out, buf_str(&body), body.len);
    if (caret)
      buf_putc(&t->out, '^');
    if (minus)
      buf_putc(&t->out, '-');
    buf_putc(&t->out, ']');
  }
  t->in = p + 1;
  return ERR_OK;
}

static enum err_code translate_escape(struct translation *t)
{
  char c = t->in[1];
  t->in += 2;
  if (c == '\0')
    return refuse(t, "trailing \\ at end of expression");
  if (c >= '1' && c <= '9')
    return refuse(t, "invalid escape sequence: back-references are not supported");
  switch (c) {
  case 'd':
    buf_puts(&t->out, "[0-9]");
    return ERR_OK;
  case 'D':
    buf_puts(&t->out, "[^0-9]");
    return ERR_OK;
  case 'A':
    buf_putc(&t->out, '^');
    return ERR_OK;
  case 'z':
    buf_putc(&t->out, '$');
    return ERR_OK;
  case 'n':
    buf_putc(&t->out, '\n');
    return ERR_OK;
  case 't':
    buf_putc(&t->out, '\t');
    return ERR_OK;
  default:
    break;
  }
  if (isalnum((unsigned char)c) && strchr("wWsSbB", c) == NULL)
    return refuse(t, "invalid escape sequence");
  if (strchr(".[]{}()*+?|^$\\wWsSbB", c) != NULL)
    buf_putc(&t->out, '\\');
  return buf_putc(&t->out, c) ? ERR_OK : refuse(t, "expression too long");
}

static enum err_code translate_group(struct translation *t)
{
  if (t->in[1] != '?') {
    buf_putc(&t->out, '(');
    t->in++;
    return ERR_OK;
  }
  if (t->in[2] == ':') {
    buf_putc(&t->out, '(');
    t->in += 3;
    return ERR_OK;
  }
  if (strncmp(t->in, "(?i)", 4) == 0) {
    t->ignore_case = true;
    t->in += 4;
    return ERR_OK;
  }
  if (t->in[2] == 'P' && t->in[3] == '<') {
    const char *end = strchr(t->in, '>');
    if (end != NULL) {
      buf_putc(&t->out, '(');
      t->in = end + 1;
      return ERR_OK;
    }
  }
  return refuse(t, "invalid perl operator: (?");
}

static enum err_code translate(struct translation *t)
{
  enum err_code code = ERR_OK;
  while (code == ERR_OK && *t->in != '\0') {
    if (*t->in == '[') {
      code = translate_bracket(t);
    } else if (*t->in == '\\') {
      code = translate_escape(t);
    } else if (*t->in == '(') {
      code = translate_group(t);
    } else {
      bool quantifier = strchr("*+?}", *t->in) != NULL;
      buf_putc(&t->out, *t->in++);
      if (quantifier && *t->in == '?')
        t->in++; /* lazy: the same set of matches */
    }
  }
  if (code == ERR_OK && t->out.failed)
    code = refuse(t, "expression too long");
  return code;
}

static enum err_code compile(regex_t *re, const char *pattern, bool whole, bool case_sensitive,
                             struct err *e)
{
  struct translation t = {.in = pattern, .out = BUF_INIT(2 * PATTERN_MAX), .e = e};
  enum err_code code = strlen(pattern) > PATTERN_MAX ? refuse(&t, "expression too long") : ERR_OK;
  if (whole)
    buf_puts(&t.out, "^(");
  if (code == ERR_OK)
    code = translate(&t);
  if (whole)
    buf_puts(&t.out, ")$");
  if (code == ERR_OK) {
    int flags = REG_EXTENDED | REG_NOSUB | (t.ignore_case || !case_sensitive ? REG_ICASE : 0);
    int rc = regcomp(re, buf_str(&t.out), flags);
    if (rc != 0) {
      char text[128];
      regerror(rc, re, text, sizeof(text));
      code = refuse(&t, text);
    }
  }
  buf_free(&t.out);
  return code;
}

enum err_code regex_check(const char *pattern, struct err *e)
{
  regex_t re;
  enum err_code code = compile(&re, pattern, false, true, e);
  if (code == ERR_OK)
    regfree(&re);
  return code;
}

static void free_compiled(void *p)
{
  regfree(p);
  free(p);
}

/* SQLite keeps the compiled pattern with the statement as auxiliary data. */
static void sql_regex_match(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
  (void)argc;
  regex_t *re = sqlite3_get_auxdata(ctx, 0);
  const char *value = (const char *)sqlite3_value_text(argv[3]);
  if (re != NULL) {
    sqlite3_result_int(ctx, value != NULL && regexec(re, value, 0, NULL, 0) == 0);
    return;
  }
  const char *pattern = (const char *)sqlite3_value_text(argv[0]);
  struct err e = {0};
  re = xcalloc(1, sizeof(*re));
  if (compile(re, pattern == NULL ? "" : pattern, sqlite3_value_int(argv[1]) != 0,
              sqlite3_value_int(argv[2]) != 0, &e) != ERR_OK) {
    free(re);
    sqlite3_result_error(ctx, e.message, -1);
    return;
  }
  sqlite3_result_int(ctx, value != NULL && regexec(re, value, 0, NULL, 0) == 0);
  sqlite3_set_auxdata(ctx, 0, re, free_compiled);
}

void regex_register(sqlite3 *db)
{
  sqlite3_create_function(db, "regex_match", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                          sql_regex_match, NULL, NULL);
}
