/** Hosts as records keep them: 4 or 16 address bytes, then the port as i32. */
import { HOST_PORT_BYTES, IPV4_HOST_LENGTH, IPV6_HOST_LENGTH } from "./message-descriptor.js";
import { MillraceError } from "./millrace-error.js";
import { shownValue } from "./shown-value.js";

export interface Host {
  /** IPv4 in dotted decimals, or IPv6 as RFC 5952 writes it. Never a name. */
  address: string;
  port: number;
}

const PORT_MAX = 65535;
const IPV4_PATTERN = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const IPV6_GROUP_PATTERN = /^[0-9a-fA-F]{1,4}$/;
const IPV6_GROUPS = 8;
/** An IPv4-mapped address (`::ffff:1.2.3.4`): five zero groups and this one. */
const MAPPED_PREFIX_GROUPS = [0, 0, 0, 0, 0, 0xffff];

function illegal(host: unknown): MillraceError {
  const message = `a host is { address, port }, with an IPv4 or IPv6 address and a port from 0 to ${PORT_MAX}: host=${shownValue(host)}`;
  return new MillraceError("ERR_HOST_ILLEGAL", message, { status: "MESSAGE_ILLEGAL" });
}

/**
 * 8 bytes for IPv4, 20 for IPv6. An IPv4-mapped IPv6 address counts as IPv4, as in Java.
 *
 * @throws MillraceError `ERR_HOST_ILLEGAL`
 */
export function encodeHost(host: Host): Uint8Array {
  const { address, port } = (host ?? {}) as Partial<Host>;
  if (typeof address !== "string" || port === undefined || !Number.isInteger(port) || port < 0 || port > PORT_MAX)
    throw illegal(host);
  const addressBytes = parseIpv4(address) ?? parseIpv6(address);
  if (addressBytes === undefined) throw illegal(host);
  const bytes = new Uint8Array(addressBytes.length + HOST_PORT_BYTES);
  bytes.set(addressBytes);
  new DataView(bytes.buffer).setInt32(addressBytes.length, port);
  return bytes;
}

/**
 * The port is whatever 32 bits the bytes hold.
 *
 * @throws MillraceError `ERR_HOST_ILLEGAL` unless there are 8 or 20 bytes
 */
export function decodeHost(bytes: Uint8Array): Host {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const portAt = bytes.length - HOST_PORT_BYTES;
  if (bytes.length === IPV4_HOST_LENGTH) return { address: formatIpv4(view, 0), port: view.getInt32(portAt) };
  if (bytes.length === IPV6_HOST_LENGTH) return { address: formatIpv6(view), port: view.getInt32(portAt) };
  throw new MillraceError("ERR_HOST_ILLEGAL", `host bytes must be 8 or 20: length=${bytes.length}`);
}

function parseIpv4(text: string): number[] | undefined {
  const numbers = IPV4_PATTERN.exec(text)?.slice(1).map(Number);
  return numbers?.every((n) => n <= 255) === true ? numbers : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const tail = parseGroups(halves[halves.length - 1] as string, true);
  const head = halves.length === 2 ? parseGroups(halves[0] as string, false) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = groups.flatMap((group) => [group >>> 8, group & 0xff]);
  return isMapped(groups) ? bytes.slice(-4) : bytes;
}

/** Groups between colons; the last may be an IPv4 address, standing for two. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (IPV6_GROUP_PATTERN.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    const [a, b, c, d] = ipv4 as [number, number, number, number];
    groups.push((a << 8) | b, (c << 8) | d);
  }
  return groups;
}

function isMapped(groups: readonly number[]): boolean {
  return MAPPED_PREFIX_GROUPS.every((group, i) => groups[i] === group);
}

function formatIpv4(view: DataView, position: number): string {
  const byte = (i: number): number => view.getUint8(position + i);
  return `${byte(0)}.${byte(1)}.${byte(2)}.${byte(3)}`;
}

function formatIpv6(view: DataView): string {
  const groups = Array.from({ length: IPV6_GROUPS }, (_, i) => view.getUint16(2 * i));
  if (isMapped(groups)) return `::ffff:${formatIpv4(view, 2 * MAPPED_PREFIX_GROUPS.length)}`;
  const { start, length } = longestZeroRun(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: i + 1 - length, length };
  }
  return longest;
}
