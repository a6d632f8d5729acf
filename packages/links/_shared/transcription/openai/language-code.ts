const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The code of a language that Whisper calls by its English name (`english`); what is no such name stays as it is. */
export function languageCode(name: string): string {
  const wanted = name.trim().toLowerCase();
  if (/^[a-z]{2}(-|$)/.test(wanted)) return name.trim();
  const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
  for (const first of LETTERS)
    for (const second of LETTERS) {
      const code = `${first}${second}`;
      // old codes have the name of the one that took their place
      if (names.of(code)?.toLowerCase() === wanted) return Intl.getCanonicalLocales(code)[0] ?? code;
    }
  return name;
}
