// Clients that are programs from npm, the Inspector's command line and mcp-remote, against the gateway in front of
// the fake services. Skipped with the reason where npm cannot reach its registry.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { having, homeOf, npmPrograms, openGateway } from './others.mjs';

const { value: modules, why } = having(() => npmPrograms(path.join(import.meta.dirname, 'commands')));
const skip = why && `the programs from npm are not run: ${why}`;

let gateway;
before(async () => {
  gateway = await openGateway();
});
after(() => gateway.stop());

describe("the Inspector's command line", { skip }, () => {
  const ask = async (...args) => {
    const launcher = path.join(modules, '@modelcontextprotocol/inspector/clients/launcher/build/index.js');
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--cli', gateway.url, '--transport', 'http', ...args], { env: homeOf('inspector') });
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

describe('mcp-remote', { skip }, () => {
  test('lists, calls and reads for a client of standard input and output', { timeout: 120_000 }, async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [path.join(modules, 'mcp-remote/dist/proxy.js'), gateway.url, '--transport', 'http-only'],
      env: homeOf('mcp-remote'),
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
