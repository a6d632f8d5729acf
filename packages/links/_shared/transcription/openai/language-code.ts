const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Languages that Whisper calls otherwise than `Intl` does, those `Intl` has no two letters for, and Whisper's other names. */
const NAMES: Readonly<Record<string, string>> = {
  bengali: "bn",
  burmese: "my",
  cantonese: "yue",
  castilian: "es",
  faroese: "fo",
  flemish: "nl",
  haitian: "ht",
  "haitian creole": "ht",
  hawaiian: "haw",
  kazakh: "kk",
  lao: "lo",
  letzeburgesch: "lb",
  mandarin: "zh",
  maori: "mi",
  moldavian: "ro",
  moldovan: "ro",
  myanmar: "my",
  nynorsk: "nn",
  occitan: "oc",
  panjabi: "pa",
  punjabi: "pa",
  pushto: "ps",
  sinhala: "si",
  sinhalese: "si",
  tagalog: "tl",
  valencian: "ca",
};

/** Codes that BCP 47 has replaced; Whisper writes the first of them. */
const OLD_CODES: Readonly<Record<string, string>> = { jw: "jv", iw: "he", in: "id", ji: "yi" };

/** The BCP 47 tag of a language that Whisper calls by its English name (`english`); an unknown name stays as it is. */
export function languageCode(name: string): string {
  const wanted = name.trim().toLowerCase();
  if (Object.hasOwn(NAMES, wanted)) return NAMES[wanted] ?? name;
  if (/^[a-z]{2,3}(-|$)/.test(wanted)) return OLD_CODES[wanted] ?? name.trim();
  const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
  for (const first of LETTERS)
    for (const second of LETTERS) {
      const code = `${first}${second}`;
      // old codes have the name of the one that took their place
      if (names.of(code)?.toLowerCase() === wanted) return Intl.getCanonicalLocales(code)[0] ?? code;
    }
  return name;
}
