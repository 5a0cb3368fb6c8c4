/* Frame, headline's beginning and shared caveats of answers about one dealer. */
#include "aggregate-svc/answer/subject.h"

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"

enum { NAME_BYTES = 200 };

bool subject_usable(const struct subject_question *q, size_t member)
{
  return metric_is_usable(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], &q->dealers[member]);
}

bool subject_same_leads(const struct cohort *c, const int *lead_events, size_t member)
{
  int event = lead_events[c->subject];
  return c->members[member].state == DEALER_OK && event != LEAD_UNKNOWN &&
         lead_events[member] == event;
}

void subject_words_begin(struct subject_words *w, const struct subject_question *q,
                         const struct outside_view *shown, const struct dealer_figures *dealers,
                         struct subject_frame frame, struct arena *arena)
{
  *w = (struct subject_words){.q = q, .shown = shown, .frame = frame, .caveats = {.arena = arena}};
  *frame.cohort = answer_cohort(&shown->cohort, arena);
  *frame.period =
      period_message(q->period, &shown->cohort, shown->notes, q->now_unix_ms, arena, &w->resolved);
  *frame.coverage = cohort_coverage(&shown->cohort, arena);
  dealer_left_out(*frame.coverage, q->cohort, dealers, arena);
  dealer_caveats_suspect(&w->caveats, q->cohort, dealers);
  caveats_add_missing(&w->caveats, &shown->cohort);
}

void subject_words_end(struct subject_words *w, const int *lead_events)
{
  const struct cohort *shown = &w->shown->cohort;
  dealer_caveats_outside(&w->caveats, shown, w->q->door);
  if (lead_events != NULL)
    dealer_caveats_leads(&w->caveats, shown, w->q->leads, lead_events);
  caveats_add_notes(&w->caveats, shown, w->shown->notes);
  period_caveats(&w->caveats, w->q->period, *w->frame.period, &w->resolved);
  *w->frame.caveats = w->caveats.items;
  *w->frame.n_caveats = w->caveats.n;
}

void subject_put_name(struct buf *b, const struct subject_question *q, const char *consequence)
{
  const struct cohort_member *m = subject_member(q);
  text_put_clipped(b, m->name, NAME_BYTES);
  if (m->state != DEALER_OK)
    buf_printf(b, " could not be read (%s), so %s", m->reason, consequence);
}

bool subject_put_nothing(struct buf *b, const struct subject_words *w, int64_t sessions)
{
  char day[16];
  int64_t first = subject_member(w->q)->first_day;
  bool future = w->resolved.days.first > w->resolved.days.today;
  if (sessions > 0 && !future)
    return false;
  buf_printf(b, ": %s, so there is nothing to compare",
             future ? "the period has not begun" : "no sessions");
  clock_format_date(first, day, sizeof(day));
  if (!future && first > 0)
    buf_printf(b, "; its data begins on %s", day);
  return true;
}

void subject_put_scope(struct buf *b, const struct subject_frame *frame)
{
  buf_puts(b, " against the other dealers of ");
  answer_put_scope(b, *frame->cohort, *frame->coverage, *frame->period);
}
