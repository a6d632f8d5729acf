import { isIP } from "node:net";

/** IPv4 networks that are not of the public internet: this machine, private networks, link-local, metadata services. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** The public internet is within 2000::/3: everything around it, and what is special inside. */
const SPECIAL_IPV6 = ["::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** IPv6 networks that stand for all of IPv4: mapped addresses, and NAT64 where a network has no IPv4 of its own. */
const CARRIERS = ["::ffff:0:0/96", "64:ff9b::/96"];

/** Decides which addresses may be connected to. */
export interface AddressRule {
  /** Whether the address, in any notation Node gives it, may be reached. */
  allows(address: string): boolean;
}

interface Address {
  readonly version: number;
  readonly value: bigint;
}

interface Network extends Address {
  /** How many of the last bits tell its addresses apart. */
  readonly free: bigint;
}

/** Public addresses, and those in `allowed` networks (`10.0.0.0/8`, `fd00::/8`, a single address). */
export function addressRule(allowed: readonly string[]): AddressRule {
  const special = networksOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
  const exceptions = networksOf(allowed);
  const carriers = networksOf(CARRIERS);
  return {
    allows(text) {
      const address = addressOf(text.replace(/%.*$/, ""));
      if (!address) return false;
      const plain = isIn(carriers, address) ? { version: 4, value: address.value & 0xffff_ffffn } : address;
      return isIn(exceptions, plain) || isIn(exceptions, address) || !isIn(special, plain);
    },
  };
}

/** Throws an error that says what is wrong when the text is neither an address nor a network. */
export function checkNetwork(text: string): void {
  if (!networkOf(text))
    throw new Error("set it to addresses and networks such as 10.0.0.0/8 or fd00::/8, separated by commas");
}

const networksOf = (texts: readonly string[]): readonly Network[] =>
  texts.map(networkOf).filter((network) => network !== undefined);

const isIn = (networks: readonly Network[], { version, value }: Address): boolean =>
  networks.some((network) => network.version === version && network.value >> network.free === value >> network.free);

function networkOf(text: string): Network | undefined {
  const [, base = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = addressOf(base);
  if (!address) return undefined;
  const width = address.version === 4 ? 32 : 128;
  const fixed = length === undefined ? width : Number(length);
  return fixed > width ? undefined : { ...address, free: BigInt(width - fixed) };
}

function addressOf(text: string): Address | undefined {
  const version = text.includes("%") ? 0 : isIP(text);
  if (version === 0) return undefined;
  return { version, value: version === 4 ? joined(text.split(".").map(Number), 8) : joined(groupsOf(text), 16) };
}

const joined = (parts: readonly number[], bits: number): bigint =>
  parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n);

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = [], tail = []] = hex.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}
