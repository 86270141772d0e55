import { BlockList, isIP, isIPv6 } from "node:net";
import { MillraceError } from "@millrace/format";
import { illegal } from "./illegal-option.js";
import type { MessageStoreOptions } from "./message-store-options.js";

const BROKER_ROLES: ReadonlySet<string> = new Set(["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"]);
/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;
const PORT_MAX = 65_535;
const PREFIX_MAX = { ipv4: 32, ipv6: 128 } as const;

type ReplicationOptions = Pick<
  Required<MessageStoreOptions>,
  | "brokerRole"
  | "haListenPort"
  | "haListenAddress"
  | "haMasterAddress"
  | "inSyncReplicas"
  | "minInSyncReplicas"
  | "transientStorePoolEnable"
>;

/** `haMasterAddress` of a slave that follows nobody. */
const NO_MASTER = "none";

export const BROKER_ROLE_NEEDED = "ASYNC_MASTER, SYNC_MASTER or SLAVE is needed";
export const LISTEN_ADDRESS_NEEDED = "an IPv4 or IPv6 address is needed";
export const MASTER_ADDRESS_NEEDED = `host:port is needed, or ${NO_MASTER}`;

/** Where a peer is. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`; undefined when it is none. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  const [, ipv6, name, digits] = ADDRESS.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= PORT_MAX) || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined;
  return { host, port };
}

/** Whether the log is a slave's that follows somebody. */
export function followsMaster({ haMasterAddress }: Pick<ReplicationOptions, "haMasterAddress">): boolean {
  return haMasterAddress !== "" && haMasterAddress !== NO_MASTER;
}

/** Whether the directory is only looked after: nothing happens in it by itself. */
export function followsNobody({ haMasterAddress }: Pick<ReplicationOptions, "haMasterAddress">): boolean {
  return haMasterAddress === NO_MASTER;
}

/** Whether connections from an address are taken, by the option `haPeers`. */
export function peerFilter(peers: readonly string[]): (address: string) => boolean {
  if (peers.length === 0) return () => true;
  const list = new BlockList();
  for (const peer of peers) addPeer(list, peer);
  return (address) => list.check(address, familyOf(address));
}

export function checkPeers(peers: unknown): string[] {
  const list = new BlockList();
  if (Array.isArray(peers) && peers.every((peer) => typeof peer === "string" && addPeer(list, peer))) return [...peers];
  throw illegal("haPeers", peers, "addresses, or networks such as 10.1.0.0/16, are needed");
}

/** False when it is none. */
function addPeer(list: BlockList, peer: string): boolean {
  const [address = "", prefix, ...rest] = peer.split("/");
  if (isIP(address) === 0 || rest.length > 0) return false;
  const family = familyOf(address);
  if (prefix === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > PREFIX_MAX[family]) return false;
  list.addSubnet(address, Number(prefix), family);
  return true;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}

/** Throws what is wrong with the options of replication, by themselves and together. */
export function checkReplication(config: ReplicationOptions): void {
  const { brokerRole, haListenPort, haListenAddress, haMasterAddress, inSyncReplicas, minInSyncReplicas } = config;
  if (!BROKER_ROLES.has(brokerRole)) throw illegal("brokerRole", brokerRole, BROKER_ROLE_NEEDED);
  if (isIP(haListenAddress) === 0) throw illegal("haListenAddress", haListenAddress, LISTEN_ADDRESS_NEEDED);
  if (followsMaster(config) && parsePeerAddress(haMasterAddress) === undefined) {
    throw illegal("haMasterAddress", haMasterAddress, MASTER_ADDRESS_NEEDED);
  }
  const contradictory = (message: string): MillraceError => new MillraceError("ERR_OPTION_CONTRADICTORY", message);
  if (brokerRole === "SYNC_MASTER" && haListenPort < 0) {
    throw contradictory(`no slave can reach it: brokerRole=SYNC_MASTER haListenPort=${haListenPort}`);
  }
  if ((brokerRole === "SLAVE") !== (haMasterAddress !== "")) {
    throw contradictory(`a slave has a master, and nobody else: brokerRole=${brokerRole} haMasterAddress=${haMasterAddress}`);
  }
  if (brokerRole === "SLAVE" && haListenPort >= 0) {
    throw contradictory(`a slave has no slaves: brokerRole=SLAVE haListenPort=${haListenPort}`);
  }
  if (brokerRole === "SLAVE" && config.transientStorePoolEnable) {
    throw contradictory("a slave acknowledges what is in the file: brokerRole=SLAVE transientStorePoolEnable=true");
  }
  if (minInSyncReplicas > inSyncReplicas) {
    const values = `minInSyncReplicas=${minInSyncReplicas} inSyncReplicas=${inSyncReplicas}`;
    throw contradictory(`more stores must be in sync than must have a message: ${values}`);
  }
}
