// Suspect data through MCP: faults planted in the simulator are found by check_data_health and by
// every tool that uses the days, leave what the others are measured by, and are named only to those
// who may read the dealer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { startSet } from '../lib/set.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { finishedSunday, siteOf } from './truth.mjs';
import { explained } from './truth_explain.mjs';
import { landing } from './truth_pages.mjs';
import { World, daysBefore } from './world.mjs';

// By dealer: the switch of the simulator, and the sign.
const PLANTED = {
  d02: ['bot_wave', 'suspect_traffic'],
  d03: ['gap', 'gap'],
  d05: ['late_start', 'late_start'],
  d07: ['key_events', 'key_events'],
  d08: ['consent_shift', 'level_shift'],
  d09: ['self_referral', 'self_referral'],
  d12: ['duplicates', 'duplicate_leads'],
};
const FOUND = ['suspect_traffic', 'gap', 'late_start', 'level_shift', 'duplicate_leads', 'key_events', 'self_referral',
  'event_stopped', 'event_began', 'key_event_changed', 'sampling', 'truncated'];
const today = new Date().toISOString().slice(0, 10);
const date_range = { start_date: daysBefore(today, 31), end_date: daysBefore(today, 4) };
const days = `date BETWEEN '${date_range.start_date.replaceAll('-', '')}' AND '${date_range.end_date.replaceAll('-', '')}'`;
let set, world, key, all, one;

before(async () => {
  key = secret();
  const plant = Object.entries(PLANTED).map(([dealer, [sign]]) => `${sign}:${dealer}`);
  set = await startSet({ sim: { world: 'demo', dealers: 12, regions: 1, days: 100, plant }, env: { ...authSettings(key) } });
  world = new World(set.db);
  const dealers = world.dealers.map((d) => d.dealer_id);
  all = await Mcp.connect(set.url, { token: jwt(key, { role: 'group', sub: 'all', dealers }) });
  one = await Mcp.connect(set.url, { token: jwt(key, { role: 'dealer', sub: 'one', dealers: ['d01'] }) });
});
after(async () => {
  world?.close();
  await set?.stop();
});

const sums = (id) => world.one(`SELECT COUNT(*) sessions, SUM(engaged) engaged, COUNT(DISTINCT date) days FROM sessions
  WHERE property_id=${world.dealer(id).property_id} AND ${days}`);
const leads = (id) => world.one(`SELECT SUM(count) events, COUNT(DISTINCT session_id) sessions FROM events
  WHERE property_id=${world.dealer(id).property_id} AND name='asc_form_submission' AND ${days}`);
const metric = (answer, id, name) => answer.performance_index.find((d) => d.dealer_id === id).metrics.find((m) => m.metric === name);
const near = (a, b, where) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.abs(b), `${where}: ${a}, not ${b}`);

test('each planted fault is found at its dealer, and no other', async () => {
  const health = await all.data('check_data_health', { date_range, limit: 500 });
  const found = health.signs.filter((s) => FOUND.includes(s.sign)).map((s) => `${s.dealer_id} ${s.sign}`).sort();
  assert.deepEqual(found, Object.entries(PLANTED).map(([dealer, [, sign]]) => `${dealer} ${sign}`).sort());
  for (const d of health.dealers) {
    const truth = sums(d.dealer_id);
    assert.equal(d.sessions, truth.sessions, d.dealer_id);
    assert.equal(d.days_without_data, 28 - truth.days, d.dealer_id);
    assert.equal(d.use, d.dealer_id === 'd02' ? 'left_out' : d.signs > 0 ? 'caveats' : 'no_sign', d.dealer_id);
  }
  const what = (id) => health.signs.find((s) => s.dealer_id === id && FOUND.includes(s.sign)).what;
  assert.match(what('d02'), /on 3 days .* 2\d % of the period's sessions, most of it from China$/);
  assert.match(what('d03'), /^3 days without a session \(/);
  assert.match(what('d05'), /nor in its first \d+ days/);
  assert.ok(what('d09').includes('own host'), what('d09'));
  // Missing dimensions: the simulator registers none at d05 and d09.
  assert.deepEqual(health.signs.filter((s) => s.sign === 'missing_dimensions').map((s) => s.dealer_id).sort(), ['d05', 'd09']);
});

test('a comparison leaves suspect figures out, and says so', async () => {
  const answer = await all.data('compare_dealer_sessions', { region: 'West', date_range, detail: 'all', limit: 500 });
  // Engagement of d01: without itself, the wave, and the other key events.
  const pool = world.dealers.map((d) => d.dealer_id).filter((id) => !['d01', 'd02', 'd07'].includes(id)).map(sums);
  const total = (name) => pool.reduce((n, f) => n + f[name], 0);
  near(metric(answer, 'd01', 'engagement_rate').benchmark, total('engaged') / total('sessions'), 'benchmark');
  const wave = metric(answer, 'd02', 'engagement_rate');
  assert.equal(wave.standing, 'SUSPECT_DATA');
  assert.equal(wave.index, undefined);
  near(wave.value, sums('d02').engaged / sums('d02').sessions, 'own value');
  // Duplicate leads: sessions with a lead in the rate, events beside it.
  const twice = answer.dealers.find((d) => d.dealer_id === 'd12');
  assert.equal(twice.lead_events, leads('d12').events);
  near(twice.leads_per_100_sessions, (100 * leads('d12').sessions) / sums('d12').sessions, 'lead rate');
  // In both forms, and only what is in no benchmark: a caveat is not.
  const wave_alone = [{ dealer_id: 'd02', reason: 'suspect_traffic', figures: 'all' }];
  assert.deepEqual(answer.coverage.left_out, wave_alone);
  const both = await all.call('analyze_vehicle_interest', { date_range });
  assert.deepEqual(both.data.coverage.left_out, wave_alone);
  assert.match(both.text, /^Coverage: .*; in no benchmark: d02 \(suspect_traffic\)$/m);
  assert.equal(metric(answer, 'd07', 'engagement_rate').benchmark, undefined);
  assert.equal(metric(answer, 'd08', 'sessions').change_percent, undefined);
  assert.notEqual(metric(answer, 'd01', 'sessions').change_percent, undefined);
  for (const id of ['d02', 'd03', 'd05', 'd07', 'd08', 'd12']) {
    const caveat = answer.caveats.find((c) => c.startsWith(`${world.dealer(id).name} (${PLANTED[id][1]}): `));
    assert.ok(caveat, `${id}: ${answer.caveats.join('\n')}`);
  }
});

test('nothing suspect of another dealer reaches a dealer', async () => {
  const health = await one.call('check_data_health', {});
  assert.deepEqual(health.data.dealers.map((d) => d.dealer_id), ['d01']);
  const answer = await one.call('compare_dealer_sessions', { subject: 'd01' });
  assert.equal(answer.data.coverage.left_out, undefined);
  for (const raw of one.log)
    for (const [id, [, sign]] of Object.entries(PLANTED)) {
      assert.ok(!raw.includes(world.dealer(id).name), `${id} is named`);
      assert.ok(!raw.includes(`(${sign})`), `${sign} of ${id} is disclosed`);
    }
  assert.ok(answer.data.coverage.ok >= 1);
});

// The pool of the others that a dealer is shown is theirs without suspect figures, to three digits.
test('suspect figures are in no release', async () => {
  const end_date = finishedSunday();
  const start_date = daysBefore(end_date, 27);
  // Each week by itself: a wave (from China), and three days or more without a session, leave it.
  const spans = [0, 1, 2, 3].map((k) => ({ start_date: daysBefore(start_date, -7 * k), end_date: daysBefore(start_date, -7 * k - 6) }));
  const weekly = spans.flatMap((span, week) => {
    const [from, to] = [span.start_date, span.end_date].map((d) => d.replaceAll('-', ''));
    return world.all(`SELECT dealer_id, COUNT(*) sessions, SUM(engaged) engaged, COUNT(DISTINCT date) days, SUM(sessions.country = 'China') far FROM sessions
      JOIN dealers USING (property_id) WHERE date BETWEEN '${from}' AND '${to}' GROUP BY 1`).map((d) => ({ ...d, week }));
  });
  const others = weekly.filter((d) => d.dealer_id !== 'd01');
  const pooled = others.filter((d) => d.dealer_id !== 'd07' && d.days > 4 && !(d.dealer_id === 'd02' && d.far > 0.1 * d.sessions));
  const rate = (list) => list.reduce((n, d) => n + d.engaged, 0) / list.reduce((n, d) => n + d.sessions, 0);
  const answer = await one.data('compare_dealer_sessions', { subject: 'd01' });
  assert.equal(answer.period.end_date, end_date);
  const benchmark = metric(answer, 'd01', 'engagement_rate').benchmark;
  assert.equal(benchmark, Number(rate(pooled).toPrecision(3)));
  assert.notEqual(benchmark, Number(rate(others).toPrecision(3)), 'the faults would show');
  // The same dealers are in a week by itself, in whatever is asked.
  assert.equal(new Set(others.filter((d) => d.dealer_id === 'd02' && d.far > 0.1 * d.sessions).map((d) => d.week)).size, 2, 'the wave crosses a Sunday');
  const trend = await one.data('compare_trends', { subject: 'd01', metric: 'engagement_rate', date_range: { start_date, end_date } });
  const points = new Map(rowsOf(trend, 'points').map((p) => [p.start_date, p]));
  for (const [week, date_range] of spans.entries()) {
    const expected = Number(rate(pooled.filter((d) => d.week === week)).toPrecision(3));
    const alone = await one.data('compare_dealer_sessions', { subject: 'd01', date_range });
    assert.equal(metric(alone, 'd01', 'engagement_rate').benchmark, expected, date_range.start_date);
    assert.equal(points.get(date_range.start_date).benchmark, expected, `trend of ${date_range.start_date}`);
  }
});

// Every other tool: an answer over all dealers says of a sound one what it says over the sound ones.
const rowsOf = (answer, name) => (answer[name]?.columns ? objects(answer[name]) : Array.isArray(answer[name]) ? answer[name] : objects(answer));
const members = (ids) => ids.map((id) => ({ dealer: world.dealer(id), visible: true }));
const without = (...ids) => world.dealers.map((d) => d.dealer_id).filter((id) => !ids.includes(id));
const named = (answer, id, sign) => answer.caveats.some((c) => c.startsWith(`${world.dealer(id).name} (${sign}): `));
const sundayBefore = (day) => daysBefore(day, new Date(`${day}T00:00:00Z`).getUTCDay());
const weeks = () => {
  const end_date = sundayBefore(daysBefore(today, 4));
  return { start_date: daysBefore(end_date, 27), end_date };
};

test('traffic sources are compared without suspect traffic', async () => {
  const answer = await all.data('compare_traffic_sources', { subject: 'd01', region: 'West', date_range });
  // By channel, of the other dealers: [sessions, leads]; d12 by its sessions with a lead.
  const others = (channel) => without('d01', 'd02').map((id) => world.one(`SELECT
      (SELECT COUNT(*) FROM sessions WHERE property_id = p AND ${days} AND channel = ?1) sessions,
      ${siteOf(world, world.dealer(id)).event === 'asc_form_submission'} AS same,
      (SELECT ${id === 'd12' ? 'COUNT(DISTINCT session_id)' : 'SUM(e.count)'} FROM events e JOIN sessions s USING (session_id)
        WHERE e.property_id = p AND e.name = 'asc_form_submission' AND e.${days} AND s.channel = ?1) leads
      FROM (SELECT ${world.dealer(id).property_id} AS p)`, channel));
  const all_sessions = without('d01', 'd02').reduce((n, id) => n + sums(id).sessions, 0);
  const rows = rowsOf(answer, 'sources').filter((r) => ['Direct', 'Organic Search', 'Paid Search'].includes(r.source));
  assert.equal(rows.length, 3);
  for (const r of rows) {
    const counts = others(r.source), total = (list, name) => list.reduce((n, c) => n + c[name], 0);
    const same = counts.filter((c) => c.same); // lead rates are compared between dealers that count the same event
    near(r.others_share, total(counts, 'sessions') / all_sessions, `share of ${r.source}`);
    near(r.others_leads_per_100_sessions, (100 * total(same, 'leads')) / total(same, 'sessions'), `leads of ${r.source}`);
  }
  for (const [id, [, sign]] of Object.entries(PLANTED))
    if (!['key_events', 'self_referral'].includes(sign))
      assert.ok(named(answer, id, sign), `${id}: ${answer.caveats.join('\n')}`);
  const wave = await all.data('compare_traffic_sources', { subject: 'd02', region: 'West', date_range });
  const judged = rowsOf(wave, 'sources').filter((r) => r.standing !== 'CONTEXT_ONLY');
  assert.ok(judged.length > 3 && judged.every((r) => r.standing === 'SUSPECT_DATA' && r.index === undefined), JSON.stringify(judged));
  const twice = await all.data('compare_traffic_sources', { subject: 'd12', region: 'West', date_range });
  assert.equal(rowsOf(twice, 'sources').reduce((n, r) => n + r.leads, 0), leads('d12').events);
  near(rowsOf(twice, 'sources').reduce((n, r) => n + r.leads_per_100_sessions * r.sessions, 0) / 100, leads('d12').sessions, 'sessions with a lead');
});

test('landing pages are held to the rates of sound dealers', async () => {
  const question = { subject: 'd01', expected_from: 'region', region: 'West', date_range };
  const answer = await all.data('compare_landing_pages', question), pages = rowsOf(answer, 'pages');
  const truth = landing(world, members(without('d02')), 'd01', date_range, 'region');
  for (const p of pages) {
    const expected = truth.pages.find((t) => t.page === p.page);
    assert.equal(p.verdict, expected.verdict, p.page);
    if (p.expected !== undefined) near(p.expected, expected.expected, p.page);
  }
  assert.ok(pages.some((p) => p.expected > 0) && named(answer, 'd02', 'suspect_traffic'));
  const wave = await all.data('compare_landing_pages', { ...question, subject: 'd02' });
  assert.ok(rowsOf(wave, 'pages').every((p) => p.verdict === 'suspect_data' && p.expected === undefined), wave.headline);
});

test('a market is made of dealers that were measured in both periods', async () => {
  const range = weeks();
  const gone = ['d02', 'd03', 'd05', 'd08'];
  for (const metric of ['sessions', 'engagement_rate']) {
    const moved = await all.data('explain_change', { subject: 'd01', metric, region: 'West', date_range: range });
    const truth = explained(world, members(without(...gone)), 'd01', range, metric, false);
    near(rowsOf(moved, 'change')[0].market_percent, truth.change.market_percent, `explain_change of ${metric}`);
    assert.ok(named(moved, 'd02', 'suspect_traffic') && named(moved, 'd03', 'gap'), moved.caveats.join('\n'));
    const series = { subject: 'd01', metric, date_range: { start_date: daysBefore(range.end_date, 55), end_date: range.end_date } };
    const trend = await all.data('compare_trends', { ...series, region: 'West' });
    const sound = await all.data('compare_trends', { ...series, dealer_ids: without(...gone) });
    const of = (answer) => rowsOf(answer, 'changes').find((c) => c.against === 'previous');
    near(of(trend).market_percent, of(sound).market_percent, `compare_trends of ${metric}`);
    assert.ok(named(trend, 'd08', 'level_shift'), trend.caveats.join('\n'));
  }
});

test('the change of a suspect dealer has no word', async () => {
  const range = weeks();
  for (const id of ['d02', 'd08']) {
    const moved = await all.data('explain_change', { subject: id, region: 'West', metric: 'sessions', date_range: range });
    const [move] = rowsOf(moved, 'change');
    assert.equal(move.verdict, 'suspect_data');
    assert.equal(move.against_market, 'suspect_data');
    assert.match(moved.headline, /^The data is suspect/);
    const trend = await all.data('compare_trends', { subject: id, region: 'West', metric: 'sessions', date_range: { start_date: daysBefore(range.end_date, 55), end_date: range.end_date } });
    const change = rowsOf(trend, 'changes').find((c) => c.against === 'previous');
    assert.equal(change.verdict, 'suspect_data', JSON.stringify(change));
    assert.equal(change.percent, undefined);
    assert.equal(trend.trend.verdict, 'suspect_data');
  }
});

test('suspect traffic is in no sum over vehicles', async () => {
  const answer = await all.data('analyze_vehicle_interest', { region: 'West', date_range, limit: 200 });
  const truth = await all.data('analyze_vehicle_interest', { dealer_ids: without('d02'), date_range, limit: 200 });
  const sums = (a) => rowsOf(a, 'models').map((m) => [m.model, m.views, m.vdp_sessions, m.share, m.leads, m.share_change_pp]);
  assert.deepEqual(sums(answer), sums(truth));
  assert.ok(rowsOf(answer, 'models').length > 20 && named(answer, 'd02', 'suspect_traffic') && named(answer, 'd03', 'gap'));
  const rates = await all.data('vehicle_lead_conversion', { region: 'West', date_range, limit: 200 });
  const sound = await all.data('vehicle_lead_conversion', { dealer_ids: without('d02'), date_range, limit: 200 });
  assert.deepEqual(rowsOf(rates, 'models'), rowsOf(sound, 'models'));
  assert.ok(named(rates, 'd02', 'suspect_traffic'));
  // Alone, its own figures are shown, and not judged.
  const own = await all.data('vehicle_lead_conversion', { dealer_ids: ['d02'], date_range });
  assert.ok(rowsOf(own, 'models').length > 0 && rowsOf(own, 'models').every((m) => m.verdict === 'suspect_data'), own.headline);
});

test('a period that is too long is refused with the remedy', async () => {
  await assert.rejects(all.data('check_data_health', { date_range: { start_date: daysBefore(today, 500), end_date: daysBefore(today, 4) } }), /date_range: at most 366 days; ask for a shorter period/);
});

// d05 began 22 days ago; all others have data from the first day of the world on.
test('a period before the first data is said with the day, and not of dealers that one may not see', async () => {
  const first = world.one(`SELECT MIN(date) day FROM sessions WHERE property_id=${world.dealer('d05').property_id}`).day;
  const began = `${first.slice(0, 4)}-${first.slice(4, 6)}-${first.slice(6)}`;
  const before_it = { start_date: daysBefore(today, 50), end_date: daysBefore(today, 37) };
  const { property_id, name } = world.dealer('d05');
  const report = await all.data('run_report', { dealer_id: 'd05', metrics: ['sessions'], date_ranges: [before_it] });
  assert.ok(report.caveats.some((c) => c.includes(`properties/${property_id} has data from ${began} on`)), report.caveats.join('\n'));
  const leads = await all.data('run_report', { dealer_id: 'd05', metrics: ['leads'], date_ranges: [before_it] });
  assert.ok(leads.caveats.some((c) => c.includes(`has data from ${began} on`)), leads.caveats.join('\n'));
  const said = `The period lies before the first data of: ${name} from ${began} on.`;
  const calls = [['compare_dealer_sessions', { region: 'West' }], ['benchmark_dealer', { subject: 'd05' }], ['compare_traffic_sources', { subject: 'd05' }],
    ['compare_landing_pages', { subject: 'd05' }], ['explain_change', { subject: 'd05' }], ['analyze_vehicle_interest', {}],
    ['run_report_across_dealers', { metrics: ['sessions'] }], ['check_data_health', {}]];
  for (const [tool, args] of calls) {
    const answer = await all.data(tool, { ...args, date_range: before_it });
    assert.ok(answer.caveats.includes(said), `${tool}: ${answer.caveats.join('\n')}`);
  }
  const outsider = await one.call('compare_dealer_sessions', { subject: 'd01', date_range: before_it });
  assert.ok(!outsider.text.includes('first data') && !outsider.text.includes(name), outsider.text);
});
