// The methods beside reports for random dealers and questions: our tool, Google's Node clients on the same
// simulator and plain SQL over its world agree. AMCP_TRUTH_CALLS sets how many calls of each (15 without it,
// 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { googleClients, rowsOf } from './google.mjs';
import { Mcp } from './mcp.mjs';
import { compact, startOverWorld } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const TODAY = '2026-03-15', MINUTE = 12 * 60 + 30; // where the simulator stands on a day that is not now
let s, client, world, googleOf, seed = Number(process.env.SEED ?? 23);

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0 }, gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  googleOf = googleClients(s.set);
});
after(() => s?.stop());

function pick(n) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
}
const some = (names, most) => {
  const left = [...names];
  return Array.from({ length: 1 + pick(most) }, () => left.splice(pick(left.length), 1)[0]);
};
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).toSorted();

/** Runs `fn(dealer, property, google, where)` for random dealers. */
async function times(fn) {
  for (let i = 0; i < CALLS; i++) {
    const d = world.dealers[pick(world.dealers.length)];
    await fn(d, `properties/${d.property_id}`, googleOf(d), `call ${i} ${d.dealer_id}`);
  }
}
const tool = async (name, d, args = {}) => (await client.call(name, { dealer_id: d.dealer_id, ...args })).result.structuredContent;

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
