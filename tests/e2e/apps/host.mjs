// The host's side of MCP Apps (revision 2026-01-26) as a page: a view in a sandboxed frame under the
// specification's default policy, to which it speaks JSON-RPC over postMessage.
import http from 'node:http';

// "Restrictive Default" of the specification.
export const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; media-src 'self' data:; connect-src 'none'";

// Runs in the host's page. `given` is { result, theme, variables }.
function host(given) {
  const frame = document.querySelector('iframe');
  const state = { received: [], replies: [], ready: false };
  const send = (message) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
  let drawn;
  state.drawn = new Promise((resolve) => { drawn = resolve; });
  state.send = send;
  state.give = (result) => send({ method: 'ui/notifications/tool-result', params: result });
  // The next size that the view reports, once it is laid out.
  state.resized = () => new Promise((resolve) => { drawn = resolve; });
  // Answered by the view when everything before was handled.
  state.ping = () => new Promise((resolve) => {
    const id = `ping ${pings.size}`;
    pings.set(id, resolve);
    send({ id, method: 'ping' });
  });
  const pings = new Map();
  const initialize = ({ id, params }) => {
    state.initialize = params;
    send({ id, result: {
      protocolVersion: '2026-01-26', hostInfo: { name: 'test', version: '1' }, hostCapabilities: {},
      hostContext: { theme: given.theme, styles: { variables: given.variables ?? {} }, displayMode: 'inline' },
    } });
  };
  const start = () => {
    state.ready = true;
    send({ method: 'ui/notifications/tool-input', params: { arguments: {} } });
    if (given.result) state.give(given.result);
  };
  const size = ({ params }) => {
    frame.style.height = `${params.height}px`;
    if (params.height > 100 || !given.result) requestAnimationFrame(() => requestAnimationFrame(() => drawn(params)));
  };
  window.addEventListener('message', ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (pings.has(data.id)) pings.get(data.id)();
    else if (data.method === undefined) state.replies.push(data);
    else state.received.push(data.method);
    if (data.method === 'ui/initialize') initialize(data);
    if (data.method === 'ui/notifications/initialized') start();
    if (data.method === 'ui/notifications/size-changed') size(data);
  });
  window.host = state;
}

const page = (name, given) => `<!doctype html><meta charset="utf-8"><title>host</title><link rel="icon" href="data:,">
<body style="margin:0;background:${given.theme === 'dark' ? '#1e1f21' : '#fff'}">
<iframe sandbox="allow-scripts" style="display:block;border:0;width:100%;height:60px" title="view"></iframe>
<script>(${host})(${JSON.stringify(given).replaceAll('<', '\\u003c')});document.querySelector('iframe').src = '/view/${name}';</script>`;

// Serves hosts over views: { url(name, given), stop }. `views` are HTML by name.
export async function startHost(views) {
  const hosts = new Map();
  const server = http.createServer((request, response) => {
    const [, kind, name] = request.url.split('/');
    const body = kind === 'view' ? views[name] : hosts.get(request.url);
    const policy = kind === 'view' ? { 'Content-Security-Policy': POLICY } : {};
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'text/html; charset=utf-8', ...policy });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url(name, given) {
      const at = `/host/${hosts.size}`;
      hosts.set(at, page(name, given));
      return `http://127.0.0.1:${server.address().port}${at}`;
    },
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
