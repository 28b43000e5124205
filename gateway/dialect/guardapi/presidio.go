package guardapi

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Analyzer is Presidio's analyzer, POST /analyze: it tells what personal data
// there is, whatever a guardrail does about it.
type Analyzer struct{ parser }

// Name implements gateway.Inquirer.
func (Analyzer) Name() string { return "presidio-analyzer" }

// Credential implements gateway.Inquirer. Presidio has none.
func (Analyzer) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Inquirer.
func (Analyzer) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	return errorBody(dst, map[string]string{"error": r.Public + " (reference " + id + ")"})
}

// personalName is the guardrail that is behind Presidio where callers name none.
const personalName = "personal-data"

// personalSpec flags all personal data, and looks for nothing else.
func personalSpec() *guardrail.Spec {
	s := guardrail.Default()
	for _, n := range s.Rules() {
		n.Rule.Input, n.Rule.Output = guardrail.Act{Off: true}, guardrail.Act{Off: true}
	}
	flag := guardrail.Act{Action: ringwall.Flag}
	s.Description = "what Presidio looks for"
	s.PII.Input, s.PII.Least = flag, 0.3
	s.PII.Reasons = map[string]guardrail.Act{"name": flag, "age": flag}
	return &s
}

// analysis is a request to tell of personal data.
type analysis struct {
	question gateway.Question
	batch    bool
	entities map[string]bool // none: all
	least    float64
	allow    map[string]bool
}

// Read implements gateway.Inquirer.
func (a Analyzer) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := a.object(body)
	if err != nil {
		return nil, err
	}
	q := &analysis{question: gateway.Question{Guardrail: named(r)}}
	if q.question.Guardrail.Name == "" {
		q.question.Guardrail.Name = personalName
	}
	add := func(v jsonedit.Value, path, at string) error {
		s, err := required(body, v, path)
		q.question.Prompt = append(q.question.Prompt, ringwall.Text{Path: at, Origin: ringwall.User, Value: s})
		return err
	}
	if v := root.Get("text"); v.Kind() == jsonedit.Array {
		q.batch = true
		for i, e := range v.Elems() {
			if err := add(e, "text["+strconv.Itoa(i)+"]", "/text/"+strconv.Itoa(i)); err != nil {
				return nil, err
			}
		}
	} else if err := add(v, "text", "/text"); err != nil {
		return nil, err
	}
	if v := root.Get("ad_hoc_recognizers"); v.Kind() == jsonedit.Array && len(v.Raw()) > 2 {
		return nil, dialect.Invalid(body, v, "ad_hoc_recognizers", "recognizers are those of the guardrail: write them there")
	}
	for _, key := range []string{"entities", "allow_list"} {
		if err := list(body, root.Get(key), key); err != nil {
			return nil, err
		}
	}
	if v := root.Get("allow_list_match"); v.Exists() && v.Kind() != jsonedit.Null && !v.Is("exact") {
		return nil, dialect.Invalid(body, v, "allow_list_match", "want exact")
	}
	q.entities, q.allow = dialect.NameSet(dialect.Strings(root.Get("entities"))...), dialect.NameSet(dialect.Strings(root.Get("allow_list"))...)
	if v := root.Get("score_threshold"); v.Exists() && v.Kind() != jsonedit.Null {
		f := dialect.Float(v)
		if f == nil || *f < 0 || *f > 1 {
			return nil, dialect.Invalid(body, v, "score_threshold", "want a number from 0 to 1")
		}
		q.least = *f
	}
	return q, nil
}

// Question implements gateway.Inquiry.
func (q *analysis) Question() gateway.Question { return q.question }

// presidioNames are the entities by the reason of a finding, where they are not
// that reason in capitals.
var presidioNames = map[string]string{
	"name": "PERSON", "address": "LOCATION", "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "credit-debit-card-number": "CREDIT_CARD",
	"international-bank-account-number": "IBAN_CODE", "bitcoin-address": "CRYPTO", "ethereum-address": "CRYPTO", "crypto-address": "CRYPTO",
	"date-of-birth": "DATE_TIME", "us-social-security-number": "US_SSN", "us-individual-tax-identification-number": "US_ITIN",
	"us-bank-account-number": "US_BANK_NUMBER", "driver-id": "US_DRIVER_LICENSE", "us-passport-number": "US_PASSPORT",
	"us-medicare-beneficiary-identifier": "US_MBI", "us-national-provider-identifier": "US_NPI", "us-bank-routing-number": "ABA_ROUTING_NUMBER",
	"us-dea-number": "MEDICAL_LICENSE", "ca-social-insurance-number": "CA_SIN", "uk-national-health-service-number": "UK_NHS",
	"uk-national-insurance-number": "UK_NINO", "es-dni": "ES_NIF", "fi-hetu": "FI_PERSONAL_IDENTITY_CODE", "in-voter-id": "IN_VOTER",
	"it-codice-fiscale": "IT_FISCAL_CODE", "it-id-card-number": "IT_IDENTITY_CARD", "it-vat-number": "IT_VAT_CODE", "kr-business-number": "KR_BRN",
	"kr-driver-license-number": "KR_DRIVER_LICENSE", "de-social-security-number": "DE_SOCIAL_SECURITY", "de-health-insurance-number": "DE_HEALTH_INSURANCE",
	"de-id-card-number": "DE_ID_CARD", "sg-nric": "SG_NRIC_FIN", "se-personnummer": "SE_PERSONNUMMER", "th-id": "TH_TNIN", "tr-tckn": "TR_NATIONAL_ID",
	"za-id": "ZA_ID_NUMBER",
}

func presidioName(reason string) string {
	return cmp.Or(presidioNames[reason], strings.ToUpper(strings.ReplaceAll(reason, "-", "_")))
}

type presidioEntity struct {
	Type        string            `json:"entity_type"`
	Start       int               `json:"start"`
	End         int               `json:"end"`
	Score       float64           `json:"score"`
	Explanation *string           `json:"analysis_explanation"`
	Metadata    map[string]string `json:"recognition_metadata"`
}

// Answer implements gateway.Inquiry.
func (q *analysis) Answer(j *gateway.Judgement) ([]byte, error) {
	if len(q.question.Prompt) > 0 && !j.Ran(ringwall.Input, personal) {
		return nil, unlookedFor("personal data")
	}
	by := map[string][]presidioEntity{}
	for _, f := range all(j) {
		e := presidioEntity{Type: presidioName(f.Reason), Start: f.Start, End: f.End, Score: f.Score, Metadata: map[string]string{"recognizer_name": f.Control + "/" + f.Reason}}
		personal := f.Control == personal || f.Control == secret
		if personal && f.Score >= q.least && (len(q.entities) == 0 || q.entities[e.Type]) && !(f.Match != "" && q.allow[f.Match]) {
			by[f.Path] = append(by[f.Path], e)
		}
	}
	lists := [][]presidioEntity{}
	for _, t := range q.question.Prompt {
		list := by[t.Path]
		if list == nil {
			list = []presidioEntity{}
		}
		slices.SortStableFunc(list, func(a, b presidioEntity) int { return a.Start - b.Start })
		lists = append(lists, list)
	}
	if q.batch {
		return encode(lists)
	}
	return encode(lists[0])
}
