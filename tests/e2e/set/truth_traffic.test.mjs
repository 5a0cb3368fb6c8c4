// compare_traffic_sources against the same figures computed from the simulator's database: for random
// dealers, periods and dimensions, with and without a dealer that fails, as an admin, a group and a dealer.
import { after, before, test } from 'node:test';
import { comparisons, RUNS } from './random_calls.mjs';
import { traffic } from './truth_traffic.mjs';

const calls = comparisons();
before(() => calls.start());
after(() => calls.stop());

const kinds = ['channel', 'source_medium', 'campaign'];

for (const viewer of ['admin', 'group', 'dealer'])
  test(`sources_equal_sql_for_random_calls_of_${viewer}`, () =>
    calls.run(viewer, RUNS, async (ask, { subject, members, date_range }, i, where) => {
      const by = kinds[i % 3];
      const answer = await ask('compare_traffic_sources', { by });
      const truth = traffic(calls.world, members, subject, date_range, by);
      calls.same(answer, truth, 'sources', `${where} by ${by}`);
      return answer;
    }));
