// compare_landing_pages against the same figures computed from the simulator's database: for random
// dealers and periods, against the dealer's own rates and the region's, with and without a dealer that
// fails, as an admin, a group and a dealer.
import { after, before, test } from 'node:test';
import { comparisons, RUNS } from './random_calls.mjs';
import { landing } from './truth_pages.mjs';

const calls = comparisons();
before(() => calls.start());
after(() => calls.stop());

for (const viewer of ['admin', 'group', 'dealer'])
  test(`pages_equal_sql_for_random_calls_of_${viewer}`, () =>
    calls.run(viewer, RUNS, async (ask, { subject, members, date_range }, i, where) => {
      const expected_from = i % 2 === 0 ? 'region' : 'own';
      const answer = await ask('compare_landing_pages', { expected_from });
      const truth = landing(calls.world, members, subject, date_range, expected_from);
      calls.same(answer, truth, 'pages', `${where} from ${expected_from}`);
      return { ...answer, alone: expected_from === 'own' };
    }));
