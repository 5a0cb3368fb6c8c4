// list_dealers, get_account_summaries, run_report and run_report_across_dealers against SQL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { assertSame, daysOf } from './truth.mjs';
import { compact, daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, client, world, range;

before(async () => {
  s = await startOverWorld({ env: { gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  const today = todayIn('UTC');
  range = { start_date: daysBefore(today, 40), end_date: daysBefore(today, 6) };
});
after(() => s?.stop());

const asListed = (d) => ({
  dealer_id: d.dealer_id,
  name: d.name,
  region: d.region,
  city: d.city,
  state: d.state,
  property_ids: [String(d.property_id)],
  ...(d.lead_event && { lead_event: d.lead_event }),
  groups: [d.owner_group, d.make_group],
  owner: d.owner,
});

describe('search_fields', () => {
  test('every_field_that_it_names_is_one_that_a_report_takes', async () => {
    const fields = async (args) => {
      const { columns, rows } = await client.data('search_fields', { dealer_id: 'd01', ...args });
      return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
    };
    const [pages] = await fields({ query: 'pageviews' });
    assert.deepEqual([pages.api_name, pages.kind, pages.adds_over_dealers], ['screenPageViews', 'metric', 'yes']);
    const [channel] = await fields({ query: 'chanel group of the session', kind: 'DIMENSION' });
    assert.equal(channel.api_name, 'sessionDefaultChannelGroup');
    const answer = await client.data('run_report', { dealer_id: 'd01', metrics: [pages.api_name], dimensions: [channel.api_name], date_ranges: [range] });
    assert.ok(answer.rows.length > 0);
  });

  test('custom_only_gives_what_the_property_has_registered', async () => {
    const found = await client.data('search_fields', { dealer_id: 'd01', custom_only: true, limit: 500 });
    const all = await client.data('get_custom_dimensions_and_metrics', { dealer_id: 'd01' });
    const names = ({ columns, rows }) => (rows ?? []).map((row) => row[columns.indexOf('api_name')]);
    const lists = [all.custom_dimensions, all.custom_metrics, all].filter((t) => t?.rows).flatMap(names);
    assert.deepEqual(names(found).toSorted(), lists.toSorted());
    assert.ok(lists.length > 0);
  });
});

describe('list_dealers', () => {
  test('the_list_is_the_world', async () => {
    const answer = await client.data('list_dealers', {});
    assert.deepEqual(answer, { headline: '24 dealers in this answer', dealers: world.dealers.map(asListed), total: 24, next_offset: 0, regions: world.regions });
  });

  test('pages_add_up_to_the_list', async () => {
    const found = [];
    let offset = 0, pages = 0;
    do {
      const page = await client.data('list_dealers', { limit: 7, offset });
      assert.equal(page.total, 24);
      found.push(...page.dealers);
      offset = page.next_offset;
      pages++;
    } while (offset !== 0);
    assert.equal(pages, 4);
    assert.deepEqual(found, world.dealers.map(asListed));
    assert.deepEqual((await client.data('list_dealers', { offset: 24 })).dealers, []);
  });

  test('region_and_query_filter', async () => {
    for (const region of world.regions) {
      const answer = await client.data('list_dealers', { region: region.toUpperCase() });
      assert.deepEqual(answer.dealers, world.ofRegion(region).map(asListed));
    }
    for (const query of ['ford', 'TX', 'los', 'd1', 'zzz', 'Central', 'St. Louis']) {
      const q = query.toLowerCase();
      const fits = (d) => [d.dealer_id, d.name, d.city, d.state, d.region].some((t) => t.toLowerCase().includes(q));
      const answer = await client.data('list_dealers', { query });
      assert.deepEqual(answer.dealers, world.dealers.filter(fits).map(asListed), query);
    }
  });
});

describe('get_account_summaries', () => {
  const summary = (d) => ({
    dealer_id: d.dealer_id,
    accounts: [{ account: `accounts/${d.account_id}`, properties: [`properties/${d.property_id}`] }],
  });
  const seen = (answer) =>
    answer.dealers.map((d) => ({
      dealer_id: d.dealer_id,
      accounts: d.account_summaries.map((a) => ({
        account: a.account,
        properties: a.property_summaries.map((p) => p.property),
      })),
    }));

  test('every_dealer_sees_its_account_and_property', async () => {
    const answer = await client.data('get_account_summaries', {});
    assert.deepEqual(seen(answer), world.dealers.map(summary));
    assert.deepEqual(answer.coverage, { asked: 24, ok: 24, failed: [], failed_undisclosed: 0 });
    const names = world.all('SELECT property_id, display_name FROM properties');
    for (const d of answer.dealers)
      for (const p of d.account_summaries[0].property_summaries)
        assert.equal(p.display_name, names.find((n) => p.property === `properties/${n.property_id}`).display_name);
  });

  test('one_dealer_and_a_query_narrow_it', async () => {
    assert.deepEqual(seen(await client.data('get_account_summaries', { dealer_id: 'd14' })), [summary(world.dealer('d14'))]);
    const query = String(world.dealer('d17').property_id);
    assert.deepEqual(seen(await client.data('get_account_summaries', { query })), [summary(world.dealer('d17'))]);
    assert.deepEqual(seen(await client.data('get_account_summaries', { query: 'honda' })),
      world.dealers.filter((d) => /honda/i.test(d.name)).map(summary));
  });
});

// The rows of an answer as arrays of texts and numbers.
const rowsOf = (answer) =>
  answer.rows.map((r) => [
    ...(r.dimension_values ?? []).map((v) => v.value),
    ...(r.metric_values ?? []).map((v) => Number(v.value)),
  ]);

const where = 's.property_id = $property AND s.date BETWEEN $from AND $to';
const whereEvents = 'e.property_id = $property AND e.date BETWEEN $from AND $to';
const events = 'FROM events e JOIN sessions s USING (session_id)';

// [what, arguments, SQL that gives the rows in order]
const reports = [
  ['no dimensions', { metrics: ['sessions', 'engagedSessions', 'screenPageViews', 'averageSessionDuration', 'bounceRate', 'newUsers', 'totalUsers'] },
    `SELECT count(*), sum(engaged), sum(page_views), avg(duration_s), 1 - avg(engaged),
      count(DISTINCT CASE WHEN is_new THEN user_id END), count(DISTINCT user_id) FROM sessions s WHERE ${where}`],
  ['by day, oldest first', { dimensions: ['date'], metrics: ['sessions', 'engagementRate'], order_bys: [{ dimension: { dimension_name: 'date' } }] },
    `SELECT date, count(*), avg(engaged) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 1`],
  ['by channel, default order', { dimensions: ['sessionDefaultChannelGroup'], metrics: ['sessions', 'totalUsers', 'keyEvents', 'userEngagementDuration'] },
    `SELECT channel, count(*), count(DISTINCT user_id), sum(key_events), sum(engagement_s) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 2 DESC, 1`],
  ['by source and medium, smallest first', { dimensions: ['sessionSource', 'sessionMedium'], metrics: ['sessions'], order_bys: [{ metric: { metric_name: 'sessions' } }] },
    `SELECT source, medium, count(*) FROM sessions s WHERE ${where} GROUP BY 1, 2 ORDER BY 3, 1, 2`],
  ['two orders', { dimensions: ['deviceCategory', 'browser'], metrics: ['sessions'],
    order_bys: [{ dimension: { dimension_name: 'deviceCategory' }, desc: true }, { metric: { metric_name: 'sessions' }, desc: true }] },
    `SELECT device, browser, count(*) FROM sessions s WHERE ${where} GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC, 2`],
  ['filter: in list and not', { dimensions: ['city'], metrics: ['sessions'], dimension_filter: { and_group: { expressions: [
    { filter: { field_name: 'deviceCategory', in_list_filter: { values: ['mobile', 'TABLET'] } } },
    { not_expression: { filter: { field_name: 'sessionMedium', string_filter: { value: 'organic' } } } }] } } },
    `SELECT city, count(*) FROM sessions s WHERE ${where} AND device IN ('mobile', 'tablet') AND lower(medium) <> 'organic' GROUP BY 1 ORDER BY 2 DESC, 1`],
  ['filter: or of contains and ends with', { dimensions: ['landingPage'], metrics: ['sessions'], dimension_filter: { or_group: { expressions: [
    { filter: { field_name: 'landingPage', string_filter: { match_type: 'CONTAINS', value: 'service' } } },
    { filter: { field_name: 'landingPage', string_filter: { match_type: 'ENDS_WITH', value: '/' } } }] } } },
    `SELECT landing_page, count(*) FROM sessions s WHERE ${where} AND (landing_page LIKE '%service%' OR landing_page LIKE '%/') GROUP BY 1 ORDER BY 2 DESC, 1`],
  ['metric filter between', { dimensions: ['date'], metrics: ['sessions'], metric_filter: { filter: { field_name: 'sessions',
    between_filter: { from_value: { int64_value: 15 }, to_value: { int64_value: 25 } } } }, order_bys: [{ dimension: { dimension_name: 'date' }, desc: true }] },
    `SELECT date, count(*) FROM sessions s WHERE ${where} GROUP BY 1 HAVING count(*) BETWEEN 15 AND 25 ORDER BY 1 DESC`],
  ['events that begin with asc_', { dimensions: ['eventName'], metrics: ['eventCount', 'sessions'],
    dimension_filter: { filter: { field_name: 'eventName', string_filter: { match_type: 'BEGINS_WITH', value: 'asc_' } } } },
    `SELECT e.name, sum(e.count), count(DISTINCT e.session_id) FROM events e WHERE ${whereEvents} AND e.name LIKE 'asc@_%' ESCAPE '@' GROUP BY 1 ORDER BY 2 DESC, 1`],
  ['key events', { dimensions: ['eventName', 'isKeyEvent'], metrics: ['eventCount'], dimension_filter: { filter: { field_name: 'isKeyEvent', string_filter: { value: 'true' } } } },
    `SELECT e.name, 'true', sum(e.count) FROM events e JOIN key_events k ON k.property_id = e.property_id AND k.name = e.name WHERE ${whereEvents} GROUP BY 1 ORDER BY 3 DESC, 1`],
  ['pages by views', { dimensions: ['pagePath'], metrics: ['screenPageViews', 'sessions'], limit: 40 },
    `SELECT coalesce(p.path, '(not set)'), sum(CASE e.name WHEN 'page_view' THEN e.count ELSE 0 END) AS views, count(DISTINCT e.session_id)
      FROM events e LEFT JOIN pages p USING (page_id) WHERE ${whereEvents} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 40`],
  ['hours, where a session counts in each', { dimensions: ['hour'], metrics: ['sessions', 'eventCount', 'engagedSessions'], order_bys: [{ dimension: { dimension_name: 'hour', order_type: 'NUMERIC' } }] },
    `SELECT printf('%02d', hour), count(*), sum(n), sum(engaged) FROM (SELECT e.hour AS hour, e.session_id, max(s.engaged) AS engaged, sum(e.count) AS n
      ${events} WHERE ${whereEvents} GROUP BY e.hour, e.session_id) GROUP BY 1 ORDER BY 1`],
  ['models of vehicle pages', { dimensions: ['customEvent:item_make', 'customEvent:item_model'], metrics: ['eventCount'], limit: 25,
    dimension_filter: { filter: { field_name: 'eventName', string_filter: { value: 'asc_item_pageview' } } } },
    `SELECT v.item_make, v.item_model, sum(e.count) FROM events e JOIN vehicles v USING (vehicle_id)
      WHERE ${whereEvents} AND e.name = 'asc_item_pageview' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 25`],
  ['calendar', { dimensions: ['yearMonth', 'dayOfWeekName'], metrics: ['sessions'] },
    `SELECT d.year_month, d.day_of_week_name, count(*) FROM sessions s JOIN days d USING (date) WHERE ${where} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2`],
];

const bind = (d, days) => ({ $property: d.property_id, $from: days.from, $to: days.to });
const truth = (sql, d, days) => world.db.prepare(sql).all(bind(d, days)).map((row) => Object.values(row));

// Whether a property's owner has registered a parameter as a custom dimension.
const registered = (d, parameter) =>
  world.all('SELECT 1 FROM custom_dimensions WHERE property_id = ? AND parameter = ?', d.property_id, parameter).length > 0;

describe('run_report', () => {
  for (const [what, args, sql] of reports)
    test(`equals_sql: ${what}`, async () => {
      const custom = args.dimensions?.find((name) => name.startsWith('customEvent:'))?.slice(12);
      for (const id of ['d01', 'd09', 'd19', 'd21', 'd22', 'd23']) {
        const d = world.dealer(id);
        if (custom && !registered(d, custom)) continue;
        const answer = await client.data('run_report', { limit: 100_000, ...args, dealer_id: id, date_ranges: [range] });
        const expected = truth(sql, d, daysOf(d, range));
        assertSame(rowsOf(answer), expected, `${what}, ${id}`);
        assert.ok(args.limit !== undefined || answer.row_count === expected.length, 'row_count');
        assert.equal(answer.dealer_name, d.name);
        assert.equal(answer.property, `properties/${d.property_id}`);
        assert.deepEqual(answer.period.time_zones, [d.time_zone]);
        assert.equal(compact(answer.period.start_date), daysOf(d, range).from);
        assert.match(answer.headline, new RegExp(` for ${d.name} \\(${id}\\), \\d+ \\w+ `));
        assert.equal(answer.metadata, undefined, 'caveats say it');
      }
    });

  test('a_property_may_be_given_instead_of_a_dealer', async () => {
    const d = world.dealer('d13');
    const args = { metrics: ['sessions'], date_ranges: [range] };
    const sql = `SELECT count(*) FROM sessions s WHERE ${where}`;
    for (const property_id of [String(d.property_id), `properties/${d.property_id}`]) {
      const answer = await client.data('run_report', { ...args, property_id });
      assert.deepEqual(rowsOf(answer), truth(sql, d, daysOf(d, range)));
      assert.equal(answer.dealer_id, 'd13');
    }
  });

  test('pages_add_up_to_the_report', async () => {
    const d = world.dealer('d08');
    const args = { dealer_id: 'd08', dimensions: ['landingPage'], metrics: ['sessions'], date_ranges: [range], limit: 10 };
    const rows = [];
    let offset = 0, answer;
    do {
      answer = await client.data('run_report', { ...args, offset });
      rows.push(...rowsOf(answer));
      offset = answer.next_offset;
    } while (offset !== 0);
    const expected = truth(`SELECT landing_page, count(*) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 2 DESC, 1`, d, daysOf(d, range));
    assert.ok(expected.length > 20);
    assert.equal(answer.row_count, expected.length);
    // An empty page is shown as "(not set)", which some sessions have by that name: one row where both are in one
    // answer. The order of equal counts is Google's.
    const joined = (list) => {
      const sums = new Map();
      for (const [name, n] of list) sums.set(name || '(not set)', (sums.get(name || '(not set)') ?? 0) + n);
      return [...sums].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    };
    const counts = (list) => list.filter(([name]) => name !== '' && name !== '(not set)').map((row) => row[1]);
    assertSame(counts(rows), counts(expected), 'counts in their order');
    assertSame(joined(rows), joined(expected), 'pages');
  });

  test('several_ranges_are_told_apart_by_name', async () => {
    const d = world.dealer('d02');
    const today = todayIn('UTC');
    const date_ranges = [
      { ...range, name: 'now' },
      { start_date: daysBefore(today, 80), end_date: daysBefore(today, 46) },
    ];
    const answer = await client.data('run_report', {
      dealer_id: 'd02', dimensions: ['deviceCategory'], metrics: ['sessions'], date_ranges,
      order_bys: [{ dimension: { dimension_name: 'dateRange' } }, { dimension: { dimension_name: 'deviceCategory' } }],
    });
    const expected = date_ranges.flatMap((r, i) =>
      truth(`SELECT device, count(*) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 1`, d, { from: compact(r.start_date), to: compact(r.end_date) })
        .map(([device, n]) => [device, ['now', `${r.start_date} to ${r.end_date}`][i], n]));
    expected.sort((a, b) => (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : a[0] < b[0] ? -1 : 1));
    assert.deepEqual(answer.dimension_headers.map((h) => h.name), ['deviceCategory', 'dateRange']);
    assertSame(rowsOf(answer), expected, 'ranges');
  });

  test('the_quota_is_shown_when_asked_for', async () => {
    const args = { dealer_id: 'd02', metrics: ['sessions'], return_property_quota: true };
    const left = async () => Number(/left are (\d+) today/.exec((await client.data('run_report', args)).notes[0])[1]);
    const first = await left();
    assert.ok(first > await left(), 'the second call cost tokens too');
    assert.equal((await client.data('run_report', { ...args, return_property_quota: false })).notes, undefined);
  });
});

describe('what a property is set up with', () => {
  const column = ({ columns, rows }, name) => rows.map((row) => row[columns.indexOf(name)]);

  test('key_events_and_streams_are_those_of_the_world', async () => {
    for (const id of ['d01', 'd09', 'd23']) {
      const d = world.dealer(id);
      const events = await client.data('list_key_events', { dealer_id: id });
      const expected = world.all('SELECT name FROM key_events WHERE property_id = ? ORDER BY name', d.property_id);
      assert.deepEqual(column(events, 'event_name').sort(), expected.map((row) => row.name).sort());
      assert.ok(events.headline.startsWith(`${d.name} (${id}) has ${expected.length} key event`), events.headline);
      const streams = await client.data('list_data_streams', { property_id: String(d.property_id) });
      assert.equal(streams.dealer_id, id);
      assert.ok(column(streams, 'name').every((name) => name.startsWith(`properties/${d.property_id}/dataStreams/`)));
      assert.ok(column(streams, 'web_stream_data_measurement_id').every((text) => text.startsWith('G-')));
    }
  });

  test('links_and_annotations_are_answered_for_every_dealer', async () => {
    for (const d of world.dealers.slice(0, 4)) {
      const links = await client.data('list_google_ads_links', { dealer_id: d.dealer_id });
      assert.match(links.headline, / has (no|\d+) links? to Google Ads$/);
      const annotations = await client.data('list_property_annotations', { dealer_id: d.dealer_id });
      for (const day of column(annotations, 'start_date')) assert.match(day, /^\d{4}-\d\d-\d\d$/);
    }
  });
});

// [what, arguments, SQL of one dealer's rows, in the order of the first metric]
const across = [
  ['by channel', { dimensions: ['sessionDefaultChannelGroup'], metrics: ['sessions', 'engagedSessions', 'keyEvents'] },
    `SELECT channel, count(*), sum(engaged), sum(key_events) FROM sessions s WHERE ${where} GROUP BY 1`],
  ['by two dimensions', { dimensions: ['deviceCategory', 'sessionMedium'], metrics: ['screenPageViews', 'sessions'] },
    `SELECT device, medium, sum(page_views), count(*) FROM sessions s WHERE ${where} GROUP BY 1, 2`],
  ['no dimensions', { metrics: ['sessions', 'userEngagementDuration'] },
    `SELECT count(*), sum(engagement_s) FROM sessions s WHERE ${where}`],
  ['landing pages of phones', { dimensions: ['landingPage'], metrics: ['sessions'],
    dimension_filter: { filter: { field_name: 'deviceCategory', string_filter: { value: 'mobile' } } } },
    `SELECT CASE landing_page WHEN '' THEN '(not set)' ELSE landing_page END, count(*) FROM sessions s WHERE ${where} AND device = 'mobile' GROUP BY 1`],
  ['days with many sessions', { dimensions: ['date'], metrics: ['sessions'],
    metric_filter: { filter: { field_name: 'sessions', numeric_filter: { operation: 'GREATER_THAN_OR_EQUAL', value: { int64_value: 25 } } } } },
    `SELECT date, count(*) FROM sessions s WHERE ${where} GROUP BY 1 HAVING count(*) >= 25`],
  ['events', { dimensions: ['eventName'], metrics: ['eventCount'] },
    `SELECT e.name, sum(e.count) FROM events e WHERE ${whereEvents} GROUP BY 1`],
];

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
// Largest first by the first metric; equal ones by their dimension values.
function inOrder(rows, n) {
  const compare = (a, b) => {
    if (a[n] !== b[n]) return b[n] - a[n];
    for (let i = 0; i < n; i++) if (a[i] !== b[i]) return byBytes(a[i], b[i]);
    return 0;
  };
  return [...rows].sort(compare);
}
function pooled(tables, n) {
  const sums = new Map();
  for (const rows of tables)
    for (const row of rows) {
      const key = JSON.stringify(row.slice(0, n));
      const sum = sums.get(key) ?? { row: [...row.slice(0, n), ...row.slice(n).map(() => 0)], dealers: 0 };
      row.slice(n).forEach((x, i) => (sum.row[n + i] += x));
      sum.dealers++;
      sums.set(key, sum);
    }
  const dealers = new Map([...sums.values()].map((sum) => [sum.row, sum.dealers]));
  return inOrder([...dealers.keys()], n).map((row) => [...row, dealers.get(row)]);
}
const flat = (row) => [...row.dimension_values, ...row.metric_values];

describe('run_report_across_dealers', () => {
  for (const [what, args, sql] of across)
    test(`equals_sql: ${what}`, async () => {
      const n = args.dimensions?.length ?? 0;
      const cohorts = [{ region: 'West' }, { dealer_ids: ['d02', 'd09', 'd23', 'd01'] }, {}];
      for (const cohort of cohorts) {
        const members = world.dealers.filter((d) =>
          cohort.region ? d.region === cohort.region : !cohort.dealer_ids || cohort.dealer_ids.includes(d.dealer_id));
        const answer = await client.data('run_report_across_dealers',
          { ...args, ...cohort, date_range: range, limit_per_dealer: 400, pooled_limit: 10_000, dealers_per_page: 500 });
        const tables = members.map((d) => inOrder(truth(sql, d, daysOf(d, range)), n));
        const where = `${what} ${JSON.stringify(cohort)}`;
        assert.deepEqual(answer.dealers.map((d) => [d.dealer_id, d.name]), members.map((d) => [d.dealer_id, d.name]));
        tables.forEach((rows, i) => {
          assertSame(answer.dealers[i].rows.map(flat), rows.slice(0, 400), `${where} ${members[i].dealer_id}`);
          assert.equal(answer.dealers[i].row_count, rows.length);
        });
        const sums = pooled(tables, n);
        assertSame(answer.pooled.map((row) => [...flat(row), row.dealers]), sums, `${where} pooled`);
        assert.equal(answer.pooled_row_count, sums.length);
        assert.deepEqual(answer.pooled_metrics, args.metrics);
        assert.equal(answer.coverage.ok, members.length);
      }
    });

  test('limits_cut_the_rows_but_not_the_sums', async () => {
    const args = { region: 'East', dimensions: ['sessionSource'], metrics: ['sessions'], date_range: range };
    const answer = await client.data('run_report_across_dealers', { ...args, limit_per_dealer: 2, pooled_limit: 3 });
    const tables = world.ofRegion('East').map((d) =>
      inOrder(truth(`SELECT source, count(*) FROM sessions s WHERE ${where} GROUP BY 1`, d, daysOf(d, range)), 1));
    const sums = pooled(tables, 1);
    tables.forEach((rows, i) => assertSame(answer.dealers[i].rows.map(flat), rows.slice(0, 2), `dealer ${i}`));
    assertSame(answer.pooled.map((row) => [...flat(row), row.dealers]), sums.slice(0, 3), 'pooled');
    assert.equal(answer.pooled_row_count, sums.length);
    const none = await client.data('run_report_across_dealers', { ...args, pooled_limit: 0 });
    assert.deepEqual(none.pooled, []);
  });

  test('rates_are_pooled_from_their_parts_and_users_are_not', async () => {
    const metrics = ['engagementRate', 'sessions', 'totalUsers', 'averageSessionDuration'];
    const answer = await client.data('run_report_across_dealers',
      { region: 'Central', dimensions: ['deviceCategory'], metrics, date_range: range });
    assert.deepEqual(answer.pooled_metrics, ['engagementRate', 'sessions', 'averageSessionDuration']);
    assert.deepEqual(answer.not_pooled, ['totalUsers']);
    assert.match(answer.caveats.join(), /totalUsers \(people may visit several websites\)/);
    const parts = world.ofRegion('Central').map((d, i) => {
      const rows = truth(`SELECT device, avg(engaged), count(*), count(DISTINCT user_id), avg(duration_s) FROM sessions s WHERE ${where} GROUP BY 1`, d, daysOf(d, range));
      assertSame(answer.dealers[i].rows.map(flat), inOrder(rows, 1), d.dealer_id);
      return truth(`SELECT device, sum(engaged), count(*), sum(duration_s) FROM sessions s WHERE ${where} GROUP BY 1`, d, daysOf(d, range));
    });
    const rates = pooled(parts, 1).map(([device, engaged, n, seconds, dealers]) => [device, engaged / n, n, seconds / n, dealers]);
    rates.sort((x, y) => y[1] - x[1]);
    assertSame(answer.pooled.map((row) => [...flat(row), row.dealers]), rates, 'pooled');
  });

  test('rates_without_their_weight_among_the_metrics_and_per_user', async () => {
    const metrics = ['bounceRate', 'screenPageViewsPerUser'];
    const answer = await client.data('run_report_across_dealers', { region: 'West', metrics, date_range: range });
    assert.deepEqual(answer.pooled_metrics, metrics);
    const parts = world.ofRegion('West').map((d) => truth(`SELECT sum(1 - engaged), count(*), sum(page_views),
      count(DISTINCT CASE WHEN engaged OR is_new THEN user_id END) FROM sessions s WHERE ${where}`, d, daysOf(d, range))[0]);
    const [bounced, sessions, views, users] = [0, 1, 2, 3].map((k) => parts.reduce((total, row) => total + row[k], 0));
    assertSame(answer.pooled.map(flat), [[bounced / sessions, views / users]], 'pooled');
    assert.match(answer.caveats.join(), /a person who visits several of the websites counts at each/);
  });
});
