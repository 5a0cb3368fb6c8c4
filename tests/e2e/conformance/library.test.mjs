// The official conformance suites against the library of the gateway: what it can do beyond what the
// product needs of it. The server has the tools, resources and prompts that the suites ask for.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, test } from 'node:test';
import { run, suites } from './suite.mjs';

let server, port;
before(async () => {
  server = spawn(process.env.AMCP_CONFORMANCE_SERVER, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  [port] = await once(readline.createInterface({ input: server.stdout }), 'line');
});
after(async () => {
  const exited = once(server, 'exit');
  server.stdin.end();
  assert.deepEqual(await exited, [0, null]);
});

for (const suite of suites)
  test(suite.name, { timeout: 240_000 }, async () => {
    const expected = path.join(import.meta.dirname, `library-${suite.name}.yml`);
    const { code, output } = await run(suite, port, expected);
    assert.equal(code, 0, output);
    assert.match(output, /✓ tools-list/);
  });
