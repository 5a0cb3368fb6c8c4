// The official Rust client (rmcp 3.11.0) against the real gateway in front of the fake services. Building it
// takes minutes, so the long run alone does (AMCP_OTHER_CLIENTS=1); AMCP_RMCP_CLIENT names one that is built, and
// one in BUILD_DIR/e2e-rmcp is used. Its requests, byte by byte, are in test_gateway_rmcp.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { startBackend, startGateway } from './programs.mjs';

const BUILD_MS = 1_200_000;
const BUILD = path.resolve(process.env.BUILD_DIR ?? 'build');
const built = path.join(BUILD, 'e2e-rmcp/debug/rmcp-client');

// { program }, or { why } there is none.
function client() {
  const named = process.env.AMCP_RMCP_CLIENT;
  if (named) return fs.existsSync(named) ? { program: named } : { why: `${named} (AMCP_RMCP_CLIENT) is not there` };
  if (process.env.AMCP_OTHER_CLIENTS !== '1') return fs.existsSync(built) ? { program: built } : { why: 'it is built in the long run (AMCP_OTHER_CLIENTS=1)' };
  const manifest = path.join(import.meta.dirname, 'rust/Cargo.toml');
  try {
    execFileSync('cargo', ['build', '--locked', '--quiet', '--manifest-path', manifest, '--target-dir', path.join(BUILD, 'e2e-rmcp')],
      { timeout: BUILD_MS, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    return { why: `cargo could not build it: ${String(error.stderr || error.message).trim().split('\n').at(-1)}` };
  }
  return { program: built };
}

const { program, why } = client();
const skip = why && `the Rust client is not run: ${why}`;
const env = { ENABLE_AUTH: 'false' };

let backend, gateway;
before(async () => {
  if (skip) return;
  backend = await startBackend({ open: true });
  gateway = await startGateway(backend, { env });
});
after(async () => {
  await gateway?.stop();
  await backend?.stop();
});

// The client of a mode: next() is the next thing that it has seen; ask() makes one more call; close() ends it.
function run(t, mode) {
  const child = spawn(program, [gateway.url, mode], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL')); // of a test that failed
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the client ended: ${errors}`);
    return JSON.parse(value);
  };
  return {
    next,
    ask(query) {
      child.stdin.write(`${query}\n`);
      return next();
    },
    async close() {
      const exited = child.exitCode === null ? once(child, 'exit') : [child.exitCode];
      child.stdin.end();
      const [code] = await exited;
      assert.equal(code, 0, errors);
      assert.equal(errors, '');
    },
  };
}

const modes = [['initialize', '2025-11-25'], ['auto', '2026-07-28'], ['discover', '2026-07-28']];
describe('rmcp 3.11.0', { skip }, () => {
  for (const [mode, version] of modes)
    test(`${mode} does everything without an error, and survives a restart`, { timeout: 120_000 }, async (t) => {
      const client = run(t, mode);
      const seen = await client.next();
      assert.equal(seen.version, version);
      assert.ok(seen.tools.includes('benchmark_dealer') && seen.tools.length > 20);
      assert.ok(seen.resources.includes('analytics://dealers'));
      assert.equal(seen.templates, 4);
      assert.equal(seen.prompts, 3);
      assert.equal(seen.call.isError, false);
      assert.equal(seen.call.structuredContent.total, 1);
      assert.equal(seen.error.isError, true);
      assert.match(seen.error.content[0].text, /regions are West/);
      assert.match(seen.read.contents[0].text, /d01\tFord of "Portland"/);
      assert.match(seen.prompt.messages[0].content.text, /website of Ford of Reno/);
      assert.deepEqual(seen.values, ['Ford of "Portland"\n']);
      assert.deepEqual(seen.progress, [1, 2, 3]);
      assert.equal(seen.cancelled, 1);
      const { port } = gateway;
      await gateway.stop();
      gateway = await startGateway(backend, { port, env });
      const again = await client.ask('ford');
      assert.equal(again.structuredContent?.total, 1, JSON.stringify(again));
      await client.close();
    });
});
