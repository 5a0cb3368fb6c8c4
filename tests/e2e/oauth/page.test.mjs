// docs/OAUTH_CLIENTS.md: each provider's block maps tokens shaped like that provider's, and each client's block is followed
// with the official SDK: its URL, its callback, with registration or with the client that it names.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { load } from 'js-yaml';
import { configSchema } from 'librechat-data-provider';
import { blocksOf } from '../docs/page.mjs';
import { startSet } from '../lib/set.mjs';
import { Mcp } from '../set/mcp.mjs';
import { BUILD, ROOT } from '../set/world.mjs';
import { AuthorizationServer } from './server.mjs';

const FILE = path.join(ROOT, 'docs/OAUTH_CLIENTS.md');
const BLOCKS = blocksOf(FILE);
const PUBLIC = 'https://analytics.example.com/mcp';
const PROVIDERS = BLOCKS.filter(({ kind }) => kind.startsWith('json issuers ')).map(({ kind, text }) => [kind.split(' ')[2], JSON.parse(text)]);
// The table of callbacks: client -> [redirect URI].
const CALLBACKS = new Map([...fs.readFileSync(FILE, 'utf8').matchAll(/^\| ([\w ,()]+) \| (`http[^|]*) \|$/gm)]
  .map(([, client, cell]) => [client, [...cell.matchAll(/`([^`]+)`/g)].map(([, uri]) => uri)]));
const CLIENTS = BLOCKS.filter(({ kind }) => / oauth( client)?( known)?$/.test(kind));

// Who gets what by the page's rules, of the set's dealers d01 to d03.
const USERS = {
  keycloak: [[{ roles: ['analytics-admin'] }, ['d01', 'd02', 'd03']], [{ dealers: ['d02'] }, ['d02']], [{ roles: ['visitor'] }, null]],
  entra: [[{ roles: ['Dealer.d03'] }, ['d03']], [{ groups: ['aaaaaaaa-0000-0000-0000-000000000001'] }, ['d01', 'd02']], [{ overage: true }, null]],
  auth0: [[{ dealers: ['d01', 'd03'] }, ['d01', 'd03']], [{}, null]],
  cognito: [[{ groups: ['dealer-d02'] }, ['d02']], [{ groups: ['managers', 'dealer-d02'] }, ['d01', 'd03']], [{ groups: [] }, null]],
  google: [[{ email: 'bob@northgate.example', domain: 'northgate.example' }, ['d02']], [{ email: 'bob@northgate.example' }, null]],
};

let set, dir;
const servers = {};

before(async () => {
  dir = fs.mkdtempSync(path.join(BUILD, 'oauth-page-'));
  const issuers = [];
  for (const [name, { issuers: [entry] }] of PROVIDERS) {
    servers[name] = await new AuthorizationServer(name).start();
    issuers.push({ ...entry, issuer: servers[name].issuer });
  }
  const known = new AuthorizationServer('keycloak', { client: { redirect_uris: [...CALLBACKS.values()].flat() } });
  known.clients.clear();
  for (const client_id of CLIENTS.map(clientOf).filter(Boolean)) known.clients.set(client_id, { client_id, redirect_uris: [...CALLBACKS.values()].flat() });
  servers.known = await known.start();
  issuers.push({ ...PROVIDERS[0][1].issuers[0], name: 'known', issuer: known.issuer });
  const file = path.join(dir, 'issuers.json');
  fs.writeFileSync(file, JSON.stringify({ issuers }));
  set = await startSet({
    sim: { dealers: 3, days: 30 },
    env: {
      gateway: (s) => ({ ENABLE_AUTH: 'true', ANALYTICS_MCP_RESOURCE_URL: s.url, ANALYTICS_MCP_AUTH_SERVERS: servers.keycloak.issuer }),
      auth: (s) => ({ ENABLE_AUTH: 'true', ANALYTICS_MCP_RESOURCE_URL: s.url, AUTH_ISSUERS_FILE: file }),
    },
  });
});
after(async () => {
  for (const server of Object.values(servers)) server.stop();
  if (dir) fs.rmSync(dir, { recursive: true, force: true });
  await set?.stop();
  for (const server of Object.values(servers)) assert.equal(server.fault, undefined);
});

test('every block of a provider is a whole file that auth-svc takes', () => {
  assert.deepEqual(PROVIDERS.map(([name]) => name), ['keycloak', 'entra', 'auth0', 'cognito', 'google']);
  for (const [name, content] of PROVIDERS) {
    const file = path.join(dir, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify(content));
    const printed = execFileSync(path.join(BUILD, 'bin/auth-svc'), ['validate', set.dealersFile, '--issuers', file],
      { env: { ANALYTICS_MCP_RESOURCE_URL: PUBLIC }, encoding: 'utf8' });
    assert.match(printed, new RegExp(`issuers +1, with ${content.issuers[0].rules.length} rules`));
  }
});

// The dealers that a token opens; { status, raw } of a refusal.
async function list(token) {
  set.secrets.add('bearer', token);
  const { status, raw } = await new Mcp(set.url, { token }).request('ping');
  if (status !== 200) return { status, raw };
  const { dealers } = await (await Mcp.connect(set.url, { token })).data('list_dealers', {});
  return dealers.map((d) => d.dealer_id).sort();
}

for (const [name, { issuers: [entry] }] of PROVIDERS)
  test(`the rules for ${name} give what the page says`, async () => {
    const clientId = entry.audiences?.[0] ?? 'any-client';
    // Entra's access tokens are made for the app's id, Cognito's and Google's name it by their shape.
    const resource = name === 'entra' ? clientId : set.url;
    for (const [user, dealers] of USERS[name]) {
      const got = await list(await servers[name].token({ ...user, clientId, resource }));
      if (dealers !== null) assert.deepEqual(got, dealers, JSON.stringify(user));
      else assert.match(`${got.status} ${got.raw}`, new RegExp(`^403 .*no rule of the issuer ${name} gives it access`));
    }
  });

// The client id that a block names, and its URL.
function clientOf({ kind, text }) {
  if (!kind.endsWith(' known')) return undefined;
  return kind.startsWith('yaml') ? load(text).mcpServers.analytics.oauth.client_id : /--client-id (\S+)/.exec(text)[1];
}
function urlOf({ kind, text }) {
  if (kind.startsWith('yaml')) return load(text).mcpServers.analytics.url;
  return kind.startsWith('json') ? JSON.parse(text).servers.analytics.url : /https:\S+/.exec(text)[0];
}

// Follows the flow as a client with this callback; the dealers that its token opens.
async function follow(redirectUrl, clientId) {
  const as = clientId === undefined ? servers.keycloak : servers.known, kept = clientId && { client: { client_id: clientId } } || {};
  as.user = { dealers: ['d03'] };
  const provider = {
    redirectUrl,
    clientMetadata: { client_name: 'a client', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    async redirectToAuthorization(url) {
      assert.equal(url.searchParams.get('redirect_uri'), redirectUrl);
      const answer = await fetch(url, { redirect: 'manual' });
      kept.code = new URL(answer.headers.get('location')).searchParams.get('code');
    },
  };
  // A host that was given a client also knows whose it is.
  const fetchFn = async (url, init) => {
    const answer = await fetch(url, init);
    if (clientId === undefined || !String(url).includes('oauth-protected-resource')) return answer;
    return Response.json({ ...(await answer.json()), authorization_servers: [as.issuer] });
  };
  const options = { serverUrl: set.url, fetchFn };
  assert.equal(await auth(provider, options), 'REDIRECT');
  assert.equal(await auth(provider, { ...options, authorizationCode: kept.code }), 'AUTHORIZED');
  const first = kept.tokens;
  assert.equal(await auth(provider, options), 'AUTHORIZED'); // by the refresh token
  assert.notEqual(kept.tokens.refresh_token, first.refresh_token);
  return list(kept.tokens.access_token);
}

test('every client of the page signs in by its block', async () => {
  assert.deepEqual([...CALLBACKS.keys()], ['LibreChat', 'Claude (web, Desktop)', 'Claude Code', 'VS Code', 'MCP Inspector']);
  assert.equal(CLIENTS.length, 6);
  for (const block of CLIENTS) assert.equal(urlOf(block), PUBLIC, `line ${block.line}`);
  for (const [client, uris] of CALLBACKS)
    for (const uri of uris) assert.deepEqual(await follow(uri), ['d03'], client);
  for (const block of CLIENTS.filter(clientOf)) {
    const { redirect_uri } = block.kind.startsWith('yaml') ? load(block.text).mcpServers.analytics.oauth : { redirect_uri: `http://localhost:${/--callback-port (\d+)/.exec(block.text)[1]}/callback` };
    assert.ok([...CALLBACKS.values()].flat().includes(redirect_uri), redirect_uri);
    assert.deepEqual(await follow(redirect_uri, clientOf(block)), ['d03'], `line ${block.line}`);
  }
});

test("LibreChat's schema takes its blocks, and the settings are of the programs", () => {
  const yaml = CLIENTS.filter(({ kind }) => kind.startsWith('yaml'));
  assert.equal(yaml.length, 2);
  for (const { text, line } of yaml) {
    const result = configSchema.safeParse({ version: '1.2.1', ...load(text) });
    assert.ok(result.success, `line ${line}: ${JSON.stringify(result.error?.issues)}`);
  }
  const settings = fs.readFileSync(path.join(ROOT, 'docs/SETTINGS.md'), 'utf8');
  const { text } = BLOCKS.find(({ kind }) => kind === 'sh settings');
  for (const [, name, value] of text.matchAll(/^(\w+)=(.*)$/gm)) {
    assert.ok(settings.includes(`\`${name}\``), name);
    if (name === 'ANALYTICS_MCP_RESOURCE_URL') assert.equal(value, PUBLIC);
  }
});
