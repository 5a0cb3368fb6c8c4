// A thousand streams that are idle, and 64 callers that are not: nobody waits for the streams, and
// what they took is given back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { sanitized } from '../lib/build.mjs';
import { startBackend, startGateway } from './programs.mjs';

const STREAMS = 1000, CALLERS = 64, PEOPLE = 8;
// A round's look at /health, quiet and beside the callers; and its calls at least.
const LOOKS = 20, CALLS = 5 * CALLERS;
// Sanitizers keep freed memory for a while and slow down everything. On a busy machine an answer of /health may
// take a few times what it takes when nobody calls.
const HEALTH_MS = sanitized ? 500 : 50, TIMES = 4;

let backend, gateway;
before(async () => {
  backend = await startBackend();
  // On a quick machine these eight people ask more than a person may.
  gateway = await startGateway(backend, { env: { ANALYTICS_MCP_SHARE_CALLS_PER_MINUTE: '1000000', ANALYTICS_MCP_SHARE_REQUESTS_PER_MINUTE: '1000000' } });
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await backend.stop();
});

function request(method, headers, body, agent) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port: gateway.port, path: '/mcp', method, headers, agent }, (response) => resolve({ sent, response }));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function text({ response }) {
  let all = '';
  for await (const part of response) all += part;
  return all;
}

const base = (who) => ({ 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer good-${who}` });
const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };

/** An open stream: odd ones are subscriptions, even ones the GET of a session. */
async function openStream(i) {
  const headers = base(`p${i % PEOPLE}`);
  if (i % 2) {
    const body = { jsonrpc: '2.0', id: i, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true }, _meta: meta } };
    return request('POST', { ...headers, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }, JSON.stringify(body));
  }
  const init = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } };
  const opened = await request('POST', headers, JSON.stringify(init));
  await text(opened);
  return request('GET', { ...headers, 'mcp-session-id': opened.response.headers['mcp-session-id'] });
}

async function openAll() {
  const streams = [];
  for (let i = 0; i < STREAMS; i += 50)
    streams.push(...await Promise.all(Array.from({ length: 50 }, (_, k) => openStream(i + k))));
  for (const { response } of streams) {
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-type'], 'text/event-stream');
    response.on('error', () => {}); // the end that this side makes
  }
  return streams;
}

/** The callers' work: begun at once, ended by stop(), which gives the number of calls; at least CALLS. */
function callers() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CALLERS });
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_dealers', arguments: { query: 'ford' } } };
  let calls = 0, over = false;
  const all = Promise.all(Array.from({ length: CALLERS }, async (_, i) => {
    while (!over || calls < CALLS) {
      const answer = await text(await request('POST', base(`c${i % PEOPLE}`), JSON.stringify(call), agent));
      assert.match(answer, /"isError":false/);
      calls++;
    }
  }));
  return {
    failed: all, // rejected as soon as a call fails
    async stop() {
      over = true;
      await all;
      agent.destroy();
      return calls;
    },
  };
}

// On a thread of its own: the callers keep this one busy.
const LOOK = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', async (looks) => {
    const times = [];
    for (let i = 0; i < looks; i++) {
      const start = performance.now();
      await (await fetch(workerData)).text();
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    parentPort.postMessage(times);
  });
`;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The median time that /health takes now. */
async function health(worker) {
  worker.postMessage(LOOKS);
  const [times] = await once(worker, 'message');
  assert.equal(times.length, LOOKS);
  return median(times);
}

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]) / 1024;
const sockets = () => fs.readdirSync(`/proc/${gateway.pid}/fd`).length;

async function until(what) {
  for (const end = Date.now() + 20_000; !what(); await new Promise((resolve) => setTimeout(resolve, 20)))
    assert.ok(Date.now() < end, 'waited in vain');
}

test('1,000 idle streams and 64 busy callers', { timeout: 240_000 }, async () => {
  const before = sockets();
  const quiet = [], during = [];
  let settled; // what the allocator keeps after the second round is what it works with
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(LOOK, { eval: true, workerData: `http://127.0.0.1:${gateway.port}/health` });
    quiet.push(await health(worker));
    const streams = await openAll();
    const work = callers();
    during.push(await Promise.race([health(worker), work.failed]));
    assert.ok(await work.stop() > CALLERS, 'calls went on');
    await worker.terminate();
    for (const { sent } of streams) sent.destroy();
    await until(() => sockets() < before + 100);
    if (round === 1) settled = rss();
  }
  // The middle one of five rounds: one may meet something else that runs.
  const limit = Math.max(HEALTH_MS, TIMES * median(quiet));
  assert.ok(median(during) < limit, `/health took ${during.map(Math.round)} ms, ${quiet.map(Math.round)} ms before`);
  if (!sanitized) await until(() => rss() < settled * 1.3 + 8);
});
