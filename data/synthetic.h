// The data kind "synthetic": a made-up language whose text is generated from a seed and whose entropy is known exactly.
//
// A text is a list of stories, one a line. A story is a few clauses; a clause is an opener, some phrases and the closer
// that belongs to its opener:
//
//   open3  name7 trait2 verb7  article1 noun1.14  name4 trait9 verb4  name7 trait2 verb7  close3  open0 …  <eos>
//
// A phrase is either
//   article noun     the article says which class the noun is of; how likely each noun of the class is follows Zipf's
//                    law, in an order that depends on the hidden topic, a Markov chain over the clauses of a story; or
//   name trait verb  a member of the story's cast. At its first mention its trait is drawn at random; later mentions
//                    repeat it. Each name has a verb of its own.
//
// What each kind of model can and cannot do:
//   unigram          Zipf's law only.
//   bigram           which kind of word follows which; the class of a noun.
//   one layer        also topic, closer, verb and cast: it looks back for single words by what they are. It cannot
//                    know which trait goes with which name: the query at a name can ask for that name, but what is
//                    found there is the name again; the trait stands one place on.
//   two layers       can: one notes the name before each trait, the next asks for the trait so noted (the two-layer
//                    "induction head" of Elhage et al. 2021, Olsson et al. 2022). The verb, which must be predicted
//                    at the trait from the name before it, makes that first step worth learning by itself.
#pragma once

#include <cstdint>
#include <vector>

#include "../engine/random.h"
#include "batching.h"
#include "corpus.h"
#include "language.h"

namespace normlab {

struct SyntheticOptions : LanguageDataOptions {
  // A split is made of whole stories and ends with the one that reaches its size.
  std::int64_t train_tokens = 400000;
  std::int64_t valid_tokens = 20000;
  std::int64_t test_tokens = 20000;
  std::int64_t text_seed = 0;

  std::int64_t topics = 8;
  double topic_stays = 0.7;
  std::int64_t articles = 8;
  std::int64_t nouns_per_article = 40;
  double zipf = 1;

  std::int64_t names = 24;
  std::int64_t traits = 24;
  std::int64_t cast = 6;
  double mention = 0.7;
  double newcomer = 0.2;

  std::int64_t openers = 8;
  std::int64_t clauses = 4;
  std::int64_t phrases = 12;
  double closes = 0.2;
  BatchingConfig batching{"sentences"};
  Padding padding;

  void fields(Fields& f) override;
  std::unique_ptr<LanguageData> load_text(const std::string& directory, std::uint64_t seed) const override;
};

// A discrete distribution that can be drawn from.
class Weighted {
 public:
  Weighted() = default;
  // In proportion to `weights`, which must be positive.
  explicit Weighted(std::vector<double> weights);
  Index size() const { return static_cast<Index>(probability_.size()); }
  double operator[](Index i) const { return probability_[static_cast<std::size_t>(i)]; }
  Index draw(Random& random) const;

 private:
  std::vector<double> probability_, cumulative_;
};

class StoryLanguage {
 public:
  StoryLanguage(const SyntheticOptions& options, std::uint64_t seed);

  Vocabulary vocabulary() const;
  // Appends one story to `tokens`, and the -ln of each token's probability given all before it to `surprisal`. Topics
  // are hidden: a noun's probability is its mean over the topics' posterior, kept exactly by the forward algorithm.
  void tell(Random& random, std::vector<std::int32_t>& tokens, std::vector<double>& surprisal) const;
  SplitText text_of(Index least_tokens, Random random) const;

  // Token ids, by kind.
  std::int32_t end_of_line() const { return 0; }
  std::int32_t opener(Index i) const { return id(1 + i); }
  std::int32_t closer(Index i) const { return id(1 + options_.openers + i); }
  std::int32_t article(Index i) const { return id(1 + 2 * options_.openers + i); }
  std::int32_t name(Index i) const { return id(article(options_.articles) + i); }
  std::int32_t trait(Index i) const { return id(name(options_.names) + i); }
  std::int32_t verb(Index i) const { return id(trait(options_.traits) + i); }
  std::int32_t noun(Index of_article, Index i) const {
    return id(verb(options_.names) + of_article * options_.nouns_per_article + i);
  }

  const Weighted& articles() const { return articles_; }
  const Weighted& nouns(Index topic, Index of_article) const {
    return nouns_[static_cast<std::size_t>(topic * options_.articles + of_article)];
  }

 private:
  static std::int32_t id(Index i) { return static_cast<std::int32_t>(i); }
  SyntheticOptions options_;
  Weighted articles_;
  std::vector<Weighted> nouns_;  // [topics x articles]
};

}  // namespace normlab
