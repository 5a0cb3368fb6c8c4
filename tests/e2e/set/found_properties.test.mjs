// Dealers whose properties dealers.json does not name: they are found through accountSummaries at the
// first report, with the figures of the dealer's own website and of no other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inherited } from '../lib/child.mjs';
import { Mcp } from './mcp.mjs';
import { accountToken, authSettings, jwt, secret } from './tokens.mjs';
import { assertComparison, figuresOf } from './truth.mjs';
import { BUILD, daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, world, dealers, written, admin, agencyKey, date_range;
const entry = (id) => dealers.find((d) => d.dealer_id === id);
const propertyOf = (id) => String(world.dealer(id).property_id);
const caveats = (answer) => (answer.caveats ?? []).join('\n');
const caller = (id) => Mcp.connect(s.set.url, { token: accountToken({ account_id: entry(id).account_id }) });
const report = (id, more) => ({ dealer_id: id, metrics: ['sessions'], date_ranges: [date_range], ...more });
const sessions = (answer) => Number(answer.rows[0].metric_values[0].value);
const truth = (id) => figuresOf(world, world.dealer(id), date_range).sessions;

async function generation() {
  const metrics = await (await fetch(`${s.set.admin('auth')}/metrics`)).text();
  return Number(/^auth_config_generation (\d+)/m.exec(metrics)[1]);
}
// Writes the dealers file and waits until it is in use.
async function save() {
  const first = await generation();
  fs.writeFileSync(s.set.dealersFile, JSON.stringify({ dealers }), { mode: 0o600 });
  s.set.secrets.addFile(s.set.dealersFile);
  for (let i = 0; (await generation()) === first; i++) {
    if (i === 500) assert.fail(await (await fetch(`${s.set.admin('auth')}/readyz`)).text());
    await sleep(20);
  }
}
async function adminRequests() {
  return (await s.sim.stats()).totals.admin_requests;
}

before(async () => {
  const key = secret();
  const { gateway, auth } = authSettings(key);
  s = await startOverWorld({ env: { gateway, auth: { ...auth, AUTH_ALLOW_UNSIGNED_TOKENS: 'true' }, report: { REPORT_CACHE_TTL_S: 0, REPORT_CACHE_BYTES: 0, REPORT_LEASE_MS: 0 } } });
  world = s.world;
  written = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')).dealers;
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
  const answer = await fetch(`${s.set.sim}/sim/service-accounts`, { method: 'POST', body: JSON.stringify({ dealer_id: '*' }) });
  agencyKey = await answer.json();
  s.set.secrets.addJson(JSON.stringify(agencyKey));
  admin = await Mcp.connect(s.set.url, { token: jwt(key, { sub: 'operator', role: 'admin' }) });
  dealers = structuredClone(written).map(({ properties: _, ...rest }) => rest);
  await save();
});
after(() => s?.stop());

test('validate says that they are found, and how many', () => {
  const text = execFileSync(path.join(BUILD, 'bin/auth-svc'), ['validate', s.set.dealersFile], { encoding: 'utf8' });
  assert.match(text, /dealers +24, with 0 properties/);
  assert.match(text, /properties +of 24 dealers found in Google Analytics at the first report/);
});

test('auth-svc check shows what will be found', () => {
  const env = { ...inherited(), GA4_ADMIN_ENDPOINT: s.set.sim, GA4_DATA_ENDPOINT: s.set.sim };
  const text = execFileSync(path.join(BUILD, 'bin/auth-svc'), ['check', 'd04', '--dealers', s.set.dealersFile], { encoding: 'utf8', env });
  assert.match(text, new RegExp(`ok +property +none is configured; may be read: ${propertyOf('d04')} \\(.+\\)\\n`));
});

test('every report is of the own website; Google is asked for the list once for each dealer', async () => {
  const listed = await admin.data('list_dealers', {});
  assert.ok(listed.dealers.every((d) => (d.property_ids ?? []).length === 0));
  assert.match((listed.notes ?? []).join(' '), /found in Google Analytics at the first report/);
  await s.sim.resetStats();
  for (const d of world.dealers) {
    const answer = await admin.data('run_report', report(d.dealer_id));
    assert.equal(answer.property, `properties/${d.property_id}`);
    assert.equal(sessions(answer), truth(d.dealer_id), d.dealer_id);
    assert.ok(!caveats(answer).includes('can read'), 'there was nothing to choose');
  }
  assert.equal(await adminRequests(), 24);
  for (const id of ['d01', 'd02']) await admin.data('run_report', report(id));
  assert.equal(await adminRequests(), 24, 'the list is kept');
});

test('a comparison over a region, part of which the caller may not see, has the same figures', async () => {
  const region = world.dealer('d01').region;
  const figures = world.ofRegion(region).map((d) => figuresOf(world, d, date_range));
  const answer = await admin.data('compare_dealer_sessions', { region, date_range, detail: 'all', limit: 500 });
  assertComparison(answer, figures, null, 'without configured properties', true);
  const client = await caller('d01');
  const own = await client.data('compare_dealer_sessions', { subject: 'd01', date_range });
  const row = own.dealers.find((d) => d.dealer_id === 'd01');
  assert.equal(row.sessions, truth('d01'));
  const seen = client.log.join('');
  for (const d of written.filter((d) => d.dealer_id !== 'd01'))
    assert.ok(!seen.includes(propertyOf(d.dealer_id)) && !seen.includes(`"${d.name}"`), `d01 sees ${d.name}`);
});

test('a caller of one dealer may give its property_id alone, and nobody else\'s', async () => {
  const client = await caller('d02');
  const answer = await client.data('run_report', { property_id: propertyOf('d02'), metrics: ['sessions'], date_ranges: [date_range] });
  assert.equal(sessions(answer), truth('d02'));
  const text = await client.refused('run_report', { property_id: propertyOf('d03'), metrics: ['sessions'], date_ranges: [date_range] });
  assert.match(text, new RegExp(`is not a property of dealer d02; its properties: ${propertyOf('d02')}`));
});

test('an account id of Google Analytics picks its property out of an agency\'s login', async () => {
  const { oauth: _, ...rest } = entry('d02');
  dealers[dealers.indexOf(entry('d02'))] = { ...rest, service_account: agencyKey };
  await save();
  const answer = await admin.data('run_report', report('d02'));
  assert.equal(answer.property, `properties/${propertyOf('d02')}`);
  assert.ok(!caveats(answer).includes('can read'));
});

test('a login that sees several: the one with the lowest id, the others named; never those of other dealers', async () => {
  entry('d02').account_id = 'not-of-google';
  for (const d of dealers) if (!['d02', 'd05', 'd06'].includes(d.dealer_id)) d.properties = [propertyOf(d.dealer_id)];
  await save();
  const free = ['d02', 'd05', 'd06'].map(propertyOf).sort((a, b) => a - b);
  const answer = await admin.data('run_report', report('d02'));
  assert.equal(answer.property, `properties/${free[0]}`);
  const caveat = (answer.caveats ?? []).find((c) => c.includes('can read 3'));
  assert.ok(caveat, caveats(answer));
  for (const id of free) assert.ok(caveat.includes(id), caveat);
  assert.match(caveat, new RegExp(`This is ${free[0]}, the default as the one with the lowest id; give property_id for another`));
  const own = await admin.data('run_report', report('d02', { property_id: propertyOf('d06') }));
  assert.equal(sessions(own), truth('d06'));
  const text = await (await caller('d02')).refused('run_report', report('d02', { property_id: propertyOf('d03') }));
  assert.match(text, /is not a property of dealer d02/);
  const compared = await admin.call('compare_dealer_sessions', { dealer_ids: ['d01', 'd02', 'd03'], date_range });
  assert.match(compared.text, /several properties|more than one property/i);
});

test('a login that sees none of its own is said clearly, and the other dealers\' answers stand', async () => {
  entry('d03').properties = [propertyOf('d03'), propertyOf('d02'), propertyOf('d05'), propertyOf('d06')];
  for (const id of ['d05', 'd06']) delete entry(id).properties;
  await save();
  await s.set.restart('report'); // with nothing kept
  for (let i = 0; (await admin.call('run_report', report('d01'))).isError && i < 75; i++) await sleep(200);
  const text = await admin.refused('run_report', report('d02'));
  assert.match(text, /d02.*no GA4 property is configured, and those that the dealer's Google login can read belong to other dealers/s);
  const compared = await admin.data('compare_dealer_sessions', { dealer_ids: ['d01', 'd02', 'd03'], date_range });
  assert.equal(compared.coverage.ok, 2);
  assert.deepEqual(compared.coverage.failed.map((f) => [f.dealer_id, f.reason]), [['d02', 'no_property']]);
});

test('two dealers with one login need their properties named', () => {
  const file = path.join(s.set.dir, 'shared.json');
  const two = structuredClone(written).slice(0, 2).map(({ properties: _, ...rest }) => rest);
  two[1].oauth = two[0].oauth;
  fs.writeFileSync(file, JSON.stringify({ dealers: two }), { mode: 0o600 });
  assert.throws(
    () => execFileSync(path.join(BUILD, 'bin/auth-svc'), ['validate', file], { encoding: 'utf8', stdio: 'pipe' }),
    (e) => /dealers\[1\]\.properties \(dealer "d02"\): missing, and dealers\[0\] \(dealer "d01"\) has the same credential/.test(e.stdout + e.stderr),
  );
});
