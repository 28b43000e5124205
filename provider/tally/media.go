package tally

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/ringwall/ringwall"
)

// What is not known of a medium.
const (
	unseenSide = 1024           // pixels of an image that is somewhere else
	head       = 64 << 10       // bytes of an image in which its size is looked for
	mostPages  = 1000           // of a document
	perPage    = 2000           // tokens of a page of a document: Anthropic says 1,500 to 3,000
	mostMedia  = 4_000_000      // tokens of one medium: what is larger no model reads
	soundRate  = 16 << 10       // bytes of a second of sound, at 128 kbit/s
	filmRate   = 256 << 10      // bytes of a second of film, at 2 Mbit/s
	perSound   = 32             // tokens of a second of sound: Gemini says so
	perFilm    = 258 + perSound // tokens of a second of film, at a picture a second
	perPixels  = 750            // pixels of a token of Claude
	claudeSide = 1568           // pixels of the longer side, to which Claude scales images
	claudeMost = 1600           // tokens of an image of Claude
)

// media returns about how many tokens a medium is, by the formulas that providers
// document.
func (c *counter) media(m *ringwall.Media) int64 {
	switch m.Kind {
	case ringwall.Image:
		w, h := size(m)
		return imageTokens(c.family, w, h)
	case ringwall.Audio:
		return min(mostMedia, max(1, int64(len(m.Data))*3/4/soundRate)*perSound)
	case ringwall.Video:
		return min(mostMedia, max(1, int64(len(m.Data))*3/4/filmRate)*perFilm)
	case ringwall.Document:
	}
	if strings.HasPrefix(m.MIME, "text/") || m.MIME == "application/json" {
		b, err := base64.StdEncoding.DecodeString(m.Data)
		if err == nil && m.Data != "" {
			return int64(c.text(string(b)))
		}
	}
	return perPage * pages(m.Data)
}

// imageTokens returns how many tokens an image is.
func imageTokens(f Family, w, h int64) int64 {
	w, h = max(1, w), max(1, h)
	switch f {
	case Anthropic:
		// Anthropic, Vision: width × height / 750, after the longer side was scaled to 1568.
		if long := max(w, h); long > claudeSide {
			w, h = max(1, w*claudeSide/long), max(1, h*claudeSide/long)
		}
		return min(claudeMost, max(1, w*h/perPixels))
	case Gemini:
		// Google, Understand and count tokens: 258 where both sides are up to 384, else
		// for each tile of 768.
		if w <= 384 && h <= 384 {
			return 258
		}
		return min(mostMedia, 258*((w+767)/768)*((h+767)/768))
	case OpenAI, Unknown:
	}
	// OpenAI, Images and vision: 85 and 170 for each tile of 512, after the image was
	// scaled into 2048 × 2048, and its shorter side to 768.
	if long := max(w, h); long > 2048 {
		w, h = max(1, w*2048/long), max(1, h*2048/long)
	}
	if short := min(w, h); short > 768 {
		w, h = w*768/short, h*768/short
	}
	return 85 + 170*((w+511)/512)*((h+511)/512)
}

// size returns the width and the height of an image, guessed where it does not say.
func size(m *ringwall.Media) (w, h int64) {
	r := io.LimitReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(m.Data)), head)
	b, _ := io.ReadAll(r) // what can be read tells enough
	if w, h, ok := webp(b); ok {
		return w, h
	}
	for _, read := range []func(io.Reader) (image.Config, error){png.DecodeConfig, jpeg.DecodeConfig, gif.DecodeConfig} {
		if c, err := read(bytes.NewReader(b)); err == nil {
			return int64(c.Width), int64(c.Height)
		}
	}
	return unseenSide, unseenSide
}

// webp reads the size of an image in WebP (RFC 9649).
func webp(b []byte) (w, h int64, ok bool) {
	if len(b) < 30 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WEBP" {
		return 0, 0, false
	}
	three := func(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 }
	switch string(b[12:16]) {
	case "VP8X":
		return three(b[24:]) + 1, three(b[27:]) + 1, true
	case "VP8L":
		n := binary.LittleEndian.Uint32(b[21:])
		return int64(n&0x3FFF) + 1, int64(n>>14&0x3FFF) + 1, true
	case "VP8 ":
		return int64(binary.LittleEndian.Uint16(b[26:]) & 0x3FFF), int64(binary.LittleEndian.Uint16(b[28:]) & 0x3FFF), true
	}
	return 0, 0, false
}

// pages returns how many pages a document has that can be counted without reading it:
// those of a PDF whose objects are not compressed, else one for 64 KiB.
func pages(data string) int64 {
	const window = 4 << 20
	r := io.LimitReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)), window)
	b, _ := io.ReadAll(r) // what can be read tells enough
	n := int64(bytes.Count(b, []byte("/Type/Page")) + bytes.Count(b, []byte("/Type /Page")) - bytes.Count(b, []byte("/Type/Pages")) - bytes.Count(b, []byte("/Type /Pages")))
	if n <= 0 {
		n = int64(len(data)) * 3 / 4 >> 16
	}
	return min(mostPages, max(1, n))
}
