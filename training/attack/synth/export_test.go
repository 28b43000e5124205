package synth

// Check reads a grammar and looks whether its slots can be filled.
func Check(text string) error {
	f, err := read(text, "en", nil)
	if err != nil {
		return err
	}
	return f.check()
}

// Expand returns a text of each root of a grammar.
func Expand(text string, seed uint64) ([]string, error) {
	f, err := read(text, "en", nil)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range f.roots {
		out = append(out, f.roots[i].expand(newRand(seed, uint64(i))))
	}
	return out, nil
}
