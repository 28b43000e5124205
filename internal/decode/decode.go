// Package decode undoes disguises of text: encodings, ciphers, invisible
// characters, look-alike letters, letters apart, hidden markup. A reader who
// undoes none of them does not see what a model sees; one who undoes them
// without bounds can be kept busy for ever.
//
// [Table] is the one list of converters. Each goes both ways, so that who
// attacks (forward) and who looks (backward) cannot drift apart. A decoder finds
// the disguised parts of a text by itself, replaces them where they stand and
// leaves the rest as it was.
//
// [Find] applies the table again and again, within bounds, and returns views of
// the text: each with a map back to the bytes as given, and with how strange it
// is to find such a disguise in an ordinary text. One reading of the text tells
// beforehand which converters are worth asking; an ordinary text asks none.
//
// Promises of every Decode in the table: it is a pure function, safe for
// concurrent use; its result is at most four times as long as its input plus
// 16 KiB; its time grows in proportion to its input. A decoder notices nothing
// and decides nothing: a changed text is no evidence of an attack.
//
// Start reading at [Converter], then [Find].
package decode

// Converter is one disguise and how to undo it.
type Converter struct {
	// Name is stable, in lower kebab-case: "base64".
	Name string
	// Reason is what a finding about the disguise itself is called: several
	// converters may share one.
	Reason string
	// Weight is how strange it is to find the disguise in an ordinary text, 0 to
	// 1. A view may tell less or more, by where the disguise is.
	Weight float64
	// Respells says that letters of words are changed, moved or parted: what is
	// undone reads as words again, and numbers and codes do not survive it.
	Respells bool
	// Encode disguises all of text. Ciphers of letters are undone only in texts
	// that hold common words, because nothing else tells them from honest text;
	// some alphabets lose the case of letters.
	Encode func(text string) string

	undo  func(*splice)
	needs feature // any of these; 0: another converter undoes it
	looks bool    // changes how letters look: undone together with others
	wide  bool    // character by character: a view keeps more around it
}

// Decode replaces the disguised parts of text with what they hide. It returns
// text itself and false when it finds none.
func (c Converter) Decode(text string) (string, bool) {
	s := splice{text: text, whole: true}
	c.undo(&s)
	if !s.found() {
		return text, false
	}
	return s.result(), true
}

// Table lists the converters: first what hides characters or changes how they
// look, then encodings, then ciphers, then habits of writing, then markup.
var Table = []Converter{
	{Name: "tags", Reason: "unicode-tags", Weight: .95, Encode: encodeTags, undo: undoTags, needs: fTag, looks: true},
	{Name: "variation-selectors", Reason: "variation-selectors", Weight: .95, Encode: encodeSelectors, undo: undoSelectors, needs: fSelector, looks: true},
	{Name: "sneaky-bits", Reason: "invisible-bits", Weight: .95, Encode: encodeSneaky, undo: undoSneaky, needs: fSneaky, looks: true},
	{Name: "backspace", Reason: "erased-characters", Weight: .7, Encode: encodeErase, undo: undoErase, needs: fErase, looks: true},
	{Name: "terminal-escape", Reason: "terminal-escapes", Weight: .05, Encode: encodeTerminal, undo: undoTerminal, needs: fTerminal, looks: true},
	{Name: "bidi-override", Reason: "bidi-override", Weight: .8, Encode: encodeBidi, undo: undoBidi, needs: fBidi, looks: true},
	{Name: "zero-width", Reason: "invisible-characters", Weight: inWord, Encode: encodeZeroWidth, undo: undoHidden, needs: fHidden, looks: true},
	{Name: "soft-hyphen", Reason: "invisible-characters", Weight: hyphened, Encode: func(s string) string { return encodeWith(s, "\u00AD") }, undo: undoHidden},
	{Name: "zalgo", Reason: "combining-marks", Weight: .5, Encode: encodeMarks, undo: undoMarks, needs: fMarks, looks: true},
	{Name: "arabic-forms", Reason: "presentation-forms", Weight: 0, Encode: encodeForms, undo: undoForms, needs: fForms, looks: true},
	{Name: "full-width", Reason: "styled-letters", Weight: styledLetters, Encode: encodeWidth, undo: undoStyled, needs: fStyled, looks: true},
	{Name: "mathematical", Reason: "styled-letters", Weight: styledLetters, Encode: encodeLetters(0x1D400, 0x1D41A), undo: undoStyled},
	{Name: "enclosed", Reason: "styled-letters", Weight: styledLetters, Encode: encodeLetters(0x24B6, 0x24D0), undo: undoStyled},
	{Name: "small-capitals", Reason: "styled-letters", Weight: styledLetters, Encode: encodeSmallCaps, undo: undoStyled},
	{Name: "regional-indicators", Reason: "styled-letters", Weight: styledLetters, Encode: encodeLetters(regionalA, regionalA), undo: undoStyled},
	{Name: "upside-down", Reason: "upside-down-letters", Respells: true, Weight: .7, Encode: encodeTurned, undo: undoTurned, needs: fTurned, looks: true},
	{Name: "homoglyph", Reason: "mixed-scripts", Weight: .8, Encode: encodeHomoglyph, undo: undoAlike, needs: fAlike, looks: true},

	{Name: "base64", Reason: "encoded-text", Weight: .1, Encode: encodeBase64, undo: stdRun.undo, needs: fRun},
	{Name: "base64-url", Reason: "encoded-text", Weight: .1, Encode: encodeBase64URL, undo: urlRun.undo, needs: fRun},
	{Name: "base64-groups", Reason: "encoded-text", Weight: .3, Encode: encodeGroups, undo: undoGroups, needs: fGroups},
	{Name: "base64-reversed", Reason: "encoded-text", Weight: .5, Encode: encodeBackward, undo: undoBackward, needs: fRunBack},
	{Name: "base32", Reason: "encoded-text", Weight: .2, Encode: encodeBase32, undo: base32Run.undo, needs: fRun32},
	{Name: "base32-hex", Reason: "encoded-text", Weight: .2, Encode: encodeBase32Hex, undo: base32HexRun.undo, needs: fRun32},
	{Name: "hex", Reason: "encoded-text", Weight: .1, Encode: encodeHex, undo: undoHex, needs: fPairs},
	{Name: "base58", Reason: "encoded-text", Weight: .2, Encode: encodeBase58, undo: base58Run.undo, needs: fRun58},
	{Name: "ascii85", Reason: "encoded-text", Weight: .3, Encode: encodeASCII85, undo: undoASCII85, needs: fSymbols},
	{Name: "base85", Reason: "encoded-text", Weight: .3, Encode: encodeBase85, undo: undoBase85, needs: fSymbols},
	{Name: "gzip", Reason: "compressed-text", Weight: .3, Encode: encodePacked, undo: undoPacked, needs: fRun},
	{Name: "uuencode", Reason: "encoded-text", Weight: .2, Encode: encodeUU, undo: undoUU, needs: fBegin},
	{Name: "percent", Reason: "escaped-text", Weight: 0, Encode: encodePercent, undo: undoPercent, needs: fPercent, wide: true},
	{Name: "html-entity", Reason: "escaped-text", Weight: 0, Encode: encodeHTML, undo: undoHTML, needs: fEntity, wide: true},
	{Name: "quoted-printable", Reason: "escaped-text", Weight: 0, Encode: encodeQuoted, undo: undoQuoted, needs: fEquals, wide: true},
	{Name: "unicode-escape", Reason: "escaped-text", Weight: .05, Encode: encodeUnicodeEscape, undo: undoUnicodeEscape, needs: fEscape, wide: true},
	{Name: "hex-escape", Reason: "escaped-text", Weight: .1, Encode: encodeHexEscape, undo: undoHexEscape, needs: fEscape, wide: true},
	{Name: "string-escape", Reason: "escaped-text", Weight: 0, Encode: encodeStringEscape, undo: undoStringEscape, needs: fEscape, wide: true},
	{Name: "binary", Reason: "letters-as-numbers", Respells: true, Weight: .4, Encode: encodeBinary, undo: undoBinary, needs: fNumbers | fBits},
	{Name: "octal", Reason: "letters-as-numbers", Respells: true, Weight: .4, Encode: encodeOctal, undo: undoOctal, needs: fNumbers},
	{Name: "decimal", Reason: "letters-as-numbers", Respells: true, Weight: .3, Encode: encodeDecimal, undo: undoDecimal, needs: fNumbers},
	{Name: "letter-numbers", Reason: "letters-as-numbers", Respells: true, Weight: .4, Encode: encodeLetterNumbers, undo: undoLetterNumbers, needs: fNumbers, wide: true},
	{Name: "tap-code", Reason: "letters-as-symbols", Respells: true, Weight: .6, Encode: encodeTap, undo: undoTap, needs: fNumbers | fDots, wide: true},
	{Name: "morse", Reason: "letters-as-symbols", Respells: true, Weight: .4, Encode: encodeMorse, undo: undoMorse, needs: fDots},
	{Name: "braille", Reason: "letters-as-symbols", Respells: true, Weight: .2, Encode: encodeBraille, undo: undoBraille, needs: fBraille, wide: true},
	{Name: "nato", Reason: "letters-as-words", Respells: true, Weight: .3, Encode: encodeNATO, undo: undoNATO, needs: fNames},

	{Name: "rot13", Reason: "letter-cipher", Respells: true, Weight: .6, Encode: encodeRot13, undo: undoRot13, needs: fShifted, wide: true},
	{Name: "rot47", Reason: "letter-cipher", Respells: true, Weight: .7, Encode: encodeRot47, undo: undoRot47, needs: fRot47, wide: true},
	{Name: "caesar", Reason: "letter-cipher", Respells: true, Weight: .7, Encode: encodeCaesar, undo: undoCaesar, needs: fShifted, wide: true},
	{Name: "atbash", Reason: "letter-cipher", Respells: true, Weight: .7, Encode: encodeAtbash, undo: undoAtbash, needs: fAtbash, wide: true},
	{Name: "reversed", Reason: "reversed-text", Respells: true, Weight: .6, Encode: encodeReversed, undo: undoReversed, needs: fBackward, wide: true},
	{Name: "flipped-words", Reason: "reversed-text", Respells: true, Weight: .6, Encode: encodeFlipped, undo: undoFlipped, needs: fBackward, wide: true},

	{Name: "spaced", Reason: "letters-apart", Respells: true, Weight: rareApart, Encode: encodeApart, undo: undoApart, needs: fApart, wide: true},
	{Name: "dashed", Reason: "letters-apart", Respells: true, Weight: rareApart, Encode: encodeDashed, undo: undoApart},
	{Name: "leet", Reason: "leet", Respells: true, Weight: .4, Encode: encodeLeet, undo: undoLeet, needs: fSigns, wide: true},
	{Name: "pig-latin", Reason: "pig-latin", Respells: true, Weight: .6, Encode: encodePigLatin, undo: undoPigLatin, needs: fPig, wide: true},
	{Name: "camel-case", Reason: "words-joined", Respells: true, Weight: named, Encode: encodeCamel, undo: undoJoined, needs: fJoined, wide: true},
	{Name: "snake-case", Reason: "words-joined", Respells: true, Weight: named, Encode: encodeSnake, undo: undoJoined},
	{Name: "squeezed", Reason: "words-joined", Respells: true, Weight: squeezed, Encode: encodeSqueezed, undo: undoJoined},

	{Name: "string-pieces", Reason: "split-words", Weight: .1, Encode: encodePieces, undo: undoPieces, needs: fPieces, wide: true},
	{Name: "tag-in-word", Reason: "split-words", Weight: splitWord, Encode: encodeTagged, undo: undoTagged, needs: fMarkup, wide: true},
	{Name: "html-comment", Reason: "hidden-markup", Weight: comment, Encode: encodeComment, undo: undoComment, needs: fMarkup},
	{Name: "html-hidden", Reason: "hidden-markup", Weight: notShown, Encode: encodeNotShown, undo: undoNotShown, needs: fMarkup},
	{Name: "html-attribute", Reason: "hidden-markup", Weight: aside, Encode: encodeAttribute, undo: undoAttributes, needs: fMarkup},
	{Name: "markdown-hidden", Reason: "hidden-markup", Weight: footless, Encode: encodeMarkdown, undo: undoMarkdown, needs: fLinks},
}

// Named returns the converter of that name.
func Named(name string) (Converter, bool) {
	for _, c := range Table {
		if c.Name == name {
			return c, true
		}
	}
	return Converter{}, false
}
