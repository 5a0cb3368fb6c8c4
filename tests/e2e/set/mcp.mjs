// A small MCP client that keeps every byte it was sent, so that tests can look at what the official
// clients hide: status, headers, raw bodies, notifications.

import { typed } from '../lib/answer.mjs';

const VERSION = '2025-11-25';

// The JSON-RPC messages of a body: one, or those of a stream of events.
function messages(type, raw) {
  if (type.startsWith('application/json')) return raw === '' ? [] : [JSON.parse(raw)];
  if (!type.startsWith('text/event-stream')) return [];
  return raw
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => JSON.parse(line.slice(5)));
}

export class Mcp {
  #url;
  #headers;
  #next = 1;

  constructor(url, { token, headers = {} } = {}) {
    this.#url = url;
    this.#headers = { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...headers };
    this.log = []; // every raw body received
  }

  // Id of the request sent last.
  get lastId() {
    return this.#next - 1;
  }

  // A client with a session.
  static async connect(url, options) {
    const client = new Mcp(url, options);
    const answer = await client.request('initialize', {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: 'analytics-mcp-e2e', version: '1.0.0' },
    });
    if (answer.status !== 200) throw new Error(`initialize: ${answer.status} ${answer.raw}`);
    client.#headers['Mcp-Session-Id'] = answer.headers.get('mcp-session-id');
    client.#headers['MCP-Protocol-Version'] = VERSION;
    await client.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return client;
  }

  // Posts a body, text as it is. { status, headers, raw, messages }. onText gets the answer as far as
  // it has come, whenever some of it comes.
  async post(body, { headers = {}, method = 'POST', signal, onText } = {}) {
    const response = await fetch(this.#url, {
      method,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...this.#headers,
        ...headers,
      },
      body: body === undefined || typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body),
      signal,
    });
    let raw = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) {
      raw += decoder.decode(piece, { stream: true });
      onText?.(raw);
    }
    this.log.push(raw);
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, headers: response.headers, raw, messages: messages(type, raw) };
  }

  async request(method, params, options) {
    const id = this.#next++;
    const answer = await this.post({ jsonrpc: '2.0', id, method, params }, options);
    const message = answer.messages.find((m) => m.id === id) ?? answer.messages.at(-1);
    return { ...answer, result: message?.result, error: message?.error };
  }

  // tools/call. Adds { data, text, isError, progress } to the answer; data has the shape of the messages.
  async call(name, args, { progress = false, ...options } = {}) {
    const params = { name, arguments: args };
    if (progress) params._meta = { progressToken: `p${this.#next}` };
    const answer = await this.request('tools/call', params, options);
    return {
      ...answer,
      data: typed(name, answer.result?.structuredContent, args),
      text: answer.result?.content?.[0]?.text ?? answer.raw,
      isError: answer.result?.isError ?? false,
      progress: answer.messages.filter((m) => m.method === 'notifications/progress').map((m) => m.params),
    };
  }

  // The data of a call that must succeed.
  async data(name, args, options) {
    const answer = await this.call(name, args, options);
    if (answer.isError || answer.data === undefined)
      throw new Error(`${name} ${JSON.stringify(args)}: ${answer.status} ${answer.text}`);
    return answer.data;
  }

  // The text of a call that must be answered with isError.
  async refused(name, args, options) {
    const answer = await this.call(name, args, options);
    if (answer.status !== 200 || !answer.isError)
      throw new Error(`${name} ${JSON.stringify(args)} should fail: ${answer.status} ${answer.raw.slice(0, 2000)}`);
    if (answer.data !== undefined) throw new Error(`${name}: an error with structuredContent: ${answer.raw}`);
    return answer.text;
  }
}
