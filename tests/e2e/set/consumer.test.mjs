// An internal consumer reads figures by its certificate, over mutual TLS and with no bearer; what is
// trusted changes under it, and under callers of the gateway, without a restart.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import { startSet } from '../lib/set.mjs';
import { Authority, SERVICES } from './certificates.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';

const CONSUMERS = ['nightly-export', 'stranger'];
const POLICIES = [
  { identity: 'nightly-export', subject: 'nightly-export', role: 'group', dealers: ['d01', 'd02'] },
  { identity: 'gateway', subject: 'by-mistake', role: 'admin' },
];

let authority, set, key, date_ranges;
const tls = (name) => authority.tls(name);
const file = (name) => authority.file(name);
const write = (name, text) => authority.write(name, text);

// Writes a file of auth-svc and waits until it is in use.
async function change(name, text) {
  const generation = async () =>
    Number(/^auth_config_generation (\d+)/m.exec(await (await fetch(`${set.admin('auth')}/metrics`)).text())[1]);
  const before = await generation();
  write(name, text);
  for (let i = 0; (await generation()) === before; i++) {
    assert.ok(i < 200, `${name} is not taken: ${set.output('auth').stderr.slice(-500)}`);
    await sleep(50);
  }
}

// The lines that /readyz of auth-svc warns with.
async function warnings() {
  const answer = await fetch(`${set.admin('auth')}/readyz`);
  assert.equal(answer.status, 200, 'the old state is good');
  return (await answer.text()).split('\n').filter((line) => line.startsWith('warn'));
}

const auditLines = () =>
  set.output('auth').stderr.split('\n').filter((line) => line.startsWith('{"audit"')).map((line) => JSON.parse(line));
const newKey = () => randomBytes(32).toString('hex');
const policies = (revoked = []) => JSON.stringify({ policies: POLICIES, revoked });

before(async () => {
  authority = new Authority([...SERVICES, ...CONSUMERS]);
  key = secret();
  write('policies.json', policies());
  write('seal.key', newKey());
  const auth = authSettings(key);
  set = await startSet({
    sim: { dealers: 6, days: 30 },
    env: {
      gateway: { ...auth.gateway, ...tls('gateway') },
      auth: { ...auth.auth, ...tls('auth-svc'), AUTH_POLICY_FILE: file('policies.json'), AUTH_SEAL_KEY_FILE: file('seal.key') },
      report: tls('report-svc'),
      aggregate: tls('aggregate-svc'),
    },
  });
  date_ranges = [{ start_date: '14daysAgo', end_date: 'yesterday' }];
});
after(async () => {
  await set?.stop();
  authority?.remove();
});

const authOf = (who) => authority.clientOf('analytics.auth.v1', set.grpc('auth'), who);
const reportOf = (who) => authority.clientOf('analytics.report.v1', set.grpc('report'), who);

async function sealedGrant(who = 'nightly-export') {
  const answer = await authOf(who)('Authenticate', { by_certificate: true });
  assert.ok(answer.sealed, answer.message);
  return answer.sealed;
}

const report = (dealer_id, grant) => reportOf('nightly-export')('RunReport', { dealer_id, metrics: ['sessions'], date_ranges }, grant);
const admin = () => Mcp.connect(set.url, { token: jwt(key, { sub: 'root', role: 'admin' }) });
const { UNAUTHENTICATED, NOT_FOUND, PERMISSION_DENIED } = grpc.status;

test('a consumer gets the figures that a caller of the gateway gets, and no others', { timeout: 60_000 }, async () => {
  const grant = await sealedGrant();
  const own = await report('d01', grant);
  const gateway = await (await admin()).call('run_report', { dealer_id: 'd01', metrics: ['sessions'], date_ranges });
  assert.ok(!gateway.isError, gateway.text);
  const values = (rows) => rows.map((row) => row.metric_values.map(({ value }) => value));
  assert.deepEqual(values(own.rows), values(gateway.data.rows));
  assert.ok(Number(own.rows[0].metric_values[0].value) > 0);
  assert.equal((await report('d03', grant)).code, NOT_FOUND);
  const token = await authOf('nightly-export')('GetAccessToken', { dealer_ref: 'd01', purpose: 'PURPOSE_DIRECT' }, grant);
  assert.equal(token.code, PERMISSION_DENIED, 'Google tokens are for report-svc');

  // The audit ties what was done with the grant to the certificate it was given for.
  const lines = auditLines();
  const login = lines.find((line) => line.event === 'authenticate' && line.detail === 'certificate');
  assert.equal(login.result, 'ok');
  assert.equal(login.peer, 'nightly-export');
  assert.equal(login.subject, 'nightly-export');
  const used = lines.filter((line) => line.grant === login.grant && line.event === 'get_access_token');
  assert.deepEqual(used.map((line) => [line.peer, line.result]), [['report-svc', 'ok'], ['report-svc', 'denied']]);
  const metrics = await (await fetch(`${set.admin('auth')}/metrics`)).text();
  assert.match(metrics, /^auth_authenticate_total\{form="certificate",result="ok"\} 1$/m);
});

test('no policy, no rights; and no rights of the gateway for a caller without a bearer', { timeout: 60_000 }, async () => {
  const stranger = await authOf('stranger')('Authenticate', { by_certificate: true });
  assert.equal(stranger.code, UNAUTHENTICATED);
  assert.match(stranger.message, /no policy for the identity "stranger"; AUTH_POLICY_FILE/);
  const post = await fetch(set.url, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: '{}' });
  assert.equal(post.status, 401);
  assert.equal((await authOf('gateway')('Authenticate', {})).reason, 'missing_credentials');
});

test('readyz counts unknown dealers of a policy and shows a bad file, which changes nothing, and the log names them', { timeout: 60_000 }, async () => {
  const grant = await sealedGrant();
  const mapped = structuredClone(POLICIES);
  mapped[0].dealers.push('d99');
  await change('policies.json', JSON.stringify({ policies: mapped }));
  assert.deepEqual(await warnings(), ['warn policies, issuers: names that the dealers file does not have: 1; they grant nothing, and the log has them']);
  assert.match(set.output('auth').stderr, /"names":"policies\[0\]\.dealers \\"d99\\""/);
  write('seal.key', 'no key');
  write('policies.json', policies([{ subject: 'nightly-export' }])); // good by itself
  for (let i = 0; !(await warnings()).some((line) => line.startsWith('warn config')); i++) {
    assert.ok(i < 200);
    await sleep(50);
  }
  assert.match((await warnings()).join('\n'), /warn config: changed files were refused, the log says why; keeps the configuration of 20/);
  assert.match(set.output('auth').stderr, /the new configuration is refused and the old one stays.*seal\.key: AUTH_SEAL_KEY_FILE: key 1 must be /);
  assert.ok((await report('d01', grant)).rows, 'nobody is revoked by half a configuration');
  write('policies.json', policies());
  await change('seal.key', newKey());
  assert.deepEqual(await warnings(), []);
});

test('keys change at once, without a list of two, and callers of the gateway lose no call', { timeout: 120_000 }, async () => {
  const clients = await Promise.all([admin(), admin(), admin()]);
  let going = true;
  const texts = [];
  const calls = clients.map(async (client, i) => {
    const tools = [['list_dealers', {}], ['run_report', { dealer_id: 'd02', metrics: ['sessions'] }], ['compare_dealer_sessions', { dealer_ids: ['d01', 'd02', 'd03'] }]];
    for (let n = 0; going; n++) {
      const answer = await client.call(...tools[(i + n) % tools.length]);
      if (answer.isError) texts.push(answer.text);
      else texts.push('');
    }
  });
  const grant = await sealedGrant();
  for (let i = 0; i < 4; i++) {
    await sleep(700);
    await change('seal.key', newKey());
  }
  await sleep(500);
  going = false;
  await Promise.all(calls);
  assert.deepEqual(texts.filter((text) => text !== ''), []);
  assert.ok(texts.length > 20, `${texts.length} calls`);
  assert.equal((await report('d01', grant)).reason, 'bad_grant'); // nobody renews it for the consumer
  assert.ok((await report('d01', await sealedGrant())).rows);
});

test('who is revoked gets nothing with what it holds, and others go on', { timeout: 60_000 }, async () => {
  const grant = await sealedGrant();
  const token = jwt(key, { sub: 'ann', role: 'admin', jti: 'ann-1' });
  const ann = await Mcp.connect(set.url, { token }), root = await admin();
  assert.ok(!(await ann.call('list_dealers', {})).isError);
  assert.ok((await report('d01', grant)).rows);
  let accepted = 1, last = 0, refused;
  await change('policies.json', policies([{ subject: 'nightly-export' }, { token_id: 'ann-1' }]));
  const revoked = Date.now(); // report-svc has the answer in its cache, and a lease of 2 s at most
  for (;;) {
    const asked = Date.now();
    refused = await report('d01', grant);
    if (refused.code !== undefined) break;
    [last, accepted] = [asked, accepted + 1];
    assert.ok(asked < revoked + 2_000, 'still accepted after the lease');
  }
  assert.ok(last < revoked + 2_000);
  assert.equal(refused.code, UNAUTHENTICATED);
  assert.equal(refused.reason, 'revoked');
  assert.equal((await authOf('nightly-export')('Authenticate', { by_certificate: true })).reason, 'revoked');
  const text = (await ann.call('list_dealers', {})).text;
  assert.match(text, /has been revoked/);
  // Lines of the grant and their counts add up to the calls, those with the lease included.
  const id = auditLines().findLast((line) => line.reason === 'revoked' && line.event === 'get_access_token').grant;
  const counted = () => auditLines().filter((line) => line.grant === id && line.event === 'get_access_token' && line.result === 'ok')
    .reduce((sum, line) => sum + (line.count ?? 1), 0);
  for (let i = 0; counted() < accepted && i < 200; i++) await sleep(50);
  assert.equal(counted(), accepted);
  await assert.rejects(Mcp.connect(set.url, { token }), /401/);
  assert.ok(!(await root.call('list_dealers', {})).isError);
  await change('policies.json', policies());
  assert.ok((await report('d01', grant)).rows);
});
