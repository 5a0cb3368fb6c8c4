/* Caveats about suspect data. */
#include "aggregate-svc/figures/findings.h"

#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

enum { NAME_BYTES = 100, SENTENCE_BYTES = 800 };

static const struct suspect_finding *finding(const struct cohort *cohort, size_t member,
                                             enum suspect_code code, findings_of *of,
                                             const void *arg)
{
  const struct cohort_member *m = &cohort->members[member];
  const struct suspect_findings *f = m->visible && m->state == DEALER_OK ? of(arg, member) : NULL;
  return f != NULL && f->of[code].found ? &f->of[code] : NULL;
}

/* "Bay Toyota (gap): 3 days without a session (...); rates are those of the other days." */
static void add_sentence(struct caveats *out, const struct cohort_member *m, enum suspect_code code,
                         const struct suspect_finding *f)
{
  AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
  text_put_clipped(&b, m->name, NAME_BYTES);
  buf_printf(&b, " (%s): ", suspect_name(code));
  suspect_put(&b, code, f);
  buf_printf(&b, "; %s.", suspect_consequence(code, f));
  caveats_add(out, "%s", buf_str(&b));
}

void findings_add_caveats(struct caveats *out, const struct cohort *cohort, findings_of *of,
                          const void *arg)
{
  size_t shown = 0, more = 0;
  for (size_t k = 0; k < SUSPECT_CODES; k++)
    for (size_t i = 0; i < cohort->n; i++) {
      const struct suspect_finding *f = finding(cohort, i, suspect_by_harm[k], of, arg);
      if (f != NULL && shown++ < FINDINGS_SHOWN)
        add_sentence(out, &cohort->members[i], suspect_by_harm[k], f);
    }
  more = shown > FINDINGS_SHOWN ? shown - FINDINGS_SHOWN : 0;
  if (more > 0)
    caveats_add(out, "%zu more sign%s of suspect data: check_data_health lists them.", more,
                text_s(more));
}

static Analytics__Report__V1__DealerLeftOut *left_out(const struct cohort *cohort, size_t member,
                                                      findings_of *of, const void *arg,
                                                      unsigned effect, struct arena *arena)
{
  for (size_t k = 0; k < SUSPECT_CODES; k++) {
    const struct suspect_finding *f = finding(cohort, member, suspect_by_harm[k], of, arg);
    if (f == NULL || (f->effects & effect) == 0)
      continue;
    Analytics__Report__V1__DealerLeftOut *m =
        ARENA_NEW(arena, Analytics__Report__V1__DealerLeftOut);
    analytics__report__v1__dealer_left_out__init(m);
    m->dealer_id = borrow_text(cohort->members[member].dealer_id);
    m->reason = borrow_text(suspect_name(suspect_by_harm[k]));
    m->figures = borrow_text(effect == EFFECT_NO_POOL ? "all" : "rates");
    return m;
  }
  return NULL;
}

void findings_add_left_out(Analytics__Report__V1__Coverage *coverage, const struct cohort *cohort,
                           findings_of *of, const void *arg, struct arena *arena)
{
  coverage->left_out = ARENA_ARRAY(arena, Analytics__Report__V1__DealerLeftOut *, cohort->n + 1);
  for (size_t i = 0; i < cohort->n; i++) {
    Analytics__Report__V1__DealerLeftOut *m = left_out(cohort, i, of, arg, EFFECT_NO_POOL, arena);
    if (m == NULL)
      m = left_out(cohort, i, of, arg, EFFECT_NO_RATES, arena);
    if (m != NULL)
      coverage->left_out[coverage->n_left_out++] = m;
  }
}
