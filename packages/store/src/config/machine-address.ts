import { networkInterfaces } from "node:os";

const LOOPBACK = "127.0.0.1";
const PRIVATE_PREFIX = "192.168.";

/** What is asked of a network interface. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

/**
 * An IPv4 address of this machine, by which records of one are told from those of another: the first that is not 192.168.x.x, or else
 * the last that is; without a network 127.0.0.1. Never IPv6, which has records of another length. (RocketMQ:
 * `RemotingUtil.getLocalAddress`.)
 */
export function machineAddress(
  interfaces: Readonly<Record<string, readonly InterfaceAddress[] | undefined>> = networkInterfaces(),
): string {
  const addresses = Object.values(interfaces)
    .flatMap((ofOne) => ofOne ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
  return addresses.find((address) => !address.startsWith(PRIVATE_PREFIX)) ?? addresses.at(-1) ?? LOOPBACK;
}
