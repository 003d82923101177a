#!/usr/bin/env python3
"""Makes bpe.text (made-up words), bpe.codes (merges that subword-nmt learns from its first lines) and bpe.segmented (the
text as it cuts it); with a folder of data sets also bpe.sums. Needs `pip install subword-nmt` (0.3.8 was used).

    python3 tests/reference/make_bpe.py [--check] [DATA]
"""
import io
import pathlib
import random
import sys
import zlib

from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe

HERE = pathlib.Path(__file__).parent


def made_up_text():
    """60 lines to learn from, then 20 with words never seen."""
    draw = random.Random(1)
    onsets = ["b", "br", "d", "f", "gr", "k", "l", "m", "n", "sch", "st", "th", "ж", "λ"]
    rhymes = ["a", "au", "e", "ee", "ing", "o", "ür", "ß", "é", "ия"]
    odd = ["aaaaaa", "aaa", "abababab", "</w>", "x@@", "ßßßß", "😀😀😀", "-", "&apos;s", "a<b", "10,000", "\\n."]

    def word(longest):
        return "".join(draw.choice(onsets) + draw.choice(rhymes) for _ in range(draw.randint(1, longest)))

    lexicon = [word(3) for _ in range(80)] + odd
    seen = [" ".join(draw.choice(lexicon) for _ in range(draw.randint(1, 9))) for _ in range(60)]
    unseen = [" ".join(draw.choice([word(5), draw.choice(odd) + draw.choice("ab漢")]) for _ in range(6)) for _ in range(20)]
    return seen, unseen


def learn(text, merges):
    codes = io.StringIO()
    learn_bpe(io.StringIO(text), codes, merges)
    return codes.getvalue()


def segment(codes, text):
    bpe = BPE(io.StringIO(codes))
    return "".join(bpe.process_line(line + "\n") for line in text.split("\n")[:-1])


def lines(some):
    return "\n".join(some) + "\n"


def sums(data):
    """crc32 of what subword-nmt makes of real files."""
    def crc(text):
        return f"{zlib.crc32(text.encode()):08x}"

    iwslt = data / "iwslt14.de-en"
    codes = (iwslt / "bpe.10k.codes").read_text()
    out = []
    for name in ["valid.de", "valid.en", "test.de", "test.en", "train.sample.de", "train.sample.en"]:
        out.append(f"segmented {name} {crc(segment(codes, (iwslt / name).read_text()))}")
    train = data / "multi30k.de-en" / "tok"
    text = "".join((train / f"train.lc.norm.tok.{language}").read_text() for language in ["de", "en"])
    out.append(f"learned 2000 {crc(learn(text, 2000))}")
    return lines(out)


def main(arguments):
    only_check = arguments[:1] == ["--check"]
    folders = arguments[only_check:]
    seen, unseen = made_up_text()
    codes = learn(lines(seen), 250)
    made = {"bpe.text": lines(seen + unseen), "bpe.codes": codes, "bpe.segmented": segment(codes, lines(seen + unseen))}
    if folders:
        made["bpe.sums"] = sums(pathlib.Path(folders[0]))
    for name, contents in made.items():
        if not only_check:
            (HERE / name).write_text(contents)
        elif (HERE / name).read_text() != contents:
            sys.exit(f"{name} is not what this script makes")


main(sys.argv[1:])
