import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { ExecutionContext } from "ava";

/** Two ends of a connection; closed when the test ends. */
export async function socketPair(t: ExecutionContext): Promise<[accepted: Socket, connected: Socket]> {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = once(server, "connection");
  const connected = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [accepted] = (await Promise.all([connection, once(connected, "connect")]))[0] as [Socket];
  for (const socket of [accepted, connected]) t.teardown(() => socket.destroy());
  return [accepted, connected];
}
