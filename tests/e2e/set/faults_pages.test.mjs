// Every fault of Google, of its token endpoint and of its certificate at one dealer of a fan-out, those of the API from the
// first page or from a later one on: the dealer is named with its own reason and what to do, and every row of the others and
// of the pool equals SQL.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { patient } from '../lib/build.mjs';
import { freePort } from '../lib/ports.mjs';
import { Mcp } from './mcp.mjs';
import { compact, startOverWorld } from './world.mjs';

const TODAY = '2026-03-15', range = { start_date: '2026-02-01', end_date: '2026-03-08' };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-ca-')), CERTIFICATES = ['expired', 'wrong_name', 'self_signed'];
let s, client, world, members, ports;

before(async () => {
  ports = Object.fromEntries(await Promise.all(CERTIFICATES.map(async (kind) => [kind, await freePort()])));
  const ca = path.join(dir, 'ca.pem');
  s = await startOverWorld({ sim: { today: TODAY, days: 60, tls: CERTIFICATES.map((kind) => `${kind}@127.0.0.1:${ports[kind]}`), writeCa: ca }, env: {
    report: { REPORT_PAGE_ROWS: 40, REPORT_CACHE_TTL_S: 0, REPORT_BACKOFF_MS: 20, REPORT_TIMEOUT_MS: patient(1500), REPORT_SERVER_ERRORS: 0, REPORT_QUOTA_PROBE_S: 0 },
    auth: { AUTH_TOKEN_TIMEOUT_MS: patient(1500), SSL_CERT_FILE: ca },
  } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  members = ['d02', 'd04', 'd07', 'd09'].map((id) => world.dealer(id));
});
after(async () => {
  await s?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});
const heal = async () => {
  await s.sim.clear();
  await s.sim.resetQuota();
};
afterEach(heal);

const rows = (d) => world.all(`SELECT city AS a, source AS b, count(*) AS n FROM sessions WHERE property_id=? AND date BETWEEN ? AND ? GROUP BY 1, 2`,
  d.property_id, compact(range.start_date), compact(range.end_date)).map(Object.values);
const sorted = (list) => list.map((row) => JSON.stringify(row)).toSorted();
const flat = (row) => [...row.dimension_values, ...row.metric_values];
const ask = (of = members) => client.data('run_report_across_dealers', { dealer_ids: of.map((d) => d.dealer_id), dimensions: ['city', 'sessionSource'], metrics: ['sessions'],
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
  ['429_concurrent', 'quota_exhausted', /too many requests at once.*in half a minute/s],
  ['429_thresholded', 'quota_exhausted', /until \d\d:\d\dZ at the latest.*Leave these dimensions out/s],
  ['429_server_errors', 'server_errors', /refuses all reports until \d\d:\d\dZ at the latest/],
  ['500', 'unanswerable', /Google cannot answer this combination of fields/],
  ['503', 'unavailable', /Google answered 503/],
  ['html_502', 'unavailable', /Google answered 502/],
  ['html_404', 'not_found', /the server in Google's place does not offer this method.*operator/s],
  ['slow_body', 'timeout', /did not answer in time/],
  ['latency', 'timeout', /did not answer in time/],
  ['cut', 'unavailable', /^Google's answer was cut off: .*try again/s],
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
        await s.sim.fault({ dealer_id: 'd04', kind, from_row, ...(/^(slow_body|latency)$/.test(kind) && { ms: patient(4000) }) });
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

// Of a token endpoint: what each dealer's first access token is asked for, so each fault has a dealer of its own.
const CONSENT = /dealer must re-consent \(invalid_grant\)/, OPERATOR = /which the dealer cannot fix: tell the operator/, AGAIN = /token endpoint .*; next attempt in \d+ s/;
const TOKEN_FAULTS = [
  ['invalid_grant', 'invalid_grant', CONSENT],
  ['invalid_rapt', 'invalid_grant', CONSENT],
  ['invalid_client', 'invalid_client', OPERATOR],
  ['deleted_client', 'deleted_client', OPERATOR],
  ['unauthorized_client', 'unauthorized_client', OPERATOR],
  ['admin_policy_enforced', 'admin_policy_enforced', OPERATOR],
  ['401', 'invalid_client', OPERATOR],
  ...['token_503', 'token_slow', 'latency', '403', '429_hourly', '500', '503', 'html_404', 'html_502', 'cut', 'malformed', 'not_json', 'huge_body']
    .map((kind) => [kind, 'token_endpoint_unavailable', AGAIN]),
];
const others = () => world.dealers.map((d) => d.dealer_id).filter((id) => !['d02', 'd04', 'd07', 'd09'].includes(id));

describe('token_faults_name_the_dealer_and_nobody_else', () => {
  for (const [i, [kind, reason, message]] of TOKEN_FAULTS.entries())
    test(`fault: ${kind}`, async () => {
      const d = world.dealer(others()[i]);
      await s.sim.fault({ dealer_id: d.dealer_id, kind, endpoint: 'token', ...(/^(token_slow|latency)$/.test(kind) && { ms: patient(4000) }) });
      const answer = await ask([...members, d].toSorted((a, b) => (a.dealer_id < b.dealer_id ? -1 : 1)));
      assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [[d.dealer_id, reason]], JSON.stringify(answer.coverage.failed));
      assert.match(answer.coverage.failed[0].message, message);
      exact(answer, members);
    });
});

// The token endpoints of three dealers show certificates that nobody should trust.
describe('certificate_faults_name_the_dealer_and_nobody_else', () => {
  before(async () => {
    const file = JSON.parse(fs.readFileSync(s.set.dealersFile, 'utf8'));
    const loads = async () => Number(/^auth_config_reloads_total\{result="ok"\} (\d+)/m.exec(await (await fetch(`${s.set.admin('auth')}/metrics`)).text())?.[1] ?? 0);
    for (const [i, kind] of CERTIFICATES.entries()) file.dealers.find((d) => d.dealer_id === others()[i]).oauth.token_uri = `https://127.0.0.1:${ports[kind]}/token`;
    const count = await loads();
    fs.writeFileSync(s.set.dealersFile, JSON.stringify(file), { mode: 0o600 });
    while ((await loads()) === count) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  for (const [i, kind] of CERTIFICATES.entries())
    test(`fault: ${kind}`, async () => {
      const d = world.dealer(others()[i]);
      const answer = await ask([...members, d].toSorted((a, b) => (a.dealer_id < b.dealer_id ? -1 : 1)));
      assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [[d.dealer_id, 'certificate_refused']], JSON.stringify(answer.coverage.failed));
      assert.match(answer.coverage.failed[0].message, OPERATOR);
      assert.match(s.set.output('auth').stderr, new RegExp(`127\\.0\\.0\\.1:${ports[kind]}.*set SSL_CERT_FILE`));
      exact(answer, members);
    });
});

// What the simulator can do, but for faults of other ways to sign in, which credentials.test.mjs has.
test('every_fault_of_the_simulator_is_among_these', async () => {
  const refusal = await s.sim.fault({ dealer_id: 'd04', kind: 'none of them' }).then(() => '', (error) => error.message);
  const kinds = /one of (.*)$/s.exec(refusal)[1].split(', ');
  const tried = new Set([...FAULTS, ...TOKEN_FAULTS].map(([kind]) => kind).concat('unknown_enum', 'tie_reorder', 'no_flavor', 'invalid_target'));
  assert.deepEqual(kinds.filter((kind) => !tried.has(kind)), []);
  assert.ok(kinds.length > 30);
});
