// A well-behaved caller runs through each attack on the gateway: nothing of it is refused, it is not
// much slower, /health answers, and what the attack took is given back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startBackend, startGateway } from '../mcp/programs.mjs';

const SECONDS = 4;
// A p99 below that is the machine's noise: attacker, gateway, services and caller share its processors.
const FLOOR_MS = 25;
// Sanitizers keep freed memory for a while and slow down everything.
const sanitized = /asan|tsan/.test(process.env.BUILD_DIR ?? '');

let backend, gateway, session;
const agent = new http.Agent({ keepAlive: true });

function ask(method, url, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const request = http.request({ agent, host: '127.0.0.1', port: gateway.port, path: url, method, headers }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers, ms: performance.now() - start }));
    });
    request.setTimeout(10_000, () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
    request.end(body);
  });
}

const mcp = (message) => ask('POST', '/mcp', {
  'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: 'Bearer good-alice',
  ...(session ? { 'mcp-session-id': session } : {}),
}, JSON.stringify({ jsonrpc: '2.0', ...message }));

const p99 = (values) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * 0.99))];

/** A call and a look at /health every 20 ms, as long as `going` says. */
async function behave(going) {
  const calls = [], health = [];
  while (going()) {
    const [answer, alive] = await Promise.all([
      mcp({ id: calls.length + 1, method: 'tools/call', params: { name: 'list_dealers', arguments: { query: 'ford' } } }),
      ask('GET', '/health'),
    ]);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /"isError":false/);
    assert.equal(alive.status, 200);
    calls.push(answer.ms);
    health.push(alive.ms);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { calls: p99(calls), health: p99(health), n: calls.length };
}

function behaveFor(ms) {
  const end = Date.now() + ms;
  return behave(() => Date.now() < end);
}

function rss() {
  return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]) / 1024;
}

// Noise of the machine only ever adds; what the gateway itself does wrong shows every time.
const ATTEMPTS = 3;

/** Runs an attack beside the well-behaved caller. */
async function under(name) {
  let going = true;
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'attack.mjs'), name, String(gateway.port), String(SECONDS)],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = '';
  child.stdout.on('data', (part) => { seen += part; });
  const ended = once(child, 'exit').then(([code]) => { going = false; return code; });
  try {
    const figures = await behave(() => going);
    assert.equal(await ended, 0);
    return { ...figures, seen: JSON.parse(seen) };
  } finally {
    child.kill('SIGKILL');
  }
}

before(async () => {
  backend = await startBackend();
  gateway = await startGateway(backend, { env: { ANALYTICS_MCP_MAX_CONNECTIONS: '256', LOG_LEVEL: 'INFO' } });
  session = (await mcp({ id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } })).headers['mcp-session-id'];
});
after(async () => {
  agent.destroy();
  await gateway?.stop();
  await backend?.stop();
});

for (const [name, what, check] of [
  ['silent', 'connections that say nothing'],
  ['bodies', 'bodies of strangers that never end', (seen) => assert.ok(!seen['200'])],
  ['large', 'large bodies of a known caller that never end'],
  ['unread', 'answers that are never read'],
  ['calls', 'calls without end', (seen) => assert.ok(seen['200'] > 0)],
  ['sessions', 'sessions without end', (seen) => assert.ok(seen['200'] > 100)],
]) {
  test(`a well-behaved caller runs through ${what}`, async (t) => {
    let wrong;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await behaveFor(1500);
      const memory = rss();
      const during = await under(name);
      const after = await behaveFor(2500);
      const later = rss();
      const quiet = Math.max(before.calls, after.calls, FLOOR_MS), idle = Math.max(before.health, after.health);
      t.diagnostic(`${name}: p99 ${before.calls.toFixed(1)} -> ${during.calls.toFixed(1)} ms, /health ${during.health.toFixed(1)} ms, `
        + `${during.n} calls, memory ${memory.toFixed(0)} -> ${later.toFixed(0)} MiB, attacker saw ${JSON.stringify(during.seen)}`);
      check?.(during.seen);
      assert.ok(during.n > 20, `only ${during.n} calls`);
      wrong = [
        during.calls < 4 * quiet || `p99 ${quiet} -> ${during.calls} ms`,
        during.health < Math.max(50, 2 * idle) || `/health p99 ${idle} -> ${during.health} ms`,
        later < memory * 1.2 + 2 || `memory ${memory} -> ${later} MiB`,
      ].filter((result) => result !== true);
      if (wrong.length === 0 || sanitized) return;
    }
    assert.deepEqual(wrong, []);
  });
}
