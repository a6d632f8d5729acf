const ONE_HOST = "must name one host: give several a name or a proxy in front that leads to the primary";

/** Returns the fault of a `postgres://` URL; never repeats any of it, since it may hold a password. */
export function urlFault(url: string): string | undefined {
  if (!/^postgres(?:ql)?:\/\//.test(url)) return "must begin with postgres://";
  if (/[?&]ssl/.test(url)) return "must not set TLS: use the options ssl, ssl_ca, ssl_cert and ssl_key";
  const [, authority = ""] = /^[^:]+:\/\/(?:[^/?]*@)?([^/?#]*)/.exec(url) ?? [];
  if (authority.includes(",") || /[?&]host=[^&#]*(?:,|%2C)/i.test(url)) return ONE_HOST;
  if (!URL.canParse(url)) return UNREADABLE;
  const { username, password, pathname } = new URL(url);
  return [username, password, pathname].every(isDecodable) ? undefined : UNREADABLE;
}

const UNREADABLE =
  "is no URL that can be read: write @ : / ? # % of users and passwords as %40 %3A %2F %3F %23 %25, and the port as a number";

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the fault of a server's name. */
export function hostFault(host: string): string | undefined {
  if (host.includes(",")) return ONE_HOST;
  if (host.includes("://")) return "must be a name or address: an address with a scheme is written as the option url";
  return /^[^:/]+:\d+$/.test(host) ? "must be a name or address without its port: that is the option port" : undefined;
}
