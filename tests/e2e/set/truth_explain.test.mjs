// explain_change against the same figures computed from the simulator's database: for random dealers,
// periods and metrics, with and without a dealer that fails, as an admin, a group and a dealer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { comparisons, RUNS, same } from './random_calls.mjs';
import { daysBefore } from './world.mjs';
import { explained, METRIC_NAMES } from './truth_explain.mjs';

const calls = comparisons();
before(() => calls.start());
after(() => calls.stop());

const list = (table) => (table?.columns === undefined ? [] : objects(table));
const sum = (values) => values.reduce((total, x) => total + x, 0);

// The parts of an axis: their own figures by name, the first by size, and that they add up to the move.
function assertAxis(shown, truth, where) {
  const { axis: { axis }, places, other, value, move, market, m } = truth;
  const rows = shown.filter((p) => p.axis === axis);
  const rest = rows.find((p) => p.part === '(other)');
  const named = rows.filter((p) => p !== rest);
  assert.equal(named.length, Math.min(5, places.length), `${where}: number of parts`);
  named.forEach((p, i) => {
    const v = places.find((x) => x.label === p.part);
    assert.ok(v, `${where}: ${p.part}`);
    const tie = Math.abs(Math.abs(v.contribution) - Math.abs(places[i].contribution));
    assert.ok(tie <= 1e-9, `${where}: ${p.part} instead of ${places[i].label}`);
    same(p, {
      axis, part: v.label, sessions_before: v.then.sessions, sessions: v.now.sessions, before: value(v.then), after: value(v.now),
      contribution: v.contribution, explains: move !== 0 ? v.contribution / move : undefined,
      beyond_market: m.count && market !== undefined && 1 + market / 100 > 0 ? m.of(v.now) - m.of(v.then) * (1 + market / 100) : undefined,
    }, `${where}: ${p.part}`);
  });
  const hidden = [...places.filter((v) => !named.some((p) => p.part === v.label)), ...(other ? [other] : [])];
  assert.equal(rest?.sessions ?? 0, sum(hidden.map((v) => v.now.sessions)), `${where}: sessions of the rest`);
  assert.ok(Math.abs((rest?.contribution ?? 0) - sum(hidden.map((v) => v.contribution))) < 1e-9, `${where}: the rest`);
  if (m.count || truth.places.some((v) => v.now.sessions > 0))
    assert.ok(Math.abs(sum(rows.map((p) => p.contribution)) - move) < 1e-7 * Math.max(1, Math.abs(move)), `${where}: parts add up to the move`);
}

for (const viewer of ['admin', 'group', 'dealer'])
  test(`changes_equal_sql_for_random_calls_of_${viewer}`, () =>
    calls.run(viewer, RUNS, async (ask, { subject, members, date_range }, i, where) => {
      const metric = METRIC_NAMES[(i + calls.pick(4)) % 4];
      const a_year_ago = i % 4 === 3 && Date.parse(date_range.end_date) - Date.parse(date_range.start_date) < 30 * 86_400_000;
      const answer = await ask('explain_change', { metric, compare_with: a_year_ago ? 'previous_year' : 'previous_period' });
      const truth = explained(calls.world, members, subject, date_range, metric, a_year_ago);
      where = `${where}, ${metric}${a_year_ago ? ', a year ago' : ''}`;
      for (const [name, value] of Object.entries(truth.facts)) same(answer[name], value, `${where}: ${name}`);
      same(list(answer.change)[0], truth.change, `${where}: change`);
      same(list(answer.axes), truth.axes, `${where}: axes`);
      truth.parts.forEach((axis) => assertAxis(list(answer.parts), axis, `${where}, ${axis.axis.axis}`));
      return answer;
    }, 5));

// What has not happened yet must not look like a fall, and "28daysAgo" is 28 days ago for both periods.
test('a_change_is_explained_over_days_that_are_over', async () => {
  const client = calls.client('admin');
  const today = new Date(Date.now() - 12 * 3600_000).toISOString().slice(0, 10); // where the day begins last
  const ask = (start_date, end_date) => client.data('explain_change', { subject: 'd01', metric: 'sessions', date_range: { start_date, end_date } });
  const [first, last] = [daysBefore(today, 14), daysBefore(today, 1)];
  const truth = await ask(first, last);
  for (const [from, to, left] of [['14daysAgo', 'yesterday', 0], ['14daysAgo', 'today', 1], [first, daysBefore(today, -20), 21]]) {
    const { caveats, ...answer } = await ask(from, to);
    const said = caveats.filter((c) => /not over and left out/.test(c));
    assert.deepEqual(said.map((c) => Number(/^\d+/.exec(c)[0])), left > 0 ? [left] : [], `${from} to ${to}`);
    same(answer, { ...truth, caveats: undefined }, `${from} to ${to}`);
  }
  assert.match(await client.refused('explain_change', { subject: 'd01', date_range: { start_date: daysBefore(today, -3), end_date: daysBefore(today, -9) } }), /holds no day that is over/);
});
