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

test('getProperty reports time zone and currency', async () => {
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

const names = (list, field) => list.map((element) => element[field]);

test('custom dimensions and metrics, data streams and Google Ads links of a property', async () => {
  const dealer = sim.dealers[0], parent = sim.property(dealer), id = Number(dealer.properties[0]);
  const client = sim.admin(sim.auth(dealer));
  const truth = (text) => sim.all(text, id).map((row) => Object.values(row)[0]);
  const [dimensions] = await client.listCustomDimensions({ parent, pageSize: 5 });
  assert.deepEqual(names(dimensions, 'parameterName'), truth('SELECT parameter FROM custom_dimensions WHERE property_id=? ORDER BY 1'));
  assert.ok(dimensions.every((d) => d.scope === 'EVENT' && d.displayName && d.name.startsWith(`${parent}/customDimensions/`)));
  const [metrics] = await client.listCustomMetrics({ parent });
  assert.deepEqual(metrics.map((m) => [m.parameterName, m.measurementUnit, m.scope]), [['comm_duration_seconds', 'SECONDS', 'EVENT']]);
  const [streams] = await client.listDataStreams({ parent });
  const host = sim.sql('SELECT host FROM properties WHERE property_id=?', id).host;
  assert.deepEqual(streams.map((s) => [s.type, s.webStreamData.defaultUri]), [['WEB_DATA_STREAM', `https://${host}`]]);
  assert.match(streams[0].webStreamData.measurementId, /^G-/);
  const [links] = await client.listGoogleAdsLinks({ parent });
  assert.deepEqual(names(links, 'customerId'), truth('SELECT customer_id FROM google_ads_links WHERE property_id=?'));
  assert.equal(links[0].adsPersonalizationEnabled.value, true);
  const bare = sim.dealers[4];
  assert.deepEqual((await sim.admin(sim.auth(bare)).listCustomDimensions({ parent: sim.property(bare) }))[0], []);
  for (const method of ['listCustomDimensions', 'listCustomMetrics', 'listDataStreams', 'listGoogleAdsLinks'])
    await assert.rejects(client[method]({ parent: sim.property(sim.dealers[1]) }), { code: 7 });
});

test('listReportingDataAnnotations names the days without data', async () => {
  const dealer = sim.dealers[13], parent = sim.property(dealer);
  const client = sim.adminAlpha(sim.auth(dealer));
  const [all] = await client.listReportingDataAnnotations({ parent, pageSize: 2 });
  assert.deepEqual(names(all, 'title'), ['Tag missing', 'Month-end sale', 'New season stock']);
  assert.deepEqual(all[0].annotationDateRange, { startDate: { year: 2026, month: 1, day: 24 }, endDate: { year: 2026, month: 2, day: 1 } });
  assert.deepEqual(all[2].annotationDate, { year: 2026, month: 3, day: 1 });
  assert.equal(all[0].color, 'BLUE');
  await assert.rejects(client.listReportingDataAnnotations({ parent: sim.property(sim.dealers[1]) }), { code: 7 });
});
