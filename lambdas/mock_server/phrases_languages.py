"""Texts in Spanish, French, German, Portuguese and Japanese; the keys as in phrases_general."""

from __future__ import annotations

from lambdas.mock_server.phrases_general import _lines

LANGUAGES: dict[str, dict[int, tuple[str, ...]]] = {
    "es": {
        1: _lines("""
            muchas gracias a {brand}, un servicio excelente
            estoy encantada con {brand}, todo perfecto
            {brand} lo arregló en cinco minutos, increíble
            qué alegría, por fin algo que funciona: {brand}
            recomiendo {brand} a todo el mundo
            el mejor trato que he recibido, gracias {brand}
        """),
        0: _lines("""
            ¿alguien sabe el horario de {brand}?
            {brand} abre una oficina en Valencia
            mañana tengo cita con {brand}
            ¿dónde encuentro el contrato de {brand}?
            leyendo las noticias sobre {brand}
            ¿qué opináis de {brand}?
        """),
        -1: _lines("""
            una vergüenza lo de {brand}, nadie responde
            {brand} me cobró dos veces, fatal
            cuatro horas esperando a {brand}, qué horror
            nunca más con {brand}, pésimo servicio
            estoy harto de {brand}
            {brand} ha empeorado muchísimo, qué decepción
        """),
    },
    "fr": {
        1: _lines("""
            merci {brand}, service impeccable
            vraiment ravie de {brand}, bravo
            {brand} a tout réglé en dix minutes, génial
            quelle bonne surprise, {brand} est au top
            je recommande {brand} les yeux fermés
            équipe adorable chez {brand}, merci beaucoup
        """),
        0: _lines("""
            quelqu'un connaît les horaires de {brand} ?
            {brand} ouvre un bureau à Lyon
            rendez-vous avec {brand} jeudi
            je compare {brand} avec deux autres
            où trouver le mode d'emploi de {brand} ?
            {brand} a publié ses chiffres
        """),
        -1: _lines("""
            {brand}, c'est honteux, aucune réponse
            encore une panne chez {brand}, j'en ai marre
            trois heures d'attente à cause de {brand}, nul
            {brand} m'a facturé deux fois, inadmissible
            très déçu par {brand}, plus jamais
            le pire service client, c'est {brand}
        """),
    },
    "de": {
        1: _lines("""
            danke {brand}, das war ein großartiger Service
            bin richtig begeistert von {brand}
            {brand} hat mein Problem in zehn Minuten gelöst, super
            endlich etwas, das funktioniert: {brand}
            sehr freundliche Leute bei {brand}, klare Empfehlung
            {brand} macht einfach Freude
        """),
        0: _lines("""
            weiß jemand, wann {brand} öffnet?
            {brand} sucht Leute in Bremen
            morgen Termin bei {brand}
            vergleiche gerade {brand} mit zwei anderen
            wo finde ich die Anleitung von {brand}?
            {brand} hat ein neues Logo
        """),
        -1: _lines("""
            {brand} ist eine Katastrophe, keiner antwortet
            schon wieder Ausfall bei {brand}, mir reicht es
            drei Stunden wegen {brand} gewartet, furchtbar
            {brand} hat doppelt abgebucht, unverschämt
            nie wieder {brand}, sehr enttäuscht
            der schlechteste Kundendienst: {brand}
        """),
    },
    "pt": {
        1: _lines("""
            obrigada {brand}, atendimento maravilhoso
            adorei {brand}, tudo perfeito
            {brand} resolveu em cinco minutos, incrível
            recomendo {brand} de olhos fechados
            que surpresa boa, parabéns {brand}
            equipe muito simpática da {brand}
        """),
        0: _lines("""
            alguém sabe o horário da {brand}?
            {brand} vai abrir um escritório no Porto
            amanhã tenho reunião com {brand}
            comparando {brand} com outras duas
            onde encontro o manual da {brand}?
            {brand} mudou de logotipo
        """),
        -1: _lines("""
            que vergonha {brand}, ninguém responde
            {brand} cobrou duas vezes, péssimo
            três horas esperando por {brand}, horrível
            nunca mais {brand}, que decepção
            cansei da {brand}
            o pior atendimento é o da {brand}
        """),
    },
    "ja": {
        1: _lines("""
            {brand} のサービスが最高でした
            {brand} ありがとう、とても嬉しいです
            {brand} の対応が早くて感動しました
            {brand} を友達にもすすめたい
        """),
        0: _lines("""
            {brand} の営業時間を知っている人いますか
            明日 {brand} に行きます
            {brand} の新しいロゴを見ました
            {brand} のニュースを読んでいます
        """),
        -1: _lines("""
            {brand} の対応がひどい、がっかりです
            {brand} にまた待たされた、最悪
            {brand} は二度と使いません
            {brand} から返事が来ない、腹が立つ
        """),
    },
}
