package toolcall

// Tool returns what j knows of the tool of that name: that nobody said anything of it
// where its registry does not have it.
func (j *Judge) Tool(name string) *Tool { return j.cfg.Registry.Find(name) }

// RuleIDs returns the ids of the rules that decide about calls.
func RuleIDs() []string {
	return append([]string{
		RuleArguments, RuleUnknown, RuleNotOffered, RuleCaller, RuleChanged, RuleLookAlike, RuleSchemaUnreadable, RuleSchema,
		RuleMeaning, RuleBound, RuleHost, RuleOutside, RulePolicy, RuleUntrusted, RuleUnsourced, RuleLink, RuleAsked, RuleTwo, RuleFlow,
		RuleDuplicate, RuleRepeated, RuleDepth, RuleLimit,
	}, excusable...)
}
