"""Building blocks of English texts that fit any brand.

`{brand}` is a brand's name, handle or hashtag; `{thing}` one of its products; the keys of every
mapping are the mood of the text: 1 positive, 0 neutral, -1 negative.
"""

from __future__ import annotations


def _lines(block: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in block.strip().splitlines())


OPENERS = {
    1: _lines("""
        Okay wow.
        Credit where it is due:
        Best news of my week!
        Not gonna lie,
        Say what you want, but
        Happy customer here!
        Made my morning:
        Small thing, big smile:
        I never post praise, so here goes:
        Thank you!
        Pleasantly surprised.
        Friends, listen:
        Two thumbs up.
        Honestly impressed.
        This is how it is done.
        Grateful today.
    """),
    0: _lines("""
        Quick question:
        Does anybody know this?
        Just saw this:
        For those who asked:
        Note to self:
        Heads up:
        So,
        Today's update:
        Random thought:
        Reading about it now:
        FYI:
        Asking for a friend:
        On my list for today:
        Has anyone else noticed?
    """),
    -1: _lines("""
        Seriously?
        I am so done.
        Unbelievable.
        Third time this month.
        What a mess.
        Here we go again.
        Can somebody explain this to me?
        Worst afternoon in a long time.
        I want my evening back.
        How hard can it be?
        Disappointed, again.
        Rant incoming:
        Not okay.
        I tried to stay calm.
        Avoid!
        Ugh.
    """),
}

ABOUT_BRAND = {
    1: _lines("""
        {brand} just made my day
        really happy with {thing} from {brand}
        {brand} keeps getting better, I love {thing}
        {thing} by {brand} is worth every cent
        the team at {brand} was friendly, quick and honest
        {brand} solved my problem in ten minutes
        switching to {brand} was the best decision this year
        I recommended {brand} to my whole family
        so impressed by {thing}, well done {brand}
        {brand} treated us like kings today
        beautiful work on {thing}, {brand}
        everything went smoothly with {brand}, as always
        great value, great people: {brand}
        {brand} answered within a minute and actually helped
        my parents love {thing} from {brand}
        {brand} went out of their way for us, amazing service
        I did not expect {thing} to be this good, thanks {brand}
        hats off to {brand} for fixing it so fast
        {brand} has the nicest support people I ever spoke to
        five stars for {brand} and {thing}
    """),
    0: _lines("""
        does {brand} offer {thing} at the weekend
        comparing {brand} with two others, opinions about {thing}
        {brand} announced changes to {thing}
        anyone here using {thing} from {brand}
        saw an advert of {brand} for {thing} at the station
        {brand} is hiring in our town
        where do I find the settings of {thing}, {brand}
        {brand} moved its office to the old harbour
        I have an appointment with {brand} on Thursday
        what are the opening hours of {brand} on holidays
        {brand} published its numbers for the quarter
        trying {thing} by {brand} for the first time next week
        my neighbour works at {brand} in the {thing} team
        is {thing} from {brand} available in Portugal
        {brand} has a new logo, have you seen it
        the contract with {brand} runs until spring
        looking for a manual of {thing} by {brand}
        the {brand} newsletter mentions {thing} this month
    """),
    -1: _lines("""
        {brand} has let me down again
        {thing} from {brand} is a joke
        still no answer from {brand} after four days
        {brand} charged me twice and nobody cares
        I regret ever trusting {brand}
        {thing} stopped working an hour after I got it, thanks for nothing {brand}
        the support of {brand} hung up on me
        {brand} keeps making it worse
        how does {brand} get away with {thing} in this state
        waiting fifty minutes in the queue of {brand}, awful
        {brand} lost my request and blames me
        I am cancelling {brand}, this is unacceptable
        terrible experience with {thing}, never again {brand}
        {brand} promised a refund in March, still nothing
        another broken promise by {brand}
        rude staff, slow answers, hidden fees: {brand} in one line
        {thing} is unusable since the update, {brand}
        {brand} ignores every message I send
        what is wrong with {brand} these days, {thing} fails constantly
        if you can, stay away from {brand}
    """),
}

TAILS = {
    1: _lines("""
        and it only took five minutes
        which never happens to me
        and the price was fair too
        exactly what we needed
        and they even called back to check
        I am telling everybody
        the kids were delighted
        keep it up
        what a relief
        now that is service
        will definitely come back
        and I did not have to ask twice
        makes life so much easier
        this deserves more attention
    """),
    0: _lines("""
        will report back
        thanks in advance
        let me know
        link below
        more next week
        not sure yet
        as far as I understand
        at least in my area
        somebody will know
        asking before I order
        details tomorrow
        just curious
    """),
    -1: _lines("""
        and nobody apologised
        what am I paying for
        my whole day is ruined
        this used to be so much better
        I want my money back
        zero communication
        do better
        and the bot just loops
        I have screenshots of everything
        what a waste of time
        absolutely ridiculous
        fix this now
        I will take my money elsewhere
        and now they stopped answering
    """),
}

REPLIES = {
    1: _lines("""
        So happy for you!
        Same here, they are great
        Love this
        Totally agree, wonderful people
        This made me smile
        Congratulations!
        Well deserved
        Good to hear something nice for once
        Thanks for sharing, that helps a lot
        Exactly my experience, excellent
        Beautiful, thank you
        You convinced me
        Haha, brilliant
        That is so kind of them
        Now I want one too
        The best, no question
    """),
    0: _lines("""
        Which one do you mean?
        Where was that?
        Since when?
        Do you have a link?
        Following
        How much was it?
        I think it depends on the region
        Is that the new one or the old one?
        Same question here
        Have you tried turning it off and on?
        What did they answer?
        It was on the news yesterday
        Writing you a message
        Mine says something different
    """),
    -1: _lines("""
        Same mess here, so annoying
        Sorry to hear that, they did it to me too
        This is getting worse every week
        Unacceptable, ask for a refund
        I gave up on them last year, horrible
        That is just sad
        They never answer, do not bother
        What a shame
        I am furious just reading this
        Disgraceful
        No, that is plainly wrong
        You are not alone, it is broken for everybody
        Terrible, and they call it service
        I would be so angry
        Worst company ever
        Hope you get your money back
    """),
}

AGENT_REPLIES = _lines("""
    Sorry about that, could you tell us your booking or customer number?
    Thanks for reaching out, let me look into {thing} for you.
    I understand how annoying this is, one moment please.
    Could you send us the date and the place?
    I have passed this on to the team for {thing}.
    We have found your case and are checking it now.
    Please restart it once and tell me what you see.
    I can offer you a replacement or your money back, which do you prefer?
    That should not have happened, I apologise.
    Your refund is on its way, it takes three working days.
    The colleagues confirmed it, it is fixed on our side.
    May I call you this afternoon?
    Thank you for your patience, we are nearly there.
    I have added a voucher to your account.
""")

CUSTOMER_FOLLOW_UPS = _lines("""
    It was yesterday around six, in the evening.
    The number starts with AB and ends in 41.
    Already did that, twice.
    Sure, here is what it says: error 17.
    I would like my money back, please.
    A replacement is fine.
    How long will that take?
    Same as before, nothing changed.
    Okay, waiting.
    You can write to {mail}.
    My number is {phone}.
    I sent you a screenshot.
""")

CUSTOMER_ENDINGS = {
    1: _lines("""
        It works, thank you so much!
        Perfect, that was quick. Thanks!
        Great, you really helped me.
        Wonderful service, I am very happy.
        Lovely, have a nice day!
        You saved my weekend, thanks.
    """),
    0: _lines("""
        Okay, I will wait then.
        Noted.
        I will check tomorrow.
        All right.
    """),
    -1: _lines("""
        This is useless, goodbye.
        I am leaving, worst support ever.
        Still broken. I give up.
        Unbelievable, you did not read a word I wrote.
        I want to speak to somebody who can help.
        So disappointed, I will cancel.
    """),
}

EMOJI = {
    1: ("😀", "😍", "🎉", "👏", "❤️", "🙌", "😊", "🔥", "💯", "🥳", "👍", "✨", "<3", ":)"),
    0: ("🤔", "👀", "📌", "🙂", "📷", "☕", "🗓️"),
    -1: ("😡", "😭", "🤬", "👎", "💔", "😤", "🙄", "😞", "🤦", ":(", "😩"),
}

EDITS = ("EDIT: ", "Update: ", "Correction: ", "(edited) ")

BIOS = _lines("""
    Coffee first, then the world
    Runner, reader, father of three
    Photographs of small streets
    Nurse by night, gardener by day
    Maps, trains & long walks
    I cook things and write them down
    Opinions my own, recipes my mother's
    Student of everything
    Retired engineer, active grandmother
    Football on Saturdays, chess on Sundays
    Learning Portuguese, slowly
    Board games > parties
    Two cats, one bicycle
    Teacher of mathematics and patience
    Living between two time zones
    Music from before you were born
    Local news and quiet jokes
    Designer of chairs
    I answer questions about bees
    Swimmer. Cold water only
    Collector of rainy days
    Here for the comments
    Mail me: {mail}
    Bookings: {phone}
""")
