// benchmark_dealer and compare_trends against the same figures computed from the simulator's database,
// for random dealers and periods, with and without dealers that fail, as an administrator, a group and
// a dealer see them. AMCP_TRUTH_CALLS: of each tool; 100 in the long run; SEED: which calls.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { draws } from './draws.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { finishedSunday } from './truth.mjs';
import { figures, figuresByBase, scorecard, spansOf, trends } from './truth_benchmarks.mjs';
import { inLattice } from './truth_disclosure.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const { pick, one } = draws(Number(process.env.SEED ?? 11));
let s, world, viewers, trendViewers, today;

before(async () => {
  const key = secret();
  s = await startOverWorld({
    env: { ...authSettings(key), report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 }, aggregate: { AGGREGATE_CELLS_PER_DAY: 1000000 } },
  });
  world = s.world;
  today = todayIn('UTC');
  const connect = (claims) => Mcp.connect(s.set.url, { token: jwt(key, claims) });
  const group = ['d13', 'd16', 'd12', 'd18', 'd24']; // of two regions
  const those = (name, own) => connect({ role: own.length > 1 ? 'group' : 'dealer', sub: name, dealers: own }).then((client) => ({ name, client, own }));
  const admin = { name: 'admin', client: await connect({ role: 'admin', sub: 'root' }), own: world.dealers.map((d) => d.dealer_id) };
  // Groups of two regions; d09 counts another lead event. What was released of a period is served again,
  // so each tool has viewers of its own.
  viewers = [admin, await those('group', ['d13', 'd16', 'd12', 'd18', 'd24']), await those('dealer', ['d19']), await those('d09', ['d09'])];
  trendViewers = [admin, await those('another group', ['d10', 'd14', 'd17']), await those('another dealer', ['d22']), await those('d21', ['d21'])];
});
after(() => s?.stop());

function same(actual, expected, where) {
  if (typeof expected === 'number') {
    const near = Math.abs(actual - expected) <= 1e-7 * Math.abs(expected) + 1e-9;
    assert.ok(typeof actual === 'number' && near, `${where}: ${actual} instead of ${expected}`);
  } else if (Array.isArray(expected)) {
    assert.equal(actual?.length, expected.length, `${where}: number of items`);
    expected.forEach((item, i) => same(actual[i], item, `${where}[${i}]`));
  } else if (expected?.near !== undefined) {
    assert.ok(Number.isInteger(actual) && Math.abs(actual - expected.near) <= 0.5 + 1e-7, `${where}: ${actual} instead of ${expected.near}`);
  } else if (expected !== null && typeof expected === 'object') {
    const keys = (o) => Object.keys(o).filter((k) => o[k] !== undefined && o[k] !== null && o[k] !== '').sort();
    assert.deepEqual(keys(actual), keys(expected), `${where}: keys`);
    for (const k of keys(expected)) same(actual[k], expected[k], `${where}.${k}`);
  } else assert.equal(actual, expected, where);
}
const named = (list, name) => Object.fromEntries(list.map((x) => [x[name], x]));

// Whole weeks for those who do not see everything; what they have asked for before is frozen as it
// was then, so there only what was asked for before is asked again with a dealer that fails.
function someRange(viewer) {
  const weeks = one([1, 2, 4, 4, 13]);
  if (viewer.name !== 'admin' && pick(8) > 0) {
    const end = daysBefore(finishedSunday(), 7 * pick(20));
    return { start_date: daysBefore(end, 7 * weeks - 1), end_date: end };
  }
  const end = daysBefore(today, 4 + pick(120));
  return { start_date: daysBefore(end, one([1, 3, 28, 30, 91]) - 1), end_date: end };
}

// One call in four has a dealer that fails: any for the administrator, an own one besides the subject
// for others, and then only where the benchmark does not depend on it.
function someFailure(viewer, subject, members, asked) {
  if (pick(4) > 0) return null;
  const able = members.filter((d) => d.dealer_id !== subject && viewer.own.includes(d.dealer_id));
  return able.length === 0 || (viewer.name !== 'admin' && !asked) ? null : one(able);
}
async function withFailure(broken, run) {
  if (broken) await s.sim.fault({ dealer_id: broken.dealer_id, kind: '403' });
  try {
    return await run();
  } finally {
    await s.sim.clear();
    await s.sim.resetQuota();
  }
}

test('scorecards_equal_sql_for_random_calls', async () => {
  const asked = new Set();
  const words = new Set();
  for (let i = 0; i < CALLS; i++) {
    const viewer = viewers[i % viewers.length];
    const subject = one(viewer.own), dealer = world.dealer(subject);
    const range = someRange(viewer);
    const members = world.ofRegion(dealer.region);
    const key = `${viewer.name} ${dealer.region} ${JSON.stringify(range)}`;
    const broken = someFailure(viewer, subject, members, asked.has(key));
    asked.add(key);
    const where = `call ${i}: ${viewer.name} ${subject} ${JSON.stringify(range)} without ${broken?.dealer_id}`;
    const answer = await withFailure(broken, () => viewer.client.data('benchmark_dealer', { subject, date_range: range }));
    const outside = members.some((d) => !viewer.own.includes(d.dealer_id));
    const length = (Date.parse(range.end_date) - Date.parse(range.start_date)) / 86400000 + 1;
    const earlier = { start_date: daysBefore(range.start_date, length), end_date: daysBefore(range.start_date, 1) };
    const [code, codeBefore] = [range, earlier].map((r) => (outside && !inLattice(r) ? 'not_in_lattice' : null));
    const answered = members.filter((d) => d !== broken && (code === null || viewer.own.includes(d.dealer_id)));
    const list = answered.map((d) => ({
      now: figuresByBase(world, d, range.start_date, range.end_date),
      before: figuresByBase(world, d, earlier.start_date, earlier.end_date),
    }));
    const truth = scorecard({ list, subject, visible: (d) => viewer.own.includes(d.dealer_id), code, codeBefore });
    const metrics = objects(answer.metrics);
    same(metrics.map((x) => x.metric), truth.metrics.map((x) => x.metric), `${where}: metrics`);
    same(named(metrics, 'metric'), named(truth.metrics, 'metric'), where);
    same(named(objects(answer.channels), 'channel'), named(truth.channels, 'channel'), `${where}: channels`);
    assert.equal(answer.cells_tested, truth.tested, `${where}: tested`);
    assert.equal(answer.look_first ?? undefined, truth.first, `${where}: first`);
    assert.equal(answer.dealer_id, subject);
    if (!outside) assert.deepEqual(answer.coverage.failed.map((f) => f.dealer_id), broken ? [broken.dealer_id] : [], where);
    for (const m of truth.metrics) words.add(m.standing);
    assert.ok(answer.headline.startsWith(`${dealer.name} against the other dealers of ${dealer.region}`), answer.headline);
  }
  assert.ok(words.size >= 3, `only ${[...words]}`);
});

test('trends_equal_sql_for_random_calls', async () => {
  const names = ['sessions', 'engagement_rate', 'shopper_rate', 'vdp_reach', 'vdp_views_per_session', 'srp_to_vdp',
    'leads_per_100_sessions', 'leads_per_100_shopper_sessions'];
  const asked = new Set();
  const words = new Set();
  for (let i = 0; i < CALLS; i++) {
    const viewer = trendViewers[i % trendViewers.length];
    const subject = one(viewer.own), dealer = world.dealer(subject);
    const grain = one(['week', 'week', 'month']), metric = one(names);
    const end = daysBefore(finishedSunday(), 7 * pick(3));
    const range = { start_date: daysBefore(end, grain === 'week' ? 7 * (1 + pick(16)) - 1 : 31 + pick(170)), end_date: end };
    if (spansOf(grain, range).length === 0) continue;
    const members = world.ofRegion(dealer.region);
    const key = `${viewer.name} ${dealer.region}`;
    const broken = viewer.name === 'admin' ? someFailure(viewer, subject, members, asked.has(key)) : null;
    const where = `call ${i}: ${viewer.name} ${subject} ${metric} by ${grain} ${JSON.stringify(range)} without ${broken?.dealer_id}`;
    const answer = await withFailure(broken, () => viewer.client.data('compare_trends', { subject, metric, grain, date_range: range }));
    const answered = members.filter((d) => d !== broken);
    const kept = new Map();
    const of = (first, last) => {
      const id = `${first} ${last}`;
      if (!kept.has(id)) kept.set(id, answered.map((d) => figures(world, d, first, last)));
      return kept.get(id);
    };
    const truth = trends({ of, subject, visible: (d) => viewer.own.includes(d.dealer_id), metric, grain, range });
    const points = objects(answer.points).map(({ holidays, ...rest }) => rest);
    same(points, truth.points, `${where}: points`);
    same(objects(answer.changes), truth.changes, `${where}: changes`);
    same(answer.trend ?? {}, truth.trend ?? {}, `${where}: trend`);
    assert.equal(answer.tested ?? 0, truth.tested, `${where}: tested`);
    for (const c of truth.changes) words.add(c.verdict);
  }
  assert.ok(words.size >= 2, `only ${[...words]}`);
});

test('the_two_questions_say_what_to_give_instead', async () => {
  const [{ client }] = viewers;
  assert.match(await client.refused('compare_trends', { subject: 'd01', metric: 'bounce_rate' }), /metric: must be one of sessions/);
  assert.match(await client.refused('compare_trends', { subject: 'd01', grain: 'day' }), /grain: must be "week" or "month"/);
  const short = { start_date: daysBefore(finishedSunday(), 3), end_date: finishedSunday() };
  assert.match(await client.refused('compare_trends', { subject: 'd01', date_range: short }), /date_range: holds no whole week/);
  for (const tool of ['compare_trends', 'benchmark_dealer']) {
    assert.match(await client.refused(tool, { region: 'West' }), /subject/);
    const dealer = viewers[2].client;
    const [a, b] = [await dealer.refused(tool, { subject: 'd07' }), await dealer.refused(tool, { subject: 'd97' })];
    assert.equal(a.replaceAll('d07', '?'), b.replaceAll('d97', '?'), 'another dealer looks like one that does not exist');
  }
});

test('answers_are_short_and_say_the_period', async () => {
  for (const { client, own } of viewers) {
    const card = await client.call('benchmark_dealer', { subject: own[0] });
    assert.ok(Buffer.byteLength(card.text) < 6000, `${Buffer.byteLength(card.text)} bytes`);
    assert.equal(card.data.period.end_date, finishedSunday());
    const line = await client.call('compare_trends', { subject: own[0] });
    assert.ok(Buffer.byteLength(line.text) < 6000, `${Buffer.byteLength(line.text)} bytes`);
    assert.equal(line.data.period.days, 91);
    assert.equal(line.data.points.rows.length, 13);
  }
});
