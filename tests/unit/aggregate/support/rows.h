/* Rows of reports put into tables as report-svc's chunks would, and a cohort to compare. */
#ifndef AMCP_TESTS_AGGREGATE_ROWS_H
#define AMCP_TESTS_AGGREGATE_ROWS_H

#include "aggregate-svc/answer/subject.h"
#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/signs.h"
#include "aggregate-svc/figures/tables.h"
#include "aggregate-svc/period/period.h"
#include "common/base/arena.h"

enum { ROWS_DEALERS = 24, ROWS_MONDAY = 20731 /* 2026-10-05 */, ROWS_DAYS = 28 };

/* One question of a caller: dealer 0 is the subject. */
struct rows_stage {
  struct cohort cohort;
  struct cohort_member members[ROWS_DEALERS];
  char names[ROWS_DEALERS][8], owners[ROWS_DEALERS][8];
  struct report_tables tables;
  struct lead_events leads;
  struct release_store *store;
  struct door door;
  struct period period; /* four weeks from ROWS_MONDAY */
  struct arena *arena;
};

/* n dealers of owners of their own, named d0, d1 ...; all but the first `seen` are outside the
 * view. Their lead event is asc_form_submission. */
void rows_begin(struct rows_stage *s, size_t n, size_t seen, const struct table_shape *shapes,
                size_t n_shapes);
/* The same call again, over the same store and figures. */
void rows_ask_again(struct rows_stage *s);
/* Admits and settles the door; once all rows are there. */
void rows_settle(struct rows_stage *s);
/* Checks that the budget was given back. */
void rows_end(struct rows_stage *s);

/* The question over it; with what is suspect at the dealers, from the reports with these query_ids,
 * unless they are 0. */
struct subject_question rows_question(struct rows_stage *s, size_t days, size_t look_back);

/* What is suspect in each week of the period, given to the door, when dealers outside are asked. */
void rows_give_bases(struct rows_stage *s, size_t days, size_t look_back);

/* A row: values of its dimensions, and of its metrics. */
void rows_add(struct rows_stage *s, size_t query, size_t member, const char *const *texts,
              const double *values);
/* 100 sessions, half of them engaged, on each of some days of the period, in the report by day with
 * this query_id. */
void rows_add_days(struct rows_stage *s, size_t query, size_t member, int first, int last);
/* Day k of the period as GA4 writes it; static text of the last eight calls. */
const char *rows_day(int k);

#endif
