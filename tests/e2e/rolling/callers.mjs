// Callers that ask again a moment after each answer, each over one session it opens once.
//
// A call is lost when it throws, when its result is an error, or when its answer lacks what it must
// hold. A session error is any other trouble that a client or its transport reports.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, kinds } from '../mcp/clients.mjs';

// Many calls in each drain of a process, and all callers at a time: Node's pool takes the first connection that is
// free, so one that only a crowd needs would rest for longer than a drain, and meet its end when a crowd comes.
const PAUSE_MS = 120;
const pause = () => sleep(PAUSE_MS - (Date.now() % PAUSE_MS));
const STOP_MS = 30_000;
const KEPT = 5; // errors for the message of the test

// A tally of one SDK.
export const tally = (name) => ({ name, calls: 0, lost: 0, sessionErrors: 0, errors: [] });
function note(total, error) {
  if (total.errors.length < KEPT) total.errors.push(`${new Date().toISOString()} ${error?.cause?.code ?? ''} ${error?.message ?? error}`);
}

// The questions go through every service: auth-svc alone, report-svc, aggregate-svc with report-svc.
export const questions = (dates) => [
  { name: 'list_dealers', arguments: { limit: 3 } },
  { name: 'run_report', arguments: { dealer_id: 'd01', metrics: ['sessions'], date_ranges: [dates] } },
  { name: 'compare_dealer_sessions', arguments: { dealer_ids: ['d01', 'd02'], date_range: dates } },
];

async function call(total, client, question) {
  total.calls++;
  try {
    const result = await client.call(question.name, question.arguments);
    if (result.isError || result.structuredContent === undefined) throw new Error(`${question.name}: ${JSON.stringify(result).slice(0, 400)}`);
  } catch (error) {
    total.lost++;
    note(total, error);
  }
}

// One caller of the TypeScript SDKs until `stop.now`.
async function caller(total, kind, url, token, asked, first, stop) {
  const errors = [];
  try {
    const client = await connect(kind, url, { token });
    for (let n = first; !stop.now; n++) {
      await call(total, client, asked[n % asked.length]);
      await pause();
    }
    errors.push(...client.errors);
    await client.close();
  } catch (error) {
    errors.push(error);
  }
  total.sessionErrors += errors.length;
  errors.forEach((error) => note(total, error));
}

// `n` callers of each of the TypeScript SDKs: { totals, stop() }.
export async function startTypeScript(n, url, tokenOf, asked) {
  const stop = { now: false };
  const used = kinds.filter((kind) => kind.name !== 'v2 legacy');
  const totals = used.map((kind) => tally(`TypeScript ${kind.name}`));
  const all = used.flatMap((kind, k) =>
    Array.from({ length: n }, (_, i) => caller(totals[k], kind, url, tokenOf(`ts-${k}-${i}`), asked, i, stop)),
  );
  const ended = Promise.all(all);
  return {
    totals,
    async stop() {
      stop.now = true;
      const hung = await Promise.race([ended, sleep(STOP_MS, true, { ref: false })]);
      if (hung === true) throw new Error(`callers hang: ${JSON.stringify(totals)}`);
    },
  };
}

// `n` callers of the Python SDK, in one process of `python`.
export function startPython(n, python, url, tokenOf, asked) {
  const total = tally('Python');
  const tokens = Array.from({ length: n }, (_, i) => tokenOf(`py-${i}`));
  const child = spawn(python, [path.join(import.meta.dirname, 'caller.py'), url], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.once('close', resolve));
  process.on('exit', () => child.kill('SIGKILL'));
  child.stdin.on('error', () => {}); // it ended by itself: stop() says so
  child.stdin.write(`${JSON.stringify({ tokens, questions: asked, pause_ms: PAUSE_MS })}\n`);
  return {
    totals: [total],
    async stop() {
      child.stdin.end();
      const code = await Promise.race([ended, sleep(STOP_MS, 'a hang', { ref: false })]);
      if (code !== 0) throw new Error(`caller.py ended with ${code}: ${err.slice(-2000)}`);
      Object.assign(total, JSON.parse(out.trim().split('\n').at(-1)));
    },
  };
}
