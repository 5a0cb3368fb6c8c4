// The page where services talk by mutual TLS: the gateway's certificate is what it asks them with, an operator's is
// what the page is opened with, and neither does for the other. What the gateway does not start with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../lib/ports.mjs';
import { startSet } from '../lib/set.mjs';
import { Authority, SERVICES } from '../set/certificates.mjs';
import { BUILD } from '../set/world.mjs';

let set, inner, outer, port;

before(async () => {
  inner = new Authority([...SERVICES, 'operator']);
  outer = new Authority(['page', 'operator']);
  port = await freePort();
  const page = { STATUS_LISTEN: `127.0.0.1:${port}`, STATUS_TLS_CERT: outer.file('page.pem'), STATUS_TLS_KEY: outer.file('page.key'), STATUS_TLS_CLIENT_CA: outer.file('ca.pem') };
  set = await startSet({
    sim: { stub: true, dealers: 24 },
    env: { auth: inner.tls('auth-svc'), report: inner.tls('report-svc'), aggregate: inner.tls('aggregate-svc'), gateway: { ...inner.tls('gateway'), ...page } },
  });
});
after(async () => {
  await set?.stop();
  inner?.remove();
  outer?.remove();
});

// The page as JSON; throws when the connection is refused.
const open = (client) => new Promise((resolve, reject) => {
  const read = (ext) => client && fs.readFileSync(client.file(`operator.${ext}`));
  const options = { ca: fs.readFileSync(outer.file('ca.pem')), cert: read('pem'), key: read('key'), agent: false, headers: { Accept: 'application/json' } };
  https.get(`https://127.0.0.1:${port}/status`, options, async (answer) => {
    const pieces = [];
    try {
      for await (const piece of answer) pieces.push(piece);
      resolve(JSON.parse(Buffer.concat(pieces)));
    } catch (error) {
      reject(error);
    }
  }).on('error', reject);
});

test('the services answer to the gateway, and their certificates are on the page', async () => {
  const { services, dealers, facts, cohorts } = await open(outer);
  assert.deepEqual(services.map((s) => [s.service, s.state]), [['gateway', 'ok'], ['auth-svc', 'ok'], ['report-svc', 'ok'], ['aggregate-svc', 'ok']]);
  assert.equal(dealers.length, 24);
  assert.ok(cohorts.length > 0);
  const certificates = facts.filter((f) => f.kind === 'certificate');
  assert.deepEqual(certificates.map((f) => [f.service, f.state]).sort(), SERVICES.map((s) => [s, 'warn']).sort(), 'they last for two days');
});

test('the page is opened by a certificate of its own authority alone', async () => {
  await assert.rejects(open(null));
  await assert.rejects(open(inner));
  assert.equal((await open(outer)).dealers.length, 24);
});

test('no other certificate of the set asks for the state without a grant', async () => {
  for (const [service, name] of [['analytics.auth.v1', 'auth'], ['analytics.aggregate.v1', 'aggregate']]) {
    const as = (who) => inner.clientOf(service, set.grpc(name), who, 'status')('GetStatus', {});
    assert.equal((await as('gateway')).service.name, `${name}-svc`);
    for (const who of ['operator', 'report-svc']) assert.equal((await as(who)).reason, 'wrong_service', `${service} as ${who}`);
  }
});

test('an address that others reach is refused without the three files, with the remedy', () => {
  const start = (env) => spawnSync(path.join(BUILD, 'bin/gateway'), { env: { ANALYTICS_MCP_HOST: '127.0.0.1', ANALYTICS_MCP_PORT: '0', ENABLE_AUTH: 'false', ...env }, encoding: 'utf8', timeout: 20_000 });
  const open = start({ STATUS_LISTEN: '0.0.0.0:0' });
  assert.equal(open.status, 78, open.stderr);
  assert.match(open.stderr, /STATUS_LISTEN: 0\.0\.0\.0:0 is not a loopback address: set 127\.0\.0\.1, or a certificate, its key and the CA/);
  const half = start({ STATUS_LISTEN: '127.0.0.1:0', STATUS_TLS_CERT: '/nowhere' });
  assert.equal(half.status, 78, half.stderr);
  assert.match(half.stderr, /STATUS_LISTEN: certificate, key and CA of its clients must be set together/);
});
