// The generator of pairs: both sides of a sentence are written at once.
#include "synthetic_translation.h"

#include <unordered_set>

namespace normlab {
namespace {

void add_word(std::string& sentence, const std::string& word) {
  if (word.empty()) return;
  if (!sentence.empty()) sentence += ' ';
  sentence += word;
}

struct Determiner {
  const char *source, *target;
  bool plural;
};
constexpr Determiner kDeterminers[] = {
    {"this", "i", false}, {"a", "u", false}, {"these", "i", true}, {"some", "u", true}};

constexpr const char* kClassEndings[] = {"a", "e", "i", "o", "u"};
constexpr const char* kCaseEndings[] = {"", "n", "m"};
const char* plural_ending(bool plural) { return plural ? "s" : ""; }

}  // namespace

MadeUpLanguages::MadeUpLanguages(const SyntheticTranslationOptions& options, std::uint64_t seed) : options_(options) {
  Random random(seed, "data.languages");
  for (Index i = 0; i < options.nouns; ++i) class_of_noun_.push_back(random.below(options.classes));
  for (Index i = 0; i < options.verbs; ++i) {
    const Case objects[] = {kFirst, kSecond, kNone};
    object_of_verb_.push_back(objects[random.below(3)]);
  }
  for (Index i = 0; i < options.prepositions; ++i) {
    case_of_preposition_.push_back(random.below(2) == 0 ? kFirst : kSecond);
  }
}

MadeUpLanguages::Agreement MadeUpLanguages::phrase(Random& random, Case grammatical_case, Pair& out) const {
  const Determiner& determiner = kDeterminers[random.below(4)];
  const Index noun = random.below(options_.nouns);
  const Agreement agreement{class_of_noun_[static_cast<std::size_t>(noun)], determiner.plural};
  const std::string inflection = text(plural_ending(determiner.plural), kCaseEndings[grammatical_case]);
  const std::string ending = kClassEndings[agreement.noun_class] + inflection;

  add_word(out.source, determiner.source);
  add_word(out.target, determiner.target + ending);
  add_word(out.target, text("nom", noun, inflection));
  for (Index i = random.below(options_.adjectives_per_phrase + 1); i > 0; --i) {
    const Index adjective = random.below(options_.adjectives);
    add_word(out.source, text("adj", adjective));
    add_word(out.target, text("bel", adjective, ending));
  }
  add_word(out.source, text("noun", noun));
  return agreement;
}

void MadeUpLanguages::clause(Random& random, Pair& out) const {
  const Agreement subject = phrase(random, kSubject, out);
  const Index verb = random.below(options_.verbs);
  add_word(out.source, text("verb", verb));

  const Case object_case = object_of_verb_[static_cast<std::size_t>(verb)];
  Pair object{"", "se"};
  if (object_case != kNone) {
    object.target.clear();
    phrase(random, object_case, object);
  }
  add_word(out.source, object.source);
  for (Index i = random.below(options_.places_per_clause + 1); i > 0; --i) {
    const Index preposition = random.below(options_.prepositions);
    add_word(out.source, text("prep", preposition));
    phrase(random, case_of_preposition_[static_cast<std::size_t>(preposition)], out);
    add_word(out.target, text("post", preposition));
  }
  add_word(out.target, object.target);
  add_word(out.target, text("ago", verb, kClassEndings[subject.noun_class], plural_ending(subject.plural)));
}

MadeUpLanguages::Pair MadeUpLanguages::sentence(Random& random) const {
  Pair out;
  clause(random, out);
  for (Index i = random.below(options_.clauses); i > 0; --i) {
    const Index conjunction = random.below(options_.conjunctions);
    add_word(out.source, text("conj", conjunction));
    add_word(out.target, text("kaj", conjunction));
    clause(random, out);
  }
  return out;
}

void SyntheticTranslationOptions::fields(Fields& f) {
  const Range count{.at_least = 1, .at_most = 1e5};
  const Range few{.at_least = 0, .at_most = 20};
  f.integer("train_pairs", train_pairs, {.at_least = 1, .at_most = 1e7}, "pairs to train on");
  f.integer("valid_pairs", valid_pairs, {.at_least = 0, .at_most = 1e6}, "pairs for validation; 0 for none");
  f.integer("test_pairs", test_pairs, {.at_least = 0, .at_most = 1e6}, "pairs for the test; 0 for none");
  f.integer("text_seed", text_seed, {.at_least = 0, .at_most = 9e15},
            "seed of the languages and their sentences; 0 takes the data's seed, so that other seeds give others");
  f.integer("nouns", nouns, count, "nouns");
  f.integer("classes", classes, {.at_least = 1, .at_most = 5}, "classes of nouns, which other words agree with");
  f.integer("adjectives", adjectives, count, "adjectives");
  f.integer("verbs", verbs, count, "verbs, each with a case for its object or without one");
  f.integer("prepositions", prepositions, count, "prepositions, each with a case");
  f.integer("conjunctions", conjunctions, count, "conjunctions between clauses");
  f.integer("adjectives_per_phrase", adjectives_per_phrase, few, "most adjectives of a noun");
  f.integer("places_per_clause", places_per_clause, few, "most phrases with a preposition in a clause");
  f.integer("clauses", clauses, {.at_least = 1, .at_most = 20}, "most clauses of a sentence");
  f.choice("vocabulary", vocabulary, {"shared", "separate"}, "one vocabulary for both languages or one for each");
  batching.fields(f);
}

PairCorpus SyntheticTranslationOptions::make(std::uint64_t seed) const {
  const std::uint64_t made_from = text_seed > 0 ? static_cast<std::uint64_t>(text_seed) : seed;
  const MadeUpLanguages languages(*this, made_from);
  PairCorpus corpus;
  corpus.origin = text("made-up sentences of seed ", made_from);
  corpus.entropy = 0;

  // Training sentences come last, so that valid and test do not depend on their number.
  std::unordered_set<std::string> known;
  const auto draw = [&](Split split, std::int64_t count) {
    Random random(made_from, text("data.pairs.", name_of(split)));
    SegmentedPairs pairs;
    for (int repeated = 0; static_cast<std::int64_t>(pairs.sources.size()) < count;) {
      MadeUpLanguages::Pair pair = languages.sentence(random);
      repeated = known.insert(pair.source).second ? 0 : repeated + 1;
      check(repeated < 1000, "synthetic translation: the languages must have ", valid_pairs + test_pairs + train_pairs,
            " different sentences, hardly have more than ", known.size(), "; let them have more words or longer ones");
      if (repeated > 0) continue;
      pairs.sources.push_back(std::move(pair.source));
      pairs.targets.push_back(std::move(pair.target));
    }
    return pairs;
  };
  const SegmentedPairs valid = draw(Split::valid, valid_pairs), test = draw(Split::test, test_pairs);
  const SegmentedPairs train = draw(Split::train, train_pairs);
  make_vocabularies(corpus, train, vocabulary == "shared", {});
  corpus[Split::train] = encode(corpus, train, train.targets);
  corpus[Split::valid] = encode(corpus, valid, valid.targets);
  corpus[Split::test] = encode(corpus, test, test.targets);
  return corpus;
}

std::unique_ptr<TranslationData> SyntheticTranslationOptions::load_pairs(const std::string& /*directory*/,
                                                                         std::uint64_t seed) const {
  return std::make_unique<PairData>(make(seed), batching, seed);
}

}  // namespace normlab
