/* The pages of a comparison. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/paging.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/comparison_world.h"
#include "tests/unit/harness.h"

/* Marks the dealers of a page, none of which was seen before. */
static void see(const Result *r, bool *seen)
{
  for (size_t i = 0; i < r->n_dealers; i++) {
    size_t at = strtoul(r->dealers[i]->dealer_id + 1, NULL, 10);
    CU_ASSERT_FALSE(seen[at]);
    seen[at] = true;
  }
}

/* Bytes of a page's text, without the lead events and kinds of the dealers, which it leaves out. */
static size_t text_of_page(const Result *r)
{
  size_t bytes = paging_text_bytes(&r->base);
  for (size_t i = 0; i < r->n_dealers; i++)
    bytes -= strlen(r->dealers[i]->lead_event) + strlen(r->dealers[i]->lead_kind);
  return bytes;
}

/* What a page says beside its dealers. */
static void check_page(const struct world *w, const Result *r, const char *headline)
{
  bool subject = w->cohort.subject >= 0, first = w->offset == 0;
  CU_ASSERT_STRING_EQUAL(r->headline, headline);
  CU_ASSERT_EQUAL(r->regional_average->n_metrics, METRIC_COMPARED);
  CU_ASSERT_TRUE(text_of_page(r) < (w->brief && subject ? 4096 : 5500));
  CU_ASSERT_TRUE(r->next_offset == 0 || (size_t)r->next_offset == w->offset + r->n_dealers);
  if (subject) {
    CU_ASSERT_STRING_EQUAL(r->performance_index[0]->dealer_id, "d07");
    CU_ASSERT_EQUAL(r->dealers[0]->subject, first);
  }
  CU_ASSERT_EQUAL(r->n_performance_index, w->brief ? subject : r->n_dealers + (subject && !first));
}

static void pages_of(long subject, bool brief)
{
  struct world w;
  bool seen[N_MAX] = {false};
  size_t pages = 0, dealers = 0;
  world_start(&w, N_MAX);
  w.cohort.subject = subject;
  w.brief = brief;
  w.pages = true;
  const char *headline = world_compare(&w)->headline;
  do {
    Result *r = world_compare(&w);
    check_page(&w, r, headline);
    see(r, seen);
    dealers += r->n_dealers;
    w.offset = (size_t)r->next_offset;
  } while (w.offset != 0 && ++pages < N_MAX);
  CU_ASSERT_EQUAL(dealers, N_MAX);
  CU_ASSERT_TRUE(pages > 0);
  world_end(&w);
}

static void pages_fit_a_model_and_hold_every_dealer_once(void)
{
  pages_of(7, true);
  pages_of(7, false);
  pages_of(-1, true);
  pages_of(-1, false);
}

static void a_limit_and_an_offset_choose_the_page(void)
{
  struct world w;
  world_start(&w, 6);
  w.cohort.subject = -1;
  w.offset = 4;
  Result *r = world_compare(&w);
  CU_ASSERT_EQUAL(r->n_dealers, 2);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  w.offset = 9;
  r = world_compare(&w);
  CU_ASSERT_EQUAL(r->n_dealers, 0);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  CU_ASSERT_EQUAL(r->coverage->ok, 6);
  world_end(&w);
}

TEST_MAIN("aggregate compare pages", TEST(pages_fit_a_model_and_hold_every_dealer_once),
          TEST(a_limit_and_an_offset_choose_the_page))
