const list = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** Lemmas that conversations are full of, whatever they are about. */
export const SMALL_TALK = list(`
  able afternoon ahead alright anyone anything appreciate ask assist assistance awesome bear begin bet bit bring bye call
  certain chat check come confirm correct course day do evening everyone everything excellent fair feel find fine folk
  forward gentleman get give glad go gonna good goodbye gotta great guess guy happen happy have hear hello help hey hi hmm
  hold hope inconvenience just keep kind know lady let like likely listen little look lot lovely ma'am madam make maybe
  mean mhm mind miss mister moment morning mr mr. mrs mrs. ms ms. need new nice night nobody nothing ok okay other
  patience people perfect place please pleasure pm point pretty provide put quick quite read ready real really regard
  regards remember right run sake say see seem sincerely sir sorry somebody someone something sort speak start stuff super
  suppose sure take talk tell thank thanks think today tomorrow tonight touch try turn uh um understand use verify want way
  welcome well wonderful word work wow yeah yep yes yesterday`);

/** Lemmas that say something only together with others: "tracking number". */
export const UNSPECIFIC = list(`
  amount april august case couple date december detail end example fact february first friday half hour idea information
  january july june last list march may minute monday month name next november number october one part person question
  reason saturday second september side sunday thing third thursday time tuesday wednesday week weekend year`);
