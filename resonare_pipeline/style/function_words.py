"""Words that everybody uses and that tell nothing of a person, in seven languages."""

_ENGLISH = """
a about all also am an and any are as at be been but by can could did do does don't for from get
go going got had has have he her here him his how i i'd i'll i'm i've if in into is isn't it
it's its just like me more my no not now of off on one only or our out over she should so some
than that that's the their them then there they this to too up us was we were what when where
which who why will with would you you're your can't didn't doesn't won't because really know
think gonna let make see want much very
"""
_GERMAN = """
aber alle als also am an auch auf aus bei bin bis bist da dann das dass dein dem den der des die
dir dich doch du ein eine einen einem einer er es euch für hab habe haben hat hatte ich ihr im
in ist ja kann kein keine mal man mehr mein meine mich mir mit nach nicht noch nur oder schon
sein sich sie sind so um und uns von vor war was weil wenn wie wir wird wo zu zum zur denn
"""
_FRENCH = """
au aux avec c'est ce ces cette dans de des du elle en est et il ils j'ai je la le les leur lui
ma mais me mes moi mon ne nous on ou où par pas pour plus qu'il que qui sa se ses si son sont
sur ta te toi tu un une va vous y d'un suis
"""
_SPANISH = """
al como con cuando de del donde e el ella en era eres es esta este esto estoy fue ha hay he la
las le les lo los más me mi mis muy nada o para pero por porque que qué se si sí sin solo son su
sus también te tengo ti tu un una unos y ya yo está
"""
_PORTUGUESE = """
ao aos as até com da das de do dos ela ele em era essa esse eu foi isso isto já mais mas mesmo
meu minha na nas não nem no nos num o os ou para pra pelo por quando que se sem ser só sua
também tá te tem tenho tu um uma você vou
"""
_ITALIAN = """
a ai al alla anche che chi ci come con da dal dei del della di e è fa gli ha hai ho i il in io
la le lei lo lui ma mi ne nel nella non o per perché però più poi quando quello questa questo se
sei si sono su ti tu un una uno c'è
"""
_RUSSIAN = """
а без бы был была было быть в вам вас вот все всё вы где да для до его ее её если есть еще ещё
же за и из или им их к как когда кто ли мне меня мы на надо не нет но ну о он она они от по при
с со так там то тоже только тут ты тебе тебя у уже что чтобы это я
"""

FUNCTION_WORDS = frozenset(
    " ".join((_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _PORTUGUESE, _ITALIAN, _RUSSIAN)).split()
)
