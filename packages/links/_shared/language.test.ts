import { expect, test } from "vitest";
import { isEnglish, mayBeEnglish, withoutAddresses } from "./language.ts";

test.each([
  "Hello, my parcel should have come on Monday. Where is it?",
  "so i called them and they said it was not their problem",
  "Refund please",
  "It’s in the van",
  "THE INVOICE IS WRONG",
])("%j is English", (text) => expect(isEnglish(text)).toBe(true));

test.each([
  ["German", "Hallo, mein Paket sollte am Montag kommen. Wo ist es? Ich warte schon seit drei Wochen in der Stadt."],
  ["German with shared words", "Was will er in der Stadt? So war es, am Ende."],
  ["French", "Bonjour, mon colis devait arriver lundi. Où est-il? Je vous remercie de votre aide."],
  ["Spanish", "Hola, mi paquete tenía que llegar el lunes. ¿Dónde está? Me gustaría hablar con usted."],
  ["Portuguese", "Olá, a minha encomenda devia ter chegado na segunda-feira. Onde é que ela está?"],
  ["Italian", "Buongiorno, il mio pacco doveva arrivare lunedì. Dove si trova? Grazie per l'aiuto."],
  ["Dutch", "Hallo, mijn pakket had maandag moeten komen. Waar is het? Ik wacht al drie weken in de stad."],
  ["Swedish", "Hej, mitt paket skulle ha kommit i måndags. Var är det? Jag har väntat i tre veckor."],
  ["Danish", "Hej, min pakke skulle være kommet i mandags. Hvor er den? Jeg har ventet i tre uger."],
  ["Polish", "Dzień dobry, moja paczka miała przyjść w poniedziałek. Gdzie ona jest? Czekam już trzy tygodnie."],
  ["Finnish", "Hei, pakettini piti tulla maanantaina. Missä se on? Olen odottanut jo kolme viikkoa."],
  ["Turkish", "Merhaba, paketim pazartesi günü gelecekti. Nerede acaba? Üç haftadır bekliyorum."],
  ["Indonesian", "Halo, paket saya seharusnya datang hari Senin. Di mana barangnya? Saya sudah menunggu."],
  ["Russian", "Здравствуйте, моя посылка должна была прийти в понедельник. Где она?"],
  ["Japanese", "こんにちは、荷物は月曜日に届くはずでした。どこにありますか。"],
  ["Arabic", "مرحبا، كان من المفترض أن يصل طردي يوم الاثنين. أين هو؟"],
  ["numbers", "4711 0815 88231"],
  ["nothing", ""],
  ["data", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo= zz9 xk q8"],
])("%s is not", (_, text) => expect(isEnglish(text)).toBe(false));

test("a mixed text counts as what most of it is", () => {
  const german = "Das ist nicht so gut, ich bin mit dem Paket nicht zufrieden und will mein Geld.";
  expect(
    isEnglish(`${german} I will call you later. That is all I can do for you now, and it was not my idea to do so.`),
  ).toBe(true);
  expect(isEnglish(`${german} ${german} I will call you later.`)).toBe(false);
});

test("languages as transcripts name them", () => {
  for (const language of [undefined, "", "en", "EN-us", "en_GB", "eng", "English", "und"])
    expect(mayBeEnglish(language), language).toBe(true);
  for (const language of ["de", "es-419", "enm", "german", "zh"]) expect(mayBeEnglish(language), language).toBe(false);
});

test("addresses, links and keys are no words", () => {
  const link = `https://links.example/c?t=${"k7.PwLzQdRbTgHsVnMc-92XfYjEaKu41Bo_88SiWrDeGvNqZt".repeat(8)}`;
  const mail = `Your parcel is delayed.\n\nFollow it ( ${link} )\n\nUnsubscribe ( ${link} )`;
  expect(isEnglish(mail)).toBe(true);
  expect(withoutAddresses(`(www.example.com) ask ann@example.com ${"x".repeat(65)} now`).split(/\s+/)).toEqual([
    "",
    "ask",
    "now",
  ]);
});
