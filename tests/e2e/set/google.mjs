// Google's own Node clients with a dealer's login, pointed at the simulator of a set.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BetaAnalyticsDataClient, v1alpha } from '@google-analytics/data';
import { OAuth2Client } from 'google-auth-library';

const require = createRequire(import.meta.url);
// Loaded when it is asked for: many tests ask for reports alone.
const admin = () => require('@google-analytics/admin');
const MAKE = {
  data: (options) => new BetaAnalyticsDataClient(options),
  alpha: (options) => new v1alpha.AlphaAnalyticsDataClient(options),
  admin: (options) => new (admin().v1beta.AnalyticsAdminServiceClient)(options),
  adminAlpha: (options) => new (admin().v1alpha.AnalyticsAdminServiceClient)(options),
};

/** dealer -> { data, alpha, admin, adminAlpha }: each made when it is first asked for, as that takes longer than a call. */
export function googleClients(set) {
  const logins = new Map(JSON.parse(readFileSync(set.dealersFile, 'utf8')).dealers.map((d) => [d.dealer_id, d.oauth]));
  const { hostname, port } = new URL(set.sim);
  const made = new Map();
  const make = (d) => {
    const login = logins.get(d.dealer_id);
    const authClient = new OAuth2Client({ clientId: login.client_id, clientSecret: login.client_secret, endpoints: { oauth2TokenUrl: login.token_uri } });
    authClient.setCredentials({ refresh_token: login.refresh_token });
    const options = { authClient, fallback: 'rest', protocol: 'http', apiEndpoint: hostname, port: Number(port) };
    const clients = {};
    return Object.defineProperties({}, Object.fromEntries(Object.entries(MAKE).map(([kind, client]) => [kind, { get: () => (clients[kind] ??= client(options)) }])));
  };
  return (d) => {
    if (!made.has(d.dealer_id)) made.set(d.dealer_id, make(d));
    return made.get(d.dealer_id);
  };
}

/** The rows of a report as lists of texts. */
export const rowsOf = (report) => report.rows.map((row) => [...row.dimensionValues, ...row.metricValues].map((v) => v.value));

/** Our snake_case names in an object as Google's camelCase. */
export const camel = (o) => Array.isArray(o) ? o.map(camel) : o === null || typeof o !== 'object' ? o
  : Object.fromEntries(Object.entries(o).map(([k, v]) => [k.replace(/_(.)/g, (_, c) => c.toUpperCase()), camel(v)]));
