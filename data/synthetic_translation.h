// The data kind "synthetic_translation": sentences of a made-up language and their translations into another, from a
// seed.
//
//   source   this adj4 noun7 verb3 some noun2 prep1 a adj0 noun9       (verb second, adjectives before nouns)
//   target   ia nom7 bel4a uon nom9n bel0on post1 uesm nom2sm ago3a    (verb last, adjectives after nouns)
//
// A sentence is clauses with conjunctions between; a clause is a subject, a verb, perhaps an object, and places; each
// of these but the verb is a phrase of determiner, adjectives and noun. In the target, a place comes before the object
// and the preposition behind its phrase; a verb without an object takes the particle "se". Endings say
//
//   a e i o u      the class of a noun: of its determiner, its adjectives, and of the verb whose subject it is
//   s              plural, which in the source the determiner alone shows
//   n m            the case of a phrase: that which the verb asks of its object, or the preposition of its place
//
// Which class a noun is of, and which case a verb or preposition asks for, is drawn from the seed and must be learned.
// So no target word but conjunctions and prepositions follows from its source word alone; from the sentence each does,
// and the entropy of a translation is 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../engine/random.h"
#include "pairs.h"

namespace normlab {

struct SyntheticTranslationOptions : TranslationDataOptions {
  // No source sentence occurs twice, in one split or in two.
  std::int64_t train_pairs = 20000;
  std::int64_t valid_pairs = 500;
  std::int64_t test_pairs = 500;
  std::int64_t text_seed = 0;

  std::int64_t nouns = 40;
  std::int64_t classes = 3;
  std::int64_t adjectives = 16;
  std::int64_t verbs = 24;
  std::int64_t prepositions = 6;
  std::int64_t conjunctions = 4;

  std::int64_t adjectives_per_phrase = 2;  // at most; any number up to it is as likely
  std::int64_t places_per_clause = 1;      // at most
  std::int64_t clauses = 2;                // at most
  std::string vocabulary = "shared";
  PairBatching batching;

  void fields(Fields& f) override;
  std::unique_ptr<TranslationData> load_pairs(const std::string& directory, std::uint64_t seed) const override;
  // Only the pairs, before batching. Error when the grammar has too few sentences.
  PairCorpus make(std::uint64_t seed) const;
};

class MadeUpLanguages {
 public:
  MadeUpLanguages(const SyntheticTranslationOptions& options, std::uint64_t seed);

  // Words with blanks between.
  struct Pair {
    std::string source, target;
  };
  Pair sentence(Random& random) const;

 private:
  enum Case { kSubject, kFirst, kSecond, kNone };  // kNone: the verb has no object
  struct Agreement {
    Index noun_class = 0;
    bool plural = false;
  };
  // Adds a phrase to both sides.
  Agreement phrase(Random& random, Case grammatical_case, Pair& out) const;
  void clause(Random& random, Pair& out) const;

  SyntheticTranslationOptions options_;
  std::vector<Index> class_of_noun_;
  std::vector<Case> object_of_verb_, case_of_preposition_;
};

}  // namespace normlab
