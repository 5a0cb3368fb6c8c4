/* Caveats about suspect data. */
#include "aggregate-svc/figures/findings.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

enum { SENTENCE_BYTES = 800 };

static const struct suspect_finding *finding(const struct cohort *cohort, size_t member,
                                             enum suspect_code code, findings_of *of,
                                             const void *arg)
{
  const struct cohort_member *m = &cohort->members[member];
  const struct suspect_findings *f = m->visible && m->state == DEALER_OK ? of(arg, member) : NULL;
  return f != NULL && f->of[code].found ? &f->of[code] : NULL;
}

/* "3 days without a session (...); rates are those of the other days"; NULL without the sign. */
static const char *words_of(const struct cohort *cohort, size_t member, enum suspect_code code,
                            findings_of *of, const void *arg, struct arena *arena)
{
  const struct suspect_finding *f = finding(cohort, member, code, of, arg);
  AUTO_BUF struct buf b = BUF_INIT(SENTENCE_BYTES);
  if (f == NULL)
    return NULL;
  suspect_put(&b, code, f);
  buf_printf(&b, "; %s", suspect_consequence(code, f));
  return arena_strdup(arena, buf_str(&b));
}

/* The members that have a sign in the same words, of those that were not named with it yet. */
struct alike {
  const char **words; /* per member; NULL: no sign, or named */
  const char *same;
  long alone; /* a member that is named alone, or -1 */
};

static bool is_alike(const struct cohort *c, size_t member, const void *arg)
{
  const struct alike *a = arg;
  (void)c;
  return a->words[member] != NULL && (a->alone < 0 || (long)member == a->alone) &&
         strcmp(a->words[member], a->same) == 0;
}

/* "Bay Toyota (gap): 3 days ...", of several "..., each (gap): ...". */
static void add_sentence(struct caveats *out, const struct cohort *cohort, struct alike *a,
                         enum suspect_code code)
{
  size_t n = cohort_count_if(cohort, is_alike, a);
  caveats_add(out, "%s%s (%s): %s.", cohort_names(cohort, is_alike, a, out->arena),
              n > 1 ? ", each" : "", suspect_name(code), a->same);
  for (size_t i = 0; i < cohort->n; i++)
    if (is_alike(cohort, i, a))
      a->words[i] = NULL;
}

/* One code: the subject by itself, then the others that have it in the same words together. Counts
 * the sentences, and the signs that have no room. */
static void add_code(struct caveats *out, const struct cohort *cohort, struct alike *a,
                     enum suspect_code code, size_t *sentences, size_t *more)
{
  for (long i = -1; i < (long)cohort->n; i++) {
    long member = i < 0 ? cohort->subject : i;
    if (member < 0 || a->words[member] == NULL)
      continue;
    a->same = a->words[member];
    a->alone = i < 0 ? member : -1;
    if ((*sentences)++ < FINDINGS_SHOWN)
      add_sentence(out, cohort, a, code);
    else
      (*more)++;
  }
}

void findings_add_caveats(struct caveats *out, const struct cohort *cohort, findings_of *of,
                          const void *arg)
{
  size_t sentences = 0, more = 0;
  struct alike a = {.words = ARENA_ARRAY(out->arena, const char *, cohort->n + 1), .alone = -1};
  for (size_t k = 0; k < SUSPECT_CODES; k++) {
    for (size_t i = 0; i < cohort->n; i++)
      a.words[i] = words_of(cohort, i, suspect_by_harm[k], of, arg, out->arena);
    add_code(out, cohort, &a, suspect_by_harm[k], &sentences, &more);
  }
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
