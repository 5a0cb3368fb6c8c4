// Each fault as Google's client sees it, and the simulator under load and at its end.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { spawn } from 'node:child_process';
import { request as rawRequest } from 'node:http';
import { startSim } from './sim.mjs';

let sim, client, dealer, property;
before(async () => {
  sim = await startSim();
  dealer = sim.dealers[2];
  property = sim.property(dealer);
  client = sim.data(sim.auth(dealer));
});
afterEach(() => sim.calm());
after(() => sim.stop());

const QUERY = { dateRanges: [{ startDate: '28daysAgo', endDate: 'yesterday' }], metrics: [{ name: 'sessions' }] };
const report = () => client.runReport({ property, ...QUERY });
const token = async (d = dealer) => (await sim.auth(d).getAccessToken()).token;
const raw = async (bearer, d = dealer, query = '') => fetch(`${sim.base}/v1beta/${sim.property(d)}:runReport${query}`, {
  method: 'POST', headers: { authorization: `Bearer ${bearer}` }, body: JSON.stringify(QUERY) });

const CODES = [
  ['401', 16, /invalid authentication credentials/],
  ['403', 7, /does not have sufficient permissions for this property/],
  ['403_scopes', 7, /insufficient authentication scopes/],
  ['403_disabled', 7, /has not been used in project/],
  ['429_hourly', 8, /Exhausted property tokens for a project per hour/],
  ['429_daily', 8, /Exhausted property tokens per day/],
  ['429_concurrent', 8, /Exhausted concurrent requests quota\./],
  ['500', 13, /Internal error encountered/],
  ['503', 14, /currently unavailable/],
];
for (const [kind, code, text] of CODES) {
  test(`${kind} maps to gRPC code ${code}, and ends with its times`, async () => {
    await sim.fault({ dealer_id: dealer.dealer_id, kind, times: 1 });
    await assert.rejects(report(), (e) => {
      assert.equal(e.code, code);
      assert.match(e.message, text);
      return true;
    });
    const [answer] = await report();
    assert.equal(answer.rowCount, 1);
  });
}

test('ErrorInfo of 403s carries the reason', async () => {
  await sim.fault({ property_id: dealer.properties[0], kind: '403_scopes', times: 1 });
  await assert.rejects(report(), (e) => e.reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT');
  await sim.fault({ account_id: dealer.account_id, kind: '403_disabled', times: 1 });
  await assert.rejects(report(), (e) => e.reason === 'SERVICE_DISABLED');
});

test('an HTML 502 is not JSON', async () => {
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'html_502', times: 1 });
  const answer = await raw(await token());
  assert.equal(answer.status, 502);
  assert.match(answer.headers.get('content-type'), /text\/html/);
});

test('a cut body breaks off, a malformed one does not parse, a slow one arrives', async () => {
  const bearer = await token();
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'cut', times: 1 });
  await assert.rejects((async () => (await raw(bearer)).text())());
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'malformed', times: 1 });
  const broken = await (await raw(bearer)).text();
  assert.throws(() => JSON.parse(broken));
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'slow_body', ms: 600, times: 1 });
  const began = Date.now();
  assert.equal((await (await raw(bearer)).json()).rowCount, 1);
  assert.ok(Date.now() - began >= 500);
});

test('token faults fail the refresh and are counted', async () => {
  for (const [kind, pattern] of [['invalid_grant', /invalid_grant/], ['invalid_client', /invalid_client/]]) {
    await sim.fault({ dealer_id: dealer.dealer_id, kind, times: 1 });
    await assert.rejects(sim.auth(dealer).getAccessToken(), pattern);
  }
  const before = (await sim.control('GET', '/sim/stats')).body.accounts[dealer.account_id];
  assert.equal(before.token_requests, 2);
  assert.equal(before.tokens_issued, 0);
  const fields = { grant_type: 'refresh_token', client_id: dealer.oauth.client_id, client_secret: dealer.oauth.client_secret, refresh_token: dealer.oauth.refresh_token };
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'token_503', times: 1 });
  const answer = await fetch(dealer.oauth.token_uri, { method: 'POST', body: new URLSearchParams(fields) });
  assert.equal(answer.status, 503);
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'token_slow', ms: 300, times: 1 });
  const began = Date.now();
  await token();
  assert.ok(Date.now() - began >= 300);
});

test('one dealer\'s fault leaves the others alone', async () => {
  await sim.fault({ dealer_id: dealer.dealer_id, kind: '503' });
  const other = sim.dealers[7];
  const [answer] = await sim.data(sim.auth(other)).runReport({ property: sim.property(other), ...QUERY });
  assert.equal(answer.rowCount, 1);
});

test('faults are listed and removed by id', async () => {
  const { id } = await sim.fault({ dealer_id: '*', kind: 'latency', ms: 1, endpoint: 'admin' });
  await sim.fault({ dealer_id: 'd01', kind: '500' });
  const { body } = await sim.control('GET', '/sim/faults');
  assert.deepEqual(body.faults.map((f) => [f.dealer_id, f.kind]), [['*', 'latency'], ['d01', '500']]);
  assert.equal((await sim.control('DELETE', `/sim/faults?id=${id}`)).body.removed, 1);
  assert.equal((await sim.control('POST', '/sim/faults', { dealer_id: 'd01', kind: 'teapot' })).status, 400);
});

test('the eleventh request at a time is refused', async () => {
  const bearer = await token();
  await sim.fault({ dealer_id: dealer.dealer_id, kind: 'latency', ms: 700 });
  const answers = await Promise.all(Array.from({ length: 14 }, () => raw(bearer)));
  const refused = answers.filter((a) => a.status === 429);
  assert.equal(refused.length, 4);
  assert.match((await refused[0].json()).error.message, /^Exhausted concurrent requests quota\./);
  assert.equal(refused[0].headers.get('retry-after'), null);
  const { body } = await sim.control('GET', '/sim/stats');
  // A refused request is in flight too, if only for a moment.
  assert.ok(body.properties[dealer.properties[0]].max_concurrent > 10);
  assert.equal(body.properties[dealer.properties[0]].quota_refused, 4);
  assert.equal(body.properties[dealer.properties[0]].reports_ok, 10);
});

test('two hundred slow requests wait side by side', async () => {
  await sim.fault({ dealer_id: '*', kind: 'latency', ms: 1500 });
  const bearers = await Promise.all(sim.dealers.slice(0, 20).map((d) => token(d)));
  const began = Date.now();
  const slow = Promise.all(Array.from({ length: 200 }, (_, i) => raw(bearers[i % 20], sim.dealers[i % 20])));
  const quick = await fetch(`${sim.base}/livez`);
  assert.equal(quick.status, 200);
  assert.deepEqual(new Set((await slow).map((a) => a.status)), new Set([200]));
  assert.ok(Date.now() - began < 6000, `took ${Date.now() - began} ms`);
});

test('integer enums, prettyPrint and gzip on the wire', async () => {
  const bearer = await token();
  const plain = await (await raw(bearer, dealer, '?prettyPrint=false')).text();
  assert.ok(!plain.includes('\n'));
  const integers = await (await raw(bearer, dealer, '?$alt=json%3Benum-encoding=int')).json();
  assert.equal(integers.metricHeaders[0].type, 1);
  const pretty = await (await raw(bearer)).text();
  assert.match(pretty, /^\{\n  "metricHeaders": \[\n    \{\n/);
  const encoding = await new Promise((resolve, reject) => {
    rawRequest(`${sim.base}/v1beta/${property}/metadata`, { headers: { authorization: `Bearer ${bearer}`, 'accept-encoding': 'gzip' } },
      (answer) => { answer.resume(); resolve(answer.headers['content-encoding']); }).on('error', reject).end();
  });
  assert.equal(encoding, 'gzip');
});

test('a busy port ends a second simulator with a message', async () => {
  const child = spawn(sim.child.spawnfile, ['--listen', `127.0.0.1:${sim.port}`, '--dealers', '1', '--days', '2'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (part) => { text += part; });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 1);
  assert.match(text, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${sim.port}: Address already in use`));
});

test('SIGTERM ends it at once, requests in flight or not', async () => {
  const own = await startSim(['--dealers', '1', '--latency-ms', '60000']);
  const bearer = (await own.auth(own.dealers[0]).getAccessToken()).token;
  const hanging = fetch(`${own.base}/v1beta/${own.property(own.dealers[0])}/metadata`, { headers: { authorization: `Bearer ${bearer}` } })
    .then(() => {}, () => {});
  await new Promise((resolve) => setTimeout(resolve, 200));
  const began = Date.now();
  assert.deepEqual(await own.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - began < 3000);
  await hanging;
});
