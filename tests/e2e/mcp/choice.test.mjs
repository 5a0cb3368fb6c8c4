// A dealer's name, a region or a date that may mean several: a client that can ask its person asks, and
// the call goes on. Clients of sessions are asked by a request of its own, others by the result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { startSet } from '../lib/set.mjs';
import { connect, kinds } from './clients.mjs';

let set, brand, fits, regions;
before(async () => {
  set = await startSet({ sim: { regions: 6, dealers: 48, days: 60 } });
  // A word that several dealers' names have.
  const c = await connect(kinds[0], set.url, { token: '' });
  const dealers = objects((await c.call('list_dealers', {})).structuredContent);
  regions = [...new Set(dealers.map(({ region }) => region))];
  await c.close();
  const count = {};
  for (const { name } of dealers) for (const word of name.split(' ')) (count[word] ??= []).push(name);
  [brand, fits] = Object.entries(count).find(([word, names]) => names.length > 1 && names.length <= 5 && word.length > 3);
});
after(async () => {
  await set?.stop();
});

const report = { metrics: ['sessions'] };

for (const kind of kinds) {
  const ask = async (answer, fn) => {
    const asked = [];
    const c = await connect(kind, set.url, { token: '', options: { capabilities: { elicitation: { form: {} } } } });
    c.client.setRequestHandler(kind.name === 'v1' ? ElicitRequestSchema : 'elicitation/create', async ({ params }) => {
      asked.push(params);
      return answer(params.requestedSchema.properties);
    });
    await fn(c, asked);
    await c.close();
    assert.deepEqual(c.errors, []);
  };
  const choose = (n) => (properties) => {
    const [[key, { oneOf }]] = Object.entries(properties);
    return { action: 'accept', content: { [key]: oneOf[n].const } };
  };

  test(`${kind.name}: the person chooses, and the call goes on with that dealer`, { timeout: 60_000 }, () =>
    ask(choose(1), async (c, asked) => {
      for (const [tool, args, of] of [
        ['run_report', { ...report, dealer: brand }, (r) => [r.dealer_id]],
        ['compare_dealer_sessions', { dealer: brand }, (r) => objects(r.dealers).filter((d) => d.subject).map((d) => d.dealer_id)],
      ]) {
        const result = await c.call(tool, args);
        assert.ok(!result.isError, result.content[0].text);
        const { message, requestedSchema } = asked.at(-1);
        assert.equal(message, `Which dealer is meant by "${brand}"?`);
        const [{ oneOf }] = Object.values(requestedSchema.properties);
        assert.deepEqual(oneOf.map(({ title }) => title).toSorted(), fits.toSorted());
        assert.deepEqual(of(result.structuredContent), [oneOf[1].const], tool);
      }
      assert.equal(asked.length, 2);
    }));

  test(`${kind.name}: a date in either order is asked about, each of two by itself`, { timeout: 60_000 }, () =>
    ask(choose(1), async (c, asked) => {
      const dates = { start_date: '03/04/2026', end_date: '05/06/2026' };
      const result = await c.call('run_report', { ...report, dealer: 'd01', date_ranges: [dates] });
      assert.ok(!result.isError, result.content[0].text);
      assert.deepEqual(asked.map(({ message }) => message), ['03/04/2026', '05/06/2026'].map((d) => `Which day is meant by "${d}"?`));
      const [{ oneOf }] = Object.values(asked[0].requestedSchema.properties);
      assert.deepEqual(oneOf, [
        { const: '2026-03-04', title: 'Wednesday, 04 March 2026' },
        { const: '2026-04-03', title: 'Friday, 03 April 2026' },
      ]);
      assert.match(JSON.stringify(result), /2026-04-03.+2026-06-05/);
    }));

  test(`${kind.name}: so is a part of the names of several regions`, { timeout: 60_000 }, () =>
    ask(choose(0), async (c, asked) => {
      const parts = regions.flatMap((r) => Array.from({ length: r.length - 2 }, (_, i) => r.slice(i, i + 3)));
      const part = parts.find((p) => regions.filter((r) => r.includes(p)).length === 2);
      const result = await c.call('compare_dealer_sessions', { region: part });
      assert.ok(!result.isError, result.content[0].text);
      assert.equal(asked.length, 1);
      assert.equal(asked[0].message, `Which region is meant by "${part}"?`);
      const [{ oneOf }] = Object.values(asked[0].requestedSchema.properties);
      assert.deepEqual(oneOf.map(({ title }) => title).toSorted(), regions.filter((r) => r.includes(part)).toSorted());
      assert.match(JSON.stringify(result.structuredContent), new RegExp(oneOf[0].title));
    }));

  test(`${kind.name}: whoever declines learns which ones fit no more than once`, { timeout: 60_000 }, () =>
    ask(() => ({ action: 'decline' }), async (c, asked) => {
      const result = await c.call('run_report', { ...report, dealer: brand });
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /none of them was chosen/);
      assert.equal(asked.length, 1);
    }));
}

for (const kind of kinds)
  test(`${kind.name}: a client that cannot ask gets the list`, { timeout: 60_000 }, async () => {
    const c = await connect(kind, set.url, { token: '' });
    const result = await c.call('run_report', { ...report, dealer: brand });
    assert.equal(result.isError, true);
    for (const name of fits) assert.ok(result.content[0].text.includes(name), result.content[0].text);
    await c.close();
    assert.deepEqual(c.errors, []);
  });
