/* The kept facts of dealers outside the view: a line for each, in the order of the alphabet. */
#include "aggregate-svc/disclosure/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

enum { LINE_BYTES = 400, NAME_BYTES = 120 };

enum note_bit {
  NOTE_THRESHOLDING = 1,
  NOTE_OTHER_ROW = 2,
  NOTE_RESTRICTED = 4,
  NOTE_TRUNCATED = 8,
  NOTE_EMPTY = 16,
  NOTE_SAMPLED = 32,
};

/* Definitions of a shopper session other than by an event. */
static const char shopper_inventory[] = "/inventory", shopper_engaged[] = "/engaged";

/* ------------------------------------------------------------------------ writing */

static unsigned bits_of(const struct dealer_notes *n)
{
  return (n->thresholding ? NOTE_THRESHOLDING : 0U) | (n->other_row ? NOTE_OTHER_ROW : 0U) |
         (n->restricted ? NOTE_RESTRICTED : 0U) | (n->truncated ? NOTE_TRUNCATED : 0U) |
         (n->empty ? NOTE_EMPTY : 0U) | (n->sampled ? NOTE_SAMPLED : 0U);
}

static const char *event_name(const struct lead_events *leads, int event)
{
  const char *name = event >= 0 && (size_t)event < leads->n ? leads->names[event] : "";
  return strpbrk(name, "\t\n") == NULL && strlen(name) < NAME_BYTES ? name : "";
}

static const char *shopper_name(const struct lead_events *leads, int shopper)
{
  if (shopper == SHOPPER_INVENTORY)
    return shopper_inventory;
  if (shopper == SHOPPER_ENGAGED)
    return shopper_engaged;
  return shopper >= SHOPPER_EVENT ? event_name(leads, shopper - SHOPPER_EVENT) : "";
}

static char *write_line(const struct cohort_figures *c, const struct dealer_notes *n, size_t member)
{
  const struct dealer_figures *f = &c->dealers[member];
  return xasprintf("%lld %u %llu %.17g\t%s\t%s\n", (long long)f->now.sessions, bits_of(n),
                   (unsigned long long)f->key_events, n->sample_rate,
                   event_name(c->leads, f->lead_event), shopper_name(c->leads, f->shopper));
}

static int by_text(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of the dealers outside that are in the figures. */
static char *write_all(const struct cohort_figures *c, const struct dealer_notes *notes)
{
  AUTO_BUF struct buf b = BUF_INIT((size_t)COHORT_MAX_DEALERS * LINE_BYTES);
  AUTO_FREE char **lines = xcalloc(c->cohort->n + 1, sizeof(*lines));
  size_t n = 0;
  for (size_t i = 0; i < c->cohort->n; i++)
    if (!c->cohort->members[i].visible && c->dealers[i].ok)
      lines[n++] = write_line(c, &notes[i], i);
  if (n > 1)
    qsort(lines, n, sizeof(*lines), by_text);
  for (size_t i = 0; i < n; i++) {
    buf_puts(&b, lines[i]);
    free(lines[i]);
  }
  return xstrdup(buf_str(&b));
}

/* ------------------------------------------------------------------------ reading */

static int read_shopper(const struct lead_events *leads, const char *name)
{
  if (strcmp(name, shopper_inventory) == 0)
    return SHOPPER_INVENTORY;
  if (strcmp(name, shopper_engaged) == 0)
    return SHOPPER_ENGAGED;
  int event = name[0] != '\0' ? lead_events_find(leads, name) : LEAD_UNKNOWN;
  return event == LEAD_UNKNOWN ? SHOPPER_UNKNOWN : SHOPPER_EVENT + event;
}

static void read_notes(struct dealer_notes *n, unsigned bits, double sample_rate)
{
  *n = (struct dealer_notes){.thresholding = bits & NOTE_THRESHOLDING,
                             .other_row = bits & NOTE_OTHER_ROW,
                             .restricted = bits & NOTE_RESTRICTED,
                             .truncated = bits & NOTE_TRUNCATED,
                             .empty = bits & NOTE_EMPTY,
                             .sampled = bits & NOTE_SAMPLED,
                             .sample_rate = sample_rate};
}

/* Up to the separator, which becomes the end of the text; NULL without one. */
static char *cut(char **rest, char separator)
{
  char *text = *rest, *end = strchr(text, separator);
  if (end == NULL)
    return NULL;
  *end = '\0';
  *rest = end + 1;
  return text;
}

/* The next dealer of the text; false at its end. */
static bool read_line(char **rest, const struct lead_events *leads, struct dealer_figures *f,
                      struct dealer_notes *n)
{
  char *numbers = cut(rest, '\t'), *lead = numbers != NULL ? cut(rest, '\t') : NULL;
  char *shopper = lead != NULL ? cut(rest, '\n') : NULL;
  if (shopper == NULL)
    return false;
  *f = (struct dealer_figures){.ok = true,
                               .lead_event =
                                   lead[0] != '\0' ? lead_events_find(leads, lead) : LEAD_UNKNOWN,
                               .shopper = read_shopper(leads, shopper)};
  f->now.sessions = strtoll(numbers, &numbers, 10);
  unsigned bits = (unsigned)strtoul(numbers, &numbers, 10);
  f->key_events = strtoull(numbers, &numbers, 10);
  read_notes(n, bits, strtod(numbers, NULL));
  return true;
}

/* Puts the kept dealers in the place of those outside, whoever they are. */
static void show_kept(const struct cohort_figures *live, const struct dealer_notes *notes,
                      char *text, struct arena *arena, struct outside_view *out)
{
  size_t n = live->cohort->n;
  struct cohort_member *members = ARENA_ARRAY(arena, struct cohort_member, n);
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, n);
  struct dealer_notes *seen = ARENA_ARRAY(arena, struct dealer_notes, n);
  for (size_t i = 0; i < n; i++) {
    members[i] = live->cohort->members[i];
    figures[i] = live->dealers[i];
    seen[i] = notes[i];
    if (members[i].visible)
      continue;
    memset(&seen[i], 0, sizeof(seen[i]));
    figures[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    bool is_kept = read_line(&text, live->leads, &figures[i], &seen[i]);
    members[i].state = is_kept ? DEALER_OK : DEALER_FAILED;
  }
  out->cohort.members = members;
  out->figures = figures;
  out->notes = seen;
}

void outside_show(struct door *d, const char *of, const struct cohort_figures *live,
                  const struct dealer_notes *notes, struct arena *arena, struct outside_view *out)
{
  *out = (struct outside_view){*live->cohort, live->dealers, notes};
  d->live = live->dealers;
  if (d->withheld != DISCLOSURE_RESTRICTED)
    return;
  AUTO_FREE char *now = d->kept_only || d->late ? NULL : write_all(live, notes);
  AUTO_FREE char *kept = door_keep_text(d, of, now);
  if (kept != NULL)
    show_kept(live, notes, kept, arena, out);
}
