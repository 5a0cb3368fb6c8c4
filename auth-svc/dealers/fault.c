/* How a fault of the dealers file is reported: file, line, field, dealer, and what to do. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/reader.h"
#include "common/base/codec.h"

/* Of the nearest parent when it is missing. Finding it takes a walk over the text. */
static size_t line_of(const struct dealers_reader *r, const char *path)
{
  size_t located = r->watch != NULL ? DEALERS_FAULTS_LOCATED : 1;
  return *r->n_faults < located ? field_line_of(r->text, r->len, path) : 0;
}

/* Bytes of the character at s; 0 when it is none. */
static size_t char_len(const char *s)
{
  for (size_t n = 1; n <= 4 && s[n - 1] != '\0'; n++)
    if (utf8_valid(s, n))
      return n;
  return 0;
}

/* What the file holds may stand in a fault: nothing of it may look like another line, steer a
 * terminal or be half a character. */
static const char *clean(const char *s, char *out, size_t size)
{
  size_t n = 0;
  while (*s != '\0' && n + 1 < size) {
    size_t len = char_len(s);
    bool good = len > 0 && n + len < size && (unsigned char)*s >= 0x20 && *s != 0x7f;
    if (good)
      memcpy(out + n, s, len);
    else
      out[n] = '?';
    n += good ? len : 1;
    s += good ? len : 1;
  }
  out[n] = '\0';
  return out;
}

enum err_code dealers_fault(const struct dealers_reader *r, const char *place, const char *whose,
                            const char *what)
{
  size_t line = line_of(r, place);
  char who[DIRECTORY_MAX_ID + 16] = "", path[FIELD_PATH_MAX], dealer[DIRECTORY_MAX_ID + 1],
                              text[DEALERS_FAULT_TEXT];
  clean(place, path, sizeof(path));
  clean(whose != NULL ? whose : "", dealer, sizeof(dealer));
  clean(what, text, sizeof(text));
  if (*dealer != '\0')
    snprintf(who, sizeof(who), " (dealer \"%s\")", dealer);
  if ((*r->n_faults)++ == 0)
    err_set(r->e, ERR_INVALID_ARGUMENT, "bad_dealers_file", "%s line %zu: %s%s%s%s", r->name, line,
            path, who, *path != '\0' ? ": " : "", text);
  const struct dealers_fault fault = {line, path, dealer, text};
  if (r->watch != NULL)
    r->watch->on_fault(r->watch->user, &fault);
  return ERR_INVALID_ARGUMENT;
}

static void dealer_path(const struct dealers_reader *r, const char *field, char *path, size_t size)
{
  snprintf(path, size, "%s[%zu]%s%s", r->bare ? "" : "dealers", r->index, *field != '\0' ? "." : "",
           field);
}

/* ------------------------------------------------------------ objects of the file */

static enum err_code refuse_own(void *user, const char *field, const char *text)
{
  const struct dealers_reader *r = user;
  char path[FIELD_PATH_MAX];
  dealer_path(r, field, path, sizeof(path));
  return dealers_fault(r, path, r->who, text);
}

static enum err_code refuse_top(void *user, const char *path, const char *text)
{
  return dealers_fault(user, path, NULL, text);
}

static void show_top_keys(void *user, const char *path, const char *const *known, size_t n)
{
  const struct dealers_reader *r = user;
  if (r->watch != NULL && r->watch->on_keys != NULL)
    r->watch->on_keys(r->watch->user, path, known, n);
}

static void show_own_keys(void *user, const char *field, const char *const *known, size_t n)
{
  char path[FIELD_PATH_MAX];
  dealer_path(user, field, path, sizeof(path));
  show_top_keys(user, path, known, n);
}

void dealers_set_fields(struct dealers_reader *r)
{
  r->own_fields = (struct field_reader){refuse_own, show_own_keys, r, true};
  r->top_fields = (struct field_reader){refuse_top, show_top_keys, r, true};
  r->own = (struct field_at){.reader = &r->own_fields, .strict = true};
  r->top = (struct field_at){.reader = &r->top_fields, .strict = true};
}

struct field_at dealers_at(const struct field_at *object, const char *path)
{
  struct field_at at = *object;
  snprintf(at.path, sizeof(at.path), "%s", path);
  return at;
}
