// The whole set as five processes (or some of them) on free loopback ports, for end-to-end tests.
//
//   import { startSet } from '../lib/set.mjs';
//   const set = await startSet({ sim: { latencyMs: 200 }, env: { gateway: { LOG_LEVEL: 'DEBUG' } } });
//   ... set.url, set.sim ...
//   await set.stop();
//
// The programs come from BUILD_DIR/bin (default: build in the root of the checkout).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BUILD, ROOT, SIM } from './build.mjs';
import { Child } from './child.mjs';
import { freePort } from './ports.mjs';
import { SecretScan } from './secrets.mjs';

const PROGRAMS = {
  sim: 'ga4-sim',
  auth: 'auth-svc',
  report: 'report-svc',
  aggregate: 'aggregate-svc',
  gateway: 'gateway',
};
// Each starts when those before it are ready, although the services would wait for each other.
const ORDER = ['sim', 'auth', 'report', 'aggregate', 'gateway'];

// { latencyMs: 5, generateOnly: true } -> ['--latency-ms', '5', '--generate-only']
function flagsToArgs(flags) {
  return Object.entries(flags).flatMap(([name, value]) => {
    const flag = '--' + name.replace(/[A-Z]/g, (c) => '-' + c.toLowerCase());
    if (value == null || value === false) return [];
    if (Array.isArray(value)) return value.flatMap((one) => [flag, String(one)]);
    return value === true ? [flag] : [flag, String(value)];
  });
}

function readProc(pid, file) {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // not ours to read, or gone
  }
}

class ServiceSet {
  #names; // of the processes, in the order they start
  #children = new Map();
  #ports = new Map();
  #stopped = false;
  #keep = process.env.KEEP_RUN === '1';
  // What must never be seen from outside; a test adds what it makes up itself, such as bearers.
  secrets = new SecretScan();

  constructor(options) {
    this.options = options;
    this.#names = this.#wanted();
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-set-'));
    this.dealersFile = options.dealersFile ?? path.join(this.dir, 'dealers.json');
    this.stateDir = path.join(this.dir, 'state'); // of aggregate-svc
    this.db = options.sim?.db ?? path.join(this.dir, 'world.db');
  }

  // The MCP endpoint, and the simulator's base URL.
  get url() {
    return `http://${this.#address('gateway', 'http')}/mcp`;
  }
  get sim() {
    return `http://${this.#address('sim', 'http')}`;
  }
  // Base URL of a process's admin listener. Names: sim, auth, report, report2, aggregate, gateway.
  admin(name) {
    return name === 'sim' ? this.sim : `http://${this.#address(name, 'admin')}`;
  }
  // host:port of a service's gRPC listener.
  grpc(name) {
    return this.#address(name, 'grpc');
  }
  // host:port of the HTTP listener of a gateway.
  http(name) {
    return this.#address(name, 'http');
  }
  get names() {
    return [...this.#names];
  }
  pid(name) {
    return this.#child(name).pid;
  }
  // { stdout, stderr } of a process so far.
  output(name) {
    return this.#child(name).output();
  }

  // Stops one process; throws unless it ended cleanly. { signal: 'SIGKILL' } for a crash.
  async stopOne(name, options) {
    await this.#lookInside(name);
    await this.#child(name).stop(options);
  }
  // Starts one again, on the ports it had.
  async startOne(name) {
    await this.#child(name).start();
  }
  async restart(name, options) {
    await this.stopOne(name, options);
    await this.startOne(name);
  }
  // Variables of a process from its next start on; null takes one away.
  changeEnv(name, variables) {
    Object.assign(this.#child(name).spec.env, variables);
  }
  // The variables of a process, for its subcommands.
  env(name) {
    return { ...this.#child(name).spec.env };
  }
  // Throws when a process has ended by itself.
  check() {
    for (const child of this.#children.values()) child.throwFaults();
  }

  // Where a secret of this run is to be seen: in what the processes printed since the start, on their
  // pages for operators and in /proc. stop() asks too.
  async secretsSeen() {
    await Promise.all(this.#names.map((name) => this.#lookInside(name)));
    this.#learnSecrets();
    for (const [name, child] of this.#children)
      for (const [stream, text] of Object.entries(child.output())) this.secrets.look(`${name} ${stream}`, text);
    return this.secrets.findings.map((finding) => `a secret is to be seen: ${finding}`);
  }

  // Stops everything, the gateway first. Throws when any process ended by itself, did not end in
  // time, or not with exit code 0, or when a secret of this run was to be seen anywhere; the run
  // directory then stays, as it does with KEEP_RUN=1.
  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    const errors = [];
    await this.secretsSeen();
    for (const child of [...this.#children.values()].reverse())
      await child.stop().catch((error) => errors.push(error.message));
    errors.push(...(await this.secretsSeen()));
    if (errors.length > 0)
      throw new Error(`the set did not end cleanly; its files are in ${this.dir}\n${errors.join('\n')}`);
    if (!this.#keep) fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // For startSet().
  async start() {
    for (const name of this.#names) await this.#takePorts(name);
    for (const name of this.#names) this.#children.set(name, new Child(this.#spec(name)));
    for (const kind of ORDER) {
      const started = this.#names.filter((name) => this.#kind(name) === kind && !this.options.standby?.includes(name));
      await Promise.all(started.map((name) => this.#children.get(name).start()));
    }
  }

  // Stops what runs and leaves the files for the reader of the error.
  async giveUp() {
    this.#keep = true;
    await this.stop().catch(() => {});
  }

  #learnSecrets() {
    this.secrets.addFile(this.dealersFile);
    this.secrets.addFile(this.options.sim?.writeServiceAccount);
    for (const child of this.#children.values()) this.secrets.addEnvironment(child.spec.env);
  }

  // What a running process shows of itself: its pages for operators, and /proc.
  async #lookInside(name) {
    const child = this.#children.get(name);
    if (!child?.alive) return;
    this.#learnSecrets();
    for (const file of ['environ', 'cmdline']) this.secrets.look(`${name} /proc/PID/${file}`, readProc(child.pid, file));
    const limits = readProc(child.pid, 'limits');
    if (name === 'auth' && !/^Max core file size\s+0\s+0\s/m.test(limits))
      this.secrets.findings.push(`auth may dump core:\n${limits}`);
    if (this.#kind(name) === 'sim') return;
    for (const page of ['metrics', 'readyz', 'livez']) {
      const answer = await fetch(`${this.admin(name)}/${page}`, { signal: AbortSignal.timeout(2000) }).catch(() => null);
      if (answer !== null) this.secrets.look(`${name} /${page}`, await answer.text().catch(() => ''));
    }
  }

  #wanted() {
    const counts = { report: this.options.reportReplicas, aggregate: this.options.aggregateReplicas, ...this.options.replicas };
    const named = (kind, i) => (i === 0 ? kind : `${kind}${i + 1}`);
    const all = ORDER.flatMap((kind) => Array.from({ length: counts[kind] ?? 1 }, (_, i) => named(kind, i)));
    const only = this.options.only ?? all;
    const unknown = only.filter((name) => !all.includes(name));
    if (unknown.length > 0) throw new Error(`only: ${unknown} must be one of ${all}`);
    return all.filter((name) => only.includes(name));
  }

  // report2 -> report
  #kind(name) {
    return name.replace(/\d+$/, '');
  }

  async #takePorts(name) {
    const http = ['sim', 'gateway'].includes(this.#kind(name));
    const ports = { [http ? 'http' : 'grpc']: await freePort() };
    if (name !== 'sim') ports.admin = await freePort();
    this.#ports.set(name, ports);
  }

  #address(name, port) {
    const number = this.#ports.get(name)?.[port];
    if (number === undefined) throw new Error(`this set has no ${name} with a port for ${port}`);
    return `127.0.0.1:${number}`;
  }

  #child(name) {
    const child = this.#children.get(name);
    if (child === undefined) throw new Error(`this set has no ${name}; it has ${this.names}`);
    return child;
  }

  // Where another process of the set is to be found; undefined (the program's default) when it is
  // not in this set.
  #target(kind) {
    const addresses = [...this.#ports.keys()]
      .filter((name) => this.#kind(name) === kind)
      .map((name) => this.#address(name, 'grpc'));
    if (addresses.length === 0) return undefined;
    return addresses.length === 1 ? addresses[0] : `ipv4:${addresses.join(',')}`;
  }

  #spec(name) {
    const kind = this.#kind(name);
    const settings = kind === 'sim' ? {} : this.#settings(name);
    const own = this.options.env?.[kind];
    return {
      name,
      program: kind === 'sim' ? SIM : path.join(BUILD, 'bin', PROGRAMS[kind]),
      args: kind === 'sim' ? this.#simArgs() : [],
      env: { ...settings, ...(typeof own === 'function' ? own(this) : own) },
      readyUrl: kind === 'sim' ? `${this.sim}/livez` : `${this.admin(name)}/readyz`,
      out: path.join(this.dir, `${name}.out`),
      err: path.join(this.dir, `${name}.err`),
    };
  }

  #simArgs() {
    const own = Object.entries(this.options.sim ?? {}).map(([name, value]) => [name, typeof value === 'function' ? value(this.sim) : value]);
    return flagsToArgs({
      listen: this.#address('sim', 'http'),
      seed: 42,
      dealers: 24,
      days: 400,
      writeDealers: this.dealersFile,
      ...Object.fromEntries(own),
      db: this.db,
    });
  }

  #settings(name) {
    const kind = this.#kind(name);
    const admin = { ADMIN_LISTEN: this.#address(name, 'admin') };
    const auth = { AUTH_SVC_ADDR: this.#target('auth') };
    const report = { REPORT_SVC_ADDR: this.#target('report') };
    if (kind === 'gateway')
      return {
        ...admin,
        ...auth,
        ...report,
        AGGREGATE_SVC_ADDR: this.#target('aggregate'),
        ANALYTICS_MCP_HOST: '127.0.0.1',
        ANALYTICS_MCP_PORT: this.#ports.get(name).http,
        ENABLE_AUTH: 'false',
      };
    const listen = { ...admin, GRPC_LISTEN: this.#address(name, 'grpc') };
    if (kind === 'auth')
      return { ...listen, GA_CREDENTIALS_PATH: this.dealersFile, ENABLE_AUTH: 'false' };
    if (kind === 'report') {
      const google = this.#ports.has('sim') ? this.sim : undefined;
      return { ...listen, ...auth, GA4_DATA_ENDPOINT: google, GA4_ADMIN_ENDPOINT: google };
    }
    const state = this.stateDir + name.slice(kind.length); // of one process alone
    fs.mkdirSync(state, { recursive: true });
    return { ...listen, ...auth, ...report, AGGREGATE_STATE_DIR: state };
  }
}

// Starts the set and waits until every process is ready. Options, all of them optional:
//   sim             flags of ga4-sim: { latencyMs: 200, today: '2026-03-01', db: FILE, ... }; a function
//                   is given the simulator's base URL
//   env             variables by kind: { gateway: {}, auth: {}, report: {}, aggregate: {} }; null
//                   takes one away; a function is given the set, which has its addresses by then
//   only            names of the processes to start: ['sim', 'auth']
//   reportReplicas, aggregateReplicas  number of such services: report, report2, ...
//   replicas        the same for any kind: { gateway: 2 }; the others know the addresses of all
//   standby         names that startOne() starts later: ['gateway2']
//   dealersFile     dealers.json to use instead of the simulator's
// When one does not start, those started are stopped and the error says why.
export async function startSet(options = {}) {
  const set = new ServiceSet(options);
  try {
    await set.start();
  } catch (error) {
    await set.giveUp();
    error.message += `\nThe set's files are in ${set.dir}`;
    throw error;
  }
  return set;
}
