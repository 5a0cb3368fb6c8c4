// Metrics and dimensions that a report makes by expressions, and metrics that it does not show: each tool that takes
// them, Google's Node client on the same simulator and plain SQL over its world agree. AMCP_TRUTH_CALLS sets how many
// calls of each (10 without it, 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draws } from './draws.mjs';
import { googleClients, rowsOf } from './google.mjs';
import { Mcp } from './mcp.mjs';
import { startOverWorld } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 10);
const TODAY = '2026-03-15', RANGE = { start_date: '2026-02-01', end_date: '2026-02-20' };
const DAYS = [{ startDate: RANGE.start_date, endDate: RANGE.end_date }];
let s, client, world, googleOf;

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0 }, gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  googleOf = googleClients(s.set);
});
after(() => s?.stop());

const { pick } = draws(Number(process.env.SEED ?? 37));
// Google writes 17 digits of a number, which JavaScript shortens.
const plain = (value) => (value !== '' && Number.isFinite(Number(value)) ? String(Number(value)) : value);
const texts = (rows) => rows.map((row) => row.map(plain));
const sorted = (rows) => texts(rows).map((row) => JSON.stringify(row)).toSorted();
const near = (ours, truth, where) => {
  assert.equal(ours.length, truth.length, where);
  ours.forEach((row, i) => row.forEach((value, k) => (typeof truth[i][k] === 'number'
    ? assert.ok(Math.abs(Number(value) - truth[i][k]) <= 1e-9 * Math.max(1, Math.abs(truth[i][k])), `${where}: ${value} is not ${truth[i][k]}`)
    : assert.equal(value, truth[i][k], where))));
};

// name -> [Google's form, SQL over sessions]
const METRICS = {
  engaged_share: [{ expression: 'engagedSessions/sessions' }, 'CAST(sum(engaged) AS REAL)/count(*)'],
  views_less: [{ expression: 'screenPageViews - 2*(sessions+1)' }, 'sum(page_views)-2*(count(*)+1)'],
  users: [{ expression: 'sessions*3' }, 'count(*)*3'], // a name that is read as totalUsers elsewhere
  sessions: [{}, 'count(*)'],
};
const DIMENSIONS = {
  town: [{ dimensionExpression: { upperCase: { dimensionName: 'city' } } }, 'upper(city)'],
  'device type': [{ dimensionExpression: { lowerCase: { dimensionName: 'deviceCategory' } } }, 'lower(device)'],
  path: [{ dimensionExpression: { concatenate: { dimensionNames: ['deviceCategory', 'sessionMedium'], delimiter: ' / ' } } }, "device||' / '||medium"],
  sessionMedium: [{}, 'medium'],
};
const some = (table, most) => {
  const left = Object.keys(table);
  return Array.from({ length: 1 + pick(most) }, () => left.splice(pick(left.length), 1)[0]);
};
const google = (table, names) => names.map((name) => ({ name, ...table[name][0] }));
const snake = (o) => Array.isArray(o) ? o.map(snake) : o === null || typeof o !== 'object' ? o
  : Object.fromEntries(Object.entries(o).map(([k, v]) => [k.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), snake(v)]));
/** Our arguments: definitions in fields of their own, or Google's form among the names. */
function asked(dimensions, metrics, inFields = pick(2) === 1) {
  if (!inFields) return { dimensions: google(DIMENSIONS, dimensions), metrics: google(METRICS, metrics) };
  const defined = (table, names) => names.filter((name) => Object.keys(table[name][0]).length > 0).map((name) => snake({ name, ...table[name][0] }));
  return { dimensions, metrics, metric_expressions: defined(METRICS, metrics), dimension_expressions: defined(DIMENSIONS, dimensions) };
}
function sqlRows(d, dimensions, metrics, tail = '') {
  const columns = [...dimensions.map((n) => DIMENSIONS[n][1]), ...metrics.map((n) => METRICS[n][1])];
  return world.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM sessions WHERE property_id=? AND date BETWEEN '20260201' AND '20260220'
    GROUP BY ${dimensions.map((_, i) => i + 1).join()} ${tail}`, d.property_id).map((row) => Object.values(row));
}
async function times(fn) {
  for (let i = 0; i < CALLS; i++) {
    const d = world.dealers[pick(world.dealers.length)], dimensions = some(DIMENSIONS, 2), metrics = some(METRICS, 3);
    await fn({ d, property: `properties/${d.property_id}`, data: googleOf(d).data, dimensions, metrics, where: `call ${i} ${d.dealer_id} ${dimensions} ${metrics}` });
  }
}
const tool = async (name, d, args) => {
  const answer = await client.call(name, { dealer_id: d.dealer_id, ...args });
  assert.ok(!answer.isError, answer.text);
  return answer.result.structuredContent;
};

test('run_report', () => times(async ({ d, property, data, dimensions, metrics, where }) => {
  const answer = await tool('run_report', d, { ...asked(dimensions, metrics), date_ranges: [RANGE], order_bys: [`${metrics[0]} desc`], limit: 1000 });
  const [theirs] = await data.runReport({ property, dateRanges: DAYS, dimensions: google(DIMENSIONS, dimensions), metrics: google(METRICS, metrics),
    orderBys: [{ metric: { metricName: metrics[0] }, desc: true }, ...dimensions.map((dimensionName) => ({ dimension: { dimensionName } }))] });
  assert.deepEqual(answer.columns, [...dimensions, ...metrics], where);
  assert.deepEqual(texts(answer.rows), texts(rowsOf(theirs)), where);
  const n = dimensions.length, key = (row) => JSON.stringify(row.slice(0, n)), byKey = (a, b) => (key(a) < key(b) ? -1 : 1);
  const truth = sqlRows(d, dimensions, metrics).filter((row) => row.slice(n).some((value) => value !== 0));
  near(answer.rows.toSorted(byKey), truth.toSorted(byKey), where);
}));

test('filters_and_orders_may_name_what_is_not_shown', () => times(async ({ d, property, data, where }) => {
  const floor = 1 + pick(20);
  const answer = await tool('run_report', d, {
    dimensions: ['town'], dimension_expressions: [{ name: 'town', dimension_expression: { upper_case: { dimension_name: 'city' } } }],
    metrics: [{ name: 'engaged_share', ...METRICS.engaged_share[0] }, { name: 'sessions', invisible: true }], date_ranges: [RANGE], limit: 1000,
    metric_filter: { field: 'sessions', match: 'GREATER_THAN', values: [floor] }, order_bys: ['-sessions', 'town'],
  });
  const [theirs] = await data.runReport({ property, dateRanges: DAYS, dimensions: google(DIMENSIONS, ['town']),
    metrics: [{ name: 'engaged_share', ...METRICS.engaged_share[0] }, { name: 'sessions', invisible: true }],
    metricFilter: { filter: { fieldName: 'sessions', numericFilter: { operation: 'GREATER_THAN', value: { int64Value: floor } } } },
    orderBys: [{ metric: { metricName: 'sessions' }, desc: true }, { dimension: { dimensionName: 'town' } }] });
  assert.deepEqual(answer.columns, ['town', 'engaged_share'], where);
  assert.match(answer.headline, /of engaged_share by town for/);
  assert.deepEqual(texts(answer.rows), texts(rowsOf(theirs)), where);
  near(answer.rows, sqlRows(d, ['town'], ['engaged_share'], `HAVING count(*) > ${floor} ORDER BY count(*) DESC, 1`), where);
}));

test('run_pivot_report', () => times(async ({ d, property, data, dimensions, metrics, where }) => {
  const answer = await tool('run_pivot_report', d, { ...asked(dimensions, metrics), date_ranges: [RANGE], pivots: [{ field_names: dimensions, limit: 1000 }] });
  const [theirs] = await data.runPivotReport({ property, dateRanges: DAYS, dimensions: google(DIMENSIONS, dimensions), metrics: google(METRICS, metrics),
    pivots: [{ fieldNames: dimensions, limit: 1000 }] });
  assert.deepEqual(sorted(answer.rows), sorted(rowsOf(theirs)), where);
  const n = dimensions.length, key = (row) => JSON.stringify(row.slice(0, n)), byKey = (a, b) => (key(a) < key(b) ? -1 : 1);
  near(answer.rows.toSorted(byKey), sqlRows(d, dimensions, metrics).filter((row) => row.slice(n).some((value) => value !== 0)).toSorted(byKey), where);
}));

test('pivots_and_realtime_reports_may_have_what_is_not_shown', () => times(async ({ d, property, data, where }) => {
  const hidden = { name: 'sessions', invisible: true }, shown = { name: 'engaged_share', ...METRICS.engaged_share[0] };
  const pivots = [{ fieldNames: ['city'], limit: 100, orderBys: [{ metric: { metricName: 'sessions' }, desc: true }] }];
  const answer = await tool('run_pivot_report', d, { dimensions: ['city'], metrics: [shown, hidden], date_ranges: [RANGE], pivots: snake(pivots) });
  const [theirs] = await data.runPivotReport({ property, dateRanges: DAYS, dimensions: [{ name: 'city' }], metrics: [shown, hidden], pivots });
  assert.deepEqual(answer.columns, ['city', 'engaged_share'], where);
  assert.deepEqual(texts(answer.rows), texts(rowsOf(theirs)), where);
  const now = await tool('run_realtime_report', d, { dimensions: ['deviceCategory'], metrics: ['eventCount', { name: 'activeUsers', invisible: true }], order_bys: ['-activeUsers', 'deviceCategory'], limit: 100 });
  const [live] = await data.runRealtimeReport({ property, dimensions: [{ name: 'deviceCategory' }], metrics: [{ name: 'eventCount' }, { name: 'activeUsers', invisible: true }],
    orderBys: [{ metric: { metricName: 'activeUsers' }, desc: true }, { dimension: { dimensionName: 'deviceCategory' } }] });
  assert.deepEqual(texts(now.rows), texts(rowsOf(live)), where);
}));

test('batch_run_reports', () => times(async ({ d, property, data, dimensions, metrics, where }) => {
  const requests = [asked(dimensions, metrics), asked(['path'], ['engaged_share'])].map((r) => ({ ...r, date_ranges: [RANGE], limit: 1000 }));
  const { columns, rows } = (await tool('batch_run_reports', d, { requests })).rows;
  const [theirs] = await data.batchRunReports({ property, requests: [[dimensions, metrics], [['path'], ['engaged_share']]].map(([names, of]) => ({ property,
    dateRanges: DAYS, dimensions: google(DIMENSIONS, names), metrics: google(METRICS, of) })) });
  theirs.reports.forEach((report, i) => {
    const names = [...report.dimensionHeaders, ...report.metricHeaders].map((h) => h.name);
    const own = rows.filter((row) => row[0] === i + 1).map((row) => names.map((name) => row[columns.indexOf(name)]));
    assert.deepEqual(sorted(own), sorted(rowsOf(report)), `${where} report ${i + 1}`);
  });
}));

test('run_realtime_report', async () => {
  let seen = 0;
  await times(async ({ d, property, data, where }) => {
    const dimensions = [{ name: 'device type', ...DIMENSIONS['device type'][0] }], metrics = [{ name: 'twice', expression: 'eventCount*2' }];
    const answer = await tool('run_realtime_report', d, { dimensions, metrics, limit: 1000 });
    const plain = await tool('run_realtime_report', d, { dimensions: ['deviceCategory'], metrics: ['eventCount'], limit: 1000 });
    const [theirs] = await data.runRealtimeReport({ property, dimensions, metrics });
    assert.deepEqual(sorted(answer.rows), sorted(rowsOf(theirs)), where);
    assert.deepEqual(sorted(answer.rows), sorted(plain.rows.map((row) => [row[0].toLowerCase(), 2 * Number(row[1])])), where);
    seen += answer.rows.length;
  });
  assert.ok(seen > 0, 'something happens on the websites');
});

test('check_compatibility', () => times(async ({ d, property, data, dimensions, metrics, where }) => {
  const compatibility = ['COMPATIBLE', 'INCOMPATIBLE'][pick(2)], field_name = ['eventName', 'city'][pick(2)], ads = pick(3) === 0;
  const dimensionFilter = { filter: { fieldName: field_name, stringFilter: { value: 'x' } } };
  const metricFilter = { filter: { fieldName: ads ? 'advertiserAdCost' : 'sessions', numericFilter: { operation: 'GREATER_THAN', value: { int64Value: '1' } } } };
  const filters = { dimension_filter: snake(dimensionFilter), metric_filter: snake(metricFilter) };
  const theirs = await data.checkCompatibility({ property, dimensions: google(DIMENSIONS, dimensions), metrics: google(METRICS, metrics), dimensionFilter, metricFilter, compatibilityFilter: compatibility }).catch((error) => error);
  if (ads) { // cost of advertising goes with neither sessions nor events
    assert.match(theirs.message, /Please remove advertiserAdCost to make the request compatible/, where);
    assert.match(await client.refused('check_compatibility', { dealer_id: d.dealer_id, ...asked(dimensions, metrics), ...filters }), /Please remove advertiserAdCost to make the request compatible/, where);
    return;
  }
  const answer = await tool('check_compatibility', d, { ...asked(dimensions, metrics), ...filters, compatibility_filter: compatibility });
  const names = [...theirs[0].dimensionCompatibilities.map((c) => c.dimensionMetadata.apiName), ...theirs[0].metricCompatibilities.map((c) => c.metricMetadata.apiName)];
  const ours = answer.rows.map((row) => row[answer.columns.indexOf('api_name')]);
  assert.deepEqual(ours.toSorted(), names.toSorted(), where);
  assert.equal(ours.includes('advertiserAdCost'), compatibility === 'INCOMPATIBLE', where);
  assert.equal(ours.includes('sessions'), compatibility === 'COMPATIBLE', where);
  const custom = world.all('SELECT parameter FROM custom_dimensions WHERE property_id=?', d.property_id).map((row) => `customEvent:${row.parameter}`);
  assert.deepEqual(custom.filter((name) => ours.includes(name)), compatibility === 'COMPATIBLE' ? custom : [], where);
}));

test('run_report_across_dealers', async () => {
  const dealers = world.dealers.slice(0, 3);
  await times(async ({ dimensions, metrics, where }) => {
    const names = [...metrics, ...(metrics.includes('sessions') ? [] : ['sessions'])], n = dimensions.length;
    const answer = await client.data('run_report_across_dealers', { ...asked(dimensions, names, true), // the test's client reads rows by the names
      dealer_ids: dealers.map((d) => d.dealer_id), date_range: RANGE, limit_per_dealer: 0, pooled_limit: 10_000, dealers_per_page: 500 });
    assert.equal(answer.coverage.ok, dealers.length, where);
    const key = (row) => JSON.stringify(row.slice(0, n)), byKey = (a, b) => (key(a) < key(b) ? -1 : 1);
    const tables = dealers.map((d) => sqlRows(d, dimensions, names));
    for (const [i, d] of dealers.entries()) {
      const ours = answer.dealers[i].rows.map((row) => [...row.dimension_values, ...row.metric_values]);
      const [theirs] = await googleOf(d).data.runReport({ property: `properties/${d.property_id}`, dateRanges: DAYS, dimensions: google(DIMENSIONS, dimensions), metrics: google(METRICS, names), limit: 100_000 });
      near(ours.toSorted(byKey), rowsOf(theirs).map((row) => row.map((value, k) => (k < n ? value : Number(value)))).toSorted(byKey), `${where} ${d.dealer_id}: Google's client`);
      near(ours.toSorted(byKey), tables[i].toSorted(byKey), `${where} ${d.dealer_id}: SQL`);
    }
    // Sessions are pooled; what an expression makes is not, and that is said.
    const sums = new Map();
    for (const row of tables.flat()) sums.set(key(row), (sums.get(key(row)) ?? 0) + row[n + names.indexOf('sessions')]);
    assert.deepEqual(answer.pooled_metrics, ['sessions'], where);
    assert.deepEqual(sorted(answer.pooled.map((row) => [...row.dimension_values, ...row.metric_values])), sorted([...sums].map(([k, value]) => [...JSON.parse(k), value])), where);
    const said = answer.caveats.find((c) => c.startsWith('Not pooled over dealers: ')) ?? '';
    for (const name of names.filter((m) => m !== 'sessions')) assert.ok(said.includes(`${name} (an expression, which Google evaluates for each dealer by itself)`), `${where}: ${said}`);
  });
});

test('across_dealers_a_rate_has_its_weight_and_a_filter_what_is_not_shown', async () => {
  const args = { dealer_ids: ['d02', 'd05'], date_range: RANGE, dimensions: ['city'], metrics: ['engagementRate', { name: 'sessions', invisible: true }, { name: 'views', expression: 'screenPageViews', invisible: true }],
    metric_filter: { field: 'views', match: 'GREATER_THAN', values: [20] }, limit_per_dealer: 0, pooled_limit: 1000 };
  const answer = await client.data('run_report_across_dealers', args);
  const rows = args.dealer_ids.flatMap((id) => world.all(`SELECT city, sum(engaged) AS e, count(*) AS n FROM sessions WHERE property_id=?
    AND date BETWEEN '20260201' AND '20260220' GROUP BY 1 HAVING sum(page_views) > 20`, world.dealer(id).property_id));
  const sums = new Map();
  for (const r of rows) sums.set(r.city, { e: (sums.get(r.city)?.e ?? 0) + r.e, n: (sums.get(r.city)?.n ?? 0) + r.n });
  assert.ok(sums.size > 1);
  const byCity = (a, b) => (a[0] < b[0] ? -1 : 1);
  near(answer.pooled.map((row) => [...row.dimension_values, row.metric_values[0]]).toSorted(byCity), [...sums].map(([city, { e, n }]) => [city, e / n]).toSorted(byCity), 'pooled');
  assert.match(answer.headline, /^engagementRate by city of 2 of 2 dealers/);
});

// What rows are ordered by, where the answer does not show it: its sum over dealers, the rate of the sums, or nothing
// that may be added. [how it is asked, of one dealer by SQL, of sums over dealers]
const HIDDEN = {
  sessions: [{}, 'count(*)', (sum) => sum.n],
  screenPageViews: [{}, 'sum(page_views)', (sum) => sum.v],
  bounceRate: [{}, '1-CAST(sum(engaged) AS REAL)/count(*)', (sum) => Math.fround(1 - sum.e / sum.n)],
  views_less: [METRICS.views_less[0], METRICS.views_less[1]],
  totalUsers: [{}, 'count(DISTINCT user_id)'],
};
test('across_dealers_rows_may_be_ordered_by_what_is_not_shown', async () => {
  for (let i = 0; i < CALLS; i++) {
    const members = world.dealers.filter(() => pick(4) > 0), hidden = Object.keys(HIDDEN)[i % 5], [form, own, ofSums] = HIDDEN[hidden];
    const dimension = ['city', 'browser', 'sessionMedium'][pick(3)], column = { city: 'city', browser: 'browser', sessionMedium: 'medium' }[dimension];
    const desc = pick(2) === 1, limit = 1 + pick(4), skip = pick(3), where = `call ${i}: ${dimension} by ${hidden} ${desc}`;
    const { result: { structuredContent: answer } } = await client.call('run_report_across_dealers', { dealer_ids: members.map((d) => d.dealer_id), date_range: RANGE, dimensions: [dimension],
      metrics: [{ name: hidden, ...form, invisible: true }, 'engagedSessions', 'engagementRate'], order_bys: [{ metric: { metric_name: hidden }, desc }],
      limit_per_dealer: limit, row_offset: skip, pooled_limit: limit, pooled_offset: skip, dealers_per_page: 500 });
    const rows = (d) => world.all(`SELECT ${column} AS c, ${own} AS h, sum(engaged) AS e, count(*) AS n, sum(page_views) AS v FROM sessions WHERE property_id=?
      AND date BETWEEN '20260201' AND '20260220' GROUP BY 1 HAVING e > 0 OR h <> 0 ORDER BY h ${desc ? 'DESC' : ''}, 1`, d.property_id);
    const cells = ({ columns, rows }) => rows.map((row) => [dimension, 'engagedSessions', 'engagementRate'].map((name) => row[columns.indexOf(name)]));
    const { columns, rows: shown } = answer.dealers;
    assert.ok(!columns.includes(hidden) && !answer.pooled.columns.includes(hidden), where);
    for (const d of members) {
      const truth = rows(d), of = shown.filter((row) => row[columns.indexOf('dealer_id')] === d.dealer_id && row[columns.indexOf(dimension)] !== null);
      near(cells({ columns, rows: of }), truth.slice(skip, skip + limit).map((row) => [row.c, row.e, row.e / row.n]), `${where} ${d.dealer_id}`);
      if (of.length > 0) assert.equal(of[0][columns.indexOf('row_count')], truth.length, where);
    }
    const sums = new Map();
    for (const row of members.flatMap(rows)) {
      const sum = sums.get(row.c) ?? { c: row.c, e: 0, n: 0, v: 0 };
      sums.set(row.c, { c: row.c, e: sum.e + row.e, n: sum.n + row.n, v: sum.v + row.v });
    }
    const order = [...sums.values()].toSorted((a, b) => (ofSums ? (ofSums(a) - ofSums(b)) * (desc ? -1 : 1) : 0) || (a.c < b.c ? -1 : 1));
    near(cells(answer.pooled), order.slice(skip, skip + limit).map((sum) => [sum.c, sum.e, sum.e / sum.n]), `${where}: pooled`);
    assert.equal(answer.pooled_row_count, sums.size, where);
    assert.doesNotMatch(answer.headline, new RegExp(hidden), where);
    assert.equal(answer.caveats.some((c) => c.startsWith(`Pooled rows are not ordered by ${hidden}, which is not pooled over dealers (`)), !ofSums, `${where}: ${answer.caveats}`);
  }
});

const share = { name: 'share', expression: 'engagedSessions/sessions' };
for (const [name, args, expected] of [
  ['run_report', { metrics: ['sessions', { name: 'x', expression: 'leads/sessions' }] }, /metric_expressions\[0\]\.expression: Google, which evaluates it, does not know leads/],
  ['run_report', { metrics: [{ name: 'leads', expression: 'keyEvents' }] }, /metric_expressions\[0\]\.name: leads has a meaning here/],
  ['run_report', { metrics: [{ name: 'x', expression: 'sessionz/2' }] }, /metric_expressions \(x\): .*sessionz/],
  ['run_report', { metrics: ['leads', share] }, /metric_expressions: cannot be used with leads/],
  ['run_report', { metrics: ['sessions'], metric_expressions: [share, share] }, /metric_expressions\[1\]\.name: duplicate/],
  ['run_report', { metrics: ['sessions'], dimensions: [{ name: 'x', dimensionExpression: {} }] }, /dimension_expressions\[0\]\.dimension_expression: give lower_case/],
  ['run_pivot_report', { metrics: ['sessions'], metric_expressions: [{ name: 'x' }], pivots: [{ field_names: ['city'], limit: 1 }] }, /metric_expressions\[0\]\.expression: missing/],
  ['run_realtime_report', { metrics: ['eventCount'], metric_expressions: [{ expression: '1' }] }, /metric_expressions\[0\]\.name: missing/],
  ['check_compatibility', { metrics: [{ name: 'x', expression: 'sessionz/2' }] }, /metric_expressions \(x\): .*sessionz/],
  ['run_conversions_report', { metrics: [{ name: 'x', expression: 'sessions/2' }] }, /The metric sessions is not available in conversion reports/],
  ['run_conversions_report', { metrics: ['allConversionsByConversionDate'], dimensions: [{ name: 'x', dimensionExpression: { lowerCase: { dimensionName: 'city' } } }] }, /The dimension city is not available in conversion reports/],
  ['run_funnel_report', { funnel_steps: ['form_start'], dimension_expressions: [{ name: 'x', dimension_expression: { lower_case: { dimension_name: 'city' } } }] }, /dimension_expressions\[0\]\.name: neither funnel_breakdown nor funnel_next_action is by x/],
  ['batch_run_reports', { requests: [{ metrics: [share] }, { metrics: [{ ...share, expression: 'sessions' }] }] }, /requests\[1\]: share is defined otherwise in requests\[0\]/],
])
  test(`what_cannot_be_asked_is_refused_with_the_remedy: ${name} ${JSON.stringify(args)}`, async () => {
    assert.match(await client.refused(name, { dealer_id: 'd03', ...args }), expected);
  });
for (const [args, expected] of [
  [{ metrics: [{ name: 'sessions', expression: 'engagedSessions' }] }, /metric_expressions\[0\]\.name: sessions is a metric of Google's/],
  [{ metrics: [{ name: 'sessions', invisible: true }] }, /metrics: all of them are invisible/],
  [{ metrics: ['sessions', { name: 'x', expression: 'sessionz/2' }] }, /metric_expressions \(x\): .*sessionz/],
  [{ metrics: [share], subject: 'd03' }, /metric_expressions: .*leave it out with compare_to or subject/],
  [{ metrics: ['sessions'], dimensions: [{ name: 'town', ...DIMENSIONS.town[0] }], subject: 'd03' }, /dimension_expressions: .*leave it out with them/],
  [{ metrics: ['engagedSessions', { name: 'sessions', invisible: true }], order_bys: [{ metric: { metric_name: 'totalUsers' } }] }, /order_bys\[0\]: give a metric or dimension of this report/],
])
  test(`what_cannot_be_asked_is_refused_with_the_remedy: across ${JSON.stringify(args)}`, async () => {
    assert.match(await client.refused('run_report_across_dealers', { dealer_ids: ['d03', 'd05'], ...args }), expected);
  });
