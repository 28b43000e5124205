package grounding

import (
	"strings"

	"github.com/ringwall/ringwall/internal/stem"
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// negations turn what follows them round.
var negations = set(`not no never none neither nor without nobody nothing hardly barely scarcely lacks lack lacked lacking unable fails fail failed refused refuses
	excluded excludes exclude excluding except prohibited forbidden banned disallowed impossible
	nicht kein keine keinen nie niemals ohne pas jamais sans aucun aucune nunca sin jamás não nem sem nessun nessuna mai senza niet geen`)

// backward are negations that turn round what stands before them too.
var backward = set("nicht pas excluded prohibited forbidden banned disallowed impossible")

// apart are negations of the one word behind them.
var apart = set("without except ohne sans sin sem senza")

// hedges make a statement weaker.
var hedges = set("may might could possibly perhaps maybe likely probably potentially reportedly allegedly suggests suggest vielleicht möglicherweise peut-être quizás")

// approximates make the number behind them inexact.
var approximates = set("about around approximately roughly nearly almost circa ca some over exceeding close etwa rund fast environ presque unos casi")

// amounts are words for how much of something is meant.
var amounts = func() map[string]int {
	m := map[string]int{}
	for i, words := range []string{"few rarely seldom", "some several sometimes certain partly occasionally", "many often frequently various", "most usually mostly generally majority typically", "all every each always entirely completely everyone everything whole alle jeder tous todos"} {
		for w := range strings.FieldsSeq(words) {
			m[w] = i + 1
		}
	}
	return m
}()

// light are the stems of words that are in every other sentence.
var light = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`make made get got go went come came take took give gave given use say said tell told see seen know known think find found put keep kept
		become became seem include contain provide offer show call need want like look work way thing time people person part lot kind type case number amount
		new good great many much more most several different able according based regard concern mention state note following result process item detail information
		currently usual general special particular main major important day month year week today available possible require set start begin began allow help let first last next well also via per`) {
		m[string(stem.English([]byte(w)))] = true
	}
	for _, w := range []string{"open", "close"} {
		delete(m, w)
	}
	return m
}()

// acts are past forms of verbs that no ending tells.
var acts = set(`made built sold bought led won held run ran taught caught paid sent found kept left lost met put read said set shot spent told thought hit cut beat
	gave wrote took drew drove flew chose broke spoke stole struck threw wore sang swore forgave lent beaten written taken given eaten chosen driven stolen broken owed owns runs hates loves`)

// irregular are the stems of forms of verbs that no ending tells.
var irregular = func() map[string]string {
	m := map[string]string{}
	for verb := range strings.SplitSeq(irregularVerbs, ";") {
		base, forms, _ := strings.Cut(strings.TrimSpace(verb), " ")
		for f := range strings.FieldsSeq(forms) {
			m[f] = string(stem.English([]byte(base)))
		}
	}
	return m
}()

const irregularVerbs = `take took taken; give gave given; sell sold; buy bought; make made; win won; lose lost; lead led; hold held; run ran; teach taught; catch caught; pay paid; send sent;
	find found; keep kept; leave left; meet met; say said; tell told; spend spent; shoot shot; think thought; write wrote written; draw drew drawn; drive drove driven; fly flew flown;
	choose chose chosen; break broke broken; speak spoke spoken; steal stole stolen; strike struck; throw threw thrown; wear wore worn; sing sang sung; swear swore sworn; begin began begun;
	eat ate eaten; beat beaten; rise rose risen; fall fell fallen; grow grew grown; know knew known; see saw seen; come came; become became; go went gone; build built; bring brought;
	get got gotten; feel felt; stand stood; understand understood; sit sat; sleep slept; mean meant; hear heard; show shown; sink sank sunk; swim swam swum; forbid forbade forbidden; hide hid hidden;
	bite bit bitten; freeze froze frozen; shake shook shaken; forget forgot forgotten; forgive forgave forgiven; lend lent; feed fed; fight fought; seek sought; lay laid; bear bore born borne`

// weekdays are names that do nothing.
var weekdays = set("monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays")

// opposites are what contradicts a word, by its form and by its stem.
var opposites = func() map[string][]string {
	m := map[string][]string{}
	st := func(w string) string { return string(stem.English([]byte(w))) }
	put := func(a, b string) { m[a] = append(m[a], b) }
	for _, group := range strings.Split(strings.TrimSpace(pairs), "\n") {
		for pair := range strings.FieldsSeq(group) {
			a, b, _ := strings.Cut(pair, "/")
			for x := range strings.SplitSeq(a, ",") {
				for y := range strings.SplitSeq(b, ",") {
					put(x, st(y))
					put(y, st(x))
					if st(x) != x {
						put(st(x), st(y))
					}
					if st(y) != y {
						put(st(y), st(x))
					}
				}
			}
		}
	}
	return m
}()

// pairs are words that contradict one another.
const pairs = `
increase,rise,rose,risen,grow,grew,grown,climb,gain,improve,expand,jump,surge,soar/decrease,fall,fell,fallen,decline,drop,shrink,shrank,reduce,lose,lost,worsen,plunge,sink,sank,slump
before/after above/below over/under up/down inside/outside ahead/behind severe/mild kept,keep/lost,lose upper/lower north/south east/west northern/southern eastern/western left/right front/back top/bottom
more/less,fewer higher/lower high/low larger,bigger/smaller large,big/small longer/shorter long/short faster,quicker/slower fast,quick/slow older/younger,newer old/new,young earlier,sooner/later early/late
hotter,warmer/colder,cooler hot,warm/cold,cool heavier/lighter heavy/light stronger/weaker strong/weak better/worse good/bad best/worst cheaper/dearer cheap/expensive rich/poor near/far hard/soft,easy difficult/easy
first/last maximum/minimum most/least most/fewest highest/lowest largest,biggest/smallest longest/shortest oldest/youngest,newest earliest/latest
open/close,closed,shut opened/closed allow,permit,permitted/forbid,forbidden,prohibit,ban,banned,disallow accept/reject,refuse,decline approve/reject,deny,decline include/exclude accepted/rejected approved/rejected,denied
always/never everyone/nobody everything/nothing all/none with/without
success/failure succeed,succeeded/fail,failed win,won/lose,lost pass/fail true/false correct/incorrect,wrong right/wrong safe/unsafe,dangerous,harmful legal/illegal
mandatory,required,compulsory,obligatory/optional,voluntary free/paid public/private free/charged,chargeable indoor/outdoor indoors/outdoors male/female man/woman men/women boy/girl
buy,bought,purchase/sell,sold import/export lend,lent/borrow send,sent/receive arrive/depart,leave enter/exit,leave join/leave hire/fire start,begin,began/end,finish,stop push/pull
enable/disable enabled/disabled active/inactive alive/dead asleep/awake present/absent permanent/temporary domestic/foreign,international national/international internal/external
positive/negative profit/loss credit/debit asset/liability surplus/deficit love/hate like/dislike agree/disagree support/oppose supported/opposed guilty/innocent innocent/guilty
even/odd odd/even day/night morning/evening summer/winter spring/autumn wet/dry full/empty thick/thin wide/narrow deep/shallow bright/dark single/married husband/wife parent/child teacher/student employer/employee
attack/defend ascend/descend accelerate/decelerate encrypt/decrypt upload/download install/uninstall lock/unlock connect/disconnect appear/disappear reveal/conceal remember/forget
simple/complex rough/smooth rare/common rarely/often frequent/rare visible/invisible reversible/irreversible refundable/nonrefundable renewable/nonrenewable weekday/weekend weekdays/weekends inbound/outbound
confirm/deny confirmed/denied extend/shorten extended/shortened lengthen/shorten raise,raised/lower,lowered,cut hired/fired promoted/demoted praised/criticised,criticized welcome/condemn welcomed/condemned
acquit/convict acquitted/convicted vegetarian/meat sweet/bitter acid/alkaline liquid/solid urban/rural major/minor majority/minority senior/junior ancient/modern manual/automatic automatically/manually
`

// prefixes make the opposite of a word.
var prefixes = []string{"un", "in", "im", "ir", "il", "dis", "non", "mis"}
