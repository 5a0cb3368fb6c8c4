// The OAuth flow of the official clients against the gateway of a running set: the 401 names the metadata, that names the
// issuer, the client registers (or is known), signs in with PKCE for the resource, calls, and renews its token.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { auth as authV2 } from '@modelcontextprotocol/client';
import { auth as authV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { freePort } from '../lib/ports.mjs';
import { kinds } from '../mcp/clients.mjs';
import { BUILD, startOverWorld } from '../set/world.mjs';
import { AuthorizationServer } from './server.mjs';

const REDIRECT = 'http://127.0.0.1:6274/callback';
const KNOWN = { client_id: 'known-client', redirect_uris: [REDIRECT] };
const RULES = {
  keycloak: [{ claim: 'dealer_ids', role: 'dealer', dealers: ['{value}'] }],
  auth0: [{ claim: "'https://northgate.example/dealers'", role: 'dealer', dealers: ['{value}'] }],
};
let s, servers, dir;

before(async () => {
  servers = {
    keycloak: await new AuthorizationServer('keycloak').start(), // clients register
    auth0: await new AuthorizationServer('auth0', { metadata: 'oauth', client: KNOWN }).start(), // a client known before
  };
  dir = fs.mkdtempSync(path.join(BUILD, 'oauth-flow-'));
  const file = path.join(dir, 'issuers.json');
  fs.writeFileSync(file, JSON.stringify({ issuers: Object.entries(servers).map(([name, { issuer }]) => ({ issuer, name, rules: RULES[name] })) }));
  // Neither audiences nor AUTH_JWT_AUDIENCE: the resource URL of both programs is what tokens are made for.
  s = await startOverWorld({
    env: {
      gateway: (set) => ({ ENABLE_AUTH: 'true', ANALYTICS_MCP_RESOURCE_URL: set.url, ANALYTICS_MCP_AUTH_SERVERS: servers.keycloak.issuer }),
      auth: (set) => ({ ENABLE_AUTH: 'true', ANALYTICS_MCP_RESOURCE_URL: set.url, AUTH_ISSUERS_FILE: file }),
    },
  });
});
after(async () => {
  for (const server of Object.values(servers)) server.stop();
  if (dir) fs.rmSync(dir, { recursive: true, force: true });
  await s?.stop();
  for (const server of Object.values(servers)) assert.equal(server.fault, undefined);
});

// What a host keeps for its user; opens the browser, which is this program.
class Provider {
  redirectUrl = REDIRECT;
  clientMetadata = { client_name: 'test host', redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' };
  #kept = {};
  constructor(client) {
    this.#kept.client = client;
  }
  state = () => 'a-state';
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => void (this.#kept.client = client);
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => {
    s.set.secrets.add('bearer', tokens.access_token);
    this.#kept.tokens = tokens;
  };
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => void (this.#kept.verifier = verifier);
  redirectToAuthorization = async (url) => {
    this.opened = url;
    const answer = await fetch(url, { redirect: 'manual' });
    this.back = new URL(answer.headers.get('location'));
  };
}

// Signs in as a user: the first try is refused, the code of the redirect ends the sign-in.
async function signIn(kind, provider) {
  const make = () => ({ client: kind.make(), transport: new kind.Transport(new URL(s.set.url), { authProvider: provider }) });
  const first = make();
  await assert.rejects(first.client.connect(first.transport), /unauthorized/i);
  await first.transport.finishAuth(kind.name === 'v1' ? provider.back.searchParams.get('code') : provider.back.searchParams);
  const second = make();
  await second.client.connect(second.transport);
  return second.client;
}

const dealersOf = async (kind, client) => {
  const { structuredContent } = await kind.call(client, { name: 'list_dealers', arguments: {} });
  return JSON.stringify(structuredContent).match(/"d\d\d"/g).map((id) => id.slice(1, -1));
};

for (const kind of kinds)
  describe(`${kind.name}`, { timeout: 60_000 }, () => {
    test('registers, signs in with PKCE for the resource, and calls', async () => {
      const as = servers.keycloak, provider = new Provider();
      as.user = { dealers: ['d02', 'd05'] };
      as.asked = [];
      const client = await signIn(kind, provider);
      assert.deepEqual(await dealersOf(kind, client), ['d02', 'd05']);
      assert.equal(provider.opened.searchParams.get('resource'), s.set.url);
      assert.equal(provider.opened.searchParams.get('code_challenge_method'), 'S256');
      assert.ok(as.asked.includes('POST /register'));
      await client.close();
    });

    test('renews its token when it has ended, and goes on', async () => {
      const as = servers.keycloak, provider = new Provider();
      as.user = { dealers: ['d02'] };
      const client = await signIn(kind, provider);
      const before = provider.tokens();
      as.user = { dealers: ['d03'] };
      provider.saveTokens({ ...before, access_token: await as.token({ dealers: ['d02'], resource: s.set.url }, { exp: Math.floor(Date.now() / 1000) - 100 }) });
      assert.deepEqual(await dealersOf(kind, client), ['d03']);
      assert.notEqual(provider.tokens().refresh_token, before.refresh_token);
      await client.close();
    });

    test('gets the text of a 403 when no rule fits its user', async () => {
      const provider = new Provider();
      servers.keycloak.user = {};
      await assert.rejects(signIn(kind, provider), (error) => /no rule of the issuer keycloak gives it access; looked for dealer_ids/.test(`${error.message} ${error.cause?.message ?? ''} ${error.data?.text ?? ''}`) || assert.fail(`${error.stack} ${JSON.stringify(error)}`));
    });
  });

for (const [name, auth] of [['v1', authV1], ['v2', authV2]])
  test(`a client that is known before needs no registration (${name})`, async () => {
    const as = servers.auth0, provider = new Provider({ client_id: KNOWN.client_id });
    as.user = { dealers: ['d04'] };
    as.asked = [];
    // What the gateway's metadata says of its issuers is the same for both: this one is asked for by hand.
    const fetchFn = async (url, init) => {
      const answer = await fetch(url, init);
      if (!String(url).includes('oauth-protected-resource')) return answer;
      return Response.json({ ...(await answer.json()), authorization_servers: [as.issuer] });
    };
    assert.equal(await auth(provider, { serverUrl: s.set.url, fetchFn }), 'REDIRECT');
    const authorizationCode = provider.back.searchParams.get('code'), iss = provider.back.searchParams.get('iss');
    assert.equal(await auth(provider, { serverUrl: s.set.url, fetchFn, authorizationCode, iss }), 'AUTHORIZED');
    assert.ok(!as.asked.includes('POST /register'));
    const answer = await fetch(s.set.url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${provider.tokens().access_token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_dealers', arguments: {} } }),
    });
    assert.match(await answer.text(), /d04/);
  });

test('a gateway whose resource URL is not the audience of auth-svc is not ready, and says what to do', async () => {
  const [port, admin] = [await freePort(), await freePort()];
  const env = { ...s.set.env('gateway'), ANALYTICS_MCP_PORT: port, ADMIN_LISTEN: `127.0.0.1:${admin}`, ANALYTICS_MCP_RESOURCE_URL: 'https://other.example/mcp' };
  const gateway = spawn(path.join(BUILD, 'bin/gateway'), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    let log = '', answer;
    gateway.stderr.on('data', (text) => (log += text));
    for (let page = ''; !/^failed oauth: /m.test(page); page = await answer.text()) {
      await sleep(50);
      answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => new Response(''));
    }
    assert.equal(answer.status, 503);
    assert.match(log, new RegExp(`auth-svc takes tokens made for \\\\"${s.set.url}\\\\", not for \\\\"https://other.example/mcp\\\\": set ANALYTICS_MCP_RESOURCE_URL of gateway and auth-svc to the same`));
  } finally {
    gateway.kill();
    if (gateway.exitCode === null) await once(gateway, 'exit');
  }
});

test('metadata is served at both places, to browsers of any origin', async () => {
  const origin = new URL(s.set.url).origin;
  for (const place of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
    const answer = await fetch(origin + place, { headers: { Origin: 'https://inspector.example' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const metadata = await answer.json();
    assert.equal(metadata.resource, s.set.url);
    assert.deepEqual(metadata.authorization_servers, [servers.keycloak.issuer]);
    const preflight = await fetch(origin + place, { method: 'OPTIONS', headers: { Origin: 'https://inspector.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'mcp-protocol-version' } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
    assert.match(preflight.headers.get('access-control-allow-methods'), /GET/);
    assert.match(preflight.headers.get('access-control-allow-headers'), /mcp-protocol-version/i);
  }
});
