// Two replicas of report-svc that share places, quota, server errors and answers over a real Redis,
// each behind a gateway of its own, so that a test chooses whom it asks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { freePort } from '../lib/ports.mjs';
import { certificateFor, Redis, redisInstalled } from '../lib/redis.mjs';
import { Mcp } from './mcp.mjs';
import { secret } from './tokens.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const PLACES = 10; // at once per property
const ERRORS = 6; // per property and hour
const LEASE_MS = 10_000; // what a replica that died may hold its places
const BACK_MS = patient(15_000); // a Redis that is back must be in use by then
const REPLICAS = ['report', 'report2'];
// All that the user of the services must be allowed to do; docs/DEPLOYMENT.md names the same.
const RIGHTS =
  '~amcp:* +auth +select +ping +evalsha +script|load +time +hmget +hset +hdel +pexpire +zadd +zrem +zcard +zrevrange ' +
  '+zremrangebyscore +zremrangebyrank +get +set +pttl';

let s, redis, password, one, two, today;

const skip = redisInstalled ? false : 'redis-server is not installed (deploy/install-deps.sh --tests)';

// Waits until it holds; the message says what was waited for.
async function until(what, holds, ms = BACK_MS) {
  for (const end = Date.now() + ms; !(await holds()); await sleep(25)) assert.ok(Date.now() < end, `not within ${ms} ms: ${what}`);
}

async function metric(name, pattern) {
  const text = await (await fetch(`${s.set.admin(name)}/metrics`)).text();
  return [...text.matchAll(pattern)].reduce((sum, m) => sum + Number(m[1]), 0);
}
const redisUp = (name) => metric(name, /^report_redis_up (\d+)/gm);
const sharedHits = (name) => metric(name, /^report_cache_lookups_total\{result="shared"\} (\d+)/gm);
const googleRequests = (name) => metric(name, /^report_google_requests_total\{[^}]*\} (\d+)/gm);
const bothAre = (up) => until(`report_redis_up ${up}`, async () => (await Promise.all(REPLICAS.map(redisUp))).every((n) => n === up));
const lines = (name, text) => s.set.output(name).stderr.split('\n').filter((line) => line.includes(text));
const dealer = (id) => s.world.dealer(id);
const atSim = async (id) => (await s.sim.stats()).properties[dealer(id).property_id];

// The n-th question about a dealer: no two are equal.
const ask = (client, id, n) => {
  const end = daysBefore(today, 10 + n);
  return client.call('run_report', { dealer_id: id, metrics: ['sessions'], date_ranges: [{ start_date: daysBefore(end, 6), end_date: end }] });
};
async function works(client, id, n) {
  const answer = await ask(client, id, n);
  assert.equal(answer.isError, false, answer.text);
  return answer;
}
async function refuses(client, id, n, pattern) {
  const answer = await ask(client, id, n);
  assert.equal(answer.isError, true, answer.raw.slice(0, 300));
  assert.match(answer.text, pattern);
}

before(async () => {
  if (skip) return;
  password = secret();
  today = todayIn('UTC');
  const port = await freePort();
  s = await startOverWorld({
    reportReplicas: 2,
    replicas: { gateway: 2 },
    standby: ['gateway', 'gateway2', 'report', 'report2'],
    env: { report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 3600, REDIS_TIMEOUT_MS: 800, LOG_LEVEL: 'DEBUG' } },
  });
  const user = ['--user', 'default off', '--user', `analytics on >${password} ${RIGHTS}`];
  redis = new Redis({ port, dir: path.join(s.set.dir, 'redis'), flags: user.flatMap((flag) => (flag === '--user' ? [flag] : flag.split(' '))) });
  await redis.start();
  s.set.secrets.add('password of Redis', password);
  const url = `redis://analytics:${password}@127.0.0.1:${port}/0`;
  const file = path.join(s.set.dir, 'redis-url');
  fs.writeFileSync(file, `${url}\n`, { mode: 0o600 });
  s.set.changeEnv('report', { REDIS_URL: url });
  s.set.changeEnv('report2', { REDIS_URL_FILE: file });
  s.set.changeEnv('gateway', { REPORT_SVC_ADDR: s.set.grpc('report') });
  s.set.changeEnv('gateway2', { REPORT_SVC_ADDR: s.set.grpc('report2') });
  for (const name of [...REPLICAS, 'gateway', 'gateway2']) await s.set.startOne(name);
  one = await Mcp.connect(`http://${s.set.http('gateway')}/mcp`);
  two = await Mcp.connect(`http://${s.set.http('gateway2')}/mcp`);
  await bothAre(1);
});
after(async () => {
  await s?.stop();
  await redis?.kill();
});
afterEach(() => s?.sim.clear());

describe('two replicas over one Redis', { skip }, () => {
  test('a property is asked by ten at once over both, never more', async () => {
    await s.sim.fault({ dealer_id: 'd02', kind: 'latency', ms: 250, endpoint: 'report' });
    await s.sim.resetStats();
    const before = await Promise.all(REPLICAS.map(googleRequests));
    const asking = Array.from({ length: 40 }, (_, i) => works(i % 2 === 0 ? one : two, 'd02', i));
    await Promise.all(asking);
    const { max_concurrent, quota_refused } = await atSim('d02');
    assert.equal(max_concurrent, PLACES);
    assert.equal(quota_refused, 0);
    const asked = (await Promise.all(REPLICAS.map(googleRequests))).map((n, i) => n - before[i]);
    assert.deepEqual(asked, [20, 20], 'both asked, each question once');
  });

  test('an answer of one is found by the other', async () => {
    const first = await works(one, 'd03', 0);
    await s.sim.resetStats();
    const hits = await sharedHits('report2');
    const second = await works(two, 'd03', 0);
    assert.deepEqual(second.data.rows, first.data.rows);
    assert.ok(first.data.rows.length > 0);
    assert.equal((await atSim('d03')).report_requests, 0, 'Google was not asked');
    assert.equal(await sharedHits('report2'), hits + 1);
    await works(two, 'd03', 0); // from its own cache now
    assert.equal(await sharedHits('report2'), hits + 1);
    const of = dealer('d04');
    await works(two, of.dealer_id, 0); // the same question about another dealer
    assert.equal((await atSim('d04')).report_requests, 1);
  });

  test('server errors met by one hold the other back', async () => {
    await s.sim.fault({ dealer_id: 'd05', kind: '503' });
    for (let i = 0; i * 3 < ERRORS; i++) assert.equal((await ask(one, 'd05', i)).isError, true);
    const before = await googleRequests('report2');
    await s.sim.clear();
    await refuses(two, 'd05', 9, /nothing is sent until \d\d:\d\dZ/);
    assert.equal(await googleRequests('report2'), before);
    await works(two, 'd06', 0);
  });

  test('a quota that one found used up is known to the other', async () => {
    await s.sim.fault({ dealer_id: 'd07', kind: '429_hourly' });
    await refuses(one, 'd07', 0, /quota/);
    await s.sim.clear();
    const before = await googleRequests('report2');
    await refuses(two, 'd07', 1, /quota exhausted until \d\d:\d\dZ at the latest/);
    assert.equal(await googleRequests('report2'), before);
  });

  test('a replica that is killed frees its places once their lease is over', async () => {
    await s.sim.fault({ dealer_id: 'd08', kind: 'latency', ms: 5000, endpoint: 'report' });
    const lost = Promise.allSettled(Array.from({ length: PLACES }, (_, i) => ask(one, 'd08', i)));
    await until('ten requests at Google', async () => (await atSim('d08')).in_flight === PLACES, 10_000);
    await s.set.stopOne('report', { signal: 'SIGKILL' });
    const began = Date.now();
    assert.equal((await atSim('d08')).in_flight, PLACES, 'it was killed in the middle');
    await s.sim.clear();
    await works(two, 'd09', 0); // of another property, at once
    assert.ok(Date.now() - began < 2000);
    await works(two, 'd08', 20);
    const took = Date.now() - began;
    assert.ok(took > LEASE_MS / 2, `the places were held: ${took} ms`);
    assert.ok(took < LEASE_MS + 2000, `they were freed: ${took} ms`);
    await lost;
    await s.set.startOne('report');
    await bothAre(1);
    await until('the gateway uses it again', async () => !(await ask(one, 'd09', 1)).isError);
  });

  test('without Redis answers go on; it is used again once it is back', async () => {
    const said = REPLICAS.map((name) => lines(name, 'Redis is unreachable').length);
    await redis.kill();
    await bothAre(0);
    for (let i = 0; i < 5; i++) await Promise.all([works(one, 'd10', i), works(two, 'd10', i + 5)]);
    await works(one, 'd10', 7); // what the other has is not known here: no error
    await s.sim.fault({ dealer_id: 'd11', kind: 'latency', ms: 100, endpoint: 'report' });
    await s.sim.resetStats();
    await Promise.all(Array.from({ length: 20 }, (_, i) => works(one, 'd11', i)));
    assert.equal((await atSim('d11')).max_concurrent, PLACES, 'a replica keeps to ten by itself');
    REPLICAS.forEach((name, i) => assert.equal(lines(name, 'Redis is unreachable').length, said[i] + 1, `${name}: one line`));
    for (const name of REPLICAS) {
      const page = await (await fetch(`${s.set.admin(name)}/readyz`)).text();
      assert.match(page, /redis: unreachable/);
    }
    await redis.start();
    await bothAre(1);
    REPLICAS.forEach((name, i) => assert.equal(lines(name, 'Redis is unreachable').length, said[i] + 1, `${name}: one line`));
    await works(one, 'd12', 0);
    const hits = await sharedHits('report2');
    await works(two, 'd12', 0);
    assert.equal(await sharedHits('report2'), hits + 1);
  });

  test('a Redis that hangs costs an answer little', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const began = Date.now();
      await works(one, 'd13', 0);
      assert.ok(Date.now() - began < 4000, `${Date.now() - began} ms`);
      await bothAre(0);
      await works(one, 'd13', 1);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await bothAre(1);
  });

  test('another password is refused by Redis, and answers go on', async () => {
    s.set.changeEnv('report2', { REDIS_URL_FILE: null, REDIS_URL: `redis://analytics:not-the-password@127.0.0.1:${redis.port}` });
    await s.set.restart('report2');
    await until('the reason is said', () => lines('report2', 'signing in: WRONGPASS').length === 1);
    assert.equal(await redisUp('report2'), 0);
    await until('the gateway uses it again', async () => !(await ask(two, 'd14', 0)).isError);
    assert.equal(s.set.output('report2').stderr.includes('not-the-password'), false);
  });

  test('rediss:// takes a certificate of the named authority for its host, and no other', async () => {
    const dir = path.join(s.set.dir, 'tls');
    const good = certificateFor(dir, 'IP:127.0.0.1', 'good'), other = certificateFor(dir, 'DNS:elsewhere.example', 'other');
    const start = async ({ cert, key }) => {
      const flags = ['--port', '0', '--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no'];
      const server = new Redis({ port: await freePort(), dir, flags: [...flags, '--requirepass', password] });
      server.flags.push('--tls-port', String(server.port));
      await server.start();
      return server;
    };
    const use = async (server, ca) => {
      s.set.changeEnv('report2', { REDIS_URL: `rediss://:${password}@127.0.0.1:${server.port}/2`, REDIS_TLS_CA: ca });
      await s.set.restart('report2');
      await until('the gateway uses it again', async () => !(await ask(two, 'd15', 0)).isError);
    };
    const servers = [await start(good), await start(other)];
    try {
      await use(servers[0], good.ca);
      await until('in use', async () => (await redisUp('report2')) === 1);
      await use(servers[0], other.ca); // of an authority that is not trusted
      await until('the reason is said', () => lines('report2', 'TLS: ').length === 1);
      assert.equal(await redisUp('report2'), 0);
      await use(servers[1], other.ca); // for another host
      await until('the reason is said', () => lines('report2', 'TLS: ').length === 2);
      assert.match(lines('report2', 'TLS: ')[1], /IP address mismatch/);
      assert.equal(await redisUp('report2'), 0);
    } finally {
      await Promise.all(servers.map((server) => server.kill()));
    }
  });

  test('a malformed address ends the start with a message that does not repeat it', async () => {
    await s.set.stopOne('report2');
    s.set.changeEnv('report2', { REDIS_URL: `http://analytics:${password}@127.0.0.1`, REDIS_TLS_CA: null });
    await assert.rejects(s.set.startOne('report2'), /exit code 78/);
    assert.match(s.set.output('report2').stderr, /REDIS_URL: unknown scheme; expected redis:/);
  });
});
