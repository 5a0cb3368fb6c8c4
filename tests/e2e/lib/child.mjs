// One program under test: start, wait until ready, stop, and the truth about how it ended.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from './build.mjs';

const READY_MS = 120_000; // under sanitizers, with a world to generate
const STOP_MS = patient(10_000);
const TAIL_BYTES = 4096;

// What a program gets from our environment, the clock of tests/at.sh too. Not the rest: a proxy, a
// LOG_LEVEL or credentials of the developer must not change what a test sees.
const INHERITED = /^(PATH|HOME|LANG|LC_.*|TMPDIR|TZ|LD_PRELOAD|AMCP_CLOCK_OFFSET_S|[A-Z]+SAN_(OPTIONS|SYMBOLIZER_PATH))$/;

export function inherited() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name)));
}

// Children of this process that still run. The kernel ends them when we are killed (setpriv); this
// is for every other way out.
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Child {
  #process;
  #ended; // promise of {code, signal}
  #result;
  #expected = false; // its end was asked for

  // spec: { name, program, args, env, readyUrl, out, err }; a variable that is null is left out.
  constructor(spec) {
    this.spec = spec;
    this.faults = [];
  }

  get name() {
    return this.spec.name;
  }
  get pid() {
    return this.#process?.pid;
  }
  get alive() {
    return this.#process !== undefined && this.#result === undefined;
  }

  // Starts the program and waits until its ready URL answers 200. The files go on where the last
  // start left them.
  async start() {
    const { program, args = [], env = {}, out, err } = this.spec;
    if (this.alive) throw new Error(`${this.name} runs already (pid ${this.pid})`);
    if (!fs.existsSync(program)) throw new Error(`${this.name}: ${program} is not built`);
    const fds = [fs.openSync(out, 'a'), fs.openSync(err, 'a')];
    const set = Object.entries({ ...inherited(), ...env }).filter(([, value]) => value != null);
    this.#expected = false;
    this.#result = undefined;
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      env: Object.fromEntries(set.map(([name, value]) => [name, String(value)])),
      stdio: ['ignore', ...fds],
    });
    fds.forEach((fd) => fs.closeSync(fd));
    this.#process = child;
    running.add(child);
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }).then((result) => this.#note(child, result));
    await this.#waitUntilReady();
  }

  // Sends the signal and waits; throws unless the program ended as it should: with exit code 0, or
  // by the signal when that cannot be caught.
  async stop({ signal = 'SIGTERM' } = {}) {
    if (this.alive) {
      this.#expected = true;
      this.#process.kill(signal);
      const timer = new AbortController();
      const late = sleep(STOP_MS, 'late', { signal: timer.signal }).catch(() => {});
      if ((await Promise.race([this.#ended, late])) === 'late') {
        this.#process.kill('SIGKILL');
        await this.#ended;
        this.faults.push(`did not end within ${STOP_MS / 1000} s of ${signal} and was killed`);
      } else if (!(signal === 'SIGKILL' && this.#result.signal === 'SIGKILL')) {
        this.#judge();
      }
      timer.abort();
    }
    this.throwFaults();
  }

  // Throws when the program ended by itself, or not as it should.
  throwFaults() {
    if (this.faults.length === 0) return;
    const text = this.faults.splice(0).join('; ');
    throw new Error(`${this.name} ${text}\n${this.tail()}`);
  }

  // Everything the program has written.
  output() {
    const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');
    return { stdout: read(this.spec.out), stderr: read(this.spec.err) };
  }

  // The end of its standard error; of a sanitizer's report, its beginning.
  tail() {
    const text = this.output().stderr;
    const report = text.search(/==\d+==|runtime error:/);
    const part = report >= 0 ? text.slice(report, report + TAIL_BYTES) : text.slice(-TAIL_BYTES);
    return `--- ${this.spec.err}\n${part.trimEnd()}`;
  }

  #note(child, result) {
    running.delete(child);
    this.#result = result;
    if (!this.#expected) {
      const how = result.error ? `could not be started: ${result.error.message}` : describe(result);
      this.faults.push(`ended by itself: ${how}`);
    }
    return result;
  }

  #judge() {
    const { code, signal } = this.#result;
    if (code !== 0 || signal !== null) this.faults.push(`ended badly: ${describe(this.#result)}`);
  }

  async #waitUntilReady() {
    const deadline = Date.now() + READY_MS;
    let last = 'no answer';
    while (Date.now() < deadline) {
      if (!this.alive) this.throwFaults();
      try {
        const answer = await fetch(this.spec.readyUrl, { signal: AbortSignal.timeout(2000) });
        const text = await answer.text();
        if (answer.status === 200) return;
        last = `${answer.status} ${text.trim()}`;
      } catch (error) {
        last = error.cause?.code ?? error.message;
      }
      await sleep(50);
    }
    throw new Error(`${this.name} was not ready after ${READY_MS / 1000} s (${last})\n${this.tail()}`);
  }
}

function describe({ code, signal }) {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}
