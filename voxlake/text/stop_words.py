"""English stop words: function words that say nothing about feeling or subject.

Negations ("not", "never") are stop words here too: these lists feed word counts and topics, not
the sentiment models, which read the whole text.
"""

_WORDS = """
    a about above across after again against all almost along already also although always am among
    an and another any anybody anyone anything anywhere are aren't around as at away back be became
    because become becomes been before behind being below between both but by came can can't cannot
    come comes could couldn't did didn't do does doesn't doing don't done down during each either
    else enough even ever every everybody everyone everything everywhere few for from further get
    gets getting go goes going gone gonna got gotta had hadn't has hasn't have haven't having he
    he'd he'll he's her here here's hers herself him himself his how how's however i i'd i'll i'm
    i've if in into is isn't it it'd it'll it's its itself just let let's lets like made make makes
    many may maybe me might mine more most much must mustn't my myself near neither never no nobody
    none nor not nothing now nowhere of off often oh on once one ones only onto or other others
    otherwise ought our ours ourselves out over own per perhaps put quite rather really same say
    says see seem seems shall she she'd she'll she's should shouldn't since so some somebody
    someone something sometimes somewhere still such take than that that'd that'll that's the their
    theirs them themselves then there there's therefore these they they'd they'll they're they've
    thing things this those though through thus till to together too toward towards under unless
    until up upon us use used uses using very was wasn't way we we'd we'll we're we've well
    went were weren't what what's whatever when when's whenever where where's wherever whether
    which while who who's whoever whole whom whose why why's will with within without won't would
    wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
    ain't amp dont cant wont didnt doesnt isnt im ive id ill u ur r rt via w b4 lol pls plz yall
    y'all ya yeah ok okay gt lt vs etc
"""

STOP_WORDS = frozenset(_WORDS.split())
