// A dealer's name in the words of a person finds the dealer: one call for each question of the README.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Mcp } from '../set/mcp.mjs';
import { startOverWorld } from '../set/world.mjs';

let s, client;

before(async () => {
  s = await startOverWorld();
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

const named = ['d02', 'Dallas Chevrolet', 'dallas chevrolet', 'Chevrolet Dallas', 'Dallas Chevrolt', ' Dallas  Chevrolet\u200b'];

test('a report finds the dealer by its name, misspelt or not', async () => {
  for (const dealer of named) {
    const answer = await client.data('run_report', { dealer, metrics: 'users', period: 'last month' });
    assert.equal(answer.dealer_id, 'd02', dealer);
    assert.ok(answer.notes.includes('users read as totalUsers'), `${answer.notes}`);
  }
});

test('a comparison finds the dealer by its name, misspelt or not', async () => {
  for (const dealer of named) {
    const answer = await client.data('compare_dealer_sessions', { dealer_name: dealer });
    assert.deepEqual(answer.dealers.filter((d) => d.subject).map((d) => d.dealer_id), ['d02'], dealer);
  }
});

test('several dealers across, by their names', async () => {
  const answer = await client.data('run_report_across_dealers', { dealers: ['Dallas Chevrolet', 'Milwaukee Jeep'], metrics: ['Sessions'] });
  assert.deepEqual([...new Set(answer.dealers.map((d) => d.dealer_id))].sort(), ['d02', 'd23']);
});

test('a search ranks by words, tolerates misspelling and answers with the closest', async () => {
  const ids = async (query) => (await client.data('list_dealers', { query })).dealers.map((d) => d.dealer_id);
  assert.deepEqual(await ids('chevrolt dallas'), ['d02']);
  assert.ok((await ids('Milwauke Jep')).includes('d23'));
});

// A caller that puts the words of a person into the one call that a tool's description asks for.
const misspelt = 'Dallas Chevrolt';
const questions = [
  ['How is my website performing relative to the region?', 'compare_dealer_sessions', { dealer: misspelt }, /Dallas Chevrolet|Chevrolet of Dallas/],
  ['Which models are shoppers most engaged with across our sites?', 'analyze_vehicle_interest', { dealers: [misspelt] }, /share|%/],
  ['Which of our sites turn visits into leads?', 'compare_dealer_sessions', { dealers: [misspelt, 'Milwauke Jeep'] }, /leads/],
];
for (const [question, tool, args, answered] of questions)
  test(`one call answers: ${question}`, async () => {
    const { text, isError, result } = await client.call(tool, args);
    assert.ok(!isError, text);
    assert.match(text, answered);
    assert.match(text, /Coverage: (\d+) of \1 dealers?/);
    const { structuredContent } = result;
    assert.ok(structuredContent.headline.length > 20, 'the headline answers the question');
    assert.ok(text.startsWith(structuredContent.headline), text);
    const ids = structuredContent.dealers?.rows.map((row) => row[0]);
    if (args.dealers && ids) assert.deepEqual(ids.toSorted(), ['d02', 'd23']);
    else if (ids) assert.ok(ids.includes('d02'), `${ids}`);
  });
