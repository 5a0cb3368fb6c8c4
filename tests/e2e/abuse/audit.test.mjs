// Strangers with bearers that nobody accepts, and a caller with a good one beside them: the audit log
// stays small and whole, it counts every refusal, and the caller is refused nothing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startSet } from '../lib/set.mjs';
import { authSettings, jwt, secret } from '../set/tokens.mjs';

const MAX_BYTES = 32768, KEEP_BYTES = 65536, STRANGERS = 1500;
const key = secret();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-audit-'));
const file = path.join(dir, 'audit.log');
let set;

before(async () => {
  const settings = authSettings(key);
  Object.assign(settings.auth, {
    AUTH_AUDIT_FILE: file, AUTH_AUDIT_MAX_BYTES: String(MAX_BYTES), AUTH_AUDIT_KEEP_BYTES: String(KEEP_BYTES),
    AUTH_AUDIT_SINK: 'stdout', AUTH_AUDIT_FSYNC: 'never', LOG_LEVEL: 'INFO',
  });
  settings.gateway = { ...settings.gateway, ANALYTICS_MCP_TRUSTED_PROXIES: '127.0.0.1' };
  set = await startSet({ only: ['sim', 'auth', 'gateway'], sim: { dealers: 4, days: 2 }, env: settings });
}, { timeout: 120_000 });

after(async () => {
  await set?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

// What auth-svc writes to its output arrives here a moment after it answered.
async function written(matches, what) {
  for (const end = Date.now() + 10_000; !lines().some(matches); await pause(20)) assert.ok(Date.now() < end, `no line of ${what}`);
}

function post(bearer, message, session, from) {
  return fetch(set.url, {
    method: 'POST',
    headers: {
      ...(from ? { 'x-forwarded-for': from } : {}),
      'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${bearer}`,
      ...(session ? { 'mcp-session-id': session } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

async function openSession(bearer) {
  const answer = await post(bearer, { id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } });
  assert.equal(answer.status, 200);
  await answer.text();
  return answer.headers.get('mcp-session-id');
}

async function listDealers(bearer, session) {
  const answer = await post(bearer, { id: 1, method: 'tools/call', params: { name: 'list_dealers', arguments: { limit: 1 } } }, session);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.match(text, /"isError":false/);
}

// 20 at a time; all of them get `status`.
async function everyone(n, ask, status) {
  let next = 0;
  await Promise.all(Array.from({ length: 20 }, async () => {
    while (next < n) {
      const answer = await ask(next++);
      await answer.text();
      assert.equal(answer.status, status);
    }
  }));
}

// Files of the log, oldest first.
const files = () => fs.readdirSync(dir).filter((name) => /^audit\.log(\.\d+)?$/.test(name))
  .sort((a, b) => (a === 'audit.log') - (b === 'audit.log') || a.localeCompare(b)).map((name) => path.join(dir, name));
// Every line so far, also of files that are deleted: from the second sink.
const lines = () => set.output('auth').stdout.split('\n').filter((line) => line.startsWith('{"audit":')).map((line) => JSON.parse(line));
const metric = async (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await fetch(`${set.admin('auth')}/metrics`)).text())?.[1]);

test('1,500 refused bearers are a few lines, and a caller beside them is refused nothing', { timeout: 120_000 }, async () => {
  const good = jwt(key, { role: 'admin' });
  const session = await openSession(good);
  let going = true, calls = 0;
  const beside = (async () => { for (; going; calls++, await pause(20)) await listDealers(good, session); })();
  await everyone(STRANGERS, (i) => post(`guess${i}`, { id: 1, method: 'ping' }), 401).finally(() => { going = false; });
  await beside;
  assert.ok(calls > 0);
  const refused = lines().filter(({ event, result }) => event === 'authenticate' && result === 'denied');
  assert.ok(refused.length >= 1 && refused.length <= 4, `${refused.length} lines`);
  assert.ok(refused.every(({ client, count }) => client === '127.0.0.1' && count >= 1), JSON.stringify(refused));
  const counted = await metric('auth_audit_refusals_counted_total');
  assert.equal(counted + refused.filter(({ count }) => count === 1).length, STRANGERS);
});

test('a stranger behind a trusted proxy is named by his own address, whatever else he wrote', { timeout: 20_000 }, async () => {
  for (const [from, client] of [['6.6.6.6, 192.0.2.7', '192.0.2.7'], ['2001:db8:1:2:3::7', '2001:db8:1:2::/64']]) {
    await everyone(1, () => post('guess', { id: 1, method: 'ping' }, undefined, from), 401);
    await written((line) => line.client === client && line.result === 'denied', client);
  }
});

test('free space of the volume is a metric', { timeout: 20_000 }, async () => {
  const { bavail, bsize } = fs.statfsSync(dir);
  const free = await metric('auth_audit_free_bytes');
  assert.ok(Math.abs(free - bavail * bsize) < 0.5 * bavail * bsize, `${free} of ${bavail * bsize}`);
  assert.equal(await metric('auth_audit_space_low'), Number(free < 134217728));
});

test('old files go, the rest is whole, and every refusal is counted in the end', { timeout: 120_000 }, async () => {
  const good = jwt(key, { role: 'admin' });
  const session = await openSession(good);
  for (let i = 0; i < 200 || (i < 2000 && !lines().some(({ event }) => event === 'audit_deleted')); i++) await listDealers(good, session);
  await set.stopOne('auth');
  const bytes = files().slice(0, -1).reduce((sum, name) => sum + fs.statSync(name).size, 0);
  assert.ok(bytes <= KEEP_BYTES + MAX_BYTES, `${bytes} bytes of rotated files`); // the last may have been rotated just now
  const all = lines();
  assert.deepEqual(all.map(({ seq }) => seq), all.map((_, i) => i + 1), 'the sink has every line');
  const refused = all.filter(({ event, result }) => event === 'authenticate' && result === 'denied');
  assert.equal(refused.reduce((sum, { count }) => sum + count, 0), STRANGERS + 2);
  const program = path.join(process.env.BUILD_DIR, 'bin/auth-svc');
  const { stdout } = await promisify(execFile)(program, ['audit', 'verify', ...files()]);
  assert.match(stdout, /^begins with number \d+: the lines before it were deleted by age or size \(AUTH_AUDIT_KEEP_\*\), as a line says$/m);
  assert.match(stdout, new RegExp(`the last has number ${all.length}, 0 faults`));
});
