// A set with two replicas of report-svc whose services stop and come back: what is asked of it, and how it recovers.
// Importing it starts the set before the tests and stops it after them.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const BACK_MS = patient(8_000); // a service that is back must be used by then

export let s, client, world, date_range, key;
export const admin = (sub = 'operator') => jwt(key, { sub, role: 'admin' });
// The operator's session, and another where the gateway was restarted.
export async function reconnect() {
  client = await Mcp.connect(s.set.url, { token: admin() });
}

before(async () => {
  key = secret();
  const auth = authSettings(key);
  s = await startOverWorld({
    reportReplicas: 2,
    env: { ...auth, aggregate: { AGGREGATE_BATCH_DEALERS: 3 }, report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0, REPORT_LEASE_MS: 0 } },
  });
  world = s.world;
  await reconnect();
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
});
after(() => s?.stop());
afterEach(() => s.sim.clear());

export const everyone = () => ({ dealer_ids: world.dealers.map((d) => d.dealer_id), date_range, limit: 500 });
export const report = () => ({ dealer_id: 'd02', metrics: ['sessions'], date_ranges: [date_range] });
export const tools = {
  list: () => client.call('list_dealers', {}),
  report: () => client.call('run_report', report()),
  accounts: () => client.call('get_account_summaries', {}),
  compare: () => client.call('compare_dealer_sessions', { region: 'West', date_range }),
  across: () => client.call('run_report_across_dealers', { region: 'West', metrics: ['sessions'], date_range }),
};

// All tools work again within the time a restart may take to be noticed.
export async function recovers() {
  const end = Date.now() + BACK_MS;
  for (const tool of Object.keys(tools))
    for (;;) {
      const answer = await tools[tool]();
      if (!answer.isError && !(answer.data?.coverage?.failed.length > 0)) break;
      if (Date.now() > end) assert.fail(`${tool} still fails: ${answer.text.slice(0, 600)}`);
      await sleep(100);
    }
}
