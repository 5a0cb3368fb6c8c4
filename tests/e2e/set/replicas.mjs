// A set with two replicas of report-svc and of aggregate-svc, for tests in which one of them is missing: what is
// asked of it, and what its answers must be. Importing it starts the set before the tests and stops it after them.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

export let s, client, world, key;
let week, figures;
export const admin = (sub = 'operator') => jwt(key, { sub, role: 'admin' });

before(async () => {
  key = secret();
  const own = { AGGREGATE_BATCH_DEALERS: 3 };
  s = await startOverWorld({
    reportReplicas: 2,
    aggregateReplicas: 2,
    env: { ...authSettings(key), aggregate: own, report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 } },
  });
  world = s.world;
  client = await Mcp.connect(s.set.url, { token: admin() });
  const end = daysBefore(todayIn('UTC'), 7);
  week = { start_date: daysBefore(end, 6), end_date: end };
  figures = world.dealers.map((d) => figuresOf(world, d, week));
});
after(() => s?.stop());
afterEach(async () => {
  await s.sim.clear();
  for (const name of ['report', 'report2', 'aggregate', 'aggregate2'])
    await s.set.startOne(name).catch(() => {}); // most run already
});

// The n dealers from the first-th on, round the list.
export const some = (first, n) => Array.from({ length: n }, (_, i) => world.dealers[(first + i) % 24]);
export const compareThose = (dealers, options) =>
  client.call('compare_dealer_sessions', { dealer_ids: dealers.map((d) => d.dealer_id), date_range: week, limit: 500 }, options);
export const compare = (options) => compareThose(world.dealers, options);
export const report = (i) => client.call('run_report', { dealer_id: world.dealers[i % 24].dealer_id, metrics: ['sessions'], date_ranges: [week] });

// The comparison is whole and true.
export function assertWhole(answer, dealers = world.dealers) {
  const n = dealers.length;
  assert.equal(answer.isError, false, answer.text);
  assert.deepEqual(answer.data.coverage, { asked: n, ok: n, failed: [], failed_undisclosed: 0 });
  assertComparison(answer.data, dealers.map((d) => figures[world.dealers.indexOf(d)]), null, 'with a replica missing');
}

// { OK: 12, CANCELLED: 1 }: answers of a service's method by code.
export async function answers(name, method) {
  const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
  const lines = [...text.matchAll(/^rpc_server_requests_total\{(.*)\} (\d+)/gm)].filter((m) => m[1].includes(`method="${method}"`));
  return Object.fromEntries(lines.map((m) => [/code="(\w+)"/.exec(m[1])[1], Number(m[2])]));
}
export const answered = async (name, method) => (await answers(name, method)).OK ?? 0;

// Waits until a replica answers calls of a method again.
export async function isUsed(name, method, ask) {
  const before = await answered(name, method);
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    await Promise.all([ask(), ask()]);
    if ((await answered(name, method)) > before) return;
  }
  assert.fail(`${name} is not used again`);
}
