// A dealer's name that several fit: a client that can ask its person asks, and the call goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects } from '../lib/answer.mjs';
import { startSet } from '../lib/set.mjs';
import { connect, kinds } from './clients.mjs';

let set, brand, fits;
before(async () => {
  set = await startSet();
  // A word that several dealers' names have.
  const c = await connect(kinds[0], set.url, { token: '' });
  const dealers = objects((await c.call('list_dealers', {})).structuredContent);
  await c.close();
  const count = {};
  for (const { name } of dealers) for (const word of name.split(' ')) (count[word] ??= []).push(name);
  [brand, fits] = Object.entries(count).find(([word, names]) => names.length > 1 && names.length <= 5 && word.length > 3);
});
after(async () => {
  await set?.stop();
});

const modern = kinds.filter((kind) => kind.modern);
const report = { metrics: ['sessions'] };

for (const kind of modern) {
  const ask = async (answer, fn) => {
    const asked = [];
    const c = await connect(kind, set.url, { token: '', options: { capabilities: { elicitation: { form: {} } } } });
    c.client.setRequestHandler('elicitation/create', async ({ params }) => {
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
