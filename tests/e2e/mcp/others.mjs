// Getting the clients that are programs of their own. What this machine cannot do (no toolchain, a registry that
// cannot be reached or lacks a package) is why a client is not run; anything else that goes wrong is an error, and the test fails.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { cached, digest } from '../lib/cache.mjs';
import { startBackend, startGateway } from './programs.mjs';

const BUILD = path.resolve(process.env.BUILD_DIR ?? 'build');
const GET_MS = 500_000;
const away = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E(40[347]|429|50\d))\b|dial tcp|connection re(fused|set)|i\/o timeout|TLS handshake timeout|unexpected EOF|: (40[347]|410|429|50\d) /;

class Unavailable extends Error {}

const run = (program, args, cwd) => execFileSync(program, args, { cwd, timeout: GET_MS, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

// What a program said, without where its log is.
const said = (error) =>
  String(error.stderr || error.message)
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .filter((line) => line && !/^(npm warn|npm notice|go: downloading|A complete log)/i.test(line))
    .slice(0, 4)
    .join('; ');

// A step that needs the program and the network.
function reach(program, args, cwd) {
  try {
    return run(program, args, cwd);
  } catch (error) {
    if (error.code === 'ENOENT') throw new Unavailable(`${program} is not installed`);
    if (error.code === 'ETIMEDOUT') throw new Unavailable(`${program} ${args[0]} took longer than ${GET_MS / 1000} s`);
    if (/requires go >=/.test(String(error.stderr))) throw new Unavailable(said(error));
    if (away.test(String(error.stderr))) throw new Unavailable(`${program} reaches no registry: ${said(error)}`);
    throw new Error(`${program} ${args.join(' ')}: ${said(error)}`);
  }
}

/** { value } of make(), or { why } this machine cannot. */
export function having(make) {
  try {
    return { value: make() };
  } catch (error) {
    if (error instanceof Unavailable) return { why: error.message };
    throw error;
  }
}

// [1, 25] of "go 1.25.0" and of "go version go1.25.3 linux/amd64"
const release = (text) => text.match(/^go (?:version go)?(\d+)\.(\d+)/m).slice(1).map(Number);

/** The Go program, built; a toolchain that is older than its go.mod cannot. */
export function goProgram(folder) {
  const program = path.join(BUILD, 'e2e-mcp-go');
  const wanted = release(fs.readFileSync(path.join(folder, 'go.mod'), 'utf8'));
  const [major, minor] = release(reach('go', ['version'], folder));
  if (major < wanted[0] || (major === wanted[0] && minor < wanted[1]))
    throw new Unavailable(`go ${major}.${minor} is older than ${wanted.join('.')}`);
  reach('go', ['mod', 'download'], folder);
  run('go', ['build', '-o', program, '.'], folder);
  return program;
}

/** The node_modules of the programs from npm, installed as their lock file says. */
export function npmPrograms(sources) {
  const files = ['package.json', 'package-lock.json'].map((name) => [name, fs.readFileSync(path.join(sources, name), 'utf8')]);
  const folder = cached(`npm-${path.basename(sources)}-${digest(files.flat().join())}`, (own) => {
    for (const [name, text] of files) fs.writeFileSync(path.join(own, name), text);
    reach('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], own);
  });
  return path.join(folder, 'node_modules');
}

/** The environment of a program that keeps its files in a folder of its own. */
export function homeOf(name) {
  const folder = path.join(BUILD, 'e2e-mcp-home', name);
  fs.mkdirSync(folder, { recursive: true });
  return { ...process.env, HOME: folder, MCP_REMOTE_CONFIG_DIR: folder };
}

/** The gateway that takes callers without a bearer, in front of the fake services. */
export async function openGateway() {
  const backend = await startBackend({ open: true });
  const gateway = await startGateway(backend, { env: { ENABLE_AUTH: 'false' } });
  return {
    url: gateway.url,
    async stop() {
      await gateway.stop();
      await backend.stop();
    },
  };
}
