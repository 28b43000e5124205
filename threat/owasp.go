package threat

import "strings"

var owaspLLM = []row{
	{"LLM01", "Prompt Injection"},
	{"LLM02", "Sensitive Information Disclosure"},
	{"LLM03", "Supply Chain"},
	{"LLM04", "Data and Model Poisoning"},
	{"LLM05", "Improper Output Handling"},
	{"LLM06", "Excessive Agency"},
	{"LLM07", "System Prompt Leakage"},
	{"LLM08", "Vector and Embedding Weaknesses"},
	{"LLM09", "Misinformation"},
	{"LLM10", "Unbounded Consumption"},
}

var owaspAgentic = []row{
	{"ASI01", "Agent Goal Hijack"},
	{"ASI02", "Tool Misuse and Exploitation"},
	{"ASI03", "Identity and Privilege Abuse"},
	{"ASI04", "Agentic Supply Chain Vulnerabilities"},
	{"ASI05", "Unexpected Code Execution"},
	{"ASI06", "Memory and Context Poisoning"},
	{"ASI07", "Insecure Inter-Agent Communication"},
	{"ASI08", "Cascading Failures"},
	{"ASI09", "Human-Agent Trust Exploitation"},
	{"ASI10", "Rogue Agents"},
}

// llmURL is the page of one risk. The address of the first has no year in it.
func llmURL(r row) string {
	if r.id == "LLM01" {
		return "https://genai.owasp.org/llmrisk/llm01-prompt-injection/"
	}
	name := strings.ReplaceAll(strings.ToLower(r.name), " ", "-")
	return "https://genai.owasp.org/llmrisk/" + strings.ToLower(r.id) + "2025-" + name + "/"
}

// agenticURL is the page of the whole list: its entries have no pages.
func agenticURL(row) string {
	return "https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications-for-2026/"
}
