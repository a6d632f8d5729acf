import type { Metadata } from "@grpc/grpc-js";

/** Who may use the server; everybody when nobody is named. */
export interface Access {
  /** Passwords by user. */
  readonly users?: Readonly<Record<string, string>>;
  /** API keys, as a cloud gives them. */
  readonly tokens?: readonly string[];
  /** Repeats a wrong password in its answer, as old releases do. */
  readonly repeatsPasswords?: boolean;
}

/** Why a call is not let in; `undefined` when it is. */
export function refusedBy(access: Access, metadata: Metadata): string | undefined {
  const { users = {}, tokens = [], repeatsPasswords = false } = access;
  if (Object.keys(users).length + tokens.length === 0) return undefined;
  const [header] = metadata.get("authorization");
  if (typeof header !== "string") return "missing authorization in header";
  const raw = Buffer.from(header, "base64").toString("utf8");
  if (tokens.includes(raw)) return undefined;
  const [user = "", password] = raw.split(/:(.*)/s);
  if (password === undefined) return "auth check failure, please check api key is correct";
  if (Object.hasOwn(users, user) && users[user] === password) return undefined;
  const said = repeatsPasswords
    ? `: expected=vaild username and password, actual=username: ${user}, password: ${password}`
    : "";
  return `auth check failure, please check username and password are correct${said}`;
}
