// compare_dealer_sessions against the same figures computed from the simulator's database.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { assertComparison, daysOf, figuresOf, finishedSunday } from './truth.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

// Regions that each period is asked about, of three, another first for each; SEED says which.
const REGIONS = Number(process.env.AMCP_TRUTH_REGIONS_EACH ?? 3), SEED = Number(process.env.SEED ?? 0);
let s, client, world, last;

before(async () => {
  s = await startOverWorld();
  world = s.world;
  const day = world.one('SELECT max(date) AS day FROM days').day;
  last = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

const ago = (n) => daysBefore(last, n);
const between = (from, to) => ({ start_date: ago(from), end_date: ago(to) });

// Days that are over everywhere, then those at the edges of the world.
const absolute = () => ({
  'one day': between(9, 9),
  'another day, little data': between(131, 131),
  'two days': between(41, 40),
  'a week': between(16, 10),
  'four weeks': between(37, 10),
  'four weeks a year ago': between(393, 366),
  'a quarter': between(190, 100),
  'over the turn of a year': { start_date: `${last.slice(0, 4) - 1}-12-20`, end_date: `${last.slice(0, 4)}-01-10` },
  'almost everything': between(398, 3),
  'up to today': between(6, 0),
  'into the future': { start_date: ago(4), end_date: daysBefore(last, -30) },
  'begins before there is data': { start_date: '2015-08-14', end_date: ago(380) },
  'before there is data': { start_date: '2020-01-01', end_date: '2020-12-31' },
});

const relative = {
  'the last 28 full days': { start_date: '28daysAgo', end_date: 'yesterday' },
  'yesterday': { start_date: 'yesterday', end_date: 'yesterday' },
  'today so far': { start_date: 'today', end_date: 'today' },
  'a week until today': { start_date: '6daysAgo', end_date: 'today' },
  '90 days': { start_date: '97daysAgo', end_date: '8daysAgo' },
};

// A day may end somewhere while a call is under way: then the call is made again.
async function withStableDays(run) {
  const days = () => world.dealers.map((d) => todayIn(d.time_zone)).join();
  for (let i = 0; i < 3; i++) {
    const before = days();
    const result = await run();
    if (days() === before) return result;
  }
  throw new Error('the day changed in every try');
}

async function check(args, dealers, subject, range, where) {
  const [answer, figures] = await withStableDays(async () => [
    await client.data('compare_dealer_sessions', { detail: 'all', limit: 500, ...args }),
    dealers.map((d) => figuresOf(world, d, range)),
  ]);
  assertComparison(answer, figures, subject, where, true);
  assert.deepEqual(answer.coverage, { asked: dealers.length, ok: dealers.length, failed: [], failed_undisclosed: 0 });
  assert.equal(answer.cohort.dealers, dealers.length);
  assert.equal(answer.cohort.undisclosed, 0);
  return answer;
}

test('every_region_and_period_equals_sql', async () => {
  for (const [i, [name, date_range]] of Object.entries({ ...absolute(), ...relative }).entries())
    for (let k = 0; k < REGIONS; k++) {
      const region = world.regions[(SEED + i + k) % world.regions.length];
      await check({ region, date_range }, world.ofRegion(region), null, date_range, `${region}, ${name}`);
    }
});

test('every_subject_equals_sql_in_its_region', async () => {
  const date_range = between(37, 10);
  for (const d of world.dealers) {
    const answer = await check({ subject: d.dealer_id, date_range }, world.ofRegion(d.region), d.dealer_id, date_range, d.dealer_id);
    assert.equal(answer.cohort.label, d.region);
    assert.match(answer.headline, new RegExp(`^${d.name.replace('.', '\\.')} against the other dealers of ${d.region}`));
  }
});

test('the_default_period_is_the_last_four_weeks_that_google_has_finished', async () => {
  const end_date = finishedSunday();
  const date_range = { start_date: daysBefore(end_date, 27), end_date };
  const answer = await check({ subject: 'd02' }, world.ofRegion('Central'), 'd02', date_range, 'default');
  assert.equal(answer.period.days, 28);
  assert.equal(answer.period.end_date, end_date);
  assert.ok(answer.period.complete_through >= end_date);
});

test('the_period_is_told_in_days_of_the_first_property', async () => {
  const first = world.ofRegion('West')[0];
  const date_range = relative['the last 28 full days'];
  const answer = await withStableDays(() => client.data('compare_dealer_sessions', { region: 'West', date_range }));
  const { from, to } = daysOf(first, date_range);
  assert.equal(answer.period.start_date.replaceAll('-', ''), from);
  assert.equal(answer.period.end_date.replaceAll('-', ''), to);
  const zones = [...new Set(world.ofRegion('West').map((d) => d.time_zone))];
  assert.deepEqual(answer.period.time_zones, zones);
});

test('lists_of_dealers_equal_sql', async () => {
  const date_range = between(60, 5);
  const lists = [
    ['d01', 'd02', 'd03'],
    ['d24', 'd09', 'd12', 'd18'], // d09 counts generate_lead
    ['d09', 'd21'],
    ['d05'],
    ['d07', 'd07', 'd08'],
    world.dealers.map((d) => d.dealer_id),
  ];
  for (const dealer_ids of lists) {
    const members = world.dealers.filter((d) => dealer_ids.includes(d.dealer_id));
    if (dealer_ids.length === 1) { // one dealer means that dealer against its region
      const [only] = members;
      await check({ dealer_ids, date_range }, world.ofRegion(only.region), only.dealer_id, date_range, `${dealer_ids} alone`);
      continue;
    }
    for (const subject of [undefined, dealer_ids[0], dealer_ids.at(-1)])
      await check({ dealer_ids, subject, date_range }, members, subject ?? null, date_range, `${dealer_ids} ${subject}`);
  }
});

test('a_subject_outside_the_list_or_region_joins_it', async () => {
  const date_range = between(45, 15);
  const members = world.dealers.filter((d) => ['d01', 'd02', 'd10'].includes(d.dealer_id));
  await check({ dealer_ids: ['d01', 'd02'], subject: 'd10', date_range }, members, 'd10', date_range, 'list');
  const region = world.dealers.filter((d) => d.region === 'East' || d.dealer_id === 'd01');
  await check({ region: 'East', subject: 'd01', date_range }, region, 'd01', date_range, 'region');
});

test('letter_case_of_a_region_and_of_argument_names_does_not_matter', async () => {
  const date_range = between(20, 10);
  await check({ region: 'wEST', date_range }, world.ofRegion('West'), null, date_range, 'region');
  const camel = { dateRange: { startDate: date_range.start_date, endDate: date_range.end_date }, dealerIds: ['d03', 'd06'] };
  const members = world.dealers.filter((d) => camel.dealerIds.includes(d.dealer_id));
  await check(camel, members, null, date_range, 'camelCase');
});

test('dealers_that_count_different_lead_events_are_compared_only_with_their_like', async () => {
  const date_range = between(90, 10);
  const answer = await check({ region: 'East', date_range }, world.ofRegion('East'), null, date_range, 'East');
  const rate = (metrics) => metrics.find((m) => m.metric === 'leads_per_100_sessions');
  const odd = rate(answer.performance_index.find((d) => d.dealer_id === 'd09').metrics);
  assert.equal(odd.of, 1, 'd09 counts generate_lead as the only one');
  assert.equal(odd.benchmark, undefined);
  const usual = rate(answer.performance_index.find((d) => d.dealer_id === 'd24').metrics);
  assert.equal(usual.of, 7);
  assert.equal(rate(answer.regional_average.metrics).dealers, 7);
  assert.ok(answer.caveats.some((c) => /Hyundai of Philadelphia counts generate_lead/.test(c)), answer.caveats.join('\n'));
});

// One line per dealer unless more is asked for, and within what a model is given to read.
test('an_answer_is_short_and_detail_changes_no_word_about_the_subject', async () => {
  const date_range = between(37, 10);
  const everyone = { dealer_ids: world.dealers.map((d) => d.dealer_id), date_range };
  const all = await client.call('compare_dealer_sessions', everyone);
  assert.deepEqual([all.data.dealers.length, all.data.next_offset], [24, 0]);
  assert.deepEqual(all.data.performance_index, []);
  assert.ok(Buffer.byteLength(all.text) < 5500, `${Buffer.byteLength(all.text)} bytes`);
  assert.equal((all.text.match(/^d\d\d\t/gm) ?? []).length, 24, 'every dealer stands in the text');
  for (const d of world.dealers) {
    const brief = await client.call('compare_dealer_sessions', { subject: d.dealer_id, date_range });
    const detail = await client.data('compare_dealer_sessions', { subject: d.dealer_id, date_range, detail: 'all', limit: 500 });
    // A region of eight is one page, with room for the caveats of a bad day.
    assert.ok(Buffer.byteLength(brief.text) <= 4090 - 300, `${d.dealer_id}: ${Buffer.byteLength(brief.text)} bytes`);
    assert.deepEqual([brief.data.dealers.length, brief.data.next_offset], [world.ofRegion(d.region).length, 0], d.dealer_id);
    assert.deepEqual(brief.data.performance_index.map((x) => x.dealer_id), [d.dealer_id]);
    assert.deepEqual(detail.performance_index.find((x) => x.dealer_id === d.dealer_id), brief.data.performance_index[0]);
    assert.equal(detail.headline, brief.data.headline);
  }
});

// The lead event belongs to the dealer: single days add up to their period.
test('leads_of_single_days_add_up_to_those_of_the_period', async () => {
  const leads = (answer) => answer.dealers.map((d) => [d.dealer_id, d.lead_event, d.lead_events]).sort();
  const whole = leads(await client.data('compare_dealer_sessions', { region: 'East', date_range: between(37, 10) }));
  const sums = new Map(whole.map(([id, event]) => [id, [id, event, 0]]));
  for (let n = 37; n >= 10; n--)
    for (const [id, event, count] of leads(await client.data('compare_dealer_sessions', { region: 'East', date_range: between(n, n) }))) {
      assert.equal(event, sums.get(id)[1], `${id}, ${n} days ago`);
      sums.get(id)[2] += count;
    }
  assert.deepEqual([...sums.values()].sort(), whole);
});

test('an_answer_is_the_same_each_time', async () => {
  const args = { region: 'Central', date_range: between(30, 8) };
  const first = await client.data('compare_dealer_sessions', args);
  for (let i = 0; i < 5; i++) assert.deepEqual(await client.data('compare_dealer_sessions', args), first);
});

// A cell of the text: what is not known is '-', rates of dealers are in percent, numbers are rounded
// to four digits.
function assertCell(text, value, where) {
  if (value === null) return assert.equal(text, '-', where);
  if (typeof value === 'boolean') return assert.equal(text, value ? 'yes' : 'no', where);
  if (typeof value !== 'number') return assert.equal(text, String(value), where);
  const shown = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  const exact = Number.isInteger(value) ? 0 : Math.max(0.001 * Math.abs(value), text.endsWith('%') ? 0.5e-4 : 0.51 * Number.isInteger(shown));
  assert.ok(Math.abs(shown - value) <= exact, `${where}: ${text} for ${value}`);
}

// Columns of the structured form alone: caveats, the headline and the order of the rows say the same; kinds of
// chats stand in the cell of the chats.
const SAID = ['lead_event', 'subject', 'lead_kind'], IN_CHATS = ['live_chats', 'texts'];

function assertChats(text, row, columns, where) {
  const [chats, ...kinds] = ['chats', ...IN_CHATS].map((name) => row[columns.indexOf(name)] ?? null);
  const inside = IN_CHATS.map((name, i) => `${name} ${kinds[i]}`).join(', ');
  assert.equal(text, kinds.includes(null) ? String(chats) : `${chats} (${inside})`, where);
}

const told = (answer) => answer.dealers.columns.includes('live_chats');
for (const subject of ['d11', 'd01']) test(`the_text_of_an_answer_is_its_structured_content: ${subject}`, async () => {
  const { result, text } = await client.call('compare_dealer_sessions', { subject, date_range: between(30, 8) });
  const answer = result.structuredContent;
  assert.ok(subject !== 'd01' || told(answer), 'chats of d01 are told apart');
  const lines = text.split('\n');
  assert.equal(lines[0], answer.headline);
  for (const caveat of answer.caveats) assert.ok(lines.includes(`Caveat: ${caveat}`), caveat);
  assert.ok(lines.some((line) => line.startsWith(`Period: ${answer.period.start_date} to ${answer.period.end_date}`)));
  assert.ok(lines.includes(`Coverage: ${answer.coverage.ok} of ${answer.coverage.asked} dealers`));
  for (const name of ['dealers', 'regional_average', 'performance_index']) {
    const { columns, rows } = answer[name];
    const at = lines.indexOf(`${name}:`);
    assert.ok(at > 0 && rows.length > 0, name);
    const shown = columns.filter((c) => name !== 'dealers' || ![...SAID, ...IN_CHATS].includes(c));
    assert.deepEqual(lines[at + 1].split('\t'), shown);
    rows.forEach((row, i) => {
      const cells = lines[at + 2 + i].split('\t');
      assert.equal(cells.length, shown.length, name);
      shown.forEach((column, k) => column === 'chats' ? assertChats(cells[k], row, columns, `${name}[${i}]`)
        : assertCell(cells[k], row[columns.indexOf(column)], `${name}[${i}].${column}`));
    });
    assert.match(lines[at + 2 + rows.length], /^$|^More rows: call /, `${name} has no more rows in the text`);
  }
});
