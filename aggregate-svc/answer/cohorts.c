/* Finds and adds the sizes of cohorts. */
#include "aggregate-svc/answer/cohorts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* The dimension of a report's rows that names their cohort. */
static size_t cohort_column(const struct across_question *q)
{
  size_t k = 0;
  while (k < q->n_dimensions && strcmp(q->dimensions[k], "cohort") != 0)
    k++;
  return k;
}

/* 0 for a cohort that nobody of a dealer belongs to. */
static double size_at(const struct across_tables *sizes, size_t member, const char *cohort)
{
  for (size_t row = 0; row < sizes->tables[member].rows; row++)
    if (strcmp(across_text(sizes, member, row, 0), cohort) == 0)
      return across_value(sizes, member, row, 0);
  return 0;
}

bool across_cohorts_agree(const struct across_question *q, size_t metric)
{
  size_t at = cohort_column(q);
  if (q->sizes == NULL || at == q->n_dimensions)
    return false;
  for (size_t i = 0; i < q->cohort->n; i++)
    for (size_t row = 0;
         q->cohort->members[i].state == DEALER_OK && row < q->tables->tables[i].rows; row++)
      if (across_value(q->tables, i, row, metric) !=
          size_at(q->sizes, i, across_text(q->tables, i, row, at)))
        return false;
  return true;
}

static double size_of_part(const struct across_question *q, const struct pool_part *part,
                           const char *cohort)
{
  double sum = 0;
  for (size_t i = 0; i < q->cohort->n; i++)
    if (q->cohort->members[i].state == DEALER_OK && part->has[i])
      sum += size_at(q->sizes, i, cohort);
  return sum;
}

/* A cohort of a part whose size is known already: there are few, and many rows. */
struct known {
  const char *cohort;
  size_t part;
  double size;
};

void across_cohorts_put(const struct across_question *q, struct across_pool *p, size_t column,
                        const struct pool_part *parts, size_t n_parts)
{
  enum { COHORTS_MAX = 12 };
  size_t at = cohort_column(q), n = 0, most = n_parts * COHORTS_MAX;
  AUTO_FREE struct known *known = xcalloc(most + 1, sizeof(*known));
  for (size_t row = 0; row < p->n; row++) {
    const struct pooled_row *r = &p->rows[row];
    const char *cohort = across_text(q->tables, r->member, r->row, at);
    size_t k = 0;
    while (k < n && (known[k].part != r->part || strcmp(known[k].cohort, cohort) != 0))
      k++;
    known[k] = k < n ? known[k]
                     : (struct known){cohort, r->part, size_of_part(q, &parts[r->part], cohort)};
    across_pool_set(p, row, column, known[k].size);
    n += k == n && n < most;
  }
}
