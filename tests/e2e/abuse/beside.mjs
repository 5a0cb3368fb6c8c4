// A well-behaved caller beside an attack: what it waits for when nobody attacks, and what meanwhile,
// in alternating rounds of one run, so that whatever else the machine does meets both.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sanitized } from '../lib/build.mjs';

// Three rounds in which all is well are enough (AMCP_ABUSE_ROUNDS: one in the short run, five in the long one);
// where something is not, two more at a time tell a slow moment of the machine from the gateway's own.
const ROUNDS = Number(process.env.AMCP_ABUSE_ROUNDS ?? 3), MORE_ROUNDS = 2, MOST_ROUNDS = Math.max(5, ROUNDS + MORE_ROUNDS);
// The pause keeps a caller below the 50 calls a second that one caller may make for long.
const PAUSE_MS = 20;

// A quiet p99 below this counts as this. The p99 of a round of about a hundred calls is its slowest but
// one: one wait of caller, gateway or service for a processor, where the kernel does not count those. With as
// many programs as an attack makes runnable on two processors (attacker, caller, service, two threads of the
// gateway, and what else the machine runs) such a wait is a few slices of the scheduler of about 3 ms,
// whatever the gateway does.
export const FLOOR_MS = 10;
// An answer of /health may take so long, unless the machine itself takes a quarter of it when quiet.
const HEALTH_MS = 50;
const TIMES = 4; // what an attack may cost
const P99_CALLS = 50; // of fewer calls in a round the p99 is the slowest one, which chance makes: see their median
const MEMORY = 1.2, MEMORY_MS = 15_000; // given back to within 20 %, soon

// An attacker has a machine of his own. Here he shares it, and must not take processors from those who are
// measured: he has what they leave.
const ATTACKER_NICE = 10;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sorted = (values) => values.toSorted((a, b) => a - b);
export const quantile = (values, q) => sorted(values)[Math.max(0, Math.ceil(values.length * q) - 1)];
export const median = (values) => quantile(values, 0.5);

/** Resident memory of a process in MiB. */
export const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

// What each thread of a process has waited for a processor so far, in ms, by its id. Nothing where the kernel does
// not count it.
function waits(pid) {
  const all = new Map();
  for (const thread of fs.readdirSync(`/proc/${pid}/task`))
    try {
      all.set(thread, Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e6);
    } catch {
      // it has ended, or is not counted
    }
  return all;
}

// How much longer than before the thread that waited longest has waited.
const waited = (before, now) => Math.max(0, ...[...now].map(([thread, ms]) => ms - (before.get(thread) ?? 0)));

/**
 * The time `ask` takes, without that in which the processes it passes through, one after the other, were ready to
 * run and others had the processors: whatever else the machine does has no part in it, and what they do has.
 */
async function timed(ask, pids) {
  const before = pids.map(waits), start = performance.now();
  await ask();
  const ms = performance.now() - start, now = pids.map(waits);
  return Math.max(0, ms - before.reduce((sum, was, i) => sum + waited(was, now[i]), 0));
}

/** Calls, each with a look at /health after it, as long as `going` says. `ask` throws when refused. */
async function sample({ ask, health, through }, going) {
  const calls = [], alive = [], pids = [process.pid, ...through];
  while (going()) {
    calls.push(await timed(ask, pids));
    alive.push(await timed(health, pids));
    await pause(PAUSE_MS);
  }
  return { p50: median(calls), p99: quantile(calls, 0.99), health: quantile(alive, 0.99), n: calls.length };
}

const sampleFor = (caller, ms) => {
  const end = Date.now() + ms;
  return sample(caller, () => Date.now() < end);
};

/** Samples beside an attack, a process of its own so that it costs the measuring one nothing. */
async function sampleUnder(caller, attack, seconds, args) {
  let going = true, seen = '';
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'attack.mjs'), attack, ...[seconds, ...args].map(String)],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  os.setPriority(child.pid, ATTACKER_NICE);
  child.stdout.on('data', (part) => { seen += part; });
  const ended = once(child, 'exit').then(([code]) => { going = false; return code; });
  try {
    const figures = await sample(caller, () => going);
    assert.equal(await ended, 0);
    return { ...figures, seen: JSON.parse(seen) };
  } finally {
    child.kill('SIGKILL');
  }
}

// What was seen in all rounds.
const added = (list) => list.reduce((all, seen) => {
  for (const [what, n] of Object.entries(seen)) all[what] = (all[what] ?? 0) + n;
  return all;
}, {});

/** Memory of each process once it is within its bound, or at the latest. */
async function memoryAfter(pids, before) {
  const end = Date.now() + MEMORY_MS;
  for (;;) {
    const now = pids.map(rss);
    if (now.every((mib, i) => mib <= MEMORY * before[i]) || Date.now() > end) return now;
    await pause(100);
  }
}

/**
 * Runs the rounds. caller: { ask, health, through: pids of the processes that answer }, attack: a name of attack.mjs, args: its arguments, pids: whose
 * memory must come back, seconds: of each quiet time and of each attack, calls: as many in each round at
 * least, extra: more findings of the figures, enough: whether what the attacker saw proves anything. Returns figures, and `wrong`: what of them is beyond its bound.
 */
export async function beside(caller, attack, args, pids, { quiet: quietS = 1, seconds = 1.5, calls = 20, extra = () => [], enough = () => true } = {}) {
  await sampleFor(caller, 300); // what the first calls of all make is kept
  const memory = pids.map(rss), quiet = [], during = [];
  const round = async () => {
    quiet.push(await sampleFor(caller, quietS * 1000));
    during.push(await sampleUnder(caller, attack, seconds, args));
    await pause(200); // the attacker's connections are closed
  };
  const of = (rounds, what) => median(rounds.map((one) => one[what]));
  const judged = async () => {
    const figures = {
      p50: [of(quiet, 'p50'), of(during, 'p50')], p99: [of(quiet, 'p99'), of(during, 'p99')],
      health: [of(quiet, 'health'), of(during, 'health')], memory: [memory, await memoryAfter(pids, memory)],
      n: during.reduce((sum, { n }) => sum + n, 0), seen: added(during.map(({ seen }) => seen)),
    };
    // Under a sanitizer a refusal alone is a failure.
    return { ...figures, wrong: sanitized ? [] : [...findings(figures, calls, during.length), ...extra(figures)] };
  };
  for (let rounds = ROUNDS; ; rounds += MORE_ROUNDS) {
    while (during.length < rounds) await round();
    const result = await judged();
    if ((result.wrong.length === 0 && enough(result.seen)) || rounds >= MOST_ROUNDS) return result;
  }
}

function findings({ p99, health, memory, n }, calls, rounds) {
  const wrong = [];
  if (n < calls * rounds) wrong.push(`only ${n} calls`);
  if (n >= P99_CALLS * rounds && p99[1] >= TIMES * Math.max(p99[0], FLOOR_MS)) wrong.push(`p99 ${p99[0]} -> ${p99[1]} ms`);
  if (health[1] >= Math.max(HEALTH_MS, TIMES * health[0])) wrong.push(`/health p99 ${health[0]} -> ${health[1]} ms`);
  memory[0].forEach((mib, i) => {
    if (memory[1][i] > MEMORY * mib) wrong.push(`memory ${mib} -> ${memory[1][i]} MiB`);
  });
  return wrong;
}

/** A line for the test's log. */
export function line({ p50, p99, health, memory, n, seen }) {
  const arrow = ([a, b]) => `${a.toFixed(1)} -> ${b.toFixed(1)}`;
  return `p50 ${arrow(p50)} ms, p99 ${arrow(p99)} ms, /health p99 ${arrow(health)} ms, ${n} calls, memory `
    + `${memory[0].map((mib, i) => arrow([mib, memory[1][i]])).join(', ')} MiB, the attacker saw ${JSON.stringify(seen)}`;
}
