// Account summaries and properties through @google-analytics/admin.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { JWT } from 'google-auth-library';
import { startSim } from './sim.mjs';

let sim;
before(async () => { sim = await startSim(); });
after(() => sim.stop());

const agency = () => {
  const key = JSON.parse(readFileSync(sim.files.key, 'utf8'));
  return new JWT({ email: key.client_email, key: key.private_key, keyId: key.private_key_id,
    scopes: ['https://www.googleapis.com/auth/analytics.readonly'] });
};

test('a dealer sees its own account only', async () => {
  const dealer = sim.dealers[6];
  const [summaries] = await sim.admin(sim.auth(dealer)).listAccountSummaries();
  assert.deepEqual(summaries.map((s) => s.account), [`accounts/${dealer.account_id}`]);
  assert.equal(summaries[0].displayName, dealer.name);
  assert.deepEqual(summaries[0].propertySummaries.map((p) => [p.property, p.propertyType]),
    [[sim.property(dealer), 'PROPERTY_TYPE_ORDINARY']]);
});

test('the agency\'s service account pages through all', async () => {
  const client = sim.admin(agency());
  const [first, next] = await client.listAccountSummaries({ pageSize: 10 }, { autoPaginate: false });
  assert.equal(first.length, 10);
  assert.ok(next.pageToken);
  const [all] = await client.listAccountSummaries({ pageSize: 10 });
  assert.deepEqual(all.map((s) => s.account), sim.dealers.map((d) => `accounts/${d.account_id}`));
});

test('a made-up page token is refused', async () => {
  await assert.rejects(sim.admin(agency()).listAccountSummaries({ pageToken: 'x' }, { autoPaginate: false }), { code: 3 });
});

test('getProperty tells time zone and currency', async () => {
  const dealer = sim.dealers[20];
  const [property] = await sim.admin(sim.auth(dealer)).getProperty({ name: sim.property(dealer) });
  assert.equal(property.timeZone, 'America/Toronto');
  assert.equal(property.currencyCode, 'CAD');
  assert.equal(property.industryCategory, 'AUTOMOTIVE');
  assert.equal(property.serviceLevel, 'GOOGLE_ANALYTICS_STANDARD');
  assert.equal(property.account, `accounts/${dealer.account_id}`);
});

test('another dealer\'s property is PERMISSION_DENIED', async () => {
  await assert.rejects(sim.admin(sim.auth(sim.dealers[0])).getProperty({ name: sim.property(sim.dealers[1]) }), { code: 7 });
});

test('listKeyEvents pages through the key events of a property', async () => {
  const dealer = sim.dealers[0];
  const client = sim.admin(sim.auth(dealer));
  const parent = sim.property(dealer);
  const truth = sim.all('SELECT name FROM key_events WHERE property_id=? ORDER BY name', Number(dealer.properties[0]))
    .map((row) => row.name);
  const [first, next] = await client.listKeyEvents({ parent, pageSize: 1 }, { autoPaginate: false });
  assert.equal(first.length, 1);
  assert.ok(next.pageToken);
  const [all] = await client.listKeyEvents({ parent, pageSize: 1 });
  assert.deepEqual(all.map((e) => e.eventName).sort(), truth);
  assert.match(all[0].name, new RegExp(`^${parent}/keyEvents/\\d+$`));
  assert.equal(all[0].countingMethod, 'ONCE_PER_EVENT');
  assert.ok(all[0].deletable && all[0].custom);
  await assert.rejects(client.listKeyEvents({ parent, pageToken: 'x' }, { autoPaginate: false }), { code: 3 });
  await assert.rejects(client.listKeyEvents({ parent: sim.property(sim.dealers[1]) }), { code: 7 });
});
