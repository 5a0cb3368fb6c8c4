// The verdict by plain arithmetic, from the rules in docs/internals/aggregate-svc.md alone: gate,
// interval, over-dispersion, many tests at once, and who is unusual.

const Z95 = 1.959963984540054;
const Z998 = 3.090232306167813;
const sum = (list) => list.reduce((total, x) => total + x, 0);

// Two-sided probability of a normal value as far out as z: a series near 0, a continued fraction
// (Lentz) further out.
export function normalP(z) {
  const x = Math.abs(z) / Math.SQRT2;
  if (x < 2) {
    let term = x, total = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
      if (n > 200) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * total;
  }
  let f = 0;
  for (let k = 120; k > 0; k--) f = k / 2 / (x + f);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + f);
}

// Over-dispersion of a metric around each dealer's own rate, pooled over dealers; lists of days,
// each a list of [events, sessions].
export function dispersion(dealers, share) {
  let pearson = 0, df = 0;
  for (const all of dealers) {
    const days = all.filter(([, n]) => n > 0);
    const y = sum(days.map(([k]) => k)), n = sum(days.map(([, m]) => m));
    const rate = y / n;
    if (days.length < 2 || y === 0 || (share && rate >= 1)) continue;
    for (const [k, m] of days) pearson += (k - rate * m) ** 2 / (rate * m * (share ? 1 - rate : 1));
    df += days.length - 1;
  }
  return df > 0 ? Math.max(1, pearson / df) : 1;
}

// { index, low, high, expected, p, data } of [events, sessions] against those of the others.
function measure([y, n], [others, all], phi, share) {
  const expected = (others / all) * n;
  const out = { expected, data: expected >= 10 && others >= 20 };
  if (!(n > 0) || !(others > 0)) return { ...out, expected: n > 0 && all > 0 ? expected : undefined, data: false };
  out.index = (100 * (y / n)) / (others / all);
  if (y === 0) {
    // Byar's upper limit of no events.
    const limit = (1 - 1 / 9 + Z95 / 3) ** 3;
    return { ...out, low: 0, high: (100 * limit * phi) / expected, p: Math.min(1, 2 * (all / (n + all)) ** (others / phi)) };
  }
  const variance = (k, m) => (phi / k) * (share ? 1 - k / m : 1);
  const se = Math.sqrt(variance(y, n) + variance(others, all));
  return {
    ...out,
    low: out.index * Math.exp(-Z95 * se),
    high: out.index * Math.exp(Z95 * se),
    p: se > 0 ? normalP(Math.log(out.index / 100) / se) : Number(out.index === 100),
  };
}

// Judges cells { own, others, phi, share, role } in place: 'context', 'suspect', 'beside' or 'judged'. Returns
// how many were tested.
export function judge(cells) {
  for (const c of cells) Object.assign(c, c.own && c.others ? measure(c.own, c.others, c.phi, c.share) : { data: false });
  const tested = cells.filter((c) => c.role === 'judged' && c.data);
  const ascending = [...tested].sort((a, b) => a.p - b.p);
  let least = 1;
  for (let i = ascending.length; i > 0; i--)
    ascending[i - 1].q = least = Math.min(least, (ascending[i - 1].p * tested.length) / i);
  for (const c of cells) c.standing = word(c);
  return tested.length;
}

function word(c) {
  if (c.role === 'context') return 'CONTEXT_ONLY';
  if (c.role === 'suspect') return 'SUSPECT_DATA';
  if (!c.data) return c.withheld ? 'BENCHMARK_WITHHELD' : 'TOO_LITTLE_DATA';
  if (c.role === 'beside') return 'NOT_JUDGED';
  const apart = c.low > 100 || c.high < 100;
  if (!apart || c.q > 0.05 || Math.abs(c.index - 100) < 5) return 'NO_CLEAR_DIFFERENCE';
  return c.index > 100 ? 'BETTER' : 'WORSE'; // no judged metric is better when it is lower
}

function quantile(sorted, p) {
  const h = (sorted.length - 1) * p, i = Math.floor(h);
  return sorted[i] + (h - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
}

// "unusual", "watch" or undefined for each [events, sessions] of a group (Spiegelhalter's funnel on
// square roots; a spread of 0.10 is ordinary where few dealers cannot show theirs).
export function unusual(parts) {
  const rate = sum(parts.map(([y]) => y)) / sum(parts.map(([, n]) => n));
  const expected = parts.map(([, n]) => n * rate);
  if (parts.length < 2 || !(rate > 0)) return parts.map(() => undefined);
  const z = parts.map(([y], i) => 2 * (Math.sqrt(y) - Math.sqrt(expected[i])));
  const sorted = [...z].sort((a, b) => a - b);
  const low = quantile(sorted, 0.1), high = quantile(sorted, 0.9);
  const k = z.length;
  const phi = sum(z.map((x) => Math.min(Math.max(x, low), high) ** 2)) / k;
  const w = expected.map((e) => 4 * e);
  let tau2 = 0.01;
  if (k >= 5) tau2 = Math.max(tau2, (k * phi - (k - 1)) / (sum(w) - sum(w.map((x) => x * x)) / sum(w)));
  return parts.map(([y], i) => {
    const zd = Math.abs((Math.sqrt(y / expected[i]) - 1) / Math.sqrt(1 / (4 * expected[i]) + tau2));
    return zd > Z998 ? 'unusual' : zd > Z95 ? 'watch' : undefined;
  });
}
