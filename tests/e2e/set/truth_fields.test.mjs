// Every field of a report's request, and batches of reports, through MCP against SQL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { assertSame, daysOf } from './truth.mjs';
import { compact, daysBefore, startOverWorld, todayIn } from './world.mjs';

let s, client, world, range, d, days;

before(async () => {
  s = await startOverWorld({ env: { gateway: { ANALYTICS_MCP_TOOLSETS: 'all' } } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
  const today = todayIn('UTC');
  range = { start_date: daysBefore(today, 40), end_date: daysBefore(today, 6) };
  d = world.dealer('d03');
  days = daysOf(d, range);
});
after(() => s?.stop());

const sql = (text, more = {}) =>
  world.db.prepare(text).all({ $property: d.property_id, $from: days.from, $to: days.to, ...more }).map((row) => Object.values(row));
const ask = async (tool, args) => {
  const answer = await client.call(tool, { dealer_id: 'd03', ...args });
  assert.equal(answer.isError, false, answer.text);
  return answer.result.structuredContent;
};
const where = 's.property_id = $property AND s.date BETWEEN $from AND $to';

describe('run_report', () => {
  test('totals_minimums_and_maximums_are_over_all_rows', async () => {
    const answer = await ask('run_report', {
      dimensions: ['city'], metrics: ['sessions', 'engagedSessions'], date_ranges: [range], limit: 3,
      metric_aggregations: ['TOTAL', 'MINIMUM', 'MAXIMUM'],
    });
    const rows = sql(`SELECT city, count(*), sum(engaged) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 2 DESC, 1`);
    assertSame(answer.rows, rows.slice(0, 3), 'rows');
    const over = (fn) => [1, 2].map((i) => String(fn(rows.map((row) => row[i]))));
    assert.deepEqual(Object.fromEntries(answer.aggregates.map((a) => [a.aggregation, a.values])), {
      TOTAL: over((list) => list.reduce((a, b) => a + b, 0)),
      MINIMUM: over((list) => Math.min(...list)),
      MAXIMUM: over((list) => Math.max(...list)),
    });
  });

  test('a_comparison_is_a_column_with_the_rows_of_its_filter', async () => {
    const answer = await ask('run_report', {
      dimensions: ['sessionMedium'], metrics: ['sessions'], date_ranges: [range], limit: 100,
      comparisons: [
        { name: 'phones', dimension_filter: { field: 'deviceCategory', value: 'mobile' } },
        { name: 'all', dimension_filter: { field: 'deviceCategory', match: 'CONTAINS', value: '' } },
      ],
    });
    assert.deepEqual(answer.columns, ['sessionMedium', 'comparison', 'sessions']);
    const rows = sql(`SELECT medium, 'phones', sum(device = 'mobile') AS n FROM sessions s WHERE ${where} GROUP BY 1 HAVING n > 0
      UNION ALL SELECT medium, 'all', count(*) FROM sessions s WHERE ${where} GROUP BY 1`);
    assert.deepEqual(answer.rows.map(String).toSorted(), rows.map(String).toSorted());
  });

  test('cohorts_are_followed_from_their_first_day', async () => {
    const first = { start_date: range.start_date, end_date: daysBefore(range.start_date, -6) };
    const answer = await ask('run_report', {
      dimensions: ['cohort', 'cohortNthDay'], metrics: ['cohortActiveUsers'], limit: 100,
      cohort_spec: { cohorts: [first], cohorts_range: { granularity: 'DAILY', end_offset: 4 } },
    });
    const rows = sql(`SELECT julianday(iso(s.date)) - julianday(iso(f.first)) AS n, count(DISTINCT CASE WHEN s.engaged OR s.is_new THEN s.user_id END) AS active FROM sessions s
      JOIN (SELECT user_id, min(date) AS first FROM sessions WHERE property_id = $property AND is_new GROUP BY 1
        HAVING first BETWEEN $from AND $to) f USING (user_id)
      WHERE s.property_id = $property AND n BETWEEN 0 AND 4 GROUP BY 1 HAVING active > 0 ORDER BY 1`.replaceAll(/iso\(([^)]*)\)/g, "substr($1,1,4)||'-'||substr($1,5,2)||'-'||substr($1,7,2)"),
    { $from: compact(first.start_date), $to: compact(first.end_date) });
    assert.deepEqual(answer.rows.map((row) => [Number(row[1]), row[2]]), rows);
    assert.equal(answer.period, undefined, 'a cohort has days of its own');
  });

  test('rows_of_zeros_are_shown_when_asked_for', async () => {
    const args = { dimensions: ['city'], metrics: ['keyEvents'], date_ranges: [range], limit: 500 };
    const rows = sql(`SELECT city, sum(key_events) FROM sessions s WHERE ${where} GROUP BY 1 ORDER BY 2 DESC, 1`);
    const some = rows.filter((row) => row[1] > 0);
    assert.ok(some.length < rows.length);
    assert.deepEqual((await ask('run_report', args)).rows, some);
    assert.deepEqual((await ask('run_report', { ...args, keep_empty_rows: true })).rows, rows);
  });
});

describe('run_conversions_report', () => {
  test('equals_sql', async () => {
    const answer = await ask('run_conversions_report', {
      dimensions: ['defaultChannelGroup'], metrics: ['allConversionsByConversionDate'], date_ranges: [range],
      conversion_spec: { attribution_model: 'LAST_CLICK' },
    });
    const rows = sql(`SELECT channel, sum(key_events) AS n FROM sessions s WHERE ${where} GROUP BY 1 HAVING n > 0 ORDER BY 2 DESC, 1`);
    assert.ok(rows.length > 1);
    assert.deepEqual(answer.rows.toSorted(), rows.toSorted());
  });
});

describe('batch_run_reports', () => {
  const requests = () => [
    { dimensions: ['deviceCategory'], metrics: ['sessions'], date_ranges: [range] },
    { dimensions: ['sessionMedium'], metrics: ['sessions', 'totalUsers'], date_ranges: [range], limit: 2 },
    { metrics: ['newUsers'], date_ranges: [range] },
  ];

  test('each_report_equals_run_report', async () => {
    const batch = await ask('batch_run_reports', { requests: requests() });
    const { columns, rows } = batch.rows;
    for (const [i, request] of requests().entries()) {
      const alone = await ask('run_report', request);
      const own = rows.filter((row) => row[0] === i + 1).map((row) => alone.columns.map((name) => row[columns.indexOf(name)]));
      assert.deepEqual(own, alone.rows, `report ${i + 1}`);
      const report = Object.fromEntries(batch.reports.columns.map((name, k) => [name, batch.reports.rows[i][k]]));
      assert.equal(report.row_count, alone.row_count);
      assert.equal(report.next_offset, alone.next_offset ?? 0);
      assert.equal(report.headline, alone.headline);
    }
  });

  test('equals_sql', async () => {
    const { columns, rows } = (await ask('batch_run_reports', { requests: requests() })).rows;
    assert.deepEqual(columns, ['report', 'deviceCategory', 'sessionMedium', 'sessions', 'totalUsers', 'newUsers']);
    const expected = [
      ...sql(`SELECT 1, device, NULL AS b, count(*), NULL AS c, NULL AS d FROM sessions s WHERE ${where} GROUP BY 2 ORDER BY 4 DESC, 2`),
      ...sql(`SELECT 2, NULL AS a, medium, count(*), count(DISTINCT user_id), NULL AS d FROM sessions s WHERE ${where} GROUP BY 3 ORDER BY 4 DESC, 3 LIMIT 2`),
      ...sql(`SELECT 3, NULL AS a, NULL AS b, NULL AS c, NULL AS e, count(DISTINCT CASE WHEN is_new THEN user_id END) FROM sessions s WHERE ${where}`),
    ];
    assert.deepEqual(rows, expected);
  });

  test('a_wrong_field_names_its_report', async () => {
    const requests = [{ metrics: ['sessions'] }, { metrics: ['sessionz'] }];
    assert.match(await client.refused('batch_run_reports', { dealer_id: 'd03', requests }), /requests\[1\]\.metrics\[0\]: .*sessionz/);
  });
});
