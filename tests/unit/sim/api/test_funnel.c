/* runFunnelReport: closed and open, in order, directly followed, within a time, breakdown, next
 * action, days, ranges, checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/sim/support/api_fixture.h"

#define FUNNEL "v1alpha :runFunnelReport"
#define FEB "'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'}]"
#define EVENT(event) "'filterExpression':{'funnelEventFilter':{'eventName':'" event "'}}"
#define THREE(open, more)                                                                          \
  "{" FEB ",'funnel':{" open "'steps':[{'name':'View'," EVENT(                                     \
      "asc_item_pageview") "},{'name':"                                                            \
                           "'Start'," EVENT("form_start") "},{'name':'Sent'," EVENT(               \
                               "asc_form_submission") "}]}" more "}"

/* Events of users in the order of time. */
#define ORDERED                                                                                    \
  "WITH ev AS (SELECT s.user_id AS u,e.name,e.date AS date,e.page_id AS page,s.device AS device,"  \
  "printf('%s%02d%012d%012d',e.date,e.hour,e.session_id,e.event_id) AS at FROM events e JOIN "     \
  "sessions s USING(session_id) WHERE e.property_id=@ AND e.date BETWEEN '20260201' AND "          \
  "'20260228'),one AS (SELECT u,MIN(at) AS at,MIN(device) AS device FROM ev WHERE "                \
  "name='asc_item_pageview' GROUP BY u),two AS (SELECT ev.u,MIN(ev.at) AS at,one.device FROM ev "  \
  "JOIN one ON one.u=ev.u AND ev.at>one.at WHERE name='form_start' GROUP BY ev.u),three AS "       \
  "(SELECT ev.u,MIN(ev.at) AS at,two.device FROM ev JOIN two ON two.u=ev.u AND ev.at>two.at "      \
  "WHERE name='asc_form_submission' GROUP BY ev.u) "

static const cJSON *part(const struct answer *a, const char *name)
{
  return cJSON_GetObjectItem(a->json, name);
}

static int rows(const cJSON *sheet)
{
  return cJSON_GetArraySize(cJSON_GetObjectItem(sheet, "rows"));
}

static double cell(const cJSON *sheet, int row, int metric)
{
  const char *text = fixture_cell(sheet, "rows", row, "metricValues", metric);
  return text == NULL ? -1 : strtod(text, NULL);
}

static const char *text(const cJSON *sheet, int row, int dimension)
{
  const char *t = fixture_cell(sheet, "rows", row, "dimensionValues", dimension);
  return t == NULL ? "" : t;
}

static void a_closed_funnel_counts_users_who_come_through_in_order(void)
{
  AUTO_ANSWER struct answer a = api(0, FUNNEL, THREE("", ""), NULL);
  const cJSON *t = part(&a, "funnelTable");
  double one = fixture_sql(0, ORDERED "SELECT COUNT(*) FROM one");
  double two = fixture_sql(0, ORDERED "SELECT COUNT(*) FROM two");
  double three = fixture_sql(0, ORDERED "SELECT COUNT(*) FROM three");
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_STRING_EQUAL(member(&a, "kind"), "analyticsData#runFunnelReport");
  CU_ASSERT_EQUAL_FATAL(rows(t), 3);
  CU_ASSERT_STRING_EQUAL(text(t, 0, 0), "1. View");
  CU_ASSERT_TRUE(one > two && two > three && three > 0);
  CU_ASSERT_EQUAL(cell(t, 0, 0), one);
  CU_ASSERT_EQUAL(cell(t, 1, 0), two);
  CU_ASSERT_EQUAL(cell(t, 2, 0), three);
  CU_ASSERT_DOUBLE_EQUAL(cell(t, 0, 1), two / one, 1e-15);
  CU_ASSERT_EQUAL(cell(t, 1, 2), two - three);
  CU_ASSERT_DOUBLE_EQUAL(cell(t, 1, 3), (two - three) / two, 1e-15);
  CU_ASSERT_EQUAL(cell(t, 2, 2), 0);
  CU_ASSERT_EQUAL(cell(part(&a, "funnelVisualization"), 2, 0), three);
}

static void an_open_funnel_is_entered_at_any_step(void)
{
  AUTO_ANSWER struct answer a = api(0, FUNNEL, THREE("'isOpenFunnel':true,", ""), NULL);
  const cJSON *t = part(&a, "funnelTable");
  CU_ASSERT_EQUAL(cell(t, 1, 0), fixture_sql(0, ORDERED "SELECT COUNT(DISTINCT u) FROM ev WHERE "
                                                        "name='form_start'"));
  CU_ASSERT_EQUAL(cell(t, 2, 0), fixture_sql(0, ORDERED "SELECT COUNT(DISTINCT u) FROM ev WHERE "
                                                        "name='asc_form_submission'"));
  CU_ASSERT_DOUBLE_EQUAL(cell(t, 0, 1),
                         fixture_sql(0, ORDERED "SELECT (SELECT COUNT(*) FROM two)*1.0/"
                                                "(SELECT COUNT(*) FROM one)"),
                         1e-15);
}

static void a_breakdown_divides_each_step(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL,
          THREE("", ",'funnelBreakdown':{'breakdownDimension':{'name':'deviceCategory'}}"), NULL);
  const cJSON *t = part(&a, "funnelTable");
  double sum = 0;
  CU_ASSERT_STRING_EQUAL(text(t, 0, 1), "RESERVED_TOTAL");
  for (int i = 1; i < rows(t) && strcmp(text(t, i, 0), "1. View") == 0; i++)
    sum += cell(t, i, 0);
  CU_ASSERT_EQUAL(sum, cell(t, 0, 0));
  for (int i = 0; i < rows(t); i++)
    if (strcmp(text(t, i, 0), "2. Start") == 0 && strcmp(text(t, i, 1), "mobile") == 0)
      CU_ASSERT_EQUAL(cell(t, i, 0),
                      fixture_sql(0, ORDERED "SELECT COUNT(*) FROM two WHERE device='mobile'"));
}

/* A breakdown by a dimension that an expression makes has the same users under other names. */
static void a_breakdown_may_be_made_by_an_expression_and_rows_are_bounded(void)
{
#define UPPER                                                                                      \
  "'funnelBreakdown':{'breakdownDimension':{'name':'kind','dimensionExpression':{'upperCase':{"    \
  "'dimensionName':'deviceCategory'}}}}"
  AUTO_ANSWER struct answer a = api(0, FUNNEL, THREE("", "," UPPER), NULL);
  AUTO_ANSWER struct answer two = api(0, FUNNEL, THREE("", ",'limit':'2'," UPPER), NULL);
  const cJSON *t = part(&a, "funnelTable");
  const cJSON *headers = cJSON_GetObjectItem(t, "dimensionHeaders");
  bool seen = false;
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetArrayItem(headers, 1), "name"), "kind");
  for (int i = 0; i < rows(t); i++) {
    if (strcmp(text(t, i, 0), "2. Start") != 0 || strcmp(text(t, i, 1), "MOBILE") != 0)
      continue;
    seen = true;
    CU_ASSERT_EQUAL(cell(t, i, 0),
                    fixture_sql(0, ORDERED "SELECT COUNT(*) FROM two WHERE device='mobile'"));
  }
  CU_ASSERT_TRUE(seen);
  CU_ASSERT_EQUAL_FATAL(rows(part(&two, "funnelTable")), 2);
  CU_ASSERT_STRING_EQUAL(text(part(&two, "funnelTable"), 1, 1), text(t, 1, 1));
  CU_ASSERT_STRING_EQUAL(api_refusal(0, FUNNEL, THREE("", ",'limit':'-1'"), NULL),
                         "limit must be positive. The API received limit = -1");
}

static void next_actions_are_the_events_right_after_a_step(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL,
          THREE("", ",'funnelNextAction':{'nextActionDimension':{'name':'eventName'},'limit':50}"),
          NULL);
  const cJSON *t = part(&a, "funnelTable");
  const cJSON *headers = cJSON_GetObjectItem(t, "dimensionHeaders");
  bool seen = false;
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetArrayItem(headers, 1), "name"),
                         "funnelStepNextAction");
  for (int i = 1; i < rows(t) && strcmp(text(t, i, 0), "1. View") == 0; i++) {
    if (strcmp(text(t, i, 1), "page_view") != 0)
      continue;
    seen = true;
    CU_ASSERT_EQUAL(cell(t, i, 0),
                    fixture_sql(0, ORDERED
                                "SELECT COUNT(*) FROM one JOIN ev ON ev.u=one.u AND ev.at="
                                "(SELECT MIN(x.at) FROM ev x WHERE x.u=one.u AND x.at>one.at) "
                                "WHERE ev.name='page_view'"));
  }
  CU_ASSERT_TRUE(seen);
}

static void trended_funnels_divide_by_day_and_ranges_stay_apart(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL, THREE("", ",'funnelVisualizationType':'TRENDED_FUNNEL'"), NULL);
  const cJSON *v = part(&a, "funnelVisualization");
  double sum = 0;
  for (int i = 0; i < rows(v) && strcmp(text(v, i, 0), "1. View") == 0; i++) {
    CU_ASSERT_TRUE(i == 0 || strcmp(text(v, i - 1, 1), text(v, i, 1)) < 0);
    sum += cell(v, i, 0);
  }
  CU_ASSERT_EQUAL(sum, fixture_sql(0, ORDERED "SELECT COUNT(*) FROM one"));
  AUTO_ANSWER struct answer two =
      api(0, FUNNEL,
          "{'dateRanges':[{'startDate':'2026-02-01','endDate':'2026-02-28'},{'startDate':"
          "'2026-03-01','endDate':'2026-03-05','name':'march'}],'funnel':{'steps':[{" EVENT(
              "asc_item_pageview") "}]}}",
          NULL);
  const cJSON *t = part(&two, "funnelTable");
  CU_ASSERT_EQUAL_FATAL(rows(t), 2);
  CU_ASSERT_STRING_EQUAL(text(t, 1, 1), "march");
  CU_ASSERT_EQUAL(cell(t, 1, 0),
                  fixture_sql(0, "SELECT COUNT(DISTINCT user_id) FROM sessions JOIN events e "
                                 "USING(session_id) WHERE e.property_id=@ AND name="
                                 "'asc_item_pageview' AND e.date BETWEEN '20260301' AND "
                                 "'20260305'"));
}

static void steps_may_have_to_follow_directly_or_in_time(void)
{
#define PAIR(more)                                                                                 \
  "{" FEB ",'funnel':{'steps':[{" EVENT("form_start") "},{" more EVENT("asc_form_submission") "}]" \
                                                                                              "}}"
  AUTO_ANSWER struct answer any = api(0, FUNNEL, PAIR(""), NULL);
  AUTO_ANSWER struct answer direct = api(0, FUNNEL, PAIR("'isDirectlyFollowedBy':true,"), NULL);
  AUTO_ANSWER struct answer soon =
      api(0, FUNNEL, PAIR("'withinDurationFromPriorStep':'3600s',"), NULL);
  double all = cell(part(&any, "funnelTable"), 1, 0);
  CU_ASSERT_EQUAL(cell(part(&direct, "funnelTable"), 1, 0),
                  fixture_sql(0, ORDERED
                              "SELECT COUNT(DISTINCT a.u) FROM ev a JOIN ev b ON b.u=a.u AND b.at="
                              "(SELECT MIN(x.at) FROM ev x WHERE x.u=a.u AND x.at>a.at) WHERE "
                              "a.name='form_start' AND b.name='asc_form_submission'"));
  CU_ASSERT_TRUE(cell(part(&soon, "funnelTable"), 1, 0) <= all);
  CU_ASSERT_TRUE(cell(part(&soon, "funnelTable"), 1, 0) > 0);
}

static void filters_of_steps_nest_and_know_parameters(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL,
          "{" FEB ",'funnel':{'steps':[{'filterExpression':{'andGroup':{'expressions':[{"
          "'funnelEventFilter':{'eventName':'asc_item_pageview','funnelParameterFilterExpression':{"
          "'funnelParameterFilter':{'eventParameterName':'item_condition','stringFilter':{'value':"
          "'used'}}}}},{'notExpression':{'funnelFieldFilter':{'fieldName':'deviceCategory',"
          "'stringFilter':{'value':'desktop'}}}}]}}}]}}",
          NULL);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_EQUAL(
      cell(part(&a, "funnelTable"), 0, 0),
      fixture_sql(0, "SELECT COUNT(DISTINCT user_id) FROM sessions JOIN event_details e "
                     "USING(session_id) WHERE e.property_id=@ AND name='asc_item_pageview' AND "
                     "item_condition='used' AND device<>'desktop' AND e.date BETWEEN '20260201' "
                     "AND '20260228'"));
}

/* ------------------------------------------------------------------ segments */

#define SEEN(event) "'segmentFilterExpression':{'segmentEventFilter':{'eventName':'" event "'}}"
#define DEVICE(value)                                                                              \
  "{'segmentFilter':{'fieldName':'deviceCategory','stringFilter':{'value':'" value "'}}}"
/* One step, by segment. */
#define VIEWS(segments)                                                                            \
  "{" FEB                                                                                          \
  ",'funnel':{'steps':[{'name':'View'," EVENT("asc_item_pageview") "}]},'segments':[" segments     \
                                                                   "]}"
#define EVENTS                                                                                     \
  "WITH ev AS (SELECT s.user_id AS u,e.session_id AS sid,e.name,s.device AS device,"               \
  "printf('%s%02d%012d%012d',e.date,e.hour,e.session_id,e.event_id) AS at FROM events e JOIN "     \
  "sessions s USING(session_id) WHERE e.property_id=@ AND e.date BETWEEN '20260201' AND "          \
  "'20260228'),viewed AS (SELECT * FROM ev WHERE name='asc_item_pageview') "                       \
  "SELECT COUNT(DISTINCT u) FROM viewed "

/* Users of the only step in the only segment. */
static double viewers(const char *body)
{
  AUTO_ANSWER struct answer a = api(0, FUNNEL, body, NULL);
  const cJSON *t = part(&a, "funnelTable");
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_EQUAL(rows(t), 1);
  return cell(t, 0, 0);
}

static void each_segment_is_a_funnel_of_its_own(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL,
          THREE("", ",'segments':[{'name':'Phones','sessionSegment':{'sessionInclusionCriteria':{"
                    "'andConditionGroups':[{'segmentFilterExpression':" DEVICE(
                        "mobile") "}]}}},{'eventSegment':{'eventInclusionCriteria':{"
                                  "'andConditionGroups':[{'segmentFilterExpression':{"
                                  "'notExpression':" DEVICE("mobile") "}}]}}}]"),
          NULL);
  const cJSON *t = part(&a, "funnelTable"), *headers = cJSON_GetObjectItem(t, "dimensionHeaders");
  CU_ASSERT_STRING_EQUAL(json_get_string(cJSON_GetArrayItem(headers, 1), "name"), "segment");
  CU_ASSERT_EQUAL_FATAL(rows(t), 6);
  CU_ASSERT_STRING_EQUAL(text(t, 0, 1), "1. Phones");
  CU_ASSERT_STRING_EQUAL(text(t, 1, 1), "2. Segment");
  double phones = fixture_sql(0, EVENTS "WHERE device='mobile'");
  double others = fixture_sql(0, EVENTS "WHERE device<>'mobile'");
  CU_ASSERT_TRUE(phones > 0 && others > 0);
  CU_ASSERT_EQUAL(cell(t, 0, 0), phones);
  CU_ASSERT_EQUAL(cell(t, 1, 0), others);
  CU_ASSERT_EQUAL(rows(part(&a, "funnelVisualization")), 6);
}

static void a_segment_may_be_broken_down(void)
{
  AUTO_ANSWER struct answer a =
      api(0, FUNNEL,
          "{" FEB ",'funnel':{'steps':[{'name':'View'," EVENT(
              "asc_item_pageview") "}]},'funnelBreakdown':{'breakdownDimension':{'name':"
                                   "'deviceCategory'}},'segments':[{'userSegment':{"
                                   "'userInclusionCriteria':{'andConditionGroups':[{" SEEN(
                                       "asc_form_submission") "}]}}}]}",
          NULL);
  const cJSON *t = part(&a, "funnelTable");
  double total =
      fixture_sql(0, EVENTS "WHERE u IN (SELECT u FROM ev WHERE name='asc_form_submission')");
  double sum = 0;
  CU_ASSERT_STRING_EQUAL(text(t, 0, 2), "RESERVED_TOTAL");
  CU_ASSERT_EQUAL(cell(t, 0, 0), total);
  for (int i = 1; i < rows(t); i++)
    sum += cell(t, i, 0);
  CU_ASSERT(rows(t) > 2);
  CU_ASSERT_EQUAL(sum, total);
}

/* "Two filters, both met": in one event never, in one session sometimes, over all sessions more
 * often. */
#define BOTH(scope)                                                                                \
  VIEWS("{'userSegment':{'userInclusionCriteria':{'andConditionGroups':[{'conditionScoping':'"     \
        "USER_CRITERIA_" scope "','segmentFilterExpression':{'andGroup':{'expressions':["          \
        "{'segmentEventFilter':{'eventName':'form_start'}},{'segmentEventFilter':{'eventName':"    \
        "'asc_form_submission'}}]}}}]}}}")

static void the_scope_says_on_how_many_events_a_condition_is_evaluated(void)
{
  AUTO_ANSWER struct answer never = api(0, FUNNEL, BOTH("WITHIN_SAME_EVENT"), NULL);
  double session = viewers(BOTH("WITHIN_SAME_SESSION")),
         user = viewers(BOTH("ACROSS_ALL_SESSIONS"));
  CU_ASSERT_EQUAL(cell(part(&never, "funnelTable"), 0, 0), 0);
  CU_ASSERT_EQUAL(session,
                  fixture_sql(0, EVENTS "WHERE u IN (SELECT u FROM ev WHERE name='form_start' AND "
                                        "sid IN (SELECT sid FROM ev WHERE name="
                                        "'asc_form_submission'))"));
  CU_ASSERT_EQUAL(user, fixture_sql(0, EVENTS
                                    "WHERE u IN (SELECT u FROM ev WHERE name='form_start') AND "
                                    "u IN (SELECT u FROM ev WHERE name='asc_form_submission')"));
  CU_ASSERT(session > 0);
}

static void exclusions_take_out_the_member_or_what_meets_them(void)
{
#define WITHOUT(duration)                                                                          \
  VIEWS("{'userSegment':{'exclusion':{'userExclusionDuration':'USER_EXCLUSION_" duration "',"      \
        "'userExclusionCriteria':{'andConditionGroups':[{'conditionScoping':"                      \
        "'USER_CRITERIA_WITHIN_SAME_SESSION'," SEEN("form_start") "}]}}}}")
  double permanent = viewers(WITHOUT("PERMANENT")), temporary = viewers(WITHOUT("TEMPORARY"));
  CU_ASSERT_EQUAL(permanent, fixture_sql(0, EVENTS "WHERE u NOT IN (SELECT u FROM ev WHERE "
                                                   "name='form_start')"));
  CU_ASSERT_EQUAL(temporary, fixture_sql(0, EVENTS "WHERE sid NOT IN (SELECT sid FROM ev WHERE "
                                                   "name='form_start')"));
  CU_ASSERT(temporary > permanent && permanent > 0);
}

static void sequences_come_one_after_the_other(void)
{
#define THEN(first, second, more)                                                                  \
  VIEWS("{'userSegment':{'userInclusionCriteria':{'andSequenceGroups':[{" more                     \
        "'userSequenceSteps':[{'stepScoping':'USER_CRITERIA_WITHIN_SAME_EVENT'," SEEN(             \
            first) "},{'stepScoping':'USER_CRITERIA_WITHIN_SAME_EVENT'," SEEN(second) "}]}]}}}")
  double after =
      fixture_sql(0, EVENTS "WHERE u IN (SELECT a.u FROM ev a JOIN ev b ON b.u=a.u AND b.at>a.at "
                            "WHERE a.name='form_start' AND b.name='asc_form_submission')");
  double within = fixture_sql(
      0, EVENTS "WHERE u IN (SELECT a.u FROM ev a JOIN ev b ON b.u=a.u AND b.at>a.at AND "
                "b.sid=a.sid WHERE a.name='form_start' AND b.name='asc_form_submission')");
  CU_ASSERT_EQUAL(viewers(THEN("form_start", "asc_form_submission", "")), after);
  CU_ASSERT_EQUAL(viewers(THEN("form_start", "asc_form_submission",
                               "'sequenceScoping':'USER_CRITERIA_WITHIN_SAME_SESSION',")),
                  within);
  CU_ASSERT(within > 0);
}

static void a_filter_at_any_point_in_time_looks_beyond_its_session(void)
{
#define LATER(any)                                                                                 \
  VIEWS("{'sessionSegment':{'sessionInclusionCriteria':{'andConditionGroups':[{"                   \
        "'segmentFilterExpression':{'segmentFilter':{'fieldName':'eventName','stringFilter':{"     \
        "'value':'form_start'},'filterScoping':{'atAnyPointInTime':" any "}}}}]}}}")
  double session =
      fixture_sql(0, EVENTS "WHERE sid IN (SELECT sid FROM ev WHERE name='form_start')");
  double user = fixture_sql(0, EVENTS "WHERE u IN (SELECT u FROM ev WHERE name='form_start')");
  CU_ASSERT_EQUAL(viewers(LATER("false")), session);
  CU_ASSERT_EQUAL(viewers(LATER("true")), user);
  CU_ASSERT(user >= session && session > 0);
}

/* Users with so many page views within some days, or in a session of theirs. */
#define OFTEN(scope, event, filter, days)                                                          \
  VIEWS("{'userSegment':{'userInclusionCriteria':{'andConditionGroups':[{'conditionScoping':'"     \
        "USER_CRITERIA_" scope                                                                     \
        "','segmentFilterExpression':{'segmentEventFilter':{'eventName':'" event                   \
        "','segmentParameterFilterExpression':{'segmentParameterFilter':{"                         \
        "'eventParameterName':'event_count'," filter days "}}}}}]}}}")
#define MORE(n) "'numericFilter':{'operation':'GREATER_THAN','value':{'int64Value':'" n "'}}"
#define IN_DAYS(n) ",'filterScoping':{'inAnyNDayPeriod':'" n "'}"
/* Users by day, with the events of this day and the `before` days before it. */
#define DAILY(before)                                                                              \
  "WITH ev AS (SELECT s.user_id AS u,e.session_id AS sid,e.count AS c,d.day_number AS day,e.name " \
  "FROM events e JOIN sessions s USING(session_id) JOIN days d ON d.date=e.date WHERE "            \
  "e.property_id=@ AND e.date BETWEEN '20260201' AND '20260228'),sums AS (SELECT a.u,a.day,"       \
  "(SELECT SUM(b.c) FROM ev b WHERE b.u=a.u AND b.name='page_view' AND b.day BETWEEN "             \
  "a.day-" before " AND a.day) AS n FROM ev a WHERE a.name='page_view' GROUP BY a.u,a.day) "       \
  "SELECT COUNT(DISTINCT u) FROM ev WHERE name='asc_item_pageview' AND u "

static void events_are_counted_within_any_days_of_the_report(void)
{
  double days[] = {
      viewers(OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("7"), IN_DAYS("1"))),
      viewers(OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("7"), IN_DAYS("5"))),
      viewers(OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("7"), IN_DAYS("400"))),
  };
  CU_ASSERT_EQUAL(days[0], fixture_sql(0, DAILY("0") "IN (SELECT u FROM sums WHERE n>7)"));
  CU_ASSERT_EQUAL(days[1], fixture_sql(0, DAILY("4") "IN (SELECT u FROM sums WHERE n>7)"));
  CU_ASSERT_EQUAL(days[2], fixture_sql(0, DAILY("399") "IN (SELECT u FROM sums WHERE n>7)"));
  CU_ASSERT(days[0] > 0 && days[0] < days[1] && days[1] < days[2]);
  CU_ASSERT_EQUAL(
      viewers(OFTEN("ACROSS_ALL_SESSIONS", "page_view",
                    "'betweenFilter':{'fromValue':{'int64Value':'3'},'toValue':{'doubleValue':4}}",
                    IN_DAYS("28"))),
      fixture_sql(0, DAILY("27") "IN (SELECT u FROM sums WHERE n BETWEEN 3 AND 4)"));
}

static void events_are_counted_within_a_session(void)
{
  double session = viewers(OFTEN("WITHIN_SAME_SESSION", "page_view", MORE("7"), IN_DAYS("3")));
  CU_ASSERT_EQUAL(session, fixture_sql(0, DAILY("0") "IN (SELECT u FROM ev WHERE name='page_view' "
                                                     "GROUP BY sid HAVING SUM(c)>7)"));
  CU_ASSERT(session > 0);
}

/* Joined by and, what is required beside is required of the events that are counted. */
static void counted_events_meet_what_is_required_beside(void)
{
#define NEW_ONES(more)                                                                             \
  VIEWS("{'userSegment':{'userInclusionCriteria':{'andConditionGroups':[{"                         \
        "'segmentFilterExpression':{'segmentEventFilter':{'eventName':'asc_item_pageview',"        \
        "'segmentParameterFilterExpression':" more "}}}]}}}")
#define COUNT_TWO                                                                                  \
  "{'segmentParameterFilter':{'eventParameterName':'event_count'," MORE("1") IN_DAYS("28") "}}"
#define CONDITION                                                                                  \
  "{'segmentParameterFilter':{'eventParameterName':'item_condition','stringFilter':{'value':"      \
  "'new'}}}"
#define OF(condition)                                                                              \
  "WITH ev AS (SELECT s.user_id AS u,e.count AS c,v.item_condition AS k FROM events e JOIN "       \
  "sessions s USING(session_id) LEFT JOIN vehicles v USING(vehicle_id) WHERE e.property_id=@ AND " \
  "e.date BETWEEN '20260201' AND '20260228' AND e.name='asc_item_pageview') "                      \
  "SELECT COUNT(DISTINCT u) FROM ev WHERE u " condition
#define TWICE "(SELECT u FROM ev GROUP BY u HAVING SUM(c)>1)"
#define TWICE_NEW "(SELECT u FROM ev WHERE k='new' GROUP BY u HAVING SUM(c)>1)"
  double both = viewers(NEW_ONES("{'andGroup':{'expressions':[" CONDITION "," COUNT_TWO "]}}"));
  double either = viewers(NEW_ONES("{'orGroup':{'expressions':[" CONDITION "," COUNT_TWO "]}}"));
  double rest = viewers(NEW_ONES("{'notExpression':" COUNT_TWO "}"));
  CU_ASSERT_EQUAL(both, fixture_sql(0, OF("IN " TWICE_NEW)));
  CU_ASSERT_EQUAL(either, fixture_sql(0, OF("IN (SELECT u FROM ev WHERE k='new') OR u IN " TWICE)));
  CU_ASSERT_EQUAL(rest, fixture_sql(0, OF("NOT IN " TWICE)));
  CU_ASSERT(both > 0 && either > both && rest > 0);
}

static void counts_are_checked_and_one_event_happened_once(void)
{
  static const char *const refused[][2] = {
      {OFTEN("WITHIN_SAME_EVENT", "page_view", MORE("1"), IN_DAYS("3")), "across all sessions or"},
      {OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("1"), IN_DAYS("0")), "must be positive"},
      {OFTEN("ACROSS_ALL_SESSIONS", "page_view", "'stringFilter':{'value':'2'}", IN_DAYS("3")),
       "must be a numericFilter or a betweenFilter"},
      {NEW_ONES("{'segmentParameterFilter':{'eventParameterName':'item_condition'," MORE("1")
                    IN_DAYS("3") "}}"),
       "only supported for the event parameter event_count"},
  };
  for (size_t i = 0; i < ARRAY_LEN(refused); i++)
    CU_ASSERT_PTR_NOT_NULL(strstr(api_refusal(0, FUNNEL, refused[i][0], NULL), refused[i][1]));
  CU_ASSERT_EQUAL(viewers(OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("0"), "")),
                  fixture_sql(0, DAILY("0") "IN (SELECT u FROM ev WHERE name='page_view')"));
  AUTO_ANSWER struct answer none =
      api(0, FUNNEL, OFTEN("ACROSS_ALL_SESSIONS", "page_view", MORE("1"), ""), NULL);
  CU_ASSERT_EQUAL(cell(part(&none, "funnelTable"), 0, 0), 0);
}

static void segments_are_checked(void)
{
#define EMPTY "{'userSegment':{}}"
  CU_ASSERT_STRING_EQUAL(api_refusal(0, FUNNEL, VIEWS(EMPTY), NULL),
                         "A segment requires criteria.");
  CU_ASSERT_PTR_NOT_NULL(strstr(api_refusal(0, FUNNEL, VIEWS("{'name':'x'}"), NULL),
                                "A segment requires a userSegment"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(api_refusal(0, FUNNEL, VIEWS(EMPTY "," EMPTY "," EMPTY "," EMPTY "," EMPTY), NULL),
             "limited to 4 segments"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(api_refusal(0, FUNNEL,
                         VIEWS("{'eventSegment':{'eventInclusionCriteria':{'andConditionGroups':[{"
                               "'segmentFilterExpression':{}}]}}}"),
                         NULL),
             "The filter expression is empty."));
}

static void funnels_are_checked(void)
{
  CU_ASSERT_STRING_EQUAL(api_refusal(0, FUNNEL, "{" FEB "}", NULL),
                         "A funnel requires at least one step.");
  CU_ASSERT_STRING_EQUAL(
      api_refusal(0, FUNNEL, "{" FEB ",'funnel':{'steps':[{'name':'x'}]}}", NULL),
      "The filter expression is empty.");
  CU_ASSERT_STRING_EQUAL(api_refusal(0, FUNNEL, PAIR("'withinDurationFromPriorStep':'1h',"), NULL),
                         "Invalid withinDurationFromPriorStep : 1h. A duration is a number of "
                         "seconds followed by s.");
  CU_ASSERT_PTR_NOT_NULL(strstr(
      api_refusal(0, FUNNEL, THREE("", ",'funnelBreakdown':{'breakdownDimension':{'name':'nope'}}"),
                  NULL),
      "Field nope is not a valid dimension."));
}

static void cleanup_last(void)
{
  identity_free();
}

TEST_MAIN("sim_funnel", TEST(a_closed_funnel_counts_users_who_come_through_in_order),
          TEST(an_open_funnel_is_entered_at_any_step), TEST(a_breakdown_divides_each_step),
          TEST(a_breakdown_may_be_made_by_an_expression_and_rows_are_bounded),
          TEST(next_actions_are_the_events_right_after_a_step),
          TEST(trended_funnels_divide_by_day_and_ranges_stay_apart),
          TEST(steps_may_have_to_follow_directly_or_in_time),
          TEST(filters_of_steps_nest_and_know_parameters),
          TEST(each_segment_is_a_funnel_of_its_own), TEST(a_segment_may_be_broken_down),
          TEST(the_scope_says_on_how_many_events_a_condition_is_evaluated),
          TEST(exclusions_take_out_the_member_or_what_meets_them),
          TEST(sequences_come_one_after_the_other),
          TEST(a_filter_at_any_point_in_time_looks_beyond_its_session), TEST(segments_are_checked),
          TEST(events_are_counted_within_any_days_of_the_report),
          TEST(events_are_counted_within_a_session),
          TEST(counted_events_meet_what_is_required_beside),
          TEST(counts_are_checked_and_one_event_happened_once), TEST(funnels_are_checked),
          TEST(cleanup_last))
