// Faults of Google for one dealer: the answer stands without it, names it, and its figures are those
// of the other dealers. Faults of all dealers: one clear error.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { patient } from '../lib/build.mjs';
import { Mcp } from './mcp.mjs';
import { assertComparison, assertSame, figuresOf } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, client, world, date_range;

before(async () => {
  s = await startOverWorld({
    env: { report: { REPORT_BACKOFF_MS: 20, REPORT_TIMEOUT_MS: patient(4000), REPORT_CACHE_TTL_S: 0, REPORT_SERVER_ERRORS: 0, REPORT_QUOTA_PROBE_S: 0 } },
  });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  const today = todayIn('UTC');
  date_range = { start_date: daysBefore(today, 34), end_date: daysBefore(today, 7) };
});
after(() => s?.stop());
// Ten server errors within an hour would use up a project's quota of them.
async function heal() {
  await s.sim.clear();
  await s.sim.resetQuota();
}
afterEach(heal);

const figures = (dealers) => dealers.map((d) => figuresOf(world, d, date_range));
const parts = ({ dealers, regional_average, performance_index }) => ({ dealers, regional_average, performance_index });

// Asks for a region while dealer `id` is at fault, and checks everything that must hold.
async function withoutDealer(id, reason, message) {
  const broken = world.dealer(id);
  const rest = world.ofRegion(broken.region).filter((d) => d !== broken);
  const answer = await client.data('compare_dealer_sessions', { region: broken.region, date_range, detail: 'all', limit: 500 });
  assert.equal(answer.coverage.asked, rest.length + 1);
  assert.equal(answer.coverage.ok, rest.length);
  assert.equal(answer.coverage.failed.length, 1);
  const [failure] = answer.coverage.failed;
  assert.equal(failure.dealer_id, id);
  assert.equal(failure.name, broken.name);
  assert.equal(failure.reason, reason, failure.message);
  assert.match(failure.message, message);
  assert.ok(answer.caveats.some((c) => c.includes(broken.name)), `no caveat names it: ${answer.caveats.join('\n')}`);
  assertComparison(answer, figures(rest), null, `without ${id}`, true);
  const others = await client.data('compare_dealer_sessions', { dealer_ids: rest.map((d) => d.dealer_id), date_range, detail: 'all', limit: 500 });
  assert.deepEqual(parts(answer), parts(others), 'the same as when the others alone are asked for');
  return answer;
}

// The region once more, complete.
async function complete(region) {
  const answer = await client.data('compare_dealer_sessions', { region, date_range, detail: 'all', limit: 500 });
  assert.deepEqual(answer.coverage.failed, []);
  assertComparison(answer, figures(world.ofRegion(region)), null, `${region} complete`, true);
}

describe('a dealer whose reports fail is named and left out, and back when it works again', () => {
  const kinds = [
    [{ kind: '401' }, 'unauthenticated', /refused .*re-consent/],
    [{ kind: '403' }, 'permission_denied', /denies access.*Viewer/s],
    [{ kind: '403_scopes' }, 'insufficient_scopes', /re-consent with the scope/],
    [{ kind: '403_disabled' }, 'api_disabled', /operator must enable it at https:/],
    [{ kind: '429_hourly' }, 'quota_exhausted', /until \d\d:\d\dZ at the latest.*hourly/s],
    [{ kind: '429_daily' }, 'quota_exhausted', /^quota exhausted until 0[78]:00Z/],
    [{ kind: '429_concurrent' }, 'quota_exhausted', /too many requests at once/],
    [{ kind: '500' }, 'unanswerable', /Google cannot answer this combination of fields/],
    [{ kind: '503' }, 'unavailable', /Google answered 503/],
    [{ kind: 'html_502' }, 'unavailable', /Google answered 502/],
    [{ kind: 'latency', ms: patient(8000) }, 'timeout', /did not answer in time/],
    [{ kind: 'slow_body', ms: patient(8000) }, 'timeout', /did not answer in time/],
    [{ kind: 'cut' }, 'unavailable', /try again/],
    [{ kind: 'malformed' }, 'truncated_response', /ended early.*try again/],
  ];
  for (const [fault, reason, message] of kinds)
    test(`fault: ${fault.kind}`, async () => {
      await s.sim.fault({ dealer_id: 'd04', ...fault });
      const answer = await withoutDealer('d04', reason, message);
      assert.doesNotMatch(JSON.stringify(answer), /ya29\.|1\/\//, 'a credential in the answer');
      await heal();
      await complete('West');
    });
});

describe('a fault that passes is not seen', () => {
  for (const kind of ['401', '500', '503', 'html_502', 'cut', '429_concurrent'])
    test(`once: ${kind}`, async () => {
      await s.sim.resetStats();
      await s.sim.fault({ dealer_id: 'd13', kind, times: 1 });
      await complete('West');
      const { properties } = await s.sim.stats();
      const reports = properties[world.dealer('d13').property_id];
      assert.equal(reports.report_requests, 2, 'one batch of reports, asked for twice');
      if (kind !== 'cut') assert.equal(reports.reports_ok, 1); // a cut answer was a good one
    });
});

describe('faults of the token endpoint', () => {
  // Each for a dealer whose token nobody has asked for yet.
  test('a_dealer_that_must_re_consent_is_named_and_asked_for_once', async () => {
    await s.sim.fault({ dealer_id: 'd03', kind: 'invalid_grant' });
    await withoutDealer('d03', 'invalid_grant', /re-consent/);
    await withoutDealer('d03', 'invalid_grant', /re-consent/);
    const { accounts } = await s.sim.stats();
    assert.equal(accounts[world.dealer('d03').account_id].token_requests, 1, 'Google is not asked again');
    const text = await client.refused('run_report', { dealer_id: 'd03', metrics: ['sessions'] });
    assert.match(text, /re-consent/);
  });

  test('a_new_consent_is_taken_up_by_a_restart_of_auth_svc', async () => {
    await heal();
    await withoutDealer('d03', 'invalid_grant', /re-consent/); // the credential is final, see auth/token.md
    await s.set.restart('auth');
    await untilComplete('East');
  });

  test('a_dealer_that_revokes_its_consent_later_is_named', async () => {
    await complete('Central');
    await s.sim.fault({ dealer_id: 'd05', kind: 'invalid_grant' });
    await complete('Central'); // its token is good until Google refuses it
    await s.sim.fault({ dealer_id: 'd05', kind: '401' });
    await withoutDealer('d05', 'invalid_grant', /re-consent/);
  });

  test('an_endpoint_that_fails_or_hangs_is_named_and_asked_again', async () => {
    const cases = [['d08', 'invalid_client'], ['d11', 'token_503'], ['d14', 'html_502'], ['d17', 'cut'], ['d20', 'malformed']];
    await s.set.restart('auth'); // forgets all tokens
    for (const [dealer_id, kind] of cases) await s.sim.fault({ dealer_id, kind, endpoint: 'token' });
    const answer = await untilAnswered({ dealer_ids: cases.map(([id]) => id).concat('d02'), date_range });
    assert.equal(answer.coverage.ok, 1);
    assert.deepEqual(answer.coverage.failed.map((f) => f.dealer_id), cases.map(([id]) => id));
    for (const failure of answer.coverage.failed) {
      assert.notEqual(failure.reason, 'invalid_grant', 'nobody must re-consent for that');
      assert.ok(failure.message.length > 20, failure.message);
      assert.doesNotMatch(failure.message, /GOCSPX|1\/\//);
    }
    await heal();
    // The others after the wait that auth-svc grants Google; the client that Google refused when the
    // operator has changed something.
    process.kill(s.set.pid('auth'), 'SIGHUP');
    await untilComplete('Central');
  });
});

// Repeats until auth-svc's restart has been noticed: a moment during which calls may fail.
async function untilAnswered(args, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await client.call('compare_dealer_sessions', args);
    if (!answer.isError && answer.data) return answer.data;
    if (Date.now() > end) throw new Error(`still: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
async function untilComplete(region, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await client.call('compare_dealer_sessions', { region, date_range });
    if (answer.data?.coverage.failed.length === 0) break;
    if (Date.now() > end) throw new Error(`still: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await complete(region);
}

describe('the other tools', () => {
  test('a_report_across_dealers_stands_without_one', async () => {
    await s.sim.fault({ dealer_id: 'd10', kind: '403' });
    const args = { dimensions: ['deviceCategory'], metrics: ['sessions'], date_range };
    const answer = await client.data('run_report_across_dealers', { ...args, region: 'West' });
    const rest = world.ofRegion('West').map((d) => d.dealer_id).filter((id) => id !== 'd10');
    const others = await client.data('run_report_across_dealers', { ...args, dealer_ids: rest });
    assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [['d10', 'permission_denied']]);
    assertSame({ dealers: answer.dealers, pooled: answer.pooled }, { dealers: others.dealers, pooled: others.pooled }, 'rows');
    assert.deepEqual(answer.dealers.map((d) => d.dealer_id), rest);
  });

  test('account_summaries_stand_without_one', async () => {
    await s.sim.fault({ dealer_id: 'd16', kind: '403_disabled' });
    const answer = await client.data('get_account_summaries', {});
    assert.deepEqual(answer.coverage.failed.map((f) => [f.dealer_id, f.reason]), [['d16', 'api_disabled']]);
    assert.equal(answer.dealers.length, 23);
  });

  test('a_single_report_fails_with_the_reason', async () => {
    await s.sim.fault({ dealer_id: 'd10', kind: '429_daily' });
    const text = await client.refused('run_report', { dealer_id: 'd10', metrics: ['sessions'] });
    assert.match(text, /quota exhausted until 0[78]:00Z/);
    await heal();
    await client.data('run_report', { dealer_id: 'd10', metrics: ['sessions'] });
  });

  test('a_dealer_that_fails_as_the_subject_is_said_first', async () => {
    await s.sim.fault({ dealer_id: 'd19', kind: '503' });
    const answer = await client.data('compare_dealer_sessions', { subject: 'd19', date_range });
    assert.match(answer.headline, /^Nissan of Las Vegas could not be read \(unavailable\)/);
    assert.equal(answer.dealers.length, 7);
  });
});

describe('all dealers fail', () => {
  test('a_comparison_is_an_error_that_names_them', async () => {
    await s.sim.fault({ dealer_id: '*', kind: '403' });
    const text = await client.refused('compare_dealer_sessions', { dealer_ids: ['d01', 'd04', 'd07'], date_range });
    for (const id of ['d01', 'd04', 'd07']) assert.ok(text.includes(world.dealer(id).name), text);
    assert.match(text, /denies access/);
  });

  test('different_reasons_are_each_told', async () => {
    await s.sim.fault({ dealer_id: 'd01', kind: '403' });
    await s.sim.fault({ dealer_id: 'd04', kind: '503' });
    const text = await client.refused('compare_dealer_sessions', { dealer_ids: ['d01', 'd04'], date_range });
    assert.match(text, /Toyota of Los Angeles: permission_denied/);
    assert.match(text, /BMW of San Diego: unavailable/);
  });

  test('a_report_across_dealers_too', async () => {
    await s.sim.fault({ dealer_id: '*', kind: '500' });
    const text = await client.refused('run_report_across_dealers', { region: 'West', metrics: ['sessions'], date_range });
    assert.match(text, /None of the 8 dealers answered/);
    await heal();
    await client.data('run_report_across_dealers', { region: 'West', metrics: ['sessions'], date_range });
  });
});

test('nothing_is_left_running', async () => {
  for (let i = 0; i < 50; i++) {
    const { totals } = await s.sim.stats();
    if (totals.in_flight === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('requests are still under way at the simulator');
});
