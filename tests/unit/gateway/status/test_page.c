/* The page for operators: every text is escaped, sorting is what the link says. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/status/page.h"
#include "tests/unit/harness.h"

#define TEXT(s) ((char *)(uintptr_t)(s))
#define EVIL "<script>alert(\"1\")</script>&'"

enum { N = 4 };

typedef Analytics__Status__V1__DealerRow row;

static row rows[N], *list[N];

static void make_rows(void)
{
  static const struct {
    const char *id, *name, *state, *report, *failures, *quota, *data;
  } of[N] = {{"d3", "alpha", "ok", "2026-11-29T10:00:00Z", "timeout 3, invalid_grant 2", "700",
              "2026-11-28"},
             {"d1", "Beta", "failing", "2026-11-29T11:00:00Z", "timeout 12", "", ""},
             {"d2", "gamma", "ok", "", "", "90", "2026-11-29"},
             {"d4", "Alpha", "needs_reconsent", "2026-11-28T23:00:00Z", "invalid_grant 1", "1000",
              "2026-10-30"}};
  for (int i = 0; i < N; i++) {
    analytics__status__v1__dealer_row__init(&rows[i]);
    rows[i].dealer_id = TEXT(of[i].id);
    rows[i].name = TEXT(of[i].name);
    rows[i].state = TEXT(of[i].state);
    rows[i].last_report = TEXT(of[i].report);
    rows[i].failures = TEXT(of[i].failures);
    rows[i].quota_left = TEXT(of[i].quota);
    rows[i].data_through = TEXT(of[i].data);
    list[i] = &rows[i];
  }
}

static void rows_are_sorted_by_each_column(void)
{
  static const struct {
    const char *sort, *order, *ids;
  } table[] = {{NULL, NULL, "d4 d1 d2 d3 "},        {"state", "desc", "d2 d3 d1 d4 "},
               {"dealer", "asc", "d3 d4 d1 d2 "},   {"dealer", "desc", "d2 d1 d3 d4 "},
               {"report", "desc", "d1 d3 d4 d2 "},  {"failures", "desc", "d1 d3 d4 d2 "},
               {"failures", "asc", "d2 d4 d3 d1 "}, {"quota", "asc", "d2 d3 d4 d1 "},
               {"quota", "desc", "d1 d4 d3 d2 "},   {"region", "asc", "d1 d2 d3 d4 "},
               {"data", "asc", "d1 d4 d3 d2 "},     {"data", "desc", "d2 d3 d4 d1 "}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct order order;
    char ids[64] = "";
    make_rows();
    CU_ASSERT_TRUE_FATAL(order_read(&order, table[i].sort, table[i].order));
    order_rows(list, N, order);
    for (int k = 0; k < N; k++)
      snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ", list[k]->dealer_id);
    CU_ASSERT_STRING_EQUAL(ids, table[i].ids);
  }
}

static void unknown_columns_and_orders_are_refused(void)
{
  struct order order;
  CU_ASSERT_FALSE(order_read(&order, "secret", NULL));
  CU_ASSERT_FALSE(order_read(&order, "", NULL));
  CU_ASSERT_FALSE(order_read(&order, "state", "up"));
  CU_ASSERT_TRUE(order_read(&order, "quota", NULL));
  CU_ASSERT_EQUAL(order.column, ORDER_QUOTA);
  CU_ASSERT_FALSE(order.descending);
}

/* Every text of the message in turn is markup; none of it is markup in the page. */
static void put_evil(ProtobufCMessage *m)
{
  for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
    char **at = (char **)(void *)((char *)m + f->offset);
    if (f->type == PROTOBUF_C_TYPE_STRING && f->label != PROTOBUF_C_LABEL_REPEATED)
      *at = TEXT(EVIL);
  }
}

static void no_text_becomes_markup(void)
{
  Analytics__Status__V1__ServiceStatus s = ANALYTICS__STATUS__V1__SERVICE_STATUS__INIT;
  Analytics__Status__V1__ServiceRow service = ANALYTICS__STATUS__V1__SERVICE_ROW__INIT,
                                    *services[] = {&service};
  Analytics__Status__V1__CohortRow cohort = ANALYTICS__STATUS__V1__COHORT_ROW__INIT,
                                   *cohorts[] = {&cohort};
  Analytics__Status__V1__FactRow fact = ANALYTICS__STATUS__V1__FACT_ROW__INIT, *facts[] = {&fact};
  char *texts[] = {TEXT(EVIL)};
  AUTO_BUF struct buf out = BUF_INIT(PAGE_MAX);
  make_rows();
  put_evil(&rows[0].base);
  put_evil(&service.base);
  put_evil(&cohort.base);
  put_evil(&fact.base);
  s.dealers = list;
  s.services = services;
  s.cohorts = cohorts;
  s.facts = facts;
  s.caveats = s.notes = texts;
  s.n_dealers = N;
  s.n_services = s.n_cohorts = s.n_facts = s.n_caveats = s.n_notes = 1;
  page_put(&out, &(struct page){&s, {ORDER_STATE, false}, INT64_C(1795953600000)});
  CU_ASSERT_FALSE(out.failed);
  CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "<script"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "alert(\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "&lt;script&gt;alert(&quot;1&quot;)"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "</html>"));
}

static void times_of_another_day_show_their_day(void)
{
  Analytics__Status__V1__ServiceStatus s = ANALYTICS__STATUS__V1__SERVICE_STATUS__INIT;
  AUTO_BUF struct buf out = BUF_INIT(PAGE_MAX);
  make_rows();
  s.dealers = list;
  s.n_dealers = N;
  page_put(&out, &(struct page){&s, {ORDER_STATE, false}, INT64_C(1795953600000)});
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "datetime=\"2026-11-29T11:00:00Z\">11:00</time>"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&out), "datetime=\"2026-11-28T23:00:00Z\">11-28 23:00</time>"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "2 of 4 dealers need action."));
}

TEST_MAIN("gateway_status_page", TEST(rows_are_sorted_by_each_column),
          TEST(unknown_columns_and_orders_are_refused), TEST(no_text_becomes_markup),
          TEST(times_of_another_day_show_their_day))
