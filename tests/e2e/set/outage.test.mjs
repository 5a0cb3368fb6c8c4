// Services that stop, crash, come back, end in the middle of a call; two replicas of report-svc.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const ANSWER_MS = patient(15_000); // an error must be there by then
const USED_MS = 30_000; // by a set whose processors are busy with other things
const BACK_MS = patient(8_000); // a service that is back must be used by then

let s, client, world, date_range, key;
const admin = (sub = 'operator') => jwt(key, { sub, role: 'admin' });

before(async () => {
  key = secret();
  const auth = authSettings(key);
  s = await startOverWorld({
    reportReplicas: 2,
    env: { ...auth, aggregate: { AGGREGATE_BATCH_DEALERS: 3 }, report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0, REPORT_LEASE_MS: 0 } },
  });
  world = s.world;
  client = await Mcp.connect(s.set.url, { token: admin() });
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
});
after(() => s?.stop());
afterEach(() => s.sim.clear());

const everyone = () => ({ dealer_ids: world.dealers.map((d) => d.dealer_id), date_range, limit: 500 });
const report = () => ({ dealer_id: 'd02', metrics: ['sessions'], date_ranges: [date_range] });
const tools = {
  list: () => client.call('list_dealers', {}),
  report: () => client.call('run_report', report()),
  accounts: () => client.call('get_account_summaries', {}),
  compare: () => client.call('compare_dealer_sessions', { region: 'West', date_range }),
  across: () => client.call('run_report_across_dealers', { region: 'West', metrics: ['sessions'], date_range }),
};

// The text of an error that came in time.
async function fails(tool) {
  const began = Date.now();
  const answer = await tools[tool]();
  const ms = Date.now() - began;
  assert.equal(answer.status, 200, answer.raw);
  assert.ok(answer.isError, `${tool} should fail: ${answer.raw.slice(0, 300)}`);
  assert.ok(ms < ANSWER_MS, `${tool} took ${ms} ms to fail`);
  return answer.text;
}
// All of them fail, each with a text that matches.
async function fail(names, pattern) {
  const texts = await Promise.all(names.map((tool) => fails(tool)));
  texts.forEach((text, i) => assert.match(text, pattern, names[i]));
}
async function works(tool) {
  const answer = await tools[tool]();
  assert.equal(answer.isError, false, `${tool}: ${answer.text}`);
  if (answer.data.coverage) assert.deepEqual(answer.data.coverage.failed, [], tool);
}
// All tools work again within the time a restart may take to be noticed.
async function recovers() {
  const end = Date.now() + BACK_MS;
  for (const tool of Object.keys(tools))
    for (;;) {
      const answer = await tools[tool]();
      if (!answer.isError && !(answer.data?.coverage?.failed.length > 0)) break;
      if (Date.now() > end) assert.fail(`${tool} still fails: ${answer.text.slice(0, 600)}`);
      await sleep(100);
    }
}
const health = async () => (await fetch(new URL('/health', s.set.url))).json();
async function becomes(name, state) {
  for (let i = 0; i < patient(80); i++) {
    if ((await health()).backends[name] === state) return;
    await sleep(100);
  }
  assert.fail(`/health does not say that ${name} is ${state}`);
}

describe('a service that is down is named, and used again when it is back', () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`report-svc, ${signal}`, async () => {
      await Promise.all([s.set.stopOne('report', { signal }), s.set.stopOne('report2', { signal })]);
      await fail(['report', 'accounts', 'compare', 'across'], /report-svc/);
      await works('list');
      await becomes('report-svc', 'unreachable');
      assert.equal((await health()).status, 'degraded');
      await Promise.all([s.set.startOne('report'), s.set.startOne('report2')]);
      await recovers();
      await becomes('report-svc', 'ready');
    });

    test(`aggregate-svc, ${signal}`, async () => {
      await s.set.stopOne('aggregate', { signal });
      await fail(['compare', 'across'], /aggregate-svc/);
      for (const tool of ['list', 'report', 'accounts']) await works(tool);
      await s.set.startOne('aggregate');
      await recovers();
    });

    test(`auth-svc, ${signal}`, async () => {
      await recovers(); // the gateway knows the operator's token now
      await s.set.stopOne('auth', { signal });
      await fail(Object.keys(tools), /auth-svc/);
      const stranger = new Mcp(s.set.url, { token: admin(`new-${signal}`) });
      const began = Date.now();
      const door = await stranger.post({ jsonrpc: '2.0', id: 1, method: 'ping' });
      assert.equal(door.status, 503, 'nobody has to log in again');
      assert.ok(Date.now() - began < ANSWER_MS);
      assert.match(door.raw, /Auth service unavailable/);
      assert.ok(Number(door.headers.get('retry-after')) > 0);
      assert.equal(door.headers.get('www-authenticate'), null);
      await s.set.startOne('auth');
      await recovers();
      await Mcp.connect(s.set.url, { token: admin(`new-${signal}`) });
    });
  }

  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'newcomer', version: '1' } };
  // initialize, and what follows it in a session, each with a token the gateway has not seen yet: it
  // must ask auth-svc about every one.
  const newcomers = (when) =>
    Promise.all(
      [['initialize', hello], ['ping'], ['tools/list', {}]].map(async ([method, params]) => {
        const sub = `${when}-${method}`;
        const headers = {};
        if (method !== 'initialize') {
          const opened = await new Mcp(s.set.url, { token: admin(sub) }).request('initialize', hello);
          headers['Mcp-Session-Id'] = opened.headers.get('mcp-session-id');
        }
        const client = new Mcp(s.set.url, { token: jwt(key, { sub, role: 'admin', jti: 'renewed' }), headers });
        return async () => {
          const began = Date.now();
          const answer = await client.request(method, params);
          return { method, ms: Date.now() - began, ...answer };
        };
      }),
    );

  test('newcomers wait while auth-svc is away for a moment', async () => {
    const all = await newcomers('moment');
    await s.set.stopOne('auth', { signal: 'SIGKILL' });
    const asked = all.map((ask) => ask());
    await s.set.startOne('auth');
    for (const answer of await Promise.all(asked)) {
      assert.equal(answer.status, 200, `${answer.method}: ${answer.status} ${answer.raw}`);
      assert.ok(answer.result, `${answer.method}: ${answer.raw}`);
    }
  });

  test('newcomers get an error of JSON-RPC within seconds when auth-svc stays away', async () => {
    const all = await newcomers('away');
    await s.set.stopOne('auth', { signal: 'SIGKILL' });
    for (const answer of await Promise.all(all.map((ask) => ask()))) {
      assert.equal(answer.status, 503, `${answer.method}: ${answer.raw}`);
      assert.ok(answer.ms > 1500 && answer.ms < ANSWER_MS, `${answer.method} took ${answer.ms} ms`);
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
      assert.match(answer.headers.get('content-type'), /^application\/json/);
      const body = JSON.parse(answer.raw);
      assert.deepEqual([body.jsonrpc, body.id, body.error.code], ['2.0', 1, -32000]);
      assert.match(body.error.message, /Auth service unavailable/);
    }
    await s.set.startOne('auth');
    await recovers();
  });

  test('Google is down', async () => {
    await s.set.stopOne('sim');
    assert.match(await fails('report'), /Google could not be reached/);
    assert.match(await fails('compare'), /Google could not be reached/);
    await works('list');
    await s.set.startOne('sim');
    await recovers();
  });

  test('the gateway itself: sessions end with it and a client that connects again goes on', async () => {
    await s.set.restart('gateway');
    const lost = await client.post({ jsonrpc: '2.0', id: 1, method: 'ping' });
    assert.equal(lost.status, 404, 'the session is no longer known');
    client = await Mcp.connect(s.set.url, { token: admin() });
    await recovers();
  });
});

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
      if (name === 'gateway') client = await Mcp.connect(s.set.url, { token: admin() });
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
