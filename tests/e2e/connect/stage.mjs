// The set with dealers that are not connected yet, a consent screen on a host of its own, and a client
// that walks through the pages without a browser.
import { execFileSync, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inherited } from '../lib/child.mjs';
import { startSet } from '../lib/set.mjs';
import { BUILD, worldFile, World } from '../set/world.mjs';

const AUTH = path.join(BUILD, 'bin/auth-svc');
const DEALERS = 72, DAYS = 40, CONFIGURED = 4;
export const GOOGLE_HOST = 'accounts.simulator.test';
const CLIENT = { id: '900000000002-connect.apps.googleusercontent.com', secret: 'GOCSPX-connect-of-the-simulator' };

// Over the PostgreSQL that tests/unit/postgres.sh starts, where it runs the test, which `replicas` of
// auth-svc need; else over a folder.
export async function startStage({ env = {}, replicas = 1 } = {}) {
  const database = process.env.AMCP_TEST_DATABASE_URL;
  const store = database ? { DATABASE_URL: database, AUTH_STATE_DIR: null } : {};
  if (database) execFileSync('psql', ['-qc', 'DROP TABLE IF EXISTS connect_schema, connect_state, connect_list', database], { stdio: 'ignore' });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-connect-'));
  const file = (name, text) => (fs.writeFileSync(path.join(dir, name), text, { mode: 0o600 }), path.join(dir, name));
  const key = () => crypto.randomBytes(32).toString('base64');
  const db = worldFile({ dealers: DEALERS, days: DAYS });
  const everyone = path.join(dir, 'everyone.json');
  const set = await startSet({
    sim: { dealers: DEALERS, days: DAYS, db, writeDealers: everyone },
    dealersFile: path.join(dir, 'dealers.json'),
    replicas: { auth: replicas },
    standby: ['auth', 'auth2', 'report', 'aggregate', 'gateway'],
    env: {
      auth: {
        ENABLE_AUTH: 'true', AUTH_JWT_ISSUER: 'https://issuer.example', AUTH_JWT_HS256_SECRET: crypto.randomBytes(32).toString('hex'),
        AUTH_SEAL_KEY_FILE: file('seal', key()), AUTH_KEYRING_FILE: file('ring', `k1: ${key()}\n`),
        AUTH_STATE_DIR: path.join(dir, 'state'), AUTH_ALLOW_HTTP_TOKEN_HOST: GOOGLE_HOST,
        AUTH_TOKEN_TIMEOUT_MS: '2000', AUTH_ALLOW_PLAINTEXT_SECRETS: 'true',
        CONNECT_CLIENT_ID: CLIENT.id, CONNECT_CLIENT_SECRET_FILE: file('client', CLIENT.secret), LOG_LEVEL: 'DEBUG', ...store, ...env.auth,
      },
      gateway: { ENABLE_AUTH: 'true', CONNECT_OPERATOR: 'Northgate Agency', CONNECT_PRIVACY_URL: 'https://agency.example/privacy',
        CONNECT_REQUESTS_PER_MINUTE: '100000', LOG_LEVEL: 'DEBUG', ...env.gateway },
    },
  });
  try {
    return await finishStage({ dir, set, everyone, db });
  } catch (error) {
    await set.giveUp();
    throw error;
  }
}

async function finishStage({ dir, set, everyone, db }) {
  const google = `http://${GOOGLE_HOST}:${new URL(set.sim).port}`;
  const url = `http://${set.http('gateway')}/connect`;
  const both = { CONNECT_URL: url, CONNECT_AUTHORIZATION_ENDPOINT: `${google}/o/oauth2/v2/auth` };
  const auth = { ...both, OAUTH_TOKEN_ENDPOINT: `${set.sim}/token`, CONNECT_REVOKE_ENDPOINT: `${set.sim}/revoke`,
    GA4_ADMIN_ENDPOINT: set.sim, GA4_DATA_ENDPOINT: set.sim };
  const names = set.names.filter((name) => name !== 'sim'), replicas = names.filter((name) => name.startsWith('auth'));
  for (const name of replicas) set.changeEnv(name, { ...auth, AUTH_AUDIT_FILE: path.join(dir, `audit-${name}.log`) });
  set.changeEnv('gateway', both);
  const { dealers } = JSON.parse(fs.readFileSync(everyone, 'utf8'));
  fs.writeFileSync(set.dealersFile, JSON.stringify({ dealers: dealers.slice(0, CONFIGURED) }), { mode: 0o600 });
  set.secrets.add('the client secret', CLIENT.secret);
  for (const name of names) await set.startOne(name);
  return new Stage({ dir, set, url, google, world: new World(db) });
}

class Stage {
  #next = CONFIGURED;

  constructor(parts) {
    Object.assign(this, parts);
    this.dealers = this.world.all('SELECT d.dealer_id, d.name, d.region, d.owner, d.property_id, p.host, p.time_zone FROM dealers d JOIN properties p USING (property_id) ORDER BY d.dealer_id');
  }

  // The next dealer that is not connected yet.
  dealer() {
    const d = this.dealers[this.#next++];
    return { ...d, email: `owner@${d.host}` };
  }

  // A subcommand of auth-svc as the service's operator runs it: { status, stdout, stderr }.
  command(...args) {
    return this.commandAt('auth', ...args);
  }
  // The same where a certain replica runs.
  commandAt(name, ...args) {
    const env = Object.fromEntries(Object.entries({ ...inherited(), ...this.set.env(name) }).filter(([, v]) => v != null));
    return spawnSync(AUTH, args, { env, encoding: 'utf8' });
  }
  // The same, of which nothing may go wrong.
  order(...args) {
    const { status, stdout, stderr } = this.command(...args);
    if (status !== 0) throw new Error(`auth-svc ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  invite(d, ...more) {
    const link = this.order('invite', d.dealer_id, '--name', d.name, '--region', d.region, ...more).trim();
    this.set.secrets.add('a link', new URL(link).searchParams.get('invite'));
    return link;
  }
  renewal(d) {
    return this.order('invite', '--renew', d.dealer_id).trim();
  }
  // dealer_id -> state, of those that are connected.
  connections(name = 'auth') {
    const { status, stdout, stderr } = this.commandAt(name, 'connections');
    if (status !== 0) throw new Error(`auth-svc connections: ${stderr}`);
    const found = stdout.matchAll(/^dealer (\S+) +(\S+)/gm);
    return new Map([...found].map(([, id, state]) => [id, state]));
  }
  token(role, ...more) {
    return this.order('token', 'mint', '--sub', `a-${role}`, '--role', role, '--ttl', '1h', ...more).trim();
  }
  // A tool's answer: { status, body }.
  async tool(token, name, args) {
    const answer = await fetch(`http://${this.set.http('gateway')}/mcp/tools/${name}`, { method: 'POST', body: JSON.stringify(args),
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } });
    return { status: answer.status, body: await answer.json() };
  }
  async switch(where, body) {
    const answer = await fetch(this.set.sim + where, { method: 'POST', body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`${where}: ${await answer.text()}`);
    return answer.json();
  }
  policy(policy = 'normal', more = {}) {
    return this.switch('/sim/consent-screen', { policy, ...more });
  }
  withdraw(email) {
    return this.switch('/sim/withdraw', { email });
  }
  // What a property's owner saw yesterday, by the world's tables.
  yesterday(d) {
    const now = new Intl.DateTimeFormat('en-CA', { timeZone: d.time_zone, dateStyle: 'short' }).format(new Date());
    const date = new Date(Date.parse(`${now}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    return this.world.one('SELECT COUNT(*) AS sessions, COUNT(DISTINCT CASE WHEN engaged OR is_new THEN user_id END) AS users FROM sessions WHERE property_id = ? AND date = ?', d.property_id, date);
  }
  audit(name = 'auth') {
    return execFileSync(AUTH, ['audit', 'verify', path.join(this.dir, `audit-${name}.log`)], { env: { ...inherited(), ...this.set.env('auth') }, encoding: 'utf8' });
  }
  walker() {
    return new Walker(this);
  }
  async stop() {
    this.world.close();
    await this.set.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields) });

// Walks through the pages as a browser without script does: cookies, forms, redirects by hand.
export class Walker {
  cookie = '';

  constructor(stage) {
    this.stage = stage;
  }

  // { status, location, text, headers } of one of our pages.
  async ask(where, options = {}) {
    const headers = { 'Sec-Fetch-Site': 'same-origin', ...(this.cookie && { Cookie: this.cookie }), ...options.headers };
    const answer = await fetch(where, { redirect: 'manual', ...options, headers });
    const set = answer.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text(), headers: answer.headers };
  }
  async begin(link) {
    this.link = link;
    const page = await this.ask(link);
    if (page.status !== 200) return page;
    return this.ask(`${this.stage.url}/start`, form({ invite: new URL(link).searchParams.get('invite'), lang: 'en' }));
  }
  // At Google: the address it sends the browser back to.
  async consent(location, email, { analytics = true, decision = 'allow' } = {}) {
    const fields = Object.fromEntries(new URL(location).searchParams);
    const { client_id, redirect_uri, scope, state, nonce, code_challenge } = fields;
    const answer = await fetch(`${this.stage.set.sim}/o/oauth2/v2/decide`, { redirect: 'manual',
      ...form({ client_id, redirect_uri, scope, state, nonce, code_challenge, email, decision, ...(analytics && { analytics: 'yes' }) }) });
    return answer.headers.get('location');
  }
  finish(property) {
    return this.ask(`${this.stage.url}/finish`, form({ property }));
  }
  // All of it. The last page.
  async connect(d, link, choices) {
    const started = await this.begin(link);
    if (started.status !== 303) return started;
    const back = await this.ask(await this.consent(started.location, d.email, choices));
    if (back.status !== 303) return back;
    const done = await this.finish(String(d.property_id));
    return done.status === 303 ? this.ask(done.location) : done;
  }
}
