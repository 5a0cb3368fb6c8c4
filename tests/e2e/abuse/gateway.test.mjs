// A well-behaved caller runs through each attack on the gateway: nothing of it is refused, it is not
// much slower, /health answers, and what the attack took is given back.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startBackend, startGateway } from '../mcp/programs.mjs';
import { beside, line } from './beside.mjs';

let backend, gateway, session;
const agent = new http.Agent({ keepAlive: true });

function ask(method, url, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host: '127.0.0.1', port: gateway.port, path: url, method, headers }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    request.setTimeout(10_000, () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
    request.end(body);
  });
}

const mcp = (message) => ask('POST', '/mcp', {
  'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: 'Bearer good-alice',
  ...(session ? { 'mcp-session-id': session } : {}),
}, JSON.stringify({ jsonrpc: '2.0', ...message }));

const caller = {
  get through() {
    return [gateway.pid, backend.pid];
  },
  async ask() {
    const answer = await mcp({ id: 1, method: 'tools/call', params: { name: 'list_dealers', arguments: { query: 'ford' } } });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /"isError":false/);
  },
  async health() {
    assert.equal((await ask('GET', '/health')).status, 200);
  },
};

// Noise of the machine only ever adds; what the gateway itself does wrong shows every time.
const ATTEMPTS = 3;

before(async () => {
  backend = await startBackend();
  gateway = await startGateway(backend, { env: { ANALYTICS_MCP_MAX_CONNECTIONS: '256', LOG_LEVEL: 'INFO' } });
  session = (await mcp({ id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } })).headers['mcp-session-id'];
});
after(async () => {
  agent.destroy();
  await gateway?.stop();
  await backend?.stop();
});

for (const [name, what, enough = () => true] of [
  ['silent', 'connections that say nothing'],
  ['bodies', 'bodies of strangers that never end', (seen) => !seen['200']],
  ['large', 'large bodies of a known caller that never end'],
  ['unread', 'answers that are never read'],
  ['calls', 'calls without end', (seen) => seen['200'] > 0],
  ['comparisons', '200 comparisons of one caller at a time', (seen) => seen['200'] > 200],
  ['sessions', 'sessions without end', (seen) => seen['200'] > 100],
  ['guesses', 'bearers that nobody accepts', (seen) => seen['401'] > 100 && !seen['200']],
]) {
  test(`a well-behaved caller runs through ${what}`, async (t) => {
    let result;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      result = await beside(caller, name, [gateway.port], [gateway.pid], { enough });
      t.diagnostic(`${name}: ${line(result)}`);
      if (enough(result.seen) && result.wrong.length === 0) return;
    }
    assert.deepEqual(result.wrong, []);
    assert.fail(`too little of an attack: ${JSON.stringify(result.seen)}`);
  });
}
