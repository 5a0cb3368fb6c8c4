// The official Go client against the gateway in front of the fake services. Skipped with the reason where there is
// no Go, or none of its modules can be had.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { goProgram, having, openGateway } from './others.mjs';

const { value: program, why } = having(() => goProgram(path.join(import.meta.dirname, 'go')));

let gateway;
before(async () => {
  gateway = await openGateway();
});
after(() => gateway.stop());

describe('the Go client', { skip: why && `the Go client is not run: ${why}` }, () => {
  for (const version of ['2026-07-28', '2025-11-25'])
    test(`${version} does everything without an error`, { timeout: 60_000 }, async () => {
      const { stdout } = await promisify(execFile)(program, [gateway.url, version]);
      const seen = JSON.parse(stdout);
      assert.equal(seen.version, version);
      assert.equal(seen.name, 'analytics-mcp');
      assert.ok(seen.tools.includes('benchmark_dealer') && seen.tools.length > 15);
      assert.ok(seen.resources.includes('analytics://dealers'));
      assert.equal(seen.templates, 4);
      assert.equal(seen.prompts.length, 3);
      assert.equal(seen.call.total, 1);
      assert.equal(seen.isError, true);
      assert.match(seen.read, /d01\tFord of "Portland"/);
      assert.match(seen.prompt, /website of Ford of Reno/);
      assert.deepEqual(seen.values, ['Ford of "Portland"\n']);
      assert.deepEqual(seen.progress, [1, 2, 3]);
      assert.equal(seen.cancelled, 1);
    });
});
