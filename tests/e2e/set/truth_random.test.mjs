// Random valid requests of each method: our tool, Google's Node clients on the same simulator and plain SQL over its
// world agree, rows, their order and their pages. AMCP_TRUTH_REPORTS sets how many reports of run_report (40 without
// it, 500 in the long run), AMCP_TRUTH_CALLS how many calls of each other method (10, 100), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { draws } from './draws.mjs';
import { camel, googleClients, rowsOf } from './google.mjs';
import { Mcp } from './mcp.mjs';
import { compact, startOverWorld } from './world.mjs';

const REPORTS = Number(process.env.AMCP_TRUTH_REPORTS ?? 40), CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 10);
const TODAY = '2026-03-15';
let s, client, world, googleOf;

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0 }, gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  googleOf = googleClients(s.set);
});
after(() => s?.stop());

const random = draws(Number(process.env.SEED ?? 41)), { pick, one, some } = random;
const plain = (value) => (value !== '' && Number.isFinite(Number(value)) ? Number(value) : value);
const numbers = (rows) => rows.map((row) => row.map(plain));
const sorted = (rows) => numbers(rows).map((row) => JSON.stringify(row)).toSorted();
function near(ours, truth, where) {
  assert.equal(ours.length, truth.length, `${where}: ${JSON.stringify(ours.slice(0, 5))} against ${JSON.stringify(truth.slice(0, 5))}`);
  numbers(ours).forEach((row, i) => numbers([truth[i]])[0].forEach((value, k) => (typeof value === 'number'
    ? assert.ok(Math.abs(row[k] - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${where}: row ${i}: ${row[k]} is not ${value}`)
    : assert.equal(row[k], value, `${where}: row ${i}`))));
}
const named = (names) => names.map((name) => ({ name }));
const tool = async (name, d, args = {}) => {
  const answer = await client.call(name, { dealer_id: d.dealer_id, ...args });
  assert.ok(!answer.isError, `${answer.text} for ${JSON.stringify(args)}`);
  return answer.result.structuredContent;
};
async function times(n, fn) {
  for (let i = 0; i < n; i++) {
    const d = one(world.dealers), began = random.seed;
    try {
      await fn(d, `properties/${d.property_id}`, googleOf(d), `call ${i} ${d.dealer_id}`);
    } catch (error) {
      error.message = `call ${i} of ${d.dealer_id}, seed ${began}: ${error.message}`;
      throw error;
    }
  }
}
function days(longest = 20) {
  const first = new Date('2026-02-01T00:00:00Z').getTime() + pick(20) * 86400e3;
  return [first, first + pick(longest) * 86400e3].map((t) => new Date(t).toISOString().slice(0, 10));
}

// ------------------------------------------------------------------ reports

const DIMENSIONS = { deviceCategory: 'device', sessionMedium: 'medium', sessionDefaultChannelGroup: 'channel', city: 'city', browser: 'browser', date: 'date', sessionSource: 'source' };
const METRICS = { sessions: 'count(*)', engagedSessions: 'sum(engaged)', screenPageViews: 'sum(page_views)', totalUsers: 'count(DISTINCT user_id)', engagementRate: 'CAST(sum(engaged) AS REAL)/count(*)' };
const text = (value) => `'${value.replaceAll("'", "''")}'`;
// Google's matching of texts, without regard to case unless it is asked for.
const MATCHES = {
  EXACT: (column, value) => `${column}=${value}`, BEGINS_WITH: (column, value) => `substr(${column},1,length(${value}))=${value}`,
  ENDS_WITH: (column, value) => `substr(${column},-length(${value}))=${value}`, CONTAINS: (column, value) => `instr(${column},${value})>0`,
};

/** A condition on a dimension: [ours, SQL]. */
function condition(depth = 0) {
  const kind = pick(depth < 2 ? 6 : 3), field_name = one(['deviceCategory', 'sessionMedium', 'city', 'browser']), column = DIMENSIONS[field_name];
  const values = () => world.all(`SELECT DISTINCT ${column} AS v FROM sessions ORDER BY 1`).map((row) => row.v);
  if (kind === 0) {
    const listed = some(values(), 3);
    return [{ filter: { field_name, in_list_filter: { values: listed } } }, `lower(${column}) IN (${listed.map((v) => text(v.toLowerCase()))})`];
  }
  if (kind <= 2) {
    const match_type = one(Object.keys(MATCHES)), case_sensitive = pick(2) === 1, whole = one(values());
    const value = match_type === 'EXACT' ? whole : match_type === 'ENDS_WITH' ? whole.slice(-2) : whole.slice(0, 1 + pick(3));
    return [{ filter: { field_name, string_filter: { match_type, value: case_sensitive ? value : value.toUpperCase(), case_sensitive } } },
      case_sensitive ? MATCHES[match_type](column, text(value)) : MATCHES[match_type](`lower(${column})`, text(value.toLowerCase()))];
  }
  if (kind === 3) {
    const [ours, sql] = condition(depth + 1);
    return [{ not_expression: ours }, `NOT (${sql})`];
  }
  const parts = [condition(depth + 1), condition(depth + 1)];
  return [{ [kind === 4 ? 'and_group' : 'or_group']: { expressions: parts.map((p) => p[0]) } }, `(${parts.map((p) => p[1]).join(kind === 4 ? ' AND ' : ' OR ')})`];
}
/** A condition on a metric, which need not be one of the report. */
function having() {
  const field_name = one(['sessions', 'screenPageViews', 'engagedSessions']), least = 1 + pick(10);
  if (pick(2) === 1)
    return [{ filter: { field_name, between_filter: { from_value: { int64_value: String(least) }, to_value: { int64_value: String(least + 30) } } } }, `${METRICS[field_name]} BETWEEN ${least} AND ${least + 30}`];
  const [operation, sign] = one([['GREATER_THAN', '>'], ['GREATER_THAN_OR_EQUAL', '>='], ['LESS_THAN', '<'], ['LESS_THAN_OR_EQUAL', '<='], ['EQUAL', '=']]);
  return [{ filter: { field_name, numeric_filter: { operation, value: { double_value: least } } } }, `${METRICS[field_name]} ${sign} ${least}`];
}

/** A random report: our arguments, Google's, and the rows that SQL has for it in a range of days. */
function draw(d) {
  const dimensions = some(Object.keys(DIMENSIONS), 3, pick(8) === 0 ? 0 : 1), metrics = some(Object.keys(METRICS), 3);
  const [filter, where] = pick(2) === 1 ? condition() : [undefined, '1'], [floor, kept] = pick(3) === 0 ? having() : [undefined, '1'];
  const keep = pick(3) === 0, [by, desc] = [one([...dimensions, ...metrics]), pick(2) === 1];
  const order = dimensions.includes(by) ? { dimension: { dimension_name: by }, desc } : { metric: { metric_name: by }, desc };
  const rest = dimensions.filter((name) => name !== by).map((dimension_name) => ({ dimension: { dimension_name } }));
  const limit = 1 + pick(60), offset = pick(4) === 0 ? pick(20) : 0;
  const ours = { dimensions, metrics, ...(filter && { dimension_filter: filter }), ...(floor && { metric_filter: floor }), order_bys: [order, ...rest], keep_empty_rows: keep };
  const googles = { ...camel({ ...ours, dimensions: [], metrics: [] }), dimensions: named(dimensions), metrics: named(metrics) };
  const rows = ([from, to]) => {
    const columns = [...dimensions.map((n) => DIMENSIONS[n]), ...metrics.map((n) => METRICS[n])];
    const at = (name) => [...dimensions, ...metrics].indexOf(name) + 1;
    const group = dimensions.length > 0 ? `GROUP BY ${dimensions.map((_, i) => i + 1).join()}` : '';
    return world.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM sessions WHERE property_id=? AND date BETWEEN ? AND ? AND ${where}
      ${group} HAVING ${kept} AND count(*) > 0 ORDER BY ${[`${at(by)} ${desc ? 'DESC' : ''}`, ...rest.map((r) => at(r.dimension.dimension_name))].join()}`, d.property_id, compact(from), compact(to))
      .map((row) => Object.values(row)).filter((row) => keep || row.slice(dimensions.length).some((n) => n !== 0)); // Google leaves out rows of zeros
  };
  return { dimensions, metrics, ours, googles, rows, limit, offset };
}
const ranges = (...list) => [list.map(([start_date, end_date], i) => ({ start_date, end_date, ...(list.length > 1 && { name: 'ab'[i] }) })),
  list.map(([startDate, endDate], i) => ({ startDate, endDate, ...(list.length > 1 && { name: 'ab'[i] }) }))];

test('run_report', async () => {
  let seen = 0;
  await times(REPORTS, async (d, property, google, where) => {
    const report = draw(d), period = days(), [ours, theirs] = ranges(period), page = { limit: report.limit, offset: report.offset };
    const answer = await tool('run_report', d, { ...report.ours, ...page, date_ranges: ours });
    const [truth] = await google.data.runReport({ property, ...report.googles, ...page, dateRanges: theirs });
    const rows = report.rows(period), at = `${where} ${JSON.stringify({ ...report.ours, ...page, period })}`;
    assert.deepEqual(numbers(answer.rows ?? []), numbers(rowsOf(truth)), at);
    near(answer.rows ?? [], rows.slice(report.offset, report.offset + report.limit), at);
    assert.equal(answer.row_count ?? 0, rows.length, at);
    assert.equal(answer.next_offset ?? 0, answer.rows?.length > 0 && report.offset + report.limit < rows.length ? report.offset + report.limit : 0, at);
    seen += rows.length;
  });
  assert.ok(seen > 10 * REPORTS, 'most reports have rows');
});

test('run_report_over_two_ranges_and_its_pages', () => times(CALLS, async (d, property, google, where) => {
  const report = draw(d), periods = [days(10), days(10)], [ours, theirs] = ranges(...periods), limit = 5 + pick(40);
  const all = [];
  for (let offset = 0, more = true; more;) {
    const answer = await tool('run_report', d, { ...report.ours, limit, offset, date_ranges: ours });
    all.push(...(answer.rows ?? []));
    more = (answer.next_offset ?? 0) > 0;
    offset = answer.next_offset;
  }
  const [whole] = await google.data.runReport({ property, ...report.googles, dateRanges: theirs, limit: 100_000 });
  assert.deepEqual(sorted(all), sorted(rowsOf(whole)), `${where} ${JSON.stringify({ ...report.ours, periods, limit })}`);
  if (report.ours.keep_empty_rows) return; // fills each range with the combinations of the other
  const n = report.dimensions.length;
  const truth = periods.flatMap((period, i) => report.rows(period).map((row) => [...row.slice(0, n), 'ab'[i], ...row.slice(n)]));
  const key = (row) => JSON.stringify(row.slice(0, n + 1)), byKey = (a, b) => (key(a) < key(b) ? -1 : 1);
  near(all.toSorted(byKey), truth.toSorted(byKey), where);
}));

test('run_pivot_report', () => times(CALLS, async (d, property, google, where) => {
  let report = draw(d);
  while (report.dimensions.length === 0) report = draw(d);
  const period = days(), [ours, theirs] = ranges(period), pivots = report.dimensions.map((name) => ({ field_names: [name], limit: 60 })); // a product of at most 250,000
  const { order_bys: _, ...args } = report.ours, { orderBys: __, ...googles } = report.googles;
  const answer = await tool('run_pivot_report', d, { ...args, date_ranges: ours, pivots });
  const [truth] = await google.data.runPivotReport({ property, ...googles, dateRanges: theirs, pivots: camel(pivots) });
  const at = `${where} ${JSON.stringify({ ...args, period })}`;
  assert.deepEqual(sorted(answer.rows ?? []), sorted(rowsOf(truth)), at);
  if (args.keep_empty_rows) return; // a pivot fills its cells
  const n = report.dimensions.length, key = (row) => JSON.stringify(row.slice(0, n).map(String)), byKey = (a, b) => (key(a) < key(b) ? -1 : 1);
  const rows = report.rows(period);
  if (report.dimensions.every((_n, i) => new Set(rows.map((row) => row[i])).size <= 60)) near((answer.rows ?? []).toSorted(byKey), rows.toSorted(byKey), at);
}));

test('batch_run_reports', () => times(CALLS, async (d, property, google, where) => {
  const drawn = Array.from({ length: 1 + pick(5) }, () => ({ report: draw(d), period: days() }));
  const answer = await tool('batch_run_reports', d, { requests: drawn.map(({ report, period }) => ({ ...report.ours, limit: 1000, date_ranges: ranges(period)[0] })) });
  const [truth] = await google.data.batchRunReports({ property, requests: drawn.map(({ report, period }) => ({ property, ...report.googles, limit: 1000, dateRanges: ranges(period)[1] })) });
  const { columns = [], rows = [] } = answer.rows ?? {};
  drawn.forEach(({ report, period }, i) => {
    const own = rows.filter((row) => row[0] === i + 1).map((row) => [...report.dimensions, ...report.metrics].map((name) => row[columns.indexOf(name)]));
    const at = `${where} report ${i + 1} ${JSON.stringify({ ...report.ours, period })}`;
    assert.deepEqual(numbers(own), numbers(rowsOf(truth.reports[i])), at);
    near(own, report.rows(period).slice(0, 1000), at);
  });
}));

// ------------------------------------------------------------------ conversions and funnels

const OF_CONVERSIONS = { deviceCategory: 'device', medium: 'medium', defaultChannelGroup: 'channel', source: 'source' };
const KINDS = { totals: 'TOTAL', minimums: 'MINIMUM', maximums: 'MAXIMUM' };

test('run_conversions_report', () => times(CALLS, async (d, property, google, where) => {
  const plainly = one(Object.keys(OF_CONVERSIONS)), made = one(['upper', 'lower', undefined]), column = OF_CONVERSIONS[plainly];
  const dimension = made ? { name: 'made', dimension_expression: { [`${made}_case`]: { dimension_name: plainly } } } : { name: plainly };
  const metrics = [{ name: 'twice', expression: 'allConversionsByConversionDate*2' }, { name: 'allConversionsByConversionDate', invisible: true }];
  const floor = pick(5), period = days(), [ours, theirs] = ranges(period), attribution_model = one(['DATA_DRIVEN', 'LAST_CLICK']), limit = 1 + pick(6);
  const aggregations = some(Object.values(KINDS), 3);
  const filter = { filter: { field_name: 'allConversionsByConversionDate', numeric_filter: { operation: 'GREATER_THAN', value: { int64_value: String(floor) } } } };
  const answer = await tool('run_conversions_report', d, { dimensions: [dimension], metrics, metric_filter: filter, date_ranges: ours, limit, conversion_spec: { attribution_model },
    order_bys: ['-allConversionsByConversionDate', dimension.name], metric_aggregations: aggregations });
  const [truth] = await google.alpha.runReport({ property, dimensions: [camel(dimension)], metrics, metricFilter: camel(filter), dateRanges: theirs, limit, conversionSpec: { attributionModel: attribution_model },
    orderBys: [{ metric: { metricName: 'allConversionsByConversionDate' }, desc: true }, { dimension: { dimensionName: dimension.name } }], metricAggregations: aggregations });
  const rows = world.all(`SELECT ${made ? `${made}(${column})` : column} AS c, 2*sum(key_events) AS n FROM sessions WHERE property_id=? AND date BETWEEN ? AND ?
    GROUP BY 1 HAVING sum(key_events) > ${floor} ORDER BY 2 DESC, 1`, d.property_id, ...period.map(compact)).map((row) => [row.c, row.n]);
  assert.deepEqual(numbers(answer.rows ?? []), numbers(rowsOf(truth)), where);
  assert.deepEqual(numbers(answer.rows ?? []), rows.slice(0, limit), where);
  assert.equal(answer.row_count ?? 0, rows.length, where);
  if (rows.length === 0) return;
  const of = { TOTAL: (list) => list.reduce((a, b) => a + b, 0), MINIMUM: (list) => Math.min(...list), MAXIMUM: (list) => Math.max(...list) };
  const figures = Object.fromEntries(answer.aggregates.map((a) => [a.aggregation, Number(a.values[0])]));
  for (const [list, kind] of Object.entries(KINDS).filter(([, k]) => aggregations.includes(k))) {
    assert.equal(figures[kind], Number(truth[list][0].metricValues[0].value), `${where} ${kind}`);
    assert.equal(figures[kind], of[kind](rows.map((row) => row[1])), `${where} ${kind}`);
  }
}));

test('run_conversions_report_takes_comparisons', () => times(CALLS, async (d, property, google, where) => {
  const period = days(), [ours, theirs] = ranges(period), device = one(['mobile', 'desktop']);
  const comparisons = [{ name: 'all', comparison: 'comparisons/allUsers' }, { name: 'some', dimension_filter: { filter: { field_name: 'deviceCategory', string_filter: { value: device } } } }];
  const answer = await tool('run_conversions_report', d, { dimensions: ['medium'], metrics: ['allConversionsByInteractionDate'], date_ranges: ours, comparisons, limit: 1000 });
  const [truth] = await google.alpha.runReport({ property, dimensions: named(['medium']), metrics: named(['allConversionsByInteractionDate']), dateRanges: theirs, comparisons: camel(comparisons), conversionSpec: { attributionModel: 'DATA_DRIVEN' } });
  const rows = [['all', '1'], ['some', `device='${device}'`]].flatMap(([name, which]) => world.all(`SELECT medium AS c, sum(key_events) AS n FROM sessions
    WHERE property_id=? AND date BETWEEN ? AND ? AND ${which} GROUP BY 1 HAVING n > 0`, d.property_id, ...period.map(compact)).map((row) => [row.c, name, row.n]));
  assert.deepEqual(sorted(answer.rows ?? []), sorted(rowsOf(truth)), where);
  assert.deepEqual(sorted(answer.rows ?? []), sorted(rows), where);
}));

test('run_funnel_report', () => times(CALLS, async (d, property, google, where) => {
  const [first, second] = some(['session_start', 'page_view', 'asc_item_pageview', 'form_start', 'asc_form_submission', 'scroll'], 2, 2);
  const device = one([undefined, 'mobile', 'desktop']), period = days(), [ours, theirs] = ranges(period), by = one([undefined, 'TRENDED_FUNNEL', 'breakdown']);
  const filter = device && { filter: { field_name: 'deviceCategory', string_filter: { value: device } } };
  const within = one([undefined, undefined, 3600]), part = { event_parameter_name: 'page_type', string_filter: { value: 'item' } }, narrow = pick(4) === 0;
  const expression = narrow && { funnel_event_filter: { event_name: second, funnel_parameter_filter_expression: { or_group: { expressions: [{ funnel_parameter_filter: part }, { not_expression: { funnel_parameter_filter: part } }] } } } };
  const kind = { name: 'medium', dimension_expression: { upper_case: { dimension_name: 'sessionMedium' } } };
  const answer = await tool('run_funnel_report', d, { funnel_steps: [{ event: first }, { ...(narrow ? { name: second, filter_expression: expression } : { event: second }), ...(within && { within_duration_from_prior_step: `${within}s` }) }], date_ranges: ours, ...(filter && { dimension_filter: filter }),
    ...(by === 'TRENDED_FUNNEL' && { funnel_visualization_type: by }), ...(by === 'breakdown' && { funnel_breakdown: { breakdown_dimension: 'medium', limit: 15 }, dimension_expressions: [kind] }) });
  const step = (name) => ({ name, filterExpression: { funnelEventFilter: { eventName: name } } });
  const last = { ...step(second), ...(narrow && { filterExpression: camel(expression) }), ...(within && { withinDurationFromPriorStep: { seconds: within } }) };
  const [truth] = await google.alpha.runFunnelReport({ property, dateRanges: theirs, funnel: { steps: [step(first), last] }, ...(filter && { dimensionFilter: camel(filter) }),
    ...(by === 'TRENDED_FUNNEL' && { funnelVisualizationType: by }), ...(by === 'breakdown' && { funnelBreakdown: { breakdownDimension: camel(kind), limit: 15 } }) });
  assert.deepEqual(numbers(answer.rows ?? []), numbers(rowsOf(by === 'TRENDED_FUNNEL' ? truth.funnelVisualization : truth.funnelTable)), where);
  const sql = world.one(`WITH ev AS (SELECT s.user_id AS u, e.name, printf('%s%02d%012d%012d', e.date, e.hour, e.session_id, e.event_id) AS at FROM events e JOIN sessions s USING (session_id)
      WHERE e.property_id=$p AND e.date BETWEEN $from AND $to ${device ? `AND s.device='${device}'` : ''}),
    one AS (SELECT u, min(at) AS at FROM ev WHERE name=$first GROUP BY u)
    SELECT (SELECT count(*) FROM one) AS a, (SELECT count(DISTINCT ev.u) FROM ev JOIN one USING (u) WHERE ev.at > one.at AND name=$second) AS b`,
  { $p: d.property_id, $from: compact(period[0]), $to: compact(period[1]), $first: first, $second: second });
  // Each user is on one day of a step; of a breakdown the first row of a step is that of all its users.
  const at = answer.columns.indexOf('activeUsers');
  const users = (name) => (answer.rows ?? []).filter((row) => row[0].endsWith(name) && (by !== 'breakdown' || row[1] === 'RESERVED_TOTAL')).reduce((n, row) => n + Number(row[at]), 0);
  const at_ = `${where} ${first} ${second} ${device} ${by} ${period}`;
  assert.equal(users(`. ${first}`), sql.a, at_);
  if (within) assert.ok(users(`. ${second}`) <= sql.b, at_);
  else assert.equal(users(`. ${second}`), sql.b, at_);
}));

// ------------------------------------------------------------------ what a property has

test('get_account_summaries', () => times(CALLS, async (d, _property, google, where) => {
  const answer = await tool('get_account_summaries', d);
  const [theirs] = await google.admin.listAccountSummaries({});
  const ids = theirs.flatMap((account) => account.propertySummaries.map((p) => p.property));
  assert.deepEqual(ids, world.all('SELECT property_id AS id FROM properties WHERE property_id=?', d.property_id).map((row) => `properties/${row.id}`), where);
  const ours = JSON.stringify(answer);
  for (const account of theirs)
    for (const value of [account.account, account.displayName, ...account.propertySummaries.flatMap((p) => [p.property, p.displayName])])
      assert.ok(ours.includes(value), `${where}: ${value} in ${ours}`);
  for (const other of world.dealers) if (other !== d) assert.ok(!ours.includes(String(other.property_id)), where);
}));

test('get_custom_dimensions_and_metrics', () => times(CALLS, async (d, property, google, where) => {
  const answer = await tool('get_custom_dimensions_and_metrics', d);
  const [theirs] = await google.data.getMetadata({ name: `${property}/metadata` });
  const listed = [...theirs.dimensions, ...theirs.metrics].filter((f) => f.customDefinition).map((f) => f.apiName);
  const ours = [answer, answer.custom_dimensions, answer.custom_metrics].filter((t) => t?.rows?.length > 0).flatMap((t) => objects(t).map((f) => f.api_name));
  assert.deepEqual(ours.toSorted(), listed.toSorted(), where);
  const dimensions = world.all('SELECT parameter AS p FROM custom_dimensions WHERE property_id=?', d.property_id).map((row) => `customEvent:${row.p}`);
  assert.deepEqual(theirs.dimensions.filter((f) => f.customDefinition).map((f) => f.apiName).toSorted(), dimensions.toSorted(), where);
}));

test('search_fields', () => times(CALLS, async (d, property, google, where) => {
  const [theirs] = await google.data.getMetadata({ name: `${property}/metadata` });
  const [field, kind] = pick(2) === 1 ? [one(theirs.dimensions), 'dimension'] : [one(theirs.metrics), 'metric'];
  const { columns, rows, total } = await tool('search_fields', d, { query: field.apiName, limit: 500 });
  const found = objects({ columns, rows }), named_ = new Map([...theirs.dimensions, ...theirs.metrics].map((f) => [f.apiName, f.uiName]));
  assert.deepEqual([found[0].api_name, found[0].kind], [field.apiName, kind], `${where} ${field.apiName}`);
  for (const one_ of found) assert.equal(one_.ui_name, named_.get(one_.api_name), `${where} ${one_.api_name}`);
  assert.ok(total >= 1 && found.length <= total, where);
}));
