// Package waf is the web application firewall: what looks at requests as HTTP,
// before anybody knows who calls and what is asked.
//
// There are two ways to look. Requests to models and to the guard are looked at
// from outside ([Firewall.Door]): method, address, query and headers, by the OWASP
// Core Rule Set in Coraza and by rules of our own for AI ([Rules]). Their texts are
// not the Core Rule Set's business: it takes honest questions about SQL for attacks.
// Of their bodies only the shape is looked at ([Firewall.Body]): whether one is
// made to cost much. Requests to the console, to log-in and to control APIs are
// looked at whole ([Firewall.Whole]), body included.
//
// A look only notices: [Judgement] says what, and whether the mode of the group
// wants the request refused. Refusing, answering and recording is left to package
// server and package gateway.
//
// What a door says depends on nothing but the request as [normal] writes it, so it
// is kept and given again: identical headers are looked at once.
//
// Start reading at [New], then [Firewall.Door].
package waf
