// One of two replicas crashes or hangs while callers are asking.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const HANG_LIMIT_MS = patient(15_000); // what a process that hangs may cost a caller, beyond its call's time
const AUTH_LIMIT_MS = patient(8_000); // 5 s for auth-svc, and the way there and back on a busy machine
const HANG_MS = Number(process.env.AMCP_HANG_SECONDS ?? 16) * 1000;
const CALLERS = 16;

let s, client, world, week, figures, key;
const admin = (sub = 'operator') => jwt(key, { sub, role: 'admin' });

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

const slow = (ms) => s.sim.fault({ dealer_id: '*', kind: 'latency', ms, endpoint: 'report' });
// The n dealers from the first-th on, round the list.
const some = (first, n) => Array.from({ length: n }, (_, i) => world.dealers[(first + i) % 24]);
const compareThose = (dealers, options) =>
  client.call('compare_dealer_sessions', { dealer_ids: dealers.map((d) => d.dealer_id), date_range: week, limit: 500 }, options);
const compare = (options) => compareThose(world.dealers, options);
const report = (i) => client.call('run_report', { dealer_id: world.dealers[i % 24].dealer_id, metrics: ['sessions'], date_ranges: [week] });

// The comparison is whole and true.
function assertWhole(answer, dealers = world.dealers) {
  const n = dealers.length;
  assert.equal(answer.isError, false, answer.text);
  assert.deepEqual(answer.data.coverage, { asked: n, ok: n, failed: [], failed_undisclosed: 0 });
  assertComparison(answer.data, dealers.map((d) => figures[world.dealers.indexOf(d)]), null, 'with a replica missing');
}
function assertRising(progress) {
  for (let i = 1; i < progress.length; i++)
    assert.ok(progress[i].progress > progress[i - 1].progress, `progress goes back: ${JSON.stringify(progress)}`);
}

// { OK: 12, CANCELLED: 1 }: answers of a service's method by code.
async function answers(name, method) {
  const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
  const lines = [...text.matchAll(/^rpc_server_requests_total\{(.*)\} (\d+)/gm)].filter((m) => m[1].includes(`method="${method}"`));
  return Object.fromEntries(lines.map((m) => [/code="(\w+)"/.exec(m[1])[1], Number(m[2])]));
}
const answered = async (name, method) => (await answers(name, method)).OK ?? 0;

// Waits until a replica answers calls of a method again.
async function isUsed(name, method, ask) {
  const before = await answered(name, method);
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    await Promise.all([ask(), ask()]);
    if ((await answered(name, method)) > before) return;
  }
  assert.fail(`${name} is not used again`);
}

// 16 callers ask `rounds` times each; one replica is killed when a quarter of the answers is there.
async function killUnderLoad(victim, survivor, method, ask, rounds) {
  const total = CALLERS * rounds;
  const first = { victim: await answered(victim, method), survivor: await answers(survivor, method) };
  const all = [];
  let killed;
  const asking = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; i < rounds; i++) {
      all.push(await ask(caller + i));
      if (all.length === total / 4) {
        const done = (await answered(victim, method)) - first.victim;
        await s.set.stopOne(victim, { signal: 'SIGKILL' });
        killed = { done };
      }
    }
  });
  await Promise.all(asking);
  assert.equal(all.length, total);
  assert.ok(killed.done > 0, `${victim} did its share before`);
  const now = await answers(survivor, method);
  const bad = Object.keys(now).filter((code) => code !== 'OK' && now[code] !== (first.survivor[code] ?? 0));
  assert.deepEqual(bad, [], `calls of ${survivor} were not disturbed: ${JSON.stringify(now)}`);
  // What the victim had answered was not asked again: each call was answered once.
  const others = now.OK - (first.survivor.OK ?? 0);
  assert.ok(killed.done + others <= total, `${killed.done} answered by ${victim}, ${others} by ${survivor}, of ${total}`);
  return all;
}

describe(`kill -9 under ${CALLERS} callers loses no call`, () => {
  test('report-svc', async () => {
    await slow(60);
    const all = await killUnderLoad('report', 'report2', 'RunReport', report, 12);
    for (const answer of all) assert.equal(answer.isError, false, answer.text);
    assertWhole(await compare());
    await s.set.startOne('report');
    await isUsed('report', 'RunReport', () => report(0));
  });

  test('aggregate-svc', async () => {
    await slow(60);
    const ask = async (i) => {
      const dealers = some(5 * i, 6); // Google takes 10 requests at once for each
      const answer = await compareThose(dealers, { progress: true });
      assertWhole(answer, dealers);
      assertRising(answer.progress);
      return answer;
    };
    await killUnderLoad('aggregate', 'aggregate2', 'CompareDealerSessions', ask, 5);
    await s.set.startOne('aggregate');
    await isUsed('aggregate', 'CompareDealerSessions', compare);
  });
});

test('a comparison whose service is killed after progress is made again', async () => {
  await s.set.stopOne('aggregate2'); // so that there is one to kill
  await s.sim.fault({ dealer_id: 'd24', kind: 'latency', ms: 2500, endpoint: 'report' }); // the last one to come
  const before = s.set.output('gateway').stderr.split('the call is made again').length;
  let call;
  await new Promise((resolve) => {
    call = compare({ progress: true, onText: (text) => text.includes('"progress":') && resolve() });
  });
  await s.set.stopOne('aggregate', { signal: 'SIGKILL' });
  await s.set.startOne('aggregate');
  const answer = await call;
  assertWhole(answer);
  assertRising(answer.progress);
  assert.equal(s.set.output('gateway').stderr.split('the call is made again').length, before + 1);
  await s.set.startOne('aggregate2');
});

// A thread may go on for a moment after the signal was sent.
const isStopped = (pid) =>
  fs.readdirSync(`/proc/${pid}/task`).every((id) => /^State:\s+T/m.test(fs.readFileSync(`/proc/${pid}/task/${id}/status`, 'utf8')));

// Stops a process while `work` runs; it goes on whatever happens.
async function whileHanging(name, work) {
  const pid = s.set.pid(name);
  process.kill(pid, 'SIGSTOP');
  try {
    while (!isStopped(pid)) await sleep(5);
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

// Callers ask until the time is over; answers, and the longest of them.
async function askFor(ms, asks) {
  const end = Date.now() + ms, all = [];
  let longest = 0;
  await Promise.all(
    asks.map(async (ask) => {
      while (Date.now() < end) {
        const began = Date.now();
        all.push(await ask());
        longest = Math.max(longest, Date.now() - began);
      }
    }),
  );
  return { all, longest };
}

// That the longest call of callers who met a process that hangs was longer than a quiet one by some
// seconds, and by no more than the limit.
function assertCost(longest, quiet) {
  assert.ok(longest - quiet < HANG_LIMIT_MS, `${longest} ms, and ${quiet} ms before`);
  assert.ok(longest - quiet > 3000, `some call met the one that hangs: ${longest} ms, and ${quiet} ms before`);
}

describe('a process that hangs', () => {
  test('report-svc: every call is answered by the other within 15 s', async () => {
    const asks = [compare, compare, () => report(1), () => report(2), () => report(3)];
    const quiet = await askFor(1000, asks);
    const { all, longest } = await whileHanging('report2', () => askFor(HANG_MS, asks));
    for (const answer of all) {
      assert.equal(answer.isError, false, answer.text);
      if (answer.data.coverage) assertWhole(answer);
    }
    assertCost(longest, quiet.longest);
    await isUsed('report2', 'RunReport', () => report(0));
  });

  test('aggregate-svc: the same', async () => {
    const asks = [compare, compare, compare];
    const quiet = await askFor(1000, asks);
    const { all, longest } = await whileHanging('aggregate2', () => askFor(HANG_MS, asks));
    all.forEach((answer) => assertWhole(answer));
    assertCost(longest, quiet.longest);
    await isUsed('aggregate2', 'CompareDealerSessions', compare);
  });

  test('auth-svc: it is named within 5 s to those at the door and within 15 s to those that report-svc asks for', async () => {
    assertWhole(await compare()); // the gateway knows the operator's token now
    const timed = async (ask) => {
      const began = Date.now();
      const answer = await ask();
      return { answer, ms: Date.now() - began };
    };
    const stranger = new Mcp(s.set.url, { token: admin('stranger') });
    const [list, door, one] = await whileHanging('auth', () =>
      Promise.all([
        timed(() => client.call('list_dealers', {})),
        timed(() => stranger.post({ jsonrpc: '2.0', id: 1, method: 'ping' })),
        timed(() => report(4)),
      ]),
    );
    assert.equal(list.answer.isError, true);
    assert.match(list.answer.text, /auth-svc/);
    assert.ok(list.ms < AUTH_LIMIT_MS, `list_dealers: ${list.ms} ms`);
    assert.equal(door.answer.status, 503);
    assert.match(door.answer.raw, /Auth service unavailable/);
    assert.ok(door.ms < AUTH_LIMIT_MS, `a stranger: ${door.ms} ms`);
    assert.equal(one.answer.isError, true);
    assert.match(one.answer.text, /auth-svc/);
    assert.ok(one.ms < HANG_LIMIT_MS, `run_report: ${one.ms} ms`);
    for (const end = Date.now() + patient(8000); (await report(4)).isError; await sleep(100)) assert.ok(Date.now() < end, 'it is used again');
  });
});
