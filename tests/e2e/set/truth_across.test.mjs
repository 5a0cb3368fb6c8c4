// run_report_across_dealers with several periods, orders and pages of rows against SQL, for random calls:
// every row of every dealer and of the pool is seen once, in the order asked for. Own metrics beside what
// GA4 does to rows: right, or refused with the argument and what to do.
// AMCP_TRUTH_CALLS sets how many calls (15 without it, 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draws } from './draws.mjs';
import { Mcp } from './mcp.mjs';
import { assertSame, daysOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const DIMENSIONS = { deviceCategory: 'device', sessionDefaultChannelGroup: 'channel', city: 'city', sessionSource: 'source' };
const METRICS = { sessions: 'count(*)', engagedSessions: 'sum(engaged)', screenPageViews: 'sum(page_views)' };
const { pick, some } = draws(Number(process.env.SEED ?? 17));
let s, client, world;

before(async () => {
  s = await startOverWorld({ env: { report: { REPORT_BACKOFF_MS: 20 } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

/** Compares rows [dimension values, metric values] by the orders, then by all dimensions. */
function comparer(order, dimensions, metrics) {
  const bytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return ([da, ma], [db, mb]) => {
    for (const { field, desc } of order) {
      const k = metrics.indexOf(field), at = dimensions.indexOf(field);
      const by = k >= 0 ? ma[k] - mb[k] : bytes(da[at], db[at]);
      if (by !== 0) return desc ? -by : by;
    }
    for (let i = 0; i < da.length; i++) if (bytes(da[i], db[i]) !== 0) return bytes(da[i], db[i]);
    return 0;
  };
}

/** The rows of a dealer: [[dimension values], [metric values]]. */
function rowsOf(d, dimensions, metrics, ranges) {
  const columns = [...dimensions.map((name) => DIMENSIONS[name]), ...metrics.map((name) => METRICS[name])];
  return ranges.flatMap((range) => {
    const { from, to } = daysOf(d, range);
    return world.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM sessions
      WHERE property_id=? AND date BETWEEN ? AND ? GROUP BY ${dimensions.map((_, i) => i + 1).join()}`, d.property_id, from, to)
      .map(Object.values).filter((row) => row.slice(dimensions.length).some((n) => n > 0))
      .map((row) => [[...row.slice(0, dimensions.length), ...(ranges.length > 1 ? [`${range.start_date} to ${range.end_date}`] : [])], row.slice(dimensions.length)]);
  });
}

/** The same keys added over the dealers. */
function added(tables) {
  const sums = new Map();
  for (const [dimensions, metrics] of tables.flat()) {
    const key = JSON.stringify(dimensions);
    sums.set(key, sums.has(key) ? sums.get(key).map((n, i) => n + metrics[i]) : [...metrics]);
  }
  return [...sums].map(([key, metrics]) => [JSON.parse(key), metrics]);
}
const flat = (row) => [...row.dimension_values, ...row.metric_values];

/** All rows, page by page: by dealer, and pooled. */
async function pages(args, members) {
  const dealers = members.map(() => []), pooled = [];
  let asked = 0;
  for (let row_offset = 0, first = true; first || row_offset > 0; first = false) {
    const page = await client.data('run_report_across_dealers', { ...args, row_offset });
    assert.ok(++asked < 200, 'the pages do not end');
    assert.deepEqual(page.dealers.map((d) => d.dealer_id), members.map((d) => d.dealer_id));
    page.dealers.forEach((d, i) => dealers[i].push(...d.rows.map(flat)));
    row_offset = page.next_row_offset;
  }
  for (let pooled_offset = 0, first = true; first || pooled_offset > 0; first = false) {
    const page = await client.data('run_report_across_dealers', { ...args, pooled_offset });
    assert.ok(++asked < 400, 'the pages do not end');
    pooled.push(...page.pooled.map(flat));
    pooled_offset = page.next_pooled_offset;
  }
  return { dealers, pooled };
}

test('random_calls_page_through_all_rows_once_in_their_order', async () => {
  for (let i = 0; i < CALLS; i++) {
    const dimensions = some(Object.keys(DIMENSIONS), 2), metrics = some(Object.keys(METRICS), 3);
    const end = daysBefore(todayIn('UTC'), 4 + pick(60));
    const ranges = Array.from({ length: 1 + pick(3) }, (_, k) => ({ start_date: daysBefore(end, 7 * k + 1 + pick(5)), end_date: daysBefore(end, 7 * k) }));
    const several = ranges.length > 1 ? ['dateRange'] : [];
    const order = pick(4) === 0 ? [] : some([...dimensions, ...metrics, ...several], 3).map((field) => ({ field, desc: pick(2) === 1 }));
    const members = some(world.dealers.map((d) => d.dealer_id), 3).toSorted().map((id) => world.dealer(id));
    const compare = comparer(order.length > 0 ? order : [{ field: metrics[0], desc: true }], [...dimensions, ...several], metrics);
    const args = { dealer_ids: members.map((d) => d.dealer_id), dimensions, metrics, date_ranges: ranges,
      ...(order.length > 0 && { order_bys: order }), limit_per_dealer: 7 + pick(30), pooled_limit: 7 + pick(40), dealers_per_page: 500 };
    const where = `call ${i} ${JSON.stringify(args)}`;
    const tables = members.map((d) => rowsOf(d, dimensions, metrics, ranges));
    const got = await pages(args, members);
    tables.forEach((rows, k) => assertSame(got.dealers[k], rows.toSorted(compare).map((row) => row.flat()), `${where} ${members[k].dealer_id}`));
    assertSame(got.pooled, added(tables).toSorted(compare).map((row) => row.flat()), `${where} pooled`);
  }
});

const range = { start_date: daysBefore(todayIn('UTC'), 40), end_date: daysBefore(todayIn('UTC'), 6) };
const own = { dealer_ids: ['d03', 'd05'], dimensions: ['deviceCategory', 'sessionSource'], metrics: ['leads', 'sessions'], date_range: range };

test('own_metrics_are_ordered_and_paged_like_others', async () => {
  const whole = await client.data('run_report_across_dealers', { ...own, limit_per_dealer: 0, pooled_limit: 1000 });
  const members = own.dealer_ids.map((id) => world.dealer(id));
  const order = [{ field: 'leads', desc: false }, { field: 'sessions', desc: true }];
  const compare = comparer(order, own.dimensions, own.metrics);
  const got = await pages({ ...own, order_bys: order, limit_per_dealer: 5, pooled_limit: 6, dealers_per_page: 500 }, members);
  const inOrder = (rows) => rows.map((row) => [row.dimension_values, row.metric_values]).toSorted(compare).map((row) => row.flat());
  whole.dealers.forEach((d, i) => assertSame(got.dealers[i], inOrder(d.rows), d.dealer_id));
  assertSame(got.pooled, inOrder(whole.pooled), 'pooled');
  assert.ok(whole.pooled.length > 20 && whole.pooled.some((row) => row.metric_values[0] > 0));
});

const having = { field: 'leads', match: 'GREATER_THAN', value: 1 };
for (const [what, tool, args, expected] of [
  ['a filter on rows', 'run_report', { metric_filter: having }, /metric_filter: cannot be used with leads.*leave it out/],
  ['a filter on rows over dealers', 'run_report_across_dealers', { metric_filter: having }, /metric_filter: cannot be used with leads.*leave it out/],
  ['aggregations', 'run_report', { metric_aggregations: ['TOTAL'] }, /metric_aggregations: cannot be used with leads.*leave it out/],
  ['an order by a metric that is not asked for', 'run_report', { order_bys: ['shopper_sessions desc'] }, /order_bys\[0\]: give a metric or dimension of this report/],
  ['an order by a metric that is not asked for over dealers', 'run_report_across_dealers', { order_bys: ['shopper_sessions desc'] }, /order_bys\[0\]: give a metric or dimension of this report/],
])
  test(`own_metrics_with_what_they_cannot_have_are_refused_with_the_remedy: ${what}`, async () => {
    const { dealer_ids, date_range, ...rest } = own;
    const target = tool === 'run_report' ? { dealer_id: dealer_ids[0], date_ranges: [date_range] } : { dealer_ids, date_range };
    assert.match(await client.refused(tool, { ...rest, ...target, ...args }), expected);
  });

for (const [args, expected] of [
  [{ date_range: range, date_ranges: [range] }, /date_ranges: give these or date_range, not both/],
  [{ date_ranges: [range, { start_date: 'yesterday', end_date: '2daysAgo' }] }, /date_ranges\[1\]/],
  [{ date_ranges: [range, range], compare_to: { start_date: '2025-01-01', end_date: '2025-01-31' } }, /date_ranges: compare_to and subject take one period/],
  [{ date_range: range, order_bys: ['engagedSessions'] }, /order_bys\[0\]: give a metric or dimension/],
  [{ date_range: range, subject: 'd03', order_bys: ['sessions'] }, /order_bys: compared rows/],
  [{ date_range: range, subject: 'd03', row_offset: 5 }, /row_offset and pooled_offset: compared rows/],
])
  test(`what_does_not_go_together_is_refused: ${JSON.stringify(args)}`, async () => {
    assert.match(await client.refused('run_report_across_dealers', { dealer_ids: ['d03', 'd05'], metrics: ['sessions'], dimensions: ['city'], ...args }), expected);
  });

// Per dealer as run_report gives them, and of additive metrics as SQL does.
test('aggregates_and_quota_are_those_of_each_dealer', async () => {
  const end = daysBefore(todayIn('UTC'), 5);
  const ranges = [{ start_date: daysBefore(end, 13), end_date: daysBefore(end, 7) }, { start_date: daysBefore(end, 6), end_date: end }];
  const metric_aggregations = ['TOTAL', 'MINIMUM', 'MAXIMUM'];
  for (let i = 0; i < CALLS; i++) {
    const dimensions = some(Object.keys(DIMENSIONS), 2), metrics = [...some(Object.keys(METRICS), 3), 'totalUsers', 'engagementRate'];
    const date_ranges = ranges.slice(pick(2));
    const members = some(world.dealers.map((d) => d.dealer_id), 3).toSorted().map((id) => world.dealer(id));
    const where = `call ${i} ${dimensions} ${metrics} ${date_ranges.length}`;
    const asked = { dimensions, metrics, date_ranges, metric_aggregations };
    const ours = await client.data('run_report_across_dealers', { ...asked, dealer_ids: members.map((d) => d.dealer_id), limit_per_dealer: 1, return_property_quota: true });
    for (const d of members) {
      const mine = ours.aggregates.filter((a) => a.dealer_id === d.dealer_id).map(({ dealer_id, ...rest }) => rest);
      const one = await client.data('run_report', { ...asked, dealer_id: d.dealer_id, limit: 1 });
      assert.deepEqual(mine, one.aggregates, `${where} ${d.dealer_id}`);
      for (const range of date_ranges) {
        const rows = rowsOf(d, dimensions, metrics.slice(0, -2), [range]).map((row) => row[1]);
        const of = date_ranges.length > 1 ? `${range.start_date} to ${range.end_date}` : '';
        const total = mine.find((a) => a.aggregation === 'TOTAL' && (a.of ?? '') === of);
        metrics.slice(0, -2).forEach((name, k) => assert.equal(Number(total.values[k]), rows.reduce((n, row) => n + row[k], 0), `${where} ${name} ${of}`));
      }
      assert.equal(ours.notes.filter((n) => n.startsWith(`${d.dealer_id}: Quota of the property: `)).length, 1, JSON.stringify(ours.notes));
    }
  }
  const plain = await client.data('run_report_across_dealers', { region: 'West', metrics: ['sessions'], date_range: ranges[0] });
  assert.deepEqual([plain.aggregates ?? [], plain.notes ?? []], [[], []]);
});

test('what_is_given_per_dealer_or_not_at_all_is_refused_with_the_argument', async () => {
  const of = { region: 'West', metrics: ['sessions'], date_range: { start_date: '8daysAgo', end_date: '2daysAgo' } };
  const refused = [
    [{ by: 'region', metric_aggregations: ['TOTAL'] }, /metric_aggregations: is given per dealer; leave it out/],
    [{ by: 'region', return_property_quota: true }, /return_property_quota: is given per dealer/],
    [{ compare_to: { start_date: '18daysAgo', end_date: '12daysAgo' }, metric_aggregations: ['TOTAL'] }, /metric_aggregations: is given per dealer/],
    [{ metric_aggregations: ['COUNT'] }, /metric_aggregations\[0\]: .*TOTAL, MINIMUM or MAXIMUM/],
  ];
  for (const [more, pattern] of refused) {
    const answer = await client.call('run_report_across_dealers', { ...of, ...more });
    assert.ok(answer.isError, `${JSON.stringify(more)}: ${answer.text.slice(0, 300)}`);
    assert.match(answer.text, pattern);
  }
});
