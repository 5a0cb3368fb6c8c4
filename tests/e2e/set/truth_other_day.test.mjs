// Relative dates on a day that is not today, in a world of another seed and shape.
import { after, before, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { assertComparison, assertSame, daysOf, figuresOf } from './truth.mjs';
import { startOverWorld } from './world.mjs';

const today = '2026-03-15';
let s, client, world;

before(async () => {
  s = await startOverWorld({ sim: { seed: 7, dealers: 9, regions: 2, days: 60, today } });
  world = s.world;
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

const ranges = [
  ['28daysAgo', 'yesterday'],
  ['yesterday', 'yesterday'],
  ['today', 'today'],
  ['0daysAgo', '0daysAgo'],
  ['7daysAgo', 'today'],
  ['59daysAgo', '30daysAgo'],
  ['2000daysAgo', '40daysAgo'], // from before there is data
].map(([start_date, end_date]) => ({ start_date, end_date }));

test('comparisons_over_relative_dates_equal_sql', async () => {
  for (const date_range of ranges)
    for (const region of world.regions) {
      const figures = world.ofRegion(region).map((d) => figuresOf(world, d, date_range, today));
      const answer = await client.data('compare_dealer_sessions', { region, date_range, detail: 'all', limit: 500 });
      assertComparison(answer, figures, null, `${region} ${JSON.stringify(date_range)}`, true);
    }
});

test('reports_over_relative_dates_equal_sql', async () => {
  const args = { dimensions: ['date'], metrics: ['sessions'], order_bys: [{ dimension: { dimension_name: 'date' } }] };
  for (const range of ranges)
    for (const d of world.dealers.slice(0, 3)) {
      const { from, to } = daysOf(d, range, today);
      const rows = world.all(
        'SELECT date, count(*) AS n FROM sessions WHERE property_id = ? AND date BETWEEN ? AND ? GROUP BY date ORDER BY date',
        d.property_id, from, to,
      );
      const answer = await client.data('run_report', { ...args, dealer_id: d.dealer_id, date_ranges: [range] });
      const got = answer.rows.map((r) => [r.dimension_values[0].value, Number(r.metric_values[0].value)]);
      assertSame(got, rows.map((r) => [r.date, r.n]), `${d.dealer_id} ${JSON.stringify(range)}`);
    }
});
