// What compare_landing_pages should answer, by SQL over the world's tables and plain arithmetic. Nothing
// here is shared with the product: the rules come from proto/ and docs/internals.
import { daysOf, lost, siteOf } from './truth.mjs';
import { basesOf, expectedForm, outward, refused, refusedWeek, releasedPool, split } from './truth_disclosure.mjs';
import { pageOf, unset } from './truth_explain.mjs';
import { adjust, byar, poissonP } from './truth_vehicles.mjs';

const OTHER = '(other)';
// To two decimals. Of a half between two either will do: the order in which expected leads are added up decides.
const hundredths = (x) => {
  const near = 100 * x, half = Math.abs(Math.abs(near % 1) - 0.5) < 1e-9;
  return half ? { oneOf: [Math.floor(near) / 100, Math.ceil(near) / 100] } : Math.round(near) / 100;
};
const sum = (list) => list.reduce((total, x) => total + x, 0);

// "/inventory/{vehicle}/new/ford-f-150": the fixed pages of the simulator have neither ids nor years.
function template(path, page) {
  if (page.type.startsWith('(')) return page.type;
  if (page.type !== 'vehicle') return path.toLowerCase();
  const slug = page.model.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/-$/, '');
  return `/${path.split('/')[1].toLowerCase()}/{vehicle}/${page.condition}/${slug}`;
}

// Sessions and sessions with a lead of a dealer by page and channel.
function countsOf(world, d, range) {
  const { from, to } = range.from ? range : daysOf(d, range);
  const { event } = siteOf(world, d);
  const rows = world.all(`SELECT s.landing_page AS path, s.channel, count(*) AS n, count(l.session_id) AS y FROM sessions s
    LEFT JOIN (SELECT DISTINCT session_id FROM events WHERE property_id = ?1 AND name = ?4 AND date BETWEEN ?2 AND ?3) l USING (session_id)
    WHERE s.property_id = ?1 AND s.date BETWEEN ?2 AND ?3 GROUP BY 1, 2`, d.property_id, from, to, event ?? '');
  return { event, few: lost(world, d, { from, to }).few, rows: rows.map((row) => {
    const page = pageOf(world, d, row.path);
    return { type: page.type, page: template(row.path, page), channel: unset(row.channel), n: row.n, y: row.y };
  }) };
}

const total = (rows) => [sum(rows.map((r) => r.y)), sum(rows.map((r) => r.n))];

// { dealer, visible } of the cohort that could be read; with `own` only the subject's own rates count.
export function landing(world, members, subject, range, from) {
  const all = members.map((m) => ({ ...m, ...countsOf(world, m.dealer, range) }));
  const own = all.find((x) => x.dealer.dealer_id === subject);
  const restricted = from === 'region' && all.some((x) => !x.visible);
  const same = all.filter((x) => own.event !== null && x.event === own.event);
  // Types as places: most sessions first.
  const sizes = Map.groupBy(all.flatMap((x) => x.rows), (r) => r.type);
  const types = [...sizes].filter(([t]) => t !== OTHER).map(([t, rows]) => [t, total(rows)[1]]).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([t]) => t);
  types.push(OTHER);
  const channels = new Set(own.rows.map((r) => r.channel));
  const rates = (type) => {
    const rows = (from === 'own' ? [own] : same.filter((x) => x !== own && !x.few)).flatMap((x) => x.rows).filter((r) => r.type === type);
    const cells = new Map(Map.groupBy(rows, (r) => (channels.has(r.channel) ? r.channel : OTHER)).entries().map(([c, list]) => [c, total(list)]));
    return { all: total(rows), cells };
  };
  // Of the dealers outside the view the weeks or months in which they have rates.
  const weekly = (x) => basesOf(range).map((base) => countsOf(world, x.dealer, base)).map((week) => (week.few ? [] : week.rows));
  const release = restricted
    ? outside(types, same.filter((x) => !x.visible).map((x) => ({ ...x, weeks: weekly(x) })).map((x) => ({ ...x, rows: x.weeks.flat() })).filter((x) => x.rows.length > 0))
    : undefined;
  const pages = [...Map.groupBy(own.rows, (r) => `${r.type} ${r.page}`).values()].map((rows) => {
    const [{ type, page }] = rows;
    const [observed, sessions] = total(rows);
    const out = { page, type, sessions, observed, expected: 0 };
    if (page.startsWith('(') || own.event === null) return out;
    if (restricted) {
      const { code, pool } = release(type);
      return { ...out, suppressed: code, expected: pool ? (sessions * pool[0]) / pool[1] : 0 };
    }
    const of = rates(type);
    if (!(of.all[0] > 0)) return out;
    for (const r of rows) {
      const [y, n] = of.cells.get(r.channel) ?? [0, 0];
      out.expected += r.n * (n >= 50 && y >= 5 ? y / n : of.all[0] / of.all[1]);
    }
    return out;
  });
  const tests = pages.filter((p) => p.expected >= 5 - 1e-9 && !own.few).map((p) => Object.assign(p, { p: poissonP(p.observed, p.expected) }));
  adjust(tests);
  for (const p of pages) {
    [p.low, p.high] = byar(p.observed).map((x) => x / p.expected);
    p.verdict = own.few ? 'suspect_data' : p.q === undefined ? (p.suppressed ? 'benchmark_withheld' : 'too_little_data') : p.q > 0.05 || (p.low <= 1 && p.high >= 1) ? 'no_clear_difference' : p.low > 1 ? 'above_expected' : 'below_expected';
  }
  const group = (p) => ({ above_expected: 0, below_expected: 1 })[p.verdict] ?? 2;
  const size = (p) => (group(p) < 2 ? Math.abs(p.observed - p.expected) : p.sessions);
  pages.sort((a, b) => group(a) - group(b) || size(b) - size(a) || (a.page < b.page ? -1 : 1));
  return {
    dealer_id: subject, expected_from: from, lead_event: own.event ?? undefined,
    page_count: pages.filter((p) => !p.page.startsWith('(')).length, tested: tests.length,
    pages: pages.slice(0, 25).map((p) => rowOf(own.few ? { ...p, expected: 0 } : p, own.event !== null, restricted)),
  };
}

function rowOf(p, known, restricted) {
  const row = { page: p.page, type: p.type, sessions: p.sessions, lead_sessions: known ? p.observed : undefined, verdict: p.verdict, suppressed: p.suppressed };
  if (!(p.expected > 0)) return row;
  const ratio = p.observed / p.expected;
  if (!restricted) return { ...row, expected: p.expected, ratio, ratio_low: p.low, ratio_high: p.high, q: p.q };
  const [low, high] = outward([100 * p.low, 100 * p.high]);
  return { ...row, expected: expectedForm(p.expected), ratio: hundredths(ratio), ratio_low: low / 100, ratio_high: high / 100 };
}

// The rate of each type of the dealers outside the view, as it is released: each week must be allowed, too.
function outside(types, dealers) {
  const of = (x, rows, type) => {
    const [y, n] = total(rows.filter((r) => r.type === type));
    return { owner: x.dealer.owner, n, y };
  };
  const parts = (type) => dealers.map((x) => of(x, x.rows, type));
  const weeks = (dealers[0]?.weeks ?? []).map((_, k) => (type) => dealers.map((x) => of(x, x.weeks[k], type)));
  const { released, code } = split(types, parts, true, weeks);
  const having = (list) => list.filter((d) => d.n > 0);
  return (type) => {
    const list = having(parts(type));
    const gap = weeks.some((_, k) => dealers.every((x) => x.weeks[k].length === 0)); // before the first day of all
    const why = code ?? (gap ? 'min_contributors' : released.has(type)
      ? refused(list, { share: true }) ?? weeks.map((week) => refusedWeek(having(week(type)), { share: true })).find((c) => c !== undefined)
      : 'min_contributors');
    return why ? { code: why } : { pool: releasedPool(sum(list.map((d) => d.y)), sum(list.map((d) => d.n)), 100) };
  };
}
