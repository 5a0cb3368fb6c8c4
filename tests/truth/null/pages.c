/* Landing pages where none differs from its type in its channels: at most 8 % of the answers may
 * hold a false word; and a page whose lead rate is planted is found.
 *
 * Websites are drawn and answered by the product's own answer/pages. AMCP_TRUTH_REGIONS takes
 * another number of websites. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/pages.h"
#include "common/base/mem.h"
#include "tests/truth/null/draw.h"
#include "tests/unit/aggregate/support/rows.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesResult Result;

enum { WEBSITES = 100, PAGES = 40, CHANNELS = 4, PLANTED = 5, SEED = 20261201 };

static const char *const channels[CHANNELS] = {"Direct", "Organic Search", "Paid Search", "Email"};
static const double level[CHANNELS] = {1, 1.2, 1.4, 0.7};
/* Pages of vehicles, specials, service. */
static const double rates[] = {0.02, 0.008, 0.03};

static long websites(void)
{
  const char *s = getenv("AMCP_TRUTH_REGIONS");
  long n = s != NULL ? strtol(s, NULL, 10) : 0;
  return n > 0 ? n : WEBSITES;
}

/* effect: on one page of the first type. */
static void draw_website(struct rows_stage *s, struct draw *d, double effect)
{
  char page[32];
  for (int i = 0; i < PAGES; i++)
    for (size_t c = 0; c < CHANNELS; c++) {
      size_t type = (size_t)i % ARRAY_LEN(rates);
      snprintf(page, sizeof(page),
               type == 0   ? "/new-vehicles/m%d/"
               : type == 1 ? "/specials/s%d/"
                           : "/service/w%d/",
               i);
      double sessions = (double)draw_events(d, 900.0 / (1 + i % 7), 2);
      double rate = rates[type] * level[c] * (i == PLANTED * 3 ? effect : 1);
      double leads = (double)draw_share(d, (int64_t)sessions, rate, 1);
      const char *texts[] = {page, channels[c], "asc_form_submission"};
      if (sessions > 0)
        rows_add(s, PAGES_SESSIONS, 0, texts, &sessions);
      if (leads > 0)
        rows_add(s, PAGES_LEADS, 0, texts, &leads);
    }
}

struct count {
  long answers, with_word, tested, words, planted;
};

static bool is_word(const char *verdict)
{
  return strcmp(verdict, "above_expected") == 0 || strcmp(verdict, "below_expected") == 0;
}

static struct count world(double effect)
{
  static const struct table_shape shapes[PAGES_QUERIES] = {{2, 1}, {3, 1}, {1, 2}, {1, 2}};
  struct count c = {0};
  struct draw d = {.state = SEED + (uint64_t)(effect * 100)};
  struct rows_stage *s = xcalloc(1, sizeof(*s));
  char planted[32];
  snprintf(planted, sizeof(planted), "/new-vehicles/m%d/", PLANTED * 3);
  for (long k = 0; k < websites(); k++) {
    rows_begin(s, 1, 1, shapes, PAGES_QUERIES);
    draw_website(s, &d, effect);
    rows_settle(s);
    struct pages_question q = {.of = rows_question(s, PAGES_DAYS, PAGES_LOOKBACK)};
    const Result *r = compare_pages(&q, s->arena);
    long words = 0;
    for (size_t i = 0; i < r->n_pages; i++) {
      words += is_word(r->pages[i]->verdict);
      c.planted += strcmp(r->pages[i]->page, planted) == 0 &&
                   strcmp(r->pages[i]->verdict, "above_expected") == 0;
    }
    c.answers++;
    c.with_word += words > 0;
    c.words += words;
    c.tested += r->tested;
    rows_end(s);
  }
  free(s);
  return c;
}

static void equal_pages_get_false_words_in_at_most_8_percent_of_answers(void)
{
  struct count c = world(1);
  printf("  %ld of %ld answers, %ld of %ld tested pages\n", c.with_word, c.answers, c.words,
         c.tested);
  CU_ASSERT_TRUE(c.tested > 10 * c.answers);
  CU_ASSERT_TRUE(100 * c.with_word <= 8 * c.answers);
  CU_ASSERT_TRUE(100 * c.words <= 2 * c.tested);
}

/* Some 39 expected leads: two and a half times as many stand out among all pages of the website,
 * although they raise the rate that the page is held to. */
static void a_page_with_more_leads_is_found(void)
{
  struct count c = world(2.5);
  printf("  %ld of %ld found\n", c.planted, c.answers);
  CU_ASSERT_TRUE(100 * c.planted >= 85 * c.answers);
}

TEST_MAIN("truth pages", TEST(equal_pages_get_false_words_in_at_most_8_percent_of_answers),
          TEST(a_page_with_more_leads_is_found))
