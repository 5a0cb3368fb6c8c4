// compare_dealer_sessions against the same figures computed from the simulator's database: for random
// dealers, regions and periods, with and without a dealer that fails, as an admin, a group and a dealer.
import { after, before, test } from 'node:test';
import { comparisons, RUNS } from './random_calls.mjs';
import { assertComparison, assertSame, figuresOf } from './truth.mjs';
import { restrictedComparison } from './truth_compare.mjs';

const calls = comparisons();
before(() => calls.start());
after(() => calls.stop());

for (const viewer of ['admin', 'group', 'dealer'])
  test(`comparisons_equal_sql_for_random_calls_of_${viewer}`, () =>
    calls.run(viewer, RUNS, async (ask, { subject, members, date_range }, i, where) => {
      // Every other question is about the region alone, of which all dealers are judged.
      const { region } = calls.world.dealer(subject);
      const one = i % 2 === 0 ? subject : null, all = i % 3 === 0;
      const answer = await ask('compare_dealer_sessions', {
        ...(one === null && { subject: undefined, region }), ...(all && { detail: 'all' }), limit: 500,
      });
      if (members.every((m) => m.visible)) {
        assertComparison(answer, members.map((m) => figuresOf(calls.world, m.dealer, date_range)), one, where, all);
      } else {
        const { cells_tested, dealers, regional_average, performance_index } = answer;
        assertSame({ cells_tested, dealers, regional_average, performance_index }, restrictedComparison(calls.world, members, one, date_range, all), where);
      }
      return answer;
    }, 4));
