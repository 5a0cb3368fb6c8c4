/* Scans replies. */
#include "tests/unit/isolation/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"

static size_t found(const char *text, size_t len, const char *what)
{
  if (memmem(text, len, what, strlen(what)) == NULL)
    return 0;
  printf("\n  leaks \"%s\"\n", what);
  return 1;
}

static bool owner_is_known(const struct plan *p, const struct view *v, size_t owner)
{
  for (size_t i = 0; i < p->n; i++)
    if (v->direct[i] && p->shops[i].owner_number == owner)
      return true;
  return false;
}

size_t scan_text(const struct plan *p, const struct view *v, const char *text, size_t len)
{
  size_t n = 0;
  for (size_t i = 0; i < p->n; i++) {
    const struct shop *s = &p->shops[i];
    if (!v->direct[i])
      n += found(text, len, s->mark) + found(text, len, s->property);
    if (!owner_is_known(p, v, s->owner_number))
      n += found(text, len, s->owner);
  }
  for (size_t i = 0; i < PLAN_REGIONS; i++)
    n += v->known[i] ? 0 : found(text, len, plan_regions[i]);
  for (size_t k = 0; k < p->n_clubs; k++) {
    char id[40], label[40];
    snprintf(id, sizeof(id), "club-m%02zuz", k);
    snprintf(label, sizeof(label), "Club M%02zuz", k);
    n += v->club_known[k] ? 0 : found(text, len, id) + found(text, len, label);
  }
  return n + found(text, len, "secret-") + found(text, len, "1//re");
}

static bool is_figure(const struct shop *s, long long number)
{
  if (number < 100000)
    return false;
  bool hit = number == s->sessions || number == s->engaged || number == s->sessions - s->engaged;
  for (size_t e = 0; e < PLAN_EVENTS; e++)
    hit = hit || number == s->events[e];
  return hit;
}

/* Reads the number at q, "1234567" or "1,234,567" (`grouped`); NULL when it is none by itself
 * but part of a reference in hexadecimal or of a name. */
static const char *read_number(const char *json, const char *q, bool grouped, long long *out)
{
  const char *end = q;
  *out = 0;
  while (isdigit((unsigned char)*end) ||
         (grouped && *end == ',' && isdigit((unsigned char)end[1]))) {
    if (*end != ',' && *out < 1000000000000LL)
      *out = *out * 10 + (*end - '0');
    end++;
  }
  bool apart = (q == json || !isalnum((unsigned char)q[-1])) && !isalpha((unsigned char)*end);
  return apart ? end : NULL;
}

/* Whole numbers in the JSON form, compared as numbers. */
static size_t scan_numbers(const struct plan *p, const struct view *v, const char *json)
{
  size_t n = 0;
  for (const char *q = json; *q != '\0'; q++) {
    bool first = isdigit((unsigned char)*q) && (q == json || !isdigit((unsigned char)q[-1]));
    for (int grouped = 0; first && grouped < 2; grouped++) {
      long long number;
      if (read_number(json, q, grouped == 1, &number) == NULL)
        continue;
      for (size_t i = 0; i < p->n; i++)
        if (!v->direct[i] && is_figure(&p->shops[i], number)) {
          printf("\n  leaks %lld of %s\n", number, p->shops[i].id);
          n++;
        }
    }
  }
  return n;
}

static size_t scan_error(const struct plan *p, const struct view *v, const struct err *e,
                         const char *const *asked, size_t n_asked)
{
  struct err copy = *e;
  for (size_t i = 0; i < n_asked; i++) {
    size_t len = strlen(asked[i]);
    char *at = len > 0 ? strstr(copy.message, asked[i]) : NULL;
    if (at != NULL)
      memmove(at, at + len, strlen(at + len) + 1);
  }
  size_t n = scan_text(p, v, copy.message, strlen(copy.message)) +
             scan_text(p, v, copy.reason, strlen(copy.reason));
  if (n > 0)
    printf("  in error: %s\n", e->message);
  return n;
}

size_t scan_reply(const struct plan *p, const struct view *v, const struct reply *r,
                  const char *const *asked, size_t n_asked)
{
  if (r->message == NULL)
    return scan_error(p, v, &r->error, asked, n_asked);
  size_t len = protobuf_c_message_get_packed_size(r->message);
  AUTO_FREE uint8_t *bytes = xcalloc(len + 1, 1);
  AUTO_BUF struct buf json = BUF_INIT(4 << 20);
  protobuf_c_message_pack(r->message, bytes);
  size_t n = scan_text(p, v, (const char *)bytes, len);
  if (pbjson_write(&json, r->message, NULL, NULL) != ERR_OK)
    return n + 1;
  n += scan_numbers(p, v, buf_str(&json));
  if (n > 0)
    printf("  in %s: %.3000s\n", r->message->descriptor->name, buf_str(&json));
  return n;
}
