import type { ErrorCodeText } from "./error-code-text.js";

/** The codes of replication. */
export const HA_ERROR_CODES = {
  ERR_HA_CONTROLLER: {
    meaning: "The directory is of a RocketMQ broker in controller mode, whose log is not that of a plain master's slave.",
    remedy: "Follow with an empty directory; or delete epochFileCheckpoint when you know that this log is the master's.",
  },
  ERR_HA_DIVERGED: {
    meaning: "Master and slave do not hold the same log: bytes differ, or the one that must be longer is shorter.",
    remedy: "See which of the two is right, keep a copy of the other one, then empty its directory and let it follow.",
  },
  ERR_HA_LISTEN: {
    meaning: "Slaves cannot be accepted: the system refuses the address, the port, or one connection while the store is open.",
    remedy: "Correct haListenAddress or haListenPort, or end what has the port; a slave whose connection was refused tries again.",
  },
  ERR_HA_PEER: {
    meaning: "Somebody who is not in haPeers asked for the log, and was refused.",
    remedy: "Add the address to haPeers if it is a slave's; else see who it is.",
  },
  ERR_HA_PROTOCOL: {
    meaning: "What came from the other side of a replication is not RocketMQ's protocol, or not the next bytes of this log.",
    remedy: "See that haMasterAddress leads to the haListenPort of a plain master with the same mappedFileSizeCommitLog.",
  },
  ERR_HA_REPLICAS: {
    meaning: "Fewer stores are in sync than minInSyncReplicas, so the message was not put.",
    remedy: "See why slaves are missing: stats().ha lists those that are there; or lower minInSyncReplicas.",
  },
  ERR_HA_REPORT: {
    meaning: "A slave reported an end that it cannot have, so nothing it says is believed.",
    remedy: "See what connects to haListenPort; a RocketMQ slave in controller mode cannot follow a plain master.",
  },
  ERR_HA_SILENT: {
    meaning:
      "Nothing came from the other side of a replication for haHousekeepingInterval, or while others waited: it was given up.",
    remedy: "Look at the network and at the other process; a slave connects again by itself.",
  },
  ERR_HA_SLAVE: {
    meaning: "The store is a slave: its log follows the master's, nothing is put, and no queue deleted.",
    remedy: "Put to the master; if that is lost, close the store and open it as a master.",
  },
  ERR_HA_START: {
    meaning: "A slave asks for bytes that the master no longer has, or an empty slave is offered a log that begins elsewhere.",
    remedy: "Empty the slave's directory and open it while the master runs: it then begins where the master's log does.",
  },
  ERR_HA_UNREACHABLE: {
    meaning: "A slave has no connection to its master.",
    remedy: "Start the master, or correct haMasterAddress; the slave tries again by itself.",
  },
} as const satisfies Readonly<Record<string, ErrorCodeText>>;
