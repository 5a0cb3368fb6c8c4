// list_metrics: which event counts as a lead for which dealer, against SQL over the world, for the callers
// that the product has; asked once, without a name of a dealer outside the caller's view.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { finishedSunday, siteOf } from './truth.mjs';
import { compact, daysBefore, startOverWorld } from './world.mjs';

// Lead events that the dealers file gives, beside those that the world's dealers have.
const SETTINGS = { d04: 'asc_click_to_call', d05: 'asc_comm_submission', d06: 'finance_application', d07: 'generate_lead' };
const VIEWS = { group: ['d01', 'd04', 'd06', 'd12'], dealer: ['d05'] };
const KINDS = { asc_click_to_call: 'call', asc_comm_submission: 'chat' };
const FORMS = ['asc_form_submission', 'generate_lead', 'form_submit'];
const APPOINTMENTS = ['asc_form_submission_sales_appt', 'asc_form_submission_service_appt', 'asc_form_submission_test_drive'];

let s, world, key;
const clients = {};

before(async () => {
  key = secret();
  s = await startOverWorld({ env: { ...authSettings(key), report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 } } });
  world = s.world;
  const file = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
  for (const d of file.dealers) if (SETTINGS[d.dealer_id]) d.lead_event = SETTINGS[d.dealer_id];
  fs.writeFileSync(s.set.dealersFile, JSON.stringify(file), { mode: 0o600 });
  await s.set.restart('auth');
  const connect = (claims) => Mcp.connect(s.set.url, { token: jwt(key, claims) });
  clients.admin = await connect({ sub: 'root', role: 'admin' });
  clients.group = await connect({ sub: 'g', role: 'group', dealers: VIEWS.group });
  clients.dealer = await connect({ sub: 'd', role: 'dealer', dealers: VIEWS.dealer });
});
after(() => s?.stop());

const viewOf = (viewer) => world.dealers.filter((d) => VIEWS[viewer]?.includes(d.dealer_id) ?? true);

// What a website counts: [event, kind, source, other contacts].
function truthOf(d) {
  const sunday = finishedSunday();
  const fired = (names) => world.one(`SELECT coalesce(sum(count), 0) AS n FROM events WHERE property_id = ? AND date BETWEEN ? AND ?
    AND name IN (${names.map((n) => `'${n}'`).join(', ')})`, d.property_id, compact(daysBefore(sunday, 89)), compact(sunday)).n > 0;
  const apart = world.one(`SELECT count(*) AS n FROM custom_dimensions WHERE property_id = ? AND parameter = 'comm_type'`, d.property_id).n === 1;
  const configured = SETTINGS[d.dealer_id] ?? d.lead_event ?? '';
  const event = configured || siteOf(world, d).event || '';
  const beside = [];
  if (fired(['asc_click_to_call']) && event !== 'asc_click_to_call') beside.push('calls');
  if (fired(['asc_comm_submission']) && event !== 'asc_comm_submission') beside.push(...(apart ? ['chats', 'texts'] : ['chats or texts']));
  if (fired(APPOINTMENTS)) beside.push('appointments');
  const kind = event === '' ? '' : KINDS[event] ?? (FORMS.includes(event) ? 'form' : 'other');
  return JSON.stringify([event, kind, configured ? 'configured' : 'observed', beside, kind === 'chat' || beside.includes('chats') ? apart : false]);
}

// Rows as sets of names: which dealers share what.
function truthRows(dealers) {
  const rows = new Map();
  for (const d of dealers) rows.set(truthOf(d), [...(rows.get(truthOf(d)) ?? []), d.name]);
  return rows;
}

// The rows of an answer against them. Of rows without names the number of dealers must be right.
function assertRows(answer, dealers, where) {
  const expected = [...truthRows(dealers)].map(([text, names]) => [...JSON.parse(text).slice(0, 4), names.length, names.sort()]);
  const rows = objects(answer.leads).map((r) => [r.lead_event ?? '', r.kind ?? '', r.source, r.beside ?? [], r.dealers, r.names ?? []]);
  const text = (row) => JSON.stringify(row.slice(0, 5));
  assert.deepEqual(rows.map(text).sort(), expected.map(text).sort(), where);
  assert.deepEqual(rows.map((r) => r[4]), rows.map((r) => r[4]).toSorted((a, b) => b - a), `${where}: the most dealers first`);
  for (const row of rows) {
    if (row[5].length === 0) continue;
    const names = [...row[5]].sort();
    assert.ok(expected.some((x) => text(x) === text(row) && JSON.stringify(x[5]) === JSON.stringify(names)), `${where}: ${names}`);
  }
  return rows;
}

for (const viewer of ['admin', 'group', 'dealer'])
  test(`the_lead_event_of_each_dealer_in_view_equals_sql: ${viewer}`, async () => {
    const mine = viewOf(viewer);
    const answer = await clients[viewer].call('list_metrics', {});
    assert.equal(answer.isError, false, answer.text);
    if (process.env.PRINT) console.log(`${answer.text}\n${answer.text.length} bytes`);
    const rows = assertRows(answer.data, mine, viewer);
    const few = await clients[viewer].call('list_metrics', { query: 'lead_events' });
    assertRows(few.data, mine, `${viewer}, some metrics`);
    // Whoever sees a few dozen dealers has them all by name where few metrics are listed.
    assert.ok(objects(few.data.leads).every((r) => r.names.length === r.dealers));
    for (const { text } of [answer, few]) assert.ok(Buffer.byteLength(text) <= 6300, `${Buffer.byteLength(text)} bytes`);
    assert.deepEqual([answer.data.coverage.asked, answer.data.coverage.ok], [mine.length, mine.length]);
    if (viewer === 'admin') assert.ok(new Set(rows.map((r) => r[0])).size >= 5, JSON.stringify(rows));
    // Of few dealers all have their names beside all metrics, too.
    if (viewer !== 'admin') assert.ok(rows.every((r) => r[5].length === r[4]));
    for (const d of world.dealers.filter((x) => !mine.includes(x)))
      assert.ok(!answer.raw.includes(d.name) && !answer.raw.includes(`"${d.dealer_id}"`), `${viewer} is shown ${d.name}`);
    const unknown = mine.filter((d) => JSON.parse(truthOf(d))[0] === '').length;
    assert.equal((answer.data.caveats ?? []).filter((c) => c.startsWith(`No lead event is known for ${unknown} dealer`)).length, unknown > 0 ? 1 : 0);
  });

test('it_asks_each_dealer_once_and_only_where_metrics_of_leads_are_listed', async () => {
  const requests = async (run) => {
    await s.sim.resetStats();
    await run();
    return JSON.stringify(await s.sim.stats());
  };
  const quiet = await requests(async () => {});
  assert.equal(await requests(() => clients.admin.data('list_metrics', {})), quiet, 'asked again');
  await s.set.restart('aggregate');
  let rate;
  assert.equal(await requests(async () => (rate = await clients.admin.data('list_metrics', { query: 'engagement_rate' }))), quiet);
  assert.equal(objects(rate.metrics).length, 1);
  assert.equal(objects(rate.leads).length, 0);
  assert.notEqual(await requests(() => clients.admin.data('list_metrics', { query: 'lead_events' })), quiet);
});

test('the_resource_says_the_same', async () => {
  for (const [uri, args] of [['analytics://metrics', {}], ['analytics://metrics/leads_per_100_sessions', { query: 'leads_per_100_sessions' }]]) {
    const { result } = await clients.group.request('resources/read', { uri });
    const { text } = await clients.group.call('list_metrics', args);
    assert.equal(result.contents[0].text, text);
    assert.match(text, /finance_application\tother\tconfigured/);
  }
});

test('names_of_metrics_are_completed', async () => {
  const { result } = await clients.group.request('completion/complete',
    { ref: { type: 'ref/resource', uri: 'analytics://metrics/{metric}' }, argument: { name: 'metric', value: 'lead' } });
  for (const name of ['lead_events', 'leads_per_100_sessions']) assert.ok(result.completion.values.includes(name), JSON.stringify(result));
});

test('dealers_that_fail_are_named_and_the_dictionary_stands', async () => {
  await s.set.restart('aggregate');
  for (const id of ['d01', 'd06']) await s.sim.fault({ dealer_id: id, kind: '403' });
  const some = await clients.group.data('list_metrics', {});
  assertRows(some, viewOf('group').filter((d) => !['d01', 'd06'].includes(d.dealer_id)), 'two failed');
  assert.deepEqual(some.coverage.failed.map((f) => f.dealer_id).sort(), ['d01', 'd06']);
  assert.ok(some.caveats.some((c) => c.includes('2 of 4 dealers could not be read')), some.caveats.join('\n'));
  await s.sim.fault({ dealer_id: 'd05', kind: '403' });
  const none = await clients.dealer.data('list_metrics', {});
  assert.deepEqual([none.coverage.asked, none.coverage.ok, none.coverage.failed.length], [1, 0, 1]);
  assert.equal(objects(none.metrics).length, objects(some.metrics).length);
  // What failed is asked again.
  await s.sim.clear();
  assertRows(await clients.group.data('list_metrics', {}), viewOf('group'), 'again');
});
