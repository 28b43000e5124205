package injection

import "bytes"

// handlers are the attributes that hold code.
var handlers = oneOf(`onabort onafterprint onanimationend onanimationiteration onanimationstart onauxclick onbeforeinput onbeforeprint onbeforeunload onblur oncanplay oncanplaythrough onchange onclick
	onclose oncontextmenu oncopy oncuechange oncut ondblclick ondrag ondragend ondragenter ondragleave ondragover ondragstart ondrop ondurationchange onended onerror onfocus onfocusin onfocusout
	onfullscreenchange ongotpointercapture onhashchange oninput oninvalid onkeydown onkeypress onkeyup onload onloadeddata onloadedmetadata onloadend onloadstart onmessage onmousedown onmouseenter
	onmouseleave onmousemove onmouseout onmouseover onmouseup onmousewheel onpagehide onpageshow onpaste onpause onplay onplaying onpointerdown onpointerenter onpointerleave onpointermove onpointerout
	onpointerover onpointerrawupdate onpointerup onpopstate onprogress onpropertychange onratechange onreadystatechange onrepeat onreset onresize onscroll onscrollend onsearch onseeked onseeking onselect
	onselectstart onshow onstart onbegin onend onstorage onsubmit onsuspend ontimeupdate ontoggle ontouchcancel ontouchend ontouchmove ontouchstart ontransitionend onunhandledrejection onunload onvolumechange onwaiting onwheel onbounce onfinish`)

// Bounds of a tag that is read for handlers.
const (
	maxTag   = 1024 // bytes
	maxNames = 40   // attributes
)

// angle is what begins like a tag.
func angle(x *lex, i int) hit {
	switch b := x.at(i + 1); {
	case b == '!':
		return entity(x, i)
	case b == '%':
		return expression(x, i, "%>")
	case b == 'x' && x.is(i+1, "xi:include"):
		return hit{i + 11, ReasonXML, 0.7}
	case b < 'a' || b > 'z':
		return none
	}
	name := x.word(i + 1)
	p := i + 1 + len(name)
	b := x.at(p)
	if b != ' ' && b != '\n' && b != '\t' && b != '\r' && b != '/' && b != '>' && b != '\f' && b != '"' && b != '\'' {
		return none
	}
	if name == "script" {
		return hit{p, ReasonScript, 0.85}
	}
	return attributes(x, i, p)
}

// attributes reads the attributes of a tag up to its end.
func attributes(x *lex, i, p int) hit {
	for names := 0; p-i < maxTag && names < maxNames; {
		b := x.at(p)
		switch {
		case b == ' ' || b == '\n' || b == '\t' || b == '\r' || b == '/' || b == '\f' || b == '"' || b == '\'':
			p++
			continue
		case !isWord(b) && b != ':' && b != '@' && b != '-' && b != '.' && b != '[' && b != '(':
			return none // its end, or no tag after all
		}
		names++
		from := p
		for p-from < 40 && (isWord(x.at(p)) || x.at(p) == ':' || x.at(p) == '-' || x.at(p) == '.' || x.at(p) == '@' || x.at(p) == '[' || x.at(p) == ']' || x.at(p) == '(' || x.at(p) == ')') {
			p++
		}
		name := string(x.t[from:min(p, len(x.t))])
		q := p
		for q-p < 8 && (x.at(q) == ' ' || x.at(q) == '\n' || x.at(q) == '\t' || x.at(q) == '\r') {
			q++
		}
		if x.at(q) != '=' {
			continue
		}
		q++
		for n := 0; n < 8 && (x.at(q) == ' ' || x.at(q) == '\n' || x.at(q) == '\t'); n++ {
			q++
		}
		mark, value := x.at(q), q
		if mark == '"' || mark == '\'' {
			value++
		}
		switch {
		case mark == '{': // an expression of the page's own program
		case handlers[name] && mark != 0 && mark != '>':
			return hit{q, ReasonScript, 0.9}
		case name == "srcdoc":
			return hit{q, ReasonScript, 0.8}
		case name == "href" || name == "src" || name == "action" || name == "formaction" || name == "xlink:href" || name == "data" || name == "to" || name == "values":
			if runsCode(x, value) {
				return hit{value + 4, ReasonScript, 0.85}
			}
		}
		for p = value; p-i < maxTag; p++ { // the value
			b := x.at(p)
			if b == 0 && p >= len(x.t) {
				return none
			}
			if mark == '"' || mark == '\'' {
				if b == mark {
					p++
					break
				}
			} else if b <= ' ' || b == '>' {
				break
			}
		}
	}
	return none
}

// runsCode reports whether the address at p is code that does something.
func runsCode(x *lex, p int) bool {
	for n := 0; n < 8 && x.at(p) <= ' ' && x.at(p) != 0; n++ {
		p++
	}
	switch {
	case x.is(p, "javascript:"):
		p = x.spaces(p + len("javascript:"))
		return !x.is(p, "void") && !x.is(p, ";") && !x.is(p, "\"") && !x.is(p, "'") && !x.is(p, "//\"") && !x.is(p, "history.") && !x.is(p, "print(") && !x.is(p, "window.print")
	case x.is(p, "vbscript:"), x.is(p, "data:text/html"):
		return true
	}
	return false
}

// calls are what code in an address begins with.
var calls = []string{"alert(", "alert`", "confirm(", "prompt(", "eval(", "document.", "window.", "fetch(", "location", "import(", "new ", "function", "(function", "top[", "self[", "atob("}

// scriptURI is an address that is code, outside a tag.
func scriptURI(x *lex, i int) hit {
	p := i + 11
	switch {
	case x.is(i, "javascript:"):
	case x.is(i, "vbscript:"):
		p = i + 9
	default:
		return none
	}
	p = x.spaces(p)
	if !runsCode(x, i) {
		return none
	}
	for _, c := range calls {
		if x.is(p, c) {
			return hit{p + len(c), ReasonScript, 0.8}
		}
	}
	return none
}

// entity is a declaration that has an XML reader fetch files, or grow.
func entity(x *lex, i int) hit {
	if !x.is(i, "<!entity") {
		return none
	}
	p := x.spaces(i + 8)
	if x.at(p) == '%' {
		p = x.spaces(p + 1)
	}
	p = x.spaces(p + len(x.word(p)))
	switch {
	case x.is(p, "system"), x.is(p, "public"):
		return hit{p + 6, ReasonXML, 0.9}
	case x.at(p) == '"' || x.at(p) == '\'':
		if body, ok := x.until(p+1, string(x.t[p:p+1]), 200); ok && bytes.Count(body, []byte("&")) >= 2 && bytes.Count(body, []byte(";")) >= 2 {
			return hit{p + 1 + len(body), ReasonXML, 0.85}
		}
	}
	return none
}

// reaches are what an expression of a template does to get out of it.
var reaches = []string{
	"__class__", "__mro__", "__subclasses__", "__globals__", "__builtins__", "__import__", "popen", "os.system", "system(", "subprocess", "getruntime", "processbuilder", ".exec(", " exec(",
	"eval(", "passthru(", "shell_exec", "_self.env", "freemarker.template.utility", "config.items", "self.__init__", "request.application", "constructor.constructor", "child_process", "file.read",
	"file.open", "class.forname", "t(java", "secret_key", "scriptengine", "java.lang", "include '/etc", "include \"/etc", "import os", "dbms_", "%x(", "kernel.",
}

// maxExpression bounds an expression of a template.
const maxExpression = 200

// expression is an expression that a template would run, from its opening sign
// to end.
func expression(x *lex, i int, end string) hit {
	if x.t[i] == '$' {
		switch {
		case x.is(i, "${jndi:"):
			return hit{i + 7, ReasonTemplate, 0.95}
		case x.is(i, "${${"):
			if rest := x.line(i+4, 80); holds(rest, []string{"lower:", "upper:", "env:", "::-", "date:", "sys:"}) {
				return hit{i + 4, ReasonTemplate, 0.9}
			}
			return none
		}
	}
	body, ok := x.until(i+2, end, maxExpression)
	if !ok || len(body) == 0 {
		return none
	}
	at := i + 2 + len(body) + len(end)
	switch {
	case sum(body):
		return hit{at, ReasonTemplate, 0.85}
	case holds(body, reaches):
		return hit{at, ReasonTemplate, 0.9}
	}
	return none
}

// sum reports whether b is a product of constants: how somebody asks whether a
// template runs.
func sum(b []byte) bool {
	b = bytes.Trim(b, " =-{}\t")
	n := bytes.IndexByte(b, '*')
	if n < 1 || n == len(b)-1 || len(b) > 24 {
		return false
	}
	left, right := bytes.Trim(b[:n], " '\""), bytes.Trim(b[n+1:], " '\"")
	return len(left) > 0 && len(right) > 0 && len(bytes.Trim(left, "0123456789")) == 0 && len(bytes.Trim(right, "0123456789")) == 0
}

// brace begins an expression of a template, or a query of a document database.
func brace(x *lex, i int) hit {
	switch b := x.at(i + 1); b {
	case '{':
		return expression(x, i, "}}")
	case '%':
		return expression(x, i, "%}")
	case '"', '\'', ' ', '$':
		return operator(x, i)
	}
	return none
}

// hash begins an expression of a template.
func hash(x *lex, i int) hit {
	if x.at(i+1) == '{' {
		return expression(x, i, "}")
	}
	return none
}
