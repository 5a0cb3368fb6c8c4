// Services that stop, crash, and come back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { admin, client, key, reconnect, recovers, s, tools } from './outage.mjs';
import { jwt } from './tokens.mjs';

const ANSWER_MS = patient(15_000); // an error must be there by then

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
    await reconnect();
    await recovers();
  });
});
