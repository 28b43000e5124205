package pii

import (
	"bytes"

	"github.com/ringwall/ringwall/guard/stream"
)

// handle reads the handle behind the at sign t[i], if a word before it
// names where people have handles.
func (c *cursor) handle(w stream.Window, i int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	if i > 0 && (stream.AlphaNum[t[i-1]] || contains("._-})]/", t[i-1])) {
		return i, i, p, stream.No
	}
	j := i + 1
	for j < len(t) && j-i <= 32 && (stream.AlphaNum[t[j]] || contains("_.", t[j])) {
		j++
	}
	if j == len(t) && !w.Final && j-i <= 32 {
		return i, i, p, stream.More
	}
	for j > i && t[j-1] == '.' {
		j--
	}
	if j-i < 3 || j-i > 32 {
		return i, i, p, stream.No
	}
	far, near := topicsBefore(t, i, 0)
	if own := c.table.at(t, i, w.Base); near.any(network) || far.any(network|login) && mixes(t[i+1:j]) || own != nil && own.any(network|login) {
		return i, j, pattern{reason: UserName, severity: low, score: likely}, stream.Yes
	}
	return i, i, p, stream.No
}

// remote reads the name of a user in ssh name@host, before the at sign t[i].
func remote(w stream.Window, i, first int) (start, end int, p pattern, look stream.Look) {
	t := w.Folded
	start = i
	for start > first && i-start < 40 && (stream.AlphaNum[t[start-1]] || contains("._-", t[start-1])) {
		start--
	}
	for _, cmd := range [...]string{"ssh ", "sftp ", "scp ", "rsync "} {
		if i-start > 2 && start >= len(cmd) && string(t[start-len(cmd):start]) == cmd && !common[string(t[start:i])] {
			switch string(t[start:i]) {
			case "root", "git", "ubuntu", "ec2-user", "admin", "user", "centos", "debian", "opc", "deploy", "pi", "vagrant":
				return i, i, p, stream.No
			}
			return start, i, pattern{reason: UserName, severity: low, score: likely}, stream.Yes
		}
	}
	return i, i, p, stream.No
}

// inColumn reads the cell behind the sign t[i] in a column of names of users or of
// passwords.
func (c *cursor) inColumn(w stream.Window, i int) (start, end int, p pattern, look stream.Look) {
	b := &c.table
	if b.column < 0 || b.column >= b.width || !b.names[b.column].any(login|password) && !b.names[b.column].has(swiftTopic) {
		return i, i, p, stream.No
	}
	t := w.Clean
	start = i + 1
	if b.kind == html {
		if !tagAt(w.Folded, i, "<td") {
			return i, i, p, stream.No
		}
		for start < len(t) && start-i < maxHeader && t[start-1] != '>' {
			start++
		}
		if start == len(t) && !w.Final {
			return i, i, p, stream.More
		}
		i = start - 1
	}
	for start < len(t) && start-i < 6 && contains(" \"'`", t[start]) {
		start++
	}
	end = start
	for end < len(t) && end-start <= maxLabelled && t[end] > ' ' && !contains("\"|<>`", t[end]) && (t[end] != b.sign || b.sign == 0) && (b.kind != sql || !contains("',)", t[end])) {
		end++
	}
	j := end
	for j < len(t) && j-end < 4 && contains(" \"'`", t[j]) {
		j++
	}
	if j == len(t) && !w.Final && end-start <= maxLabelled && j-end < 4 {
		return i, i, p, stream.More
	}
	v := t[start:end]
	switch whole := j == len(t) || t[j] == '\n' || t[j] == b.sign || contains(",);|<\r", t[j]); {
	case !whole, len(v) < 3, hollow(v), common[string(w.Folded[start:end])], bytes.Trim(v, "-:=") == nil, len(bytes.Trim(v, "-:=")) == 0:
		return i, i, p, stream.No
	case b.names[b.column].has(swiftTopic):
		if n := len(v); (n == 8 || n == 11) && isBank(v, c.value[:0]) {
			return start, end, pattern{reason: SWIFT, severity: medium, score: named}, stream.Yes
		}
	case b.names[b.column].any(password):
		return start, end, pattern{reason: Password, severity: high, score: named}, stream.Yes
	case userChars(v) && bytes.IndexByte(v, '@') <= 0:
		return start, end, pattern{reason: UserName, severity: low, score: named}, stream.Yes
	}
	return i, i, p, stream.No
}
