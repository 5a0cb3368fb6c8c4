// Columns and rows of an answer as objects, for tests that speak of dealers and metrics.

// A table as one object per row; a cell that is null is left out.
export function objects({ columns, rows }) {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]]).filter(([, v]) => v !== null)));
}

// Objects with equal values of `keys` as one, with the rest of each in a list `name`. A row that has
// nothing else is an object with an empty list.
function grouped(list, keys, name) {
  const groups = new Map();
  for (const object of list) {
    const own = Object.fromEntries(keys.filter((k) => k in object).map((k) => [k, object[k]]));
    const rest = Object.fromEntries(Object.entries(object).filter(([k]) => !keys.includes(k)));
    const id = JSON.stringify(own);
    if (!groups.has(id)) groups.set(id, { ...own, [name]: [] });
    if (Object.keys(rest).length > 0) groups.get(id)[name].push(rest);
  }
  return [...groups.values()];
}

// The rows of a report in Google's form: the first n columns hold dimensions, the others metrics.
function report({ columns, rows, ...rest }, n) {
  const names = (list) => list.map((name) => ({ name }));
  const values = (list) => list.map((v) => ({ value: v === null ? '' : String(v) }));
  return {
    ...rest,
    dimension_headers: names(columns.slice(0, n)),
    metric_headers: names(columns.slice(n)),
    rows: rows.map((row) => ({ dimension_values: values(row.slice(0, n)), metric_values: values(row.slice(n)) })),
  };
}

// Rows of dealers or pooled rows, with values apart from what stands in front of and behind them.
function valueRows({ columns, rows }, before, dimensions, metrics) {
  const at = (name) => columns.indexOf(name);
  return rows.map((row) => ({
    ...Object.fromEntries(before.filter((name) => at(name) >= 0).map((name) => [name, row[at(name)]])),
    dimension_values: dimensions.map((name) => row[at(name)] ?? ''),
    metric_values: metrics.map((name) => row[at(name)]),
  }));
}

function across({ dealers, pooled, ...rest }, args) {
  const dimensions = [...(args.dimensions ?? []), ...(args.comparisons?.length > 0 ? ['comparison'] : []), ...(args.date_ranges?.length > 1 ? ['dateRange'] : [])];
  if (args.compare_to || args.subject) return { not_pooled: [], ...rest, compared: rest.compared?.columns ? objects(rest.compared) : [] };
  const notPooled = rest.not_pooled ?? [];
  const pooledMetrics = (args.metrics ?? []).filter((name) => !notPooled.includes(name));
  const own = ['dealer_id', 'name', 'row_count'];
  const list = grouped(valueRows(dealers, own, dimensions, args.metrics), own, 'rows').map((d) => ({
    ...d,
    // A dealer without rows stands in one row of its own.
    rows: d.rows.filter((row) => row.metric_values.some((v) => v !== null && v !== undefined)),
  }));
  return {
    not_pooled: [], ...rest, dealers: list, pooled_metrics: pooledMetrics,
    pooled: valueRows(pooled, ['of', 'dealers'], dimensions, pooledMetrics),
  };
}

// An answer leaves out lists that are empty: nobody that failed is an empty list again.
function withFailed({ coverage, ...rest }) {
  return coverage === undefined ? rest : { ...rest, coverage: { failed: [], ...coverage } };
}

// The structured content of a tool's answer in the shape of the messages that it was made from.
export function typed(tool, structured, args = {}) {
  if (structured === undefined) return undefined;
  const answer = withFailed(structured);
  const { columns, rows, ...rest } = answer;
  switch (tool) {
    case 'list_dealers':
      return { ...rest, dealers: objects(answer) };
    case 'list_cohorts':
      return { ...rest, cohorts: objects(answer) };
    case 'get_account_summaries': {
      const account = ['dealer_id', 'name', 'account', 'display_name'];
      const accounts = grouped(objects(answer), account, 'property_summaries');
      for (const { property_summaries } of accounts)
        for (const p of property_summaries) p.display_name = p.property_summaries_display_name;
      return { ...rest, dealers: grouped(accounts, ['dealer_id'], 'account_summaries') };
    }
    case 'run_report':
      return report(answer, (args.dimensions?.length ?? 0) + ((args.date_ranges?.length ?? 1) > 1 ? 1 : 0));
    case 'compare_dealer_sessions':
      return {
        ...rest,
        dealers: objects(answer.dealers),
        regional_average: { metrics: objects(answer.regional_average) },
        performance_index: grouped(objects(answer.performance_index), ['dealer_id'], 'metrics'),
      };
    case 'check_data_health':
      return { ...rest, dealers: objects(answer.dealers), signs: answer.signs === undefined ? [] : objects(answer.signs) };
    case 'run_report_across_dealers':
      return across(answer, args);
    default:
      return answer;
  }
}
