// run_report_across_dealers with compare_to, by, subject and limit_per_dealer: 0 against the same figures
// computed from the simulator's database, for random calls of an administrator, a group and a dealer, with
// and without dealers that fail. AMCP_TRUTH_CALLS: 100 in the long run; SEED: which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draws } from './draws.mjs';
import { Mcp } from './mcp.mjs';
import { same } from './random_calls.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';
import { compared, DIMENSIONS, METRICS } from './truth_compared.mjs';
import { daysBefore, startOverWorld, todayIn } from './world.mjs';

const CALLS = Number(process.env.AMCP_TRUTH_CALLS ?? 15);
const { pick, one } = draws(Number(process.env.SEED ?? 11));
let s, world, viewers, client;

before(async () => {
  const key = secret();
  s = await startOverWorld({ env: { ...authSettings(key), report: { REPORT_BACKOFF_MS: 20, REPORT_CACHE_TTL_S: 0 } } });
  world = s.world;
  const connect = async (sub, dealers) => ({
    client: await Mcp.connect(s.set.url, { token: jwt(key, { sub, role: dealers ? 'group' : 'admin', ...(dealers && { dealers }) }) }),
    own: world.dealers.filter((d) => !dealers || dealers.includes(d.dealer_id)),
  });
  viewers = [await connect('root'), await connect('g', ['d13', 'd16', 'd12', 'd18', 'd24', 'd01'])];
  client = viewers[0].client;
});
after(() => s?.stop());

function periods() {
  const end = daysBefore(todayIn('UTC'), 4 + pick(60));
  const days = one([1, 7, 10, 28, 31, 56]), gap = one([0, 0, 1, 7]), other = one([days, days, 28]);
  const start = daysBefore(end, days - 1), before = daysBefore(start, 1 + gap);
  return [{ start_date: start, end_date: end }, { start_date: daysBefore(before, other - 1), end_date: before }];
}
function metrics() {
  const names = Object.keys(METRICS);
  const list = ['sessions', ...Array.from({ length: 1 + pick(3) }, () => one(names))];
  return [...new Set(pick(3) === 0 ? list.reverse() : list)];
}

// An answer with the rows of all its pages; a page has at most `most` rows, a row a message per metric.
async function everyPage(asker, args, most, where) {
  let whole, pages = 0;
  for (let offset = 0, next; next !== 0; offset = next, pages++) {
    const page = await asker.data('run_report_across_dealers', { ...args, ...(offset > 0 && { offset }) });
    const metrics = new Set(page.compared.map((row) => row.metric)).size;
    assert.ok(page.compared.length <= most * metrics, `${where}: ${page.compared.length} rows from ${offset} on`);
    assert.equal(page.compared.length % Math.max(1, metrics), 0, `${where}: a row cut in two`);
    next = page.next_offset ?? 0;
    if (next > 0) assert.equal(next, offset + page.compared.length / metrics, `${where}: next page`);
    if (whole) for (const name of ['compared_row_count', 'cells_tested', 'caveats', 'coverage']) assert.deepEqual(page[name], whole[name], `${where}: ${name} from ${offset} on`);
    whole = whole ? { ...whole, compared: [...whole.compared, ...page.compared] } : page;
  }
  return { ...whole, pages };
}

test('rows_equal_sql_for_random_calls', async () => {
  let words = 0;
  for (let i = 0; i < CALLS; i++) {
    const { client: asker, own } = viewers[i % viewers.length];
    const [date_range, second] = periods();
    const region = one([undefined, ...new Set(own.map((d) => d.region))]);
    const scope = own.filter((d) => !region || d.region === region);
    const subject = pick(2) === 0 && scope.length > 1 ? one(scope).dealer_id : undefined;
    // Without a region a subject is set against the dealers of its own that the caller may read.
    const cohort = subject && !region ? own.filter((d) => d.region === world.dealer(subject).region) : scope;
    if (subject && cohort.length < 2) continue;
    const args = {
      metrics: metrics(), dimensions: [...new Set(Array.from({ length: pick(3) }, () => one(Object.keys(DIMENSIONS))))], date_range,
      ...(region && { region }), ...(subject && { subject }),
      ...((!subject || pick(2) === 0) && { compare_to: second }),
      ...(!subject && pick(3) > 0 && { by: one(['dealer', 'region', 'group']) }),
      limit_per_dealer: one([0, 0, 3]), pooled_limit: one([4, 10_000]),
    };
    const others = cohort.filter((d) => d.dealer_id !== subject);
    const broken = i % 3 === 2 && others.length > 1 ? one(others) : undefined;
    if (broken) await s.sim.fault({ dealer_id: broken.dealer_id, kind: '403' });
    const where = `call ${i} ${JSON.stringify(args)} without ${broken?.dealer_id}`;
    try {
      // Of dealers, regions or groups the first rows of each; all together are cut by pages alone.
      const cut = args.by === 'dealer' ? args.limit_per_dealer || Infinity : args.pooled_limit;
      const limit = args.by ? cut : Infinity;
      const answer = await everyPage(asker, args, args.by ? Infinity : cut, where);
      const truth = compared(world, cohort.filter((d) => d !== broken), { ...args, limit });
      assert.equal(answer.cells_tested, truth.tested, `${where}: tested`);
      assert.equal(answer.compared_row_count, truth.rows, `${where}: rows`);
      same(answer.compared, truth.shown, where);
      same(answer.coverage.ok, cohort.length - Boolean(broken), where);
      words += answer.compared.filter((row) => /rising|falling|BETTER|WORSE/.test(`${row.verdict} ${row.against_others} ${row.standing}`)).length;
    } finally {
      await s.sim.clear();
      await s.sim.resetQuota();
    }
  }
  if (CALLS >= 60) assert.ok(words > 0, 'no word was said');
});

test('the_pages_of_compared_rows_hold_every_row_once_and_no_more_than_fits', async () => {
  const date_range = { start_date: daysBefore(todayIn('UTC'), 33), end_date: daysBefore(todayIn('UTC'), 6) };
  const compare_to = { start_date: daysBefore(todayIn('UTC'), 61), end_date: daysBefore(todayIn('UTC'), 34) };
  const args = { metrics: ['sessions', 'engagementRate', 'bounceRate'], dimensions: ['sessionSource', 'deviceCategory'], date_range };
  const kinds = [
    [{ compare_to, pooled_limit: 7 }, 7], [{ compare_to, subject: 'd13', pooled_limit: 10_000 }, Infinity], [{ subject: 'd13', pooled_limit: 5 }, 5],
    [{ compare_to, by: 'dealer', limit_per_dealer: 0 }, Infinity], [{ compare_to, by: 'region', pooled_limit: 10_000 }, Infinity]];
  for (const [more, most] of kinds) {
    const where = JSON.stringify(more);
    const answer = await everyPage(client, { ...args, ...more }, most, where);
    const scope = more.subject ? world.dealers.filter((d) => d.region === world.dealer('d13').region) : world.dealers;
    const truth = compared(world, scope, { ...args, ...more, limit: Infinity });
    assert.equal(answer.compared_row_count * args.metrics.length, answer.compared.length, where);
    same(answer.compared, truth.shown, where);
    assert.equal(answer.pages > 1, most !== Infinity || more.by !== undefined, `${where}: ${answer.pages} pages`);
  }
  // What a host shows holds a page, and says how to go on.
  const raw = await client.call('run_report_across_dealers', { ...args, compare_to, by: 'dealer', limit_per_dealer: 0 });
  assert.ok(Buffer.byteLength(raw.text) <= 40 * 1024, `${Buffer.byteLength(raw.text)} bytes`);
  assert.match(raw.text, /More rows: call run_report_across_dealers again with offset \d+\./);
  const cut = await client.data('run_report_across_dealers', { ...args, compare_to, by: 'dealer', limit_per_dealer: 2 });
  assert.match(cut.caveats.join(), /Only the largest rows of each dealer are shown, 48 of \d+, as limit_per_dealer says; all were tested/);
});

test('rows_by_region_and_group_are_those_of_their_dealers', async () => {
  const date_range = { start_date: daysBefore(todayIn('UTC'), 33), end_date: daysBefore(todayIn('UTC'), 6) };
  const args = { metrics: ['sessions', 'engagementRate'], dimensions: ['deviceCategory'], date_range };
  for (const by of ['region', 'group']) {
    const answer = await client.data('run_report_across_dealers', { ...args, by });
    const truth = compared(world, world.dealers, { ...args, by, limit: Infinity });
    const rows = truth.shown.filter((row) => row.metric === 'sessions');
    const rates = truth.shown.filter((row) => row.metric === 'engagementRate');
    same(answer.pooled.map((row) => [row.of, ...row.dimension_values, ...row.metric_values]),
      rows.map((row, i) => [row.of, row.deviceCategory, row.value, rates[i].value]), by);
    assert.deepEqual(answer.dealers, []);
    assert.equal(/do not add groups/.test(answer.caveats.join()), by === 'group');
  }
});

test('a_limit_of_0_shows_all_rows', async () => {
  const date_range = { start_date: daysBefore(todayIn('UTC'), 33), end_date: daysBefore(todayIn('UTC'), 6) };
  const answer = await client.data('run_report_across_dealers', { dealer_ids: ['d01', 'd02'], dimensions: ['landingPage'], metrics: ['sessions'], date_range, limit_per_dealer: 0 });
  for (const d of answer.dealers) assert.equal(d.rows.length, d.row_count);
  assert.ok(answer.dealers.some((d) => d.row_count > 25));
});

test('what_cannot_be_compared_is_refused_with_what_to_do', async () => {
  const now = { start_date: '2026-10-05', end_date: '2026-11-01' }, then = { start_date: '2026-09-07', end_date: '2026-10-04' };
  const refusals = [
    [{ compare_to: { start_date: '2026-10-01', end_date: '2026-10-31' } }, /compare_to: shares days with date_range; give days before it/],
    [{ compare_to: { start_date: '2026-10-04', end_date: '2026-09-01' } }, /compare_to\.start_date.*after/],
    [{ compare_to: then, dimensions: ['date'] }, /dimensions\[0\]: no date is in both periods/],
    [{ compare_to: then, metric_filter: { field: 'sessions', match: 'GREATER_THAN', value: 5 } }, /metric_filter: .*leave it out/],
    [{ by: 'owner' }, /by: must be dealer, region or group/],
    [{ by: 'region', subject: 'd01' }, /by: a subject is one dealer/],
    [{ subject: 'd01', dealer_ids: ['d01'] }, /subject: you may read no other dealer/],
    [{ limit_per_dealer: -1 }, /limit_per_dealer/],
    [{ by: 'region', offset: 3 }, /offset: skips dealers, which have no rows of their own by region; leave it out/],
    [{ offset: 501 }, /offset: 501 is not from 0 to 500/],
  ];
  for (const [args, expected] of refusals)
    assert.match(await client.refused('run_report_across_dealers', { metrics: ['sessions'], date_range: now, ...args }), expected, JSON.stringify(args));
});

// A website that was off for some days, or not there yet, and days to come: a fall or a rise of the measurement, for
// which there is no word. Rates are not concerned.
test('what_was_not_measured_is_no_change', async () => {
  const first = world.one('SELECT min(date) AS d FROM sessions').d.toString();
  const begin = `${first.slice(0, 4)}-${first.slice(4, 6)}-${first.slice(6)}`;
  const weeks = (start, n) => ({ start_date: start, end_date: daysBefore(start, 1 - 7 * n) });
  const args = { dimensions: [], metrics: ['sessions', 'engagementRate'], date_range: weeks(daysBefore(begin, -14), 4), compare_to: weeks(daysBefore(begin, 14), 4), by: 'region' };
  const early = await client.data('run_report_across_dealers', args);
  same(early.compared, compared(world, world.dealers, { ...args, limit: Infinity }).shown, 'before the first data');
  assert.deepEqual([...new Set(early.compared.filter((r) => r.metric === 'sessions').map((r) => r.verdict))], ['suspect_data']);
  assert.match(early.caveats.join(), /Nothing was measured on 3 days or more of a period at /);
  // The longest gap of any dealer, in the first of two pairs of four weeks.
  const gaps = world.dealers.flatMap((d) => world.all(`SELECT date, lag(date) OVER (ORDER BY date) AS before FROM (SELECT DISTINCT date FROM sessions WHERE property_id = ?)`, d.property_id)
    .filter((r) => r.before).map((r) => ({ d, from: iso(r.before), n: (Date.parse(iso(r.date)) - Date.parse(iso(r.before))) / 86_400_000 - 1 })));
  const { d, from, n } = gaps.sort((a, b) => b.n - a.n)[0];
  assert.ok(n >= 3, `a gap of ${n} days`);
  const gap = { dimensions: [], metrics: ['sessions', 'engagementRate'], region: d.region, date_range: weeks(daysBefore(from, 14), 4), compare_to: weeks(daysBefore(from, 42), 4) };
  for (const more of [{ by: 'dealer' }, { subject: d.dealer_id }, { subject: world.ofRegion(d.region).find((x) => x !== d).dealer_id }]) {
    const answer = await client.data('run_report_across_dealers', { ...gap, ...more });
    same(answer.compared, compared(world, world.ofRegion(d.region), { ...gap, ...more, limit: Infinity }).shown, JSON.stringify(more));
    assert.ok(answer.caveats.some((c) => c.includes(`at ${d.name} (a site or tag`)), answer.caveats.join());
  }
  // Days to come must not look like a fall: counts are per day that has begun, and have no word.
  const today = todayIn('UTC');
  const open = { metrics: ['sessions'], date_range: weeks(daysBefore(today, 7), 4), compare_to: weeks(daysBefore(today, 35), 4), by: 'region' };
  const answer = await client.data('run_report_across_dealers', open);
  for (const row of answer.compared) assert.ok(row.verdict === undefined && Math.abs(row.change_percent) < 30, JSON.stringify(row));
  assert.match(answer.caveats.join(), /A period is not over, so counts have no verdict/);
});
const iso = (date) => `${String(date).slice(0, 4)}-${String(date).slice(4, 6)}-${String(date).slice(6)}`;
