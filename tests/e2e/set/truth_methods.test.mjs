// The methods beside reports for random dealers and questions: our tool, Google's Node clients on the same
// simulator and plain SQL over its world agree. AMCP_TRUTH_CALLS sets how many calls of each (15 without it,
// 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { draws } from './draws.mjs';
import { googleClients, rowsOf } from './google.mjs';
import { Mcp } from './mcp.mjs';
import { compact, startOverWorld } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const TODAY = '2026-03-15', MINUTE = 12 * 60 + 30; // where the simulator stands on a day that is not now
let s, client, world, googleOf;

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0 }, gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  googleOf = googleClients(s.set);
});
after(() => s?.stop());

const { pick, some } = draws(Number(process.env.SEED ?? 23));
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).toSorted();

/** Runs `fn(dealer, property, google, where)` for random dealers. */
async function times(fn) {
  for (let i = 0; i < CALLS; i++) {
    const d = world.dealers[pick(world.dealers.length)];
    await fn(d, `properties/${d.property_id}`, googleOf(d), `call ${i} ${d.dealer_id}`);
  }
}
const tool = async (name, d, args = {}) => {
  const answer = await client.call(name, { dealer_id: d.dealer_id, ...args });
  assert.ok(!answer.isError, answer.text);
  return answer.result.structuredContent;
};

test('run_realtime_report', async () => {
  const DIMENSIONS = { deviceCategory: 's.device', eventName: 'e.name', city: 's.city' };
  // Active are the users of an engaged session or a first visit.
  const METRICS = { eventCount: 'sum(e.count)', activeUsers: 'count(DISTINCT CASE WHEN s.engaged OR s.is_new THEN s.user_id END)' };
  let seen = 0;
  await times(async (d, property, google, where) => {
    const dimensions = some(Object.keys(DIMENSIONS), 2), metrics = some(Object.keys(METRICS), 2);
    const [start, end] = [5 + pick(25), pick(5)];
    const ours = await tool('run_realtime_report', d, { dimensions, metrics, minute_ranges: [{ start_minutes_ago: start, end_minutes_ago: end }], limit: 10_000 });
    const [theirs] = await google.data.runRealtimeReport({
      property, dimensions: dimensions.map((name) => ({ name })), metrics: metrics.map((name) => ({ name })),
      minuteRanges: [{ startMinutesAgo: start, endMinutesAgo: end }],
    });
    const columns = [...dimensions.map((n) => DIMENSIONS[n]), ...metrics.map((n) => METRICS[n])];
    const groups = world.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM events e JOIN sessions s USING (session_id)
      WHERE e.property_id=? AND e.date=? AND ?-e.hour*60-e.session_id*37%60 BETWEEN ? AND ? GROUP BY ${dimensions.map((_, i) => i + 1).join()}`,
      d.property_id, compact(TODAY), MINUTE, end, start).map((row) => Object.values(row).map(String));
    const truth = groups.filter((row) => row.slice(dimensions.length).some((value) => value !== '0')); // Google leaves out rows of zeros
    assert.deepEqual(sorted(ours.rows.map((row) => row.map(String))), sorted(rowsOf(theirs)), where);
    assert.deepEqual(sorted(rowsOf(theirs)), sorted(truth), where);
    seen += truth.length;
  });
  assert.ok(seen > 0, 'something happens on the websites');
});

test('check_compatibility', async () => {
  let registered = 0;
  await times(async (d, property, google, where) => {
    const dimensions = some(['pagePath', 'sessionMedium', 'deviceCategory', 'city'], 2), metrics = some(['sessions', 'totalUsers', 'eventCount'], 2);
    const filter = ['COMPATIBLE', 'INCOMPATIBLE'][pick(2)];
    const ours = objects(await tool('check_compatibility', d, { dimensions, metrics, compatibility_filter: filter }));
    const [theirs] = await google.data.checkCompatibility({
      property, dimensions: dimensions.map((name) => ({ name })), metrics: metrics.map((name) => ({ name })), compatibilityFilter: filter,
    });
    const names = [...theirs.dimensionCompatibilities.map((c) => c.dimensionMetadata.apiName), ...theirs.metricCompatibilities.map((c) => c.metricMetadata.apiName)];
    assert.deepEqual(ours.map((f) => f.api_name).toSorted(), names.toSorted(), where);
    // Custom dimensions of the world are compatible with fields of events and sessions alike.
    const custom = world.all('SELECT parameter FROM custom_dimensions WHERE property_id=?', d.property_id).map((row) => `customEvent:${row.parameter}`);
    const listed = names.filter((name) => custom.includes(name));
    registered += custom.length;
    assert.equal(listed.length, filter === 'COMPATIBLE' ? custom.length : 0, where);
  });
  assert.ok(registered > 0, 'some dealers have registered dimensions');
});

test('get_property_quotas', () => times(async (d, property, google, where) => {
  const [before_] = await google.alpha.getPropertyQuotasSnapshot({ name: `${property}/propertyQuotasSnapshot` });
  const ours = objects(await tool('get_property_quotas', d));
  const [after_] = await google.alpha.getPropertyQuotasSnapshot({ name: `${property}/propertyQuotasSnapshot` });
  assert.ok(ours.length > 0, where);
  const left = Number(before_.corePropertyQuota.tokensPerDay.remaining);
  assert.equal(Number(after_.corePropertyQuota.tokensPerDay.remaining), left, where); // a snapshot costs nothing
  assert.ok(JSON.stringify(ours).includes(String(left)), `${where}: ${left} in ${JSON.stringify(ours)}`);
}));

test('get_property_details', () => times(async (d, property, google, where) => {
  const ours = JSON.stringify(await tool('get_property_details', d));
  const [theirs] = await google.admin.getProperty({ name: property });
  const truth = world.one('SELECT display_name, time_zone, currency_code FROM properties WHERE property_id=?', d.property_id);
  assert.deepEqual([theirs.displayName, theirs.timeZone, theirs.currencyCode], Object.values(truth), where);
  for (const value of [property, ...Object.values(truth)]) assert.ok(ours.includes(value), `${where}: ${value} in ${ours}`);
}));

test('list_key_events', () => times(async (d, property, google, where) => {
  const ours = objects(await tool('list_key_events', d)).map((k) => k.event_name).toSorted();
  const [theirs] = await google.admin.listKeyEvents({ parent: property });
  assert.deepEqual(theirs.map((k) => k.eventName).toSorted(), ours, where);
  assert.deepEqual(world.all('SELECT name FROM key_events WHERE property_id=? ORDER BY name', d.property_id).map((row) => row.name).toSorted(), ours, where);
}));

test('list_google_ads_links', () => times(async (d, property, google, where) => {
  const answer = await tool('list_google_ads_links', d);
  const ours = (answer.rows?.length > 0 ? objects(answer) : []).map((l) => String(l.customer_id)).toSorted();
  const [theirs] = await google.admin.listGoogleAdsLinks({ parent: property });
  assert.deepEqual(theirs.map((l) => l.customerId).toSorted(), ours, where);
  assert.deepEqual(world.all('SELECT customer_id AS c FROM google_ads_links WHERE property_id=?', d.property_id).map((row) => row.c).toSorted(), ours, where);
}));

test('list_data_streams', () => times(async (d, property, google, where) => {
  const ours = JSON.stringify(await tool('list_data_streams', d));
  const [theirs] = await google.admin.listDataStreams({ parent: property });
  const { host } = world.one('SELECT host FROM properties WHERE property_id=?', d.property_id);
  assert.ok(theirs.length > 0 && ours.includes(host), `${where}: ${ours}`);
  for (const stream of theirs) assert.ok(ours.includes(stream.webStreamData.measurementId) && stream.webStreamData.defaultUri.includes(host), where);
}));

test('list_property_annotations', () => times(async (d, property, google, where) => {
  const answer = await tool('list_property_annotations', d);
  const ours = (answer.rows?.length > 0 ? objects(answer) : []).map((a) => a.title).toSorted();
  const [theirs] = await google.adminAlpha.listReportingDataAnnotations({ parent: property });
  assert.deepEqual(theirs.map((a) => a.title).toSorted(), ours, where);
  assert.deepEqual(world.all('SELECT title FROM annotations WHERE property_id=?', d.property_id).map((row) => row.title).toSorted(), ours, where);
}));

// ------------------------------------------------------- what reports may ask for besides

const KINDS = { RESERVED_TOTAL: 'TOTAL', RESERVED_MIN: 'MINIMUM', RESERVED_MAX: 'MAXIMUM', RESERVED_COUNT: 'COUNT' };
/** Google's aggregate rows as ours: what they are, of what, and their values. */
const figures = (rows, kind) => rows.map((row) => {
  const values = row.dimensionValues.map((v) => v.value);
  return [kind ?? KINDS[values.find((v) => v in KINDS)], values.filter((v) => !v.startsWith('RESERVED_')).join(', '), ...row.metricValues.map((v) => v.value)];
});
const ours = (answer) => (answer.aggregates ?? []).map((a) => [a.aggregation, a.of ?? '', ...a.values]);

test('run_realtime_report_has_figures_over_all_rows', async () => {
  let seen = 0;
  await times(async (d, property, google, where) => {
    const answer = await tool('run_realtime_report', d, { dimensions: ['deviceCategory'], metrics: ['eventCount'], metric_aggregations: ['TOTAL', 'MINIMUM', 'MAXIMUM'] });
    const [theirs] = await google.data.runRealtimeReport({ property, dimensions: [{ name: 'deviceCategory' }], metrics: [{ name: 'eventCount' }], metricAggregations: ['TOTAL', 'MINIMUM', 'MAXIMUM'] });
    assert.deepEqual(ours(answer), [...figures(theirs.totals, 'TOTAL'), ...figures(theirs.minimums, 'MINIMUM'), ...figures(theirs.maximums, 'MAXIMUM')], where);
    const counts = answer.rows.map((row) => Number(row.at(-1)));
    if (counts.length === 0) return;
    seen++;
    assert.deepEqual(ours(answer).map((a) => Number(a[2])), [counts.reduce((a, b) => a + b, 0), Math.min(...counts), Math.max(...counts)], where);
  });
  assert.ok(seen > 0);
});

test('run_pivot_report_takes_comparisons_and_has_figures_over_its_pivots', async () => {
  const range = { start_date: '2026-02-01', end_date: '2026-02-20' };
  const filter = (field, value) => ({ filter: { field_name: field, string_filter: { value } } });
  await times(async (d, property, google, where) => {
    const answer = await tool('run_pivot_report', d, { dimensions: ['deviceCategory'], metrics: ['sessions'], date_ranges: [range],
      comparisons: [{ name: 'all', comparison: 'comparisons/allUsers' }, { name: 'direct', dimension_filter: filter('sessionDefaultChannelGroup', 'Direct') }],
      pivots: [{ field_names: ['deviceCategory'], limit: 10, metric_aggregations: ['TOTAL', 'COUNT'] }] });
    const [theirs] = await google.data.runPivotReport({ property, dimensions: [{ name: 'deviceCategory' }], metrics: [{ name: 'sessions' }],
      dateRanges: [{ startDate: range.start_date, endDate: range.end_date }],
      comparisons: [{ name: 'all', comparison: 'comparisons/allUsers' }, { name: 'direct', dimensionFilter: { filter: { fieldName: 'sessionDefaultChannelGroup', stringFilter: { value: 'Direct' } } } }],
      pivots: [{ fieldNames: ['deviceCategory'], limit: 10, metricAggregations: ['TOTAL', 'COUNT'] }] });
    const rows = answer.rows.map((row) => row.map(String));
    assert.deepEqual(sorted(rows), sorted(rowsOf(theirs)), where);
    const sql = world.all(`SELECT device AS a, 'all' AS b, count(*) AS n FROM sessions WHERE property_id=$p AND date BETWEEN '20260201' AND '20260220' GROUP BY 1
      UNION ALL SELECT device, 'direct', count(*) FROM sessions WHERE property_id=$p AND date BETWEEN '20260201' AND '20260220' AND channel='Direct' GROUP BY 1`.replaceAll('$p', String(d.property_id)));
    assert.deepEqual(sorted(rows), sorted(sql.map((row) => Object.values(row).map(String))), where);
    assert.deepEqual(sorted(ours(answer)), sorted(figures(theirs.aggregates)), where);
    for (const name of ['all', 'direct'])
      assert.equal(Number(ours(answer).find((a) => a[0] === 'TOTAL' && a[1] === name)[2]), sql.filter((row) => row.b === name).reduce((n, row) => n + row.n, 0), where);
  });
});

test('run_pivot_report_takes_cohorts', async () => {
  await times(async (d, property, google, where) => {
    const cohort_spec = { cohorts: [{ name: 'may', date_range: { start_date: '2026-02-01', end_date: '2026-02-07' } }], cohorts_range: { granularity: 'DAILY', end_offset: 4 } };
    const answer = await tool('run_pivot_report', d, { dimensions: ['cohort', 'cohortNthDay'], metrics: ['cohortActiveUsers'], cohort_spec,
      pivots: [{ field_names: ['cohort'], limit: 5 }, { field_names: ['cohortNthDay'], limit: 10 }] });
    const [theirs] = await google.data.runReport({ property, dimensions: [{ name: 'cohort' }, { name: 'cohortNthDay' }], metrics: [{ name: 'cohortActiveUsers' }],
      cohortSpec: { cohorts: [{ name: 'may', dimension: 'firstSessionDate', dateRange: { startDate: '2026-02-01', endDate: '2026-02-07' } }], cohortsRange: { granularity: 'DAILY', endOffset: 4 } } });
    assert.deepEqual(sorted(answer.rows.map((row) => row.map(String))), sorted(rowsOf(theirs)), where);
    assert.equal(answer.period, undefined);
  });
});
