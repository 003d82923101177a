// Sentences to words to tokens and back.
#include "data/segmenter.h"

#include "tests/data/files.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

WordRules moses(bool lowercase) {
  WordRules rules;
  rules.kind = "moses";
  rules.lowercase = lowercase;
  return rules;
}

const Bpe kBpe({{"l", "ä"}, {"u", "f"}, {"uf", "t</w>"}});

}  // namespace

TEST_CASE("with no rule a sentence is its words") {
  const Segmenter segmenter;
  CHECK(segmenter.words("  Ein\t Mädchen, ") == "Ein Mädchen,");
  CHECK(segmenter.tokens("Ein Mädchen,") == "Ein Mädchen,");
  CHECK(segmenter.join("Ein Mädchen,", TextForm::plain) == "Ein Mädchen,");
  CHECK(segmenter.respell(" Ein  Mädchen,", TextForm::plain) == " Ein  Mädchen,");
  CHECK(segmenter.respell(" Ein  Mädchen,", TextForm::words) == "Ein Mädchen,");
}

TEST_CASE("tokenizer, lower case and subwords follow each other and are undone, but for the case") {
  Segmenter segmenter(moses(true), "de");
  segmenter.set_subwords(kBpe);
  const std::string plain = "Es läuft, „ÄH“!";
  const std::string words = segmenter.words(plain);
  CHECK(words == "es läuft , &quot; äh &quot; !");
  const std::string tokens = segmenter.tokens("läuft ,");
  CHECK(tokens == "lä@@ uft ,");
  CHECK(segmenter.join("es lä@@ uft , &quot; ä@@ h &quot; !", TextForm::words) == words);
  CHECK(segmenter.join("es lä@@ uft , &quot; ä@@ h &quot; !", TextForm::plain) == "es läuft, \"äh\"!");
  CHECK(segmenter.respell(plain, TextForm::words) == words);
  CHECK(segmenter.respell(plain, TextForm::plain) == "es läuft, „äh“!");
  CHECK(Segmenter(moses(false), "de").respell(plain, TextForm::plain) == plain);
}

TEST_CASE("many sentences are segmented as each by itself, on any number of threads") {
  Segmenter segmenter(moses(true), "en");
  segmenter.set_subwords(kBpe);
  std::vector<std::string> sentences, words, tokens;
  for (int i = 0; i < 50; ++i) {
    sentences.push_back(text("No. ", i, ": the läuft-thing, isn't it?"));
    words.push_back(segmenter.words(sentences.back()));
    tokens.push_back(segmenter.tokens(words.back()));
  }
  const int before = threads();
  for (int count : {1, 2, 4}) {
    set_threads(count);
    CHECK(segmenter.words(sentences) == words);
    CHECK(segmenter.tokens(words) == tokens);
  }
  set_threads(before);
  CHECK(segmenter.words(std::vector<std::string>{}).empty());
}

TEST_CASE("each rule and the codes show in a segmenter's description") {
  WordRules rules = moses(false);
  std::vector<std::string> all = {Segmenter().description(), Segmenter(rules, "de").description(),
                                  Segmenter(rules, "en").description()};
  for (bool WordRules::*rule :
       {&WordRules::normalize_punctuation, &WordRules::split_hyphens, &WordRules::escape, &WordRules::lowercase}) {
    WordRules changed = rules;
    changed.*rule = !(changed.*rule);
    all.push_back(Segmenter(changed, "de").description());
  }
  Segmenter with_subwords(rules, "de");
  with_subwords.set_subwords(kBpe);
  all.push_back(with_subwords.description());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) CHECK(all[i] != all[k]);
  }
}

TEST_CASE("the tokenizer knows English and German") {
  CHECK_THAT(message_of([] { Segmenter(moses(true), "fr"); }), ContainsSubstring("fr"));
  CHECK(message_of([] { Segmenter(WordRules(), "fr"); }) == "");
}
