package guardapi

// assessment is what a guardrail of Bedrock says of texts.
type assessment struct {
	Topic     *topicAssessment     `json:"topicPolicy,omitempty"`
	Content   *contentAssessment   `json:"contentPolicy,omitempty"`
	Word      *wordAssessment      `json:"wordPolicy,omitempty"`
	Sensitive *sensitiveAssessment `json:"sensitiveInformationPolicy,omitempty"`
	Grounding *groundingAssessment `json:"contextualGroundingPolicy,omitempty"`
	Metrics   invocationMetrics    `json:"invocationMetrics"`
	Applied   appliedGuardrail     `json:"appliedGuardrailDetails"`
}

type topicAssessment struct {
	Topics []topicEntry `json:"topics"`
}

type topicEntry struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Action   string `json:"action"`
	Detected bool   `json:"detected"`
}

type contentAssessment struct {
	Filters []filterEntry `json:"filters"`
}

type filterEntry struct {
	Type       string `json:"type"`
	Confidence string `json:"confidence"`
	Strength   string `json:"filterStrength"`
	Action     string `json:"action"`
	Detected   bool   `json:"detected"`
}

type wordAssessment struct {
	Custom  []wordEntry `json:"customWords"`
	Managed []wordEntry `json:"managedWordLists"`
}

type wordEntry struct {
	Match    string `json:"match"`
	Type     string `json:"type,omitempty"`
	Action   string `json:"action"`
	Detected bool   `json:"detected"`
}

type sensitiveAssessment struct {
	PII     []entityEntry `json:"piiEntities"`
	Regexes []regexEntry  `json:"regexes"`
}

type entityEntry struct {
	Match    string `json:"match"`
	Type     string `json:"type"`
	Action   string `json:"action"`
	Detected bool   `json:"detected"`
}

type regexEntry struct {
	Name     string `json:"name"`
	Match    string `json:"match,omitempty"`
	Regex    string `json:"regex,omitempty"`
	Action   string `json:"action"`
	Detected bool   `json:"detected"`
}

type groundingAssessment struct {
	Filters []groundingEntry `json:"filters"`
}

type groundingEntry struct {
	Type      string  `json:"type"`
	Threshold float64 `json:"threshold"`
	Score     float64 `json:"score"`
	Action    string  `json:"action"`
	Detected  bool    `json:"detected"`
}

type invocationMetrics struct {
	Latency  int64    `json:"guardrailProcessingLatency"` // ms
	Usage    usage    `json:"usage"`
	Coverage coverage `json:"guardrailCoverage"`
}

type appliedGuardrail struct {
	ID        string   `json:"guardrailId"`
	Version   string   `json:"guardrailVersion"`
	ARN       string   `json:"guardrailArn"`
	Origin    []string `json:"guardrailOrigin"`
	Ownership string   `json:"guardrailOwnership"`
}

// usage counts text units, of up to 1,000 characters each.
type usage struct {
	Topic         int `json:"topicPolicyUnits"`
	Content       int `json:"contentPolicyUnits"`
	Word          int `json:"wordPolicyUnits"`
	Sensitive     int `json:"sensitiveInformationPolicyUnits"`
	SensitiveFree int `json:"sensitiveInformationPolicyFreeUnits"`
	Grounding     int `json:"contextualGroundingPolicyUnits"`
	Images        int `json:"contentPolicyImageUnits"`
}

type coverage struct {
	Characters covered  `json:"textCharacters"`
	Images     *covered `json:"images,omitempty"`
}

type covered struct {
	Guarded int `json:"guarded"`
	Total   int `json:"total"`
}
