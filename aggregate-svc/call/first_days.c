/* The first days of dealers without data in the period. */
#include "aggregate-svc/call/first_days.h"

#include "common/base/clock.h"

static bool wanted(const void *question, size_t member)
{
  const struct first_days_question *q = question;
  return q->cohort->members[member].state == DEALER_OK && presence_lacks(q->presence, member);
}

static void answered(const void *question, size_t member, const ProtobufCMessage *response)
{
  const struct first_days_question *q = question;
  const char *date = ((const Analytics__Report__V1__GetFirstDateResponse *)response)->first_date;
  int64_t day;
  if (date[0] == '\0')
    q->cohort->members[member].first_day = COHORT_NO_DATA;
  else if (clock_parse_date(date, &day) && day > q->last)
    q->cohort->members[member].first_day = day;
}

const struct lookup_kind first_days_lookup = {
    .method = "GetFirstDate", .wanted = wanted, .answered = answered};
