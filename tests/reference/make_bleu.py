#!/usr/bin/env python3
"""Makes bleu.json: small corpora, and what sacreBLEU (2.6, pip install sacrebleu) says of them.

    python3 make_bleu.py            rewrites bleu.json
    python3 make_bleu.py --check    fails when that would change it

A corpus is a list of hypotheses and a list of references, made up here or taken from sentences.tsv and perturbed.
"""
import json
import random
import string
import sys
from pathlib import Path

from sacrebleu.metrics import BLEU, CHRF

HERE = Path(__file__).parent
WHITE_SPACE = [chr(c) for c in range(0x110000) if chr(c).isspace()]
NO_WHITE_SPACE = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff\x00\x1b\x7f\u0084\u0086"

SETTINGS = {  # by the names that the test knows
    "13a": dict(tokenize="13a"),
    "13a lc": dict(tokenize="13a", lowercase=True),
    "13a unsmoothed": dict(tokenize="13a", smooth_method="none"),
    "none": dict(tokenize="none", force=True),
}
CHRF_SETTINGS = {
    "chrF2": dict(),
    "chrF2 lc": dict(lowercase=True),
    "chrF2++": dict(word_order=2),
}


def lengths():
    words = "one two three four".split()
    for h in range(5):
        for r in range(5):
            yield f"lengths {h} and {r}", [" ".join(words[:h])], [" ".join(words[:r])]
    for h in range(5):
        yield f"length {h}, nothing matches", [" ".join(words[:h])], ["five six seven eight"]
        yield f"length {h}, turned round", [" ".join(words[:h])], [" ".join(words[:h][::-1])]
        yield f"length {h}, repeated", [" ".join(["one"] * h)], ["one two one two"]
        yield f"length {h} among others", [" ".join(words[:h]), "", "three four"], ["one two three", "one", ""]
    yield "white space alone", [" \t ", "\u3000"], ["\u2003", "\n"]
    yield "characters of lengths 1 to 8", ["abcdefgh"[:n] for n in range(9)], ["abcdefgh"[n:] for n in range(9)]


def orders():
    """Orders without a match, for the smoothing."""
    reference = "a b c d e f g h"
    for hypothesis in ("a x c x e x g x", "a b x d e x g h", "a b c x e f g x", "a b c d x f g h", "a", "a b", "h g f e",
                       "a a a a a", "a b a b a b a b a b", "a b c d e f g h i j k l"):
        yield f"orders of {hypothesis}", [hypothesis], [reference]


def white_space():
    for c in WHITE_SPACE:
        yield f"white space U+{ord(c):04X}", [f"a{c}b{c}{c}c d e{c}"], [f"{c}a b c{c}d e"]
    for c in NO_WHITE_SPACE:
        yield f"no white space U+{ord(c):04X}", [f"a{c}b c d e{c}"], ["a b c d e"]


def punctuation():
    for c in string.punctuation:
        yield (f"punctuation {c}", [f"x{c}y 1{c}2 {c}{c} 3{c} {c}4 z{c}5 6{c}w", f"end{c}"],
               [f"x {c} y 1 {c} 2 {c} {c} 3 {c} {c} 4 z {c} 5 6 {c} w", f"end {c}"])
    yield "numbers", ["1,234.56 -7 3-4 5.-6 1,2,3.", "3.14,15"], ["1,234 .56 - 7 3 -4 5 . -6 1,2,3 .", "3.14 , 15"]
    draw = random.Random("punctuation")
    for i in range(30):
        line = "".join(draw.choice("aB12.,-' &/ü") for _ in range(40))
        other = "".join(draw.choice([c, c, c, c + " "]) for c in line)
        yield f"run {i}", [line, line[::2]], [other, other[::2]]


def escapes():
    yield "entities", ["&quot;a&quot; &lt;b&gt; c &amp; d &apos;e"], ['"a" <b> c & d \'e']
    yield "entities twice", ["&amp;quot; &amp;lt; &amp;amp; &quot &gt;&gt;"], ['" < & &quot > >']
    yield "skipped", ["a <skipped> b<skipped>c <skip<skipped>ped> d"], ["a b c d"]
    yield "line ends", ["a hyphen-\nated word\nor two-\n", "x -\n\u2028"], ["a hyphenated word or two-", "x -"]
    yield "carriage return", ["a b c d\r"], ["a b c\rd"]


def scripts():
    yield ("German", ["Die größte Straße heißt Übelbachstraße.", "Äpfel, Öl"],
           ["Die Größte Strasse heißt übelbachstraße!", "äpfel öl"])
    yield "Chinese", ["我喜欢机器翻译。", "你好,世界"], ["我喜欢 机器 翻译。", "你好，世界"]
    yield "Japanese", ["これはペンです。", "東京タワー"], ["これはペンでした。", "東京 タワー"]
    yield "Russian", ["Привет, Мир!", "Ёлка ѢЪ"], ["привет, мир!", "ёлка ѣъ"]
    yield "Greek", ["ΚΑΛΗΜΕΡΑ Κόσμε: Ώρα", "Ϊ Ϋ"], ["καλημερα κόσμε : ώρα", "ϊ ϋ"]
    yield "Turkish", ["ISPARTA Şırnak ÇAĞRI"], ["isparta şırnak çağrı"]
    yield "Georgian and Hindi", ["ქართული ენა", "नमस्ते दुनिया"], ["ქართული", "नमस्ते, दुनिया।"]
    yield "emoji", ["👍 good 👨\u200d👩\u200d👧 😀😀", "🇩🇪"], ["👍good 👨\u200d👩\u200d👧 😀 😀!", "🇩🇪🇫🇷"]
    yield "marks that combine", ["e\u0301t\u00e9 \u00e9te\u0301"], ["\u00e9t\u00e9 e\u0301te\u0301"]
    yield "quotes", ["„So“, sagte er – ‚ja‘ … «nein»"], ["„ So “ , sagte er - ‚ ja ‘ ... « nein »"]
    yield "full width", ["ＡＢＣ，１２３．"], ["ABC,123."]
    yield "mixed case", ["A Dog SITS on The mat .", "McDonald's"], ["a dog sits on the mat .", "MCDONALD'S"]


def perturbed(sentence, draw, strength):
    words = sentence.split()
    out = []
    for word in words:
        action = draw.random() / strength
        if action < 0.2:
            continue
        elif action < 0.4:
            out.append(draw.choice(words))
        elif action < 0.5:
            out += [word, word]
        elif action < 0.6 and out:
            out.insert(len(out) - 1, word)
        elif action < 0.7:
            out.append(word.upper())
        elif action < 0.8:
            out.append(word[:-1])
        else:
            out.append(word)
    return " ".join(out)


def letters():
    """The blocks whose case data/unicode.h knows (İ is more than one letter in lower case); an x behind each, so that
    no sigma ends a word."""
    blocks = ((0x20, 0x130), (0x131, 0x180), (0x370, 0x530), (0x1E00, 0x1F00))
    return "x ".join(chr(c) for block in blocks for c in range(*block))


def written():
    pairs = [line.split("\t") for line in (HERE / "sentences.tsv").read_text(encoding="utf-8").splitlines()]
    draw = random.Random("written")
    for i in range(30):
        references = [draw.choice(pairs)[i % 2] for _ in range(1 + i % 6)]
        yield f"written {i}", [perturbed(s, draw, (i % 5) / 4 + 1e-9) for s in references], references
    yield "written, the other language", [de for de, _ in pairs], [en for _, en in pairs]


def short(value):
    return [short(v) for v in value] if isinstance(value, list) else float(f"{value:.12g}")


def bleu(hypotheses, references, settings):
    b = BLEU(**settings).corpus_score(hypotheses, [references])
    return {"score": short(b.score), "precisions": short(b.precisions), "matches": b.counts, "totals": b.totals,
            "penalty": short(b.bp), "lengths": [b.sys_len, b.ref_len]}


def chrf(hypotheses, references, settings):
    return short(CHRF(**settings).corpus_score(hypotheses, [references]).score)


def signature(metric):
    metric.corpus_score(["a"], [["a"]])
    return metric.get_signature().format().rpartition("|version:")[0]


def content():
    corpora = []
    for part in (lengths, orders, white_space, punctuation, escapes, scripts, written):
        for name, hypotheses, references in part():
            assert len(hypotheses) == len(references)
            corpora.append({
                "name": name, "hypotheses": hypotheses, "references": references,
                "lines": [BLEU().corpus_score(hypotheses, [references]).format(width=1),
                          CHRF(word_order=2).corpus_score(hypotheses, [references]).format(width=1)],
                "bleu": {key: bleu(hypotheses, references, value) for key, value in SETTINGS.items()},
                "chrf": {key: chrf(hypotheses, references, value) for key, value in CHRF_SETTINGS.items()}})
    signatures = {key: signature(BLEU(**value)) for key, value in SETTINGS.items()}
    signatures |= {key: signature(CHRF(**value)) for key, value in CHRF_SETTINGS.items()}
    lower = [letters(), letters().lower()]
    lines = ",\n".join(json.dumps(corpus, separators=(",", ":")) for corpus in corpora)
    return len(corpora), f'{{"signatures":{json.dumps(signatures)},\n"lowercase":{json.dumps(lower)},\n"corpora":[\n{lines}\n]}}\n'


if __name__ == "__main__":
    path = HERE / "bleu.json"
    count, text = content()
    if "--check" in sys.argv[1:]:
        assert path.read_text(encoding="ascii") == text, f"{path}: would change"
    else:
        path.write_text(text, encoding="ascii")
    print(f"{path.name}: {count} corpora, {path.stat().st_size} bytes")
