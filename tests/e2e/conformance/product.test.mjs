// The official conformance suites against the product: what it offers it does as the suites want.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startOverWorld } from '../set/world.mjs';
import { run, suites } from './suite.mjs';

let set;
before(async () => {
  ({ set } = await startOverWorld());
});
after(async () => {
  await set?.stop();
});

for (const suite of suites)
  test(suite.name, { timeout: 240_000 }, async () => {
    const expected = path.join(import.meta.dirname, `product-${suite.name}.yml`);
    const { code, output } = await run(suite, new URL(set.url).port, expected);
    assert.equal(code, 0, output);
    assert.match(output, /✓ tools-list/);
  });
