// The official Python clients against the real gateway in front of the fake services.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { pythonWith } from '../lib/venv.mjs';
import { startBackend, startGateway } from './programs.mjs';

const releases = [
  { release: '1.30.0', modes: [['session', '2025-11-25']] },
  { release: '2.3.0', modes: [['auto', '2026-07-28'], ['legacy', '2025-11-25'], ['2026-07-28', '2026-07-28']] },
];

let backend, gateway;
before(async () => {
  backend = await startBackend({ open: true });
  gateway = await startGateway(backend, { env: { ENABLE_AUTH: 'false' } });
});
after(async () => {
  await gateway.stop();
  await backend.stop();
});

for (const { release, modes } of releases) {
  const variable = `AMCP_PYTHON_MCP_${release.split('.')[0]}`;
  const found = pythonWith({
    requirement: `mcp==${release}`,
    module: 'mcp',
    named: [variable, process.env[variable]],
  });
  describe(`mcp ${release}`, { skip: found.why && `the Python client is not run: ${found.why}` }, () => {
    for (const [mode, version] of modes)
      test(`${mode} does everything without an error`, { timeout: 60_000 }, async () => {
        const script = path.join(import.meta.dirname, 'client.py');
        const { stdout } = await promisify(execFile)(found.python, [script, gateway.url, mode]);
        const seen = JSON.parse(stdout);
        assert.equal(seen.version, version);
        assert.ok(seen.tools.includes('benchmark_dealer') && seen.tools.length > 20);
        assert.ok(seen.resources.includes('analytics://dealers'));
        assert.equal(seen.templates, 4);
        assert.equal(seen.prompts.length, 3);
        assert.equal(seen.call.isError, false);
        assert.equal(seen.call.structuredContent.total, 1);
        assert.equal(seen.error.isError, true);
        assert.match(seen.error.content[0].text, /regions are West/);
        assert.match(seen.read.contents[0].text, /d01\tFord of "Portland"/);
        assert.match(seen.prompt.messages[0].content.text, /website of Ford of Reno/);
        assert.deepEqual(seen.values, ['Ford of "Portland"\n']);
        assert.deepEqual(seen.progress, [1, 2, 3]);
        assert.equal(seen.cancelled, 1);
        assert.deepEqual(seen.errors, []);
      });
  });
}
