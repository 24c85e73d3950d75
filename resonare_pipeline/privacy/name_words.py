"""Words that stand in names and must not, or not always, be taken for one.

Facts of languages, as folded words (`folding.fold`). Nothing here is exhaustive: a name that is
missing from `COMMON_WORDS` is redacted too often, never too rarely.
"""

_PARTICLES_TEXT = """
a al an abu ap as au av bar ben bin bint binti d da das de dei del della den der des di dii do don
dos du e el en et ibn in l la las le les lo los mac mc mir mon mr mrs ms mx na ni o of og san santa
saint st sri shri sir ter ten the till to tot u und van vande vanden ver vom von vor y z zu zum zur
dr prof phd md jr sr ii iii iv esq herr frau madame monsieur mme mlle senor senora dona signor
signora pan pani и да аль бин ибн оглы кызы ال بن ابن ابو عبد بنت
"""

_ROLES_TEXT = """
mom mum mommy mummy mama mamma mami ma dad daddy papa pa papi pops father mother brother sister bro
sis son daughter aunt auntie uncle grandma grandpa granny nana baby babe honey husband wife
boyfriend girlfriend bf gf friend best bestie boss work office home house mobile cell phone tel new
old nr number number2 private main backup bot admin channel group chat club team official support
service services info news shop store taxi uber doctor dentist plumber teacher school uni
university college gym landlord neighbor neighbour from at and or for with my your our me i you
tinder bumble hinge airbnb whatsapp signal facebook instagram telegram test account company gmbh
llc ltd inc ag mutter vater bruder schwester oma opa tante onkel mutti vati arbeit buro handy
privat neu alt freund freundin arzt zahnarzt vermieter nachbar nachbarin schule chef chefin firma
verein gruppe mae pai mana mano avo tia tio irmao irma irmana hermano hermana madre padre abuela
abuelo trabajo casa amigo amiga amor mejor jefe jefa nuevo nueva grupo maman tatie tonton mamie
papy frere soeur travail maison ami amie cheri cherie patron nouveau nonna nonno zia zio fratello
sorella lavoro amico amica amore capo nuovo мама папа мамочка папочка мам пап брат сестра дядя тетя
бабушка дедушка баба дед муж жена сын дочь друг подруга работа дом мои моя мое новыи новая старыи
шеф начальник врач такси школа тато сестричка робота подружка anne baba abla abi agabey kardes
teyze amca dayi hala is ev ask askim canim yeni eski tata brat siostra ciocia wujek babcia dziadek
praca dom szef kolega kolezanka امي ابي اخي اختي حبيبي حبيبتي البيت العمل
"""

_COMMON_WORDS_TEXT = """
ace alba amber angel angels april art ash aspen august autumn bailey baker ball ban barber baron
basil bean bear beau beauty bell berry best bill bird bishop black blossom blue bob bond bonny
booker brand brandy brook brooke brooks brown buck bud bush butler candy carol carter case cash
chance chancellor charity chase chastity cherish cherry chip church clay cliff clover cole colt
constance cook cooper coral crew crystal dale dan dawn day dean desire destiny diamond dick dixie
don dove drake drew duke earl ease ebony eden ember english ernest eternity eve ever faith fallon
fawn felicity fern finch fisher flora ford forest fox frank french friend gage gale garland gene
genesis ginger glen glenn glory golden good grace grant gray green grey guy hale hall happy harmony
harper harry haven hazel heath heather heaven hill holly honor honour hope hunt hunter ice
independence iris ivory ivy jack jade jasmine jay jean jersey jet jewel job josh journey joy jude
judge july june justice kay king kit kitty knight lance land lane lark laurel law lee legend lemon
liberty light lily lion little long loud love lucky luna lynn lyric mac magnolia major man march
mark marsh mason master matt max may maxim mayor meadow mercy merit merry mick miles milo mine
miner mint misty mike moon moor more moss myrtle new nick noble noel norm north oak ocean olive
opal park parker parish parsons patience patty paz peace pearl penny pepper petal phoenix pierce
piper poe poet polly pope poppy porter power price pride prince princess prudence queen rain
rainbow ray reading red reed reid reign rex rice rich river rivers rob robin rock rocky rod roman
rose rosemary rowan royal ruby rush russ rusty ruth sage sailor saint sale sam sandy savage
savannah scarlet scout season serenity shade shaw shepherd short silver sky skip slate small snow
sol song sonny soul spring star steel sterling stone storm story sue summer sun sunday sunny
sunshine sweet swift tab tad tanner temple terry tiger trace tracy treasure trinity troy true truth
tucker tuesday turner tyler van veil vera victor victory vine viola violet virginia wade walker
ward warren water waters way wednesday west wheeler white will willow win winter wise wolf wood
woods woody wren wright young zen alt bach bauer baum becker berg blum braun busch demut engel
ernst fein fischer frei freude friede fuchs gross gut hahn hart heide heil herz hirsch horn jager
jung kaiser kern klein klug koch kohl konig krause kraus krone kurz lang laut lieb linde lowe
lustig mai mann maus meier mohr mut neumann pfeffer probst rein reich richter ritter rosa rot roth
sauer schafer schneider schon schreiber schuster schwarz sommer sonne sonntag stark stein stern
sturm traum treu unger vogel vogt wagner wald weber weiss weiser wild wirt wolff wunder zimmer
zimmermann abril aguila alegria alma amable amor angeles asuncion aurora blanca blanco bravo bueno
caballero calle campos cano clara concepcion consuelo cortes cruz delgado dolores domingo esperanza
estrella fe feliz fiel flor flores fuente gallo gloria guerra guerrero herrera hierro iglesias
jesus justo leal leon libertad linda llanos lobo luz mar maravilla mercedes merced milagros mora
moreno nieves nube paloma pardo pastor pena perla pilar pino prado prudencia real redondo remedios
rey reyes rico rio rios roca rojo romero rubio salvador santos serena serrano silva soledad soto
toro torres valle vega victoria vida aime belle blanche blanc boulanger bois bon brun celeste
chevalier claire constant cordonnier dieu fleur fleury fontaine fort france gros joie joli juste
lacroix lamour leblanc leger legrand lejeune lune maitre mercier moulin neige noire ouest parfait
petit pierre prune rouge roux roy sauvage sylvestre vert allegra angelo asia bella bello bianca
bianco bruno conte costa dolce donna elettra felice fiore fortuna franca gatti gioia grande grazia
italia letizia libero luce lupo maggio mare neri nero nuvola onda primavera regina ricci rocco
rossi rosso russo sereno sole speranza stella testa verde vita vittoria alegre amado amora branco
cabral coelho correia cunha esperanca figueira lima nascimento neves pinheiro pinto ramos rocha sa
sales serra вера надежда любовь роман лев слава света мира мир роза лилия мая злата лада рада ива
дан дар волк заяц козел медведь орел сокол соловеи кузнецов мороз зима весна лето осень краи
краснов белов чернов весел добрыи милыи молодец король князь коваль кравец мельник ткач бондар
гончар шевченко горох буряк капуста сорока ворона синица лес поле гора река море небо солнце луна
звезда зоря ясна мила люба воля доля ali ana eva ida ira una ian ina kaj kai ben bea ada era
eda ola ala ewa iga zoja ula askin aydin bahar baris bulut can cansu cem cicek deniz demir dilek
dogan duru ece ekin emel emir eren ergin evren eylul gul gunes guzel hayat huzur ilkbahar inci
irmak isik ipek kar kara kaya lale mavi melek mert mutlu naz nur onur oya ozan ozgur pinar polat
reyhan ruya sahin savas seda seher sel sema sevda sevgi sevinc simge su sule tan toprak tuna tunc
ufuk umut ulku unal yagmur yaprak yaren yasam yeliz yesil yigit yildirim yildiz zafer bintang bulan
cahaya dewi indah intan kurnia mawar melati mulia murni mutiara permata putra putri ratu setia
surya wati ha hai hoa hong hung lan linh minh my nam ngoc phong quang son tam thanh thao thi tuan
bai fang gao hu jing kong lei lin ling liu lu ma mei ming ning pan ping qing rong shan shi tang tao
wei wen wu xi xia xu yan yang ye yi yu yuan do no so he go ki eun bae byun cha gil kang oh shin won
woo yoon you asha aarti anand arun aruna deep hari jaya jyoti kiran lata moti om prem raj raja rani
roshan rupa sagar sant shanti sri sundar suraj tara uma usha vani
"""

NO_NAMES = frozenset(
    {
        "deleted account",
        "telegram",
        "saved messages",
        "deleted user",
        "unknown",
        "unknown user",
        "user",
        "anonymous",
        "удаленныи аккаунт",
        "избранное",
        "geloschter account",
        "cuenta eliminada",
        "compte supprime",
        "account eliminato",
        "conta excluida",
        "silinmis hesap",
        "usuniete konto",
        "видалении акаунт",
    }
)
"""Display names that stand for nobody."""

PARTICLES = frozenset(_PARTICLES_TEXT.split())
"""Parts of names that never stand for a person by themselves."""

ROLES = frozenset(_ROLES_TEXT.split())
"""What people are to the one who saved the contact; never names."""

COMMON_WORDS = frozenset(_COMMON_WORDS_TEXT.split())
"""Words of some thirty languages that are names, too."""

MONTHS = frozenset({"april", "may", "june", "august", "avril", "mai", "avgust", "abril", "julio"})
"""Names that are months too."""
