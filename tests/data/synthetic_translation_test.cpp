// The made-up translation task: what it promises of its sentences, and that looking words up does not solve it.
#include "data/synthetic_translation.h"

#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "data/bleu.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

std::vector<std::string> words_of(const std::string& sentence) {
  std::istringstream in(sentence);
  return {std::istream_iterator<std::string>(in), {}};
}

SegmentedPairs sentences(const PairCorpus& corpus, Split split) {
  SegmentedPairs out{{}, corpus[split].target_lines};
  for (Index i = 0; i < corpus[split].sources.size(); ++i) {
    std::string& sentence = out.sources.emplace_back();
    for (std::int32_t id : corpus[split].sources[i]) {
      if (id != corpus.source_vocabulary->end_of_line()) {
        sentence += (sentence.empty() ? "" : " ") + (*corpus.source_vocabulary)[id];
      }
    }
  }
  return out;
}

// For each source word the most frequent of the target words that never come without it: what is known of it by itself.
std::map<std::string, std::string> lexicon(const SegmentedPairs& train) {
  std::map<std::string, Index> count;
  std::map<std::string, std::map<std::string, Index>> together;
  for (std::size_t i = 0; i < train.sources.size(); ++i) {
    const auto source = words_of(train.sources[i]), target = words_of(train.targets[i]);
    for (const std::string& t : target) {
      ++count[t];
      for (const std::string& s : std::set<std::string>(source.begin(), source.end())) ++together[s][t];
    }
  }
  std::map<std::string, std::string> best;
  for (const auto& [s, candidates] : together) {
    Index most = 0;
    for (const auto& [t, n] : candidates) {
      if (n == count[t] && n > most) {
        most = n;
        best[s] = t;
      }
    }
  }
  return best;
}

}  // namespace

TEST_CASE("a made-up sentence is translated by the rules of its languages") {
  SyntheticTranslationOptions options;
  options.nouns = options.classes = options.verbs = options.prepositions = options.conjunctions = 1;
  options.adjectives = options.adjectives_per_phrase = options.places_per_clause = options.clauses = 1;
  const MadeUpLanguages languages(options, 1);
  Random random(1, "sentences");
  std::map<std::string, std::string> translations;
  for (int i = 0; i < 5000; ++i) {
    const auto pair = languages.sentence(random);
    const auto known = translations.emplace(pair.source, pair.target);
    CHECK(known.first->second == pair.target);
  }
  // With one word of each kind: verb0 asks for a case of its object or has none, prep0 asks for a case.
  const std::string object = translations.count("a noun0 verb0") ? "" : " some adj0 noun0";
  const std::string translation = translations.at("these adj0 noun0 verb0" + object + " prep0 this noun0");
  CAPTURE(translation);
  const bool first = translation.find("ian nom0n post0") != std::string::npos;
  const std::string place = first ? "ian nom0n post0 " : "iam nom0m post0 ";
  std::set<std::string> allowed = {"ias nom0s bel0as " + place + "se ago0as"};
  if (!object.empty()) {
    allowed = {"ias nom0s bel0as " + place + "uasn nom0sn bel0asn ago0as",
               "ias nom0s bel0as " + place + "uasm nom0sm bel0asm ago0as"};
  }
  CHECK(allowed.count(translation) == 1);
}

TEST_CASE("made-up pairs: as many as asked for, no source sentence twice, all of it from the seed") {
  SyntheticTranslationOptions options;
  options.train_pairs = 3000;
  options.valid_pairs = 200;
  options.test_pairs = 100;
  const PairCorpus corpus = options.make(7);
  std::set<std::string> different;
  for (Split split : kSplits) {
    for (const std::string& source : sentences(corpus, split).sources) different.insert(source);
  }
  CHECK(corpus[Split::train].sources.size() == 3000);
  CHECK(corpus[Split::valid].sources.size() == 200);
  CHECK(corpus[Split::test].sources.size() == 100);
  CHECK(different.size() == 3300);

  CHECK(options.make(7)[Split::train].targets.tokens == corpus[Split::train].targets.tokens);
  CHECK(options.make(8)[Split::train].target_lines != corpus[Split::train].target_lines);
  options.train_pairs = 10;
  CHECK(options.make(7)[Split::test].target_lines == corpus[Split::test].target_lines);
  options.text_seed = 7;
  CHECK(options.make(8)[Split::test].target_lines == corpus[Split::test].target_lines);
}

TEST_CASE("made-up pairs are translation data with an entropy of 0") {
  SyntheticTranslationOptions options;
  options.train_pairs = 1000;
  options.vocabulary = "separate";
  options.batching.tokens_per_batch = 500;
  const auto data = options.load_pairs("", 1);
  CHECK(!data->shared_vocabulary());
  CHECK(data->entropy(Split::valid) == 0.0);
  CHECK(data->references(Split::test, 0, TextForm::words) == data->references(Split::test, 0, TextForm::plain));
  CHECK_THAT(data->summary(), ContainsSubstring("made-up sentences of seed 1; train 1000 pairs of "));
  options.test_pairs = 0;
  CHECK(options.load_pairs("", 1)->evaluation_batches(Split::test) == 0);
  CHECK(!options.load_pairs("", 1)->entropy(Split::test));
  options.nouns = options.classes = options.verbs = options.adjectives = options.prepositions = 1;
  options.clauses = 1;
  options.places_per_clause = options.adjectives_per_phrase = 0;
  CHECK_THAT(
      message_of([&] { options.make(1); }),
      ContainsSubstring("synthetic translation: the languages must have 1500 different sentences, hardly have more "
                        "than "));
}

TEST_CASE("every form of the test is seen in training, and looking words up stays under 40 BLEU") {
  const PairCorpus corpus = SyntheticTranslationOptions().make(1);
  const SegmentedPairs train = sentences(corpus, Split::train), test = sentences(corpus, Split::test);
  const auto known = lexicon(train);
  std::vector<std::string> looked_up;
  Index unknown = 0;
  for (const std::string& source : test.sources) {
    std::string& translation = looked_up.emplace_back();
    for (const std::string& word : words_of(source)) {
      const auto found = known.find(word);
      translation += (translation.empty() ? "" : " ") + (found == known.end() ? word : found->second);
    }
  }
  for (const std::string& target : test.targets) {
    for (std::int32_t id : encode(*corpus.target_vocabulary, target)) {
      unknown += id == corpus.target_vocabulary->unknown();
    }
  }
  CHECK(unknown == 0);
  BleuOptions options;
  options.tokenizer = BleuTokenizer::none;
  const Bleu bleu = corpus_bleu(looked_up, test.targets, options);
  CAPTURE(bleu.line());
  CHECK(bleu.score < 40);
  CHECK(bleu.precisions[0] > 20);  // the lexicon is one
  CHECK(known.at("conj0") == "kaj0");
  CHECK(known.at("noun3").substr(0, 4) == "nom3");
}
