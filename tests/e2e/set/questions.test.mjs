// The eight questions that people of dealer groups ask, each answered by one call: the answer holds the
// sentence, the figures and the verdicts, so that nobody has to compute or compare anything. PRINT=1 prints
// the answers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { finishedSunday } from './truth.mjs';
import { daysBefore, ROOT, startOverWorld } from './world.mjs';

let s, client, dealer;
before(async () => {
  const key = secret();
  // Nothing is kept, so that requests can be counted.
  s = await startOverWorld({ env: { ...authSettings(key), report: { REPORT_CACHE_TTL_S: 0 } } });
  client = await Mcp.connect(s.set.url, { token: jwt(key, { sub: 'root', role: 'admin' }) });
  dealer = await Mcp.connect(s.set.url, { token: jwt(key, { sub: 'd01', role: 'dealer', dealers: ['d01'] }) });
  // What a property has registered is asked for once a day, and not counted below.
  await client.data('analyze_vehicle_interest', { date_range: weeks(1) });
});
after(() => s?.stop());

const weeks = (n) => ({ start_date: daysBefore(finishedSunday(), 7 * n - 1), end_date: finishedSunday() });
const CHANGE = '(rising|falling|no_clear_change|too_little_data)';
const STANDING = '(BETTER|WORSE|NO_CLEAR_DIFFERENCE|TOO_LITTLE_DATA)';
const EXPECTED = '(above_expected|below_expected|no_clear_difference|too_little_data)';

// [question, tool, arguments, what the answer must say, and to a dealer where that is something else]
const QUESTIONS = [
  ['How is my trend against the region?', 'compare_trends', { subject: 'd01', metric: 'leads_per_100_sessions', date_range: weeks(13) },
    [/the others/, /relative to the market/, /20\d\d-W\d\d/, new RegExp(CHANGE)]],
  ['Where does my traffic come from, and does it convert?', 'compare_traffic_sources', { subject: 'd01', by: 'source_medium', date_range: weeks(13) },
    [/others_share/, /others_leads_per_100/, new RegExp(STANDING)]],
  ['Which landing pages over- or under-perform?', 'compare_landing_pages', { subject: 'd01', date_range: weeks(26) },
    [/\d+ tested/, /expected/, new RegExp(EXPECTED)]],
  ['Which models lead in each region?', 'analyze_vehicle_interest', {}, [/has [\d.]+ % of the/, /region\trank\tmodel/, /West\t1\t/, /share_change_pp/]],
  ['What is the share of SUVs, trucks, hybrids and EVs?', 'analyze_vehicle_interest', { date_range: weeks(13) },
    [/body_style\tsuv\t/, /body_style\ttruck\t/, /powertrain\thybrid\t/, /powertrain\tev\t/, /condition\tnew\t/]],
  ['Which models turn interest into leads?', 'vehicle_lead_conversion', { date_range: weeks(26) },
    [/\(\d+ tested\)/, /unattributed/, /expected/, new RegExp(EXPECTED)],
    // Half a year of one dealer has too few leads on some days.
    [/\(\d+ tested\)|^There are too few leads to compare models: [^]*^tested: 0$/m, /unattributed/, /expected/, new RegExp(EXPECTED)]],
  ['Which models shift from week to week?', 'vehicle_movers', {}, [/against the week before/, /against the 4 weeks before/, /models/],
    [/nothing can be tested with 1 dealer; at least 5 are needed; analyze_vehicle_interest/, /^week\t/m, /^4_weeks\t/m]],
  ['How is my website performing relative to the region?', 'benchmark_dealer', { subject: 'd01', date_range: weeks(13) },
    [/against the other dealers of/, /shopper_rate/, /leads_per_100_sessions/, /srp_to_vdp/, new RegExp(STANDING), /gap_mix/]],
];

for (const [question, tool, args, says] of QUESTIONS)
  test(`${question} is answered by one call of ${tool}`, async () => {
    await s.sim.resetStats();
    const answer = await client.call(tool, args);
    assert.ok(!answer.isError, answer.text);
    if (process.env.PRINT) console.log(`## ${question}\n${tool} ${JSON.stringify(args)}\n${answer.text}`);
    for (const part of says) assert.match(answer.text, part);
    assert.ok(answer.text.length <= 6000, `${answer.text.length} characters`);
    // The answer begins with the sentence, and says the days and on how many dealers it rests.
    const [headline] = answer.text.split('\n');
    assert.ok(headline.length > 40 && /\d/.test(headline), headline);
    assert.match(answer.text, /20\d\d-\d\d-\d\d to 20\d\d-\d\d-\d\d|20\d\d-W\d\d/);
    assert.match(answer.text, /\d+ of \d+ dealers?\b/);
    const page = fs.readFileSync(path.join(ROOT, 'docs/ANALYSES.md'), 'utf8');
    assert.ok(page.includes(`\`${tool}\``), `docs/ANALYSES.md does not speak of ${tool}`);
    await assertFewRequests(tool);
  });

// At most five requests for a dealer.
async function assertFewRequests(tool) {
  const { properties } = await s.sim.stats();
  const asked = s.world.dealers.map((d) => properties[d.property_id]?.report_requests ?? 0);
  for (const [i, n] of asked.entries()) assert.ok(n <= 5, `${tool} asked ${s.world.dealers[i].dealer_id} ${n} times`);
  assert.ok(Math.max(...asked) > 0, `${tool} asked nobody`);
}

// A dealer sees its own name alone, and gets the same sentence, days, coverage, figures and verdicts; of the others
// what may be released of them.
for (const [question, tool, args, says, alone = says] of QUESTIONS)
  test(`${question} is answered by one call of ${tool} for a dealer, too`, async () => {
    const answer = await dealer.call(tool, args);
    assert.ok(!answer.isError, answer.text);
    if (process.env.PRINT) console.log(`## ${question} (dealer)\n${answer.text}`);
    // The gap by mix and rates needs a released rate in each channel.
    for (const part of alone) if (part.source !== 'gap_mix') assert.match(answer.text, part);
    assert.ok(!/withheld: [a-z]+_[a-z]+/.test(answer.text), 'a code in place of words');
    assert.ok(answer.text.length <= 6000, `${answer.text.length} characters`);
    assert.match(answer.text, /\d+ of \d+ dealers?\b/);
    for (const d of s.world.dealers.filter((x) => x.dealer_id !== 'd01')) assert.ok(!answer.text.includes(d.name), d.name);
  });

test('every_other_tool_over_dealers_asks_a_dealer_at_most_five_times_too', async () => {
  const earlier = { start_date: daysBefore(weeks(4).start_date, 28), end_date: daysBefore(weeks(4).start_date, 1) };
  const calls = [['compare_dealer_sessions', { region: 'West', date_range: weeks(4) }], ['compare_dealer_sessions', { subject: 'd01', date_range: weeks(4) }],
    ['explain_change', { subject: 'd01', metric: 'sessions', date_range: weeks(4) }], ['check_data_health', { date_range: weeks(4) }],
    ['compare_landing_pages', { subject: 'd01', expected_from: 'region', date_range: weeks(4) }],
    ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['deviceCategory'], date_range: weeks(4) }],
    ['run_report_across_dealers', { metrics: ['sessions', 'leads'], date_range: weeks(4) }],
    ['run_report_across_dealers', { metrics: ['sessions'], dimensions: ['deviceCategory'], date_range: weeks(4), compare_to: earlier }]];
  for (const [tool, args] of calls) {
    await s.sim.resetStats();
    const answer = await client.call(tool, args);
    assert.ok(!answer.isError, answer.text);
    await assertFewRequests(`${tool} ${JSON.stringify(args)}`);
  }
});

test('the_server_names_both_use_cases', async () => {
  const answer = await client.request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } });
  assert.match(answer.result.instructions, /against the region/);
  assert.match(answer.result.instructions, /which models are shoppers most engaged with/);
});

// Whom a question is about can be said in the same ways to every tool, also in those that a list of tools leaves out.
test('every_tool_takes_dealers_by_list_group_and_subject', async () => {
  const of = { region: s.world.dealer('d01').region, three: ['d01', 'd02', 'd03'] };
  const size = s.world.ofRegion(of.region).length, group = of.region.toLowerCase();
  const about = ['benchmark_dealer', 'compare_trends', 'compare_traffic_sources', 'explain_change', 'compare_dealer_sessions'];
  const over = ['analyze_vehicle_interest', 'vehicle_lead_conversion', 'vehicle_movers', 'check_data_health'];
  const asked = async (tool, args) => (await client.data(tool, { ...(tool.startsWith('run') && { metrics: ['sessions'] }), ...args })).coverage.asked;
  for (const tool of about) {
    for (const args of [{ subject: 'd01' }, { dealer_ids: ['d01'] }, { dealer_ids: 'd01' }, { subject: 'd01', group }, { subject: 'd01', cohort: group }])
      assert.equal(await asked(tool, args), size, `${tool} ${JSON.stringify(args)}`);
    assert.equal(await asked(tool, { subject: 'd01', dealer_ids: of.three }), 3, `${tool} with a list`);
  }
  assert.equal(await asked('compare_landing_pages', { subject: 'd01', dealer_ids: of.three, expected_from: 'region' }), 3);
  for (const tool of [...over, 'run_report_across_dealers']) {
    for (const args of [{ group }, { cohort: group }, { region: of.region }]) assert.equal(await asked(tool, args), size, `${tool} ${JSON.stringify(args)}`);
    assert.equal(await asked(tool, { dealer_ids: of.three }), 3, tool);
  }
  for (const tool of over) assert.equal(await asked(tool, { subject: 'd01' }), 1, tool);
  // A list does not open what its caller may not see.
  const [a, b] = [await dealer.refused('explain_change', { subject: 'd01', dealer_ids: ['d01', 'd07'] }), await dealer.refused('explain_change', { subject: 'd01', dealer_ids: ['d01', 'd97'] })];
  assert.equal(a.replaceAll('d07', '?'), b.replaceAll('d97', '?'));
});
