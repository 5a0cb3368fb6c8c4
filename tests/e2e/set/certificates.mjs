// A private authority, certificates, and gRPC clients that show one: for tests over mutual TLS.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const ROOT = path.resolve(import.meta.dirname, '../../..');
export const SERVICES = ['auth-svc', 'report-svc', 'aggregate-svc', 'gateway'];

// What a client of a service is made from, by the service and its .proto: reading the files takes longer than a call.
const clients = new Map();
function clientType(service, file) {
  const key = `${service} ${file}`;
  if (!clients.has(key)) {
    const definition = loader.loadSync(`${service.replaceAll('.', '/').toLowerCase()}/${file}.proto`, {
      includeDirs: [path.join(ROOT, 'proto')], keepCase: true, enums: String, longs: String,
    });
    const type = service.split('.').reduce((o, part) => o[part], grpc.loadPackageDefinition(definition));
    clients.set(key, Object.values(type).find((value) => typeof value === 'function' && value.service));
  }
  return clients.get(key);
}

// An authority in a folder of its own, and a certificate for each name.
export class Authority {
  constructor(names) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amcp-certificates-'));
    const openssl = (...args) => execFileSync('openssl', args, { cwd: this.dir, stdio: 'pipe' });
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    openssl('req', '-x509', ...newKey, '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    for (const name of names)
      openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`,
        '-addext', 'basicConstraints=critical,CA:FALSE', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-keyout', `${name}.key`, '-out', `${name}.pem`);
  }
  file(name) {
    return path.join(this.dir, name);
  }
  // Settings of a service with a certificate of that name.
  tls(name) {
    return { GRPC_TLS_CERT: this.file(`${name}.pem`), GRPC_TLS_KEY: this.file(`${name}.key`), GRPC_TLS_CA: this.file('ca.pem') };
  }
  // Replaced whole, as an operator's tools do.
  write(name, text) {
    fs.writeFileSync(this.file(`${name}.new`), text, { mode: 0o600 });
    fs.renameSync(this.file(`${name}.new`), this.file(name));
  }
  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  // A client of a service at an address that shows the certificate of `who`. call(method, request, grant)
  // gives the answer, of a stream all messages, or { code, reason, message } of the error. `file` is the
  // .proto of the package that has the service.
  clientOf(service, address, who, file = service.split('.')[1]) {
    const Service = clientType(service, file);
    const read = (ext) => fs.readFileSync(this.file(`${who}.${ext}`));
    const client = new Service(address, grpc.credentials.createSsl(fs.readFileSync(this.file('ca.pem')), read('key'), read('pem')));
    return (method, request, grant) => new Promise((resolve) => {
      const metadata = new grpc.Metadata();
      if (grant !== undefined) metadata.set('grant-bin', grant);
      const options = { deadline: Date.now() + 20_000 };
      const failure = (error) => ({ code: error.code, reason: error.metadata.get('error-reason')[0], message: error.details });
      if (!Service.service[method].responseStream) {
        client[method](request, metadata, options, (error, answer) => resolve(error ? failure(error) : answer));
        return;
      }
      const messages = [];
      const stream = client[method](request, metadata, options);
      stream.on('data', (message) => messages.push(message));
      stream.on('error', (error) => resolve(failure(error)));
      stream.on('end', () => resolve(messages));
    });
  }
}
