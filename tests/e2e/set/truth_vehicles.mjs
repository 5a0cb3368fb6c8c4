// What the vehicle tools should answer, by SQL over the world's tables and plain arithmetic. Nothing
// here is shared with the product: the rules come from proto/ and docs/internals.
import fs from 'node:fs';
import path from 'node:path';
import { daysOf, lost } from './truth.mjs';
import { compact, daysBefore, ROOT, todayIn } from './world.mjs';

const LEADS = ['asc_form_submission', 'generate_lead', 'form_submit'];
const DAY = 86_400_000;

// The catalogue: "Ford F-150" -> { body, powertrains }.
const catalogue = new Map(
  JSON.parse(fs.readFileSync(path.join(ROOT, 'config/vehicles.json'), 'utf8')).makes.flatMap((make) =>
    make.models.map((m) => [`${make.name} ${m.name}`, { body: m.body_style, powertrains: m.powertrains }]),
  ),
);

const sum = (list) => list.reduce((total, x) => total + x, 0);
const dash = (day) => `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
const number = (day) => Date.parse(`${dash(day)}T00:00:00Z`) / DAY;

// ------------------------------------------------------------------ distributions

function lnGamma(x) {
  const c = [76.18009172947146, -86.50532032941677, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5];
  const t = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  const s = c.reduce((total, v, i) => total + v / (x + 1 + i), 1.000000000190015);
  return -t + Math.log((2.5066282746310005 * s) / x);
}
// Two-sided p of Student's t, by integrating its density (Simpson).
export function tP(t, df) {
  const a = Math.abs(t);
  if (a > 500) return 0;
  const scale = Math.exp(lnGamma((df + 1) / 2) - lnGamma(df / 2)) / Math.sqrt(df * Math.PI);
  const f = (x) => scale * (1 + (x * x) / df) ** (-(df + 1) / 2);
  const n = 4000;
  const h = a / n;
  let s = f(0) + f(a);
  for (let i = 1; i < n; i++) s += f(i * h) * (i % 2 === 1 ? 4 : 2);
  return Math.max(0, 1 - (2 * s * h) / 3);
}
const limits = new Map();
function tLimit(df) {
  if (!limits.has(df)) {
    let [low, high] = [0, 1000];
    for (let i = 0; i < 80; i++) {
      const middle = (low + high) / 2;
      if (tP(middle, df) > 0.05) low = middle;
      else high = middle;
    }
    limits.set(df, (low + high) / 2);
  }
  return limits.get(df);
}
// Twice the smaller Poisson tail, at most 1.
export function poissonP(observed, mean) {
  const at = (k) => Math.exp(k * Math.log(mean) - mean - lnGamma(k + 1));
  let below = 0;
  for (let k = 0; k <= observed; k++) below += at(k);
  return Math.min(1, 2 * Math.min(below, 1 - below + at(observed)));
}
const Z = 1.959963984540054;
function wilson(k, n) {
  const p = k / n;
  const c = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const h = (Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n))) / (1 + (Z * Z) / n);
  return [Math.max(0, c - h), Math.min(1, c + h)];
}
export function byar(o) {
  const end = (n, sign) => n * (1 - 1 / (9 * n) + (sign * Z) / (3 * Math.sqrt(n))) ** 3;
  return [o === 0 ? 0 : end(o, -1), end(o + 1, 1)];
}
export function adjust(tests) {
  const order = [...tests].sort((a, b) => b.p - a.p);
  let least = 1;
  order.forEach((test, i) => {
    least = Math.min(least, (test.p * tests.length) / (tests.length - i));
    test.q = least;
  });
}

// ------------------------------------------------------------------------- the world

// What is asked of the world for every call, once.
const known = new Map();
function once(key, make) {
  if (!known.has(key)) known.set(key, make());
  return known.get(key);
}

const registered = (world, d) => once(`registered ${d.property_id}`, () =>
  world.one("SELECT count(*) AS n FROM custom_dimensions WHERE property_id = ? AND parameter IN ('item_make','item_model')", d.property_id).n === 2);

// The model that a path shows: a trim that makes another model's name is that model there, because
// nothing in ".../nissan-rogue-sport-..." says otherwise.
function shown(fields, row) {
  const other = `${row.model} ${row.trim}`;
  const inPath = !fields && row.model && catalogue.has(other) && row.path.toLowerCase().includes(`-${row.trim.toLowerCase()}-`);
  return { ...row, model: inPath ? other : row.model, condition: row.condition === 'new' ? 'new' : 'used',
    unit: fields ? `${row.session}` : `${row.session}/${row.page}` };
}

// Views of vehicle pages as rows of day, model, condition, fuel, session; one row per session and
// model where the property has registered the parameters, else per session and page.
function viewsOf(world, d, from, to) {
  const fields = registered(world, d);
  const event = fields ? 'asc_item_pageview' : 'page_view';
  const join = fields ? 'e.vehicle_id = v.vehicle_id' : 'e.page_id = v.page_id';
  return world.all(
    `WITH v AS MATERIALIZED (SELECT vehicles.*, pages.path FROM vehicles JOIN pages USING (page_id) WHERE vehicles.property_id = ?)
     SELECT e.date AS day, v.item_make || ' ' || v.item_model AS model, v.item_condition AS condition,
            v.item_fuel_type AS fuel, v.item_variant AS trim, v.path, e.session_id AS session, e.page_id AS page, s.engaged, s.duration_s AS seconds,
            e.count AS views
     FROM events e JOIN v ON ${join} JOIN sessions s ON s.session_id = e.session_id
     WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name = ?`,
    d.property_id, d.property_id, from, to, event,
  ).map((row) => shown(fields, row));
}

function leadsOf(world, d, from, to, event) {
  const fields = registered(world, d);
  const join = fields ? 'e.vehicle_id = v.vehicle_id' : 'e.page_id = v.page_id';
  return world.all(
    `SELECT coalesce(v.item_make || ' ' || v.item_model, '') AS model, v.item_condition AS condition, v.item_variant AS trim, p.path,
            e.session_id AS session, e.page_id AS page, e.count AS leads
     FROM events e LEFT JOIN vehicles v ON ${join} LEFT JOIN pages p ON p.page_id = v.page_id
     WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name = ?`,
    d.property_id, from, to, event,
  ).map((row) => shown(fields, row));
}

// The event that counts: the configured one, else the candidate that fired most in the 90 days that end
// with the last complete week, asc_form_submission also with half as many.
function leadEvent(world, d) {
  if (d.lead_event) return d.lead_event;
  const { end_date } = weeksThrough(daysBefore(todayIn('Etc/GMT+12'), 3));
  const fired = once(`fired ${d.property_id} ${end_date}`, () => LEADS.map((name) =>
    world.one('SELECT coalesce(sum(count), 0) AS n FROM events WHERE property_id = ? AND name = ? AND date BETWEEN ? AND ?',
      d.property_id, name, compact(daysBefore(end_date, 89)), compact(end_date)).n));
  const most = Math.max(...fired);
  if (most === 0) return null;
  return fired[0] * 2 >= most ? LEADS[0] : LEADS[fired.indexOf(most)];
}

function rangeOf(d, range, today) {
  const { from } = daysOf(d, range, today);
  const { to } = daysOf(d, { ...range, end_date: range.end_date }, today);
  return { from, to };
}

// The period of equal length before an absolute one.
function before(range) {
  const days = (Date.parse(range.end_date) - Date.parse(range.start_date)) / DAY + 1;
  return { start_date: daysBefore(range.start_date, days), end_date: daysBefore(range.start_date, 1) };
}

const byModel = (rows) => Map.groupBy(rows, (row) => row.model);
const units = (rows) => new Set(rows.map((row) => row.unit)).size;
const ranked = (entries) => entries.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

// --------------------------------------------------------------------------- interest

function viewsPerDay(rows, days) {
  const views = new Map();
  for (const row of rows) views.set(row.day, (views.get(row.day) ?? 0) + row.views);
  const byNumber = new Map([...views].map(([day, n]) => [number(day), n]));
  return days.map((day) => byNumber.get(day) ?? 0);
}

// Changes are measured by the dealers that lost no days in either period.
const steadyOf = (rows) => rows.filter((row) => row.steady);
const viewsOfSteady = (rows) => sum(steadyOf(rows).map((row) => row.views));

function modelInterest(model, now, then, all) {
  const once = [...new Map(now.map((row) => [row.unit, row])).values()];
  const days = all.days;
  const n = days.length;
  const x = viewsPerDay(now, days);
  const total = sum(all.perDay);
  const r = sum(x) / total;
  const se = n < 2 ? undefined : Math.sqrt((n / (n - 1)) * sum(x.map((v, i) => (v - r * all.perDay[i]) ** 2))) / total;
  const views = sum(now.map((row) => row.views));
  const conditions = { new: 0, used: 0 };
  for (const row of now) conditions[row.condition] += row.views;
  const leads = (rows) => sum(rows.filter((row) => row.model === model).map((row) => row.leads));
  return {
    model,
    body: catalogue.get(model).body,
    views,
    share: views / all.matched,
    low: se === undefined ? undefined : Math.max(0, r - tLimit(n - 1) * se),
    high: se === undefined ? undefined : Math.min(1, r + tLimit(n - 1) * se),
    share_change_pp: all.compared ? 100 * (viewsOfSteady(now) / all.steady - viewsOfSteady(then) / all.steadyBefore) : undefined,
    vdp_sessions: once.length,
    sessions_change: all.compared && units(steadyOf(then)) > 0 ? units(steadyOf(now)) / units(steadyOf(then)) - 1 : undefined,
    reach: once.length / all.sessions,
    session_s: sum(once.map((row) => row.seconds)) / once.length,
    bounce: once.filter((row) => !row.engaged).length / once.length,
    new_share: conditions.new / (conditions.new + conditions.used),
    dealers: new Set(now.map((row) => row.dealer)).size,
    leads: all.leadsKnown ? leads(all.leads) : undefined,
    leads_change: all.leadsKnown && all.compared ? leads(steadyOf(all.leads)) - leads(steadyOf(all.leadsBefore)) : undefined,
  };
}

function shares(axis, rows, name) {
  const views = new Map();
  for (const row of rows) views.set(name(row), (views.get(name(row)) ?? 0) + row.views);
  const all = sum([...views.values()]);
  return ranked([...views]).map(([key, v]) => ({ axis, name: key, views: v, share: v / all }));
}

// What analyze_vehicle_interest should say of these dealers in a period of absolute days.
export function interest(world, dealers, range, { limit = 15, offset = 0 } = {}) {
  const rows = [];
  const old = [];
  const all = { sessions: 0, vdp_sessions: 0, leads: [], leadsBefore: [], allLeads: 0, leadsKnown: false };
  for (const d of dealers) {
    const now = rangeOf(d, range);
    const then = rangeOf(d, before(range));
    const steady = !lost(world, d, now).found && !lost(world, d, then).found;
    const tag = (row) => ({ ...row, steady, dealer: d.dealer_id, region: d.region, fields: registered(world, d) });
    const views = viewsOf(world, d, now.from, now.to).map(tag);
    rows.push(...views);
    old.push(...viewsOf(world, d, then.from, then.to).map(tag));
    all.sessions += world.one('SELECT count(*) AS n FROM sessions WHERE property_id = ? AND date BETWEEN ? AND ?', d.property_id, now.from, now.to).n;
    all.vdp_sessions += new Set(views.map((row) => row.session)).size;
    const event = leadEvent(world, d);
    if (event === null) continue;
    all.leadsKnown = true;
    const leads = leadsOf(world, d, now.from, now.to, event).map(tag);
    all.allLeads += sum(leads.map((row) => row.leads));
    all.leads.push(...leads.filter((row) => row.model !== ''));
    all.leadsBefore.push(...leadsOf(world, d, then.from, then.to, event).filter((row) => row.model !== '').map(tag));
  }
  all.matched = sum(rows.map((row) => row.views));
  all.steady = viewsOfSteady(rows);
  all.steadyBefore = viewsOfSteady(old);
  all.compared = all.steady > 0 && all.steadyBefore > 0;
  const at = [...new Set(rows.map((row) => row.day))].map(number);
  const first = Math.min(...at);
  all.days = at.length === 0 ? [] : Array.from({ length: Math.max(...at) - first + 1 }, (_, i) => first + i);
  all.perDay = viewsPerDay(rows, all.days);
  const models = byModel(rows);
  const oldModels = byModel(old);
  const views = (list) => sum(list.map((row) => row.views));
  const order = ranked([...models].map(([model, list]) => [model, views(list)])).map(([model]) => model);
  const powertrain = (row) => {
    const of = catalogue.get(row.model).powertrains;
    return row.fields ? row.fuel : of.length === 1 ? of[0] : 'ice_or_unknown';
  };
  const regions = [...new Set(rows.map((row) => row.region))].sort().flatMap((region) => {
    const here = rows.filter((row) => row.region === region);
    const top = ranked([...byModel(here)].map(([model, list]) => [model, views(list)])).slice(0, 3);
    return top.map(([model, n], i) => ({ region, rank: i + 1, model, views: n, share: n / views(here) }));
  });
  return {
    totals: {
      sessions: all.sessions,
      vdp_sessions: all.vdp_sessions,
      reach: all.sessions > 0 ? all.vdp_sessions / all.sessions : undefined,
      vdp_views: all.matched,
      matched: all.matched > 0 ? 1 : undefined,
      models: models.size,
      leads: all.leadsKnown ? all.allLeads : undefined,
      leads_unattributed: all.leadsKnown ? all.allLeads - sum(all.leads.map((row) => row.leads)) : undefined,
    },
    models: order.slice(offset, offset + limit).map((model) => modelInterest(model, models.get(model), oldModels.get(model) ?? [], all)),
    shares: [
      ...shares('body_style', rows, (row) => catalogue.get(row.model).body),
      ...shares('powertrain', rows, powertrain),
      ...shares('condition', rows, (row) => row.condition),
    ],
    regions,
  };
}

// ------------------------------------------------------------------------------ leads

// What vehicle_lead_conversion should say.
export function conversion(world, dealers, range, { limit = 15, offset = 0 } = {}) {
  const known = dealers.map((d) => {
    const { from, to } = rangeOf(d, range);
    return { d, from, to, event: leadEvent(world, d) };
  });
  const names = [...new Set([...LEADS, ...dealers.map((d) => d.lead_event).filter(Boolean)])];
  const count = (name) => known.filter((k) => k.event === name).length;
  const event = names.reduce((best, name) => (count(name) > (best === null ? 0 : count(best)) ? name : best), null);
  const members = known.filter((k) => event !== null && k.event === event);
  const classes = new Map(); // body/condition -> { leads, sessions }
  const cells = []; // dealer x model x condition
  const all = { leads: 0, attributed: 0 };
  for (const { d, from, to } of members) {
    const fields = registered(world, d);
    const group = (rows) => Map.groupBy(rows, (row) => `${row.model}|${row.condition}`);
    const views = group(viewsOf(world, d, from, to));
    const found = leadsOf(world, d, from, to, event);
    all.leads += sum(found.map((row) => row.leads));
    const leads = group(found.filter((row) => row.model !== ''));
    const viewers = fields && sessionsByRaw(world, d, from, to, 'asc_item_pageview');
    const leaders = fields && sessionsByRaw(world, d, from, to, event);
    for (const key of new Set([...views.keys(), ...leads.keys()])) {
      const [model, condition] = key.split('|');
      const v = views.get(key) ?? [];
      const l = leads.get(key) ?? [];
      // With item_condition "cpo" and "used" are two rows of one property: a session counts in each.
      cells.push({ dealer: d.dealer_id, model, cls: `${catalogue.get(model).body}/${condition}`, views: sum(v.map((r) => r.views)),
        sessions: fields ? (viewers.get(key) ?? 0) : units(v),
        leads: sum(l.map((r) => r.leads)), leadSessions: fields ? (leaders.get(key) ?? 0) : units(l) });
    }
  }
  for (const c of cells) {
    const of = classes.get(c.cls) ?? { leads: 0, sessions: 0 };
    classes.set(c.cls, { leads: of.leads + c.leadSessions, sessions: of.sessions + c.sessions });
    all.attributed += c.leads;
  }
  const predicted = (c) => (classes.get(c.cls).sessions > 0 ? (c.sessions * classes.get(c.cls).leads) / classes.get(c.cls).sessions : 0);
  const level = new Map();
  for (const [dealer, list] of Map.groupBy(cells, (c) => c.dealer)) {
    const e = sum(list.map(predicted));
    level.set(dealer, e > 0 ? sum(list.map((c) => c.leadSessions)) / e : 0);
  }
  const models = [...byModel(cells)].map(([model, list]) => {
    const total = (key) => sum(list.map((c) => c[key]));
    return { model, views: total('views'), vdp_sessions: total('sessions'), leads: total('leads'), lead_sessions: total('leadSessions'),
      dealers: new Set(list.filter((c) => c.views > 0).map((c) => c.dealer)).size, expected: sum(list.map((c) => level.get(c.dealer) * predicted(c))) };
  });
  const tests = models.filter((m) => m.expected >= 5 - 1e-9).map((m) => Object.assign(m, { p: poissonP(m.lead_sessions, m.expected) }));
  adjust(tests);
  const sorted = models.map((m) => m.views).filter((v) => v > 0).sort((a, b) => a - b);
  const h = (sorted.length - 1) * 0.75;
  const quartile = sorted.length > 0 ? sorted[Math.floor(h)] + (h - Math.floor(h)) * ((sorted[Math.floor(h) + 1] ?? 0) - sorted[Math.floor(h)]) : 0;
  models.sort((a, b) => b.vdp_sessions - a.vdp_sessions || (a.model < b.model ? -1 : 1));
  return {
    event, tested: tests.length, leads: all.leads, unattributed: all.leads - all.attributed,
    models: models.slice(offset, offset + limit).map((m) => {
      const rate = m.vdp_sessions > 0 && m.lead_sessions <= m.vdp_sessions ? wilson(m.lead_sessions, m.vdp_sessions) : undefined;
      const [low, high] = byar(m.lead_sessions).map((x) => x / m.expected);
      const tested = m.q !== undefined;
      const verdict = !tested ? 'too_little_data' : m.q <= 0.1 && low > 1 ? 'above_expected' : m.q <= 0.1 && high < 1 ? 'below_expected' : 'no_clear_difference';
      return {
        model: m.model, body: catalogue.get(m.model).body, views: m.views, vdp_sessions: m.vdp_sessions, leads: m.leads, lead_sessions: m.lead_sessions,
        lead_rate: rate && m.lead_sessions / m.vdp_sessions, low: rate?.[0], high: rate?.[1],
        ...(m.expected > 0 ? { expected: m.expected, ratio: m.lead_sessions / m.expected, ratio_low: low, ratio_high: high } : {}),
        dealers: m.dealers, q: m.q, verdict,
        signal: verdict === 'below_expected' && m.views >= 200 && m.views >= quartile ? 'high_interest_low_leads' : undefined,
      };
    }),
  };
}

// Sessions of a model in a condition as Google counts them: once per raw item_condition.
// Sessions with an event of vehicles, by "model|condition": one of each item_condition counts apart.
function sessionsByRaw(world, d, from, to, event) {
  return new Map(world.all(
    `SELECT model || '|' || condition AS cell, count(*) AS n FROM (
       SELECT DISTINCT v.item_make || ' ' || v.item_model AS model, iif(v.item_condition = 'new', 'new', 'used') AS condition,
              e.session_id, v.item_condition
       FROM events e JOIN vehicles v USING (vehicle_id)
       WHERE e.property_id = ? AND e.date BETWEEN ? AND ? AND e.name = ?)
     GROUP BY cell`,
    d.property_id, from, to, event).map((row) => [row.cell, row.n]));
}

// ----------------------------------------------------------------------------- movers

const monday = (day) => day - ((day + 3) % 7);
const date = (day) => new Date(day * DAY).toISOString().slice(0, 10);

// The first Monday of the 8 whole weeks at or before a day ("YYYY-MM-DD").
export function weeksThrough(end) {
  const last = monday(Date.parse(end) / DAY + 1) - 1;
  return { monday: last - 55, start_date: date(last - 55), end_date: date(last) };
}

// What vehicle_movers should say of the weeks that end with a day.
export function movers(world, dealers, end, { limit = 10 } = {}) {
  const weeks = weeksThrough(end);
  const [from, to] = [compact(weeks.start_date), compact(weeks.end_date)];
  const data = dealers.map((d) => ({
    views: viewsOf(world, d, from, to).map((row) => ({ model: row.model, views: row.views, week: Math.floor((number(row.day) - weeks.monday) / 7) })),
    days: world.all('SELECT DISTINCT date FROM sessions WHERE property_id = ? AND date BETWEEN ? AND ?', d.property_id, from, to).map((row) => Math.floor((number(row.date) - weeks.monday) / 7)),
  }));
  const tests = [];
  const comparisons = [['week', [6], [7]], ['4_weeks', [0, 1, 2, 3], [4, 5, 6, 7]]].map(([comparison, old, now]) => {
    const members = data.filter((d) => [...old, ...now].every((week) => d.days.filter((w) => w === week).length === 7));
    const out = { comparison, dealers: members.length, tested: 0, rising: 0, falling: 0, low_volume: 0, few_dealers: 0 };
    const models = new Set(members.flatMap((d) => d.views.filter((v) => old.includes(v.week) || now.includes(v.week)).map((v) => v.model)));
    for (const model of models) {
      const parts = members.map((d) => {
        const views = (list, of) => sum(d.views.filter((v) => list.includes(v.week) && (of === undefined || v.model === of)).map((v) => v.views));
        return { a: views(old, model), A: views(old), b: views(now, model), B: views(now) };
      });
      const [a, A, b, B] = ['a', 'A', 'b', 'B'].map((key) => sum(parts.map((p) => p[key])));
      const carrying = parts.filter((p) => p.a > 0 && p.b > 0);
      if (members.length < 5) out.few_dealers++;
      else if (a < 200 || b < 200) out.low_volume++;
      else if (carrying.length < 5) out.few_dealers++;
      else {
        const k = parts.length;
        const e = parts.map((p) => (p.b - (b / B) * p.B) / B - (p.a - (a / A) * p.A) / A);
        const se = Math.sqrt((k / (k - 1)) * sum(e.map((x) => x * x)));
        const change = b / B - a / A;
        const limitT = tLimit(k - 1);
        tests.push({ comparison, out, model, views_before: a, views: b, share_before: a / A, share: b / B, change,
          low: change - limitT * se, high: change + limitT * se, p: tP(change / se, k - 1),
          dealers_up: carrying.filter((p) => p.b * p.A > p.a * p.B).length, down: carrying.filter((p) => p.b * p.A < p.a * p.B).length, dealers: carrying.length });
        out.tested++;
      }
    }
    return out;
  });
  adjust(tests);
  for (const t of tests) {
    const clear = t.q <= 0.1 && Math.abs(t.change) >= 0.1 * t.share_before;
    t.verdict = clear && t.low > 0 && 3 * t.dealers_up >= 2 * t.dealers ? 'rising' : clear && t.high < 0 && 3 * t.down >= 2 * t.dealers ? 'falling' : 'no_clear_change';
    if (t.verdict !== 'no_clear_change') t.out[t.verdict]++;
  }
  const rank = ['rising', 'falling', 'no_clear_change'];
  const models = comparisons.flatMap(({ comparison }) =>
    tests
      .filter((t) => t.comparison === comparison)
      .sort((x, y) => rank.indexOf(x.verdict) - rank.indexOf(y.verdict) || Math.abs(y.change) - Math.abs(x.change) || (x.model < y.model ? -1 : 1))
      .slice(0, limit)
      .map(({ out, p, down, change, low, high, ...rest }) => ({ ...rest, change_pp: 100 * change, low_pp: 100 * low, high_pp: 100 * high })),
  );
  return { weeks, comparisons, models };
}
