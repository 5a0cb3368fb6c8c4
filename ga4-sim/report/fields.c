/* The field catalogue. Names, display names, types and meaning follow Google's
 * published schema of the Data API. */
#include "ga4-sim/report/fields.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

#define EV NEED_EVENTS

const struct dimension_field dimension_fields_all[] = {
    {"browser", "Browser", "Platform / Device", "The browsers used to view your website.", NULL, 0,
     "s.browser"},
    {"city", "City", "Geography", "The city from which the user activity originated.", NULL, 0,
     "s.city"},
    {"country", "Country", "Geography", "The country from which the user activity originated.",
     NULL, 0, "s.country"},
    {"date", "Date", "Time", "The date of the event, formatted as YYYYMMDD.", NULL, 0, "s.date"},
    {"dateHour", "Date + hour (YYYYMMDDHH)", "Time",
     "The combined values of date and hour formatted as YYYYMMDDHH.", NULL, EV,
     "e.date||printf('%02d',e.hour)"},
    {"day", "Day", "Time", "The day of the month, a two-digit number from 01 to 31.", NULL,
     NEED_DAYS, "d.day"},
    {"dayOfWeek", "Day of week", "Time",
     "The integer day of the week. It returns values in the range 0 to 6 with Sunday as the first "
     "day of the week.",
     "dayOfWeekZero", NEED_DAYS, "d.day_of_week"},
    {"dayOfWeekName", "Day of week name", "Time", "The day of the week in English.", NULL,
     NEED_DAYS, "d.day_of_week_name"},
    {"deviceCategory", "Device category", "Platform / Device",
     "The type of device: Desktop, Tablet, or Mobile.", NULL, 0, "s.device"},
    {"eventName", "Event name", "Event", "The name of the event.", NULL, EV, "e.name"},
    {"hostName", "Hostname", "Page / Screen", "Includes the subdomain and domain names of a URL.",
     NULL, 0, "(SELECT host FROM properties WHERE property_id=s.property_id)"},
    {"hour", "Hour", "Time",
     "The two-digit hour of the day that the event was logged. This dimension ranges from 0-23.",
     NULL, EV, "printf('%02d',e.hour)"},
    {"isKeyEvent", "Is key event", "Event", "The string true if the event is a key event.",
     "isConversionEvent", EV | NEED_KEYS, "CASE WHEN k.name IS NULL THEN 'false' ELSE 'true' END"},
    {"isoWeek", "ISO week of the year", "Time",
     "ISO week number, where each week starts on Monday.", NULL, NEED_DAYS, "d.iso_week"},
    {"isoYear", "ISO year", "Time", "The ISO year of the event.", NULL, NEED_DAYS, "d.iso_year"},
    {"isoYearIsoWeek", "ISO week of ISO year", "Time",
     "The combined values of isoWeek and isoYear.", NULL, NEED_DAYS, "d.iso_year_iso_week"},
    {"landingPage", "Landing page", "Page / Screen",
     "The page path associated with the first pageview in a session.", NULL, 0, "s.landing_page"},
    {"landingPagePlusQueryString", "Landing page + query string", "Page / Screen",
     "The page path + query string associated with the first pageview in a session.", NULL, 0,
     "s.landing_page||CASE WHEN substr(s.landing_page,1,1)='/' THEN s.landing_query ELSE '' END"},
    {"month", "Month", "Time", "The month of the event, a two digit integer from 01 to 12.", NULL,
     NEED_DAYS, "d.month"},
    {"newVsReturning", "New / returning", "User",
     "New users have 0 previous sessions, and returning users have 1 or more previous sessions.",
     NULL, 0, "CASE s.is_new WHEN 1 THEN 'new' ELSE 'returning' END"},
    {"nthDay", "Nth day", "Time", "The number of days since the start of the date range.", NULL,
     NEED_DAYS, "printf('%04d',d.day_number-@start_day)"},
    {"operatingSystem", "Operating system", "Platform / Device",
     "The operating systems used by visitors to your app or website.", NULL, 0,
     "s.operating_system"},
    {"pagePath", "Page path", "Page / Screen",
     "The portion of the URL between the hostname and query string for web pages visited.", NULL,
     EV | NEED_PAGES, "COALESCE(p.path,'(not set)')"},
    {"pageTitle", "Page title", "Page / Screen", "The web page titles used on your site.", NULL,
     EV | NEED_PAGES, "COALESCE(p.title,'(not set)')"},
    {"platform", "Platform", "Platform / Device", "The platform on which your app or website ran.",
     NULL, 0, "'web'"},
    {"region", "Region", "Geography",
     "The geographic region from which the user activity originated, derived from their IP "
     "address.",
     NULL, 0, "s.state"},
    {"sessionCampaignName", "Session campaign", "Traffic source",
     "The marketing campaign name for a session.", NULL, 0, "s.campaign"},
    {"sessionDefaultChannelGroup", "Session default channel group", "Traffic source",
     "The session's default channel group is based primarily on source and medium.",
     "sessionDefaultChannelGrouping", 0, "s.channel"},
    {"sessionMedium", "Session medium", "Traffic source",
     "The medium that initiated a session on your website or app.", NULL, 0, "s.medium"},
    {"sessionSource", "Session source", "Traffic source",
     "The source that initiated a session on your website or app.", NULL, 0, "s.source"},
    {"sessionSourceMedium", "Session source / medium", "Traffic source",
     "The combined values of the dimensions sessionSource and sessionMedium.", NULL, 0,
     "s.source||' / '||s.medium"},
    {"week", "Week", "Time",
     "The week of the event, a two-digit number from 01 to 53. Each week starts on Sunday. January "
     "1st is always in week 01.",
     NULL, NEED_DAYS, "d.week"},
    {"year", "Year", "Time", "The four-digit year of the event.", NULL, NEED_DAYS, "d.year"},
    {"yearMonth", "Year month", "Time", "The combined values of year and month.", NULL, NEED_DAYS,
     "d.year_month"},
    {"yearWeek", "Year week", "Time", "The combined values of year and week.", NULL, NEED_DAYS,
     "d.year_week"},
};
const size_t dimension_field_count = ARRAY_LEN(dimension_fields_all);

#define RATIO(a, b) "COALESCE(CAST(" a " AS REAL)/NULLIF(" b ",0),0.0)"

const struct metric_field metric_fields_all[] = {
    {"activeUsers", "Active users", "User",
     "The number of distinct users who visited your site or app.", NULL, METRIC_TYPE_INTEGER,
     "n_active"},
    {"averageSessionDuration", "Average session duration", "Session",
     "The average duration (in seconds) of users' sessions.", NULL, METRIC_TYPE_SECONDS,
     RATIO("sum_duration", "n_sessions")},
    {"bounceRate", "Bounce rate", "Session",
     "The percentage of sessions that were not engaged ((Sessions Minus Engaged sessions) divided "
     "by Sessions).",
     NULL, METRIC_TYPE_FLOAT, RATIO("(n_sessions-n_engaged)", "n_sessions")},
    {"engagedSessions", "Engaged sessions", "Session",
     "The number of sessions that lasted longer than 10 seconds, or had a key event, or had 2 or "
     "more screen views.",
     NULL, METRIC_TYPE_INTEGER, "n_engaged"},
    {"engagementRate", "Engagement rate", "Session",
     "The percentage of engaged sessions (Engaged sessions divided by Sessions).", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_engaged", "n_sessions")},
    {"eventCount", "Event count", "Event", "The count of events.", NULL, METRIC_TYPE_INTEGER,
     "n_events"},
    {"eventCountPerUser", "Event count per user", "Event",
     "The average number of events per user (Event count divided by Active users).", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_events", "n_active")},
    {"eventsPerSession", "Events per session", "Event",
     "The average number of events per session (Event count divided by Sessions).", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_events", "n_sessions")},
    {"keyEvents", "Key events", "Event", "The count of key events.", "conversions",
     METRIC_TYPE_FLOAT, "CAST(n_key AS REAL)"},
    {"newUsers", "New users", "User",
     "The number of users who interacted with your site or launched your app for the first time.",
     NULL, METRIC_TYPE_INTEGER, "n_new"},
    {"screenPageViews", "Views", "Page / Screen",
     "The number of app screens or web pages your users viewed.", NULL, METRIC_TYPE_INTEGER,
     "n_views"},
    {"screenPageViewsPerSession", "Views per session", "Page / Screen",
     "The number of app screens or web pages your users viewed per session.", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_views", "n_sessions")},
    {"screenPageViewsPerUser", "Views per active user", "Page / Screen",
     "The number of app screens or web pages your users viewed per active user.", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_views", "n_active")},
    {"sessionKeyEventRate", "Session key event rate", "Session",
     "The percentage of sessions in which any key event was triggered.", "sessionConversionRate",
     METRIC_TYPE_FLOAT, RATIO("n_key_sessions", "n_sessions")},
    {"sessions", "Sessions", "Session", "The number of sessions that began on your site or app.",
     NULL, METRIC_TYPE_INTEGER, "n_sessions"},
    {"sessionsPerUser", "Sessions per active user", "Session",
     "The average number of sessions per user (Session count divided by Active Users).", NULL,
     METRIC_TYPE_FLOAT, RATIO("n_sessions", "n_active")},
    {"totalUsers", "Total users", "User",
     "The number of distinct users who have logged at least one event.", NULL, METRIC_TYPE_INTEGER,
     "n_users"},
    {"userEngagementDuration", "User engagement", "User",
     "The total amount of time (in seconds) your website or app was in the foreground of users' "
     "devices.",
     NULL, METRIC_TYPE_SECONDS, "CAST(sum_engagement AS REAL)"},
    {"userKeyEventRate", "User key event rate", "User",
     "The percentage of users who triggered any key event.", "userConversionRate",
     METRIC_TYPE_FLOAT, RATIO("n_key_users", "n_active")},
};
const size_t metric_field_count = ARRAY_LEN(metric_fields_all);

const struct dimension_field *dimension_field_find(const char *name)
{
  for (size_t i = 0; i < dimension_field_count; i++) {
    const struct dimension_field *f = &dimension_fields_all[i];
    if (strcmp(f->api_name, name) == 0 ||
        (f->deprecated != NULL && strcmp(f->deprecated, name) == 0))
      return f;
  }
  return NULL;
}

const struct metric_field *metric_field_find(const char *name)
{
  for (size_t i = 0; i < metric_field_count; i++) {
    const struct metric_field *f = &metric_fields_all[i];
    if (strcmp(f->api_name, name) == 0 ||
        (f->deprecated != NULL && strcmp(f->deprecated, name) == 0))
      return f;
  }
  return NULL;
}

bool dimension_custom_sql(const struct world_property *p, const char *name, struct buf *sql,
                          unsigned *needs)
{
  static const char prefix[] = "customEvent:";
  if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
    return false;
  const char *parameter = name + sizeof(prefix) - 1;
  if (!world_has_dimension(p, parameter))
    return false;
  *needs |= NEED_EVENTS;
  /* An event without the parameter reads "(not set)". */
  if (strcmp(parameter, "department") == 0)
    return buf_puts(sql, "COALESCE(e.department,'(not set)')");
  if (strcmp(parameter, "page_type") == 0) {
    *needs |= NEED_PAGES;
    return buf_puts(sql, "COALESCE(CASE WHEN substr(e.name,1,4)='asc_' THEN p.page_type END,"
                         "'(not set)')");
  }
  *needs |= NEED_VEHICLES;
  return buf_printf(sql, "COALESCE(v.%s,'(not set)')", parameter);
}

/* Levenshtein distance, given up above 3. */
static unsigned distance(const char *a, const char *b)
{
  enum { MAX = 48 };
  size_t n = strlen(a), m = strlen(b);
  if (n > MAX || m > MAX)
    return 99;
  unsigned row[MAX + 1];
  for (size_t j = 0; j <= m; j++)
    row[j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[m];
}

const char *field_suggestion(const char *name, bool metric)
{
  const char *best = NULL;
  unsigned nearest = 3; /* at most two letters off */
  size_t n = metric ? metric_field_count : dimension_field_count;
  for (size_t i = 0; i < n; i++) {
    const char *candidate =
        metric ? metric_fields_all[i].api_name : dimension_fields_all[i].api_name;
    unsigned d = strcasecmp(candidate, name) == 0 ? 0 : distance(candidate, name);
    if (d < nearest) {
      nearest = d;
      best = candidate;
    }
  }
  return best;
}
