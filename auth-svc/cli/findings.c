/* Collects faults and warnings of configuration files and prints them. */
#include "auth-svc/cli/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { OUTPUT_MAX = 4 << 20 };

void validation_init(struct validation *v)
{
  *v = (struct validation){.summary = BUF_INIT(OUTPUT_MAX), .members = BUF_INIT(OUTPUT_MAX)};
}

static void findings_clear(struct findings *f)
{
  for (size_t i = 0; i < f->kept; i++) {
    free(f->items[i].file);
    free(f->items[i].code);
    free(f->items[i].field);
    free(f->items[i].dealer);
    free(f->items[i].text);
  }
}

void validation_clear(struct validation *v)
{
  findings_clear(&v->faults);
  findings_clear(&v->warnings);
  buf_free(&v->summary);
  buf_free(&v->members);
}

static void add(struct findings *f, const char *file, size_t line, const char *code,
                const char *field, const char *dealer, const char *text)
{
  if (f->n++ >= VALIDATION_MAX)
    return;
  f->items[f->kept++] = (struct finding){.file = xstrdup(file),
                                         .line = line,
                                         .code = xstrdup(code),
                                         .field = xstrdup(field),
                                         .dealer = xstrdup(dealer),
                                         .text = xstrdup(text)};
}

void validation_fault(struct validation *v, const char *file, size_t line, const char *field,
                      const char *dealer, const char *text)
{
  add(&v->faults, file, line, NULL, field, dealer, text);
}

void validation_fault_of(struct validation *v, const char *file, const char *message)
{
  size_t line = 0, len = strlen(file);
  if (strncmp(message, file, len) == 0 && sscanf(message + len, " line %zu: ", &line) == 1)
    message = strchr(message + len, ':') + 2;
  else if (strncmp(message, file, len) == 0 && sscanf(message + len, ": line %zu, ", &line) == 1)
    message = strchr(message + len, ',') + 2;
  validation_fault(v, file, line, "", "", message);
}

void validation_warn(struct validation *v, const char *code, const char *file, const char *field,
                     const char *fmt, ...)
{
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  add(&v->warnings, file, 0, code, field, "", text);
}

static int by_place(const void *a, const void *b)
{
  const struct finding *x = a, *y = b;
  int c = strcmp(x->file, y->file);
  if (c == 0)
    c = (x->line > y->line) - (x->line < y->line);
  return c != 0 ? c : strcmp(x->field, y->field);
}

/* ------------------------------------------------------------------------------ text */

/* "dealers.json:14: dealers[2].name (dealer "d03"): ..." as compilers do, for editors. */
static void print_finding(const struct finding *f)
{
  fputs(f->file, stdout);
  if (f->line > 0)
    printf(":%zu", f->line);
  if (f->code != NULL)
    fputs(": warning", stdout);
  if (*f->field != '\0')
    printf(": %s", f->field);
  if (*f->dealer != '\0')
    printf(" (dealer \"%s\")", f->dealer);
  printf(": %s\n", f->text);
}

static void print_findings(const struct findings *f, const char *what)
{
  for (size_t i = 0; i < f->kept; i++)
    print_finding(&f->items[i]);
  if (f->n > f->kept)
    printf("... and %zu more %s\n", f->n - f->kept, what);
}

static void print_text(const struct validation *v, const char *file)
{
  print_findings(&v->faults, "faults");
  print_findings(&v->warnings, "warnings");
  if (v->faults.n > 0) {
    printf("%s: %zu fault%s\n", file, v->faults.n, v->faults.n > 1 ? "s" : "");
    return;
  }
  printf("%s: good", file);
  if (v->warnings.n > 0)
    printf(", with %zu warning%s", v->warnings.n, v->warnings.n > 1 ? "s" : "");
  printf("\n%s", buf_str(&v->summary));
}

/* ------------------------------------------------------------------------------ JSON */

static void put_member(struct buf *out, const char *name, const char *text)
{
  buf_printf(out, ",\"%s\":", name);
  buf_put_json_string(out, text, strlen(text));
}

static void put_findings(struct buf *out, const char *name, const struct findings *f)
{
  buf_printf(out, ",\"%s\":[", name);
  for (size_t i = 0; i < f->kept; i++) {
    const struct finding *x = &f->items[i];
    buf_puts(out, i > 0 ? ",{\"file\":" : "{\"file\":");
    buf_put_json_string(out, x->file, strlen(x->file));
    if (x->line > 0)
      buf_printf(out, ",\"line\":%zu", x->line);
    if (x->code != NULL)
      put_member(out, "code", x->code);
    if (*x->field != '\0')
      put_member(out, "field", x->field);
    if (*x->dealer != '\0')
      put_member(out, "dealer", x->dealer);
    put_member(out, "message", x->text);
    buf_putc(out, '}');
  }
  buf_putc(out, ']');
}

static void print_json(const struct validation *v, const char *file)
{
  AUTO_BUF struct buf out = BUF_INIT(OUTPUT_MAX);
  buf_puts(&out, "{\"file\":");
  buf_put_json_string(&out, file, strlen(file));
  buf_printf(&out, ",\"valid\":%s", v->faults.n == 0 ? "true" : "false");
  buf_printf(&out, ",\"fault_count\":%zu", v->faults.n);
  put_findings(&out, "faults", &v->faults);
  buf_printf(&out, ",\"warning_count\":%zu", v->warnings.n);
  put_findings(&out, "warnings", &v->warnings);
  if (v->faults.n == 0)
    buf_puts(&out, buf_str(&v->members));
  buf_puts(&out, "}\n");
  fputs(buf_str(&out), stdout);
}

void validation_print(struct validation *v, const char *file, bool json)
{
  qsort(v->faults.items, v->faults.kept, sizeof(struct finding), by_place);
  (json ? print_json : print_text)(v, file);
}
