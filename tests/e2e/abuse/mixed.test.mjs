// Calls of every kind, thousands of them, leave the gateway's memory and file descriptors where they were.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';
import { sanitized } from '../lib/build.mjs';
import { startBackend, startGateway } from '../mcp/programs.mjs';
import { rss } from './beside.mjs';

const CALLS = Number(process.env.AMCP_MIXED_CALLS ?? 4000), AT_ONCE = 16, WAIT_MS = 20_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const descriptors = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

function post(agent, port, { bearer = 'good-alice', session, body, leave }) {
  return new Promise((resolve) => {
    const request = http.request({
      agent, host: '127.0.0.1', port, path: '/mcp', method: 'POST',
      headers: {
        'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${bearer}`,
        ...(session ? { 'mcp-session-id': session } : {}),
      },
    }, (response) => {
      response.resume();
      response.on('end', () => resolve(response));
      response.on('error', () => resolve(response));
    });
    request.on('error', () => resolve());
    request.end(typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }));
    if (leave) setTimeout(() => { request.destroy(); resolve(); }, leave);
  });
}

const tool = (name, args, meta) => ({ body: { method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } } });
const initialize = { body: { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } } };

// What a call may be, with the status that must come of it; none for one whose client leaves.
const kinds = [
  { ...tool('list_dealers', { query: 'ford' }), status: 200 },
  { ...tool('list_dealers', { query: 'internal' }), status: 200 },
  { ...tool('list_dealers', { quarry: 7 }), status: 200 },
  { ...tool('no_such_tool', {}), status: 200 },
  { ...tool('compare_dealer_sessions', { region: 'West' }, { progressToken: 'p' }), status: 200 },
  { ...tool('compare_dealer_sessions', { region: 'hang' }, { progressToken: 'p' }), leave: 5 },
  { body: { method: 'tools/list' }, status: 200 },
  { ...initialize, fresh: true, status: 200 },
  { body: '{"jsonrpc":', status: 400 },
  { body: { method: 'ping' }, bearer: 'guess', status: 401 },
  { body: { method: 'ping' }, strange: true, status: 404 },
];

test(`${CALLS} mixed calls leave memory and file descriptors where they were`, { timeout: 280_000 }, async (t) => {
  const backend = await startBackend();
  const many = '10000000';
  const gateway = await startGateway(backend, {
    env: {
      ANALYTICS_MCP_SHARE_CALLS_PER_MINUTE: many, ANALYTICS_MCP_SHARE_REQUESTS_PER_MINUTE: many,
      ANALYTICS_MCP_SHARE_STRANGERS_PER_MINUTE: many,
    },
  }).catch(async (problem) => { await backend.stop(); throw problem; });
  const run = async (n) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const session = (await post(agent, gateway.port, initialize)).headers['mcp-session-id'];
    let next = 0;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (next < n) {
        const kind = kinds[next++ % kinds.length];
        const id = kind.fresh ? undefined : kind.strange ? 'nobody' : session;
        const answer = await post(agent, gateway.port, { ...kind, session: id });
        if (kind.status) assert.equal(answer?.statusCode, kind.status, JSON.stringify(kind));
      }
    }));
    agent.destroy();
    for (let same = 0, last; same < 10; await pause(50)) { // until the gateway has closed them, too
      const now = descriptors(gateway.pid);
      same = now === last ? same + 1 : 0;
      last = now;
    }
  };
  try {
    await run(500); // what the first calls of all make is kept
    const before = { memory: rss(gateway.pid), descriptors: descriptors(gateway.pid) };
    await run(CALLS);
    const good = () => descriptors(gateway.pid) <= before.descriptors && (sanitized || rss(gateway.pid) <= 1.2 * before.memory);
    for (const end = Date.now() + WAIT_MS; !good() && Date.now() < end;) await pause(100);
    const later = { memory: rss(gateway.pid), descriptors: descriptors(gateway.pid) };
    t.diagnostic(`${JSON.stringify(before)} -> ${JSON.stringify(later)}`);
    assert.ok(good(), `${JSON.stringify(before)} -> ${JSON.stringify(later)}`);
  } finally {
    await gateway.stop();
    await backend.stop();
  }
});
