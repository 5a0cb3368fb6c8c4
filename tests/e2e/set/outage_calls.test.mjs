// Services that end, crash or are restarted in the middle of calls; two replicas of report-svc.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { client, date_range, everyone, reconnect, recovers, report, s, tools, world } from './outage.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { daysBefore } from './world.mjs';

const USED_MS = 30_000; // by a set whose processors are busy with other things

// Waits until so many requests for reports are at Google.
async function underWay(n) {
  for (let i = 0; (await s.sim.stats()).totals.in_flight < n; i++) {
    assert.ok(i < 500, `fewer than ${n} requests are under way`);
    await sleep(20);
  }
}

describe('SIGTERM in the middle of a call lets it end', () => {
  const slow = () => s.sim.fault({ dealer_id: '*', kind: 'latency', ms: 2500, endpoint: 'report' });

  for (const name of ['report', 'aggregate', 'auth', 'gateway'])
    test(name, async () => {
      await recovers();
      await slow();
      const call = client.call('compare_dealer_sessions', everyone(), { progress: true });
      const single = client.call('run_report', report());
      await underWay(25);
      await s.set.stopOne(name); // throws unless it ends with 0 in time
      const [answer, one] = await Promise.all([call, single]);
      assert.equal(answer.isError, false, answer.text);
      assert.deepEqual(answer.data.coverage, { asked: 24, ok: 24, failed: [], failed_undisclosed: 0 });
      // Which chats were texts is asked for with a token of its own: where auth-svc has ended before, the answer
      // says what is missing.
      const told = new Set(answer.data.dealers.filter((d) => d.live_chats != null).map((d) => d.dealer_id));
      const figures = world.dealers.map((d) => figuresOf(world, d, date_range));
      const untold = figures.filter((f) => name === 'auth' && f.liveChats !== undefined && !told.has(f.dealer.dealer_id));
      assertComparison(answer.data, figures.map((f) => (untold.includes(f) ? { ...f, liveChats: undefined, texts: undefined } : f)), null, name);
      if (untold.length > 0)
        assert.match(answer.data.caveats.join('\n'), /Chats include texts, which could not be told apart, at /);
      assert.equal(one.isError, false, one.text);
      await s.sim.clear();
      await s.set.startOne(name);
      if (name === 'gateway') await reconnect();
      await recovers();
    });
});

test('a call that is cancelled is cancelled down to the requests to Google', async () => {
  const cancelled = async () => {
    let n = 0;
    for (const name of ['report', 'report2']) {
      const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
      n += Number(/^http_client_requests_total\{.*code="CANCELLED"\} (\d+)/m.exec(text)?.[1] ?? 0);
    }
    return n;
  };
  await s.sim.fault({ dealer_id: '*', kind: 'latency', ms: 10_000, endpoint: 'report' });
  const before = await cancelled();
  const call = client.call('compare_dealer_sessions', everyone(), { progress: true });
  await underWay(24);
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1e6 } }); // of no call
  const began = Date.now();
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: client.lastId } });
  const answer = await call;
  assert.ok(Date.now() - began < patient(6000), 'the call ended at once');
  assert.equal(answer.result, undefined, 'a cancelled call has no result');
  // One batch of reports per dealer.
  for (let i = 0; (await cancelled()) < before + 24; i++) {
    assert.ok(i < 100, `${(await cancelled()) - before} of 24 requests were cancelled`);
    await sleep(100);
  }
  await s.sim.clear();
  await recovers();
});

// Requests for reports that a replica of report-svc has sent to Google since its start.
async function reportsOf(name) {
  const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
  return [...text.matchAll(/^\w*requests_total\{[^}]*unReports?"[^}]*"ok"[^}]*\} (\d+)/gm)].reduce((n, m) => n + Number(m[1]), 0);
}
// A replica that was just started takes its share of what others ask.
async function isUsed(name) {
  const end = Date.now() + USED_MS;
  while ((await reportsOf(name)) === 0) {
    if (Date.now() > end) assert.fail(`${name} is not used within ${USED_MS} ms`);
    await sleep(50);
  }
}

describe('two replicas of report-svc', () => {
  test('killing one under load loses no fan-out', async () => {
    await s.sim.fault({ dealer_id: '*', kind: 'latency', ms: 60, endpoint: 'report' });
    const week = { ...date_range, start_date: daysBefore(date_range.end_date, 6) };
    const figures = world.dealers.map((d) => figuresOf(world, d, week));
    const seen = { calls: 0, errors: [] };
    let on = true;
    const asking = Array.from({ length: 3 }, async () => {
      while (on) {
        const answer = await client.call('compare_dealer_sessions', { ...everyone(), date_range: week });
        seen.calls++;
        if (answer.isError || answer.data.coverage.ok !== 24)
          seen.errors.push(answer.isError ? answer.text : JSON.stringify(answer.data.coverage));
        else assertComparison(answer.data, figures, null, 'under load');
      }
    });
    for (let i = 0; i < 3 || (seen.calls <= 10 && i < 12); i++) {
      const name = i % 2 === 0 ? 'report' : 'report2';
      await sleep(500);
      await s.set.stopOne(name, { signal: 'SIGKILL' });
      await sleep(700);
      await s.set.startOne(name);
      await isUsed(name); // before the other one is killed
    }
    on = false;
    await Promise.all(asking);
    assert.deepEqual(seen.errors, [], `of ${seen.calls} calls`);
    assert.ok(seen.calls > 10, `${seen.calls} calls`);
  });

  test('a rolling restart loses no call', async () => {
    await s.sim.fault({ dealer_id: '*', kind: 'latency', ms: 40, endpoint: 'report' });
    const errors = [];
    let on = true, calls = 0;
    const asking = ['compare', 'report', 'across', 'report'].map(async (tool) => {
      while (on) {
        const answer = await tools[tool]();
        calls++;
        if (answer.isError || answer.data.coverage?.failed.length > 0) errors.push(`${tool}: ${answer.text.slice(0, 300)}`);
      }
    });
    for (const name of ['report', 'report2']) {
      await s.set.restart(name);
      await isUsed(name);
    }
    on = false;
    await Promise.all(asking);
    assert.deepEqual(errors, [], `of ${calls} calls`);
  });

  test('both do their share', async () => {
    for (let i = 0; i < 4; i++) await tools.across();
    for (const name of ['report', 'report2']) assert.ok((await reportsOf(name)) > 0, name);
  });
});
