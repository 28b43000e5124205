package decode

import "strings"

// commonWords are common English words, and those that instructions to models
// and talk in a shop are made of. They tell plain text from ciphers; a text
// that holds none of them is not taken for English.
const commonWords = `
a i an am as at be by do go he if in is it me my no of oh ok on or so to up us we
about above access account act action add address admin after again agent all allow allowed also always
and another answer any anything app are around ask asked assistant away back bad base because been before
begin being below best better between big book both bring but buy bypass call called came can cannot card
cat change chat check city clear click close code cold come command company complete computer confidential
contact content context continue control conversation convert copy could country credentials credit customer
customers data database date day days decode decoded delete describe details developer did different direct
directly directive directives disable discount discard display document does dog done dont door down dump
each easy eat email enable encode encoded encoding end english enter even every everything exact exactly
example execute explain export face fact family far father few file files filter filters final find fire
first five follow following food for forget forward found four free friend from full function game
gave get girl give given giving goes going good got great group guard guidelines had half hand happy hard has
have head hear hello help her here hidden high him his history hold home hope hour hours house how
however human idea ignore image important include including information initial input inside instead instruction
instructions internal into invoice its itself just keep key keys kind knew know known language large last later
learn leave left less let letter letters life light like limit line lines link list little live long
look lost lot love made mail main make making man manager many may mean means men message
messages might mind mode model money month more morning most mother move much must myself name names
need network never new next night not note nothing now number numbers off offer office often old once
one only open operator order orders other our out output over own page paper part party pass
password passwords path pay payment people person phone picture place plain plan play please point policy possible
power present previous price prices print prior private problem product products prompt prompts provide public put
question questions quick quote quoted read ready real really reason receive refund refunds refuse remember
remove render repeat replace reply report request respond response rest restrictions result return reveal review
reviews right role room rule rules run safe safety said same save saw say school search second secret secrets
security see seem send sent sentence server set seven several shall she ship shop should show side silent
simple since six small some someone something soon source speak spell start state stay step still stock
stop store story street string such summary supplier support sure system take talk task tell ten text than
thank thanks that the their them then there these they thing things think this those thought thousand three
through ticket time times today told token tokens tomorrow too took tool tools top transfer translate tree true trust try
turn two under understand unit units unless until upon url use used user users using value verbatim very
view visit voice wait walk want was watch water way website week well went were what when where which while
white who whole whom why will window wish with within without woman word words work world would write
written wrong year years yes yesterday yet you young your yours yourself
apple april black blue brown red green fox jumps lazy zero eight nine warehouse admin table look
behavior behaviour begins breach cancel chmod comply configuration configured context credential curl debug
developers devmode dan disclose disregard divulge docs echo emergency entire environment erase escape exec exfiltrate expose
filtering final fulfil fulfill god hack hacked hacking harmful hereby hidden hypothetical illegal immediately
immoral impersonate inject injection jailbreak jailbroken launch leaked limitation limitations malware malicious moderation
nothing obey omit opposite override overrides overwrite payload persona policies pretend privileged privileges
print printed programmed purge pwned raw rawest recite root roleplay rot sandbox script scripts sensitive
session shell skip stand stands stated stating sudo superuser surpass unfiltered unlock unlocked unrestricted untrusted user
virus weapon bomb bombs explosive explosives poison drug drugs kill murder steal stolen attack attacks exploit exploits
fraud phishing ransomware keylogger meth cocaine suicide cook crack decrypt encrypt
able almost alone along already although among anyone apart appear appears area arms art article arrive assist attention
avoid aware basic became beautiful begin beginning behind believe below bit blood body born bottom box boy brother
build building built business buying calculate camera car card cards care carry case cases cause center central certain
chance character child children choose class clearly coffee college common community compare compile concern condition
consider contains correct cost costs count course court cover create created cup current cut daily dark dead deal dear
death decide decision deep degree delivery depends design despite die difference difficult dinner discuss dollar door
draw dream drive driver drop during early earth easily east education effect effort either else employee
energy enjoy enough especially essay essays evening event ever everyone evidence excellent except expect experience
expert explains express eye eyes failed fall false fast fear feel feels feet felt few field fight figure fill finally
fine finish fit fix floor fly focus force foreign form formatting forms friends front full fun future garden gas general girl
glass global goal grow growth guess guide hair hall hang happen happened hate health heart heavy held helping
hit hot hotel human hundred husband ice identify imagine impact increase indeed industry inform insert interest
interesting issue issues items item job join kid kill kitchen land lead leader learning least leaves legal
level list listen loan local log logs longer lose loss low machine main major manage mark marked market master match
matter maybe media medical meet meeting member memory mention method middle military million minute minutes missing
modern moment mountain mouth move movie multiple music nation national nature near nearly need needed neither
news nice none normal north numbers object obvious office official often oil online operation opinion
option options organization original others outside owner pain paid paragraph parent parents particular parties peace
perhaps period personal physical pick piece places poem poems poor popular population position positive post
practice prepare president press pretty process produce production program project property protect prove
pull purpose purposes push quality quite race radio raise range rate rather reach read readers reading realize
receive recent recipe record red reduce region relationship release religious remain remove reports require
required research resource resources restaurant rich rise risk road rock running science scene schedule
score sea season seat section seek sell seller selling send senior sense separate series serious serve service
services several sex shoot shot shoulder sign significant similar single sister sit site situation size skill skin
sleep slow social society soldier somebody son song sort sound south space special specific sport spring staff
stage standard star statement station steps strong structure student students study stuff style subject success successful
suddenly suggest summer support surface table talking task tax teach teacher team technology television temperature
tend term test testing text theory therefore third though threat throughout throw thus tonight total tough toward
town trade traditional training travel treat treatment trial trip trouble type types usually various victim
victory wall war wear weather week weight west whatever wide wife wind winter wonder wood worker worry worth
writer writing wrote yeah
ability academic accept accepts accessible according accounts accuracy accurate achieve across acting actions active
activities activity actor actress acts actual actually adapt added addition additional additionally addresses adhere
administration administrator adult advance advanced advantage advice advise advisory aerial against age agency agents
ago ahead aid aim air album alcoa alert algorithm alien allowing allows alpha alternative aluminum amazon amends
america american amount analysis analyst analyze ancient angeles angle animal anna answering answers apartment api
appearance append applicable application applications apply approach appropriate approved approximately architect
architecture areas aren args argument army arr array arrived artificial artist aside asking asks aspect aspects assess
assessment assistance associated assume astronaut atlas atmosphere attached attempt attempts audience audit august
australia author authorities authority automated automatically available average award awards baby background backup
balance banana band bank banks based bash battle beat become began believes ben benefit benefits beyond bill bin bird
birds birthday block blocked blocking blog board bob books boots bot boundaries bout brand break breaking brief
briefly british bro broken brought cable calculates calendar california calling calls cameras campaign canada
cancelling candidate capabilities capital captain capture career carefully carla cash catch category caught caused
causes causing cell centered century chain challenge challenges changed changes changing channel channels chaos
chapter characteristics characters charge charges charlie chatgpt cheating checking checklist checks chef china
chinese choice cinematic claim claims clarity classic clean clients climate clinical closed clothing cloud club coach
collect color colored colors column columns comes coming commands comments commit communicate communication companies
compared competition completely complex component components composition comprehensive concept concerns concise
conditions condone conduct conference confidence confirm connect connection consent consequences considered
considering consistent console const constraints construction consumer contain containing continuing contract contrast
contribute cool core corp corporate corporation countries counts county couple cout craft crash crazy creating
creation creative creativity crime criminal criteria critical cross crucial css csv cultural culture curious currently
custom cybersecurity damage damn dangerous darker dat david ddos december decisions deck default defense define
defined definition deliver delivered demonstrates department deposit depth described description designated designed
desk detail detailed detect detected detection detective determine determined develop developed developing development
device devices died digital directed direction director directory directs disabled discovered discovery discussing
disease dish distance div division documentation documents doing dollars double download draft drama dress dropped due
dumb earlier earned earnings eastern economic edge edit editor educational effective effectively effects efficient
efforts elaborate element elements emails emotional emotions emphasize employ employees empty enabled encourage endl
endorse enforced engage engaging engine engineer engineering england enhance ensure ensuring entering entertainment
entirely entrance entry environmental equal equivalent error errors essential establish established etc ethical ethics
europe european evaluate events everyday evil examination examples exchange exchanged execution executive exist
existing exists exit expected experienced experiences expertise explaining explanation explanations explicit
explicitly explore exploring expression extended external extra extract facing factorial factors facts failing failure
fair fake famous fantasy fat favorite feature features february federal fee feedback feeling feelings female fibonacci
fiction fictional fields figures filename filled film films finance financial finding findings finished firewall flag
flight float flow focused focusing followed follows football format former forum founded frame framework france
freedom french friday friendly fully functionality functions funds funny further futuristic gain games gather gene
generally generate generated generation generic george german germany gets getting girls gives goals gold golden gone
gonna google goran gotta governing government gpt grade grant ground groups guidance guilty guy handle handling hands
happens harbor harm having healthy heard height hell helpful helps heritage hey hide higher highest highlight
highlights highly hiking historian historical holding holmes honest host html huh humans ideas identified identifying
identity images immediate implement implementation implements implications import importance imposed improve
improvement inc included includes income incoming increased independent index individual individuals industrial
influence info ingredients inputs insights instance instructor insurance integer integers integration integrity
intelligence intent interact interactions interactive interested interface international internet interview invalid
investigating investment investors invite involve involved involves involving iostream iphone iron italian italy ivan
jacket james jane january japan java javascript john journey json julia july june jurisdiction keyboard kids king
kingdom knowledge label lack lamp lane largest late latest law laws layer layout leading league leaving led legality
legally legitimate length lets levels libraries library lighting likely limited limits linux lists lives living llm
located location lock logic login london looking looks louisiana lower mad magical maintain maintaining maintenance
makes male management mandatory manipulate manner map march marine markdown marketing mat material materials math
matters max maximum meaning measure measures measuring mechanical mechanism medieval medium members mental meta metal
methods metres metrics mexico michael mid milk minimal minimum mission mobile models modify modifying module modules
monday monitor monitoring months monument mood moral morally motion movement multi museum mysterious mystery named
namespace narrative natural naval necessary needs negative neighbor net newsletter noise notes notice novel november
num objective objects observation obtain obviously occurred october offense offensive omar ones openai opening
operations opportunities opportunity optional orange otherwise outline outputs overall overview package painting
paperback parameters parcel paris park participated particularly parts passing past paste patient patients pattern
patterns paul paying penalties perfect perform performance performed permissions permit personality perspective petra
photo photos php pin placed planet planned planning plans plant platform platforms platinum played player players
playing points police political pop potential potentially powerful practices pre preceding precise predefined premium
prepared presence pressure prevent previously primary prime principles println prints prioritize privacy pro probably
problems proceed processing produced producer producing professional professor profile programming progress projects
promote promoting proper properties protection provided provider provides providing published purchase purely python
quarter query quickly rain random rank rare rates ratio reader reads realistic reality realm reasonable reasoning
reasons received recently recipient recommend recommendations recommended records recursion reference reflect
regarding regards regular regulations related relationships released relevant remains remind reminder remote renowned
reported reputation requested requests requirements requires researcher reservation reset resolution respect responses
responsibilitie responsibility responsible restaurants restriction results resume retrieve returned returns revenue
reverse rights risks river robot roles round route row safely sales sample san saying says scale scenario scenarios
scheduled scientific scope screen seal secretary sections sector secure seeing seeking seems seen select selection
self sender sentences september sequence seriously served setting settings setup severe sexual shadows shape share
shared shares sharing sharp sheet sherlock shipping shopping shops short showing shows shut signals signature signed
significance silently silver simply singer situations skilled skills slightly smith sneaky snippet soft software sold
solid solution solutions solve solving sometimes sorry sources span spanish speaking specialist specializing species
specifically specified specify speech speed split sports spot spouse spread spreading square stack stadium standards
standing stars started starting states static status std stealing stocks stopped stored stories str straight
strategies strategy strike strings strongest strongly structured studies studio studying stupid subjects submit
subsequent subtle successfully suggestions suitable sum summarize summarizes sunday supported supporting surpassed
suspicious swear switch symbol sync syntax systems tactics taken takes taking tall tallest target tasked tasks taxes
teaching tech technical techniques technologies temp terminal terms tests texture theft theme themselves thinking tho
thoughts threats thursday tips title together tone tonnes topic topics touch towards tower track tracking trading
traffic trash traveling truth trying tuesday twitter typical typically ugly unauthorized understanding understood
unethical union unique united universe university unknown update updated updates updating upper urban usage useful
uses utilize vacation valid valuable values variable variables vector verify version veteran via video videos violence
virginia virtual visa visible visited visiting visitors visual void volume vulnerabilities vulnerable waiting wanna
wanted wants warm warning warnings washington ways weaknesses wearing web weeks weighs western whether whoever whose
william win winning wireless wise wit witness women working works workspace worldwide www yankees yellow yoga york
`

// english are all these words by themselves; patterns are the same words by
// the distances of their letters, which a Caesar cipher does not change: each
// with the set of first letters that make it a word.
var (
	english  = wordSet(commonWords + foreignWords)
	patterns = wordPatterns(commonWords + foreignWords)
)

func wordSet(list string) map[string]bool {
	set := make(map[string]bool, 4096)
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

func wordPatterns(list string) map[string]uint32 {
	set := make(map[string]uint32, 4096)
	for w := range strings.FieldsSeq(list) {
		if b := []byte(w); len(b) > 1 {
			first := b[0] - 'a'
			set[string(pattern(b))] |= 1 << first
		}
	}
	return set
}

// pattern shifts the lower-case letters of b so that the first is 'a'.
func pattern(b []byte) []byte {
	first := b[0] - 'a'
	for i := range b {
		b[i] = 'a' + (b[i]-'a'+26-first)%26
	}
	return b
}

// maxWord is the longest word that is looked at, in bytes: no common word with
// quotes and a full stop around it is longer.
const maxWord = 40

// lower appends the letters of word in lower case, without what stands around
// them; nothing when the word holds anything but ASCII letters between.
func lower(dst, word []byte) []byte {
	for len(word) > 0 && !isAlpha(word[0]) {
		word = word[1:]
	}
	for len(word) > 0 && !isAlpha(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	for _, b := range word {
		switch {
		case b == '\'': // don't
		case !isAlpha(b):
			return dst[:0]
		default:
			dst = append(dst, b|0x20)
		}
	}
	return dst
}

// worth scores a word: how much it speaks for English.
func worth(word []byte) int {
	var buf [maxWord]byte
	w := lower(buf[:0], word)
	if len(w) < 2 || !english[string(w)] {
		return 0
	}
	if len(w) == 2 {
		return 1
	}
	return len(w)
}
