/* Asks report-svc for the first days of dealers without data in the period. */
#include "aggregate-svc/call/first_days.h"

#include <stdlib.h>

#include "aggregate-svc/call/each.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__GetFirstDateResponse Response;

enum { FIRST_DAYS_MAGIC = 0x46697273 };

struct first_days {
  uint32_t magic;
  struct first_days_options options;
  void (*finished)(void *user, const struct err *status);
  void *user;
  struct each *each;
};

static bool is_open(const struct first_days_options *o, size_t member)
{
  const struct cohort_member *m = &o->cohort->members[member];
  return m->visible && m->state == DEALER_OK && presence_lacks(o->presence, member);
}

bool first_days_needed(const struct first_days_options *options)
{
  for (size_t i = 0; i < options->cohort->n; i++)
    if (is_open(options, i))
      return true;
  return false;
}

static bool wanted(void *user, size_t member)
{
  const struct first_days *f = user;
  return is_open(&f->options, member);
}

static void answered(void *user, size_t member, const ProtobufCMessage *message)
{
  struct first_days *f = user;
  const char *date = ((const Response *)message)->first_date;
  int64_t day;
  if (date[0] == '\0')
    f->options.cohort->members[member].first_day = COHORT_NO_DATA;
  else if (clock_parse_date(date, &day) && day > f->options.last)
    f->options.cohort->members[member].first_day = day;
}

static void failed(void *user, size_t member, const struct err *e)
{
  (void)user;
  (void)member;
  (void)e;
}

static void finished(void *user, const struct err *status)
{
  struct first_days *f = user;
  MAGIC_CHECK(f, FIRST_DAYS_MAGIC);
  f->finished(f->user, status); /* f may be gone after this */
}

void first_days_find(struct first_days **out, const struct first_days_options *options,
                     void (*on_finished)(void *user, const struct err *status), void *user)
{
  struct first_days *f = xcalloc(1, sizeof(*f));
  f->magic = FIRST_DAYS_MAGIC;
  f->options = *options;
  f->finished = on_finished;
  f->user = user;
  *out = f;
  each_start(&f->each, &(struct each_options){.report = options->report,
                                              .parent = options->parent,
                                              .deadline_ms = options->deadline_ms,
                                              .cohort = options->cohort,
                                              .method = "GetFirstDate",
                                              .at_once = FIRST_DAYS_AT_ONCE,
                                              .wanted = wanted,
                                              .answered = answered,
                                              .failed = failed,
                                              .finished = finished,
                                              .user = f});
}

void first_days_free(struct first_days *f)
{
  if (f == NULL)
    return;
  MAGIC_CHECK(f, FIRST_DAYS_MAGIC);
  each_free(f->each);
  f->magic = 0;
  free(f);
}
