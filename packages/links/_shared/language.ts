/** Small words of a few languages, to tell them apart. Those that several have count for each of them. */
const SMALL_WORDS = {
  en: `a about all am an and any are as at be because been but by can could did do don't for from had has have he hello her
    here him his how i i'm if in is it it's its just know like me my no not now of on one or our out please she should so
    some thank thanks that that's the their them then there they this to up us was we were what when where which who will
    with would yes you your`,
  de: `aber als am an auch auf aus bei bin bitte da danke das dass dem den der des die doch ein eine einen er es für haben
    hallo hat ich ihr im in ist ja kann mein mit nach nein nicht noch oder sie sind so und uns von war was wenn wie wir zu`,
  fr: `au aussi avec bonjour ce cela ces cette dans de des du elle en est et il ils je la le les leur ma mais me merci mon
    ne non nous on ou oui par pas plus pour qu que qui sa se si son sont sur un une votre vous`,
  es: `al como con cuando de del el ella en es esta este esto está gracias hay hola la las le lo los me mi muy más no nos o
    para pero por porque que se si sin su sí también te tengo todo un una usted y ya yo`,
  it: `al anche buongiorno che chi ci come con cosa da dei del della di e ed gli grazie ha ho i il in io la le lei lo ma mi
    mio nel non o per perché più quando questo se si sono su un una è`,
  pt: `ao as com como da das de do dos e ela ele em eu foi isso já mais mas me meu minha muito na no não nos o obrigado os
    ou para pela por porque que se sem seu sua são também um uma você à é`,
  nl: `aan al als bij dank dat de deze die dit een en er geen goed heb heeft het hij hoe ik in is je kan maar me met mijn
    naar niet nog of om ook op te u van voor was wat we wel wij zijn`,
  sv: `att av de den det du ett en er för från han har hej hon hur i inte jag kan med men mig min mycket ni nu när och om
    på sig som så tack till ut var vi vad är`,
  da: `af at de den der det du dig en er et for fra han har hej hun hvad hvis i ikke jeg kan man med men mig min nu når og
    om på sig som så tak til var vi`,
  pl: `ale bo by być co czy dla do dziękuję dzień dobry go i ja jak jest jestem już ma mam mi mnie na nie o od po proszę są
    się ta tak to w z za że`,
} as const;

const LANGUAGES = Object.entries(SMALL_WORDS).map(([code, words]) => ({ code, words: new Set(words.split(/\s+/)) }));

/** Characters looked at: more would not change the answer. */
const ENOUGH = 20_000;
/** Share of small words below which a text is in none of these languages. */
const SHARE = 0.1;

/** Longer ones are no words of any language but keys and data. */
const LONGEST_WORD = 64;

/** The text without what are no words: web and mail addresses, tracking links, keys. */
export const withoutAddresses = (text: string): string =>
  text.replace(/\S+/g, (word) => (word.length > LONGEST_WORD || /:\/\/|@|^\W*www\./i.test(word) ? " " : word));

/** True for text in English, by its small words; a mixed one is in the language that most of it is in. */
export function isEnglish(text: string): boolean {
  const words =
    withoutAddresses(text)
      .slice(0, ENOUGH)
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{L}\p{M}]+(?:'\p{L}+)?/gu) ?? [];
  const counts = LANGUAGES.map(({ code, words: known }) => ({
    code,
    hits: words.filter((word) => known.has(word)).length,
  }));
  const english = counts.find(({ code }) => code === "en")?.hits ?? 0;
  const others = Math.max(...counts.map(({ code, hits }) => (code === "en" ? 0 : hits)));
  return english > others && english >= words.length * SHARE;
}

/** Whether a language tag or name, such as a transcript carries, means English; nothing said counts as yes. */
export const mayBeEnglish = (language: string | undefined): boolean =>
  language === undefined || /^(?:en|eng|english|und)?(?:$|[^a-z])/i.test(language.trim());
