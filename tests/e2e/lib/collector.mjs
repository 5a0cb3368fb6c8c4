// An OpenTelemetry collector that takes OTLP/HTTP as it is specified and nothing else, and a relay that
// writes down what passes it. Both for tests of traces.
//
//   const collector = await Collector.start({ headers: { 'api-key': 'x' } });
//   ... collector.url ... await collector.until((spans) => spans.length > 10);
//   collector.hold();                 // answers nothing from now on; letGo() answers
//   collector.faults                  // ['request 3: Content-Type ...']
import http from 'node:http';
import { once } from 'node:events';
import protobuf from 'protobufjs';

// The public definition, written down a second time: names, numbers and types that a span of ours may
// have. What a body holds besides is a fault.
const field = (id, type, rule) => ({ id, type, ...(rule && { rule }) });
const ROOT = protobuf.Root.fromJSON({
  nested: {
    Request: { fields: { resourceSpans: field(1, 'ResourceSpans', 'repeated') } },
    ResourceSpans: { fields: { resource: field(1, 'Resource'), scopeSpans: field(2, 'ScopeSpans', 'repeated') } },
    Resource: { fields: { attributes: field(1, 'KeyValue', 'repeated') } },
    ScopeSpans: { fields: { scope: field(1, 'Scope'), spans: field(2, 'Span', 'repeated') } },
    Scope: { fields: { name: field(1, 'string'), version: field(2, 'string') } },
    KeyValue: { fields: { key: field(1, 'string'), value: field(2, 'AnyValue') } },
    AnyValue: { fields: { stringValue: field(1, 'string'), boolValue: field(2, 'bool'), intValue: field(3, 'int64'), doubleValue: field(4, 'double') } },
    Span: {
      fields: {
        traceId: field(1, 'bytes'), spanId: field(2, 'bytes'), traceState: field(3, 'string'), parentSpanId: field(4, 'bytes'),
        name: field(5, 'string'), kind: field(6, 'int32'), start: field(7, 'fixed64'), end: field(8, 'fixed64'),
        attributes: field(9, 'KeyValue', 'repeated'), droppedAttributes: field(10, 'uint32'), links: field(13, 'Link', 'repeated'),
        status: field(15, 'Status'), flags: field(16, 'fixed32'),
      },
    },
    Link: { fields: { traceId: field(1, 'bytes'), spanId: field(2, 'bytes'), traceState: field(3, 'string'), flags: field(6, 'fixed32') } },
    Status: { fields: { message: field(2, 'string'), code: field(3, 'int32') } },
  },
});
const REQUEST = ROOT.lookupType('Request');
const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const pairs = (list) => Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue || Number(value.intValue ?? 0)]));

// The bytes of a message's fields: a field that the definition above lacks makes the sum too small.
const isWhole = (message, body) => REQUEST.encode(message).finish().length === body.length;

function spansOf(message) {
  return message.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((s) => ({
        resource: pairs(resource.attributes),
        service: pairs(resource.attributes)['service.name'],
        traceId: hex(s.traceId), id: hex(s.spanId), parent: hex(s.parentSpanId), state: s.traceState,
        name: s.name, kind: s.kind, flags: s.flags, start: BigInt(s.start.toString()), end: BigInt(s.end.toString()),
        attributes: pairs(s.attributes), dropped: s.droppedAttributes, failed: s.status?.code === 2, links: s.links.map((l) => hex(l.traceId) + hex(l.spanId)),
      })),
    ),
  );
}

function faultsOf(span) {
  const faults = [];
  if (!/^(?!0+$)[0-9a-f]{32}$/.test(span.traceId)) faults.push(`trace id ${span.traceId}`);
  if (!/^(?!0+$)[0-9a-f]{16}$/.test(span.id)) faults.push(`span id ${span.id}`);
  if (!/^((?!0+$)[0-9a-f]{16})?$/.test(span.parent)) faults.push(`parent ${span.parent}`);
  if (span.end < span.start || span.start < 1_500_000_000_000_000_000n) faults.push(`times ${span.start} ${span.end}`);
  if (![1, 2, 3].includes(span.kind)) faults.push(`kind ${span.kind}`);
  if (span.name === '' || !span.service || (span.flags & 1) !== 1) faults.push('name, service.name or flags');
  return faults.map((fault) => `${span.name}: ${fault}`);
}

const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
};

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

const close = (server) =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

export class Collector {
  spans = [];
  faults = [];
  bodies = []; // as they came
  requests = 0;
  #server;
  #held = null;
  #waiters = new Set();

  static async start({ headers = {} } = {}) {
    const collector = new Collector();
    collector.#server = http.createServer((request, response) => collector.#take(request, response, headers));
    collector.url = await listen(collector.#server);
    return collector;
  }

  hold() {
    this.#held = [];
  }
  letGo() {
    for (const answer of this.#held ?? []) answer();
    this.#held = null;
  }
  get held() {
    return this.#held?.length ?? 0;
  }

  // Waits until done(spans) is true.
  async until(done, what, ms = 60_000) {
    const end = Date.now() + ms;
    while (!done(this.spans)) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${what} did not come; ${this.spans.length} spans: ${this.spans.map((s) => `${s.service} ${s.name}`).join(', ')}`);
      await new Promise((resolve) => {
        this.#waiters.add(resolve);
        setTimeout(resolve, Math.min(left, 1000)).unref();
      });
    }
  }

  async stop() {
    this.letGo();
    await close(this.#server);
  }

  async #take(request, response, headers) {
    const body = await bodyOf(request).catch(() => null);
    if (body === null) return; // the exporter has ended
    const n = ++this.requests;
    const fault = (what) => this.faults.push(`request ${n}: ${what}`);
    if (request.method !== 'POST' || request.url !== '/v1/traces') fault(`${request.method} ${request.url}`);
    if (request.headers['content-type'] !== 'application/x-protobuf') fault(`Content-Type ${request.headers['content-type']}`);
    if (request.headers.traceparent !== undefined) fault('an export that is traced');
    for (const [name, value] of Object.entries(headers)) if (request.headers[name] !== value) fault(`header ${name}`);
    this.bodies.push(body);
    try {
      const message = REQUEST.decode(body);
      if (!isWhole(message, body)) fault('fields that OTLP does not have, or not in this form');
      const spans = spansOf(message);
      spans.flatMap(faultsOf).forEach(fault);
      this.spans.push(...spans);
    } catch (error) {
      fault(error.message);
    }
    const answer = () => response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
    if (this.#held === null) answer();
    else this.#held.push(answer);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

// Passes everything on to `target`, and keeps { method, path, headers } of each request.
export class Relay {
  requests = [];
  #server;

  static async start(target) {
    const relay = new Relay();
    relay.#server = http.createServer(async (request, response) => {
      const { method, url, headers } = request;
      relay.requests.push({ method, path: url, headers });
      const { host } = new URL(relay.target);
      const onward = http.request(relay.target + url, { method, headers: { ...headers, host } }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    });
    relay.target = target;
    relay.url = await listen(relay.#server);
    return relay;
  }

  stop() {
    return close(this.#server);
  }
}
