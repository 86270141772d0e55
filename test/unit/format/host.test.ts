import { decodeHost, decodeMessageId, encodeHost, encodeMessageId } from "@millrace/format";
import test from "ava";

function hex(address: string, port = 1): string {
  return Buffer.from(encodeHost({ address, port })).toString("hex");
}

test("IPv4 addresses take 8 bytes", (t) => {
  t.is(hex("127.0.0.1", 10911), "7f00000100002a9f");
  t.is(hex("255.255.255.255", 65535), "ffffffff0000ffff");
  t.is(hex("0.0.0.0", 0), "0000000000000000");
});

test("IPv6 addresses take 20 bytes in every spelling", (t) => {
  const same = "20010db8000000000000000000000001" + "00000001";
  for (const address of ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8:0:0::0:1", "2001:db8::0.0.0.1"])
    t.is(hex(address), same);
  t.is(hex("::"), `${"0".repeat(32)}00000001`);
  t.is(hex("1::"), `0001${"0".repeat(28)}00000001`);
  t.is(hex("1:2:3:4:5:6:7::"), "0001000200030004000500060007000000000001");
});

test("an IPv4-mapped address counts as IPv4", (t) => {
  t.is(hex("::ffff:127.0.0.1"), "7f00000100000001");
  t.is(hex("::ffff:7f00:1"), "7f00000100000001");
});

test("IPv6 text comes back as RFC 5952 writes it", (t) => {
  for (const address of ["::", "::1", "1::", "2001:db8::1", "1:0:0:2::3", "1:2:3:4:5:6:7:8", "1:0:2:3:4:5:6:7", "fe80::a:b"]) {
    t.deepEqual(decodeHost(encodeHost({ address, port: 7 })), { address, port: 7 });
  }
  t.is(decodeHost(encodeHost({ address: "1:0:0:2:3:0:0:4", port: 7 })).address, "1::2:3:0:0:4", "the first of equal runs");
  t.is(decodeHost(Buffer.from(`${"0".repeat(20)}ffff01020304${"0".repeat(8)}`, "hex")).address, "::ffff:1.2.3.4");
});

test("whatever is not an address and a port is refused", (t) => {
  const addresses = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1.2.3.-4",
    "1..2.3",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "12345::",
    "g::",
    "::1.2.3.256",
    "1.2.3.4::",
    "fe80::1%eth0",
    ":1",
    "1:",
  ];
  for (const address of addresses) t.throws(() => encodeHost({ address, port: 1 }), { code: "ERR_HOST_ILLEGAL" }, address);
  for (const port of [-1, 65536, 1.5, Number.NaN])
    t.throws(() => encodeHost({ address: "::1", port }), { code: "ERR_HOST_ILLEGAL" });
  t.throws(() => decodeHost(Buffer.alloc(9)), { code: "ERR_HOST_ILLEGAL", message: /length=9$/ });
});

test("a message id holds host and offset, up to 2^53", (t) => {
  for (const address of ["127.0.0.1", "2001:db8::1"]) {
    for (const physicalOffset of [0, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      const id = encodeMessageId(encodeHost({ address, port: 10911 }), physicalOffset);
      t.is(id.length, address.includes(":") ? 56 : 32);
      t.is(id, id.toUpperCase());
      t.deepEqual(decodeMessageId(id), { host: { address, port: 10911 }, physicalOffset });
      t.deepEqual(decodeMessageId(id.toLowerCase()), decodeMessageId(id));
    }
  }
  t.is(encodeMessageId(encodeHost({ address: "127.0.0.1", port: 10911 }), 266), "7F00000100002A9F000000000000010A");
});

test("whatever is not a message id is refused", (t) => {
  for (const id of ["", "7F", "G".repeat(32), "F".repeat(32), "0".repeat(31), "0".repeat(40), " ".repeat(32)]) {
    t.throws(() => decodeMessageId(id), { code: "ERR_MESSAGE_ID_ILLEGAL" }, id);
  }
});
