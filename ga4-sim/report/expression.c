/* Metric expressions: a recursive-descent parser that writes SQL. */
#include <ctype.h>
#include <string.h>

#include "common/base/buf.h"
#include "ga4-sim/report/request.h"

enum { NESTING_MAX = 32, SQL_MAX = 64 * 1024 };

struct parser {
  struct report_request *request;
  const char *text, *at;
  struct buf out;
  bool fractional; /* a division or a metric that is not a whole number */
  unsigned depth;
  struct err *e;
};

static enum err_code malformed(struct parser *p)
{
  return err_set(p->e, ERR_INVALID_ARGUMENT, "expression",
                 "The metric expression %s is malformed. Metric expressions support metric names, "
                 "numbers, the operators +, -, *, / and parentheses.",
                 p->text);
}

static void skip_blanks(struct parser *p)
{
  while (isspace((unsigned char)*p->at))
    p->at++;
}

static enum err_code parse_sum(struct parser *p);

static enum err_code parse_name(struct parser *p)
{
  const char *start = p->at;
  /* keyEvents:form_submit is one name. */
  while (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == ':')
    p->at++;
  const char *name = arena_strndup(p->request->arena, start, (size_t)(p->at - start));
  const char *sql;
  enum metric_type type;
  if (name == NULL)
    return malformed(p);
  if (request_metric_sql(p->request, name, &sql, &type, p->e) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  if (type != METRIC_TYPE_INTEGER)
    p->fractional = true;
  return buf_printf(&p->out, "CAST(%s AS REAL)", sql) ? ERR_OK : malformed(p);
}

static enum err_code parse_number(struct parser *p)
{
  const char *start = p->at;
  bool point = false;
  while (isdigit((unsigned char)*p->at) || (*p->at == '.' && !point)) {
    if (*p->at == '.')
      point = true;
    p->at++;
  }
  if (point)
    p->fractional = true;
  size_t n = (size_t)(p->at - start);
  if (start[n - 1] == '.' || n > 18)
    return malformed(p);
  return buf_printf(&p->out, "%.*s%s", (int)n, start, point ? "" : ".0") ? ERR_OK : malformed(p);
}

static enum err_code parse_factor(struct parser *p)
{
  skip_blanks(p);
  if (isdigit((unsigned char)*p->at))
    return parse_number(p);
  if (isalpha((unsigned char)*p->at))
    return parse_name(p);
  if (*p->at != '(' || ++p->depth > NESTING_MAX)
    return malformed(p);
  p->at++;
  buf_putc(&p->out, '(');
  if (parse_sum(p) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  skip_blanks(p);
  if (*p->at != ')')
    return malformed(p);
  p->at++;
  p->depth--;
  return buf_putc(&p->out, ')') ? ERR_OK : malformed(p);
}

/* Left-associative: a/b/c is ((a/b)/c). Each division by zero gives 0. */
static enum err_code parse_product(struct parser *p)
{
  size_t start = p->out.len;
  if (parse_factor(p) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  for (;;) {
    skip_blanks(p);
    char op = *p->at;
    if (op != '*' && op != '/')
      return ERR_OK;
    p->at++;
    const char *left = arena_strndup(p->request->arena, p->out.data + start, p->out.len - start);
    if (left == NULL)
      return malformed(p);
    p->out.len = start;
    if (op == '/') {
      p->fractional = true;
      buf_printf(&p->out, "COALESCE(%s/NULLIF(", left);
    } else {
      buf_printf(&p->out, "(%s*", left);
    }
    if (parse_factor(p) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
    if (!buf_puts(&p->out, op == '/' ? ",0.0),0.0)" : ")"))
      return malformed(p);
  }
}

static enum err_code parse_sum(struct parser *p)
{
  enum err_code code = parse_product(p);
  for (;;) {
    skip_blanks(p);
    if (code != ERR_OK || (*p->at != '+' && *p->at != '-'))
      return code;
    buf_putc(&p->out, *p->at++);
    code = parse_product(p);
  }
}

enum err_code expression_compile(struct report_request *r, const char *text, const char **sql,
                                 enum metric_type *type, struct err *e)
{
  struct parser p = {.request = r, .text = text, .at = text, .out = BUF_INIT(SQL_MAX), .e = e};
  enum err_code code = parse_sum(&p);
  skip_blanks(&p);
  if (code == ERR_OK && (*p.at != '\0' || p.out.failed))
    code = malformed(&p);
  *type = p.fractional ? METRIC_TYPE_FLOAT : METRIC_TYPE_INTEGER;
  if (code == ERR_OK) {
    *sql = p.fractional ? arena_printf(r->arena, "(%s)", buf_str(&p.out))
                        : arena_printf(r->arena, "CAST((%s) AS INTEGER)", buf_str(&p.out));
    if (*sql == NULL)
      code = malformed(&p);
  }
  buf_free(&p.out);
  return code;
}
