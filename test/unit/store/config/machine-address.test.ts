import { isIPv4 } from "node:net";
import test from "ava";
import { type InterfaceAddress, machineAddress } from "#store/config/machine-address.js";
import { resolveConfig } from "#store/config/message-store-config.js";

const LOOPBACK: InterfaceAddress = { address: "127.0.0.1", family: "IPv4", internal: true };

function v4(address: string): InterfaceAddress {
  return { address, family: "IPv4", internal: false };
}

test("a machine's address is its first IPv4 address that is not 192.168.x.x, or else the last that is", (t) => {
  t.is(machineAddress({ lo: [LOOPBACK], eth0: [v4("192.168.1.2")], eth1: [v4("10.1.2.3"), v4("10.1.2.4")] }), "10.1.2.3");
  t.is(machineAddress({ eth0: [v4("192.168.1.2")], lo: [LOOPBACK], eth1: [v4("192.168.1.3")] }), "192.168.1.3");
});

test("without a network, and with IPv6 only, it is 127.0.0.1: records keep their length", (t) => {
  t.is(machineAddress({}), "127.0.0.1");
  t.is(machineAddress({ lo: [LOOPBACK], none: undefined }), "127.0.0.1");
  t.is(machineAddress({ lo: [LOOPBACK], eth0: [{ address: "2001:db8::1", family: "IPv6", internal: false }] }), "127.0.0.1");
});

test("it is the default of storeHost, with RocketMQ's port", (t) => {
  const { storeHost } = resolveConfig({});
  t.deepEqual(storeHost, { address: machineAddress(), port: 10911 });
  t.true(isIPv4(storeHost.address));
});
