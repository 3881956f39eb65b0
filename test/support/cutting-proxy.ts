/** A TCP proxy that can cut connections when the server answers: what was asked is done, the answer is lost. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class CuttingProxy {
  readonly #sockets = new Set<Socket>();
  #cut: ((request: Buffer) => boolean) | undefined;
  #change: ((answer: string) => string) | undefined;

  private constructor(private readonly server: Server) {}

  static async start(targetPort: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    const proxy = new CuttingProxy(server);
    server.on('connection', (client) => proxy.#forward(client, targetPort));
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Loses the answer to the next request for which `which` is true, and the connection with it. */
  loseAnswerTo(which: (request: Buffer) => boolean): void {
    this.#cut = which;
  }

  /** Changes what the server answers, piece by piece as it comes (latin1); the length must stay. */
  alter(change: (answer: string) => string): void {
    this.#change = change;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #forward(client: Socket, targetPort: number): void {
    const upstream = connect(targetPort, '127.0.0.1');
    let losing = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (request: Buffer) => {
      if (this.#cut?.(request)) {
        this.#cut = undefined;
        losing = true;
      }
      upstream.write(request);
    });
    upstream.on('data', (answer: Buffer) => {
      if (losing) end();
      else client.write(this.#change ? Buffer.from(this.#change(answer.toString('latin1')), 'latin1') : answer);
    });
  }
}
