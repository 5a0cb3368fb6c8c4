// The world the tests ask about, its simulator's switches, and the set over it.
//
// Generating the world takes half a minute under sanitizers, so it is made once per build directory
// and day and shared, read-only, by all simulators.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BUILD, ROOT, SIM } from '../lib/build.mjs';
import { startSet } from '../lib/set.mjs';

export { BUILD, ROOT };
const SHARED = path.join(BUILD, 'e2e-world');

const utcDate = () => new Date().toISOString().slice(0, 10);

// A database file for these flags of ga4-sim; { today: 'YYYY-MM-DD' } for a day that is not now, { plant } one
// or several.
export function worldFile({ seed = 42, dealers = 24, regions = 3, days = 400, today, plant } = {}) {
  const date = today ?? utcDate();
  const plants = [plant ?? []].flat();
  const name = [seed, dealers, regions, days, date, ...plants.map((one) => one.replace(':', '-'))].join('-');
  const file = path.join(SHARED, `world-${name}.db`);
  fs.mkdirSync(SHARED, { recursive: true });
  const flags = { seed, dealers, regions, days, today: date, db: file };
  const args = [...Object.entries(flags), ...plants.map((one) => ['plant', one])].flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  execFileSync('flock', [`${file}.lock`, SIM, '--generate-only', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!process.env.AMCP_CLOCK_OFFSET_S) forgetOldWorlds(); // files keep the time that it really is
  return file;
}

function forgetOldWorlds() {
  const dayAgo = Date.now() - 36 * 3600 * 1000;
  for (const name of fs.readdirSync(SHARED)) {
    const file = path.join(SHARED, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat && stat.mtimeMs < dayAgo && !name.includes('2026-03-15')) fs.rmSync(file, { force: true });
  }
}

// Rows that are kept for those who ask the same again.
const KEPT_ROWS = 1_000_000;

// The world's tables. They do not change while they are open, and tests ask the same of them for each call.
export class World {
  #statements = new Map(); // by SQL
  #kept = new Map(); // rows by SQL and values
  #keptRows = 0;

  constructor(file) {
    this.file = file;
    this.db = new DatabaseSync(file, { readOnly: true });
    this.dealers = this.all('SELECT d.*, p.time_zone FROM dealers d JOIN properties p USING (property_id) ORDER BY dealer_id');
    this.regions = [...new Set(this.dealers.map((d) => d.region))].sort();
  }
  #prepared(sql) {
    if (!this.#statements.has(sql)) this.#statements.set(sql, this.db.prepare(sql));
    return this.#statements.get(sql);
  }
  #rows(sql, values) {
    const key = JSON.stringify([sql, ...values]);
    if (!this.#kept.has(key)) {
      const rows = this.#prepared(sql).all(...values);
      if (this.#keptRows + rows.length > KEPT_ROWS) return rows;
      this.#keptRows += rows.length;
      this.#kept.set(key, rows);
    }
    return this.#kept.get(key);
  }
  // Each caller has rows of its own.
  all(sql, ...values) {
    return this.#rows(sql, values).map((row) => ({ ...row }));
  }
  one(sql, ...values) {
    return { ...this.#rows(sql, values)[0] };
  }
  dealer(id) {
    return this.dealers.find((d) => d.dealer_id === id);
  }
  ofRegion(region) {
    return this.dealers.filter((d) => d.region === region);
  }
  close() {
    this.db.close();
  }
}

// The set over the shared world: { set, world, sim, stop }. Options as startSet(); sim flags that
// shape the world choose it.
export async function startOverWorld(options = {}) {
  const { seed, dealers, regions, days, today, plant, ...flags } = options.sim ?? {};
  const shape = Object.fromEntries(
    Object.entries({ seed, dealers, regions, days, today, plant }).filter(([, value]) => value !== undefined),
  );
  const file = worldFile(shape);
  const set = await startSet({ ...options, sim: { ...shape, ...flags, db: file } });
  const world = new World(file);
  return {
    set,
    world,
    sim: simulator(set.sim),
    async stop() {
      world.close();
      await set.stop();
    },
  };
}

// Switches of the simulator.
export function simulator(url) {
  const ask = async (method, where, body) => {
    const response = await fetch(url + where, { method, body: body && JSON.stringify(body) });
    const answer = await response.json();
    if (response.status !== 200) throw new Error(`${method} ${where}: ${answer.error}`);
    return answer;
  };
  return {
    fault: (fault) => ask('POST', '/sim/faults', fault),
    clear: () => ask('DELETE', '/sim/faults'),
    conditions: (conditions) => ask('POST', '/sim/conditions', conditions),
    stats: () => ask('GET', '/sim/stats'),
    resetStats: () => ask('DELETE', '/sim/stats'),
    resetQuota: () => ask('DELETE', '/sim/quota'),
  };
}

// YYYYMMDD of a date, of a number of days before it.
export const compact = (date) => date.replaceAll('-', '');
export function daysBefore(date, n) {
  return new Date(Date.parse(`${date}T00:00:00Z`) - n * 86_400_000).toISOString().slice(0, 10);
}
// Today in a time zone. To make the format of a zone takes a hundred times as long as to use it.
const formats = new Map();
export function todayIn(zone, now = new Date()) {
  if (!formats.has(zone)) formats.set(zone, new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }));
  return formats.get(zone).format(now);
}

// The last n ISO weeks, Monday to Sunday, of which Google no longer changes a day, but `skip` of them.
export function wholeWeeks(n, skip = 0) {
  const settled = new Date(Date.now() - 12 * 3600_000).toISOString().slice(0, 10);
  let end = daysBefore(settled, 3);
  while (new Date(`${end}T00:00:00Z`).getUTCDay() !== 0) end = daysBefore(end, 1);
  end = daysBefore(end, 7 * skip);
  return { start_date: daysBefore(end, 7 * n - 1), end_date: end };
}
