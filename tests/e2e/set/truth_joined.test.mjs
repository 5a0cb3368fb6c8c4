// Dealers outside a caller's view that have no data before some day. Of weeks before the first day of all nothing
// may stand in a comparison under their dates; dealers that join others are in it with the weeks that they have.
// Against the same figures computed from the simulator's database.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { startSet } from '../lib/set.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { figures, figuresByBase, scorecard, trends } from './truth_benchmarks.mjs';
import { daysBefore, wholeWeeks, World, worldFile } from './world.mjs';

const WEEK = 7, key = secret();
const last = wholeWeeks(4), joined = daysBefore(last.start_date, 2 * WEEK); // in the middle of the four weeks before
const beforeLast = { start_date: daysBefore(last.start_date, 4 * WEEK), end_date: daysBefore(last.start_date, 1) };
const both = { start_date: beforeLast.start_date, end_date: last.end_date };
let set, world, dir;
const viewers = {}; // region: { client, subject }

// The world, without the days before `joined` of dealers that begin then: in the first region all but the viewer,
// in the second two.
function laterWorld() {
  const file = path.join(fs.mkdtempSync(path.join(path.dirname(worldFile()), 'joined-')), 'world.db');
  dir = path.dirname(file);
  fs.copyFileSync(worldFile(), file);
  const all = new World(file), [first, second] = all.regions;
  const late = [...all.ofRegion(first).slice(1), ...all.ofRegion(second).slice(1, 3)];
  for (const region of [first, second]) viewers[region] = { subject: all.ofRegion(region)[0].dealer_id };
  all.close();
  const db = new DatabaseSync(file);
  for (const { property_id } of late)
    for (const table of ['events', 'sessions'])
      db.prepare(`DELETE FROM ${table} WHERE property_id = ? AND date < ?`).run(property_id, joined.replaceAll('-', ''));
  db.close();
  return file;
}

before(async () => {
  const file = laterWorld();
  set = await startSet({ sim: { seed: 42, dealers: 24, regions: 3, days: 400, today: new Date().toISOString().slice(0, 10), db: file }, env: authSettings(key) });
  world = new World(file);
  for (const viewer of Object.values(viewers))
    viewer.client = await Mcp.connect(set.url, { token: jwt(key, { sub: viewer.subject, role: 'dealer', dealers: [viewer.subject] }) });
});
after(async () => {
  world?.close();
  await set?.stop();
  if (dir) fs.rmSync(dir, { recursive: true });
});

function same(actual, expected, where) {
  if (typeof expected === 'number') assert.ok(Math.abs(actual - expected) <= 1e-7 * Math.abs(expected) + 1e-9, `${where}: ${actual} instead of ${expected}`);
  else if (Array.isArray(expected)) expected.forEach((item, i) => same(actual[i], item, `${where}[${i}]`));
  else if (expected?.near !== undefined) assert.ok(Math.abs(actual - expected.near) <= 0.5 + 1e-7, `${where}: ${actual} instead of ${expected.near}`);
  else if (expected !== null && typeof expected === 'object') {
    const keys = (o) => Object.keys(o).filter((k) => o[k] !== undefined && o[k] !== null && o[k] !== '').sort();
    assert.deepEqual(keys(actual), keys(expected), where);
    for (const k of keys(expected)) same(actual[k], expected[k], `${where}.${k}`);
  } else assert.equal(actual, expected, where);
}

async function trendOf(region, metric, range) {
  const { client, subject } = viewers[region];
  const answer = await client.data('compare_trends', { subject, metric, date_range: range });
  const kept = new Map();
  const of = (from, to) => {
    if (!kept.has(`${from} ${to}`)) kept.set(`${from} ${to}`, world.ofRegion(region).map((d) => figures(world, d, from, to)));
    return kept.get(`${from} ${to}`);
  };
  const truth = trends({ of, subject, visible: (d) => d.dealer_id === subject, metric, grain: 'week', range });
  same(objects(answer.points).map(({ holidays, ...rest }) => rest), truth.points, `${metric}: points`);
  same(objects(answer.changes), truth.changes, `${metric}: changes`);
  return { changes: Object.fromEntries(objects(answer.changes).map((c) => [c.against, c])), answer, points: objects(answer.points) };
}

async function scorecardOf(region, range, previous) {
  const { client, subject } = viewers[region];
  const answer = await client.data('benchmark_dealer', { subject, date_range: range });
  const list = world.ofRegion(region).map((d) => ({
    now: figuresByBase(world, d, range.start_date, range.end_date), before: figuresByBase(world, d, previous.start_date, previous.end_date),
  }));
  const truth = scorecard({ list, subject, visible: (d) => d.dealer_id === subject, code: null, codeBefore: null });
  const by = (rows, name = 'metric') => Object.fromEntries(rows.map((x) => [x[name], x]));
  same(by(objects(answer.metrics)), by(truth.metrics), 'metrics');
  same(by(objects(answer.channels), 'channel'), by(truth.channels, 'channel'), 'channels');
  return { metrics: by(objects(answer.metrics)), caveats: answer.caveats };
}

test('a_block_that_begins_before_the_first_day_of_the_others_has_no_change_of_theirs', async () => {
  const [region] = world.regions;
  for (const metric of ['engagement_rate', 'vdp_views_per_session']) {
    const { changes, points, answer } = await trendOf(region, metric, both);
    assert.deepEqual(points.map((p) => p.suppressed === 'min_contributors'), [true, true, false, false, false, false, false, false]);
    for (const against of ['previous', 'year_before']) {
      assert.equal(changes[against].suppressed, 'min_contributors');
      assert.equal(changes[against].market_percent ?? null, null);
      assert.equal(changes[against].relative_verdict, 'benchmark_withheld');
    }
    assert.notEqual(changes.previous.percent, undefined, 'the own change stands');
    assert.ok(answer.caveats.some((c) => /market's change against the period before is withheld \(min_contributors\): .* in each week/.test(c)), answer.caveats.join('\n'));
  }
});

test('weeks_from_the_first_day_on_are_compared', async () => {
  const [region] = world.regions;
  const { changes } = await trendOf(region, 'shopper_rate', { start_date: joined, end_date: daysBefore(last.end_date, 2 * WEEK) });
  assert.equal(changes.previous.suppressed ?? '', '');
  assert.equal(changes.previous.before, `${joined} to ${daysBefore(joined, 1 - 2 * WEEK)}`);
  assert.notEqual(changes.previous.market_percent, undefined);
});

test('a_scorecard_shows_no_change_of_others_that_were_not_there_and_says_why', async () => {
  const [region] = world.regions;
  const { metrics, caveats } = await scorecardOf(region, last, beforeLast);
  assert.notEqual(metrics.engagement_rate.benchmark, undefined);
  assert.notEqual(metrics.engagement_rate.change_percent, undefined);
  assert.equal(metrics.engagement_rate.others_change_percent ?? null, null);
  assert.ok(caveats.some((c) => c.startsWith('Changes of the others against the period before are withheld (min_contributors)')), caveats.join('\n'));
  const gone = await scorecardOf(region, beforeLast, { start_date: daysBefore(beforeLast.start_date, 28), end_date: daysBefore(beforeLast.start_date, 1) });
  assert.equal(gone.metrics.engagement_rate.suppressed, 'min_contributors');
});

test('dealers_that_join_others_are_in_it_with_the_weeks_that_they_have', async () => {
  const region = world.regions[1];
  for (const metric of ['engagement_rate', 'leads_per_100_sessions']) {
    const { changes } = await trendOf(region, metric, both);
    for (const change of Object.values(changes)) {
      assert.equal(change.suppressed ?? '', '');
      assert.notEqual(change.market_percent, undefined);
    }
  }
  const { metrics, caveats } = await scorecardOf(region, last, beforeLast);
  assert.notEqual(metrics.engagement_rate.others_change_percent, undefined);
  assert.ok(!caveats.some((c) => c.startsWith('Changes of the others')));
});
