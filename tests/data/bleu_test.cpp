// BLEU and chrF: what sacreBLEU says of many small corpora, and the definitions by hand.
#include "data/bleu.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "data/chrf.h"
#include "data/unicode.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

using Strings = std::vector<std::string>;
using Words = std::vector<std::string_view>;

// The settings of tests/reference/make_bleu.py.
const std::map<std::string, BleuOptions> kBleuSettings = {
    {"13a", {}},
    {"13a lc", {.lowercase = true}},
    {"13a unsmoothed", {.smoothing = BleuSmoothing::none}},
    {"none", {.tokenizer = BleuTokenizer::none}},
};
const std::map<std::string, ChrfOptions> kChrfSettings = {
    {"chrF2", {}},
    {"chrF2 lc", {.lowercase = true}},
    {"chrF2++", {.word_order = 2}},
};

nlohmann::json stored() {
  return nlohmann::json::parse(bytes_of_file(NORMLAB_SOURCE_DIR "/tests/reference/bleu.json"));
}

bool close(double a, double b) { return std::abs(a - b) <= 1e-9; }  // points of 100

void compare(const Bleu& bleu, const nlohmann::json& expected) {
  INFO(bleu.line(12) << ", expected " << expected.dump());
  CHECK(close(bleu.score, expected.at("score")));
  CHECK(close(bleu.brevity_penalty, expected.at("penalty")));
  const auto precisions = expected.at("precisions").get<std::array<double, 4>>();
  CHECK(std::equal(precisions.begin(), precisions.end(), bleu.precisions.begin(), close));
  CHECK(bleu.matches == expected.at("matches").get<std::array<Index, 4>>());
  CHECK(bleu.totals == expected.at("totals").get<std::array<Index, 4>>());
  CHECK(std::array{bleu.hypothesis_length, bleu.reference_length} ==
        expected.at("lengths").get<std::array<Index, 2>>());
}

// tokens joined by single blanks
std::string tokens_13a(const std::string& sentence) {
  std::string joined;
  const std::string tokenized = tokenize_13a(sentence);
  for (const std::string_view token : split(tokenized)) joined.append(joined.empty() ? "" : " ").append(token);
  return joined;
}

}  // namespace

TEST_CASE("bleu and chrf are sacreBLEU's on over 200 corpora") {
  const nlohmann::json reference = stored();
  CHECK(reference.at("corpora").size() > 200);
  for (const nlohmann::json& corpus : reference.at("corpora")) {
    INFO(corpus.at("name"));
    const Strings hypotheses = corpus.at("hypotheses"), references = corpus.at("references");
    CHECK(corpus.at("bleu").size() == kBleuSettings.size());
    for (const auto& [name, options] : kBleuSettings) {
      INFO(name);
      compare(corpus_bleu(hypotheses, references, options), corpus.at("bleu").at(name));
    }
    CHECK(corpus.at("chrf").size() == kChrfSettings.size());
    for (const auto& [name, options] : kChrfSettings) {
      INFO(name);
      const double score = corpus_chrf(hypotheses, references, options).score, expected = corpus.at("chrf").at(name);
      INFO(score << ", expected " << expected);
      CHECK(close(score, expected));
    }
    CHECK(Strings{corpus_bleu(hypotheses, references).line(),
                  corpus_chrf(hypotheses, references, {.word_order = 2}).line()} == corpus.at("lines").get<Strings>());
  }
}

TEST_CASE("lower case is Python's where unicode.h knows it") {
  const Strings cases = stored().at("lowercase");
  const std::string lowered = lowercase(cases[0]);
  const auto ours = split(lowered), expected = split(cases[1]);
  REQUIRE(expected.size() > 900);
  CHECK(ours == expected);
}

TEST_CASE("the signature is sacreBLEU's up to the version") {
  const std::string version = "|version:normlab-";
  const auto begin = [&](const std::string& signature) { return signature.substr(0, signature.find(version)); };
  const nlohmann::json signatures = stored().at("signatures");
  for (const auto& [name, options] : kBleuSettings) CHECK(begin(bleu_signature(options)) == signatures.at(name));
  for (const auto& [name, options] : kChrfSettings) CHECK(begin(chrf_signature(options)) == signatures.at(name));
  CHECK_THAT(bleu_signature({}), ContainsSubstring(version) && ContainsSubstring(" (as sacrebleu 2)"));
}

TEST_CASE("bleu is the brevity penalty times the mean of the precisions") {
  // 5 of 6, 4 of 5, 3 of 4 and 2 of 3 n-grams are in the reference.
  const Bleu bleu = corpus_bleu(Strings{"the cat sat on the rug"}, Strings{"yesterday the cat sat on the mat"});
  CHECK(bleu.matches == std::array<Index, 4>{5, 4, 3, 2});
  CHECK(bleu.totals == std::array<Index, 4>{6, 5, 4, 3});
  const double product = 5.0 / 6 * 4 / 5 * 3 / 4 * 2 / 3;
  CHECK(bleu.score == Approx(100 * std::exp(1 - 7.0 / 6) * std::pow(product, 0.25)));
  CHECK(bleu.line(2) == "BLEU = 64.32 83.3/80.0/75.0/66.7 (BP = 0.846 ratio = 0.857 hyp_len = 6 ref_len = 7)");
}

TEST_CASE("13a parts marks from words, but no points and commas inside numbers") {
  CHECK(tokens_13a("Hello, (world)!") == "Hello , ( world ) !");
  CHECK(tokens_13a("1,234.56 a.b 7. .8 9-10 x-y") == "1,234.56 a . b 7 . . 8 9 - 10 x-y");
  CHECK(tokens_13a("don't ... R&amp;D &lt;3") == "don't . . . R & D < 3");
}

TEST_CASE("words stand between all white space of Unicode, and nothing else") {
  CHECK(split("") == Words{});
  CHECK(split(" \t\u3000") == Words{});
  CHECK(split("a\u00A0b\u2003c\x1C\u0085ü\n") == Words{"a", "b", "c", "ü"});
  CHECK(split("a\u200Bb \uFEFFc") == Words{"a\u200Bb", "\uFEFFc"});
  CHECK_THAT(message_of([] { split("a\xFF"); }), ContainsSubstring("split: must be UTF-8"));
}

TEST_CASE("other numbers of references than of hypotheses, none, or bytes that are no text are errors") {
  const auto message = [](const Strings& hypotheses, const Strings& references) {
    return message_of([&] { corpus_bleu(hypotheses, references); });
  };
  CHECK(message({"a", "b"}, {"a"}) == "bleu: needs one reference per hypothesis, has 2 hypotheses and 1 references");
  CHECK(message({}, {}) == "bleu: needs at least one hypothesis, has 0");
  CHECK_THAT(message({"a", "b"}, {"a", "b\xE9"}),
             ContainsSubstring("bleu: references must be UTF-8, have the byte 0xE9 out of place at byte 1 of line 2"));
  CHECK(message_of([] {
          corpus_chrf(Strings{"a"}, Strings{"a", "b", "c"});
        }) == "chrf: needs one reference per hypothesis, has 1 hypotheses and 3 references");
  CHECK(message_of([] { corpus_chrf(Strings{"a"}, Strings{"a"}, {.word_order = -1}); }) ==
        "chrf: word_order must be at least 0, is -1");
}
