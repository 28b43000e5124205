package control

// workload is what the five layers stand around: its threats, by name, and the
// example that they are proved on.
var workload = []Control{
	{
		ID:      "threat/owasp",
		Does:    "holds both OWASP lists as data and turns the description of a workload into a register of threats, the controls that cover them, gaps and a diagram",
		Rooms:   []string{"threat"},
		Threats: []string{"LLM01", "LLM02", "LLM03", "LLM04", "LLM05", "LLM06", "LLM07", "LLM08", "LLM09", "LLM10", "ASI01", "ASI02", "ASI03", "ASI04", "ASI05", "ASI06", "ASI07", "ASI08", "ASI09", "ASI10"},
		State:   Planned,
	},
	{
		ID:      "threat/atlas",
		Does:    "holds MITRE ATLAS as data: controls, rules and findings name its techniques, and coverage is counted",
		Rooms:   []string{"threat"},
		Threats: []string{"AML.T0051", "AML.T0053", "AML.T0054", "AML.T0057", "AML.T0086"},
		State:   Planned,
	},
	{
		ID:      "example/shop",
		Does:    "guards an e-commerce assistant (stock, prices, orders without a human, chat history) by the article's five steps, each provable by switching it off",
		Asks:    "validation, moderation, testing, monitoring, authentication of a Q&A chatbot",
		Rooms:   []string{"example/shop"},
		Threats: []string{"LLM01", "LLM02", "LLM06", "LLM09", "ASI01", "ASI02", "AML.T0047", "AML.T0048.000", "AML.T0053"},
		State:   Planned,
	},
}
