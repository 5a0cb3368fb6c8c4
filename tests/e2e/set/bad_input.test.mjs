// Bad input of every kind: what is wrong and where is said, in the place where the sender looks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Mcp } from './mcp.mjs';
import { BUILD, startOverWorld } from './world.mjs';

let s, client;

before(async () => {
  s = await startOverWorld();
  client = await Mcp.connect(s.set.url);
});
after(() => s?.stop());

const METRICS11 = ['sessions', 'engagedSessions', 'eventCount', 'keyEvents', 'screenPageViews', 'newUsers',
  'totalUsers', 'activeUsers', 'bounceRate', 'engagementRate', 'averageSessionDuration'];
const sessions = { metrics: ['sessions'] };
const range = (start_date, end_date) => ({ start_date, end_date });

describe('tool arguments: isError that says what and where', () => {
  // [name, tool, arguments, what the text must match...]
  const cases = [
    // who
    ['unknown dealer, one letter off', 'run_report', { dealer_id: 'd2', ...sessions }, /dealer_id: no dealer "d2"; closest: "d02" Dallas Chevrolet/],
    ['unknown dealer, by its name', 'run_report', { dealer_id: 'Dolas Chevrolt', ...sessions }, /no dealer "Dolas Chevrolt"; closest: "d02" Dallas Chevrolet/],
    ['a name that fits several dealers', 'run_report', { dealer_id: 'Ford', ...sessions }, /dealer_id: "Ford" matches \d+ dealers: "d\d\d" .*give one dealer_id/],
    ['unknown dealer in a list', 'compare_dealer_sessions', { dealer_ids: ['d01', 'd77'] }, /dealer_ids.*no dealer "d77".*"d07"/],
    ['unknown subject', 'compare_dealer_sessions', { subject: 'Milwauke Keep' }, /subject: no dealer "Milwauke Keep"; closest: "d23" Milwaukee Jeep/],
    ['unknown dealer across', 'run_report_across_dealers', { dealer_ids: ['x'], ...sessions }, /dealer_ids.*no dealer "x"/],
    ['unknown dealer of accounts', 'get_account_summaries', { dealer_id: 'd09x' }, /dealer_id: no dealer "d09x"; closest: "d09"/],
    ['unknown region', 'compare_dealer_sessions', { region: 'Wset' }, /region: no region "Wset"; closest: "West"; regions: "Central".*"West"/],
    ['unknown region of a list', 'list_dealers', { region: 'Centrall' }, /region: no region "Centrall"; closest: "Central"/],
    ['unknown property', 'run_report', { property_id: '999', ...sessions }, /property_id.*"?999"?/],
    ['malformed property', 'run_report', { property_id: 'G-ABC123', ...sessions }, /property_id.*G-ABC123/],
    ['property of another dealer', 'run_report', { dealer_id: 'd01', property_id: '308234001', ...sessions }, /property_id: 308234001 is not a property of dealer d01/],
    ['neither dealer nor property', 'run_report', sessions, /dealer_id: give dealer_id .*or property_id/],
    ['both dealers and region', 'compare_dealer_sessions', { dealer_ids: ['d01'], region: 'West' }, /give dealer_ids or region, not both/],
    ['both across', 'run_report_across_dealers', { dealer_ids: ['d01'], region: 'West', ...sessions }, /give dealer_ids or region, not both/],
    ['nothing to compare', 'compare_dealer_sessions', {}, /give .*region.*dealer_ids/],
    ['an empty id', 'compare_dealer_sessions', { dealer_ids: ['d01', ''] }, /dealer_ids\[1\]/],
    ['501 dealers', 'compare_dealer_sessions', { dealer_ids: Array.from({ length: 501 }, (_, i) => `d${i}`) }, /dealer_ids.*500/],
    ['an id too long', 'run_report', { dealer_id: 'd'.repeat(129), ...sessions }, /dealer_id.*128/],
    // types
    ['a number for a text', 'run_report', { dealer_id: 5, ...sessions }, /dealer_id: no dealer "5"/],
    ['an object for a text', 'run_report', { dealer_id: { id: 5 }, ...sessions }, /dealer_id: expected string/],
    ['a truth value for a list', 'run_report', { dealer_id: 'd01', metrics: true }, /metrics\[0\]: expected string/],
    ['an object in a list', 'run_report', { dealer_id: 'd01', metrics: ['sessions', { expression: 'x' }] }, /metrics\[1\]: expected string/],
    ['a list for an object', 'compare_dealer_sessions', { region: 'West', date_range: [] }, /date_range: expected object/],
    ['a wrong type deep down', 'run_report', { dealer_id: 'd01', ...sessions, date_ranges: [{ start_date: true, end_date: 'today' }] }, /date_ranges\[0\]\.start_date: expected string/],
    ['a word for a number', 'run_report', { dealer_id: 'd01', ...sessions, limit: 'ten' }, /limit/],
    ['half a row', 'run_report', { dealer_id: 'd01', ...sessions, limit: 1.5 }, /limit/],
    ['a limit too large', 'run_report', { dealer_id: 'd01', ...sessions, limit: 250_001 }, /limit.*250,?000/],
    ['a limit of nothing', 'list_dealers', { limit: 0 }, /limit.*1/],
    ['a negative offset', 'run_report', { dealer_id: 'd01', ...sessions, offset: -1 }, /offset/],
    ['a text for a truth value', 'run_report', { dealer_id: 'd01', ...sessions, return_property_quota: 'perhaps' }, /return_property_quota/],
    ['an unknown enum value', 'run_report', { dealer_id: 'd01', ...sessions, dimension_filter: { filter: { field_name: 'city', string_filter: { match_type: 'LIKE', value: 'x' } } } }, /dimension_filter\.filter\.string_filter\.match_type.*LIKE/],
    ['two kinds of filter at once', 'run_report', { dealer_id: 'd01', ...sessions, dimension_filter: { filter: { field_name: 'city', empty_filter: {}, string_filter: { value: 'x' } } } }, /dimension_filter\.filter/],
    ['an unknown argument', 'run_report', { dealer_id: 'd01', ...sessions, metric: ['x'] }, /names metrics, which is given as well/],
    ['an unknown argument, close to one', 'compare_dealer_sessions', { regoin: 'West' }, /regoin.*region/],
    ['an unknown member deep down', 'compare_dealer_sessions', { region: 'West', date_range: { ...range('today', 'today'), ende: 1 } }, /date_range\.ende: unknown/],
    ['the same argument in both cases', 'run_report', { dealer_id: 'd01', dealerId: 'd02', ...sessions }, /dealer/],
    ['a name twice', 'run_report_across_dealers', { region: 'West', metrics: ['sessions', 'sessions'] }, /metrics\[1\].*duplicate/],
    // dates
    ['no such day', 'compare_dealer_sessions', { region: 'West', date_range: range('2026-02-30', '2026-03-01') }, /date_range\.start_date: "2026-02-30" is not a date/],
    ['a date in words', 'compare_dealer_sessions', { region: 'West', date_range: range('2026-02-01', 'last week') }, /date_range\.end_date: "last week".*YYYY-MM-DD/],
    ['end before start', 'compare_dealer_sessions', { region: 'West', date_range: range('2026-03-02', '2026-03-01') }, /date_range\.start_date: 2026-03-02 is after end_date 2026-03-01/],
    ['end before start, relative', 'compare_dealer_sessions', { region: 'West', date_range: range('yesterday', '3daysAgo') }, /date_range\.start_date.*after end_date/],
    ['no end', 'compare_dealer_sessions', { region: 'West', date_range: { start_date: 'today' } }, /date_range\.end_date/],
    ['before Google has data', 'compare_dealer_sessions', { region: 'West', date_range: range('2015-08-13', 'today') }, /date_range\.start_date.*2015-08-14/],
    ['no such day in a report', 'run_report', { dealer_id: 'd01', ...sessions, date_ranges: [range('2026-13-01', 'today')] }, /date_ranges\[0\]\.start_date: "2026-13-01" is not a date.*YYYY-MM-DD.*NdaysAgo.*today is/],
    ['end before start in a report', 'run_report', { dealer_id: 'd01', ...sessions, date_ranges: [range('today', 'today'), range('2026-03-02', '2026-03-01')] }, /date_ranges\[1\]\.start_date: start_date must be less than or equal to end_date/],
    ['end before start across', 'run_report_across_dealers', { region: 'West', ...sessions, date_range: range('2026-03-02', '2026-03-01') }, /date_range\.start_date.*after end_date/],
    ['five ranges', 'run_report', { dealer_id: 'd01', ...sessions, date_ranges: Array(5).fill(range('today', 'today')) }, /date_ranges.*4/],
    ['a reserved name of a range', 'run_report', { dealer_id: 'd01', ...sessions, date_ranges: [{ ...range('today', 'today'), name: 'date_range_7' }] }, /date_range_7|reserved/i],
    // metrics and dimensions, in Google's words
    ['11 metrics', 'run_report', { dealer_id: 'd01', metrics: METRICS11 }, /metrics.*10/s],
    ['11 metrics across', 'run_report_across_dealers', { region: 'West', metrics: METRICS11 }, /metrics.*10/s],
    ['10 dimensions', 'run_report', { dealer_id: 'd01', ...sessions, dimensions: Array.from({ length: 10 }, (_, i) => `d${i}`) }, /dimensions.*9/s],
    ['neither metrics nor dimensions', 'run_report', { dealer_id: 'd01' }, /metrics.*Requests require dimensions and\/or metrics/],
    ['no metrics across', 'run_report_across_dealers', { region: 'West' }, /metrics/],
    ['an unknown metric', 'run_report', { dealer_id: 'd01', metrics: ['sessions', 'sesions'] }, /metrics\[1\]: Did you mean sessions\? Field sesions is not a valid metric/],
    ['an unknown dimension', 'run_report', { dealer_id: 'd01', ...sessions, dimensions: ['channel'] }, /dimensions\[0\]: .*Field channel is not a valid dimension.* search_fields finds/],
    ['an unknown metric across', 'run_report_across_dealers', { region: 'West', metrics: ['visits'] }, /metrics\[0\]: .*Field visits is not a valid metric/],
    ['a metric as dimension', 'run_report', { dealer_id: 'd01', ...sessions, dimensions: ['engagedSessions'] }, /Found duplicate dimensions\/metrics/],
    ['an unknown field in a filter', 'run_report', { dealer_id: 'd01', ...sessions, dimension_filter: { filter: { field_name: 'town', string_filter: { value: 'x' } } } }, /dimension_filter: .*Field town/],
    ['an unknown field in an order', 'run_report', { dealer_id: 'd01', ...sessions, order_bys: [{ metric: { metric_name: 'clicks' } }] }, /order_bys\[0\]|clicks/],
    ['an expression that RE2 refuses', 'run_report', { dealer_id: 'd01', ...sessions, dimension_filter: { filter: { field_name: 'city', string_filter: { match_type: 'FULL_REGEXP', value: '(' } } } }, /regular expression|regexp|parenthes/i],
    ['a currency that is none', 'run_report', { dealer_id: 'd01', ...sessions, currency_code: 'DOLLAR' }, /currency_code/],
  ];
  for (const [name, tool, args, ...patterns] of cases)
    test(name, async () => {
      const text = await client.refused(tool, args);
      for (const pattern of patterns) assert.match(text, pattern);
      assert.ok(text.length < 1500, `a text of ${text.length} characters`);
    });

  test('bad arguments cost Google nothing', async () => {
    await s.sim.resetStats();
    await client.refused('run_report', { dealer_id: 'd01', metrics: METRICS11 });
    await client.refused('compare_dealer_sessions', { region: 'West', date_range: range('2026-03-02', '2026-03-01') });
    assert.equal((await s.sim.stats()).totals.report_requests, 0);
  });
});

describe('protocol errors', () => {
  const call = (params) => client.request('tools/call', params);

  test('an unknown tool, method, or shape of params is a JSON-RPC error', async () => {
    const cases = [
      [() => call({ name: 'no_such_tool', arguments: {} }), -32602, /Unknown tool: no_such_tool/],
      [() => call({ name: 7 }), -32602, /params\.name/],
      [() => call({ name: 'list_dealers', arguments: [] }), -32602, /arguments must be an object/],
      [() => call({ name: 'list_dealers', _meta: { progressToken: {} } }), -32602, /progressToken/],
      [() => client.request('tools/list', { cursor: 'nonsense' }), -32602, /cursor/],
      [() => client.request('no/such'), -32601, /./],
    ];
    for (const [ask, code, message] of cases) {
      const answer = await ask();
      assert.equal(answer.status, 200);
      assert.equal(answer.error?.code, code, answer.raw);
      assert.match(answer.error.message, message);
    }
  });

  test('absent and null arguments are an empty object', async () => {
    for (const params of [{ name: 'list_dealers' }, { name: 'list_dealers', arguments: null }])
      assert.equal((await call(params)).result.structuredContent.total, 24);
  });
});

describe('HTTP', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const text = JSON.stringify(ping);
  // [name, body, options, status, JSON-RPC code]
  const cases = [
    ['truncated JSON', text.slice(0, -5), {}, 400, -32700],
    ['no JSON at all', 'hello', {}, 400, -32700],
    ['an empty body', '', {}, 400, -32700],
    ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), {}, 400, -32700],
    ['a NUL', '{"jsonrpc":"2.0","id":1,"method":"ping\\u0000"}', {}, 400, -32700],
    ['nested too deeply', '['.repeat(3000) + ']'.repeat(3000), {}, 400, -32700],
    ['two values', `${text}${text}`, {}, 400, -32700],
    ['a batch', `[${text}]`, {}, 400, -32600],
    ['an empty batch', '[]', {}, 400, -32600],
    ['a text', '"ping"', {}, 400, -32600],
    ['no version', { id: 1, method: 'ping' }, {}, 400, -32600],
    ['another version', { ...ping, jsonrpc: '1.0' }, {}, 400, -32600],
    ['an id of null', { ...ping, id: null }, {}, 400, -32600],
    ['half an id', { ...ping, id: 1.5 }, {}, 400, -32600],
    ['a method that is not a text', { ...ping, method: 1 }, {}, 400, -32600],
    ['a version of the protocol from the future', ping, { headers: { 'MCP-Protocol-Version': '2199-01-01' } }, 400],
    ['an unknown version of the protocol', ping, { headers: { 'MCP-Protocol-Version': 'x' } }, 400],
    ['a session nobody opened', ping, { headers: { 'Mcp-Session-Id': 'ffffffffffffffffffffffffffffffff' } }, 404],
    ['a text content type', text, { headers: { 'Content-Type': 'text/plain' } }, 415],
    ['a form', text, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 415],
    ['an Accept that takes nothing we have', text, { headers: { Accept: 'text/html' } }, 406],
    ['a foreign origin', text, { headers: { Origin: 'https://evil.example' } }, 403],
    ['an origin of null', text, { headers: { Origin: 'null' } }, 403],
  ];
  for (const [name, body, options, status, code] of cases)
    test(name, async () => {
      const answer = await client.post(Buffer.isBuffer(body) ? new Blob([body]) : body, options);
      assert.equal(answer.status, status, answer.raw);
      if (code === undefined) return;
      assert.equal(answer.messages[0].error.code, code, answer.raw);
      assert.ok(!('id' in answer.messages[0]), 'the id of what cannot be read is not known');
    });

  test('a charset and any letter case of the content type are fine', async () => {
    const answer = await client.post(text, { headers: { 'Content-Type': 'Application/JSON; charset=UTF-8' } });
    assert.equal(answer.status, 200);
  });

  test('a session id is not needed, but one that does not hold is 404', async () => {
    assert.equal((await new Mcp(s.set.url).post(ping)).status, 200);
    const answer = await new Mcp(s.set.url).post(ping, { headers: { 'Mcp-Session-Id': 'made-up' } });
    assert.equal(answer.status, 404);
    assert.match(answer.raw, /Session not found/);
  });

  test('a body over the limit is 413, announced or not', async () => {
    const big = JSON.stringify({ ...ping, params: { x: 'x'.repeat(4 * 1024 * 1024) } });
    assert.equal((await client.post(big)).status, 413);
    const pieces = async function* () {
      for (let i = 0; i < 80; i++) yield Buffer.alloc(64 * 1024, 0x20);
    };
    const response = await fetch(s.set.url, {
      method: 'POST', duplex: 'half', body: ReadableStream.from(pieces()), headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(response.status, 413);
    assert.match(await response.text(), /4194304 bytes/);
  });

  test('other methods are 405 with Allow, other paths 404, the root and health for everybody', async () => {
    const get = await new Mcp(s.set.url).post(undefined, { method: 'GET' }); // a session's has a stream
    assert.equal(get.status, 405);
    assert.match(get.headers.get('allow'), /POST/);
    assert.equal((await client.post(text, { method: 'PUT' })).status, 405);
    const at = (where) => fetch(new URL(where, s.set.url));
    assert.equal((await at('/nowhere')).status, 404);
    assert.equal((await at('/')).status, 200);
    const health = await (await at('/health')).json();
    assert.deepEqual(health.backends, { 'auth-svc': 'ready', 'report-svc': 'ready', 'aggregate-svc': 'ready' });
  });

  // Bytes that fetch() would not send.
  function raw(bytes) {
    const { hostname, port } = new URL(s.set.url);
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
      let answer = '';
      socket.setTimeout(5000, () => socket.destroy(new Error(`no end: ${answer}`)));
      socket.on('data', (data) => {
        answer += data;
        if (answer.includes('\r\n\r\n')) socket.end();
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }
  const host = () => new URL(s.set.url).host;

  test('a foreign Host is 403 on loopback', async () => {
    assert.match(await raw(`POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n`), /^HTTP\/1.1 403 /);
  });

  test('two lengths, a negative one, and a broken request line are 400', async () => {
    const head = `POST /mcp HTTP/1.1\r\nHost: ${host()}\r\nContent-Type: application/json\r\n`;
    assert.match(await raw(`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`), /^HTTP\/1.1 400 /);
    assert.match(await raw(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), /^HTTP\/1.1 400 /);
    assert.match(await raw(`${head}Content-Length: -1\r\n\r\n`), /^HTTP\/1.1 400 /);
  });

  test('a client that stops in the middle of its body harms nobody', async () => {
    const { hostname, port } = new URL(s.set.url);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = net.connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(`POST /mcp HTTP/1.1\r\nHost: ${host()}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"json`);
      return socket;
    });
    assert.equal((await client.data('list_dealers', {})).total, 24);
    sockets.forEach((socket) => socket.destroy());
    assert.equal((await client.data('list_dealers', {})).total, 24);
  });
});

// Runs a program to its end.
function run(program, { env = {}, args = [] } = {}) {
  const result = spawnSync(path.join(BUILD, 'bin', program), args, {
    env: { PATH: process.env.PATH, HOME: os.tmpdir(), ADMIN_LISTEN: 'off', ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status: result.status, out: result.stdout, err: result.stderr };
}

describe('dealers.json with a fault: auth-svc does not start, exit 78, file, line and field', () => {
  const good = () => [
    {
      dealer_id: 'd01', account_id: 'a-1', name: 'Northgate Ford', region: 'West', city: 'Reno', state: 'NV',
      oauth: { client_id: 'c', client_secret: 's3cret-value', refresh_token: '1//t0ken-value' }, properties: ['213025502'],
    },
    {
      dealer_id: 'd02', account_id: 'a-2', name: 'Lakeside Kia', region: 'West', city: 'Reno', state: 'NV',
      oauth: { client_id: 'c', client_secret: 's3cret-value', refresh_token: '1//t0ken-value2' }, properties: ['213025503'],
    },
  ];
  const written = (change) => {
    const dealers = good();
    change(dealers);
    return JSON.stringify({ dealers }, null, 2);
  };
  // The line of the last text that matches.
  const lineOf = (text, part) => text.slice(0, text.lastIndexOf(part)).split('\n').length;

  // [name, file, text on the line that is named (or a line), field]
  const cases = [
    ['no region', written((d) => delete d[1].region), '"dealer_id": "d02"', /dealers\[1\]\.region \(dealer "d02"\): missing/, 1],
    ['a name that is a number', written((d) => (d[1].name = 7)), '"name": 7', /dealers\[1\]\.name/],
    ['an empty name', written((d) => (d[0].name = '')), '"name": ""', /dealers\[0\]\.name/],
    ['no oauth', written((d) => delete d[1].oauth), '"dealer_id": "d02"', /dealers\[1\] \(dealer "d02"\): has no credential; give exactly one of oauth/, 1],
    ['no refresh token', written((d) => delete d[1].oauth.refresh_token), '"oauth"', /dealers\[1\]\.oauth\.refresh_token/],
    ['an empty client secret', written((d) => (d[0].oauth.client_secret = '')), '"client_secret": ""', /dealers\[0\]\.oauth\.client_secret/],
    ['a misspelt key', written((d) => (d[0].lead_evnt = 'x')), '"lead_evnt"', /dealers\[0\]\.lead_evnt.*did you mean "lead_event"/],
    ['a misspelt key in oauth', written((d) => (d[0].oauth.token_url = 'x')), '"token_url"', /dealers\[0\]\.oauth\.token_url.*did you mean "token_uri"/],
    ['a token endpoint that is none', written((d) => (d[0].oauth.token_uri = 'google')), '"token_uri"', /dealers\[0\]\.oauth\.token_uri/],
    ['no properties', written((d) => (d[1].properties = [])), '"properties": []', /dealers\[1\]\.properties/],
    ['a property that is none', written((d) => (d[1].properties = ['UA-12345-1'])), '"UA-12345-1"', /dealers\[1\]\.properties\[0\]/],
    ['a property that is a number', written((d) => (d[1].properties = [213025503])), '213025503\n', /dealers\[1\]\.properties\[0\]/],
    ['a property of two dealers', written((d) => (d[1].properties = ['213025502'])), '"213025502"', /dealers\[1\]\.properties\[0\]/],
    ['an id twice', written((d) => (d[1].dealer_id = 'd01')), '"dealer_id": "d01"', /dealers\[1\]\.dealer_id/],
    ['an account twice', written((d) => (d[1].account_id = 'a-1')), '"account_id": "a-1"', /dealers\[1\]\.account_id/],
    ['an id with a blank', written((d) => (d[1].dealer_id = 'd 02')), '"d 02"', /dealers\[1\]\.dealer_id/],
    ['a lead event that is none', written((d) => (d[1].lead_event = '1st lead')), '"1st lead"', /dealers\[1\]\.lead_event/],
    ['a dealer that is a text', '{\n "dealers": [\n  "d01"\n ]\n}', '"d01"', /dealers\[0\].*must be an object/],
    ['no dealers', '{\n "dealers": []\n}', '"dealers"', /dealers/],
    ['another file', '{\n "type": "authorized_user"\n}', null, /dealers/],
    ['a comma too many', '{\n "dealers": [\n  {},\n ]\n}', '{},', /a comma before '\]': remove it/],
    ['cut off', written(() => {}).slice(0, 300), null, /./],
    ['empty', '', null, /./],
  ];
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-dealers-'));
  after(() => fs.rmSync(dir, { recursive: true }));

  for (const [name, text, part, field] of cases)
    test(name, () => {
      const file = path.join(dir, 'faulty.json');
      fs.writeFileSync(file, text, { mode: 0o600 });
      const end = run('auth-svc', { env: { GA_CREDENTIALS_PATH: file, ENABLE_AUTH: 'false', GRPC_LISTEN: '127.0.0.1:0' } });
      assert.equal(end.status, 78, end.err);
      assert.match(end.err, /faulty\.json/);
      assert.match(end.err, field);
      if (part !== null) {
        const line = Number(/line (\d+)/.exec(end.err)?.[1]);
        const wanted = lineOf(text, part);
        assert.ok(line === wanted || (/missing|has no credential/.test(end.err) && Math.abs(line - wanted) <= 1),
          `line ${line}, the fault is on line ${wanted}: ${end.err}`);
      }
      assert.doesNotMatch(end.err + end.out, /s3cret-value|t0ken-value/);
    });

  test('a file that is not there', () => {
    const end = run('auth-svc', { env: { GA_CREDENTIALS_PATH: '/nonexistent/dealers.json', GRPC_LISTEN: '127.0.0.1:0' } });
    assert.equal(end.status, 78, end.err);
    assert.match(end.err, /\/nonexistent\/dealers\.json/);
  });
});

describe('programs', () => {
  const programs = ['gateway', 'auth-svc', 'report-svc', 'aggregate-svc', 'ga4-sim'];
  for (const program of programs)
    test(`${program}: --help, --version and an unknown option`, () => {
      const help = run(program, { args: ['--help'] });
      assert.equal(help.status, 0);
      assert.match(help.out, /Exit codes?/i);
      assert.match(help.out, program === 'ga4-sim' ? /--listen/ : /LOG_LEVEL/);
      const version = run(program, { args: ['--version'] });
      assert.equal(version.status, 0);
      assert.match(version.out, new RegExp(`^${program} \\d+\\.\\d+`));
      const wrong = run(program, { args: ['--nonsense'] });
      assert.equal(wrong.status, 2);
      assert.match(wrong.err, /--help/);
    });

  const bad = {
    'gateway': { ANALYTICS_MCP_PORT: '70000', ENABLE_AUTH: 'perhaps', LOG_LEVEL: 'loud', ADMIN_LISTEN: 'x', GRPC_TLS_CERT: '/x.pem', ANALYTICS_MCP_ALLOWED_ORIGINS: 'nonsense' },
    'auth-svc': { GRPC_LISTEN: 'nowhere', ENABLE_AUTH: '2', FASTMCP_LOG_LEVEL: 'loud', AUTH_TOKEN_TIMEOUT_MS: '1', AUTH_SEAL_KEY: 'short', GRPC_TLS_KEY: '/x.pem', AUTH_SEAL_KEY_FILE: '/nonexistent' },
    'report-svc': { GRPC_LISTEN: '127.0.0.1', GA4_DATA_ENDPOINT: 'ftp://x', GA4_ADMIN_ENDPOINT: 'x', REPORT_TIMEOUT_MS: 'soon', REPORT_CACHE_BYTES: '-1', LOG_LEVEL: 'x', GRPC_TLS_CA: '/x.pem', ADMIN_LISTEN: 'x' },
    'aggregate-svc': { GRPC_LISTEN: ':x', AGGREGATE_MIN_CONTRIBUTORS: '4', AGGREGATE_BATCH_DEALERS: '0', LOG_LEVEL: 'x', GRPC_TLS_CERT: '/x.pem', ADMIN_LISTEN: 'x' },
  };
  for (const [program, variables] of Object.entries(bad))
    test(`${program}: a bad value of a variable is named`, () => {
      for (const [name, value] of Object.entries(variables)) {
        const end = run(program, { env: { GA_CREDENTIALS_PATH: s.set.dealersFile, [name]: value } });
        assert.equal(end.status, 78, `${name}=${value}: ${end.status} ${end.err}`);
        assert.match(end.err, new RegExp(name), `${name}=${value}`);
        if (name === 'AUTH_SEAL_KEY') assert.doesNotMatch(end.err, /short/, 'a secret is not repeated');
      }
    });

  test('ga4-sim: a bad value of an option is named', () => {
    for (const [option, value] of [['--dealers', '0'], ['--days', 'x'], ['--listen', 'x'], ['--today', '2026-02-30'], ['--regions', '7']]) {
      const end = run('ga4-sim', { args: [option, value] });
      assert.equal(end.status, 2);
      assert.match(end.err, new RegExp(option));
    }
  });

  test('a busy port is named, exit 1', () => {
    const env = { GA_CREDENTIALS_PATH: s.set.dealersFile, ENABLE_AUTH: 'false' };
    for (const [program, name] of [['auth-svc', 'auth'], ['report-svc', 'report'], ['aggregate-svc', 'aggregate']]) {
      const address = s.set.grpc(name);
      const end = run(program, { env: { ...env, GRPC_LISTEN: address } });
      assert.equal(end.status, 1, end.err);
      assert.match(end.err, new RegExp(`${address.replaceAll('.', '\\.')}.*in use|in use.*${address}`));
    }
    const { port } = new URL(s.set.url);
    const gateway = run('gateway', { env: { ANALYTICS_MCP_HOST: '127.0.0.1', ANALYTICS_MCP_PORT: port } });
    assert.equal(gateway.status, 1);
    assert.match(gateway.err, new RegExp(`127.0.0.1:${port} is in use`));
    const sim = run('ga4-sim', { args: ['--listen', new URL(s.set.sim).host, '--days', '1', '--dealers', '1'] });
    assert.equal(sim.status, 1);
    assert.match(sim.err, /in use/);
    const admin = new URL(s.set.admin('report')).host;
    const twice = run('report-svc', { env: { GRPC_LISTEN: '127.0.0.1:0', ADMIN_LISTEN: admin } });
    assert.equal(twice.status, 1);
    assert.match(twice.err, new RegExp(`${admin}.*in use|in use.*${admin}`));
  });
});

test('after all this the set works as before', async () => {
  s.set.check();
  const answer = await client.data('compare_dealer_sessions', { subject: 'd01' });
  assert.equal(answer.coverage.ok, 8);
});
