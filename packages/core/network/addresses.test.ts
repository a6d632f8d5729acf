import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressRule, checkNetwork } from "./addresses.ts";

const publicOnly = addressRule([]);

/** Every network that is not public, at its edges, and the public address right beside it where there is one. */
type Edges = readonly [first: string, last: string, before: string | undefined, after: string | undefined];
const EDGES: readonly Edges[] = [
  ["0.0.0.0", "0.255.255.255", undefined, "1.0.0.0"],
  ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
  ["127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
  ["168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"],
  ["169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
  ["172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
  ["192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
  ["192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
  ["192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
  ["192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
  ["198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
  ["198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
  ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
  ["224.0.0.0", "255.255.255.255", "223.255.255.255", undefined],
  ["::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined, undefined],
  ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff:ffff::", "2001:200::"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"],
  ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff::", "2003::"],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::", "3fff:1000::"],
  ["4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined],
];

test.each(EDGES)("%s to %s is refused, what lies beside it is not", (first, last, before, after) => {
  for (const address of [first, last]) expect(publicOnly.allows(address), address).toBe(false);
  for (const address of [before, after])
    if (address !== undefined) expect(publicOnly.allows(address), address).toBe(true);
});

test.each([
  ["::1", "this machine"],
  ["::127.0.0.1", "IPv4-compatible"],
  ["::8.8.8.8", "IPv4-compatible, which nobody routes"],
  ["::ffff:127.0.0.1", "mapped"],
  ["::FFFF:7F00:1", "mapped, in hex"],
  ["0:0:0:0:0:ffff:10.1.2.3", "mapped, in full"],
  ["::ffff:0:10.1.2.3", "translated"],
  ["64:ff9b::169.254.169.254", "NAT64"],
  ["64:ff9b::a9fe:a9fe", "NAT64, in hex"],
  ["64:ff9b:1::8.8.8.8", "NAT64 of a network's own"],
  ["2002:7f00:1::1", "6to4"],
  ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"],
  ["fd00:ec2::254", "metadata of a cloud"],
  ["fd20:ce::254", "metadata of another cloud"],
  ["fe80::1%eth0", "link-local with a zone"],
  ["fec0::1", "site-local"],
  ["ff02::1", "multicast"],
  ["100::1", "discard"],
  ["5f00::1", "segment routing"],
  ["100.100.100.200", "metadata of a third cloud"],
])("%s is refused: %s", (address) => {
  expect(publicOnly.allows(address)).toBe(false);
});

test.each([
  "8.8.8.8",
  "1.1.1.1",
  "::ffff:8.8.8.8",
  "64:ff9b::808:808",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
])("%s is reached", (address) => {
  expect(publicOnly.allows(address)).toBe(true);
});

test.each([
  "",
  "localhost",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "0x7f.0.0.1",
  "2130706433",
  "[::1]",
  "::g",
  "8.8.8.8/32",
  " 8.8.8.8",
])("%j is no address and is not reached, whatever is allowed", (text) => {
  expect(addressRule(["0.0.0.0/0", "::/0"]).allows(text)).toBe(false);
});

describe("networks that are allowed", () => {
  const rule = addressRule(["10.1.0.0/16", "192.168.7.9", "fd00:1::/32", "fe80::/10"]);

  test.each([
    "10.1.0.0",
    "10.1.255.255",
    "192.168.7.9",
    "::ffff:10.1.2.3",
    "64:ff9b::10.1.2.3",
    "fd00:1::5",
    "fe80::1%lo",
  ])("reach %s", (address) => {
    expect(rule.allows(address)).toBe(true);
  });

  test.each([
    "10.2.0.0",
    "10.0.255.255",
    "192.168.7.8",
    "192.168.7.10",
    "::ffff:10.2.0.0",
    "fd00:2::5",
    "127.0.0.1",
    "::1",
  ])("do not reach %s", (address) => {
    expect(rule.allows(address)).toBe(false);
  });

  test("of one family say nothing about the other", () => {
    expect(addressRule(["::/0"]).allows("10.0.0.1")).toBe(false);
    expect(addressRule(["::/0"]).allows("fd00::1")).toBe(true);
    expect(addressRule(["0.0.0.0/0"]).allows("fd00::1")).toBe(false);
    expect(addressRule(["0.0.0.0/0"]).allows("::ffff:10.0.0.1")).toBe(true);
  });
});

const ipv4 = fc.ipV4();
const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
const inFull = (parts: readonly number[]) => parts.map((part) => part.toString(16)).join(":");

describe("whatever the address", () => {
  test("a mapped one is as its IPv4 address is", () => {
    fc.assert(
      fc.property(ipv4, (address) => {
        expect(publicOnly.allows(`::ffff:${address}`)).toBe(publicOnly.allows(address));
        expect(publicOnly.allows(`64:ff9b::${address}`)).toBe(publicOnly.allows(address));
      }),
    );
  });

  test("the spelling of an IPv6 address changes nothing", () => {
    fc.assert(
      fc.property(groups, fc.array(fc.nat({ max: 7 })), (parts, zeros) => {
        const some = parts.map((part, at) => (zeros.includes(at) ? 0 : part));
        const full = inFull(some);
        const [high = 0, low = 0] = some.slice(6);
        const dotted = `${inFull(some.slice(0, 6))}:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
        const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
        const verdicts = [full, full.toUpperCase(), dotted, short, `${full}%zone`].map(publicOnly.allows);
        expect(new Set(verdicts).size, short).toBe(1);
      }),
    );
  });

  test("only 2000::/3 is public IPv6", () => {
    fc.assert(
      fc.property(groups, (parts) => {
        const [first = 0] = parts;
        if (first >> 13 !== 1 && first !== 0x64) expect(publicOnly.allows(inFull(parts))).toBe(false);
      }),
    );
  });

  test("an allowed network holds what Node says it holds", () => {
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 0, max: 32 }), ipv4, (base, bits, address) => {
        const list = new BlockList();
        list.addSubnet(base, bits, "ipv4");
        const expected = list.check(address) || publicOnly.allows(address);
        expect(addressRule([`${base}/${bits}`]).allows(address)).toBe(expected);
      }),
    );
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 128 }), fc.nat({ max: 7 }), groups, (base, bits, same, other) => {
        const address = inFull([...base.slice(0, same), ...other.slice(same)]);
        const list = new BlockList();
        list.addSubnet(inFull(base), bits, "ipv6");
        const expected = list.check(address, "ipv6") || publicOnly.allows(address);
        expect(addressRule([`${inFull(base)}/${bits}`]).allows(address)).toBe(expected);
      }),
    );
  });

  test("any text gets a verdict", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(publicOnly.allows(text)).toBeTypeOf("boolean");
      }),
    );
  });
});

describe("the setting", () => {
  test.each(["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "fd00::/8", "::1", "::/0", "fd00::1/128"])("takes %s", (text) => {
    expect(() => checkNetwork(text)).not.toThrow();
  });

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "fd00::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "fe80::1%eth0/64",
    "intranet",
    "10.0.0.0/8 ",
  ])("refuses %j and says what it takes", (text) => {
    expect(() => checkNetwork(text)).toThrow(/10\.0\.0\.0\/8 or fd00::\/8/);
  });
});
