/* Notes suspect data of a call's dealers, and how far it reaches. */
#include "aggregate-svc/call/note.h"

void note_findings(const struct tool_call *c, const struct dealer_figures *figures)
{
  for (size_t i = 0; i < c->cohort.n; i++) {
    const struct cohort_member *m = &c->cohort.members[i];
    if (!m->visible || m->state != DEALER_OK)
      continue;
    lately_add(c->lately, m->dealer_id, &figures[i].findings, c->now_unix_ms / 1000);
    lately_reach(c->lately, m->dealer_id, figures[i].reach, c->now_unix_ms / 1000);
  }
}
