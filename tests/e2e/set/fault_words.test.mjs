// What a person reads when Google limits or fails, for one report and for several dealers, at first and when it is asked again
// at once: whose it is, when to ask again (a time with its zone, or a number of minutes), and no advice beside that.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { startOverWorld } from './world.mjs';

const range = { start_date: '2026-02-01', end_date: '2026-02-20' };
let s, client, world;

before(async () => {
  s = await startOverWorld({ sim: { today: '2026-03-15', days: 60 }, env: { report: { REPORT_CACHE_TTL_S: 0, REPORT_BACKOFF_MS: 20 } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

const AT = String.raw`\d\d:\d\dZ`, minutes = (text) => 60 * Number(text.slice(0, 2)) + Number(text.slice(3, 5));
let n = 0;
async function single(d) {
  const answer = await client.call('run_report', { dealer_id: d.dealer_id, metrics: ['sessions'], date_ranges: [range], limit: 100 + n++ }); // none that is kept
  assert.equal(answer.isError, true, answer.text);
  assert.ok(answer.text.startsWith(`dealer "${d.dealer_id}" ${d.name}: `), answer.text);
  return answer.text;
}
async function among(d) {
  const others = ['d23', 'd24'];
  const { coverage } = await client.data('run_report_across_dealers', { dealer_ids: [d.dealer_id, ...others], metrics: ['sessions'], date_range: range });
  assert.deepEqual([coverage.ok, coverage.failed.map((f) => [f.dealer_id, f.name])], [2, [[d.dealer_id, d.name]]]);
  return coverage.failed[0];
}
/** One time, or one number of minutes, and not both. */
function says(text, when) {
  const times = text.match(new RegExp(`until ${AT}`, 'g')) ?? [], soon = text.match(/in (half )?a minute/g) ?? [];
  assert.deepEqual([times.length, soon.length], when === 'time' ? [1, 0] : when === 'soon' ? [0, 1] : [0, 0], text);
  if (when !== 'time') return;
  const left = (minutes(times[0].slice(6)) - new Date().getUTCHours() * 60 - new Date().getUTCMinutes() + 1440) % 1440;
  if (!/daily/.test(text)) assert.ok(left >= 58 && left <= 61, `${left} minutes: ${text}`);
}

// kind, reason, what it says at first and when, what it says again and when
const CASES = [
  ['429_hourly', 'quota_exhausted', /hourly quota is used up\. Ask again then/, 'time', /too little of the property's hourly quota.*Ask again then, or from \d\d:\d\dZ on/, 'time'],
  ['429_daily', 'quota_exhausted', /until 0[78]:00Z: the property's daily quota is used up\. Ask again then/, 'time', /until 0[78]:00Z: too little of the property's daily quota.*Ask again then/, 'time'],
  ['429_concurrent', 'quota_exhausted', /too many requests at once at this property.*try again in half a minute/, 'soon', /too many requests at once/, 'soon'],
  ['429_thresholded', 'quota_exhausted', /reports by age, gender, interests or audience.*Leave these dimensions out, or ask again then/, 'time', /Leave these dimensions out/, 'time'],
  ['429_server_errors', 'server_errors', /failed too often within an hour.*Ask again then/, 'time', /nothing is sent until.*Ask again then/, 'time'],
  ['403_rate', 'quota_exhausted', /rate limit at Google is used up for this minute; try again in a minute/, 'soon', /try again in a minute/, 'soon'],
  ['500', 'unanswerable', /Google cannot answer this combination of fields.*without the filter, or for fewer days\.$/, 'never', /cannot answer this combination/, 'never'],
  ['html_502', 'unavailable', /Google answered 502.*try again in a minute/, 'soon', /Google answered 502/, 'soon'],
];
for (const [i, [kind, reason, first, when, then, whenThen]] of CASES.entries())
  test(`fault: ${kind}`, async () => {
    const d = world.dealers[i];
    await s.sim.fault({ dealer_id: d.dealer_id, kind });
    const text = await single(d), again = await single(d), failure = await among(d);
    await s.sim.clear();
    assert.match(text, first);
    says(text, when);
    assert.match(again, then);
    says(again, whenThen);
    assert.equal(failure.reason, reason);
    assert.match(failure.message, then);
    says(failure.message, whenThen);
  });

test('the breaker opens after six failures, with the time it closes', async () => {
  const d = world.dealers[10];
  await s.sim.fault({ dealer_id: d.dealer_id, kind: '503' });
  for (let i = 0; i < 2; i++) says(await single(d), 'soon'); // three attempts each
  const asked = (await s.sim.stats()).totals.report_requests, open = await single(d);
  assert.match(open, /Google failed several times within an hour at this property; nothing is sent until \d\d:\d\dZ.*Ask again then\.$/);
  says(open, 'time');
  assert.equal((await among(d)).reason, 'server_errors');
  await s.sim.clear();
  says(await single(d), 'time');
  assert.equal((await s.sim.stats()).totals.report_requests, asked + 2, 'the two others of the fan-out alone');
});

test('a budget that is nearly spent refuses what would not fit', async () => {
  const d = world.dealers[11];
  const answer = await fetch(`${s.set.sim}/sim/quota`, { method: 'POST', body: JSON.stringify({ dealer_id: d.dealer_id, tokens_hour: 39_999 }) });
  assert.equal(answer.status, 200);
  await client.data('run_report', { dealer_id: d.dealer_id, metrics: ['sessions'], date_ranges: [range], limit: 5000 }); // takes the last token
  const text = await single(d);
  assert.match(text, /too little of the property's hourly quota at Google is left for another report/);
  says(text, 'time');
});

test('a wrong answer of Google is not said to be the service\'s error', async () => {
  const d = world.dealers[12];
  for (const kind of ['empty_object', 'error_200', 'not_json', 'huge_body']) {
    await s.sim.fault({ dealer_id: d.dealer_id, kind });
    assert.match(await single(d), /try again/, kind);
    await s.sim.clear();
  }
});
