// Package synth writes the made part of the corpus that the prompt-attack
// classifier is trained with: texts that try to take a model over, and texts
// that look like it and do not.
//
// A classifier that learns from a few collections learns the collections. What
// is written here is breadth: the same attack in many words, registers, lengths
// and languages, and beside it benign texts made of the same words. The texts
// come from grammars, one file per family in grammar/<language>, in which a
// rule has alternatives, and an alternative has slots that other rules fill.
//
// The data's way: [Rows] draws a group of rows, a root of a grammar is expanded,
// and the result stands alone, or is laid into a [Carrier] beside the same
// carrier without it and the same carrier with a harmless sentence in its place.
// So neither the carrier nor the place tells the label. Last, some texts of both
// labels get typing errors and other noise.
//
// It leaves to the trainer where carriers come from and what is made of the
// rows. Start reading at [Rows], then grammar.go for the format of the files.
package synth
