// Attacks on what is released of dealers that a caller does not see, by callers of the roles dealer and
// group through the gateway. What each can take from the answers is worked out as the caller would; the
// world's own figures say whether it came near the truth.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, wholeWeeks } from './world.mjs';

const REGION = 'West';
let s, world, key, dealer, group, own, groupOwn;

const round = (x, digits) => Number(x.toPrecision(digits));
const sum = (list, name) => list.reduce((n, f) => n + f[name], 0);
const others = (mine) => world.ofRegion(REGION).filter((d) => !mine.includes(d.dealer_id));
const figures = (list, range) => list.map((d) => figuresOf(world, d, range));
const pool = (list) => round(sum(list, 'engaged') / sum(list, 'sessions'), 3);
const metric = (rows, name) => rows.find((m) => m.metric === name);
const compare = (client, args) => client.data('compare_dealer_sessions', { region: REGION, detail: 'all', limit: 500, ...args });
const connect = (claims) => Mcp.connect(s.set.url, { token: jwt(key, claims) });

before(async () => {
  key = secret();
  s = await startOverWorld({
    env: { ...authSettings(key), report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 }, aggregate: { AGGREGATE_CELLS_PER_DAY: 200, AGGREGATE_LATE_DELAY_MS: 1000 } },
  });
  world = s.world;
  // A dealer alone with its owner, and a group of two whose going leaves enough owners.
  const west = world.ofRegion(REGION);
  own = west.find((d) => west.filter((x) => x.owner === d.owner).length === 1);
  groupOwn = west.filter((d) => d !== own).slice(0, 2).map((d) => d.dealer_id);
  dealer = await connect({ role: 'dealer', sub: 'one dealer', dealers: [own.dealer_id] });
  group = await connect({ role: 'group', sub: 'a group', dealers: groupOwn });
});
after(() => s?.stop());

describe('one pool per figure', () => {
  test('A1, A7: what is left after the own dealers are subtracted was never added', async () => {
    for (const [client, mine] of [[dealer, [own.dealer_id]], [group, groupOwn]]) {
      const answer = await compare(client, { date_range: wholeWeeks(4) });
      const rate = metric(answer.regional_average.metrics, 'engagement_rate');
      if (rate.pooled === undefined) continue; // the policy withholds it: nothing to subtract
      assert.equal(rate.pooled, pool(figures(others(mine), wholeWeeks(4))));
      // With several own dealers the same pool stands beside each: there is no system of equations.
      for (const index of answer.performance_index)
        assert.equal(metric(index.metrics, 'engagement_rate').benchmark, rate.pooled, index.dealer_id);
    }
  });

  test('A6: no figure of peers is one dealer\'s own', async () => {
    const answer = await compare(dealer, { date_range: wholeWeeks(4) });
    const median = metric(answer.regional_average.metrics, 'engagement_rate').median;
    const exact = figures(others([own.dealer_id]), wholeWeeks(4)).map((f) => f.engaged / f.sessions);
    assert.ok(median !== undefined);
    assert.equal(median, round(median, exact.length >= 8 ? 2 : 3));
    assert.ok(!exact.includes(median));
    for (const name of ['mean', 'min', 'max']) assert.equal(metric(answer.regional_average.metrics, 'engagement_rate')[name], undefined);
  });

  test('A8: dealers of two owners do not make a crowd', async () => {
    const all = world.ofRegion(REGION);
    const rest = all.filter((d) => d.owner === all[0].owner);
    const most = await connect({ role: 'group', sub: 'all but one owner', dealers: all.filter((d) => !rest.includes(d)).map((d) => d.dealer_id) });
    const answer = await compare(most, { date_range: wholeWeeks(4) });
    for (const index of answer.performance_index)
      for (const m of index.metrics.filter((x) => x.value !== undefined)) {
        assert.equal(m.benchmark, undefined, `${index.dealer_id} ${m.metric}`);
        assert.match(m.suppressed, /^(min_contributors|min_owners)$/);
      }
  });

  test('A10: a dealer of others cannot be what is left out', async () => {
    const peer = others([own.dealer_id])[0].dealer_id;
    const [a, b] = [await dealer.refused('compare_dealer_sessions', { subject: peer }), await dealer.refused('compare_dealer_sessions', { subject: 'd97' })];
    assert.equal(a.replaceAll(peer, '?'), b.replaceAll('d97', '?'));
  });
});

// Reports that report-svc asked of properties for benchmarks.
const benchmarkReports = async () => {
  const text = await (await fetch(`${s.set.admin('report')}/metrics`)).text();
  return Number(/^report_benchmark_reports_total (\d+)/m.exec(text)[1]);
};

describe('what was released costs nobody anything', () => {
  test('asked again, a benchmark reads the own dealers only, and says the same', async () => {
    for (const [client, mine] of [[dealer, [own.dealer_id]], [group, groupOwn]]) {
      const range = wholeWeeks(6);
      const first = await compare(client, { date_range: range });
      const spent = await benchmarkReports();
      assert.ok(spent > 0);
      if (client === dealer) assert.notEqual(metric(first.regional_average.metrics, 'engagement_rate').pooled, undefined);
      for (const d of others(mine)) await s.sim.fault({ dealer_id: d.dealer_id, kind: '403' });
      await s.sim.resetStats();
      const again = await compare(client, { date_range: range });
      const { properties } = await s.sim.stats();
      await s.sim.clear();
      assert.deepEqual(again, first);
      const asked = Object.keys(properties).filter((id) => properties[id].report_requests > 0).sort();
      assert.deepEqual(asked, mine.map((id) => String(world.dealer(id).property_id)).sort());
      assert.equal(await benchmarkReports(), spent);
    }
  });

  // Every other tool that measures a dealer by others, refusals among its figures.
  const questions = [
    ['benchmark_dealer', {}],
    ['compare_trends', { metric: 'leads_per_100_sessions' }],
    ['compare_trends', { metric: 'engagement_rate' }],
    ['compare_traffic_sources', { by: 'channel' }],
    ['compare_traffic_sources', { by: 'campaign' }],
    ['compare_landing_pages', { expected_from: 'region' }],
    ['explain_change', { metric: 'engagement_rate' }],
    ['explain_change', { metric: 'sessions' }],
  ];
  for (const [tool, args] of questions)
    test(`asked again, ${tool} (${Object.values(args)}) reads the own dealer only, and says the same`, async () => {
      const asking = await connect({ role: 'dealer', sub: `${tool} ${Object.values(args)}`, dealers: [own.dealer_id] });
      const question = { subject: own.dealer_id, region: REGION, date_range: wholeWeeks(8), ...args };
      const first = await asking.call(tool, question);
      assert.ok(!first.isError, first.text);
      for (const d of others([own.dealer_id])) await s.sim.fault({ dealer_id: d.dealer_id, kind: '403' });
      await s.sim.resetStats();
      const again = await asking.call(tool, question);
      const { properties } = await s.sim.stats();
      await s.sim.clear();
      assert.deepEqual(again.data, first.data);
      const asked = Object.keys(properties).filter((id) => properties[id].report_requests > 0);
      assert.deepEqual(asked, [String(own.property_id)]);
    });

  test('of a period that nobody asked about, everybody is read once', async () => {
    const range = wholeWeeks(7);
    const before = await benchmarkReports();
    await compare(dealer, { date_range: range });
    assert.equal((await benchmarkReports()) - before, others([own.dealer_id]).length);
  });
});

describe('one value per figure', () => {
  test('A3, A9: a dealer that loses its consent changes nothing that was released', async () => {
    const range = wholeWeeks(8);
    const first = await compare(dealer, { date_range: range });
    const gone = others([own.dealer_id])[2].dealer_id;
    await s.sim.fault({ dealer_id: gone, kind: '403' });
    const again = await dealer.call('compare_dealer_sessions', { region: REGION, detail: 'all', limit: 500, date_range: range });
    await s.sim.clear();
    assert.deepEqual(again.data.regional_average, first.regional_average);
    assert.deepEqual(again.data.performance_index, first.performance_index);
    assert.deepEqual(again.data.coverage, first.coverage);
    for (const word of [gone, world.dealer(gone).name]) assert.ok(!again.raw.includes(`"${word}"`), 'the failing dealer is named');
  });

  test('A3: a dealer that is late withholds the figure until it has answered', async () => {
    const range = wholeWeeks(2, 1);
    const late = others([own.dealer_id])[1].dealer_id;
    await s.sim.fault({ dealer_id: late, kind: '503' });
    const waiting = await compare(dealer, { date_range: range });
    await s.sim.clear();
    assert.equal(metric(waiting.performance_index[0].metrics, 'engagement_rate').suppressed, 'not_ready');
    const ready = await compare(dealer, { date_range: range });
    assert.equal(metric(ready.regional_average.metrics, 'engagement_rate').pooled, pool(figures(others([own.dealer_id]), range)));
    assert.equal(ready.coverage.ok, ready.coverage.asked);
  });

  test('A3: a late dealer is read again in the background, after which nobody has to be', async () => {
    const range = wholeWeeks(3, 2);
    const late = async (name) => {
      const text = await (await fetch(`${s.set.admin('aggregate')}/metrics`)).text();
      const line = text.split('\n').find((l) => l.startsWith(`${name} `));
      return Number(line?.split(' ')[1] ?? 0);
    };
    const nothingWaits = async () => {
      for (let i = 0; (await late('aggregate_late_questions')) > 0; i++) {
        assert.ok(i < 400, 'never finished in the background');
        await sleep(50);
      }
      return late('aggregate_late_total{outcome="finished"}');
    };
    const before = await nothingWaits();
    await s.sim.fault({ dealer_id: others([own.dealer_id])[4].dealer_id, kind: '503' });
    const waiting = await compare(dealer, { date_range: range });
    assert.equal(metric(waiting.performance_index[0].metrics, 'engagement_rate').suppressed, 'not_ready');
    assert.match(waiting.caveats.join('\n'), /the service asks it again by itself: ask again after \d\d:\d\d:\d\dZ/);
    await s.sim.clear();
    assert.equal(await nothingWaits(), before + 1);
    await s.sim.resetStats();
    const ready = await compare(dealer, { date_range: range });
    assert.equal(metric(ready.regional_average.metrics, 'engagement_rate').pooled, pool(figures(others([own.dealer_id]), range)));
    const { properties } = await s.sim.stats();
    const asked = Object.keys(properties).filter((id) => properties[id].report_requests > 0);
    assert.deepEqual(asked, [String(own.property_id)]);
  });

  test('a release survives a restart of aggregate-svc', async () => {
    const range = wholeWeeks(8);
    const first = await compare(dealer, { date_range: range });
    await s.set.stopOne('aggregate', { signal: 'SIGKILL' });
    await s.set.startOne('aggregate');
    await s.sim.fault({ dealer_id: others([own.dealer_id])[3].dealer_id, kind: '403' });
    const again = await compare(dealer, { date_range: range });
    await s.sim.clear();
    assert.deepEqual(again.regional_average, first.regional_average);
    assert.deepEqual(again.coverage, first.coverage);
  });

  test('A4: a period a day shorter is refused with the nearest ones, and asks no other dealer', async () => {
    const range = wholeWeeks(4);
    await s.sim.resetStats();
    const answer = await compare(dealer, { date_range: { ...range, end_date: daysBefore(range.end_date, 1) } });
    const rate = metric(answer.performance_index[0].metrics, 'engagement_rate');
    assert.equal(rate.suppressed, 'not_in_lattice');
    assert.equal(rate.benchmark, undefined);
    assert.equal(answer.dealers[0].dealer_id, own.dealer_id, 'the own figures are there');
    assert.equal(answer.coverage.asked, 1);
    assert.ok(answer.caveats.some((c) => c.includes(`${range.start_date} to ${range.end_date} (weeks)`)), answer.caveats.join('\n'));
    const daily = await compare(dealer, { date_range: { start_date: range.end_date, end_date: range.end_date } });
    assert.equal(metric(daily.performance_index[0].metrics, 'engagement_rate').suppressed, 'not_in_lattice');
    const relative = await compare(dealer, { date_range: { start_date: '28daysAgo', end_date: 'yesterday' } });
    assert.equal(metric(relative.performance_index[0].metrics, 'engagement_rate').suppressed, 'not_in_lattice');
  });

  test('by default all callers are shown the same weeks', async () => {
    const [mine, theirs] = [await compare(dealer, {}), await compare(group, {})];
    assert.deepEqual([mine.period.start_date, mine.period.end_date], [theirs.period.start_date, theirs.period.end_date]);
    assert.deepEqual({ start_date: mine.period.start_date, end_date: mine.period.end_date }, wholeWeeks(4));
  });
});

test('A2, A5, A12: cohorts and slices come from configuration', async () => {
  const peers = others([own.dealer_id]).map((d) => d.dealer_id);
  assert.match(await dealer.refused('compare_dealer_sessions', { dealer_ids: [own.dealer_id, ...peers.slice(0, 5)] }), /no dealer/);
  const across = await dealer.data('run_report_across_dealers', { region: REGION, dimensions: ['city'], metrics: ['sessions'], date_range: wholeWeeks(4) });
  assert.deepEqual(across.dealers.map((d) => d.dealer_id), [own.dealer_id]);
});

test('a group has the benchmark of its own dealers\' regions, and list_cohorts says why it has not', async () => {
  const listed = (await group.data('list_cohorts', {})).cohorts;
  const west = listed.find((c) => c.label === REGION);
  assert.equal(west.visible_dealers, groupOwn.length);
  assert.equal(west.dealers, world.ofRegion(REGION).length);
  assert.equal(west.benchmark, (west.withheld ?? '') === '');
  const most = world.ofRegion(REGION).slice(1).map((d) => d.dealer_id);
  const nearly = (await (await connect({ role: 'group', sub: 'nearly all', dealers: most })).data('list_cohorts', {})).cohorts;
  const mine = nearly.find((c) => c.label === REGION);
  assert.deepEqual([mine.benchmark, mine.withheld], [false, 'min_contributors']);
});

test('A13: who floods spends its own budget, not its rivals\' quota', async () => {
  const flood = await connect({ role: 'dealer', sub: 'a flood', dealers: [own.dealer_id] });
  let spent;
  for (let i = 0; i < 40 && spent === undefined; i++) {
    const answer = await compare(flood, { date_range: wholeWeeks(1, i + 1) });
    if (metric(answer.performance_index[0].metrics, 'engagement_rate').suppressed === 'budget' && answer.coverage.asked === 1) spent = answer;
  }
  assert.ok(spent, 'the budget is never used up');
  assert.ok(spent.caveats.some((c) => c.includes('200 new figures')), spent.caveats.join('\n'));
  const before = await compare(flood, { date_range: wholeWeeks(1, 1) });
  assert.notEqual(metric(before.performance_index[0].metrics, 'engagement_rate').suppressed, 'budget', 'what was released is still served');
  const rival = await compare(group, { date_range: wholeWeeks(1, 39) });
  assert.ok(rival.coverage.asked > groupOwn.length);
});

test('health shows the store, and the file is private', async () => {
  const ready = await (await fetch(`${s.set.admin('aggregate')}/readyz`)).text();
  assert.match(ready, /^ok releases: the store is open$/m);
  const file = `${s.set.stateDir}/releases.db`;
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
});
