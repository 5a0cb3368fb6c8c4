// A small OAuth authorization server whose tokens look like those of a provider: metadata, dynamic registration
// (RFC 7591) or a client known before, authorization codes with PKCE (RFC 7636), the resource indicator (RFC 8707),
// refresh tokens that are replaced, published keys. Whoever opens its authorization endpoint is `user`, signed in.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import * as jose from 'jose';

const id = () => randomBytes(16).toString('hex');
const now = () => Math.floor(Date.now() / 1000);

// How each provider writes what it knows of a user: { roles, groups, dealers, email, domain, clientId, resource }.
// `path` is the path of its issuer.
export const SHAPES = {
  keycloak: {
    path: '/realms/dealers',
    claims: (u) => ({
      typ: 'Bearer', azp: u.clientId, aud: u.resource, scope: 'openid profile', preferred_username: u.sub, sid: id(),
      realm_access: { roles: ['offline_access', 'uma_authorization', ...(u.roles ?? [])] },
      resource_access: { account: { roles: ['view-profile'] } },
      ...(u.dealers && { dealer_ids: u.dealers }),
    }),
  },
  entra: {
    path: '/0f3d9c2a-6f5e-4d2b-9a1c-000000000001/v2.0',
    claims: (u) => ({
      aud: u.resource, ver: '2.0', oid: id(), tid: '0f3d9c2a-6f5e-4d2b-9a1c-000000000001', azp: u.clientId, scp: 'access_as_user',
      ...(u.overage ? { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example' } } } : { groups: u.groups ?? [] }),
      ...(u.roles && { roles: u.roles }),
    }),
  },
  auth0: {
    path: '/',
    claims: (u) => ({
      aud: [u.resource, 'https://northgate.eu.auth0.example/userinfo'], azp: u.clientId, scope: 'openid profile',
      ...(u.dealers && { 'https://northgate.example/dealers': u.dealers }),
    }),
  },
  cognito: { // no aud: its access tokens name the client
    path: '/eu-central-1_Dealers',
    claims: (u) => ({
      token_use: 'access', client_id: u.clientId, username: u.sub, version: 2, scope: 'openid', auth_time: now(), origin_jti: id(),
      ...(u.groups && { 'cognito:groups': u.groups }),
    }),
  },
  google: { // an ID token: its access tokens are opaque
    path: '',
    claims: (u) => ({ azp: u.clientId, aud: u.clientId, email: u.email, email_verified: u.verified ?? true, ...(u.domain && { hd: u.domain }) }),
  },
};

export class AuthorizationServer {
  // metadata: 'oidc' or 'oauth', the one kind that it serves. client: known before, { client_id }, in place of registration.
  constructor(shape, { metadata = 'oidc', client, lifeS = 300, scopes = ['openid'] } = {}) {
    Object.assign(this, { shape, metadata, lifeS, scopes, asked: [], user: undefined, broken: false });
    this.clients = new Map(client ? [[client.client_id, client]] : []);
    this.registers = client === undefined;
    this.codes = new Map();
    this.refreshTokens = new Map();
  }

  async start() {
    await this.rotate('k1');
    this.server = http.createServer((request, response) => this.#serve(request, response).catch((error) => {
      this.fault ??= error;
      response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: 'invalid_request', error_description: error.message }));
    }));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
    this.issuer = this.origin + SHAPES[this.shape].path;
    return this;
  }
  stop() {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  // A new key in place of the others.
  async rotate(kid) {
    const pair = await jose.generateKeyPair('RS256', { extractable: true });
    this.key = { kid, ...pair, jwk: { ...(await jose.exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' } };
  }

  // A token of a user as the provider writes it; `more` and `header` change it.
  async token(user, more = {}, header = {}, key = this.key) {
    const claims = { iss: this.issuer, iat: now(), exp: now() + this.lifeS, jti: id(), sub: 'ann', ...SHAPES[this.shape].claims({ sub: 'ann', ...user }), ...more };
    if (user.sub) claims.sub = user.sub;
    return new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey);
  }

  #document() {
    return {
      issuer: this.issuer, jwks_uri: `${this.origin}/keys`, authorization_endpoint: `${this.origin}/authorize`, token_endpoint: `${this.origin}/token`,
      ...(this.registers && { registration_endpoint: `${this.origin}/register` }),
      response_types_supported: ['code'], grant_types_supported: ['authorization_code', 'refresh_token'], code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: this.scopes, authorization_response_iss_parameter_supported: true,
    };
  }

  #isMetadata(path) {
    const own = SHAPES[this.shape].path.replace(/\/$/, '');
    return path === (this.metadata === 'oidc' ? `${own}/.well-known/openid-configuration` : `/.well-known/oauth-authorization-server${own}`);
  }

  async #serve(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url, this.origin);
    this.asked.push(`${request.method} ${url.pathname}`);
    const json = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=3600' }).end(JSON.stringify(body));
    if (this.broken) return json(503, {});
    if (this.#isMetadata(url.pathname)) return json(200, this.#document());
    if (url.pathname === '/keys') return json(200, { keys: [this.key.jwk] });
    if (url.pathname === '/register' && this.registers) return json(201, this.#register(JSON.parse(text)));
    if (url.pathname === '/authorize') return response.writeHead(302, { Location: this.#authorize(url.searchParams) }).end();
    if (url.pathname === '/token') return json(200, await this.#token(new URLSearchParams(text)));
    return json(404, {});
  }

  #register(metadata) {
    assert.ok(metadata.redirect_uris.length > 0 && metadata.client_name);
    assert.equal(metadata.token_endpoint_auth_method, 'none');
    const client = { ...metadata, client_id: id() };
    this.clients.set(client.client_id, client);
    return client;
  }

  #authorize(params) {
    const client = this.clients.get(params.get('client_id'));
    assert.ok(client, 'client_id is not known');
    assert.ok(client.redirect_uris.includes(params.get('redirect_uri')), 'redirect_uri is not the client\'s');
    assert.equal(params.get('response_type'), 'code');
    assert.equal(params.get('code_challenge_method'), 'S256');
    assert.ok(params.get('resource'), 'no resource indicator');
    const code = id();
    this.codes.set(code, Object.fromEntries(params));
    const back = new URL(params.get('redirect_uri'));
    back.search = new URLSearchParams({ code, iss: this.issuer, ...(params.get('state') && { state: params.get('state') }) });
    return back.href;
  }

  async #token(form) {
    const how = { authorization_code: (f) => this.#redeem(f), refresh_token: (f) => this.#renew(f) }[form.get('grant_type')];
    assert.ok(how, 'unsupported grant_type');
    const { client_id, resource } = how(form);
    const refresh_token = id();
    this.refreshTokens.set(refresh_token, { client_id, resource });
    const access_token = await this.token({ ...this.user, clientId: client_id, resource });
    return { access_token, token_type: 'Bearer', expires_in: this.lifeS, refresh_token, scope: this.scopes.join(' ') };
  }

  // A code counts once, for its client, with the verifier of its challenge and for the resource it was made for.
  #redeem(form) {
    const asked = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code'));
    assert.ok(asked, 'the code is not good');
    assert.equal(form.get('client_id'), asked.client_id);
    assert.equal(form.get('redirect_uri'), asked.redirect_uri);
    assert.equal(createHash('sha256').update(form.get('code_verifier')).digest('base64url'), asked.code_challenge, 'the verifier does not fit');
    assert.equal(form.get('resource'), asked.resource);
    return asked;
  }
  #renew(form) {
    const known = this.refreshTokens.get(form.get('refresh_token'));
    this.refreshTokens.delete(form.get('refresh_token'));
    assert.ok(known, 'the refresh token is not good');
    assert.equal(form.get('resource'), known.resource);
    return known;
  }
}
