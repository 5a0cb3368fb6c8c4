// Every fault of Google at one dealer of a fan-out, from the first page or from a later one on: the dealer is
// named with its own reason and what to do, and every row of the others and of the pool equals SQL.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { compact, startOverWorld } from './world.mjs';

const TODAY = '2026-03-15', range = { start_date: '2026-02-01', end_date: '2026-03-08' };
let s, client, world, members;

before(async () => {
  s = await startOverWorld({ sim: { today: TODAY, days: 60 }, env: { report: {
    REPORT_PAGE_ROWS: 40, REPORT_CACHE_TTL_S: 0, REPORT_BACKOFF_MS: 20, REPORT_TIMEOUT_MS: patient(1500), REPORT_SERVER_ERRORS: 0, REPORT_QUOTA_PROBE_S: 0,
  } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  members = ['d02', 'd04', 'd07', 'd09'].map((id) => world.dealer(id));
});
after(() => s?.stop());
const heal = async () => {
  await s.sim.clear();
  await s.sim.resetQuota();
};
afterEach(heal);

const rows = (d) => world.all(`SELECT city AS a, source AS b, count(*) AS n FROM sessions WHERE property_id=? AND date BETWEEN ? AND ? GROUP BY 1, 2`,
  d.property_id, compact(range.start_date), compact(range.end_date)).map(Object.values);
const sorted = (list) => list.map((row) => JSON.stringify(row)).toSorted();
const flat = (row) => [...row.dimension_values, ...row.metric_values];
const ask = () => client.data('run_report_across_dealers', { dealer_ids: members.map((d) => d.dealer_id), dimensions: ['city', 'sessionSource'], metrics: ['sessions'],
  date_range: range, limit_per_dealer: 0, pooled_limit: 10_000, dealers_per_page: 500 });

/** The answer rests on these dealers, to the last row. */
function exact(answer, dealers) {
  assert.deepEqual(answer.dealers.map((d) => d.dealer_id), dealers.map((d) => d.dealer_id));
  dealers.forEach((d, i) => assert.deepEqual(sorted(answer.dealers[i].rows.map(flat)), sorted(rows(d)), d.dealer_id));
  const sums = new Map();
  for (const [a, b, n] of dealers.flatMap(rows)) sums.set(`${a}\t${b}`, (sums.get(`${a}\t${b}`) ?? 0) + n);
  assert.deepEqual(sorted(answer.pooled.map(flat)), sorted([...sums].map(([key, n]) => [...key.split('\t'), n])), 'pooled');
}

const FAULTS = [
  ['400', 'invalid_argument', /.{20}/],
  ['401', 'unauthenticated', /refused .*re-consent/],
  ['403', 'permission_denied', /denies access.*Viewer/s],
  ['403_scopes', 'insufficient_scopes', /re-consent with the scope/],
  ['403_disabled', 'api_disabled', /operator must enable it at https:/],
  ['403_rate', 'quota_exhausted', /rate limit.*try again in a minute/],
  ['429_hourly', 'quota_exhausted', /until \d\d:\d\dZ at the latest.*hourly/s],
  ['429_daily', 'quota_exhausted', /^quota exhausted until 0[78]:00Z/],
  ['429_concurrent', 'quota_exhausted', /too many requests at once/],
  ['429_thresholded', 'quota_exhausted', /threshold/],
  ['429_server_errors', 'quota_exhausted', /server errors/],
  ['500', 'unanswerable', /Google cannot answer this combination of fields/],
  ['503', 'unavailable', /Google answered 503/],
  ['html_502', 'unavailable', /Google answered 502/],
  ['slow_body', 'timeout', /did not answer in time/],
  ['latency', 'timeout', /did not answer in time/],
  ['cut', 'unavailable', /try again/],
  ['malformed', 'truncated_response', /ended early.*try again/],
  ['not_json', 'malformed_response', /try again/],
  ['empty_object', 'malformed_response', /not a report/],
  ['error_200', 'malformed_response', /.{20}/],
  ['huge_body', 'malformed_response', /.{20}/],
];

for (const from_row of [0, 40])
  describe(from_row === 0 ? 'from_the_first_page_on' : 'from_a_later_page_on', () => {
    for (const [kind, reason, message] of FAULTS)
      test(`fault: ${kind}`, { timeout: 60_000 }, async () => {
        assert.ok(members.every((d) => rows(d).length > 80), 'several pages of each dealer');
        await s.sim.fault({ dealer_id: 'd04', kind, from_row, ...(/^(slow_body|latency)$/.test(kind) && { ms: 4000 }) });
        const answer = await ask();
        assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [['d04', reason]], answer.coverage.failed[0]?.message);
        assert.match(answer.coverage.failed[0].message, message);
        assert.ok(answer.caveats.some((c) => c.includes(world.dealer('d04').name)), answer.caveats.join('\n'));
        exact(answer, members.filter((d) => d.dealer_id !== 'd04'));
      });

    for (const [kind, times] of [['unknown_enum'], ['tie_reorder'], ['401', 1], ['500', 1], ['503', 1], ['html_502', 1], ['cut', 1], ['429_concurrent', 1]])
      test(`what_is_no_fault_to_the_reader_is_not_seen: ${kind}`, async () => {
        await s.sim.fault({ dealer_id: 'd04', kind, from_row, ...(times && { times }) });
        const answer = await ask();
        assert.deepEqual(answer.coverage.failed, []);
        exact(answer, members);
      });
  });

test('token_faults_name_the_dealer_and_nobody_else', async () => {
  for (const [kind, reason] of [['invalid_rapt', 'invalid_grant'], ['unauthorized_client', 'unauthorized_client'], ['admin_policy_enforced', 'admin_policy_enforced']]) {
    await s.set.restart('auth'); // forgets all tokens
    await s.sim.fault({ dealer_id: 'd04', kind });
    let answer;
    for (let i = 0; answer === undefined && i < 100; i++) answer = await ask().catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
    assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [['d04', reason]], JSON.stringify(answer.coverage.failed));
    exact(answer, members.filter((d) => d.dealer_id !== 'd04'));
    await heal();
  }
});
