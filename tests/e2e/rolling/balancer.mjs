// What stands before the replicas of the gateway: new connections go to each target in turn, bytes
// pass as they are, and a connection stays where it is until one side ends it. As a Service of
// Kubernetes, it repeats nothing and hides nothing. A thread of its own, so that the callers' work
// does not delay the news that a connection has ended.
import net from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

export class Balancer {
  #worker;
  connections = 0; // made so far

  // Listens, and gives 'host:port'.
  async listen() {
    this.#worker = new Worker(new URL(import.meta.url));
    return new Promise((resolve) =>
      this.#worker.on('message', ({ address, connections }) => {
        if (address) resolve(address);
        else this.connections = connections;
      }),
    );
  }
  // ['host:port', ...] for connections from now on.
  aim(targets) {
    this.#worker.postMessage(targets);
  }
  async close() {
    await this.#worker.terminate();
  }
}

function serve() {
  let targets = [];
  let next = 0;
  parentPort.on('message', (value) => (targets = value));
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const [host, port] = targets[next++ % targets.length].split(':');
    const target = net.connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
    parentPort.postMessage({ connections: next });
    for (const [from, to] of [[client, target], [target, client]]) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.end());
    }
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage({ address: `127.0.0.1:${server.address().port}` }));
}

if (!isMainThread) serve();
