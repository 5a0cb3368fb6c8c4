// Comparisons and cohorts over dealers, with a dealer that fails: the rows of each dealer equal those of Google's
// Node client and of plain SQL, and the pooled ones their sums over the dealers that answered.
// AMCP_TRUTH_CALLS sets how many calls (15 without it, 100 in the long run), SEED which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { patient } from '../lib/build.mjs';
import { draws } from './draws.mjs';
import { camel, googleClients, rowsOf } from './google.mjs';
import { Mcp } from './mcp.mjs';
import { compact, daysBefore, startOverWorld } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const TODAY = '2026-03-15';
let s, client, world, googleOf;

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0, REPORT_BACKOFF_MS: 20, REPORT_SERVER_ERRORS: 0, REPORT_QUOTA_PROBE_S: 0, REPORT_TIMEOUT_MS: patient(4000), REPORT_PAGE_ROWS: 25 } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  googleOf = googleClients(s.set);
});
after(() => s?.stop());

const { pick, some } = draws(Number(process.env.SEED ?? 29));
const sorted = (rows) => rows.map((row) => JSON.stringify(row.map(String))).toSorted();
const FAULTS = [
  ['403', 'permission_denied'], ['429_daily', 'quota_exhausted'], ['500', 'unanswerable'], ['malformed', 'truncated_response'],
  ['cut', 'unavailable'], ['empty_object', 'malformed_response'],
];

/** Asks for `members` while one of them is at fault; hands the answer and the dealers that are left to `check`. */
async function withOneAtFault(i, members, args, check, byPart = false) {
  const [kind, reason] = FAULTS[i % FAULTS.length], broken = members[pick(members.length)];
  await s.sim.fault({ dealer_id: broken.dealer_id, kind });
  try {
    const answer = await client.data('run_report_across_dealers', { ...args, dealer_ids: members.map((d) => d.dealer_id), limit_per_dealer: 0, pooled_limit: 10_000, dealers_per_page: 500 });
    assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [[broken.dealer_id, reason]]);
    const rest = members.filter((d) => d !== broken);
    assert.equal(answer.coverage.ok, rest.length);
    assert.deepEqual((answer.dealers ?? []).map((d) => d.dealer_id), (byPart ? [] : rest).map((d) => d.dealer_id));
    await check(answer, rest);
  } finally {
    await s.sim.clear();
    await s.sim.resetQuota();
  }
}
const members = () => some(world.dealers.map((d) => d.dealer_id), 4).concat(world.dealers[0].dealer_id, world.dealers[11].dealer_id)
  .filter((id, i, all) => all.indexOf(id) === i).toSorted().map((id) => world.dealer(id));

/** Each dealer's rows are those of Google's client and of our own computation. */
async function sameRows(answer, dealers, request, own, where) {
  for (const [k, d] of dealers.entries()) {
    const ours = answer.dealers[k].rows.map((row) => [...row.dimension_values, ...row.metric_values]);
    const [report] = await googleOf(d).data.runReport({ property: `properties/${d.property_id}`, ...camel(request), limit: 100_000,
      dimensions: request.dimensions.map((name) => ({ name })), metrics: request.metrics.map((name) => ({ name })) });
    assert.deepEqual(sorted(ours), sorted(rowsOf(report)), `${where} ${d.dealer_id}: Google's client`);
    assert.deepEqual(sorted(ours), sorted(own(d)), `${where} ${d.dealer_id}: SQL`);
  }
}
/** Adds rows of n dimension values by these. */
function pooled(tables, n) {
  const sums = new Map();
  for (const row of tables.flat()) {
    const key = JSON.stringify(row.slice(0, n)), values = row.slice(n);
    sums.set(key, sums.has(key) ? sums.get(key).map((x, i) => x + values[i]) : values);
  }
  return [...sums].map(([key, values]) => [...JSON.parse(key), ...values]);
}
const pooledRows = (answer, part) => answer.pooled.map((row) => [...(part ? [row.of] : []), ...row.dimension_values, ...row.metric_values]);

// ------------------------------------------------------------------ comparisons

const DIMENSIONS = { deviceCategory: 'device', sessionMedium: 'medium', city: 'city' };
const METRICS = { sessions: 'count(*)', engagedSessions: 'sum(engaged)', screenPageViews: 'sum(page_views)' };
const COMPARISONS = [
  [{ comparison: 'comparisons/allUsers' }, 'allUsers', '1'],
  [{ comparison: 'comparisons/directTraffic', name: 'direct' }, 'direct', "channel='Direct'"],
  [{ name: 'phones', dimension_filter: { filter: { field_name: 'deviceCategory', string_filter: { value: 'mobile' } } } }, 'phones', "device='mobile'"],
  [{ name: 'paid', dimension_filter: { filter: { field_name: 'sessionMedium', in_list_filter: { values: ['cpc', 'paid_social'] } } } }, 'paid', "medium IN ('cpc','paid_social')"],
  [{ name: 'nobody', dimension_filter: { filter: { field_name: 'city', string_filter: { value: 'Atlantis' } } } }, 'nobody', '0'],
];

function comparedRows(d, dimensions, metrics, chosen, ranges) {
  const columns = [...dimensions.map((n) => DIMENSIONS[n]), ...metrics.map((n) => METRICS[n])];
  return chosen.flatMap(([, name, condition]) => ranges.flatMap((range) =>
    world.all(`SELECT ${columns.map((c, i) => `${c} AS c${i}`).join()} FROM sessions WHERE property_id=? AND date BETWEEN ? AND ? AND ${condition}
      GROUP BY ${dimensions.map((_, i) => i + 1).join()}`, d.property_id, compact(range.start_date), compact(range.end_date))
      .map(Object.values).filter((row) => row.slice(dimensions.length).some((n) => n > 0))
      .map((row) => [...row.slice(0, dimensions.length), name, ...(ranges.length > 1 ? [range.name] : []), ...row.slice(dimensions.length)])));
}

test('comparisons_over_dealers_equal_googles_client_and_sql', async () => {
  for (let i = 0; i < CALLS; i++) {
    const dimensions = some(Object.keys(DIMENSIONS), 2), metrics = some(Object.keys(METRICS), 3), chosen = some(COMPARISONS, 4);
    const end = daysBefore(TODAY, 4 + pick(10));
    const ranges = Array.from({ length: 1 + pick(2) }, (_, k) => ({ name: `r${k}`, start_date: daysBefore(end, 14 * k + 9), end_date: daysBefore(end, 14 * k) }));
    const date_ranges = ranges.length > 1 ? ranges : ranges.map(({ name, ...range }) => range);
    const args = { dimensions, metrics, date_ranges, comparisons: chosen.map(([c]) => c) };
    const request = { ...args, comparisons: chosen.map(([c, name]) => ({ ...c, name })) };
    const where = `call ${i} ${JSON.stringify(args)}`, own = (d) => comparedRows(d, dimensions, metrics, chosen, ranges);
    const n = dimensions.length + ranges.length; // comparison, and dateRange of two
    await withOneAtFault(i, members(), args, async (answer, rest) => {
      await sameRows(answer, rest, request, own, where);
      assert.deepEqual(sorted(pooledRows(answer)), sorted(pooled(rest.map(own), n)), `${where}: pooled`);
      assert.ok(answer.caveats.some((c) => /Comparisons overlap/.test(c)), answer.caveats.join('\n'));
    });
    await withOneAtFault(i, world.dealers, { ...args, by: 'region' }, (answer, rest) => {
      const regions = rest.map((d) => own(d).map((row) => [d.region, ...row]));
      assert.deepEqual(sorted(pooledRows(answer, true)), sorted(pooled(regions, n + 1)), `${where}: by region`);
    }, true);
  }
});

test('comparisons_are_ordered_and_totalled_by_their_name', async () => {
  const args = { dimensions: ['deviceCategory'], metrics: ['sessions'], date_ranges: [{ start_date: daysBefore(TODAY, 20), end_date: daysBefore(TODAY, 5) }],
    comparisons: [COMPARISONS[2][0], COMPARISONS[0][0]], metric_aggregations: ['TOTAL'], order_bys: [{ dimension: { dimension_name: 'comparison' }, desc: true }] };
  const answer = await client.data('run_report_across_dealers', { ...args, dealer_ids: ['d02', 'd03'] });
  const names = answer.pooled.map((row) => row.dimension_values[1]);
  assert.deepEqual(names, names.toSorted().reverse());
  for (const id of ['d02', 'd03'])
    for (const [, name, condition] of [COMPARISONS[2], COMPARISONS[0]]) {
      const { n } = world.one(`SELECT count(*) AS n FROM sessions WHERE property_id=? AND date BETWEEN ? AND ? AND ${condition}`,
        world.dealer(id).property_id, compact(args.date_ranges[0].start_date), compact(args.date_ranges[0].end_date));
      assert.deepEqual(answer.aggregates.filter((a) => a.dealer_id === id && a.of === name).map((a) => a.values), [[String(n)]], `${id} ${name}`);
    }
});

// ---------------------------------------------------------------------- cohorts

const DAY = 86_400_000, time = (date) => Date.UTC(date.slice(0, 4), date.slice(4, 6) - 1, date.slice(6));
const STEPS = {
  DAILY: ['cohortNthDay', (date) => time(date) / DAY],
  WEEKLY: ['cohortNthWeek', (date) => Math.floor((time(date) / DAY + 4) / 7)], // 1970-01-01 was a Thursday: weeks begin on Sunday
  MONTHLY: ['cohortNthMonth', (date) => Number(date.slice(0, 4)) * 12 + Number(date.slice(4, 6))],
};

/** Sessions of a property with the day of the user's first visit. */
function followed(d) {
  const rows = world.all('SELECT user_id, date, is_new, engaged, device FROM sessions WHERE property_id=?', d.property_id);
  const first = new Map();
  for (const r of rows) if (r.is_new && !(first.get(r.user_id) <= r.date)) first.set(r.user_id, r.date);
  return rows.filter((r) => first.has(r.user_id)).map((r) => ({ ...r, first: first.get(r.user_id) }));
}
/** [cohort, step, device?, active users, users of the cohort] of a dealer, and the sizes of its cohorts. */
function cohortRows(d, { spec, device }) {
  const sessions = followed(d), groups = new Map(), sizes = {};
  const { granularity, start_offset: from = 0, end_offset: to = 0 } = spec.cohorts_range;
  const step = STEPS[granularity][1], accumulate = spec.cohort_report_settings?.accumulate;
  for (const [c, cohort] of spec.cohorts.entries()) {
    const name = cohort.name ?? `cohort_${c}`, { start_date, end_date } = cohort.date_range;
    const own = sessions.filter((r) => r.first >= compact(start_date) && r.first <= compact(end_date));
    sizes[name] = new Set(own.map((r) => r.user_id)).size;
    for (const r of own)
      for (let n = from; n <= to; n++) {
        const away = step(r.date) - step(r.first);
        if (accumulate ? away > n : away !== n) continue;
        const key = JSON.stringify([name, String(n).padStart(4, '0'), ...(device ? [r.device] : [])]);
        const g = groups.get(key) ?? { active: new Set() };
        if (r.engaged || r.is_new) g.active.add(r.user_id);
        groups.set(key, g);
      }
  }
  return { sizes, rows: [...groups].map(([key, g]) => [...JSON.parse(key), g.active.size, sizes[JSON.parse(key)[0]]]) };
}

test('cohorts_over_dealers_equal_googles_client_and_sql', async () => {
  let without = 0;
  for (let i = 0; i < CALLS; i++) {
    const granularity = Object.keys(STEPS)[i % 3], device = pick(2) === 1, start_offset = pick(3);
    const spec = {
      cohorts: Array.from({ length: 1 + pick(2) }, (_, k) => ({ ...(pick(2) === 1 && { name: `c${k}` }), dimension: 'firstSessionDate',
        date_range: { start_date: daysBefore(TODAY, 50 - 8 * k), end_date: daysBefore(TODAY, 50 - 8 * k - pick(5)) } })),
      cohorts_range: { granularity, start_offset, end_offset: start_offset + pick(granularity === 'DAILY' ? 20 : 2) },
      ...(pick(3) === 0 && { cohort_report_settings: { accumulate: true } }),
    };
    const args = { dimensions: ['cohort', STEPS[granularity][0], ...(device ? ['deviceCategory'] : [])],
      metrics: ['cohortActiveUsers', 'cohortTotalUsers'], cohort_spec: spec };
    const n = args.dimensions.length, where = `call ${i} ${JSON.stringify(args)}`;
    const own = (d) => cohortRows(d, { spec, device });
    await withOneAtFault(i, members(), args, async (answer, rest) => {
      await sameRows(answer, rest, args, (d) => own(d).rows, where);
      const tables = rest.map(own);
      // The cohort of a dealer counts in a row that the dealer does not have, too.
      const expected = pooled(tables.map((t) => t.rows), n).map((row) => {
        const total = tables.reduce((sum, t) => sum + t.sizes[row[0]], 0);
        without += row[n + 1] !== total;
        return row.with(n + 1, total);
      });
      assert.deepEqual(sorted(pooledRows(answer)), sorted(expected), `${where}: pooled`);
      assert.equal(answer.period, undefined, 'a cohort has days of its own');
      for (const caveat of [/Steps of a cohort that have not ended/, /a person who visits several of the websites/, /Pooled cohortTotalUsers is the cohort of all/])
        assert.ok(answer.caveats.some((c) => caveat.test(c)), answer.caveats.join('\n'));
    });
  }
  assert.ok(without > 0, 'no row that a dealer lacks: the test says nothing about its cohort');
});

test('cohorts_go_by_region_and_with_comparisons', async () => {
  const spec = { cohorts: [{ date_range: { start_date: daysBefore(TODAY, 40), end_date: daysBefore(TODAY, 34) } }], cohorts_range: { granularity: 'WEEKLY', end_offset: 2 } };
  const args = { dimensions: ['cohort', 'cohortNthWeek'], metrics: ['cohortActiveUsers', 'cohortTotalUsers'], cohort_spec: spec };
  const answer = await client.data('run_report_across_dealers', { ...args, by: 'region', pooled_limit: 1000 });
  const tables = new Map(world.regions.map((region) => [region, world.ofRegion(region).map((d) => cohortRows(d, { spec }))]));
  const expected = [...tables].flatMap(([region, list]) => pooled(list.map((t) => t.rows), 2)
    .map((row) => [region, ...row.with(3, list.reduce((sum, t) => sum + t.sizes[row[0]], 0))]));
  assert.deepEqual(sorted(pooledRows(answer, true)), sorted(expected));
  const both = await client.data('run_report_across_dealers', { ...args, dealer_ids: ['d02', 'd05'], comparisons: [{ comparison: 'comparisons/allUsers' }, COMPARISONS[4][0]], keep_empty_rows: false, pooled_limit: 1000, limit_per_dealer: 0 });
  const two = ['d02', 'd05'].map((id) => cohortRows(world.dealer(id), { spec }));
  const all = pooled(two.map((t) => t.rows), 2).map(([name, step, active]) => [name, step, 'allUsers', active, two.reduce((sum, t) => sum + t.sizes[name], 0)]);
  assert.deepEqual(sorted(pooledRows(both)), sorted(all));
});

// --------------------------------------------------------------------- refusals

const spec = { cohorts: [{ date_range: { start_date: '2026-02-01', end_date: '2026-02-07' } }], cohorts_range: { granularity: 'DAILY', end_offset: 3 } };
const phones = COMPARISONS[2][0];
const range = { start_date: '2026-02-01', end_date: '2026-02-07' };
for (const [args, expected] of [
  [{ comparisons: [phones, phones] }, /comparisons\[1\]\.name: duplicate/],
  [{ comparisons: [{ name: 'x' }] }, /comparisons\[0\]: give dimension_filter, or comparison/],
  [{ comparisons: [1, 2, 3, 4, 5].map((n) => ({ ...phones, name: `${n}` })) }, /comparisons: .*at most 4/],
  [{ comparisons: [phones], date_range: range, compare_to: { start_date: '2026-01-01', end_date: '2026-01-07' } }, /comparisons: .*ask once for each with its dimension_filter/],
  [{ comparisons: [phones], subject: 'd03' }, /comparisons: .*ask once for each/],
  [{ comparisons: [phones], order_bys: [{ dimension: { dimension_name: 'dateRange' } }] }, /order_bys\[0\]: give a metric or dimension/],
  [{ comparisons: [{ comparison: 'comparisons/none' }] }, /Comparison comparisons\/none was not found/],
  [{ cohort_spec: spec }, /dimensions: give cohort and cohortNthDay/],
  [{ cohort_spec: spec, dimensions: ['cohort', 'cohortNthWeek'] }, /dimensions: give cohort and cohortNthDay/],
  [{ cohort_spec: spec, dimensions: ['cohort', 'cohortNthDay'], date_range: range }, /cohort_spec: each cohort has its own date_range/],
  [{ cohort_spec: spec, dimensions: ['cohort', 'cohortNthDay'], subject: 'd03' }, /cohort_spec: compare_to and subject compare days/],
  [{ cohort_spec: { ...spec, cohorts: [] }, dimensions: ['cohort', 'cohortNthDay'] }, /cohort_spec\.cohorts: give 1 to 12/],
  [{ cohort_spec: { ...spec, cohorts_range: {} }, dimensions: ['cohort', 'cohortNthDay'] }, /cohorts_range\.granularity: give DAILY/],
  [{ cohort_spec: { ...spec, cohorts: [{ date_range: { start_date: 'soon', end_date: 'today' } }] }, dimensions: ['cohort', 'cohortNthDay'] }, /cohort_spec\.cohorts\[0\]\.date_range\.start_date/],
  [{ cohort_spec: spec, dimensions: ['cohort', 'cohortNthDay'], metrics: ['leads'] }, /cohort_spec: cannot be used with leads/],
  [{ comparisons: [phones], metrics: ['leads'] }, /comparisons: cannot be used with leads/],
])
  test(`what_cannot_be_asked_is_refused_with_the_remedy: ${JSON.stringify(args).slice(0, 150)}`, async () => {
    assert.match(await client.refused('run_report_across_dealers', { dealer_ids: ['d03', 'd05'], metrics: ['sessions'], dimensions: ['city'], ...args }), expected);
  });
