// Bearer tokens of the forms that auth-svc takes.
import { createHmac, randomBytes } from 'node:crypto';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://mcp.example/mcp';
export const secret = () => randomBytes(32).toString('hex');

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// A JWT signed with HS256.
export function jwt(key, claims, header = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3600, sub: 'someone', ...claims };
  const text = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

// The plan's token: base64 of a JSON object.
export const accountToken = (fields) => Buffer.from(JSON.stringify(fields)).toString('base64');

// Settings of auth-svc and gateway for signed tokens.
export const authSettings = (key) => ({
  gateway: { ENABLE_AUTH: 'true' },
  auth: { ENABLE_AUTH: 'true', AUTH_JWT_HS256_SECRET: key, AUTH_JWT_ISSUER: ISSUER, AUTH_JWT_AUDIENCE: AUDIENCE },
});
