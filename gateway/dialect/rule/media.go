package rule

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Kinds of what is shown beside text. Other is what nobody here knows: no rule that
// names kinds lets it pass.
const (
	image    = "image"
	document = "document"
	audio    = "audio"
	video    = "video"
	other    = "other"
)

// seeing is told of what is shown, and where.
type seeing func(kind string, v jsonedit.Value, path string) error

// partKinds are the types of parts of OpenAI's and Anthropic's APIs: "" is text, or
// what is read as such.
var partKinds = map[string]string{
	"text": "", "refusal": "", "input_text": "", "output_text": "", "summary_text": "", "reasoning_text": "", "tool_use": "", "server_tool_use": "",
	"mcp_tool_use": "", "thinking": "", "redacted_thinking": "", "search_result": "", "tool_reference": "", "web_search_result": "", "encrypted_content": "",
	"image_url": image, "input_image": image, "image": image, "computer_screenshot": image, "screenshot": image,
	"input_audio": audio, "audio": audio, "video_url": video, "video": video, "input_video": video,
	"file": document, "input_file": document, "document": document, "container_upload": document,
}

// parts sees what stands in v, a list of parts, and inside of these.
func parts(v jsonedit.Value, path string, see seeing) error {
	for i, p := range v.Elems() {
		if err := part(p, path+"/"+strconv.Itoa(i), see); err != nil {
			return err
		}
	}
	return nil
}

// part sees a part that has a type, or is a block of Converse, named by its member.
func part(v jsonedit.Value, path string, see seeing) error {
	if v.Kind() != jsonedit.Object {
		return nil
	}
	t := v.Get("type")
	if !t.Exists() {
		return block(v, path, see)
	}
	kind, known := partKinds[t.Text()]
	if strings.HasSuffix(t.Text(), "tool_result") {
		kind, known = "", true
	}
	if !known {
		kind = other
	}
	if kind != "" {
		return see(kind, v, path)
	}
	return parts(v.Get("content"), path+"/content", see)
}

// blockKinds are the members of a block of Converse.
var blockKinds = map[string]string{
	"text": "", "toolUse": "", "guardContent": "", "cachePoint": "", "reasoningContent": "", "searchResult": "", "citationsContent": "", "json": "",
	"toolResult": "", "cache_control": "", "image": image, "document": document, "video": video, "audio": audio,
}

func block(v jsonedit.Value, path string, see seeing) error {
	for key, m := range v.Members() {
		kind, known := blockKinds[key]
		if !known {
			kind = other
		}
		at := path + "/" + clip(key)
		if kind != "" {
			if err := see(kind, v, at); err != nil {
				return err
			}
		}
		if key == "guardContent" {
			if err := block(m, at, see); err != nil {
				return err
			}
		}
		if key == "toolResult" {
			if err := parts(m.Get("content"), at+"/content", see); err != nil {
				return err
			}
		}
	}
	return nil
}

// chatMedia sees what chat completions show.
func chatMedia(l *look, see func(string, jsonedit.Value, string) error) error {
	for i, m := range l.root.Get("messages").Elems() {
		at := "/messages/" + strconv.Itoa(i)
		if a := m.Get("audio"); a.Exists() && a.Kind() != jsonedit.Null {
			if err := see(audio, a, at+"/audio"); err != nil {
				return err
			}
		}
		if err := parts(m.Get("content"), at+"/content", see); err != nil {
			return err
		}
	}
	return nil
}

// blockMedia sees what Anthropic's messages and Converse show.
func blockMedia(l *look, see func(string, jsonedit.Value, string) error) error {
	if err := parts(l.root.Get("system"), "/system", see); err != nil {
		return err
	}
	for i, m := range l.root.Get("messages").Elems() {
		if err := parts(m.Get("content"), "/messages/"+strconv.Itoa(i)+"/content", see); err != nil {
			return err
		}
	}
	return nil
}

// itemMedia sees what the items of the responses API show.
func itemMedia(l *look, see func(string, jsonedit.Value, string) error) error {
	for i, it := range l.root.Get("input").Elems() {
		at := "/input/" + strconv.Itoa(i)
		if it.Get("type").Is("image_generation_call") {
			if err := see(image, it, at); err != nil {
				return err
			}
		}
		if err := parts(it.Get("content"), at+"/content", see); err != nil {
			return err
		}
		out := it.Get("output")
		if out.Kind() == jsonedit.Object {
			if err := part(out, at+"/output", see); err != nil {
				return err
			}
		}
		if !strings.HasSuffix(it.Get("type").Text(), "shell_call_output") { // its parts have no types
			if err := parts(out, at+"/output", see); err != nil {
				return err
			}
		}
	}
	for key, v := range l.root.Get("prompt").Get("variables").Members() {
		if err := part(v, "/prompt/variables/"+clip(key), see); err != nil {
			return err
		}
	}
	return parts(l.root.Get("instructions"), "/instructions", see)
}

// geminiMedia sees what contents show.
func geminiMedia(l *look, see func(string, jsonedit.Value, string) error) error {
	w := l.words
	look := func(content jsonedit.Value, at string) error {
		for i, p := range w.elems(w.member(content, "parts")) {
			if err := geminiPart(w, p, at+"/parts/"+strconv.Itoa(i), see); err != nil {
				return err
			}
		}
		return nil
	}
	base := w.pointer(l.root, w.list)
	for i, c := range w.elems(w.get(l.root, w.list)) {
		if err := look(c, base+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return look(w.member(l.root, "systemInstruction"), w.pointer(l.root, path{"systemInstruction"}))
}

// geminiTexts are the members of a part that are no medium.
var geminiTexts = []string{
	"text", "thought", "thoughtSignature", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "videoMetadata", "partMetadata", "mediaResolution",
}

func geminiPart(w *vocabulary, p jsonedit.Value, at string, see seeing) error {
members:
	for key, v := range p.Members() {
		if w.fold(key, "inlineData") || w.fold(key, "fileData") {
			if err := see(ofType(w.member(v, "mimeType").Text()), v, at+"/"+clip(key)); err != nil {
				return err
			}
			continue
		}
		for _, text := range geminiTexts {
			if !w.fold(key, text) {
				continue
			}
			for i, more := range w.elems(w.member(v, "parts")) {
				if err := geminiPart(w, more, at+"/"+clip(key)+"/parts/"+strconv.Itoa(i), see); err != nil {
					return err
				}
			}
			continue members
		}
		if err := see(other, v, at+"/"+clip(key)); err != nil {
			return err
		}
	}
	return nil
}

// ofType is the kind of a media type (RFC 6838).
func ofType(mime string) string {
	switch main, _, _ := strings.Cut(lower(mime), "/"); main {
	case image, audio, video:
		return main
	}
	return document
}

// ollamaMedia sees images beside prompts and messages.
func ollamaMedia(l *look, see func(string, jsonedit.Value, string) error) error {
	w := l.words
	look := func(v jsonedit.Value, at string) error {
		if images := w.member(v, "images"); length(images) > 0 {
			return see(image, images, at+"/images")
		}
		return nil
	}
	for i, m := range w.member(l.root, "messages").Elems() {
		if err := look(m, "/messages/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return look(l.root, "")
}
