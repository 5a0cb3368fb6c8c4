// The set starts, stops, restarts, and does not hide how its processes ended.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSet } from './set.mjs';

const SMALL = { dealers: 3, days: 30 };
const ALL = ['sim', 'auth', 'report', 'aggregate', 'gateway'];

async function status(url) {
  return (await fetch(url, { signal: AbortSignal.timeout(5000) })).status;
}

function alive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('all processes become ready, and end cleanly without leaving files', async () => {
  const set = await startSet({ sim: SMALL });
  assert.deepEqual(set.names, ALL);
  for (const name of ALL.slice(1)) {
    assert.equal(await status(`${set.admin(name)}/readyz`), 200, name);
    assert.match(await (await fetch(`${set.admin(name)}/metrics`)).text(), /^# TYPE /m, name);
  }
  assert.equal(await status(`${set.sim}/livez`), 200);
  assert.notEqual(await status(set.url), 404);
  const pids = ALL.map((name) => set.pid(name));
  await set.stop();
  assert.deepEqual(pids.filter(alive), []);
  assert.equal(fs.existsSync(set.dir), false);
  await set.stop(); // again does nothing
});

test('a restarted process keeps its address and its output', async () => {
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'] });
  const { pid, address } = { pid: set.pid('auth'), address: set.grpc('auth') };
  await set.restart('auth');
  await set.restart('auth', { signal: 'SIGKILL' });
  assert.notEqual(set.pid('auth'), pid);
  assert.equal(set.grpc('auth'), address);
  assert.equal(await status(`${set.admin('auth')}/readyz`), 200);
  assert.equal(set.output('auth').stderr.match(/"configuration loaded"/g).length, 3);
  await set.stop();
});

test('two report services share the work under one address', async () => {
  const set = await startSet({ sim: SMALL, reportReplicas: 2 });
  assert.deepEqual(set.names, ['sim', 'auth', 'report', 'report2', 'aggregate', 'gateway']);
  for (const name of ['report', 'report2'])
    assert.equal(await status(`${set.admin(name)}/readyz`), 200);
  await set.stopOne('report2');
  await set.startOne('report2');
  await set.stop();
});

// Ends a process behind the set's back, and waits until it has been reaped here.
async function endsBy(pid, signal) {
  process.kill(pid, signal);
  for (let i = 0; fs.existsSync(`/proc/${pid}`); i++) {
    assert.ok(i < 1000, `${pid} goes on`);
    await sleep(20);
  }
  await sleep(20);
}

test('a process that ended by itself is reported by check() and by stop()', async () => {
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'] });
  await endsBy(set.pid('auth'), 'SIGKILL');
  assert.throws(() => set.check(), /auth ended by itself: signal SIGKILL/);
  await set.startOne('auth');
  await endsBy(set.pid('auth'), 'SIGTERM'); // a clean end, but nobody asked for it
  await assert.rejects(set.stop(), /auth ended by itself: exit code 0/);
  fs.rmSync(set.dir, { recursive: true });
});

test('a bad exit code on the way out is reported with the end of standard error', async () => {
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'] });
  process.kill(set.pid('auth'), 'SIGSTOP'); // so that it cannot end in time
  await assert.rejects(set.stop(), /auth did not end within \d+ s of SIGTERM and was killed/);
  fs.rmSync(set.dir, { recursive: true });
});

test('a process that does not start is named with its message, and the others are stopped', async () => {
  const before = new Set(fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)));
  const broken = startSet({ sim: SMALL, env: { auth: { ADMIN_LISTEN: 'nine' } } });
  const error = await broken.then(() => assert.fail('it started'), (e) => e);
  assert.match(error.message, /^auth ended by itself: exit code 78/);
  assert.match(error.message, /ADMIN_LISTEN/);
  const dir = /files are in (\S+)/.exec(error.message)[1];
  const left = fs.readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || before.has(name)) return false;
    try {
      return fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(dir);
    } catch {
      return false;
    }
  });
  assert.deepEqual(left, []);
  fs.rmSync(dir, { recursive: true });
});

test('names that do not exist are refused', async () => {
  await assert.rejects(startSet({ only: ['reports'] }), /reports must be one of sim,auth,report/);
});

test('a secret in what a process printed fails the set, without being repeated', async () => {
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'] });
  set.secrets.add('a word of the log', 'configuration'); // stands in for a secret
  const error = await set.stop().then(() => assert.fail('not found'), (e) => e);
  assert.match(error.message, /a secret is to be seen: auth stderr holds a word of the log as plain text/);
  assert.doesNotMatch(error.message, /configuration/);
  fs.rmSync(set.dir, { recursive: true });
});

test('secrets given by environment are gone from /proc when the service runs', async () => {
  const key = 'f00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeed';
  const secret = 'an-hs256-secret-that-only-this-test-knows';
  const env = { AUTH_SEAL_KEY: key, AUTH_JWT_HS256_SECRET: secret, AUTH_JWT_ISSUER: 'https://issuer.example' };
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'], env: { auth: env } });
  let environ;
  try {
    environ = fs.readFileSync(`/proc/${set.pid('auth')}/environ`, 'latin1');
  } catch (error) {
    assert.equal(error.code, 'EACCES'); // not dumpable: not even its own user may look
    await set.stop();
    return;
  }
  assert.match(environ, /AUTH_JWT_ISSUER=https:\/\/issuer\.example/); // what we look at is the environment
  assert.ok(!environ.includes(key) && !environ.includes(secret));
  await set.stop();
});

test('the dealers of the simulator are among the secrets looked for', async () => {
  const set = await startSet({ sim: SMALL, only: ['sim', 'auth'] });
  const { dealers } = JSON.parse(fs.readFileSync(set.dealersFile, 'utf8'));
  await set.stopOne('auth');
  for (const { oauth } of dealers)
    for (const value of [oauth.client_secret, oauth.refresh_token]) {
      const before = set.secrets.findings.length;
      set.secrets.look('a page', `x ${Buffer.from(`?${value}`).toString('base64')} y`);
      assert.ok(set.secrets.findings.length > before);
    }
  set.secrets.findings.length = 0;
  await set.stop();
});
