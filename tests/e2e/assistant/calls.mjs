// Sloppy calls over all tools: [what, tool, arguments, what is expected, note].
//
// Expected is the request that reaches the service, without the defaults that `plain` adds, or the
// text of the refusal. `note` is what the answer says was read otherwise.
const month = { start_date: '2026-10-01', end_date: '2026-10-31' };
const days28 = { start_date: '28daysAgo', end_date: 'yesterday' };

/** Fills in what a tool does when an argument is not given. */
export const defaults = {
  run_report: { limit: '100' },
  run_report_across_dealers: { limit_per_dealer: 25, pooled_limit: 100 },
  list_dealers: { limit: 100 },
  analyze_vehicle_interest: { limit: 15 },
  vehicle_lead_conversion: { limit: 15 },
  vehicle_movers: { limit: 10 },
  run_realtime_report: { limit: '100' },
  run_conversions_report: { date_ranges: [days28], limit: '100' },
  run_funnel_report: { date_ranges: [days28] },
  search_fields: { limit: 20 },
  compare_trends: { metric: 'leads_per_100_sessions', grain: 'week' },
};

const calls = [];
const report = (what, args, expected, note) => calls.push([what, 'run_report', args, expected, note]);
const across = (what, args, expected, note) => calls.push([what, 'run_report_across_dealers', args, expected, note]);
const compare = (what, args, expected, note) => calls.push([what, 'compare_dealer_sessions', args, expected, note]);
const sessions = { metrics: ['sessions'] };

// Who: every tool that takes a dealer or a property.
const tools = ['run_report', 'get_property_details', 'get_custom_dimensions_and_metrics', 'get_account_summaries',
  'list_google_ads_links', 'list_property_annotations'];
for (const tool of tools) {
  const who = (what, args, expected) => calls.push([what, tool, args, expected]);
  who('plain', { dealer_id: 'd01' }, { dealer_id: 'd01' });
  who('a number for an id', { dealer_id: 7 }, { dealer_id: '7' });
  who('camelCase', { dealerId: 'd01' }, { dealer_id: 'd01' });
  who('kebab-case', { 'dealer-id': 'd01' }, { dealer_id: 'd01' });
  who('capitals', { DEALER_ID: 'd01' }, { dealer_id: 'd01' });
  who('dealer', { dealer: 'd01' }, { dealer_id: 'd01' });
  who('dealer_name', { dealer_name: 'Ford  of Reno ' }, { dealer_id: 'Ford of Reno' });
  who('account_id', { account_id: 'acc-1' }, { dealer_id: 'acc-1' });
  who('accountId', { accountId: 'acc-1' }, { dealer_id: 'acc-1' });
  who('a list of one', { dealer_id: ['d01'] }, { dealer_id: 'd01' });
  who('zero-width marks', { dealer_id: '\u200bd01\ufeff' }, { dealer_id: 'd01' });
  who('full-width digits', { dealer_id: 'd\uff10\uff11' }, { dealer_id: 'd01' });
  who('two dealers', { dealer_id: ['d01', 'd02'] }, /dealer_id: takes one value, got a list of 2/);
  who('two names, two dealers', { dealer: 'd01', dealer_id: 'd02' }, /names dealer_id, which is given as well/);
  who('two names, one dealer', { dealer: 'd01', dealer_id: 'd01' }, { dealer_id: 'd01' });
}
for (const tool of tools.slice(0, 3)) {
  const who = (what, args, expected) => calls.push([what, tool, args, expected]);
  who('digits', { property_id: '213025502' }, { property_id: '213025502' });
  who('a number', { property_id: 213025502 }, { property_id: '213025502' });
  who('properties/N', { property: 'properties/213025502' }, { property_id: '213025502' });
  who('property/N', { propertyId: 'property/213025502' }, { property_id: '213025502' });
  who('Property N', { 'Property ID': 'Property 213025502' }, { property_id: '213025502' });
  who('none beside a dealer', { dealer_id: 'd01', property_id: 'none' }, { dealer_id: 'd01' });
  who('Universal Analytics', { property_id: 'UA-12345-1' }, /Universal Analytics id.*213025502/);
  who('a measurement id', { property_id: 'G-ABC123' }, /measurement id/);
  who('a name', { property_id: 'Ford of Reno' }, /not a GA4 property.*dealer_id/);
}
const now = { dealer: 'd01', metrics: 'activeUsers' };
calls.push(['dealer and one metric', 'run_realtime_report', now, { dealer_id: 'd01', metrics: ['activeUsers'] }]);
calls.push(['dealer and one metric', 'run_conversions_report', { dealer: 'd01', metrics: 'allConversionsByConversionDate' },
  { dealer_id: 'd01', metrics: ['allConversionsByConversionDate'] }]);
calls.push(['conditions and segments of Google as JSON text', 'run_funnel_report', { dealer: 'd01',
  funnel_steps: [{ name: 'New', filter_expression: '{"funnelFieldFilter":{"fieldName":"pagePath","stringFilter":{"matchType":"CONTAINS","value":"/new"}}}' }],
  segments: '[{"name":"Phones","sessionSegment":{"sessionInclusionCriteria":{"andConditionGroups":[{"segmentFilterExpression":{"segmentFilter":{"fieldName":"deviceCategory","stringFilter":{"value":"mobile"}}}}]}}}]' },
{ dealer_id: 'd01', funnel_steps: [{ name: 'New', filter_expression: { funnel_field_filter: { field_name: 'pagePath', string_filter: { match_type: 'CONTAINS', value: '/new' } } } }],
  segments: [{ name: 'Phones', session_segment: { session_inclusion_criteria: { and_condition_groups: [{ segment_filter_expression: { segment_filter: { field_name: 'deviceCategory', string_filter: { value: 'mobile' } } } }] } } }] }]);
calls.push(['one step for a list', 'run_funnel_report', { dealer: 'd01', funnel_steps: { event: 'form_start' } },
  { dealer_id: 'd01', funnel_steps: [{ event: 'form_start' }] }]);
compare('dealer alone is the subject', { dealer: 'd01' }, { subject: 'd01' });
compare('one dealer is compared with its region', { dealer_ids: ['d01'] }, { subject: 'd01' });
compare('one dealer as text', { dealer_ids: 'd01' }, { subject: 'd01' });
compare('one dealer among several', { dealer_ids: ['d01', 'd02'], dealer: 'd01' }, { dealer_ids: ['d01', 'd02'], subject: 'd01' });
compare('commas', { dealers: 'd01, d02' }, { dealer_ids: ['d01', 'd02'] });
compare('JSON text', { dealerIds: '["d01","d02"]' }, { dealer_ids: ['d01', 'd02'] });
compare('single quotes', { dealer_ids: "['d01', 'd02']" }, { dealer_ids: ['d01', 'd02'] });
compare('numbers', { dealer_ids: [1, 2] }, { dealer_ids: ['1', '2'] });
compare('account ids', { account_ids: ['a', 'b'] }, { dealer_ids: ['a', 'b'] });
compare('words for nothing', { subject: 'd01', region: 'null', cohort: '', dealer_ids: [] }, { subject: 'd01' });
compare('cohort_id', { cohort_id: 'west', subject: 'd01' }, { cohort: 'west', subject: 'd01' });
compare('a region with blanks', { region: ' West\u00a0 ' }, { region: 'West' });
compare('two regions', { region: ['West', 'East'] }, /region: takes one value/);
compare('two subjects', { subject: 'd01', dealer_id: 'd02' }, /give one of them/);
compare('an unknown argument', { regoin: 'West' }, /regoin.*region/);
across('dealer', { dealer: 'd01', ...sessions }, { dealer_ids: ['d01'], ...sessions });
across('limit', { region: 'West', ...sessions, limit: '5' }, { region: 'West', ...sessions, limit_per_dealer: 5 });
across('no metrics', { region: 'West', metrics: 'none' }, /metrics: required/);

// Lists and their words.
calls.push(['search', 'list_dealers', { search: 'ford' }, { query: 'ford' }]);
calls.push(['city', 'list_dealers', { city: 'Reno' }, { query: 'Reno' }]);
calls.push(['dealer_name', 'list_dealers', { dealerName: 'Ford of Reno' }, { query: 'Ford of Reno' }]);
calls.push(['a make', 'list_dealers', { make: 'Toyota' }, { query: 'Toyota' }]);
calls.push(['an owner', 'list_dealers', { owner: 'Smith' }, { query: 'Smith' }]);
calls.push(['a property', 'list_dealers', { property_id: 213025502 }, { query: '213025502' }]);
calls.push(['q', 'list_dealers', { q: 'ford' }, { query: 'ford' }]);
calls.push(['two words for the query', 'list_dealers', { make: 'Toyota', city: 'Reno' }, /names query, which is given as well/]);
calls.push(['a group', 'list_cohorts', { group: 'West' }, { query: 'West' }]);
calls.push(['a metric', 'list_metrics', { metric: 'sessions' }, { query: 'sessions' }]);
calls.push(['q', 'get_account_summaries', { q: 'ford' }, { query: 'ford' }]);
calls.push(['a kind in the plural', 'search_fields', { dealer: 'd01', type: 'dimensions', fields: ['city'] }, { dealer_id: 'd01', kind: 'DIMENSION', query: 'city' }]);
calls.push(['a kind that is none', 'search_fields', { dealer: 'd01', kind: 'both' }, /must be one of DIMENSION, METRIC/]);
calls.push(['numbers as text', 'list_dealers', { limit: '5', offset: '10' }, { limit: 5, offset: 10 }]);
calls.push(['null', 'list_dealers', { region: null, query: 'undefined' }, {}]);
calls.push(['a limit in words', 'list_dealers', { limit: 'all' }, /limit/]);
calls.push(['a misspelt argument', 'list_dealers', { limt: 5 }, /limt.*did you mean limit/]);
calls.push(['name', 'list_cohorts', { name: 'west' }, { query: 'west' }]);
calls.push(['region', 'list_cohorts', { region: 'West' }, { query: 'West' }]);
calls.push(['nothing', 'list_cohorts', { query: '' }, {}]);
calls.push(['property', 'get_account_summaries', { search: '213025502' }, { query: '213025502' }]);

calls.push(['words', 'search_fields', { dealer: 'd01', words: 'landing page' }, { dealer_id: 'd01', query: 'landing page' }]);
calls.push(['a kind in small letters', 'search_fields', { dealer: 'd01', kind: 'metric' }, { dealer_id: 'd01', kind: 'METRIC' }]);
calls.push(['type', 'search_fields', { property: '213025502', type: 'Dimension' }, { property_id: '213025502', kind: 'DIMENSION' }]);
calls.push(['custom as a word', 'search_fields', { dealer: 'd01', custom: 'yes' }, { dealer_id: 'd01', custom_only: true }]);
calls.push(['an unknown kind', 'search_fields', { dealer: 'd01', kind: 'segment' }, /kind/]);

// Shapes of values.
report('one metric as text', { metrics: 'sessions' }, { metrics: ['sessions'] });
report('metrics with commas', { metrics: 'sessions,newUsers' }, { metrics: ['sessions', 'newUsers'] });
report('metrics as JSON text', { metrics: '["sessions", "newUsers"]' }, { metrics: ['sessions', 'newUsers'] });
report('a limit as text', { limit: ' 10 ' }, { limit: '10' });
report('a limit in full-width digits', { limit: '\uff15' }, { limit: '5' });
report('a limit with a comma', { limit: '1,000' }, /limit/);
report('a truth value as a word', { return_property_quota: 'Yes' }, { return_property_quota: true });
report('a truth value as a number', { returnPropertyQuota: 1 }, { return_property_quota: true });
report('no truth value', { return_property_quota: 'perhaps' }, /return_property_quota/);
report('lists of nothing', { metrics: ['sessions'], dimensions: [null], order_bys: ['none'] }, { metrics: ['sessions'] });
report('a null in a list', { metrics: ['sessions', null] }, /metrics\[1\]/);
report('an object with an expression for a metric', { metrics: [{ name: 'rate', expression: 'a/b' }] }, /metrics\[0\]/);
report('fields as Google has them', { metrics: [{ name: 'sessions' }, { name: 'users' }], dimensions: { name: 'City' } },
  { metrics: ['sessions', 'totalUsers'], dimensions: ['city'] }, 'users read as totalUsers');
report('the singular of a list', { metric: 'sessions', dimension: 'city' }, { metrics: ['sessions'], dimensions: ['city'] });
report('the singular beside the list', { metric: 'sessions', metrics: ['totalUsers'] }, /names metrics, which is given as well/);
report('a dealer as an object', { dealer: { id: 'd01' }, metrics: ['sessions'] }, { dealer_id: 'd01', metrics: ['sessions'] });
report('a dealer by name as an object', { dealer_id: { name: 'Ford of Reno' }, metrics: ['sessions'] }, { dealer_id: 'Ford of Reno', metrics: ['sessions'] });
report('a dealer as an object of two', { dealer: { id: 'd01', name: 'Ford of Reno' } }, /dealer_id/);
report('a list of one dealer', { dealer_ids: ['d01'], metrics: ['sessions'] }, { dealer_id: 'd01', metrics: ['sessions'] });
report('two dealers where one is asked for', { dealers: ['d01', 'd02'] }, /takes one value, got a list of 2/);
report('subject', { subject: 'd01', metrics: ['sessions'] }, { dealer_id: 'd01', metrics: ['sessions'] });
report('one day as date', { metrics: ['sessions'], date: 'yesterday' }, { metrics: ['sessions'], date_ranges: [{ start_date: 'yesterday', end_date: 'yesterday' }] });

// Dates that do not move with the day.
const over = (what, value, range, note) => {
  const refused = range instanceof RegExp;
  compare(what, { date_range: value }, refused ? range : { date_range: range }, note);
  report(what, { date_ranges: value }, refused ? range : { date_ranges: [range] }, note);
};
over('a month', '2026-10', month, '"2026-10" read as 2026-10-01 to 2026-10-31');
over('a month by name', 'October 2026', month, '"October 2026" read as 2026-10-01 to 2026-10-31');
over('a short month', 'oct 2026', month, '"oct 2026" read as 2026-10-01 to 2026-10-31');
over('a month as start', { start_date: '2026-10' }, month, '"2026-10" read as 2026-10-01 to 2026-10-31');
over('a quarter', '2026-Q3', { start_date: '2026-07-01', end_date: '2026-09-30' }, '"2026-Q3" read as 2026-07-01 to 2026-09-30');
over('a quarter first', 'Q3 2026', { start_date: '2026-07-01', end_date: '2026-09-30' }, '"Q3 2026" read as 2026-07-01 to 2026-09-30');
over('a year', '2025', { start_date: '2025-01-01', end_date: '2025-12-31' }, '"2025" read as 2025-01-01 to 2025-12-31');
over('an ISO week', '2026-W47', { start_date: '2026-11-16', end_date: '2026-11-22' }, '"2026-W47" read as 2026-11-16 to 2026-11-22');
over('the last 7 days', 'last 7 days', { start_date: '7daysAgo', end_date: 'yesterday' }, '"last 7 days" read as 7daysAgo to yesterday');
over('snake_case', 'LAST_28_DAYS', days28, '"LAST_28_DAYS" read as 28daysAgo to yesterday');
over('two days with to', '2026-10-01 to 2026-10-31', month);
over('two days with dots', '2026-10-01..2026-10-31', month);
over('an ISO interval', '2026-10-01/2026-10-31', month);
over('from and to in words', 'from 2026-10-01 to 2026-10-31', month);
over('between', 'Between 2026-10-01 and 2026-10-31', month);
over('a number in words', 'last seven days', { start_date: '7daysAgo', end_date: 'yesterday' }, '"last seven days" read as 7daysAgo to yesterday');
over('a day of the week', { start_date: 'Monday', end_date: 'today' }, /"Monday" is not a date: give the day itself;.*today is/);
over('one day', '2026-10-05', { start_date: '2026-10-05', end_date: '2026-10-05' });
over('capitals', { start_date: '28DAYSAGO', end_date: 'Yesterday' }, days28);
over('words', { start_date: '28 days ago', end_date: 'YESTERDAY' }, days28);
over('startDate', { startDate: '20261001', endDate: 20261031 }, month);
over('from and to', { from: '2026-10-01', to: '2026-10-31' }, month);
over('JSON text', '{"start_date":"2026-10-01","end_date":"2026-10-31"}', month);
over('a time of the day', { start_date: '2026-10-01T00:00:00Z', end_date: '2026-10-31' }, month);
over('a long date', { start_date: 'October 1, 2026', end_date: '31st of October 2026' }, month);
over('the only order', { start_date: '2026-10-01', end_date: '31/10/2026' }, month, 'end_date "31/10/2026" read as 2026-10-31');
over('an open order', { start_date: '05/06/2026', end_date: 'today' }, /start_date: "05\/06\/2026" is not a date: it may be 2026-05-06 or 2026-06-05.*today is/);
over('two digits of a year', { start_date: '1/2/26', end_date: 'today' }, /four digits/);
over('no such day', { start_date: '2026-02-30', end_date: 'today' }, /"2026-02-30" is not a date: no such day.*YYYY-MM-DD.*today is/);
over('a coming period', 'next month', /"next month" is not a date.*today is/);
over('a misspelt period', 'last mnth', /did you mean "last month"\?/);
over('a month without year', 'October', /give the year as well/);
over('a period and a day', { start_date: 'last month', end_date: 'yesterday' }, /start_date: "last month" is a whole period.*today is/);
over('one day or the days since', '28daysAgo', /"28daysAgo" is one day/);
compare('days beside the others', { subject: 'd01', start_date: '2026-10-01', end_date: '2026-10-31' }, { subject: 'd01', date_range: month });
compare('period', { period: '2026-10' }, { date_range: month }, '"2026-10" read as 2026-10-01 to 2026-10-31');
compare('a list of two days', { date_range: ['2026-10-01', '2026-10-31'] }, { date_range: month });
report('two periods', { date_ranges: ['2026-10', '2025-10'] }, { date_ranges: [month, { start_date: '2025-10-01', end_date: '2025-10-31' }] }, '"2025-10" read as 2025-10-01 to 2025-10-31');

// Names of dimensions and metrics, for both tools that take them.
for (const call of [report, across]) {
  const metric = (given, expected, note) => call(`metric ${given}`, { metrics: [given] }, expected instanceof RegExp ? expected : { metrics: [expected] }, note);
  const dimension = (given, expected, note) => call(`dimension ${given}`, { ...sessions, dimensions: [given] }, expected instanceof RegExp ? expected : { ...sessions, dimensions: [expected] }, note);
  metric('engaged_sessions', 'engagedSessions');
  metric('Engagement rate', 'engagementRate');
  metric('Views', 'screenPageViews');
  metric('users', 'totalUsers', 'users read as totalUsers');
  metric('ga:pageviews', 'screenPageViews', 'ga:pageviews read as screenPageViews');
  metric('avgSessionDuration', 'averageSessionDuration', 'avgSessionDuration read as averageSessionDuration');
  metric('goalCompletionsAll', 'keyEvents', 'goalCompletionsAll read as keyEvents');
  metric('conversions', 'keyEvents', 'conversions read as keyEvents');
  metric('keyEvents:Form_Submit', 'keyEvents:Form_Submit');
  metric('sesions', 'sesions');
  metric('bounces', /Universal Analytics.*bounceRate/);
  metric('uniquePageviews', /Universal Analytics.*pagePath/);
  metric('goal3Completions', /keyEvents:NAME/);
  dimension('session_default_channel_group', 'sessionDefaultChannelGroup');
  dimension('Device category', 'deviceCategory');
  dimension('Session source / medium', 'sessionSourceMedium');
  dimension('channelGrouping', 'sessionDefaultChannelGroup', 'channelGrouping read as sessionDefaultChannelGroup');
  dimension('ga:medium', 'sessionMedium', 'ga:medium read as sessionMedium');
  dimension('landingPagePath', 'landingPagePlusQueryString', 'landingPagePath read as landingPagePlusQueryString');
  dimension('customevent:item_make', 'customEvent:item_make');
  dimension('eventCategory', /Universal Analytics.*customEvent:event_category/);
  dimension('dimension1', /get_custom_dimensions_and_metrics/);

  // Filters.
  const where = (what, filter, expected, note) => call(what, { ...sessions, dimension_filter: filter }, expected instanceof RegExp ? expected : { ...sessions, dimension_filter: expected }, note);
  const having = (what, filter, expected) => call(what, { ...sessions, metric_filter: filter }, expected instanceof RegExp ? expected : { ...sessions, metric_filter: expected });
  const text = (field_name, value, match_type) => ({ filter: { field_name, string_filter: { ...(match_type ? { match_type } : {}), value } } });
  const list = (field_name, values) => ({ filter: { field_name, in_list_filter: { values } } });
  const number = (field_name, operation, int64_value) => ({ filter: { field_name, numeric_filter: { operation, value: { int64_value } } } });
  const and = (...expressions) => ({ and_group: { expressions } });
  const or = (...expressions) => ({ or_group: { expressions } });
  where('a condition', { field: 'city', match: 'CONTAINS', value: 'port' }, text('city', 'port', 'CONTAINS'));
  where('without a match', { field: 'city', value: 'Reno' }, text('city', 'Reno'));
  where('a map', { city: 'Reno' }, text('city', 'Reno'));
  where('a map of two', { city: 'Reno', deviceCategory: ['mobile', 'tablet'] }, and(text('city', 'Reno'), list('deviceCategory', ['mobile', 'tablet'])));
  where('blanks of a value are kept', { city: ' Reno ' }, text('city', ' Reno '));
  where('fieldName', { fieldName: 'city', stringFilter: { matchType: 'exact', value: 'Reno' } }, text('city', 'Reno', 'EXACT'));
  where('an enum as a number', { filter: { fieldName: 'city', stringFilter: { matchType: 4, value: 'Reno' } } }, text('city', 'Reno', 'CONTAINS'));
  where('filter_expression', { filter_expression: { filter: { field_name: 'city', string_filter: { value: 'Reno' } } } }, text('city', 'Reno'));
  where('JSON text', '{"city":"Reno"}', text('city', 'Reno'));
  where('and', { and: [{ city: 'Reno' }, { field: 'deviceCategory', match: 'in', values: ['mobile'] }] }, and(text('city', 'Reno'), list('deviceCategory', ['mobile'])));
  where('or inside not inside and', { and: [{ not: { or: [{ city: 'a' }, { city: 'b' }] } }] }, and({ not_expression: or(text('city', 'a'), text('city', 'b')) }));
  where('not equal', { city: { '!=': 'Reno' } }, { not_expression: text('city', 'Reno', 'EXACT') });
  where('empty', { field: 'city', match: 'EMPTY' }, { filter: { field_name: 'city', empty_filter: {} } });
  where('several texts in one', { field: 'city', operator: 'in', value: 'Reno,Sparks' }, /give values as a list, \["Reno","Sparks"\]/);
  where('several values in one', { field: 'city', values: 'Reno,Sparks' }, /give values as a list/);
  where('a list as JSON text', { field: 'city', match: 'in', value: '["Reno","Sparks"]' }, list('city', ['Reno', 'Sparks']));
  where('a comma in a value', { field: 'city', value: 'Reno, Nevada' }, text('city', 'Reno, Nevada'));
  where('a comma in a list', { field: 'city', match: 'in', values: ['Reno, Nevada'] }, list('city', ['Reno, Nevada']));
  where('an old name', { channelGrouping: 'Direct' }, text('sessionDefaultChannelGroup', 'Direct'), 'channelGrouping read as sessionDefaultChannelGroup');
  where('conditions of the schema', { join: 'or', conditions: [{ field: 'city', match: 'CONTAINS', values: ['port'] }, { field: 'deviceCategory', values: ['mobile', 'tablet'], not: true }] },
    or(text('city', 'port', 'CONTAINS'), { not_expression: list('deviceCategory', ['mobile', 'tablet']) }));
  where('one condition needs no join', { conditions: [{ field: 'city', values: ['Reno'] }] }, text('city', 'Reno'));
  where('one condition outside the list', { conditions: { field: 'city', values: ['Reno'] }, join: 'AND' }, and(text('city', 'Reno')));
  where('conditions without a join', { conditions: [{ city: 'a' }, { city: 'b' }] }, /join.*must be and or or/);
  where('another join', { join: 'xor', conditions: [{ city: 'a' }, { city: 'b' }] }, /join.*must be and or or/);
  where('not beside a join', { and: [{ city: 'a' }, { city: 'b' }], not: 'true' }, { not_expression: and(text('city', 'a'), text('city', 'b')) });
  where('not that is false', { field: 'city', values: ['Reno'], not: false }, text('city', 'Reno'));
  where('a list', [{ city: 'a' }, { city: 'b' }], /is a list: say how/);
  where('a text', 'city = Reno', /is a text: give a condition/);
  where('a regular expression', { field: 'city', match: 'regex', value: 'R.*' }, /FULL_REGEXP or PARTIAL_REGEXP/);
  where('an unknown match', { field: 'city', match: 'LIKE', value: 'x' }, /not known.*CONTAINS/);
  where('and beside or', { and: [{ city: 'a' }], or: [{ city: 'b' }] }, /side by side/);
  having('a number', { field: 'sessions', match: 'GREATER_THAN', value: 10 }, number('sessions', 'GREATER_THAN', '10'));
  having('a sign', { sessions: { '>': '10' } }, number('sessions', 'GREATER_THAN', '10'));
  having('Google form with numbers', { filter: { fieldName: 'sessions', numericFilter: { operation: 'LESS_THAN', value: { int64Value: 5 } } } }, number('sessions', 'LESS_THAN', '5'));
  having('a comma', { sessions: { '>': '1,000' } }, /digits alone/);
}

// Sort orders.
const by = (what, order_bys, expected) => report(what, { ...sessions, order_bys }, expected instanceof RegExp ? expected : { ...sessions, order_bys: expected });
const descending = [{ metric: { metric_name: 'sessions' }, desc: true }];
by('a condition', [{ field: 'sessions', desc: true }], descending);
by('a minus', '-sessions', descending);
by('words', ['sessions desc'], descending);
by('a map', { sessions: 'desc' }, descending);
by('metric', [{ metric: 'Sessions', order: 'descending' }], descending);
by('Google form', [{ metric: { metricName: 'sessions' }, desc: 'true' }], descending);
by('a dimension', [{ field: 'date' }], [{ dimension: { dimension_name: 'date' } }]);
by('several in one text', 'sessions DESC, city ASC', [...descending, { dimension: { dimension_name: 'city' } }]);
by('several in one item', ['sessions desc, city'], /order_bys\[0\]: one item sorts by one field/);
by('a direction alone', ['sessions', 'desc'], /order_bys\[1\]: the field is missing/);
by('another pair', [{ sessions: -1 }], /order_bys\[0\].sessions: not part of a sort order; a sort order is/);
by('a list in the list', [['sessions', 'desc']], /order_bys\[0\]: is neither a text nor an object/);
by('an open direction', [{ field: 'sessions', direction: 'best' }], /asc or desc/);

// Questions about one dealer against the others.
for (const tool of ['compare_traffic_sources', 'compare_landing_pages', 'explain_change']) {
  const ask = (what, args, expected) => calls.push([what, tool, args, expected]);
  ask('dealer', { dealer: 'd01' }, { subject: 'd01' });
  ask('a list of one', { dealer_ids: ['d01'], region: ' West ' }, { subject: 'd01', region: 'West' });
  ask('two days', { subject: 'd01', date_range: '2026-10-01 to 2026-10-31' }, { subject: 'd01', date_range: month });
  ask('nobody', {}, /subject/);
}

// Vehicles and the list of metrics.
for (const tool of ['analyze_vehicle_interest', 'vehicle_lead_conversion', 'vehicle_movers']) {
  const ask = (what, args, expected) => calls.push([what, tool, args, expected]);
  ask('dealer', { dealer: 'd01' }, { dealer_ids: ['d01'] });
  ask('JSON text', { dealerIds: '["d01","d02"]', limit: '5' }, { dealer_ids: ['d01', 'd02'], limit: 5 });
  ask('two days', { region: ' West ', date_range: '2026-10-01 to 2026-10-31' }, { region: 'West', date_range: month });
  ask('an open date', { date_range: { start_date: '05/06/2026', end_date: 'today' } }, /it may be/);
}
// One dealer against the others: any name of a dealer is the subject.
for (const tool of ['benchmark_dealer', 'compare_trends', 'compare_traffic_sources', 'compare_landing_pages', 'explain_change']) {
  const one = (what, args, expected, note) => calls.push([what, tool, args, expected, note]);
  one('dealer', { dealer: 'd01' }, { subject: 'd01' });
  one('dealer_id and a number', { dealerId: 7 }, { subject: '7' });
  one('a name and blanks', { dealer_name: ' Ford  of Reno' }, { subject: 'Ford of Reno' });
  one('a list of one', { subject: ['d01'] }, { subject: 'd01' });
  one('two dealers', { subject: ['d01', 'd02'] }, /subject: takes one value, got a list of 2/);
  one('a month and no region', { subject: 'd01', region: 'null', date_range: 'October 2026' }, { subject: 'd01', date_range: month },
    '"October 2026" read as 2026-10-01 to 2026-10-31');
}
// Fields that take one of a few words.
const words = (what, tool, args, expected) => calls.push([what, tool, { subject: 'd01', ...args }, { subject: 'd01', ...expected }]);
words('words of several parts', 'compare_trends', { metric: 'Leads per 100 sessions', granularity: 'MONTH' }, { metric: 'leads_per_100_sessions', grain: 'month' });
words('a hyphen', 'compare_trends', { metric: 'engagement-rate' }, { metric: 'engagement_rate' });
words('a word with a capital', 'explain_change', { metric: 'Sessions', compare_with: 'Previous year' }, { metric: 'sessions', compare_with: 'previous_year' });
words('camelCase', 'explain_change', { compare_with: 'previousPeriod' }, { compare_with: 'previous_period' });
words('a slash', 'compare_traffic_sources', { by: 'Source / Medium' }, { by: 'source_medium' });
words('a capital', 'compare_landing_pages', { expected_from: ' Region ' }, { expected_from: 'region' });
words('capitals', 'compare_dealer_sessions', { detail: 'ALL' }, { detail: 'all' });
words('another word is the service\'s to refuse', 'compare_trends', { metric: 'bounce rate' }, { metric: 'bounce_rate' });
calls.push(['other names', 'run_funnel_report', { dealer: 'd01', steps: { event_name: 'form_start' }, breakdown: { breakdown_dimension: 'city' } },
  { dealer_id: 'd01', funnel_steps: [{ event: 'form_start' }], funnel_breakdown: { breakdown_dimension: 'city' } }]);
// Tools that are listed only where they are asked for.
for (const tool of ['get_property_quotas', 'list_data_streams', 'list_key_events']) {
  calls.push(['dealer', tool, { dealer: 'd01' }, { dealer_id: 'd01' }]);
  calls.push(['properties/N', tool, { property: 'properties/213025502' }, { property_id: '213025502' }]);
}
calls.push(['text for lists', 'check_compatibility', { dealer: 'd01', dimensions: 'city', metrics: 'sessions' },
  { dealer_id: 'd01', dimensions: ['city'], metrics: ['sessions'] }]);
calls.push(['one report for a list', 'batch_run_reports', { dealer: 'd01', requests: { metrics: 'sessions' } },
  { dealer_id: 'd01', requests: [{ metrics: ['sessions'], limit: '100' }] }]);
calls.push(['a pivot for a list', 'run_pivot_report', { dealer: 'd01', dimensions: 'city', metrics: 'sessions', pivots: { field_names: 'city', limit: '5' } },
  { dealer_id: 'd01', dimensions: ['city'], metrics: ['sessions'], pivots: [{ field_names: ['city'], limit: '5' }] }]);
calls.push(['one dealer for a list', 'check_data_health', { dealer: 'd01' }, { dealer_ids: ['d01'] }]);
calls.push(['a month', 'check_data_health', { region: 'West', date_range: '2026-10' }, { region: 'West', date_range: month },
  '"2026-10" read as 2026-10-01 to 2026-10-31']);

calls.push(['camelCase and text', 'get_service_status', { problemsOnly: true, limit: '20' }, { problems_only: true, limit: 20 }]);

calls.push(['nothing', 'list_metrics', { query: 'none' }, {}]);
calls.push(['a list of one', 'list_metrics', { QUERY: ['lead'] }, { query: 'lead' }]);

export { calls };
