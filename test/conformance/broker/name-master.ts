import { once } from "node:events";
import { connect } from "node:net";

const EXCHANGE_BROKER_HA_INFO = 906;
const LENGTH = 4;
const OK = 0;

/**
 * Tells a slave broker of RocketMQ 5 whom to follow, by one request of its remoting protocol. Its own `haMasterAddress` option has no
 * effect (5.5.1): the broker passes it on before the client that would take it is made.
 */
export async function nameMaster(brokerPort: number, masterHaAddress: string): Promise<void> {
  const fields = { masterHaAddress, masterAddress: masterHaAddress, masterFlushOffset: "0" };
  const request = { code: EXCHANGE_BROKER_HA_INFO, extFields: fields, flag: 0, language: "OTHER", opaque: 1, version: 407 };
  const header = Buffer.from(JSON.stringify({ ...request, serializeTypeCurrentRPC: "JSON" }));
  const lengths = Buffer.alloc(2 * LENGTH); // of all that follows; of the header, which is JSON
  lengths.writeUInt32BE(LENGTH + header.length);
  lengths.writeUInt32BE(header.length, LENGTH);
  const socket = connect(brokerPort, "127.0.0.1");
  try {
    socket.write(Buffer.concat([lengths, header]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    const { code, remark } = JSON.parse(answer.subarray(2 * LENGTH, 2 * LENGTH + answer.readUInt32BE(LENGTH)).toString());
    if (code !== OK) throw new Error(`the broker does not take it: code=${code} remark=${remark}`);
  } finally {
    socket.destroy();
  }
}
