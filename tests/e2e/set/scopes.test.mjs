// Scopes of signed tokens: a tool that compares with other dealers needs benchmarks.read. A token that
// lacks it is answered with 403 and the scopes that are needed, and the official clients come again
// with a token that has them, from an authorization server that gives less than it is asked for first.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { startSet } from '../lib/set.mjs';
import { Mcp } from './mcp.mjs';
import { authSettings, jwt, secret } from './tokens.mjs';

const READ = 'analytics.read';
const BOTH = 'analytics.read benchmarks.read';
const REDIRECT = 'http://127.0.0.1/callback';
const key = secret();
let set, server;

const tokenWith = (scope) => {
  const token = jwt(key, { iss: server.url, aud: set.url, sub: 'someone', role: 'admin', ...(scope !== undefined && { scope }) });
  set.secrets.add('bearer', token);
  return token;
};

// An authorization server whose person agrees to everything but benchmarks, until asked a second time.
async function startAuthorizationServer() {
  const codes = new Map();
  const asked = [];
  const routes = {
    '/.well-known/oauth-authorization-server': () => ({
      issuer: server.url,
      authorization_endpoint: `${server.url}/authorize`,
      token_endpoint: `${server.url}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
    }),
    '/authorize': ({ searchParams: q }) => {
      asked.push(q.get('scope'));
      const code = `code-${asked.length}`;
      const granted = asked.length === 1 ? READ : q.get('scope');
      codes.set(code, { challenge: q.get('code_challenge'), resource: q.get('resource'), granted });
      return { code };
    },
    '/token': (_, form) => {
      const code = codes.get(form.get('code'));
      codes.delete(form.get('code'));
      assert.equal(createHash('sha256').update(form.get('code_verifier')).digest('base64url'), code.challenge);
      assert.equal(code.resource, set.url);
      assert.equal(form.get('resource'), set.url);
      return { access_token: tokenWith(code.granted), token_type: 'Bearer', expires_in: 600, scope: code.granted };
    },
  };
  const listener = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url, server.url);
    const answer = routes[url.pathname]?.(url, new URLSearchParams(body));
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${listener.address().port}`, asked, close: () => listener.close() };
}

before(async () => {
  server = await startAuthorizationServer();
  const { gateway, auth } = authSettings(key);
  set = await startSet({ sim: { dealers: 3, days: 30 }, env: { gateway, auth: { ...auth, AUTH_JWT_ISSUER: server.url } } });
  set.changeEnv('auth', { AUTH_JWT_AUDIENCE: set.url });
  set.changeEnv('gateway', {
    ANALYTICS_MCP_RESOURCE_URL: set.url,
    ANALYTICS_MCP_AUTH_SERVERS: server.url,
    ANALYTICS_MCP_SCOPES: BOTH.replace(' ', ','),
  });
  await set.restart('auth');
  await set.restart('gateway');
});
after(async () => {
  server?.close();
  await set?.stop();
});

const metadata = () => `${new URL(set.url).origin}/.well-known/oauth-protected-resource/mcp`;
const challenge = (scope) =>
  `Bearer realm="analytics-mcp", resource_metadata="${metadata()}", scope="${scope}", error="insufficient_scope", error_description="The token lacks a scope that this needs"`;

test('the metadata names the scopes', async () => {
  const { resource, scopes_supported } = await (await fetch(metadata())).json();
  assert.equal(resource, set.url);
  assert.deepEqual(scopes_supported, BOTH.split(' '));
});

test('a token is asked for the scopes of the tool, before a stream is opened', async () => {
  const client = await Mcp.connect(set.url, { token: tokenWith(READ) });
  assert.equal((await client.call('list_dealers', {})).isError, false);
  const answer = await client.call('list_metrics', {}, { progress: true });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get('www-authenticate'), challenge(BOTH));
  assert.match(answer.error.message, /benchmarks\.read/);
  const read = await client.request('resources/read', { uri: 'analytics://metrics' });
  assert.equal(read.status, 403);
});

test('so is one without any that counts, for every tool', async () => {
  const client = await Mcp.connect(set.url, { token: tokenWith('openid') });
  const answer = await client.call('list_dealers', {});
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get('www-authenticate'), challenge(READ));
  const { tools } = (await client.request('tools/list', {})).result;
  assert.ok(tools.some(({ name }) => name === 'list_metrics'));
});

test('calls over plain JSON have the same answer', async () => {
  const call = (scope) => fetch(set.url.replace(/\/mcp$/, '/mcp/tools/list_metrics'), { headers: { Authorization: `Bearer ${tokenWith(scope)}` } });
  const refused = await call(READ);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get('www-authenticate'), challenge(BOTH));
  assert.equal((await call(BOTH)).status, 200);
});

test('tokens that know no scopes may do everything', async () => {
  const client = await Mcp.connect(set.url, { token: tokenWith() });
  assert.equal((await client.call('list_metrics', {})).isError, false);
});

// What an OAuth client keeps, for a person whose browser follows every redirection.
class Provider {
  redirectUrl = REDIRECT;
  clientMetadata = { client_name: 'e2e', redirect_uris: [REDIRECT] };
  #kept = {};
  clientInformation = () => ({ client_id: 'e2e' });
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => (this.#kept.tokens = tokens);
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => (this.#kept.verifier = verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (state) => (this.#kept.discovery = state);
  redirectToAuthorization = async (url) => ({ code: this.code } = await (await fetch(url)).json());
}

for (const [name, Client, Transport] of [['v1', ClientV1, TransportV1], ['v2', ClientV2, TransportV2]])
  test(`the official client ${name} steps up`, async () => {
    server.asked.length = 0;
    const provider = new Provider();
    const begin = async () => {
      const transport = new Transport(new URL(set.url), { authProvider: provider });
      const client = new Client({ name: 'e2e', version: '1.0.0' }, { capabilities: {} });
      return { client, transport };
    };
    const signIn = (transport) => async (error) => {
      assert.match(`${error.constructor.name} ${error}`, /Unauthorized/);
      await transport.finishAuth(provider.code);
    };
    const first = await begin();
    await first.client.connect(first.transport).then(assert.fail, signIn(first.transport));
    const { client, transport } = await begin();
    await client.connect(transport);
    assert.equal((await client.callTool({ name: 'list_dealers', arguments: {} })).isError, false);
    await client.callTool({ name: 'list_metrics', arguments: {} }).then(assert.fail, signIn(transport));
    const answer = await client.callTool({ name: 'list_metrics', arguments: {} });
    assert.equal(answer.isError, false);
    assert.deepEqual(server.asked, [BOTH, BOTH]);
    await client.close();
  });
