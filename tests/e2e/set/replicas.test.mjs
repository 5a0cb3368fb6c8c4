// One of two replicas crashes while callers are asking.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answered, answers, assertWhole, compare, compareThose, isUsed, report, s, some } from './replicas.mjs';

const CALLERS = 16;

const slow = (ms) => s.sim.fault({ dealer_id: '*', kind: 'latency', ms, endpoint: 'report' });

function assertRising(progress) {
  for (let i = 1; i < progress.length; i++)
    assert.ok(progress[i].progress > progress[i - 1].progress, `progress goes back: ${JSON.stringify(progress)}`);
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
