/* Sentences about chats and texts. */
#include "aggregate-svc/answer/message_caveats.h"

#include <inttypes.h>

#include "aggregate-svc/words/text.h"

enum { NAME_BYTES = 100, ANY_STATE = -1 };

/* Dealers with chats of which this is known; ANY_STATE: whatever is. */
struct filter {
  const struct cohort_figures *figures;
  int state;
};

static bool has_chats(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct filter *x = arg;
  const struct cohort_member *m = &cohort->members[member];
  const struct dealer_figures *f = &x->figures->dealers[member];
  return m->visible && f->ok && f->kinds[LEAD_KIND_CHAT] > 0 &&
         (x->state == ANY_STATE || (int)m->messages.state == x->state);
}

static size_t count(const struct cohort_figures *figures, int state)
{
  return cohort_count_if(figures->cohort, has_chats, &(struct filter){figures, state});
}

static const char *names(const struct cohort_figures *figures, int state, struct arena *arena)
{
  return cohort_names(figures->cohort, has_chats, &(struct filter){figures, state}, arena);
}

static void add_subject(struct caveats *out, const struct cohort *c)
{
  if (c->subject < 0 || c->members[c->subject].messages.state != MESSAGES_TOLD)
    return;
  const struct cohort_member *m = &c->members[c->subject];
  const int64_t *of = m->messages.of;
  caveats_add(out,
              "Chats of %.*s by comm_type: %" PRId64 " live chat%s, %" PRId64 " text%s, %" PRId64
              " of another kind or of none.",
              (int)text_clip(m->name, NAME_BYTES), m->name, of[LEAD_MESSAGE_CHAT],
              text_s((size_t)of[LEAD_MESSAGE_CHAT]), of[LEAD_MESSAGE_TEXT],
              text_s((size_t)of[LEAD_MESSAGE_TEXT]), of[LEAD_MESSAGE_OTHER]);
}

void message_caveats(struct caveats *out, const struct cohort_figures *figures)
{
  size_t all = count(figures, ANY_STATE), told = count(figures, MESSAGES_TOLD);
  size_t lacking = count(figures, MESSAGES_NOT_REGISTERED);
  size_t unread = count(figures, MESSAGES_NOT_ASKED);
  if (all == 0)
    return;
  caveats_add(out,
              "Chats are asc_comm_submission events: chats, texts and other messages, told apart "
              "at %zu of the %zu dealer%s that had some.",
              told, all, text_s(all));
  add_subject(out, figures->cohort);
  if (lacking > 0)
    caveats_add(out,
                "Chats and texts are one figure at %zu dealer%s (%s): register comm_type as an "
                "event-scoped custom dimension in %s GA4 propert%s to tell them apart from that "
                "day on.",
                lacking, text_s(lacking), names(figures, MESSAGES_NOT_REGISTERED, out->arena),
                lacking == 1 ? "its" : "their", lacking == 1 ? "y" : "ies");
  if (unread > 0)
    caveats_add(out,
                "Which chats were texts could not be read for: %s; ask run_report for eventCount "
                "by customEvent:comm_type there.",
                names(figures, MESSAGES_NOT_ASKED, out->arena));
}
