// Package synth makes texts for the training of the content classifier: made-up
// requests, posts, answers and documents that are hateful, insulting, sexual,
// violent, criminal or about harming oneself, and as many that use the same words
// for something that is fine.
//
// Corpora of posts know insults well and hardly any harmful requests; and what
// is learnt from one source alone is its manner of speaking. The texts here vary
// the manner: each is a template in texts/*.txt, filled by chance from lists that
// both sides share, so that a word alone tells nothing. frames.txt holds what can
// be asked about any deed, good or bad, and is read once for each category; a file
// named after a language holds all categories in that language. Some texts stand
// among others or in a role (long.txt), and some are written carelessly, good and
// bad ones alike. The first two words of a group are the kind and the language of
// its texts, then come labels; "?hate" says that it is not known whether they hate.
//
// No text says how something is done: it names the thing, as people do who ask
// for it, and what an obliging model begins to answer ends before it helps.
//
// Rows is where to start reading; Grammar reads the templates and knows nothing
// about categories. What is learnt from the rows, and from which others, is left
// to the trainer.
package synth
