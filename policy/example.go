package policy

import "embed"

//go:embed example
var exampleFiles embed.FS

// Example returns the files of a bundle to begin with.
func Example() []File {
	var out []File
	for _, name := range []string{"starter.cedar", "entities.json", "starter.test.yaml"} {
		data, err := exampleFiles.ReadFile("example/" + name)
		if err != nil {
			// bug: the files are a part of the program, and a test reads them
			panic(err)
		}
		out = append(out, File{name, data})
	}
	return out
}
