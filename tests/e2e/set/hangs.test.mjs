// One of two replicas hangs while callers are asking; auth-svc hangs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { admin, assertWhole, client, compare, isUsed, report, s } from './replicas.mjs';

const HANG_LIMIT_MS = patient(15_000); // what a process that hangs may cost a caller, beyond its call's time
const AUTH_LIMIT_MS = patient(8_000); // 5 s for auth-svc, and the way there and back on a busy machine
const HANG_MS = Number(process.env.AMCP_HANG_SECONDS ?? 16) * 1000;
const PAUSE_MS = 250; // between two calls of one caller: the wait is what counts here, not the load

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
        await sleep(PAUSE_MS);
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
