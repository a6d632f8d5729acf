import { BlockList, isIP } from "node:net";

/** Addresses that are not of the public internet: this machine, private networks, link-local with its metadata services. */
const NOT_PUBLIC: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
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
  "::/127",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

/** IPv6 networks whose addresses carry an IPv4 address, and the position of its first group. */
const CARRIERS = [
  ["::ffff:0:0/96", 6],
  ["::ffff:0:0:0/96", 6],
  ["::/96", 6],
  ["64:ff9b::/96", 6],
  ["2002::/16", 1],
] as const;

/** Decides which addresses may be connected to. */
export interface AddressRule {
  /** Whether the address, in any notation Node gives it, may be reached. */
  allows(address: string): boolean;
}

/** Public addresses, and those in `allowed` networks (`10.0.0.0/8`, `fd00::/8`, a single address). */
export function addressRule(allowed: readonly string[]): AddressRule {
  const [refused, exceptions] = [blockList(NOT_PUBLIC), blockList(allowed)];
  const isRefused = (address: string): boolean => {
    const plain = plainAddress(address);
    return contains(refused, plain) && !contains(exceptions, plain) && !contains(exceptions, address);
  };
  return { allows: (address) => isIP(address) !== 0 && !isRefused(address.replace(/%.*$/, "")) };
}

/** Throws an error that says what is wrong when the text is neither an address nor a network. */
export function checkNetwork(text: string): void {
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const whole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (version === 0 || !whole || more.length > 0)
    throw new Error("set it to addresses and networks such as 10.0.0.0/8 or fd00::/8, separated by commas");
}

/** The IPv4 address that an IPv6 address carries, or the address itself. */
export function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const carrier = CARRIERS.find(([network]) => contains(blockList([network]), address));
  if (!carrier) return address;
  const [high = 0, low = 0] = groupsOf(address).slice(carrier[1], carrier[1] + 2);
  // `::` and `::1` are addresses of their own
  if (carrier[0] === "::/96" && high === 0 && low <= 1) return address;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const [family, most] = isIP(address) === 6 ? (["ipv6", 128] as const) : (["ipv4", 32] as const);
    list.addSubnet(address, bits === undefined ? most : Number(bits), family);
  }
  return list;
}

const contains = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const withHex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [head = [], tail = []] = withHex.split("::").map((half) => half.split(":").filter(Boolean));
  const gap = withHex.includes("::") ? 8 - head.length - tail.length : 0;
  return [...head, ...Array.from({ length: gap }, () => "0"), ...tail].map((group) => Number.parseInt(group, 16));
}
