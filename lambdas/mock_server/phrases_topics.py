"""Small talk in English, about none of the brands; the keys as in phrases_general."""

from __future__ import annotations

from lambdas.mock_server.phrases_general import _lines

TOPICS: dict[str, dict[int, tuple[str, ...]]] = {
    "weather": {
        1: _lines("""
            first warm evening of the year, sitting outside until midnight
            sunshine after ten grey days, everybody is smiling
            the snow makes our street look magical
            perfect light over the harbour this morning
        """),
        0: _lines("""
            rain from noon on, they say
            the wind turned north this afternoon
            fog over the valley, eight degrees
            clocks change on Sunday
        """),
        -1: _lines("""
            soaked to the bone, and the umbrella broke
            so tired of this freezing drizzle
            heatwave day six and no sleep at all
            storm took half of our tomatoes
        """),
    },
    "food": {
        1: _lines("""
            this lentil soup cured my bad mood completely
            finally found a bakery with proper rye bread, heaven
            my sourdough rose for the first time, so proud
            grandma's plum cake, nothing beats it
        """),
        0: _lines("""
            making pasta for six tonight
            do you put onions into potato salad
            the market on the square opens at seven
            lunch: rice, beans, an egg
        """),
        -1: _lines("""
            burned the onions twice, ordering in, hate this day
            cold soup and a rude waiter, what a sad dinner
            the milk went bad again before its date
            food poisoning, worst night of the year
        """),
    },
    "sport": {
        1: _lines("""
            what a comeback in the last minute, I am still shaking
            ran ten kilometres without a break, so happy
            our girls won the cup, best team ever
            that goal was pure art
        """),
        0: _lines("""
            kick-off is at eight tonight
            watching the cycling with the sound off
            new running shoes arrive tomorrow
            the league table after fourteen rounds
        """),
        -1: _lines("""
            another defeat at home, embarrassing
            that referee ruined the whole match
            pulled a muscle in the first kilometre, so frustrating
            we pay for tickets to watch this misery
        """),
    },
    "music": {
        1: _lines("""
            concert of the year, I have no voice left and no regrets
            this new record gives me goosebumps
            heard a street violinist, beautiful start of the day
            my daughter plays her first whole song, love it
        """),
        0: _lines("""
            listening to old jazz while packing
            the festival published its programme
            looking for a second-hand cello
            rehearsal moved to Wednesday
        """),
        -1: _lines("""
            concert cancelled an hour before doors, so disappointed
            neighbours and their drum kit at midnight, please stop
            paid a fortune and could not see the stage
            the remix ruined my favourite song
        """),
    },
    "work": {
        1: _lines("""
            got the job! I start in May, could not be happier
            my team surprised me with cake, lovely people
            shipped it, on time, proud of us
            first day without a single meeting, wonderful
        """),
        0: _lines("""
            moving desks this week
            three meetings before noon
            writing the report for Friday
            does anyone have a template for minutes
        """),
        -1: _lines("""
            my laptop died five minutes before the talk, panic
            unpaid overtime again, I am exhausted
            they cancelled the project after two years, gutted
            inbox at four hundred, I give up
        """),
    },
    "pets": {
        1: _lines("""
            the shelter cat chose me, I am in love
            our old dog ran like a puppy today, made us so happy
            look at this tiny nose, best thing on the internet
            she purrs when I sing, my biggest fan
        """),
        0: _lines("""
            vet at four, just a check
            how often do you walk a young dog
            two ducks live in our yard now
            the cat sleeps on the printer
        """),
        -1: _lines("""
            our rabbit is ill, worried all night
            somebody left a puppy at the motorway, how cruel
            the dog ate my passport, disaster
            lost cat near the mill, we miss him so much
        """),
    },
    "city": {
        1: _lines("""
            the new park is lovely, children everywhere
            stranger gave me his seat and a smile, faith restored
            whole street painted the fence together, great afternoon
            tram came on time for once, cheers
        """),
        0: _lines("""
            the bridge closes for works on Monday
            library card renewed
            line 4 runs every twelve minutes now
            council meets on Tuesday at six
        """),
        -1: _lines("""
            bike stolen in broad daylight, I could cry
            third train cancelled, stuck on a freezing platform
            rubbish everywhere after the weekend, shameful
            rent up again, this city is hopeless
        """),
    },
    "technology": {
        1: _lines("""
            fixed a nine-year-old bug before breakfast, feeling great
            my old radio works again, so satisfying
            the new map app is brilliant
            backup saved my thesis, hooray
        """),
        0: _lines("""
            updating everything tonight
            which keyboard layout do you use
            learning SQL, chapter three
            cable or wireless, what do you prefer
        """),
        -1: _lines("""
            update wiped my settings, I hate this
            forty tabs and it crashed, everything lost
            password rules from hell, locked out again
            printer says no, as always, useless thing
        """),
    },
}
