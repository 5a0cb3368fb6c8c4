/* Sentences about chats and texts. */
#include "aggregate-svc/answer/message_caveats.h"

#include <inttypes.h>

#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"

enum { NAME_BYTES = 100, SENTENCE_BYTES = 400, ANY_STATE = -1 };

/* The subject, or without one all dealers: those with chats of which this is known; ANY_STATE:
 * whatever is. */
struct filter {
  const struct cohort_figures *figures;
  int state;
};

static bool has_chats(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct filter *x = arg;
  const struct cohort_member *m = &cohort->members[member];
  const struct dealer_figures *f = &x->figures->dealers[member];
  return m->visible && (cohort->subject < 0 || cohort->subject == (long)member) && f->ok &&
         f->kinds[LEAD_KIND_CHAT] > 0 &&
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
  AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
  buf_puts(&b, "Chats of ");
  text_put_clipped(&b, m->name, NAME_BYTES);
  buf_printf(&b, " by comm_type: %" PRId64 " live chat%s, %" PRId64 " text%s",
             of[LEAD_MESSAGE_CHAT], text_s((size_t)of[LEAD_MESSAGE_CHAT]), of[LEAD_MESSAGE_TEXT],
             text_s((size_t)of[LEAD_MESSAGE_TEXT]));
  if (of[LEAD_MESSAGE_OTHER] > 0)
    buf_printf(&b, ", %" PRId64 " of another kind or of none", of[LEAD_MESSAGE_OTHER]);
  caveats_add(out, "%s.", buf_str(&b));
}

void message_caveats(struct caveats *out, const struct cohort_figures *figures)
{
  size_t all = count(figures, ANY_STATE), lacking = count(figures, MESSAGES_NOT_REGISTERED);
  if (lacking > 0)
    caveats_add(out,
                "Chats include texts at %zu of %zu dealer%s (%s): register comm_type there as an "
                "event-scoped custom dimension.",
                lacking, all, text_s(all), names(figures, MESSAGES_NOT_REGISTERED, out->arena));
  if (count(figures, MESSAGES_NOT_ASKED) > 0)
    caveats_add(out,
                "Chats include texts, which could not be told apart, at %s; run_report by "
                "customEvent:comm_type may separate them.",
                names(figures, MESSAGES_NOT_ASKED, out->arena));
  add_subject(out, figures->cohort);
}
