// Callers of the MCP endpoint while pods come and go. Each keeps one connection, as a client library
// does, and a session; calls a tool every PAUSE ms until standard input ends; then prints one line of
// JSON: {calls, ok, lost, sessions, gone, errors: [...]}.
//
//   node caller.mjs URL CALLERS PAUSE_MS
//
// A session that is gone (404) is begun again, as the protocol asks, and counted. A connection that ended before
// an answer began is made again once, as every HTTP client does. All else that is not a result is
// a lost call.
import http from 'node:http';

const [url, callers, pause] = process.argv.slice(2);
const total = { calls: 0, ok: 0, lost: 0, sessions: 0, gone: 0, errors: [] };
let stopping = false;
process.stdin.on('end', () => { stopping = true; }).resume();

const once = (agent, body, session) => new Promise((resolve, reject) => {
  const request = http.request(url, {
    agent, method: 'POST', timeout: 60000,
    headers: {
      'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': '2025-06-18',
      ...(session ? { 'Mcp-Session-Id': session } : {}),
    },
  }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => { text += part; });
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    answer.on('error', (error) => reject(Object.assign(error, { begun: true })));
  });
  request.on('timeout', () => request.destroy(new Error('no answer in 60 s')));
  request.on('error', reject);
  request.end(JSON.stringify(body));
});

const post = async (agent, body, session) => {
  try {
    return await once(agent, body, session);
  } catch (error) {
    if (error.begun || !['ECONNRESET', 'EPIPE', 'ECONNREFUSED'].includes(error.code)) throw error;
    return once(agent, body, session);
  }
};

const begin = async (agent) => {
  const answer = await post(agent, { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'caller', version: '1' } } });
  if (answer.status !== 200) throw new Error(`initialize: ${answer.status} ${answer.text.slice(0, 200)}`);
  const session = answer.headers['mcp-session-id'];
  const noted = await post(agent, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  if (noted.status === 404) {
    total.gone += 1;
    return begin(agent);
  }
  total.sessions += 1;
  return session;
};

const questions = [
  { name: 'list_dealers', arguments: { limit: 3 } },
  { name: 'run_report', arguments: { dealer_id: 'd01', metrics: ['sessions'], date_ranges: [{ start_date: '9daysAgo', end_date: 'yesterday' }] } },
  { name: 'compare_dealer_sessions', arguments: { subject: 'd01', date_range: { start_date: '9daysAgo', end_date: '3daysAgo' } } },
];

const caller = async (number) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let session;
  for (let n = number; !stopping; n += 1) {
    total.calls += 1;
    try {
      session ??= await begin(agent);
      const body = { jsonrpc: '2.0', id: n, method: 'tools/call', params: questions[n % questions.length] };
      let answer = await post(agent, body, session);
      if (answer.status === 404) {
        total.gone += 1;
        session = await begin(agent);
        answer = await post(agent, body, session);
      }
      const result = JSON.parse(answer.text).result;
      if (answer.status !== 200 || !result || result.isError) throw new Error(`${body.params.name}: ${answer.status} ${answer.text.slice(0, 300)}`);
      total.ok += 1;
    } catch (error) {
      total.lost += 1;
      if (total.errors.length < 5) total.errors.push(`${new Date().toISOString()} ${error.code ?? ''} ${error.message}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, Number(pause)); });
  }
  agent.destroy();
};

await Promise.all(Array.from({ length: Number(callers) }, (_, i) => caller(i)));
console.log(JSON.stringify(total));
