// What one caller may ask of other dealers' properties within an hour, and what that leaves alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { accountToken, authSettings, jwt, secret } from './tokens.mjs';
import { startOverWorld, wholeWeeks } from './world.mjs';

const OWN = 'd13'; // West
const QUESTIONS = 3; // that the share allows

let s, world, key, others, dealer, neighbour;

const proof = (id) => {
  const d = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8')).dealers.find((one) => one.dealer_id === id);
  return accountToken({ account_id: d.account_id, refresh_token: d.oauth.refresh_token });
};

before(async () => {
  key = secret();
  const west = 8; // of 24 dealers over 3 regions
  s = await startOverWorld({
    env: { ...authSettings(key), report: { REPORT_BENCHMARK_REPORTS: QUESTIONS * (west - 1), REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 } },
  });
  world = s.world;
  others = world.ofRegion('West').filter((d) => d.dealer_id !== OWN);
  assert.equal(others.length, west - 1, 'the share is for so many');
  dealer = await Mcp.connect(s.set.url, { token: proof(OWN) });
  neighbour = await Mcp.connect(s.set.url, { token: proof(others[0].dealer_id) });
});
after(() => s?.stop());

const ask = (client, weeks) => client.call('compare_dealer_sessions', { region: 'West', date_range: wholeWeeks(weeks) });
const metric = async (pattern) => {
  const text = await (await fetch(`${s.set.admin('report')}/metrics`)).text();
  return [...text.matchAll(pattern)].reduce((sum, m) => sum + Number(m[1]), 0);
};
const reports = () => metric(/^report_benchmark_reports_total (\d+)/gm);

test('a caller that has used up its share is refused until a named time; others and its own dealers go on', async () => {
  const first = await ask(dealer, 13);
  assert.equal(first.isError, false, first.text);
  const cost = await reports();
  assert.equal(cost, others.length, 'a report of each other dealer, none of its own');

  for (let i = 1; i < QUESTIONS; i++) assert.equal((await ask(dealer, 13 - i)).isError, false);
  const before = await reports();
  assert.equal(before, QUESTIONS * others.length);
  for (let i = 0; i < 4; i++) {
    const refused = await ask(dealer, 13 - QUESTIONS);
    assert.equal(refused.isError, true, refused.text);
    assert.match(refused.text, /try again after \d\d:\d\dZ/);
    for (const d of others) assert.ok(!refused.text.includes(d.name) && !refused.text.includes(d.dealer_id), refused.text);
  }
  assert.equal(await reports(), before, 'nothing more was asked of Google');
  assert.ok((await metric(/^report_benchmark_refusals_total\{cause="principal"\} (\d+)/gm)) >= 4);
  const lines = s.set.output('report').stderr.split('\n').filter((line) => line.includes('benchmark share used up'));
  assert.equal(lines.length, 1, 'one line a minute');
  assert.match(lines[0], /"principal":"[0-9a-f]{8,}"/);

  const again = await ask(dealer, 13);
  assert.equal(again.isError, false, 'released figures are still to be had');
  const released = (answer) => JSON.stringify(answer.data).match(/"pooled":[^,}]*/g);
  assert.ok(released(first).length > 0, 'something was released');
  assert.deepEqual(released(again), released(first));
  const own = await dealer.call('run_report', { dealer_id: OWN, metrics: ['sessions'], date_ranges: [wholeWeeks(2)] });
  assert.equal(own.isError, false, own.text);
  assert.equal((await ask(neighbour, 13 - QUESTIONS)).isError, false, 'another caller has a share of its own');
  const admin = await Mcp.connect(s.set.url, { token: jwt(key, { sub: 'root', role: 'admin' }) });
  for (let i = 0; i < QUESTIONS + 1; i++) assert.equal((await ask(admin, 13 - i)).isError, false, 'who sees them all asks its own');
});
