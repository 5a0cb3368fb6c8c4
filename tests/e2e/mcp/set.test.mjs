// The official SDK clients against the whole set: simulator, three services, gateway.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOverWorld } from '../set/world.mjs';
import { objects, typed } from '../lib/answer.mjs';
import { connect, kinds } from './clients.mjs';

let set;
before(async () => {
  ({ set } = await startOverWorld());
});
after(async () => {
  await set?.stop();
});

/** Calls until the answer is not an error, for a service that has just come back. */
async function untilWell(call, ms) {
  for (const end = Date.now() + ms; ; await sleep(100)) {
    const result = await call();
    if (!result.isError || Date.now() > end) return result;
  }
}

for (const kind of kinds) {
  describe(`${kind.name} and the whole set`, { timeout: 120_000 }, () => {
    let c;
    before(async () => {
      c = await connect(kind, set.url, { token: '' });
      await c.client.listTools(); // results are checked against the output schemas from here on
    });
    after(async () => {
      await c.close();
      assert.deepEqual(c.errors, []);
    });

    test('finds dealers and regions', async () => {
      const list = typed('list_dealers', (await c.call('list_dealers', {})).structuredContent);
      assert.equal(list.total, 24);
      assert.equal(list.dealers.length, 24);
      assert.ok(list.regions.length >= 3);
      const one = await c.call('list_dealers', { query: list.dealers[3].name });
      assert.ok(objects(one.structuredContent).some((d) => d.dealer_id === list.dealers[3].dealer_id));
    });

    test('runs a report of one dealer', async () => {
      const result = await c.call('run_report', {
        dealer_id: 'd01', dimensions: ['sessionDefaultChannelGroup'], metrics: ['sessions'],
      });
      assert.ok(!result.isError, result.content[0].text);
      assert.ok(result.structuredContent.rows.length > 1);
      const { columns, rows } = result.structuredContent;
      assert.deepEqual(columns, ['sessionDefaultChannelGroup', 'sessions']);
      assert.ok(rows.every(([channel, sessions]) => typeof channel === 'string' && Number.isInteger(sessions)));
      // The text has all the data, too.
      const table = [columns, ...rows].map((row) => row.join('\t')).join('\n');
      assert.ok(result.content[0].text.includes(table), result.content[0].text);
    });

    test('takes arguments in camelCase too', async () => {
      const result = await c.call('run_report', {
        dealerId: 'd01', metrics: ['sessions'], dateRanges: [{ startDate: '7daysAgo', endDate: 'yesterday' }],
      });
      assert.ok(!result.isError, result.content[0].text);
    });

    test('compares a dealer with its region and sees progress', async () => {
      const seen = [];
      const result = await c.call('compare_dealer_sessions', { subject: 'd01' }, {
        onprogress: (p) => seen.push(p.progress),
      });
      assert.ok(!result.isError, result.content[0].text);
      assert.ok(seen.length > 0);
      assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b));
      const { dealers, regional_average, performance_index, coverage } = result.structuredContent;
      assert.ok(objects(dealers).some((d) => d.subject && d.dealer_id === 'd01'));
      assert.ok(regional_average.rows.length > 0 && performance_index.rows.length > 0);
      assert.ok([dealers, performance_index].every(({ columns }) => columns[0] === 'dealer_id'));
      assert.ok(coverage);
    });

    test('runs a report across dealers and lists accounts', async () => {
      const across = await c.call('run_report_across_dealers', {
        dealer_ids: ['d01', 'd02'], dimensions: ['deviceCategory'], metrics: ['sessions'],
      });
      assert.ok(!across.isError, across.content[0].text);
      assert.equal(new Set(objects(across.structuredContent.dealers).map((d) => d.dealer_id)).size, 2);
      const accounts = await c.call('get_account_summaries', { dealer_id: 'd01' });
      assert.ok(!accounts.isError, accounts.content[0].text);
    });

    test('learns what is wrong with its arguments', async () => {
      const cases = [
        ['run_report', { dealer_id: 'd01', metrics: Array(11).fill('sessions') }, /metrics.*at most 10/],
        ['run_report', { dealer_id: 'd01', metrics: ['sesions'] }, /sesions/],
        ['run_report', { dealer_id: 'd01', metrics: { expression: 'sessions' } }, /metrics/],
        ['run_report', { dealer_id: 'd001', metrics: ['sessions'] }, /d01/],
        ['run_report', { dealer_id: 'd01', metrics: ['sessions'], date_ranges: [{ start_date: '2026-02-30', end_date: 'today' }] }, /date/],
        ['compare_dealer_sessions', { region: 'Atlantis' }, /region/i],
      ];
      for (const [name, args, text] of cases) {
        const result = await c.call(name, args);
        assert.equal(result.isError, true, `${name} ${JSON.stringify(args)}`);
        assert.match(result.content[0].text, text);
      }
    });
  });
}

test('a service that is down is named, and works again without a restart of the others', { timeout: 60_000 }, async () => {
  const c = await connect(kinds[0], set.url, { token: '' });
  const ask = () => c.call('run_report', { dealer_id: 'd01', metrics: ['sessions'] });
  await set.stopOne('report');
  const down = await ask();
  assert.equal(down.isError, true);
  assert.match(down.content[0].text, /report-svc/);
  await set.startOne('report');
  const back = await untilWell(ask, 20_000);
  assert.ok(!back.isError, back.content[0].text);
  await c.close();
  assert.deepEqual(c.errors, []);
});
