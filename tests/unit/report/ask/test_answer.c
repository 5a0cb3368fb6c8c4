/* Answers as they go to other replicas and come from them. */
#include <string.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/ask/answer.h"
#include "tests/unit/harness.h"

enum { ARENA = 1 << 20, CAP = 1 << 16 };

static const ProtobufCMessageDescriptor *const type =
    &analytics__ga4__v1beta__run_report_response__descriptor;

/* An answer of n rows "day I", I. */
static struct answer *made(size_t n)
{
  struct answer *a = answer_new(ARENA);
  Analytics__Ga4__V1beta__RunReportResponse *m =
      ARENA_NEW(a->arena, Analytics__Ga4__V1beta__RunReportResponse);
  analytics__ga4__v1beta__run_report_response__init(m);
  for (size_t i = 0; i < n; i++) {
    Analytics__Ga4__V1beta__Row *row = ARENA_NEW(a->arena, Analytics__Ga4__V1beta__Row);
    Analytics__Ga4__V1beta__DimensionValue *value =
        ARENA_NEW(a->arena, Analytics__Ga4__V1beta__DimensionValue);
    analytics__ga4__v1beta__row__init(row);
    analytics__ga4__v1beta__dimension_value__init(value);
    value->value = arena_printf(a->arena, "day %zu", i);
    row->n_dimension_values = 1;
    row->dimension_values = ARENA_ARRAY(a->arena, Analytics__Ga4__V1beta__DimensionValue *, 1);
    row->dimension_values[0] = value;
    answer_list_add(&a->lists[0], &row->base);
  }
  m->row_count = (int32_t)n;
  m->n_rows = a->lists[0].n;
  m->rows = (void *)a->lists[0].items;
  a->message = &m->base;
  return a;
}

static void an_answer_comes_back_with_all_its_rows(void)
{
  AUTO_BUF struct buf packed = BUF_INIT(CAP);
  struct answer *a = made(100);
  CU_ASSERT_TRUE_FATAL(answer_pack(&packed, a));
  answer_unref(a);
  struct answer *b = answer_unpack(type, packed.data, packed.len, ARENA);
  CU_ASSERT_PTR_NOT_NULL_FATAL(b);
  const Analytics__Ga4__V1beta__RunReportResponse *m = (const void *)b->message;
  CU_ASSERT_EQUAL(m->row_count, 100);
  CU_ASSERT_EQUAL_FATAL(m->n_rows, 100);
  CU_ASSERT_STRING_EQUAL(m->rows[99]->dimension_values[0]->value, "day 99");
  CU_ASSERT_TRUE(answer_size(b) > packed.len);
  answer_unref(b);
}

static void an_answer_larger_than_the_cap_is_not_packed(void)
{
  AUTO_BUF struct buf packed = BUF_INIT(500);
  struct answer *a = made(100);
  CU_ASSERT_FALSE(answer_pack(&packed, a));
  CU_ASSERT_EQUAL(packed.len, 0);
  answer_unref(a);
}

static void bytes_that_are_not_an_answer_are_none(void)
{
  AUTO_BUF struct buf packed = BUF_INIT(CAP);
  struct answer *a = made(100);
  CU_ASSERT_TRUE_FATAL(answer_pack(&packed, a));
  answer_unref(a);
  CU_ASSERT_PTR_NULL(answer_unpack(type, packed.data, packed.len - 1, ARENA)); /* cut */
  CU_ASSERT_PTR_NULL(answer_unpack(type, "\xff\xff\xff\xff\xff", 5, ARENA));
  CU_ASSERT_PTR_NULL(answer_unpack(type, packed.data, packed.len, 2000)); /* does not fit */
}

TEST_MAIN("ask/answer", TEST(an_answer_comes_back_with_all_its_rows),
          TEST(an_answer_larger_than_the_cap_is_not_packed),
          TEST(bytes_that_are_not_an_answer_are_none))
