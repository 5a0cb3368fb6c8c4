// Runs the official conformance suites (npm's @modelcontextprotocol/conformance, two releases of it)
// against a server; every failure must be in a list of expected ones.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MODULES = path.resolve(import.meta.dirname, '../node_modules');

export const suites = [
  { name: '0.1', release: 'conformance-0.1', args: ['--suite', 'all'] },
  { name: '2025-11-25', release: 'conformance-0.2', args: ['--requirements', '2025-11-25'] },
  { name: '2026-07-28', release: 'conformance-0.2', args: ['--requirements', '2026-07-28'] },
];

/** Every entry of a list has a reason above it. */
function checkReasons(file) {
  let reason = false;
  for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(2)) {
    if (line.startsWith('  # ')) reason = true;
    assert.ok(line === '' || reason, `${file}: ${line} has no reason`);
  }
}

/** Runs one suite; { code, output }. The suites look at the Host, so the URL says localhost. */
export async function run(suite, port, expected) {
  if (expected) checkReasons(expected);
  const results = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-conformance-'));
  const args = ['--require', path.join(import.meta.dirname, 'localhost.cjs'), path.join(MODULES, suite.release, 'dist/index.js'), 'server', '--url', `http://localhost:${port}/mcp`,
    ...suite.args, '-o', results, ...(expected ? ['--expected-failures', expected] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [code] = await once(child, 'close');
  fs.rmSync(results, { recursive: true });
  return { code, output };
}
