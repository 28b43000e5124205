package judge

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
)

// Controls that judges serve.
const (
	content   = "inference/content"
	attack    = "inference/prompt-attack"
	topic     = "inference/topic"
	word      = "inference/word"
	grounding = "inference/grounding"
	personal  = "inference/pii"
	secret    = "inference/secret"
)

// Judged is the reason of findings for which a judge gives none that is known.
const Judged = "judged"

// llamaLabels are the hazards of Llama Guard 3 and 4, by MLCommons' taxonomy.
var llamaLabels = map[string]Target{
	"S1":  {content, "violence"},      // violent crimes
	"S2":  {content, "misconduct"},    // non-violent crimes
	"S3":  {content, "sexual"},        // sex-related crimes
	"S4":  {content, "sexual"},        // sexual exploitation of children
	"S5":  {content, "insult"},        // defamation
	"S6":  {content, "misconduct"},    // specialised advice
	"S7":  {content, "misconduct"},    // privacy
	"S8":  {content, "misconduct"},    // intellectual property
	"S9":  {content, "violence"},      // indiscriminate weapons
	"S10": {content, "hate"},          // hate
	"S11": {content, "self-harm"},     // suicide and self-harm
	"S12": {content, "sexual"},        // sexual content
	"S13": {content, "misconduct"},    // elections
	"S14": {attack, "code-execution"}, // abuse of a code interpreter
}

var qwenLabels = map[string]Target{
	"Violent":                       {content, "violence"},
	"Non-violent Illegal Acts":      {content, "misconduct"},
	"Sexual Content or Sexual Acts": {content, "sexual"},
	"PII":                           {content, "misconduct"},
	"Suicide & Self-Harm":           {content, "self-harm"},
	"Unethical Acts":                {content, "misconduct"},
	"Politically Sensitive Topics":  {content, "misconduct"},
	"Copyright Violation":           {content, "misconduct"},
	"Jailbreak":                     {attack, "jailbreak"},
}

var moderationLabels = map[string]Target{
	"hate":                   {content, "hate"},
	"hate/threatening":       {content, "hate"},
	"harassment":             {content, "insult"},
	"harassment/threatening": {content, "insult"},
	"sexual":                 {content, "sexual"},
	"sexual/minors":          {content, "sexual"},
	"violence":               {content, "violence"},
	"violence/graphic":       {content, "violence"},
	"self-harm":              {content, "self-harm"},
	"self-harm/intent":       {content, "self-harm"},
	"self-harm/instructions": {content, "self-harm"},
	"illicit":                {content, "misconduct"},
	"illicit/violent":        {content, "misconduct"},
}

// bedrockLabels are Bedrock's filters; its types of sensitive information have
// the same names here, in kebab-case.
var bedrockLabels = map[string]Target{
	"HATE":           {content, "hate"},
	"INSULTS":        {content, "insult"},
	"SEXUAL":         {content, "sexual"},
	"VIOLENCE":       {content, "violence"},
	"MISCONDUCT":     {content, "misconduct"},
	"PROMPT_ATTACK":  {attack, Judged},
	"PROFANITY":      {word, "profanity"},
	"GROUNDING":      {grounding, "grounding"},
	"RELEVANCE":      {grounding, "relevance"},
	"AWS_ACCESS_KEY": {secret, "aws-access-key"},
	"AWS_SECRET_KEY": {secret, "aws-secret-key"},
}

// presidioLabels are Presidio's entities that have another name here than their
// own in kebab-case. Times, dates and the names of companies say nothing of
// anybody by themselves. Passports of all countries have one reason here, that
// of Bedrock.
var presidioLabels = map[string]Target{
	"PERSON":                    {personal, "name"},
	"LOCATION":                  {personal, "address"},
	"EMAIL_ADDRESS":             {personal, "email"},
	"PHONE_NUMBER":              {personal, "phone"},
	"ZA_MOBILE_NUMBER":          {personal, "phone"},
	"ZA_TELEPHONE_NUMBER":       {personal, "phone"},
	"CREDIT_CARD":               {personal, "credit-debit-card-number"},
	"IBAN_CODE":                 {personal, "international-bank-account-number"},
	"CRYPTO":                    {personal, "bitcoin-address"},
	"DATE_TIME":                 {},
	"ORGANIZATION":              {},
	"UUID":                      {},
	"NRP":                       {personal, "nationality-religion-politics"},
	"US_SSN":                    {personal, "us-social-security-number"},
	"US_ITIN":                   {personal, "us-individual-tax-identification-number"},
	"US_BANK_NUMBER":            {personal, "us-bank-account-number"},
	"US_DRIVER_LICENSE":         {personal, "driver-id"},
	"US_PASSPORT":               {personal, "us-passport-number"},
	"US_MBI":                    {personal, "us-medicare-beneficiary-identifier"},
	"US_NPI":                    {personal, "us-national-provider-identifier"},
	"US_PROVIDER_TAX_ID":        {personal, "us-employer-identification-number"},
	"ABA_ROUTING_NUMBER":        {personal, "us-bank-routing-number"},
	"MEDICAL_LICENSE":           {personal, "us-dea-number"},
	"CA_SIN":                    {personal, "ca-social-insurance-number"},
	"UK_NHS":                    {personal, "uk-national-health-service-number"},
	"UK_NINO":                   {personal, "uk-national-insurance-number"},
	"ES_NIF":                    {personal, "es-dni"},
	"FI_PERSONAL_IDENTITY_CODE": {personal, "fi-hetu"},
	"IN_VOTER":                  {personal, "in-voter-id"},
	"IT_FISCAL_CODE":            {personal, "it-codice-fiscale"},
	"IT_IDENTITY_CARD":          {personal, "it-id-card-number"},
	"IT_VAT_CODE":               {personal, "it-vat-number"},
	"KR_BRN":                    {personal, "kr-business-number"},
	"KR_DRIVER_LICENSE":         {personal, "kr-driver-license-number"},
	"DE_SOCIAL_SECURITY":        {personal, "de-social-security-number"},
	"DE_HEALTH_INSURANCE":       {personal, "de-health-insurance-number"},
	"DE_ID_CARD":                {personal, "de-id-card-number"},
	"DE_FUEHRERSCHEIN":          {personal, "driver-id"},
	"DE_KFZ":                    {personal, "license-plate"},
	"SG_NRIC_FIN":               {personal, "sg-nric"},
	"SE_PERSONNUMMER":           {personal, "se-personnummer"},
	"TH_TNIN":                   {personal, "th-id"},
	"TR_NATIONAL_ID":            {personal, "tr-tckn"},
	"ZA_ID_NUMBER":              {personal, "za-id"},
	"UK_PASSPORT":               {personal, "us-passport-number"},
	"DE_PASSPORT":               {personal, "us-passport-number"},
	"ES_PASSPORT":               {personal, "us-passport-number"},
	"IN_PASSPORT":               {personal, "us-passport-number"},
	"IT_PASSPORT":               {personal, "us-passport-number"},
	"KR_PASSPORT":               {personal, "us-passport-number"},
	"PH_PASSPORT":               {personal, "us-passport-number"},
	"ZA_PASSPORT":               {personal, "us-passport-number"},
	"UK_DRIVING_LICENCE":        {personal, "driver-id"},
	"IT_DRIVER_LICENSE":         {personal, "driver-id"},
	"ZA_DRIVER_LICENSE":         {personal, "driver-id"},
	"UK_VEHICLE_REGISTRATION":   {personal, "license-plate"},
	"IN_VEHICLE_REGISTRATION":   {personal, "license-plate"},
	"NG_VEHICLE_REGISTRATION":   {personal, "license-plate"},
	"TR_LICENSE_PLATE":          {personal, "license-plate"},
	"ZA_LICENSE_PLATE":          {personal, "license-plate"},
}

// tables are what the names of a judge mean, by kind.
var tables = map[string]map[string]Target{
	LlamaGuard: llamaLabels, Qwen3Guard: qwenLabels, Moderation: moderationLabels, Bedrock: bedrockLabels, Presidio: presidioLabels,
}

// Reasons lists what a judge of a kind may find, beside [Judged] and what its
// labels say.
func Reasons(kind string) (out []Target) {
	for _, t := range tables[kind] {
		if t != (Target{}) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Target) int { return strings.Compare(a.Control+a.Reason, b.Control+b.Reason) })
	return out
}

// labels says what the names of one judge mean.
type labels struct {
	controls []string
	own      map[string]Target
	table    map[string]Target
}

func newLabels(cfg *Config) labels {
	return labels{cfg.Controls, cfg.Labels, tables[cfg.Kind]}
}

// target returns what a name means. One that nobody knows still means something:
// the judge did not say it for nothing.
func (l *labels) target(name string) Target {
	if t, ok := l.own[name]; ok {
		return t
	}
	if t, ok := l.table[name]; ok {
		return t
	}
	return Target{l.controls[0], Judged}
}

// finding is what a judge said under a name.
func (l *labels) finding(name string, score float64) ringwall.Finding {
	t := l.target(name)
	return found(t, score)
}

// found is a finding of t. That of no target is taken out by served.
func found(t Target, score float64) ringwall.Finding {
	severity := ringwall.Low
	switch {
	case score >= 0.8:
		severity = ringwall.High
	case score >= 0.5:
		severity = ringwall.Medium
	}
	return ringwall.Finding{Control: t.Control, Reason: t.Reason, Severity: severity, Score: score}
}

// unsaid is the score below which a judgement is none.
const unsaid = 0.05

// served keeps the findings of the controls that the judge serves. Of several
// for one reason about the whole text the surest is kept.
func (l *labels) served(fs []ringwall.Finding) (out []ringwall.Finding) {
	for _, f := range fs {
		if !slices.Contains(l.controls, f.Control) || f.Score < unsaid {
			continue
		}
		same := slices.IndexFunc(out, func(o ringwall.Finding) bool {
			return o.Control == f.Control && o.Reason == f.Reason && o.Where == f.Where
		})
		switch {
		case same < 0:
			out = append(out, f)
		case f.Score > out[same].Score:
			out[same] = f
		}
	}
	return out
}

var other = regexp.MustCompile(`[^a-z0-9]+`)

// kebab makes a reason of a name, Judged of one without a letter.
func kebab(name string) string {
	s := strings.Trim(other.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if s = strings.TrimRight(s[:min(len(s), 100)], "-"); s == "" {
		return Judged
	}
	return s
}
