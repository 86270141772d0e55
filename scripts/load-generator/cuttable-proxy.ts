import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy before a port that may be gone for a while: the address stays, the connections can be cut. */
export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(target: number) {
    this.#server = createServer((socket) => {
      const other = connect(target, "127.0.0.1");
      for (const [one, another] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => {}); // the close tells
        one.on("close", () => {
          this.#sockets.delete(one);
          another.destroy();
        });
        one.pipe(another);
      }
    });
  }

  static async before(target: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(target);
    proxy.#port = await listen(proxy.#server);
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}
