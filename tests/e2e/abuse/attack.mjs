// An attack, in a process of its own so that it costs the measuring one nothing: attack.mjs NAME SECONDS
// PORT, and for "tool" TOKEN AT_ONCE TOOL ARGUMENTS, a JSON list of what is asked in turns. Prints a line of
// JSON with what it got.
import http from 'node:http';
import net from 'node:net';

const [name, seconds, port] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
// Somebody else each time, so that no share is used up before it begins.
const KNOWN = `good-mallory-${process.pid}`;
const until = Date.now() + seconds * 1000;
const seen = {};
const count = (what) => { seen[what] = (seen[what] ?? 0) + 1; };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sockets = new Set();

function dial(onData = () => {}) {
  const socket = net.connect(port, '127.0.0.1');
  sockets.add(socket);
  socket.on('error', () => count('error'));
  socket.on('close', () => { sockets.delete(socket); count('closed'); });
  socket.on('data', onData);
  return socket;
}

const head = (token, length) => `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`
  + `Accept: application/json, text/event-stream\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${length}\r\n`;

const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
function post(token, message, session) {
  return new Promise((resolve) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const request = http.request({
      port, host: '127.0.0.1', path: '/mcp', method: 'POST', agent,
      headers: {
        'content-type': 'application/json', accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body),
        ...(session ? { 'mcp-session-id': session } : {}),
      },
    }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => {
        count(String(response.statusCode));
        if (text.includes('"isError":true')) count('isError');
        resolve(response.headers['mcp-session-id']);
      });
      response.on('error', resolve);
    });
    request.on('error', () => resolve());
    sockets.add(request);
    request.end(body);
  });
}
const initialize = (token) => post(token, { id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } });

const attacks = {
  // Connections that say nothing, more than there may be, opened again as they are closed.
  async silent() {
    while (Date.now() < until) {
      for (let i = sockets.size; i < 400; i++) dial();
      await pause(20);
    }
  },
  // Bodies of a stranger that never end.
  async bodies() {
    const part = Buffer.alloc(1 << 20, ' ');
    for (let i = 0; i < 150; i++) {
      const socket = dial();
      socket.write(`${head('wrong', 4_000_000)}\r\n`);
      socket.write(part);
    }
    while (Date.now() < until) await pause(50);
  },
  // Large bodies of a known caller that never end.
  async large() {
    const part = Buffer.alloc(3 << 20, ' ');
    for (let i = 0; i < 100; i++) {
      const socket = dial();
      socket.write(`${head(KNOWN, 4_000_000)}\r\n`);
      socket.write(part);
    }
    while (Date.now() < until) await pause(50);
  },
  // Answers asked for over and over and never read.
  async unread() {
    const session = await initialize(KNOWN);
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const request = `${head(KNOWN, list.length)}Mcp-Session-Id: ${session}\r\n\r\n${list}`;
    for (let i = 0; i < 100; i++) {
      const socket = dial();
      socket.pause();
      socket.write(request.repeat(50));
    }
    while (Date.now() < until) await pause(50);
  },
  // As many calls as go out, most of which hang.
  async calls() {
    const session = await initialize(KNOWN);
    const one = async (i) => {
      while (Date.now() < until)
        await post(KNOWN, { id: i + 1, method: 'tools/call', params: i % 2
          ? { name: 'compare_dealer_sessions', arguments: { region: 'hang' } }
          : { name: 'list_dealers', arguments: { query: 'ford' } } }, session);
    };
    Array.from({ length: 190 }, (_, i) => one(i));
    await pause(seconds * 1000);
  },
  // As many comparisons of one caller as may be under way, nearly.
  async comparisons() {
    const session = await initialize(KNOWN);
    const one = async (i) => {
      while (Date.now() < until)
        await post(KNOWN, { id: i + 1, method: 'tools/call', params: { name: 'compare_dealer_sessions', arguments: { region: 'West' } } }, session);
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => one(i)));
  },
  // A tool of the whole set, over and over.
  async tool() {
    const [token, atOnce, tool, list] = process.argv.slice(5);
    const all = JSON.parse(list), sessions = []; // one session has 64 calls at a time
    for (let i = 0; i < atOnce; i += 50) sessions.push(await initialize(token));
    let next = 0;
    const one = async () => {
      while (Date.now() < until) {
        const id = ++next;
        await post(token, { id, method: 'tools/call', params: { name: tool, arguments: all[id % all.length] } }, sessions[id % sessions.length]);
      }
    };
    Array.from({ length: Number(atOnce) }, one);
    await pause(seconds * 1000); // what is under way then is called off
  },
  // A stranger's guesses, another bearer each time.
  async guesses() {
    const one = async (i) => { for (let n = 0; Date.now() < until; n++) await post(`guess-${process.pid}-${i}-${n}`, { id: 1, method: 'ping' }); };
    await Promise.all(Array.from({ length: 50 }, (_, i) => one(i)));
  },
  // Sessions without end.
  async sessions() {
    const one = async () => { while (Date.now() < until) await initialize(KNOWN); };
    await Promise.all(Array.from({ length: 50 }, one));
  },
};

await attacks[name]();
process.stdout.write(`${JSON.stringify(seen)}\n`);
process.exit(0);
