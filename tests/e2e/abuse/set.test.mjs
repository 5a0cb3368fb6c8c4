// What one caller may ask of the whole set, and what that leaves the others: a well-behaved caller runs
// through 200 comparisons at a time of another, and through another's flood of benchmarks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, test } from 'node:test';
import { startSet } from '../lib/set.mjs';
import { Mcp } from '../set/mcp.mjs';
import { accountToken, authSettings, jwt, secret } from '../set/tokens.mjs';
import { startOverWorld, wholeWeeks } from '../set/world.mjs';
import { beside, line } from './beside.mjs';

const ATTEMPTS = 3;
// Long enough for the calls of a round to have a median on a busy machine.
const SPANS = { quiet: 3, seconds: 4, calls: 3 };
const key = secret();
let set;

const proof = (id) => {
  const d = JSON.parse(fs.readFileSync(set.dealersFile, 'utf8')).dealers.find((one) => one.dealer_id === id);
  return accountToken({ account_id: d.account_id, refresh_token: d.oauth.refresh_token });
};

afterEach(() => set?.stop());

/** A caller that asks one thing again and again, none of which may fail. */
async function callerOf(token, tool, args) {
  const client = await Mcp.connect(set.url, { token });
  return {
    through: [set.pid('gateway')], // services answer side by side: their waits do not add up
    async ask() {
      const answer = await client.call(tool, args);
      client.log.length = 0;
      assert.equal(answer.status, 200, answer.raw);
      assert.equal(answer.isError, false, answer.text);
    },
    async health() {
      const answer = await fetch(new URL('/health', set.url));
      await answer.text();
      assert.equal(answer.status, 200);
    },
  };
}

async function expectUnharmed(t, caller, args, extra) {
  let wrong;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const result = await beside(caller, 'tool', [new URL(set.url).port, ...args], [set.pid('gateway')], { ...SPANS, extra });
    t.diagnostic(line(result));
    wrong = result.wrong;
    if (wrong.length === 0) return;
  }
  assert.deepEqual(wrong, []);
}

// Whole weeks of the last months, no two alike.
const periods = Array.from({ length: 12 }, (_, n) => Array.from({ length: 12 - n }, (_, skip) => wholeWeeks(n + 1, skip))).flat();

// Google takes its time, and none of this machine's processors: the simulator's stub.
test('200 comparisons of one caller at a time', { timeout: 300_000 }, async (t) => {
  set = await startSet({ sim: { stub: true, dealers: 24, latencyMs: 100 }, env: { ...authSettings(key), report: { REPORT_CACHE_TTL_S: 0 } } });
  const caller = await callerOf(jwt(key, { sub: 'ann', role: 'admin' }), 'compare_dealer_sessions', { region: 'Region 1', date_range: wholeWeeks(2) });
  const asked = periods.map((date_range) => ({ region: 'Region 2', date_range }));
  await expectUnharmed(t, caller, [jwt(key, { sub: 'mallory', role: 'admin' }), 200, 'compare_dealer_sessions', JSON.stringify(asked)],
    ({ p50: [quiet, during] }) => (during <= 2 * quiet ? [] : [`p50 ${quiet} -> ${during} ms`]));
});

test('benchmarks of one dealer without end', { timeout: 300_000 }, async (t) => {
  ({ set } = await startOverWorld({ env: authSettings(key) }));
  const caller = await callerOf(proof('d14'), 'run_report', { dealer_id: 'd14', metrics: ['sessions'], date_ranges: [wholeWeeks(2)] });
  const asked = periods.map((date_range) => ({ subject: 'd13', date_range }));
  await expectUnharmed(t, caller, [proof('d13'), 50, 'benchmark_dealer', JSON.stringify(asked)]);
});
