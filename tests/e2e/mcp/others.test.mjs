// Clients of the protocol that take long to get: the official Go client, the Inspector's command line
// and mcp-remote, against the gateway in front of the fake services. In the long run alone
// (AMCP_OTHER_CLIENTS=1); what cannot be had is skipped with the reason.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { startBackend, startGateway } from './programs.mjs';

const BUILD = path.resolve(process.env.BUILD_DIR ?? 'build');
const wanted = process.env.AMCP_OTHER_CLIENTS === '1';
const get = { timeout: 600_000, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' };

// What cannot be had is why nothing is tested with it.
function having(make) {
  if (!wanted) return { why: 'AMCP_OTHER_CLIENTS is not 1' };
  try {
    return make();
  } catch (error) {
    return { why: String(error.stderr || error.message).trim().split('\n').at(-1) };
  }
}

// The Go program, built.
function makeGo() {
  const program = path.join(BUILD, 'e2e-mcp-go');
  execFileSync('go', ['build', '-o', program, '.'], { ...get, cwd: path.join(import.meta.dirname, 'go') });
  return { program };
}

// The folder of the programs from npm, installed as their lock file says.
function makeCommands() {
  const folder = path.join(BUILD, 'e2e-mcp-commands');
  const files = ['package.json', 'package-lock.json'];
  const same = (file) => {
    const [ours, theirs] = [import.meta.dirname + '/commands', folder].map((f) => path.join(f, file));
    return fs.existsSync(theirs) && fs.readFileSync(ours, 'utf8') === fs.readFileSync(theirs, 'utf8');
  };
  if (!files.every(same) || !fs.existsSync(path.join(folder, 'node_modules/mcp-remote'))) {
    fs.mkdirSync(folder, { recursive: true });
    for (const file of files) fs.copyFileSync(path.join(import.meta.dirname, 'commands', file), path.join(folder, file));
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { ...get, cwd: folder });
  }
  return { folder, modules: path.join(folder, 'node_modules') };
}

let backend, gateway;
before(async () => {
  backend = await startBackend({ open: true });
  gateway = await startGateway(backend, { env: { ENABLE_AUTH: 'false' } });
});
after(async () => {
  await gateway.stop();
  await backend.stop();
});

const go = having(makeGo);
describe('the Go client', { skip: go.why && `the Go client is not run: ${go.why}` }, () => {
  for (const version of ['2026-07-28', '2025-11-25'])
    test(`${version} does everything without an error`, { timeout: 60_000 }, async () => {
      const { stdout } = await promisify(execFile)(go.program, [gateway.url, version]);
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

const commands = having(makeCommands);
const home = () => {
  const folder = path.join(commands.folder, 'home');
  fs.mkdirSync(folder, { recursive: true });
  return { ...process.env, HOME: folder, MCP_REMOTE_CONFIG_DIR: folder };
};

describe("the Inspector's command line", { skip: commands.why && `it is not run: ${commands.why}` }, () => {
  const ask = async (...args) => {
    const launcher = path.join(commands.modules, '@modelcontextprotocol/inspector/clients/launcher/build/index.js');
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--cli', gateway.url, '--transport', 'http', ...args], { env: home() });
    return JSON.parse(stdout);
  };

  test('lists, calls, reads and prompts', { timeout: 120_000 }, async () => {
    const { tools } = await ask('--method', 'tools/list');
    assert.ok(tools.some(({ name }) => name === 'benchmark_dealer'));
    const call = await ask('--method', 'tools/call', '--tool-name', 'list_dealers', '--tool-arg', 'query=ford');
    assert.equal(call.structuredContent.total, 1);
    const read = await ask('--method', 'resources/read', '--uri', 'analytics://dealers');
    assert.match(read.contents[0].text, /Ford of "Portland"/);
    const prompt = await ask('--method', 'prompts/get', '--prompt-name', 'website_against_region', '--prompt-args', 'dealer=Ford of Reno');
    assert.match(prompt.messages[0].content.text, /Ford of Reno/);
  });
});

describe('mcp-remote', { skip: commands.why && `it is not run: ${commands.why}` }, () => {
  test('lists, calls and reads for a client of standard input and output', { timeout: 120_000 }, async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [path.join(commands.modules, 'mcp-remote/dist/proxy.js'), gateway.url, '--transport', 'http-only'],
      env: home(),
      stderr: 'ignore',
    });
    const client = new Client({ name: 'analytics-mcp-e2e', version: '1.0.0' }, { capabilities: {} });
    const errors = [];
    client.onerror = (error) => errors.push(error);
    await client.connect(transport);
    const { tools } = await client.listTools();
    assert.ok(tools.some(({ name }) => name === 'benchmark_dealer'));
    const call = await client.callTool({ name: 'list_dealers', arguments: { query: 'ford' } });
    assert.equal(call.structuredContent.total, 1);
    const read = await client.readResource({ uri: 'analytics://dealers' });
    assert.match(read.contents[0].text, /Ford of "Portland"/);
    await client.close();
    assert.deepEqual(errors, []);
  });
});
